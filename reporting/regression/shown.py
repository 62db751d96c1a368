"""What people read of a comparison with a baseline: sentences, tables, files."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd

from reporting.contents import missing_sheets
from reporting.exit_codes import ExitCode
from reporting.files import write_text
from reporting.frames import CLEAN, VARIANT
from reporting.layout import Table, escape
from reporting.regression.comparing import VERDICTS, Compared
from reporting.report import TERMINAL_WIDTH
from reporting.statistics.verdicts import MISSING, NOT_ENOUGH_DATA, WORSE, Verdict
from reporting.tables import (
    ABSENT,
    WORST_CELLS,
    WORST_CELLS_PER_VARIANT,
    codes,
    figures,
    image_sets,
    number,
    titles,
)

_CORRECTIONS = {"bh": "Benjamini-Hochberg", "by": "Benjamini-Yekutieli"}

#: How the heading of a column says that there is not enough data.
_UNSURE = "unsure"

_OUTCOMES = {
    ExitCode.KEPT: "passed",
    ExitCode.BROKEN: "failed",
    ExitCode.UNKNOWN: "could not be decided",
    ExitCode.NOTHING_MEASURED: "could not be decided, because no cell was selected",
}


def worst_cells(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the cells that got worse most, regressions first, at most a few of each variant."""
    rose = cells[cells["difference"] > 0]
    rose = rose.assign(regression=rose["verdict"] == WORSE).sort_values(
        ["regression", "difference"], ascending=False, kind="stable"
    )
    return rose.groupby(VARIANT).head(WORST_CELLS_PER_VARIANT).head(WORST_CELLS).drop(columns="regression")


def sentences(compared: Compared) -> Iterator[str]:
    """Yield the verdict, and how to read it."""
    cells, variants = _counts(compared.cells), _counts(compared.variants)
    yield (
        f"The regression gate {_OUTCOMES[compared.exit_code]}: variants are {_listed(variants)}; cells are "
        f"{_listed(cells)}."
        if len(compared.cells)
        else f"The regression gate {_OUTCOMES[compared.exit_code]}."
    )
    current, baseline = compared.current, compared.baseline
    started = baseline.about.get("started")
    yield f"Baseline: suite {baseline.suite}" + (f", run of {started}." if started else ".")
    gate, level = current.gate, current.statistics.level
    yield (
        "A positive difference is worse. Worse: significant (exact McNemar on the same images, "
        f"{_CORRECTIONS[gate.correction]} over all cells, {100 * (1 - level):g} %) and no less than "
        f"{gate.least_effect:g} in points of error of a cell, or {gate.least_mce_effect:g} in points of mCE "
        f"of a variant. Same: a rise of that size is ruled out at {100 * level:g} %. mCE is here in % of the "
        "error of the baseline's original."
    )
    if variants[NOT_ENOUGH_DATA]:
        fails = "fails the gate (thresholds.strict)" if current.strict else "is a warning"
        yield f"Not enough data {fails}: more images (data.test_images) would tell."
    if variants[MISSING]:
        yield "What is missing never passes: see the table of what is missing."
    if compared.left_out:
        yield f"Left out: {compared.left_out} cells of the baseline that this run did not select."


def contents(compared: Compared) -> Iterator[Table]:
    """Yield the tables: variants, worst cells, what is missing."""
    yield from _variant_tables(compared.variants)
    worst = worst_cells(compared.cells)
    if len(worst):
        yield _worst_table(worst)
    gaps = compared.cells[compared.cells["verdict"] == MISSING]
    reasons = [
        rows[VARIANT].head(1).assign(metric="cells", reason=f"{reason}: {image_sets(rows)}")
        for (*_, reason), rows in gaps.groupby([*VARIANT, "reason"])
    ]
    if reasons:
        yield from (sheet.shown for sheet in missing_sheets(gaps.head(0), pd.concat(reasons)))


def render_terminal(compared: Compared) -> str:
    """Return the comparison as text for a terminal."""
    paragraphs = [textwrap.fill(sentence, TERMINAL_WIDTH) + "\n" for sentence in sentences(compared)]
    return "\n".join(paragraphs + [table.to_text() for table in contents(compared)])


def render_markdown(compared: Compared) -> str:
    """Return the comparison as a Markdown document."""
    paragraphs = [escape(sentence) + "\n" for sentence in sentences(compared)]
    tables = [table.to_markdown() for table in contents(compared)]
    return "\n".join(["# Compared with the baseline\n", *paragraphs, *tables])


def gate_files(out: Path) -> tuple[Path, Path]:
    """Return where the files of a comparison are in the folder ``out``."""
    return out / "gate.md", out / "gate.csv"


def write_comparison(compared: Compared, out: Path) -> list[Path]:
    """Write ``gate.md`` and ``gate.csv`` (every cell, unrounded) into ``out``, and return them."""
    markdown, csv = gate_files(out)
    return [
        write_text(markdown, render_markdown(compared)),
        write_text(csv, compared.cells.to_csv(index=False, lineterminator="\n")),
    ]


def _variant_tables(variants: pd.DataFrame) -> Iterator[Table]:
    for dataset, rows in variants.groupby("dataset", sort=False):
        shown = {
            "Model": rows["model"],
            "#": codes(rows["technique"]),
            "Technique": titles(rows["technique"]),
            "Verdict": rows["verdict"],
            "mCE\nrise": figures(rows["mce_difference"], 2),
            "mCE\nfrom": figures(rows["mce_low"], 2),
            "mCE\nto": figures(rows["mce_high"], 2),
        }
        shown |= {f"cells\n{_short(verdict)}": rows[verdict].astype("str") for verdict in VERDICTS}
        yield Table(
            f"{dataset}: every variant beside the baseline",
            pd.DataFrame(shown),
            words=4,
            note=f"{_UNSURE}: not enough data.",
        )


def _worst_table(worst: pd.DataFrame) -> Table:
    shown = {
        "Variant": [
            f"{row['dataset']}-{row['model']} {number(row['technique'])}" for row in worst.to_dict("records")
        ],
        "Corruption": worst["corruption"],
        "Severity": worst["severity"].astype("str").where(worst["corruption"] != CLEAN, ABSENT),
        "Verdict": worst["verdict"],
        "Rise": figures(100 * worst["difference"], 2),
        "From": figures(100 * worst["low"], 2),
        "To": figures(100 * worst["high"], 2),
        "p": [f"{p:.2g}" for p in worst["p_adjusted"]],
        "Mended": worst["only_baseline"].astype("str"),
        "Broken": worst["only_current"].astype("str"),
    }
    return Table(
        "Worst cells: rise of the error in points",
        pd.DataFrame(shown),
        words=4,
        note="p is corrected over all cells; mended images were wrong in the baseline alone, broken ones in "
        "this run alone.",
    )


def _counts(table: pd.DataFrame) -> dict[str, int]:
    return {verdict: int((table["verdict"] == verdict).sum()) for verdict in VERDICTS}


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)


def _short(verdict: Verdict) -> str:
    """Return a verdict in few letters, for the heading of a column."""
    return _UNSURE if verdict == NOT_ENOUGH_DATA else verdict
