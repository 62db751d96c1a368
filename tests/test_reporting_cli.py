"""``python -m reporting`` rebuilds reports from recorded results."""

from __future__ import annotations

import csv
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from made_runs import entries_of, header_of, record_of

from benchmarks.cases import STANDARD_CORRUPTIONS, Case, Variant
from reporting.__main__ import COMMANDS, main
from reporting.commands.command import Command, parser_of
from reporting.journal import write_journal

FILES = [
    *("bencher.json", "github-bigger.json", "github-smaller.json"),
    *("index.html", "latency.csv", "pareto.png", "pareto.svg", "results.csv", "summary.csv", "summary.md"),
]
TABLES = ["2-techniques", "4-originals", "5-extremes", "6-per-technique"]
FIGURES = ["2-techniques", "3-pareto"]


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
    """Return ``text`` without the padding of its columns, and with each of their entries on one line."""
    return re.sub(r"(\w)\n {6,}|[ ]+", r"\1 ", text)


def build(*arguments: object) -> int:
    return main(["build", *map(str, arguments)])


def test_build_shows_the_report_and_lists_its_files(recorded, tmp_path: Path, capsys) -> None:
    errors, sizes = recorded
    assert build(errors, "--sizes", sizes, "--out", tmp_path / "out") == 0
    shown = squeezed(capsys.readouterr().out)
    assert "16 PCQAT + Int8 75.0 9.00 85.00" in shown
    assert (
        f"{tmp_path / 'out'}: index.html, results.csv, summary.{{csv,md}}, latency.csv, pareto.{{png,svg}}"
        in shown
    )
    assert sorted(path.name for path in (tmp_path / "out").iterdir() if path.is_file()) == FILES


def test_build_makes_the_papers_tables_and_figures_that_are_recorded(recorded, tmp_path: Path) -> None:
    errors, sizes = recorded
    build(errors, "--sizes", sizes, "--out", tmp_path / "out")
    names = [f"table-{name}.{kind}" for name in TABLES for kind in ("csv", "md", "tex")]
    names += [f"figure-{name}.{kind}" for name in FIGURES for kind in ("png", "svg", "pdf")]
    assert sorted(path.name for path in (tmp_path / "out/paper").iterdir()) == sorted(names)


def test_build_takes_a_suite_for_its_hyperparameters(recorded, tmp_path: Path, capsys) -> None:
    assert build(recorded[0], "--suite", "quick", "--out", tmp_path / "out") == 0
    assert "hyperparameters" not in capsys.readouterr().out.partition("Written")[0]
    assert "learning rate" in (tmp_path / "out/paper/table-3-hyperparameters.md").read_text()


def test_a_suite_need_not_be_of_known_names(recorded, tmp_path: Path) -> None:
    suite = tmp_path / "own.toml"
    quick = (Path(__file__).resolve().parents[1] / "benchmarks/suites/quick.toml").read_text()
    suite.write_text(quick.replace('"vgg6"', '"my_network"').replace('"digits"', '"my_images"'))
    assert build(recorded[0], "--suite", suite, "--out", tmp_path / "out") == 0
    assert "my_network" in (tmp_path / "out/paper/table-3-hyperparameters.csv").read_text()


def test_a_suite_that_cannot_be_read_ends_with_a_message(recorded, tmp_path: Path, capsys) -> None:
    assert build(recorded[0], "--suite", tmp_path / "none.toml", "--out", tmp_path / "out") == 2
    assert "none.toml" in capsys.readouterr().err


def test_the_papers_protocol_rounds_unless_it_is_told_otherwise(recorded, tmp_path: Path, capsys) -> None:
    suite = tmp_path / "paper.toml"
    quick = (Path(__file__).resolve().parents[1] / "benchmarks/suites/quick.toml").read_text()
    suite.write_text('protocol = "paper"\n' + quick)
    build(recorded[0], "--suite", suite, "--out", tmp_path / "out")
    assert "rounded to an integer" in squeezed(capsys.readouterr().out)
    build(recorded[0], "--suite", suite, "--out", tmp_path / "out", "--convention", "unrounded")
    assert "rounded to an integer" not in squeezed(capsys.readouterr().out)


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


def test_help_begins_with_the_one_file_to_open(capsys) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["build", "--help"])
    shown = capsys.readouterr().out
    files = shown[shown.index("write it as files:") :]
    assert files.split("\n", 2)[2].startswith("  index.html ")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_is_listed_and_has_examples_that_are_valid(command: Command, capsys) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    assert f"{command.name} {command.help}" in squeezed(capsys.readouterr().out)
    calls = re.findall(r"^  python -m reporting (.*)$", command.epilog, re.M)
    assert calls
    parser = parser_of(COMMANDS, None)
    for call in calls:
        assert parser.parse_args(shlex.split(call)).run is command.run


# From the records of a run


@pytest.fixture
def journalled(tmp_path: Path) -> Path:
    """The folder of a report with the records of a run."""
    case = Case(Variant("d", "m", "original"), "accuracy")
    record = record_of(case, np.arange(50)[None] < 10)
    write_journal(tmp_path / "run", header_of([case], (1,)), entries_of([record]))
    return tmp_path / "run"


@pytest.mark.parametrize("name", ["", "records.jsonl"], ids=["folder", "file"])
def test_build_takes_a_run_and_gives_its_whole_report(
    journalled: Path, name: str, tmp_path: Path, capsys
) -> None:
    assert build(journalled / name, "--out", tmp_path / "out") == 0
    shown = capsys.readouterr().out
    assert "Protocol: sound." in shown
    assert "Selected: 1 of the suite's" in squeezed(shown.replace("\n", " "))
    (row,) = csv.DictReader((tmp_path / "out/results.csv").read_text().splitlines())
    assert float(row["error_low"]) < float(row["error"]) == 0.2 < float(row["error_high"])


def test_build_refuses_tables_beside_a_run(journalled: Path, tmp_path: Path, capsys) -> None:
    assert build(journalled, "--sizes", "sizes.csv", "--out", tmp_path / "out") == 2
    assert f"expected no --sizes beside {journalled}" in capsys.readouterr().err


def test_build_names_a_folder_without_records(tmp_path: Path, capsys) -> None:
    assert build(tmp_path, "--out", tmp_path / "out") == 2
    assert str(tmp_path / "records.jsonl") in capsys.readouterr().err
