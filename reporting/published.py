"""A run beside published results: the figures of both, their differences, and whether they rank alike."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from reporting.files import write_text
from reporting.frames import VARIANT
from reporting.layout import Table, escape
from reporting.metrics import BASELINE
from reporting.paper.measured import SHOWN
from reporting.recorded import InputError
from reporting.report import TERMINAL_WIDTH, Report
from reporting.tables import ABSENT, codes, figures, in_order, numbers, runs, titles

#: Fewer compressed techniques than these have no order to speak of.
_LEAST_RANKED = 3


@dataclass(frozen=True, eq=False)
class Comparison:
    """A run and published results, each as a report, compared where they have a variant in common.

    A difference is the run's figure less the published one.
    """

    run: Report
    published: Report

    @cached_property
    def variants(self) -> pd.DataFrame:
        """A row per common variant.

        Columns: dataset, model, code, technique, and for each objective the run's figure (``mce``), the
        published one (``mce_published``) and their difference (``mce_difference``).
        """
        theirs = self.published.summary[[*VARIANT, *SHOWN]]
        both = self.run.summary.merge(theirs, on=VARIANT, suffixes=("", "_published"))
        return _with_differences(both)[["dataset", "model", "code", "technique", *_columns()]]

    @cached_property
    def means(self) -> pd.DataFrame:
        """The same by technique: means over the common models, if there are several and all have the figure.

        Columns: dataset, technique, and those of :attr:`variants` for the objectives.
        """
        rows = []
        for dataset, of_dataset in self.variants.groupby("dataset"):
            models = of_dataset["model"].nunique()
            for technique in in_order(of_dataset["technique"]) if models > 1 else []:
                own = of_dataset[of_dataset["technique"] == technique]
                row: dict[str, Any] = {"dataset": dataset, "technique": technique}
                for name in SHOWN:
                    known = own[[name, f"{name}_published"]].dropna().astype("float64")
                    if len(known) == models:
                        row[name], row[f"{name}_published"] = known.mean()
                rows.append(row)
        return _with_differences(pd.DataFrame(rows, columns=["dataset", "technique", *_columns()]))

    @cached_property
    def without_counterpart(self) -> pd.DataFrame:
        """The variants of only one side: dataset, model, technique, side (``"run"`` or ``"published"``)."""
        sides = {"run": self.run.summary, "published": self.published.summary}
        every = pd.concat([summary[VARIANT].assign(side=side) for side, summary in sides.items()])
        return every.drop_duplicates(VARIANT, keep=False).reset_index(drop=True)

    @cached_property
    def rank_correlations(self) -> pd.DataFrame:
        """Spearman's correlation over the compressed techniques of each model: dataset, model, objectives."""
        compressed = self.variants[self.variants["technique"] != BASELINE]
        rows = [
            {"dataset": dataset, "model": model}
            | {name: _spearman(rows[name], rows[f"{name}_published"]) for name in SHOWN}
            for (dataset, model), rows in compressed.groupby(["dataset", "model"])
        ]
        return pd.DataFrame(rows, columns=["dataset", "model", *SHOWN])

    def contents(self) -> Iterator[Table]:
        """Yield the tables: each model, the means, the agreement in rank, what has no counterpart."""
        for (dataset, model), rows in self.variants.groupby(["dataset", "model"]):
            yield _side_by_side(f"{dataset}, {model}: the run beside the published results", rows)
        for dataset, rows in self.means.groupby("dataset"):
            models = self.variants.loc[self.variants["dataset"] == dataset, "model"].unique()
            yield _side_by_side(": means over ".join([str(dataset), ", ".join(models)]), rows)
        if len(self.rank_correlations):
            yield self._ranks()
        if len(self.without_counterpart):
            yield self._unmatched()

    def _ranks(self) -> Table:
        ranks = self.rank_correlations
        shown: dict[str, Any] = {"Data set": ranks["dataset"], "Model": ranks["model"]}
        shown |= {name: figures(ranks[of], 2) for of, (name, _, _) in SHOWN.items()}
        title = "Agreement in rank: Spearman's correlation over the compressed techniques"
        return Table(title, pd.DataFrame(shown), words=2)

    def _unmatched(self) -> Table:
        groups = self.without_counterpart.groupby(["side", "dataset", "model"], sort=False)
        shown = [
            {
                "Of": f"{dataset}-{model} {numbers(rows['technique'])}",
                "Only in": "the run" if side == "run" else "the published results",
            }
            for (side, dataset, model), rows in groups
        ]
        return Table("Without counterpart", pd.DataFrame(shown), words=2)

    def sentences(self) -> Iterator[str]:
        """Yield how to read the figures, and on which side of mCE 100 each technique is."""
        yield (
            "Acc is accuracy in %, mCE is in % of the original's error, CR is the compression ratio; a "
            "difference is the run's figure less the published one, before rounding."
        )
        yield from self._circumstances()
        for (dataset, model), rows in self.variants.groupby(["dataset", "model"]):
            known = rows[rows["technique"] != BASELINE].dropna(subset=["mce", "mce_published"])
            ours, theirs = known["mce"] <= 100, known["mce_published"] <= 100
            sides = {
                "in both": ours & theirs,
                "in the run alone": ours & ~theirs,
                "in the published results alone": ~ours & theirs,
                "in neither": ~ours & ~theirs,
            }
            found = [
                f"of {numbers(known.loc[at, 'technique'])} {where}" for where, at in sides.items() if at.any()
            ]
            if found:
                yield f"{dataset}, {model}: mCE is 100 or less {', '.join(found)}."

    def _circumstances(self) -> Iterator[str]:
        """Yield what of the conditions of measurement is known to differ, and how much was measured."""
        if self.run.convention == "rounded":
            yield "Each CE is rounded to an integer before it is averaged, on both sides."
        images = self.run.cells["images"].dropna().unique()
        if len(images):
            yield f"The run measured {runs(images)} images a cell."
        for dataset in self.variants["dataset"].unique():
            ours, theirs = (_severities(report.cells, dataset) for report in (self.run, self.published))
            if ours != theirs:
                yield (
                    f"{dataset}: the run measured severities {ours or ABSENT}, the published results have "
                    f"{theirs or ABSENT}, so their mCEs are of different images."
                )


