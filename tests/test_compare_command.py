"""``python -m reporting compare`` gives a verdict from files alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_comparing import INT8, run_of

from reporting.__main__ import main
from reporting.regression.baseline import write_baseline


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    """A baseline, and a run that is less than a point worse in one variant."""
    runs = {"before": run_of(), "after": run_of(worse=[INT8], by=0.007)}
    before, after = (str(write_baseline(run, tmp_path / name)) for name, run in runs.items())
    return before, after


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], 0),
        (["--least-effect", "0.5", "--level", "0.5"], 1),
        (["--least-effect", "0.5", "--level", "0.5", "--correction", "by"], 1),
        (["--least-effect", "5"], 0),
    ],
)
def test_options_change_what_the_suite_says(files, options: list[str], expected: int) -> None:
    assert main(["compare", *files, *options]) == expected


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--least-effect", "0"], "--least-effect: expected greater than 0, got 0.0"),
        (["--least-effect", "nan"], "--least-effect: expected"),
        (["--level", "95"], "--level: expected less than 1, got 95"),
    ],
)
def test_an_option_without_sense_is_named(files, capsys, options: list[str], message: str) -> None:
    assert main(["compare", *files, *options]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe", b'{"header":{}}\n'])
def test_a_file_that_cannot_be_read_is_wrong_input(
    files, tmp_path: Path, capsys, content: bytes | None
) -> None:
    other = tmp_path / "other"
    if content is not None:
        other.write_bytes(content)
    assert main(["compare", files[0], str(other)]) == 2
    assert str(other) in capsys.readouterr().err


def test_runs_on_other_images_are_wrong_input(files, tmp_path: Path, capsys) -> None:
    other = write_baseline(run_of(seed=2), tmp_path / "other")
    assert main(["compare", files[0], str(other)]) == 2
    assert "the seed is 2 in this run and 1 in the baseline" in capsys.readouterr().err


def test_files_are_written_where_they_are_asked_for(files, tmp_path: Path, capsys) -> None:
    main(["compare", *files, "--out", str(tmp_path / "out")])
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["gate.csv", "gate.md"]
    assert "gate.{md,csv}" in capsys.readouterr().out


def test_help_says_what_the_exit_codes_mean(capsys) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["compare", "--help"])
    assert "1  something is worse than the baseline" in capsys.readouterr().out
