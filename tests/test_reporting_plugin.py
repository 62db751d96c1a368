"""After a session the report is written with the paper's tables and figures, also from records of workers."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from reporting.journal import read_journal
from reporting.report import Report

ROOT = Path(__file__).resolve().parents[1]

CASES = """
    import base64, io
    import numpy as np, PIL.Image, pytest
    from benchmarks.plugin import RECORD
    from benchmarks.results import Cell, Record

    def png(level):
        file = io.BytesIO()
        PIL.Image.fromarray(np.full((4, 4, 3), 40 * level, np.uint8)).save(file, "PNG")
        return base64.b64encode(file.getvalue()).decode()

    def hand_on(request, case, severities):
        name = case.corruption or "clean"
        cells = tuple(Cell(name, severity, 100, 10 + severity) for severity in severities)
        original = case.variant.technique == "original"
        details = {"example": [png(severity) for severity in severities]} if original else {}
        record = Record(case, cells, details=details)
        request.node.stash[RECORD] = record

    @pytest.mark.accuracy
    def test_accuracy(case, request):
        hand_on(request, case, [0])

    @pytest.mark.robustness
    def test_robustness(case, request):
        hand_on(request, case, [1, 2, 3, 4, 5])
"""

SMALL = ("--set", 'compression.techniques=["original", "int8"]', "--set", 'corruptions.names=["fog", "snow"]')


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makeini("[pytest]")
    pytester.makeconftest('pytest_plugins = ["benchmarks.plugin", "reporting.plugin"]')
    pytester.makepyfile(test_cases=CASES)
    return lambda *options: pytester.runpytest_subprocess("-p", "no:hypothesispytest", *SMALL, *options)


@pytest.mark.parametrize("workers", [("-p", "no:xdist"), ("-n2",)], ids=["alone", "workers"])
def test_a_session_writes_the_papers_tables_and_figures(run, pytester: pytest.Pytester, workers) -> None:
    result = run("--paper", *workers)
    result.assert_outcomes(passed=6)
    paper = pytester.path / "report" / "paper"
    assert (paper / "figure-1-corruptions.png").stat().st_size > 1000
    assert "fog" in (paper / "figure-1-corruptions.svg").read_text()
    assert "learning_rate,train,vgg6,0.001" in (paper / "table-3-hyperparameters.csv").read_text()
    assert "Left out" not in str(result.stdout)
    result.stdout.fnmatch_lines(["Written to report: index.html, results.csv, *", "Written to report?paper: *"])


def test_a_session_without_corrupted_images_says_what_is_left_out(run, pytester: pytest.Pytester) -> None:
    result = run("--paper", "-p", "no:xdist", "-m", "accuracy")
    result.assert_outcomes(passed=2, deselected=4)
    result.stdout.fnmatch_lines(["*Left out of paper/: figure-1-corruptions, because no example images*"])
    assert not list((pytester.path / "report" / "paper").glob("figure-1*"))


def test_a_session_that_is_not_asked_for_the_paper_writes_the_report_alone(
    run, pytester: pytest.Pytester
) -> None:
    result = run("-p", "no:xdist")
    result.assert_outcomes(passed=6)
    assert (pytester.path / "report" / "summary.md").exists()
    assert not (pytester.path / "report" / "paper").exists()
    assert "paper/" not in (pytester.path / "report" / "summary.md").read_text()


ABOUT = """
    import json, pathlib
    import reporting.report
    pytest_plugins = ["benchmarks.plugin", "reporting.plugin"]

    write_report = reporting.report.write_report

    def write_what_is_told_about_the_run(report, out):
        pathlib.Path("about.json").write_text(json.dumps(report.about))
        return write_report(report, out)

    reporting.report.write_report = write_what_is_told_about_the_run
"""


def test_a_report_and_its_journal_tell_the_same_about_the_run(run, pytester: pytest.Pytester) -> None:
    pytester.makeconftest(ABOUT)
    run("-p", "no:xdist").assert_outcomes(passed=6)
    about = json.loads((pytester.path / "about.json").read_text())
    recording = read_journal(pytester.path / "report")
    again = Report.of_run(recording.header, recording.entries.values(), ended=recording.ended)
    assert again.about == about
    assert about["command"].endswith("-p no:xdist")
    started, ended = (datetime.fromisoformat(about[name]) for name in ("started", "ended"))
    assert timedelta(0) <= ended - started < timedelta(hours=1)
    assert ended.utcoffset() == timedelta(0)


def test_a_session_of_the_papers_protocol_rounds(run) -> None:
    assert "rounded to an integer" in str(run("-p", "no:xdist", "--set", "protocol=paper").stdout)
