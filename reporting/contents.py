"""What a report shows in tables: the figures as they are, and as people read them.

Every function takes the tables of :mod:`reporting.frames` or a report's summary and yields as many sheets as
there is something to say, so none where there is nothing.  Fractions are shown in per cent; ``–`` stands for
a figure that is absent, and ``±`` is the larger side of a figure's interval.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace

import pandas as pd

from reporting.frames import CLEAN, LATENCY, VARIANT
from reporting.layout import Table
from reporting.metrics import error_rises
from reporting.sheets import Sheet, file_name
from reporting.tables import (
    ABSENT,
    WORST_CELLS,
    WORST_CELLS_PER_VARIANT,
    Failure,
    Held,
    codes,
    digits,
    figures,
    image_sets,
    in_order,
    margins,
    number,
    numbers,
    titles,
)

#: How the names of a report's sheets begin; what follows says of what they are.
STEMS = (
    *("summary", "pareto", "corruption-errors", "worst-cells", "images-looked-at", "latency"),
    *("failed", "undecided", "missing"),
)

#: More models than these do not fit beside each other in a terminal of 120 columns.
MODELS_PER_TABLE, MODELS_WITHOUT_INTERVALS = 2, 3

#: How many undecided cases of a threshold are shown in brief.
UNDECIDED_SHOWN = 5

#: What is told of a figure that was held against a threshold.
_HELD = ["case", "threshold", "rule", "limit", "value", "low", "high", "excess"]


def summary_sheets(summary: pd.DataFrame) -> Iterator[Sheet]:
    """Yield mCE, compression ratio and accuracy by data set: a row per technique, three columns a model."""
    shown = summary[VARIANT].assign(
        mCE=margins(summary, "mce", 1),
        CR=figures(summary["compression_ratio"], 2),
        Acc=margins(summary, "accuracy", 2, 100),
    )
    yield from beside_each_other("summary", summary, shown, "mCE, compression ratio (CR) and accuracy in %")


def latency_sheets(latency: pd.DataFrame) -> Iterator[Sheet]:
    """Yield the time of one inference: a row per technique, two columns per model."""
    order = {name: place for place, name in enumerate(in_order(latency["technique"]))}
    latency = latency[list(LATENCY)].sort_values(
        VARIANT, key=lambda column: column.map(order) if column.name == "technique" else column
    )
    shown = latency[VARIANT].assign(
        median=figures(1000 * latency["median_s"], 2), p90=figures(1000 * latency["p90_s"], 2)
    )
    what = "milliseconds per image, median and 90th percentile"
    yield from beside_each_other("latency", latency, shown, what)


def pareto_sheets(summary: pd.DataFrame) -> Iterator[Sheet]:
    """Yield the Pareto-optimal variants of each data set, the most robust first."""
    optimal = summary[summary["pareto"].fillna(False)].sort_values("mce", kind="stable")
    for dataset, rows in optimal.groupby("dataset"):
        shown = {
            "Model": rows["model"],
            "#": codes(rows["technique"]),
            "Technique": titles(rows["technique"]),
            "mCE": margins(rows, "mce", 1),
            "CR": figures(rows["compression_ratio"], 2),
            "Acc": margins(rows, "accuracy", 2, 100),
            "Zipped KiB": figures(rows["zipped_bytes"] / 1024, 1),
        }
        if rows["pareto_probability"].notna().any():
            shown["Sure in %"] = figures(100 * rows["pareto_probability"], 0)
        table = Table(f"{dataset}: Pareto-optimal in mCE, CR and accuracy", pd.DataFrame(shown), words=3)
        yield Sheet(file_name("pareto", dataset), rows, table)


def corruption_sheets(corruption_errors: pd.DataFrame) -> Iterator[Sheet]:
    """Yield CE per model: a row per corruption, a column per technique."""
    for (dataset, model), rows in corruption_errors.groupby(["dataset", "model"]):
        known = rows.droplevel(["dataset", "model"]).dropna(axis="columns", how="all")
        if known.empty:
            continue
        by_corruption = known.T[in_order(known.index)]
        shown = {"Corruption": list(by_corruption.index)}
        shown |= {number(str(name)): figures(by_corruption[name], 0) for name in by_corruption}
        table = Table(f"{dataset}, {model}: CE in % of the original's error", pd.DataFrame(shown))
        yield Sheet(file_name("corruption-errors", dataset, model), by_corruption.reset_index(), table)


def worst_sheets(cells: pd.DataFrame, corruption_errors: pd.DataFrame) -> Iterator[Sheet]:
    """Yield the cells whose error rose most against the original's, at most a few of each variant.

    Each corruption is there with the one severity at which compression did most harm.
    """
    rises = error_rises(cells)
    # Equal rises stand in the order of their names, whatever the order in which they were measured.
    order = ["rise", *VARIANT, "corruption", "severity"]
    rises = rises[rises["rise"] > 0].sort_values(order, ascending=[name != "rise" for name in order])
    rises = rises.drop_duplicates([*VARIANT, "corruption"])
    worst = rises.groupby(VARIANT).head(WORST_CELLS_PER_VARIANT).head(WORST_CELLS)
    if worst.empty:
        return
    ce = corruption_errors.melt(value_name="ce", ignore_index=False).reset_index()
    worst = worst.merge(ce, how="left", on=[*VARIANT, "corruption"])
    shown = {
        "Variant": [
            f"{row['dataset']}-{row['model']} {number(row['technique'])}" for row in worst.to_dict("records")
        ],
        "Corruption": worst["corruption"],
        "Severity": worst["severity"].astype("str").where(worst["corruption"] != CLEAN, ABSENT),
        "Error": figures(100 * worst["error"], 2),
        "Original": figures(100 * worst["original_error"], 2),
        "Rise": figures(100 * worst["rise"], 2),
        "CE": figures(worst["ce"], 0),
    }
    title = "Worst cells: where the error in % rose most against the original's"
    yield Sheet("worst-cells", worst, Table(title, pd.DataFrame(shown), words=2))


def failure_sheets(failures: Iterable[Failure | Held]) -> Iterator[Sheet]:
    """Yield what failed: by how much, or why; cases with the same reason share a line."""
    reasons: dict[str, list[str]] = {}
    held = []
    for failure in failures:
        if isinstance(failure, Held):
            held.append(failure)
        else:
            reasons.setdefault(failure.message, []).append(failure.case)
    for bound, few in _by_bound(held):
        table = Table(f"Failed: {bound}", _measured(few))
        yield Sheet(file_name("failed", few[0].check.threshold), _held(few), table)
    if reasons:
        shown = {"Case": [_some(names) for names in reasons.values()], "Why": list(reasons)}
        every = [(case, why) for why, cases in reasons.items() for case in cases]
        table = Table("Failed", pd.DataFrame(shown), words=2)
        yield Sheet("failed", pd.DataFrame(every, columns=["case", "why"]), table)


def undecided_sheets(undecided: Iterable[Held], *, brief: bool) -> Iterator[Sheet]:
    """Yield the cases whose interval straddles a threshold, of many in brief those nearest to failing."""
    for bound, held in _by_bound(undecided):
        few = held[:UNDECIDED_SHOWN] if brief else held
        more = f"and {len(held) - len(few)} more, listed in summary.md" if len(few) < len(held) else ""
        table = Table(f"Undecided: {bound}", _measured(few), note=more)
        yield Sheet(file_name("undecided", held[0].check.threshold), _held(held), table)


def missing_sheets(missing: pd.DataFrame, absent: pd.DataFrame) -> Iterator[Sheet]:
    """Yield what is missing, variants that miss the same on one line.

    ``missing`` is of :func:`reporting.missing.missing_cells`, ``absent`` of ``absent_metrics`` there.
    """
    gaps = [
        rows[VARIANT].head(1).assign(metric="cells", reason=f"not recorded: {image_sets(rows)}")
        for _, rows in missing.groupby(VARIANT)
    ]
    every = pd.concat([*gaps, absent])
    shown = [
        {"Of": f"{dataset}-{model} {numbers(rows['technique'])}", "What": metric, "Why": reason}
        for (dataset, model, metric, reason), rows in every.groupby(
            ["dataset", "model", "metric", "reason"], sort=False
        )
    ]
    if shown:
        yield Sheet("missing", every, Table("Missing", pd.DataFrame(shown), words=3))


def looked_at_sheets(cases: pd.DataFrame) -> Iterator[Sheet]:
    """Yield by variant how much a sequential evaluation looked at (:mod:`reporting.looked_at`)."""
    for (dataset, model), rows in cases.groupby(["dataset", "model"]):
        by_technique = rows.groupby("technique").agg(
            cases=("decided", "size"),
            decided=("decided", "sum"),
            looked_at=("looked_at", "sum"),
            of=("of", "sum"),
        )
        shown = {
            "#": codes(by_technique.index),
            "Technique": titles(by_technique.index),
            "Cases": by_technique["cases"].astype("str"),
            "Decided": by_technique["decided"].astype("str"),
            "Images in %": figures(100 * by_technique["looked_at"] / by_technique["of"], 1),
        }
        table = Table(f"{dataset}, {model}: images looked at", pd.DataFrame(shown), words=2)
        yield Sheet(file_name("images-looked-at", dataset, model), by_technique.reset_index(), table)


def fitting(table: Table) -> Iterator[Table]:
    """Yield a table as it is, or in parts with as many of its groups of columns as fit into a terminal."""
    groups: dict[str, list[str]] = {}
    for column in table.rows.columns[table.words :]:
        groups.setdefault(column.rpartition("\n")[0], []).append(column)
    wide = table.rows.apply(lambda column: column.str.contains("±").any()).any()
    size = MODELS_PER_TABLE if wide else MODELS_WITHOUT_INTERVALS
    if "" in groups or len(groups) <= size:
        yield table
        return
    names, words = list(groups), list(table.rows.columns[: table.words])
    for start in range(0, len(names), size):
        own = [column for name in names[start : start + size] for column in groups[name]]
        filled = (table.rows[own] != "").any(axis=1)
        yield replace(table, rows=table.rows.loc[filled, words + own])


def beside_each_other(
    stem: str, of: pd.DataFrame, shown: pd.DataFrame, what: str, note: str = ""
) -> Iterator[Sheet]:
    """Yield a sheet per data set from rows that have a variant and its figures, as they are and as text."""
    for dataset, rows in shown.groupby("dataset"):
        techniques = in_order(rows["technique"])
        table = pd.DataFrame({"#": codes(techniques), "Technique": titles(techniques)})
        for model, own in rows.groupby("model"):
            texts = own.set_index("technique").drop(columns=["dataset", "model"])
            for column in texts:
                table[f"{model}\n{column}"] = texts[column].reindex(techniques).fillna("").array
        figures_ = of[of["dataset"] == dataset]
        shown_ = Table(f"{dataset}: {what}", table, words=2, note=note)
        yield Sheet(file_name(stem, dataset), figures_, shown_)


def _by_bound(held: Iterable[Held]) -> Iterator[tuple[str, list[Held]]]:
    """Yield each threshold with the cases that were held against it, the worst first."""
    bounds: dict[str, list[Held]] = {}
    for one in held:
        bounds.setdefault(one.check.bound, []).append(one)
    for bound, alike in bounds.items():
        yield bound, sorted(alike, key=lambda one: -(one.check.excess or 0))


def _measured(held: Iterable[Held]) -> pd.DataFrame:
    rows = [
        (one.case, digits(one.check.value), one.check.interval or "exact", digits(one.check.excess))
        for one in held
    ]
    return pd.DataFrame(rows, columns=["Case", "Measured", "Interval", "Beyond by"])


def _held(held: Iterable[Held]) -> pd.DataFrame:
    rows = [{"case": one.case, **asdict(one.check), "excess": one.check.excess} for one in held]
    return pd.DataFrame(rows, columns=_HELD)


def _some(names: Sequence[str]) -> str:
    return names[0] + (f" and {len(names) - 1} more" if len(names) > 1 else "")
