"""A user's own corruption, one function in the suite's module, is a corruption like any other."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest
from test_end_to_end import ROOT, SUITE

from benchmarks.sections import Known
from benchmarks.suite import SuiteError, import_suite_module, load_suite
from fixtures.known import known_names

MODULE = """
from fixtures.corruptions import register

@register("dead_columns", "noise")
def dead_columns(images, severity, rng):
    changed = images.copy()
    changed[:, :, rng.integers(0, images.shape[2], 4 * severity)] = 0
    return changed
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    (tmp_path / "own.py").write_text(MODULE)
    path = tmp_path / "own.toml"
    path.write_text('module = "own.py"\n' + SUITE.replace('["fog", "contrast"]', '["dead_columns"]'))
    return path


def test_it_is_measured_marked_and_reported(suite: Path, tmp_path: Path) -> None:
    finished = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "benchmarks", "-n", "2", "-p", "no:cacheprovider"),
            *("--suite", str(suite), "--artifacts", str(tmp_path / "a"), "--report", str(tmp_path / "r")),
            *("-m", "dead_columns and noise and (technique-original or technique-int8)"),
        ],
        cwd=ROOT,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    with (tmp_path / "r" / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {(row["technique"], row["corruption"], row["severity"]) for row in rows} == {
        (technique, "dead_columns", severity) for technique in ("original", "int8") for severity in "15"
    }
    assert "dead_columns" in (tmp_path / "r" / "summary.md").read_text()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("raise RuntimeError('broken')", "RuntimeError: broken"),
        ("def (", "SyntaxError"),
        (None, "FileNotFoundError"),
    ],
)
def test_a_module_that_cannot_be_imported_is_one_clear_error(tmp_path: Path, content, told: str) -> None:
    if content is not None:
        (tmp_path / "own.py").write_text(content)
    path = tmp_path / "own.toml"
    path.write_text('module = "own.py"\n' + SUITE)
    with pytest.raises(SuiteError, match=told):
        load_suite(str(path), known_names())


def test_a_module_is_imported_once_in_a_process(tmp_path: Path) -> None:
    (tmp_path / "once.py").write_text(
        "from pathlib import Path\nPath(__file__).with_suffix('.n').open('a').write('x')\n"
    )
    for _ in range(2):
        import_suite_module(str(tmp_path / "once.py"))
    assert (tmp_path / "once.n").read_text() == "x"


def test_without_its_module_the_corruption_is_unknown(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(SUITE.replace('["fog", "contrast"]', '["dead_columns_unknown"]'))
    with pytest.raises(SuiteError, match="expected a known corruption"):
        load_suite(str(path), Known(["digits"], ["vgg6"], {"fog": "weather"}))