def compare(run: Report, published: Report) -> Comparison:
    """Return the comparison; raises :class:`InputError` when there is no variant in common."""
    comparison = Comparison(run, published)
    if comparison.variants.empty:
        ours, theirs = (_models(report.summary) for report in (run, published))
        raise InputError(
            f"expected variants that the run and the published results have in common, got {ours} in the run "
            f"and {theirs} in the published results; try the same names of data sets and models in both"
        )
    return comparison


def render_terminal(comparison: Comparison) -> str:
    """Return the comparison as text for a terminal."""
    paragraphs = [textwrap.fill(sentence, TERMINAL_WIDTH) + "\n" for sentence in comparison.sentences()]
    return "\n".join(paragraphs + [table.to_text() for table in comparison.contents()])


def render_markdown(comparison: Comparison) -> str:
    """Return the comparison as a Markdown document."""
    paragraphs = [escape(sentence) + "\n" for sentence in comparison.sentences()]
    tables = [table.to_markdown() for table in comparison.contents()]
    return "\n".join(["# The run beside the published results\n", *paragraphs, *tables])


def write_comparison(comparison: Comparison, out: Path) -> list[Path]:
    """Write ``comparison.md`` and ``comparison.csv`` (every variant, unrounded) into ``out``; return them."""
    csv = comparison.variants.to_csv(index=False, lineterminator="\n")
    return [
        write_text(out / "comparison.md", render_markdown(comparison)),
        write_text(out / "comparison.csv", csv),
    ]


def _columns() -> list[str]:
    return [name + what for name in SHOWN for what in ("", "_published", "_difference")]


def _with_differences(both: pd.DataFrame) -> pd.DataFrame:
    return both.assign(**{f"{name}_difference": both[name] - both[f"{name}_published"] for name in SHOWN})


def _spearman(ours: pd.Series[float], theirs: pd.Series[float]) -> float:
    """Return the rank correlation of what is known on both sides, ``NaN`` where it is not defined."""
    from scipy.stats import spearmanr  # noqa: PLC0415 - half a second

    # Rounded, so that floating point does not put equal figures in an order.
    both = pd.concat([ours, theirs], axis=1).dropna().astype("float64").round(9)
    if len(both) < _LEAST_RANKED or (both.nunique() < 2).any():
        return float("nan")
    return float(spearmanr(both).statistic)


def _side_by_side(title: str, rows: pd.DataFrame) -> Table:
    """Return a row per technique: of each objective the run's figure, the published one, the difference."""
    shown: dict[str, Any] = {"#": codes(rows["technique"]), "Technique": titles(rows["technique"])}
    for objective, (name, factor, decimals) in SHOWN.items():
        shown[f"{name}\nrun"] = figures(factor * rows[objective], decimals)
        shown[f"{name}\npub."] = figures(factor * rows[f"{objective}_published"], decimals)
        differences = factor * rows[f"{objective}_difference"]
        shown[f"{name}\ndiff."] = [_signed(difference, decimals) for difference in differences]
    return Table(title, pd.DataFrame(shown), words=2)


def _signed(value: float, decimals: int) -> str:
    if pd.isna(value):
        return ABSENT
    text = f"{value:+.{decimals}f}"
    return text if float(text) else text[1:]  # nothing has no sign


def _severities(cells: pd.DataFrame, dataset: str) -> str:
    corrupted = cells[(cells["dataset"] == dataset) & (cells["severity"] > 0)]
    return runs(corrupted["severity"].unique())


def _models(summary: pd.DataFrame) -> str:
    names = summary[["dataset", "model"]].drop_duplicates().agg("-".join, axis=1)
    return ", ".join(names) or "nothing"
