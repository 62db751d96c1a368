"""The tables of a report are files too: CSV with its figures, Markdown and LaTeX with what people read."""

from __future__ import annotations

import re
import shutil
import subprocess
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_reports import whole_report
from test_reporting_report import report_of, run, sequential, undecided

from reporting import contents
from reporting.gate import Check
from reporting.journal import Entry
from reporting.layout import Table
from reporting.report import Report, write_report
from reporting.sheets import KINDS, Sheet, distinct, file_name, write_sheets


def everything() -> Report:
    """A report with a sheet of every kind but of a sequential evaluation."""
    check = Check("ce_max", "thresholds", 125, 137.5, 130, None, "broken")
    others = (
        Entry("d-m-int8-fog", "failed", "above its limit", None, (check,)),
        Entry("d-m-qat-clean", "error", "RuntimeError: no model"),
        *undecided(2),
    )
    records = [record for record in run() if record.case.corruption != "fog"]
    return report_of(records, [record.case for record in run()], others)


def figures_of(report: Report, name: str) -> pd.DataFrame:
    """Return what the CSV file of a sheet holds."""
    [sheet] = [sheet for sheet in report.sheets() if sheet.name == name]
    return pd.read_csv(StringIO(dict(sheet.files())[f"{name}.csv"]))


def sheet(name: str) -> Sheet:
    return Sheet(name, pd.DataFrame({"a": [0.123456789]}), Table(name, pd.DataFrame({"A": ["0.12"]})))


def test_every_table_of_a_report_is_written_in_every_kind(tmp_path: Path) -> None:
    report = report_of(run(models=("a", "b")))
    written = write_report(report, tmp_path)
    names = ["corruption-errors-d-a", "corruption-errors-d-b", "latency-d", "pareto-d", "summary-d"]
    expected = sorted(f"{name}.{kind}" for name in [*names, "worst-cells"] for kind in KINDS)
    assert sorted(path.name for path in (tmp_path / "tables").iterdir()) == expected
    assert {tmp_path / "tables" / name for name in expected} <= set(written)


def test_names_begin_with_a_stem_that_is_known() -> None:
    sequentially = report_of([*run(("snow",)), sequential("below")])
    names = {sheet.name for report in (everything(), sequentially) for sheet in report.sheets()}
    stems = {stem for stem in contents.STEMS for name in names if f"{name}-".startswith(f"{stem}-")}
    assert stems == set(contents.STEMS) - {"pareto"}  # for which an mCE is missing
    assert all(any(f"{name}-".startswith(f"{stem}-") for stem in contents.STEMS) for name in names)


def test_a_summary_is_whole_in_its_file_however_many_models_it_has() -> None:
    report = report_of(run(models=tuple("abcdefg")))
    [summary] = [sheet for sheet in report.sheets() if sheet.name == "summary-d"]
    assert [column for column in summary.shown.rows if column.endswith("mCE")] == [
        f"{model}\nmCE" for model in "abcdefg"
    ]
    shown = [table for table in report.contents(brief=True) if table.title == summary.shown.title]
    assert len(shown) == 3


def test_figures_of_a_summary_are_not_rounded() -> None:
    figures = figures_of(report_of(run()), "summary-d").set_index("technique")
    assert figures.loc["int8", "mce"] == pytest.approx(115)
    assert figures.loc["pqat_int8", "mce"] == pytest.approx(87.5, abs=1e-9)
    assert figures.loc["int8", "accuracy"] == 0.87


def test_corruption_errors_have_a_column_per_technique() -> None:
    figures = figures_of(report_of(run()), "corruption-errors-d-m").set_index("corruption")
    assert list(figures.columns) == ["original", "int8", "pqat_int8"]
    assert figures.loc["fog"].to_list() == pytest.approx([100, 115, 87.5])


def test_latencies_are_in_seconds_in_the_order_of_the_techniques() -> None:
    figures = figures_of(report_of(run()), "latency-d")
    assert figures["technique"].to_list() == ["original", "int8", "pqat_int8"]
    assert figures["median_s"].to_list() == [0.0123] * 3


