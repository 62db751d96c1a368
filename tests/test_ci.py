"""CI shows of a run a summary of bounded size, and the figures of each case in JUnit XML."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from made_runs import entries_of, header_of, record_of, suite_of
from test_reporting_plugin import CASES, SMALL

from benchmarks.cases import STANDARD_CORRUPTIONS, Case, Variant
from benchmarks.results import Record
from reporting import ci
from reporting.ci import LIMIT, ROWS, append_summary, properties_of, render_summary
from reporting.gate import Check
from reporting.journal import Entry, write_journal
from reporting.report import Report
from reporting.verdict import verdict_of

ROOT = Path(__file__).resolve().parents[1]

CHECK = Check("accuracy_min", "thresholds", 0.9, 0.8, 0.7, 0.85, "broken")


def records_of(model: str, corruptions=STANDARD_CORRUPTIONS) -> list[Record]:
    rng = np.random.default_rng(0)
    made = []
    for technique, rate in (("original", 0.2), ("int8", 0.3)):
        variant = Variant("d", model, technique)
        made.append(record_of(Case(variant, "accuracy"), rng.random((1, 50)) < rate))
        for name in corruptions:
            made.append(record_of(Case(variant, "robustness", name, "any"), rng.random((2, 50)) < rate + 0.1))
    return made


def report_of(records: list[Record], others: tuple[Entry, ...] = (), cases: tuple[Case, ...] = ()) -> Report:
    every = [*(record.case for record in records), *cases]
    return Report.of_run(header_of(every, (1, 2)), [*entries_of(records), *others])


FAILED = Entry("d-m-int8-clean", "failed", "no", records_of("m")[16], (CHECK,))
ERROR = Entry("d-m-int8-latency", "error", "no | such device")

QAT_CLEAN, QAT_LATENCY = (Case(Variant("d", "m", "qat"), kind) for kind in ("accuracy", "latency"))


# The summary


def test_summary_has_a_verdict_a_table_the_worst_cells_and_what_failed() -> None:
    text = render_summary(report_of(records_of("m"), (FAILED, ERROR)))
    headings = [line for line in text.splitlines() if line.startswith("#")]
    assert headings == [
        "# Robustness of compressed models: suite made",
        "## Accuracy, mCE and compression ratio (CR)",
        "## Worst cells: where the error in % rose most against the original's",
        "## Failed: accuracy_min at least 0.9 (rule thresholds)",
        "## Failed",
    ]
    assert "**Not kept: 1 case broke a threshold, 1 case could not be measured.**" in text
    assert r"no \| such device" in text


def test_figures_stand_with_their_intervals() -> None:
    row = next(line for line in render_summary(report_of(records_of("m"))).splitlines() if "Int8" in line)
    _, _, _, _, accuracy, mce, ratio, _ = (cell.strip() for cell in row.split("|"))
    value, low, high = (float(word.strip("()–")) for word in accuracy.replace("–", " ").split())
    assert low < value < high
    assert "(" in mce
    assert ratio == "–"


@pytest.mark.parametrize(
    ("others", "cases", "said"),
    [
        ((), (), "Kept: nothing is broken, missing or in error in 62 cells."),
        ((FAILED,), (), "Not kept: 1 case broke a threshold."),
        ((ERROR,), (), "Could not tell: 1 case could not be measured."),
        ((), (QAT_LATENCY,), "Could not tell: 1 case did not run."),
        ((), (QAT_CLEAN,), "Could not tell: 1 case did not run, 1 of 63 cells are missing."),
    ],
    ids=["kept", "broken", "error", "not run", "cells missing"],
)
def test_verdict_is_one_line(others: tuple[Entry, ...], cases: tuple[Case, ...], said: str) -> None:
    assert str(verdict_of(report_of(records_of("m"), others, cases))) == said


def test_what_the_regression_gate_says_stands_behind_the_verdict() -> None:
    text = render_summary(report_of(records_of("m")), comparison="# Compared with the baseline\n\nWorse.\n")
    assert text.index("**Kept") < text.index("# Compared with the baseline") < text.index("## Accuracy")


@pytest.fixture(scope="module")
def large() -> Report:
    """A run of many models of long names, of which many cases failed at length."""
    models = [f"{number}-" + "x" * 3000 for number in range(ROWS)]
    records = [record for model in models for record in records_of(model, ())]
    errors = tuple(Entry(f"case {number}", "error", f"{number} ä" * 2000) for number in range(3 * ROWS))
    return report_of(records, errors)


def test_summary_of_any_run_is_below_the_limit(large: Report) -> None:
    text = render_summary(large)
    assert len(text.encode()) < LIMIT
    assert "could not be measured" in text
    assert text.endswith("More is in the report; it does not fit here.\n")


@pytest.mark.parametrize("room", [-1, 0, 1, 50, 100, 1000, 10_000])
def test_summary_keeps_to_the_room_that_is_left(large: Report, room: int) -> None:
    assert len(render_summary(large, room).encode()) < max(room, 1)


def test_table_of_variants_is_shortened() -> None:
    records = [record for number in range(ROWS) for record in records_of(f"m{number}", ())]
    text = render_summary(report_of(records))
    assert text.count("| Original ") == ROWS / 2
    assert f"And {ROWS} more rows in the report." in text


def test_summary_is_appended_and_counts_what_is_there(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "summary.md"
    path.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    append_summary(report_of(records_of("m", ())), pytest.fail)
    assert path.read_text().startswith("before\n# Robustness")
    monkeypatch.setattr(ci, "LIMIT", path.stat().st_size + 10)
    append_summary(report_of(records_of("m", ())), pytest.fail)
    assert path.read_text().count("# Robustness") == 1


def test_without_the_variable_nothing_is_written(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    append_summary(report_of([]), pytest.fail)


def test_summary_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "none" / "summary.md"))
    said: list[str] = []
    append_summary(report_of([]), said.append)
    assert "none/summary.md, got 'No such file or directory'" in said[0]


def test_merge_appends_a_summary(tmp_path: Path, monkeypatch) -> None:
    from reporting.__main__ import main

    records = records_of("m", ("fog",))
    header = header_of([record.case for record in records], (1, 2))
    write_journal(tmp_path / "shard", header, entries_of(records))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    main(["merge", str(tmp_path / "shard"), "--out", str(tmp_path / "out")])
    assert (tmp_path / "summary.md").read_text().count("# Robustness of compressed models") == 1


# The properties of a case


def test_properties_are_the_figures_of_a_record_with_their_bounds() -> None:
    fog = Case(Variant("d", "m", "int8"), "robustness", "fog", "weather")
    wrong = np.arange(50)[None] < np.array([[10], [20]])
    found = dict(properties_of(record_of(fog, wrong), suite_of([fog], (1, 2)).statistics))
    assert found["error[fog,1]"] == "0.2"
    assert float(found["error_low[fog,2]"]) < 0.4 < float(found["error_high[fog,2]"])
    assert len(found) == 6


def test_accuracy_is_a_property_and_not_its_error() -> None:
    clean = Case(Variant("d", "m", "int8"), "accuracy")
    record = record_of(clean, np.arange(50)[None] < 10)
    found = dict(properties_of(record, suite_of([clean], (1,)).statistics))
    assert found.keys() == {"accuracy", "accuracy_low", "accuracy_high"}
    assert float(found["accuracy_low"]) < float(found["accuracy"]) == 0.8 < float(found["accuracy_high"])


def test_metrics_are_properties_by_their_names() -> None:
    claims = Case(Variant("d", "m", "int8"), "claims")
    record = Record(claims, metrics={"zipped_bytes": 123_456, "sparsity": 0.5})
    found = properties_of(record, suite_of([claims], (1,)).statistics)
    assert found == [("zipped_bytes", "123456"), ("sparsity", "0.5")]


# In a session


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makeini("[pytest]")
    pytester.makeconftest('pytest_plugins = ["benchmarks.plugin", "reporting.plugin"]')
    pytester.makepyfile(test_cases=CASES)
    return lambda *options: pytester.runpytest_subprocess("-p", "no:hypothesispytest", *SMALL, *options)


@pytest.mark.parametrize("workers", [("-p", "no:xdist"), ("-n2",)], ids=["alone", "workers"])
def test_a_session_in_ci_has_properties_and_one_summary(
    run: Any, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, workers: tuple[str, ...]
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "step.md")
    run("--junitxml", "junit.xml", *workers).assert_outcomes(passed=6)
    cases = {
        case.get("name"): {entry.get("name"): entry.get("value") for entry in case.iter("property")}
        for case in ElementTree.parse(pytester.path / "junit.xml").iter("testcase")
    }
    assert len(cases) == 6
    assert cases["test_accuracy[digits-vgg6-int8-clean]"] == {"accuracy": "0.9"}
    assert cases["test_robustness[digits-vgg6-int8-fog]"] == {
        f"error[fog,{severity}]": f"{0.1 + severity / 100:g}" for severity in range(1, 6)
    }
    assert (pytester.path / "step.md").read_text().count("# Robustness of compressed models") == 1


def test_a_session_whose_summary_cannot_be_written_passes(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "none/step.md")
    result = run("-p", "no:xdist", "-m", "accuracy")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["expected to append a summary to none/step.md, got *"])


def test_without_junit_xml_nothing_travels_for_it(run: Any, pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        'pytest_plugins = ["benchmarks.plugin", "reporting.plugin"]\n'
        "def pytest_runtest_logreport(report): assert not report.user_properties"
    )
    run("-p", "no:xdist", "-m", "accuracy").assert_outcomes(passed=2, deselected=4)
