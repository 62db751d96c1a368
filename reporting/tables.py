"""What the tables of a report show.

Every function takes the tables of :mod:`reporting.frames` or a report's summary and yields as many tables as
there is something to say, so none where there is nothing.  Fractions are shown in per cent; ``–`` stands for
a figure that is absent, and ``±`` is the larger side of a figure's interval.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import pandas as pd

from benchmarks.cases import STANDARD_CORRUPTIONS, STANDARD_FAMILIES
from benchmarks.techniques import TECHNIQUES
from reporting.frames import CLEAN, VARIANT
from reporting.gate import Check
from reporting.journal import Entry
from reporting.layout import Table
from reporting.metrics import error_rises

ABSENT = "–"

#: More models than these do not fit beside each other in a terminal of 120 columns.
MODELS_PER_TABLE, MODELS_WITHOUT_INTERVALS = 2, 3

#: How many of the worst cells are shown, and how many of them at most of one variant.
WORST_CELLS = 10
WORST_CELLS_PER_VARIANT = 3

#: How many undecided cases of a threshold are shown in brief.
UNDECIDED_SHOWN = 5

#: How many corruptions are named of those that a variant was not measured on.
IMAGE_SETS_NAMED = 4


@dataclass(frozen=True)
class Failure:
    """A case that did not pass and has no figure to show for it: what it says.

    ``undefined`` where that is because the figure of a threshold is not defined.
    """

    case: str
    message: str
    undefined: bool = False


@dataclass(frozen=True)
class Held:
    """A case with a figure that was held against a threshold."""

    case: str
    check: Check


def failures_of(entry: Entry, strict: bool) -> Iterator[Failure | Held]:
    """Yield why a case did not pass: each threshold that it fails by, or what went wrong."""
    failing = [check for check in entry.checks if check.fails(strict)]
    for check in failing:
        if check.value is None:
            yield Failure(entry.case, f"{check.bound}: no figure, because {check.why}", undefined=True)
        else:
            yield Held(entry.case, check)
    if entry.ending != "passed" and not failing:
        yield Failure(entry.case, entry.message)


def undecided_of(entry: Entry, strict: bool) -> Iterator[Held]:
    """Yield the thresholds that a case neither keeps nor fails by."""
    for check in entry.checks:
        if check.standing == "undecided" and not check.fails(strict):
            yield Held(entry.case, check)


def summary_tables(summary: pd.DataFrame) -> Iterator[Table]:
    """Yield mCE, compression ratio and accuracy: a row per technique, three columns per model."""
    shown = summary[VARIANT].assign(
        mCE=margins(summary, "mce", 1),
        CR=figures(summary["compression_ratio"], 2),
        Acc=margins(summary, "accuracy", 2, 100),
    )
    yield from _models_beside_each_other(shown, "mCE, compression ratio (CR) and accuracy in %")


def latency_tables(latency: pd.DataFrame) -> Iterator[Table]:
    """Yield the time of one inference: a row per technique, two columns per model."""
    shown = latency[VARIANT].assign(
        median=figures(1000 * latency["median_s"], 2), p90=figures(1000 * latency["p90_s"], 2)
    )
    yield from _models_beside_each_other(shown, "milliseconds per image, median and 90th percentile")


def pareto_tables(summary: pd.DataFrame) -> Iterator[Table]:
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
        yield Table(f"{dataset}: Pareto-optimal in mCE, CR and accuracy", pd.DataFrame(shown), words=3)


def corruption_tables(corruption_errors: pd.DataFrame) -> Iterator[Table]:
    """Yield CE per model: a row per corruption, a column per technique."""
    for (dataset, model), rows in corruption_errors.groupby(["dataset", "model"]):
        known = rows.droplevel(["dataset", "model"]).dropna(axis="columns", how="all")
        if known.empty:
            continue
        shown = {"Corruption": list(known.columns)}
        shown |= {number(name): figures(known.T[name], 0) for name in in_order(known.index)}
        yield Table(f"{dataset}, {model}: CE in % of the original's error", pd.DataFrame(shown))


def worst_tables(cells: pd.DataFrame, corruption_errors: pd.DataFrame) -> Iterator[Table]:
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
    yield Table(
        "Worst cells: where the error in % rose most against the original's", pd.DataFrame(shown), words=2
    )


def failure_tables(failures: Iterable[Failure | Held]) -> Iterator[Table]:
    """Yield what failed: by how much, or why; cases with the same reason share a line."""
    reasons: dict[str, list[str]] = {}
    held = []
    for failure in failures:
        if isinstance(failure, Held):
            held.append(failure)
        else:
            reasons.setdefault(failure.message, []).append(failure.case)
    for bound, few in _by_bound(held):
        yield Table(f"Failed: {bound}", _measured(few))
    if reasons:
        shown = {"Case": [_some(names) for names in reasons.values()], "Why": list(reasons)}
        yield Table("Failed", pd.DataFrame(shown), words=2)


def undecided_tables(undecided: Iterable[Held], *, brief: bool) -> Iterator[Table]:
    """Yield the cases whose interval straddles a threshold, of many in brief those nearest to failing."""
    for bound, held in _by_bound(undecided):
        few = held[:UNDECIDED_SHOWN] if brief else held
        more = f"and {len(held) - len(few)} more, listed in summary.md" if len(few) < len(held) else ""
        yield Table(f"Undecided: {bound}", _measured(few), note=more)


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


def missing_tables(missing: pd.DataFrame, absent: pd.DataFrame) -> Iterator[Table]:
    """Yield what is missing, variants that miss the same on one line.

    ``missing`` is of :func:`reporting.missing.missing_cells`, ``absent`` of ``absent_metrics`` there.
    """
    gaps = [
        rows[VARIANT].head(1).assign(metric="cells", reason=f"not recorded: {image_sets(rows)}")
        for _, rows in missing.groupby(VARIANT)
    ]
    alike = pd.concat([*gaps, absent]).groupby(["dataset", "model", "metric", "reason"], sort=False)
    shown = [
        {"Of": f"{dataset}-{model} {numbers(rows['technique'])}", "What": metric, "Why": reason}
        for (dataset, model, metric, reason), rows in alike
    ]
    if shown:
        yield Table("Missing", pd.DataFrame(shown), words=3)


def figures(values: Iterable[float], decimals: int) -> list[str]:
    """Return ``values`` as text with ``decimals`` places, ``–`` where one is absent."""
    return [ABSENT if pd.isna(value) else f"{value:.{decimals}f}" for value in values]


def margins(summary: pd.DataFrame, metric: str, decimals: int, factor: float = 1) -> list[str]:
    """Return a metric of a summary, times ``factor``, with the larger side of its interval: ``104.2 ±2.1``.

    The figure stands alone where its interval is a point, or where no outcomes by image are known; ``±?``
    says that these were too few to bound it.
    """
    value, low, high = (summary[name] for name in (metric, f"{metric}_low", f"{metric}_high"))
    widths = figures(factor * pd.concat([value - low, high - value], axis=1).max(axis=1), decimals)
    unbounded = value.notna() & low.isna() & summary["accuracy_drop"].notna()
    signs = [
        f" ±{width}" if wide else " ±?" if endless else ""
        for width, wide, endless in zip(widths, low < high, unbounded, strict=True)
    ]
    return [text + sign for text, sign in zip(figures(factor * value, decimals), signs, strict=True)]


def number(technique: str) -> str:
    """Return how a report refers to a technique: ``#13``, or its name where it has no number."""
    return f"#{TECHNIQUES[technique].code}" if technique in TECHNIQUES else technique