def test_what_was_held_against_a_threshold_is_there_in_figures() -> None:
    [failed] = figures_of(everything(), "failed-ce_max").to_dict("records")
    assert failed["case"] == "d-m-int8-fog"
    assert (failed["limit"], failed["value"], failed["excess"]) == (125, 137.5, 12.5)
    assert pd.isna(failed["high"])
    assert len(figures_of(everything(), "undecided-ce_max")) == 2


def test_every_case_without_a_figure_has_a_row_with_its_reason() -> None:
    assert figures_of(everything(), "failed").to_numpy().tolist() == [
        ["d-m-qat-clean", "RuntimeError: no model"]
    ]


def test_what_is_missing_has_a_row_per_variant() -> None:
    missing = figures_of(everything(), "missing")
    assert missing[missing["metric"] == "cells"]["technique"].to_list() == ["int8", "original", "pqat_int8"]


def test_how_many_images_were_looked_at_is_counted() -> None:
    report = report_of([*run(("snow",)), sequential("below")])
    [row] = figures_of(report, "images-looked-at-d-m").to_dict("records")
    assert (row["technique"], row["looked_at"], row["of"]) == ("int8", 50, 200)


def test_what_an_earlier_run_left_is_removed_and_what_somebody_put_there_stays(tmp_path: Path) -> None:
    write_sheets([sheet("summary-a"), sheet("missing")], tmp_path, contents.STEMS)
    for name in ("mine.tex", "summary-a.txt", "summaries.csv"):
        (tmp_path / name).write_text("mine")
    written = write_sheets([sheet("summary-b")], tmp_path, contents.STEMS)
    assert {path.name for path in tmp_path.iterdir()} == {
        *(path.name for path in written),
        *("mine.tex", "summary-a.txt", "summaries.csv"),
    }


def test_sheets_of_the_same_name_are_numbered(tmp_path: Path) -> None:
    write_sheets([sheet("failed-x"), sheet("failed-X"), sheet("failed-x")], tmp_path, ["failed"])
    assert sorted(path.name for path in tmp_path.glob("*.csv")) == [
        *("failed-X-2.csv", "failed-x-3.csv", "failed-x.csv"),
    ]
    assert r"\label{tab:failed-x-3}" in (tmp_path / "failed-x-3.tex").read_text()


@given(st.lists(st.sampled_from(["a", "A", "a-2", "b"])))
def test_distinct_names_are_distinct(names: list[str]) -> None:
    assert len({name.lower() for name in distinct(names)}) == len(names)


@given(st.text(), st.text())
def test_a_name_is_one_file_in_its_folder(dataset: str, model: str) -> None:
    name = file_name("summary", dataset, model)
    assert Path("tables", f"{name}.csv").parent == Path("tables")
    assert name.isascii()
    assert len(name) <= 200


def test_names_from_a_file_do_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    records = run(models=("../../x",))
    write_report(report_of(records), tmp_path / "a/b")
    assert (tmp_path / "a/b/tables/corruption-errors-d-.._.._x.csv").exists()
    assert {path.name for path in tmp_path.iterdir()} == {"a"}


@pytest.mark.skipif(
    not shutil.which("pdflatex"), reason="needs pdflatex: apt-get install texlive-latex-recommended"
)
def test_tables_are_typeset_by_latex_and_fit_the_columns_of_a_paper(tmp_path: Path) -> None:
    sheets = [*everything().sheets(), *whole_report().sheets()]
    files = [file for sheet in sheets for file in sheet.files() if file[0].endswith(".tex")]
    names = [f"{number}.tex" for number in range(len(files))]
    for name, (_, content) in zip(names, files, strict=True):
        (tmp_path / name).write_text(content)
    (tmp_path / "paper.tex").write_text(
        "\\documentclass[twocolumn]{article}\\usepackage{booktabs}\n"
        "\\setlength{\\columnsep}{10pt}\\setlength{\\textwidth}{516pt}\n"  # as in journals of the IEEE
        "\\begin{document}\n"
        + "".join(f"\\input{{{name}}}\\clearpage\n" for name in names)
        + "\\end{document}\n"
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "paper.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    wide = re.findall(r"Overfull \\hbox \((.*?) too wide", done.stdout)
    assert not wide, [files[int(number)][0] for number in re.findall(r"(\d+)\.tex\s+Overfull", done.stdout)]
