"""``python -m reporting`` rebuilds reports from recorded results."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reporting.__main__ import main
from reporting.metrics import STANDARD_CORRUPTIONS

FILES = ["latency.csv", "pareto.png", "pareto.svg", "results.csv", "summary.csv", "summary.md"]


@pytest.fixture
def recorded(tmp_path: Path) -> tuple[Path, Path]:
    """An errors file and a sizes file."""
    rows = [
        f"d,m,{code},{name},{severity},{error}"
        for code, error in ((1, 0.2), (3, 0.25), (16, 0.15))
        for name, severity in [("clean", 0), *((name, 1) for name in STANDARD_CORRUPTIONS)]
    ]
    errors, sizes = tmp_path / "errors.csv", tmp_path / "sizes.csv"
    errors.write_text("\n".join(["dataset,model,technique,corruption,severity,error", *rows]))
    sizes.write_text("dataset,model,technique,zipped_bytes\nd,m,1,900\nd,m,3,600\nd,m,16,100\n")
    return errors, sizes


def squeezed(text: str) -> str:
    """Return ``text`` without the padding of its columns."""
    return re.sub(" +", " ", text)


def build(*arguments: object) -> int:
    return main(["build", *map(str, arguments)])


def test_build_shows_the_report_and_lists_its_files(recorded, tmp_path: Path, capsys) -> None:
    errors, sizes = recorded
    assert build(errors, "--sizes", sizes, "--out", tmp_path / "out") == 0
    shown = squeezed(capsys.readouterr().out)
    assert "16 PCQAT + Int8 75.0 9.00 85.00" in shown
    assert [str(tmp_path / "out" / name) in shown for name in FILES] == [True] * len(FILES)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == FILES


def test_a_report_can_be_rebuilt_from_its_own_files(recorded, tmp_path: Path) -> None:
    errors, sizes = recorded
    latency = tmp_path / "latency.csv"
    latency.write_text("dataset,model,technique,median_s,p90_s\nd,m,1,0.5,0.6\n")
    once, again = tmp_path / "once", tmp_path / "again"
    build(errors, "--sizes", sizes, "--latency", latency, "--out", once)
    build(
        once / "results.csv",
        "--sizes",
        once / "summary.csv",
        "--latency",
        once / "latency.csv",
        "--out",
        again,
    )
    assert [(once / name).read_bytes() for name in FILES] == [(again / name).read_bytes() for name in FILES]


def test_without_sizes_there_is_no_ratio_and_no_front(recorded, tmp_path: Path, capsys) -> None:
    assert build(recorded[0], "--out", tmp_path / "out") == 0
    shown = squeezed(capsys.readouterr().out)
    assert "16 PCQAT + Int8 75.0 – 85.00" in shown
    assert "Pareto-optimal" not in shown
    assert "d-m #1, 3, 16 compression ratio its size was not recorded" in shown


def test_the_convention_is_the_readers_choice(recorded, tmp_path: Path, capsys) -> None:
    build(recorded[0], "--out", tmp_path / "out", "--convention", "rounded")
    assert "rounded to an integer" in squeezed(capsys.readouterr().out)


def test_a_gap_in_recorded_results_is_reported(recorded, tmp_path: Path, capsys) -> None:
    errors, _ = recorded
    errors.write_text("\n".join(line for line in errors.read_text().splitlines() if "m,3,fog" not in line))
    build(errors, "--out", tmp_path / "out")
    assert "d-m #3 cells not recorded: fog 1" in squeezed(capsys.readouterr().out)


def test_wrong_input_ends_with_a_message_before_anything_is_written(tmp_path: Path, capsys) -> None:
    errors = tmp_path / "errors.csv"
    errors.write_text("dataset,model\n")
    assert build(errors, "--out", tmp_path / "out") == 2
    assert "expected the columns dataset, model, technique, corruption" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_file_that_is_not_there_is_named(tmp_path: Path, capsys) -> None:
    assert build(tmp_path / "none.csv", "--out", tmp_path / "out") == 2
    assert "none.csv" in capsys.readouterr().err


def test_help_shows_what_a_file_looks_like(capsys) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["build", "--help"])
    assert "cifar10,resnet50,1,clean,0,0.1158" in squeezed(capsys.readouterr().out)
