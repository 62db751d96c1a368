"""The end of a session: the verdict first, then as much as was asked for, and which page to open."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_runs import entries_of, header_of, record_of

from benchmarks.cases import STANDARD_CORRUPTIONS, Case, Variant
from reporting.contents import UNDECIDED_SHOWN
from reporting.gate import Check
from reporting.report import Report
from reporting.summary import show_report, show_written

ROOT = Path(__file__).resolve().parents[1]


class Terminal:
    """What is written on a terminal, line by line, and with which markup."""

    def __init__(self, verbosity: int = 0, *, no_summary: bool = False) -> None:
        self.verbosity = verbosity
        self.no_summary = no_summary
        self.lines: list[str] = []
        self.markup: dict[str, set[str]] = {}

    def write_sep(self, sep: str, title: str) -> None:
        self.write_line(f"{sep}{title}{sep}")

    def write_line(self, line: str, **markup: bool) -> None:
        self.lines += line.splitlines()
        self.markup[line] = {name for name, on in markup.items() if on}

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


CASES = [
    case
    for technique in ("original", "int8")
    for variant in [Variant("d", "m", technique)]
    for case in (
        Case(variant, "accuracy"),
        *(Case(variant, "robustness", name, "any") for name in STANDARD_CORRUPTIONS),
    )
]

BROKEN = Check("ce_max", "thresholds", 100, 150, 140, 160, "broken")
UNDECIDED = Check("ce_max", "thresholds", 100, 99, 90, 110, "undecided")


def report_of(*, broken: int = 0, undecided: int = 0, errors: int = 0) -> Report:
    """Return the report on a run of which so many cases did not go well, the last ones."""
    entries = entries_of(record_of(case, np.arange(20)[None] < 5) for case in CASES)
    changes: list[dict[str, Any]] = [
        *[{"ending": "failed", "checks": (BROKEN,)}] * broken,
        *[{"checks": (UNDECIDED,)}] * undecided,
        *[{"ending": "error", "message": "out of memory", "record": None}] * errors,
    ]
    for place, change in enumerate(changes, start=1):
        entries[-place] = replace(entries[-place], **change)
    return Report.of_run(header_of(CASES, [1]), entries)


def shown(report: Report, verbosity: int = 0, **options: bool) -> Terminal:
    terminal: Any = Terminal(verbosity, **options)
    show_report(report, "made", terminal)
    return terminal


@pytest.mark.parametrize(
    ("wrong", "begins", "colour"),
    [
        ({}, "Kept: nothing is broken", "green"),
        ({"broken": 2}, "Not kept: 2 cases broke a threshold", "red"),
        ({"errors": 1}, "Could not tell: 1 case could not be measured", "yellow"),
    ],
)
def test_the_verdict_comes_first_and_in_its_colour(wrong: dict[str, int], begins: str, colour: str) -> None:
    terminal = shown(report_of(**wrong))
    assert terminal.lines[0] == "=RobustLite: suite made="
    assert terminal.lines[1].startswith(begins)
    assert terminal.markup[terminal.lines[1]] == {"bold", colour}
    assert "mCE, compression ratio (CR) and accuracy in %" in terminal.text
    coloured = [line for line, markup in terminal.markup.items() if markup]
    assert coloured == [terminal.lines[1]]


def test_a_quiet_session_shows_the_verdict_and_what_failed() -> None:
    terminal = shown(report_of(broken=1, undecided=1), -1)
    assert terminal.lines[0].startswith("Not kept: 1 case broke a threshold")
    assert "Failed: ce_max at most 100 (rule thresholds)" in terminal.lines
    assert "d-m-int8-jpeg_compression" in terminal.text
    for table in ("mCE", "Worst", "Undecided", "RobustLite"):
        assert table not in terminal.text


def test_a_session_without_summary_is_as_a_quiet_one() -> None:
    report = report_of(broken=1)
    assert shown(report, no_summary=True).lines == shown(report, -1).lines


@pytest.mark.parametrize("verbosity", [-2, -3])
def test_a_quieter_session_shows_the_verdict_alone(verbosity: int) -> None:
    (line,) = shown(report_of(broken=1), verbosity).lines
    assert line.startswith("Not kept: ")


def test_a_verbose_session_shows_what_a_brief_summary_leaves_out() -> None:
    report = report_of(undecided=UNDECIDED_SHOWN + 1)
    brief, whole = shown(report), shown(report, 1)
    assert "d, m: CE in % of the original's error" not in brief.text
    assert "d, m: CE in % of the original's error" in whole.text
    assert "and 1 more, listed in summary.md" in brief.text
    assert "listed in summary.md" not in whole.text


def written(verbosity: int, *names: str) -> list[str]:
    terminal: Any = Terminal(verbosity)
    show_written([Path("report", name) for name in names], Path("report"), terminal)
    lines: list[str] = terminal.lines
    return lines


def test_the_page_to_open_is_named_last() -> None:
    assert written(0, "index.html", "results.csv") == [
        "Written to report: index.html, results.csv",
        "Open report/index.html",
    ]


def test_a_report_without_a_page_names_none() -> None:
    assert written(0, "results.csv") == ["Written to report: results.csv"]


def test_a_quiet_session_says_where_the_report_is() -> None:
    assert written(-1, "index.html", "results.csv") == ["Written to report"]
    assert written(-2, "index.html", "results.csv") == []


def test_a_quiet_session_of_pytest_has_no_other_tables(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of pytest-benchmark neither; the files of the report are whole."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makeini("[pytest]")
    pytester.makeconftest('pytest_plugins = ["benchmarks.plugin", "reporting.recording", "reporting.plugin"]')
    pytester.makepyfile(
        test_cases="""
            import pytest
            from benchmarks.plugin import RECORD
            from benchmarks.results import Cell, Record

            @pytest.mark.accuracy
            def test_accuracy(case, request, benchmark):
                benchmark.pedantic(lambda: None)
                request.node.stash[RECORD] = Record(case, (Cell("clean", 0, 10, 1),))
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:hypothesispytest", "-p", "no:xdist", "-q")
    shown = [line for line in result.outlines if line]
    assert re.fullmatch(r"\.{16} +\[100%\]", shown[0])
    assert shown[1:-1] == [
        "Kept: nothing is broken, missing or in error in 16 cells.",
        "Written to report",
    ]
    assert len((pytester.path / "report" / "results.csv").read_text().splitlines()) == 17