def numbers(techniques: Iterable[str]) -> str:
    """Return how a report refers to several techniques: ``#1–4, 7``, then the names of those without one."""
    names = in_order(techniques)
    known = runs(TECHNIQUES[name].code for name in names if name in TECHNIQUES)
    return ", ".join(([f"#{known}"] if known else []) + [name for name in names if name not in TECHNIQUES])


def runs(values: Iterable[int]) -> str:
    """Return whole numbers as text, neighbours joined: ``1–4, 7``."""
    text = []
    for _, run in groupby(enumerate(sorted(values)), key=lambda place: place[1] - place[0]):
        members = [value for _, value in run]
        text.append(str(members[0]) if len(members) == 1 else f"{members[0]}–{members[-1]}")
    return ", ".join(text)


def in_order(techniques: Iterable[str]) -> list[str]:
    """Return ``techniques`` without repetition by number, those without one last."""
    return sorted(
        set(techniques),
        key=lambda name: (TECHNIQUES[name].code if name in TECHNIQUES else len(TECHNIQUES) + 1, name),
    )


def corruptions_in_order(names: Iterable[str], families: Mapping[str, str] = STANDARD_FAMILIES) -> list[str]:
    """Return corruptions without repetition, by family, in the order of the standard benchmark.

    ``families`` are by corruption.  Others are after those of the benchmark, those of no family last.
    """
    known = list(dict.fromkeys([*STANDARD_FAMILIES.values(), *sorted(families.values())]))

    def order(name: str) -> tuple[int, int, str]:
        family = known.index(families[name]) if name in families else len(known)
        standard = (
            STANDARD_CORRUPTIONS.index(name) if name in STANDARD_FAMILIES else len(STANDARD_CORRUPTIONS)
        )
        return family, standard, name

    return sorted(set(names), key=order)


def codes(techniques: Iterable[str]) -> list[str]:
    """Return the numbers of ``techniques`` as text, blank where one has none."""
    return [str(TECHNIQUES[name].code) if name in TECHNIQUES else "" for name in techniques]


def titles(techniques: Iterable[str]) -> list[str]:
    """Return ``techniques`` as people write them."""
    return [TECHNIQUES[name].title if name in TECHNIQUES else name for name in techniques]


def _models_beside_each_other(shown: pd.DataFrame, what: str) -> Iterator[Table]:
    """Yield a table per data set and few models from rows that have a variant and its figures as text."""
    for dataset, rows in shown.groupby("dataset"):
        models = sorted(rows["model"].unique())
        wide = rows.drop(columns=VARIANT).apply(lambda column: column.str.contains("±").any()).any()
        size = MODELS_PER_TABLE if wide else MODELS_WITHOUT_INTERVALS
        for start in range(0, len(models), size):
            few = models[start : start + size]
            techniques = in_order(rows.loc[rows["model"].isin(few), "technique"])
            table = pd.DataFrame({"#": codes(techniques), "Technique": titles(techniques)})
            for model in few:
                own = rows[rows["model"] == model].set_index("technique").drop(columns=["dataset", "model"])
                for column in own:
                    table[f"{model}\n{column}"] = own[column].reindex(techniques).fillna("").array
            yield Table(f"{dataset}: {what}", table, words=2)


def image_sets(cells: pd.DataFrame) -> str:
    """Return the corruptions of ``cells`` with their severities, of many the first few."""
    named = [
        CLEAN if name == CLEAN else f"{name} {runs(rows['severity'])}"
        for name, rows in cells.groupby("corruption")
    ]
    more = len(named) - IMAGE_SETS_NAMED
    return ", ".join(named[:IMAGE_SETS_NAMED]) + (f" and {more} more" if more > 0 else "")


def _some(names: Sequence[str]) -> str:
    return names[0] + (f" and {len(names) - 1} more" if len(names) > 1 else "")


def digits(value: float | None) -> str:
    return ABSENT if value is None else f"{value:.4g}"
