"""Lines of progress stand on lines of their own, from workers too, as many of them as were asked for."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from fixtures.telling import _hand_on

ROOT = Path(__file__).resolve().parents[1]

# Each case tells a line before it measures, and measures in no time.
CASES = """
import pytest
from benchmarks.plugin import RECORD
from benchmarks.results import Cell, Record
from fixtures.plugin import TELLER

@pytest.fixture
def told(case, workshop, request):
    print("what a case prints is pytest's")
    workshop.progress(f"{case}: begins")
    request.config.stash[TELLER].detail(f"{case}: a detail")

@pytest.mark.accuracy
def test_accuracy(told, case, request):
    request.node.stash[RECORD] = Record(case, (Cell("clean", 0, 10, 1),), details={"from_store": True})

@pytest.mark.robustness
def test_robustness(told, case, request):
    cells = tuple(Cell(case.corruption, severity, 10, 2) for severity in (1, 2, 3, 4, 5))
    request.node.stash[RECORD] = Record(case, cells)
"""

CONFTEST = """
import reporting.remaining

pytest_plugins = [
    "benchmarks.plugin",
    "fixtures.plugin",
    "reporting.scheduling",
    "reporting.sharding",
    "reporting.plugin",
    "reporting.foretelling",
]
reporting.remaining.FIRST = reporting.remaining.EVERY = 0
"""

TECHNIQUES = '["original", "int8", "pruned", "clustered"]'
SMALL = ("--set", f"compression.techniques={TECHNIQUES}", "--set", 'corruptions.names=["fog", "snow"]')
COUNT = 4 * 3

WORKERS = pytest.mark.parametrize("workers", ["-n0", "-n2"], ids=["alone", "workers"])

#: A line of progress as it stands in the output.
LINE = re.compile(r"\[ *\d+ s\] (.*)")

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return what runs a session with some options, each of them once for all tests of this module."""
    folder = tmp_path_factory.mktemp("session")
    for name, content in {"pytest.ini": "[pytest]", "conftest.py": CONFTEST, "test_cases.py": CASES}.items():
        (folder / name).write_text(content)
    command = [sys.executable, "-m", "pytest", "-p", "no:hypothesispytest", "-p", "no:cacheprovider", *SMALL]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment |= {"PYTHONPATH": str(ROOT), "TMPDIR": str(folder)}

    @cache
    def run(*options: str) -> subprocess.CompletedProcess[str]:
        finished = subprocess.run(
            [*command, *options],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert finished.returncode == 0, finished.stdout + finished.stderr
        assert [path for path in folder.iterdir() if path.name.startswith("robustlite-")] == []
        return finished

    return run


def told(finished: subprocess.CompletedProcess[str]) -> list[str]:
    return [match[1] for line in finished.stdout.splitlines() if (match := LINE.fullmatch(line))]


@WORKERS
def test_each_line_stands_by_itself_with_the_time(run: Run, workers: str) -> None:
    finished = run(workers)
    lines = [line for line in told(finished) if line.endswith(": begins")]
    assert len(set(lines)) == len(lines) == finished.stdout.count(": begins") == COUNT


@WORKERS
def test_pytests_own_line_stays_whole(run: Run, workers: str) -> None:
    """A letter a case, and at its right the part of the run that is over."""
    shown = [line for line in run(workers).stdout.splitlines() if not LINE.fullmatch(line)]
    assert any(re.fullmatch(r"(test_cases\.py )?\.* +\[100%\]", line) for line in shown)
    assert sum(len(match[1]) for line in shown if (match := re.match(r"(?:test\S+ )?(\.+)", line))) == COUNT


@WORKERS
@pytest.mark.parametrize("options", [(), ("-q",), ("-v",)], ids=["default", "quiet", "verbose"])
def test_a_file_gets_no_control_codes(run: Run, workers: str, options: tuple[str, ...]) -> None:
    finished = run(workers, *options)
    assert not {"\x1b", "\r", "\b"} & set(finished.stdout + finished.stderr)


@WORKERS
def test_on_a_terminal_with_colours_these_lines_have_none(run: Run, workers: str) -> None:
    finished = run(workers, "--color=yes")
    assert "\x1b" in finished.stdout
    assert len([line for line in told(finished) if line.endswith(": begins")]) == COUNT


@WORKERS
def test_a_quiet_session_tells_nothing(run: Run, workers: str) -> None:
    finished = run(workers, "-q")
    assert told(finished) == []
    assert "begins" not in finished.stdout + finished.stderr


@WORKERS
def test_details_are_told_to_a_verbose_session_alone(run: Run, workers: str) -> None:
    assert not any("detail" in line for line in told(run(workers)))
    assert len([line for line in told(run(workers, "-v")) if line.endswith(": a detail")]) == COUNT


@pytest.mark.parametrize("options", [("-p", "no:xdist"), ("-n0",), ("-n2",), ("-n2", "--dist=worksteal")])
def test_how_far_the_run_is_is_told_as_cases_end(run: Run, options: tuple[str, ...]) -> None:
    lines = [line for line in told(run(*options)) if "cases done" in line]
    counts = [int(line.partition(" ")[0]) for line in lines]
    assert counts == sorted(counts)
    assert counts[-1] == COUNT - 1
    assert all(re.fullmatch(rf"\d+ of {COUNT} cases done, about \d+ s left", line) for line in lines)


@WORKERS
def test_a_shard_counts_its_own_cases(run: Run, workers: str) -> None:
    lines = [line for line in told(run(workers, "--shard", "2/3")) if "cases done" in line]
    assert {line.split()[2] for line in lines} == {"3"}


def test_what_a_worker_says_is_written_before_its_report(run: Run) -> None:
    shown = run("-n2", "-v").stdout
    reports = re.findall(r"PASSED test_cases\.py::test_\w+\[(.*)\]", shown)
    assert len(reports) == COUNT
    for case in reports:
        assert shown.index(f"{case}: a detail") < re.search(rf"PASSED .*\[{case}\]", shown).start()


def test_a_worker_that_cannot_reach_the_controllers_file_tells_its_own_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _hand_on(tmp_path / "elsewhere" / "lines", "digits-vgg6-original: train")
    assert capsys.readouterr().err == "digits-vgg6-original: train\n"
