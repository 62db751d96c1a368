"""Thresholds as a session of pytest shows them: failures, warnings, the report, and the listing of rules."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# Of 400 images a variant has 60 wrong when they are clean, 120 in fog and 200 in snow; the original 100.
CASES = """
    from dataclasses import replace
    import numpy as np, pytest
    from benchmarks.plugin import RECORD
    from benchmarks.results import Cell, ImageSet, Record

    WRONG = {"clean": 60, "fog": 120, "snow": 200}

    def record(case):
        name = case.corruption or "clean"
        wrong = np.arange(400) < (100 if case.variant.technique == "original" else WRONG[name])
        cell = Cell(name, 1 if case.corruption else 0, 400, int(wrong.sum()), np.packbits(wrong).tobytes())
        return Record(case, (cell,), images=ImageSet(10000, {}))

    def hold(request, case, limits):
        measured = request.node.stash[RECORD] = record(case)
        limits.check(measured, record(replace(case, variant=case.variant.original)))

    @pytest.mark.accuracy
    def test_accuracy(case, request, limits):
        hold(request, case, limits)

    @pytest.mark.robustness
    def test_robustness(case, request, limits):
        hold(request, case, limits)
"""

SMALL = (
    *("--set", 'compression.techniques=["int8", "qat"]', "--set", 'corruptions.names=["fog", "snow"]'),
    *("--set", "corruptions.severities=[1]", "--set", "thresholds.compression_ratio_min=1"),
)

WORKERS = pytest.mark.parametrize("workers", [("-p", "no:xdist"), ("-n2",)], ids=["alone", "workers"])

Run = Callable[..., pytest.RunResult]


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makeini("[pytest]")
    pytester.makeconftest('pytest_plugins = ["benchmarks.plugin", "reporting.plugin"]')
    pytester.makepyfile(test_cases=CASES)

    def run(*options: str, **thresholds: float | bool) -> pytest.RunResult:
        given = [
            text
            for key, value in {"accuracy_min": 0.5, **thresholds}.items()
            for text in ("--set", f"thresholds.{key}={json.dumps(value)}")
        ]
        return pytester.runpytest_subprocess("-p", "no:hypothesispytest", *SMALL, *given, *options)

    return run


def entries(pytester: pytest.Pytester) -> dict[str, dict]:
    lines = (pytester.path / "report" / "records.jsonl").read_text().splitlines()
    return {entry["case"]: entry for line in lines if (entry := json.loads(line).get("entry"))}


@WORKERS
def test_interval_beyond_fails_straddling_warns_and_below_passes(
    run: Run, pytester: pytest.Pytester, workers: tuple[str, ...]
) -> None:
    result = run(*workers, ce_max=125)
    result.assert_outcomes(passed=4, failed=2, warnings=2)
    assert {case: entry["ending"] for case, entry in entries(pytester).items()} == {
        f"digits-vgg6-{technique}-{what}": "failed" if what == "snow" else "passed"
        for technique in ("int8", "qat")
        for what in ("clean", "fog", "snow")
    }
    found = {
        case: [check["standing"] for check in entry["checks"]] for case, entry in entries(pytester).items()
    }
    assert found["digits-vgg6-qat-clean"] == ["kept"]
    assert found["digits-vgg6-qat-fog"] == ["undecided"]
    assert found["digits-vgg6-qat-snow"] == ["broken"]


@WORKERS
def test_warning_of_what_is_undecided_lists_its_cases_once(run: Run, workers: tuple[str, ...]) -> None:
    text = str(run(*workers, ce_max=125).stdout)
    summary = text.partition("warnings summary")[2].partition("Docs:")[0]
    told = "UndecidedWarning: undecided, because the interval straddles ce_max at most 125 (rule thresholds)"
    assert summary.count(told) == 1
    for technique in ("int8", "qat"):
        assert summary.count(f"test_robustness[digits-vgg6-{technique}-fog]") == 1


@WORKERS
def test_strict_fails_what_straddles(run: Run, pytester: pytest.Pytester, workers: tuple[str, ...]) -> None:
    result = run(*workers, ce_max=125, strict=True)
    result.assert_outcomes(passed=2, failed=4)
    assert entries(pytester)["digits-vgg6-qat-fog"]["ending"] == "failed"
    assert "Undecided:" not in str(result.stdout)
    result.stdout.re_match_lines([r"E +AssertionError: digits-.*undecided, which fails because thresholds"])


@WORKERS
def test_failure_ends_with_the_command_that_repeats_just_this_case(
    run: Run, pytester: pytest.Pytester, workers: tuple[str, ...]
) -> None:
    pattern = "thresholds.where.*/qat/fog.ce_max"
    result = run(*workers, "--set", f"{pattern}=50", "-k", "qat and fog")
    result.assert_outcomes(failed=1, deselected=0 if "-n2" in workers else 5)
    [command] = set(re.findall(r"repeat: pytest (.*)", str(result.stdout)))
    assert "'test_cases.py::test_robustness[digits-vgg6-qat-fog]' --suite quick --set " in command
    again = pytester.runpytest_subprocess("-p", "no:hypothesispytest", *shlex.split(command))
    again.assert_outcomes(failed=1)
    again.stdout.fnmatch_lines(["*-qat-fog: expected ce_max at most 50 (rule ?/qat/fog), got 120 *"])


def test_report_shows_what_failed_and_what_is_undecided_with_interval_limit_and_rule(run: Run) -> None:
    text = re.sub(" +", " ", str(run("-p", "no:xdist", ce_max=125).stdout))
    failed = text.partition("\nFailed: ce_max at most 125 (rule thresholds)\n")[2]
    assert re.search(r"digits-vgg6-int8-snow 200 1\d\d(\.\d)? to 2\d\d(\.\d)? 75\n", failed)
    undecided = text.partition("\nUndecided: ce_max at most 125 (rule thresholds)\n")[2]
    assert re.search(r"digits-vgg6-qat-fog 120 11\d(\.\d)? to 1\d\d(\.\d)? -5\n", undecided)


@pytest.mark.parametrize("workers", [("-p", "no:xdist"), ("-n2",), ("-nauto",)], ids=" ".join)
def test_explaining_lists_the_rules_of_the_selection_and_runs_nothing(
    run: Run, pytester: pytest.Pytester, workers: tuple[str, ...]
) -> None:
    result = run(
        *workers, "--explain-thresholds", "-m", "qat or fog", "--set", "thresholds.where.*/*/fog.ce_max=9"
    )
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(
        [
            "Thresholds of suite quick for 4 selected cases.*",
            "",
            "digits / vgg6 / int8",
            "  fog  ce_max = 9  ?/?/fog",
            "",
            "digits / vgg6 / qat",
            "  clean  accuracy_min = 0.5  thresholds",
            "  fog    ce_max = 9          ?/?/fog",
            "  snow   none",
        ]
    )
    assert "passed" not in str(result.stdout)
    assert not (pytester.path / "report").exists()


def test_rule_that_says_nothing_is_refused_before_any_work(run: Run) -> None:
    result = run("-p", "no:xdist", "--set", "thresholds.where.*/qta/*.ce_max=9")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*quick.toml: thresholds.where.?/qta/?: *is 'qta'; did you mean 'qat'?"])
