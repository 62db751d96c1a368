"""Tables IV, V and VI: what was measured, from the summary of a run (:func:`reporting.metrics.summarise`).

A table has no rows where the summary has nothing for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from reporting.layout import Table
from reporting.metrics import BASELINE
from reporting.pareto import OBJECTIVES
from reporting.sheets import Sheet
from reporting.tables import codes, figures, in_order, titles

#: How people write an objective: its name, the factor to the unit, the decimals.
SHOWN = {"accuracy": ("Acc", 100, 2), "mce": ("mCE", 1, 1), "compression_ratio": ("CR", 1, 2)}


def originals_table(summary: pd.DataFrame) -> Sheet:
    """Return Table IV: accuracy and sizes of the uncompressed networks."""
    columns = ["dataset", "model", "accuracy", "zipped_bytes", "file_bytes"]
    originals = summary.loc[summary["technique"] == BASELINE, columns].reset_index(drop=True)
    shown = {
        "Data set": originals["dataset"],
        "Model": originals["model"],
        "Acc": figures(100 * originals["accuracy"], 2),
        "Zipped": figures(originals["zipped_bytes"] / 1e6, 3),
        "File": figures(originals["file_bytes"] / 1e6, 3),
    }
    note = "Accuracy (Acc) in %; size of the .tflite file, zipped and as it is, in millions of bytes."
    table = Table("The uncompressed networks", pd.DataFrame(shown), words=2, note=note)
    return Sheet("table-4-originals", originals, table)


def extremes_table(summary: pd.DataFrame) -> Sheet:
    """Return Table V: the best and the worst compressed variants of each data set in each objective.

    Where several are equally good, all of them are there, the smallest first.
    """
    compressed = summary[summary["technique"] != BASELINE]
    found = [
        tied.assign(extreme=extreme, objective=objective)
        for _, rows in compressed.groupby("dataset")
        for extreme in ("best", "worst")
        for objective, more_is_better in OBJECTIVES.items()
        for tied in _extreme(rows, objective, most=more_is_better == (extreme == "best"))
    ]
    columns = ["dataset", "extreme", "objective", "model", "code", "technique", *OBJECTIVES]
    extremes = pd.concat([compressed.head(0), *found]).reindex(columns=columns).reset_index(drop=True)
    names = extremes["objective"].map({objective: name for objective, (name, _, _) in SHOWN.items()})
    shown = {
        "Data set": extremes["dataset"],
        "Objective": [" ".join(pair) for pair in zip(extremes["extreme"], names, strict=True)],
        "Model": extremes["model"],
        "#": codes(extremes["technique"]),
        "Technique": titles(extremes["technique"]),
    } | {name: figures(factor * extremes[of], decimals) for of, (name, factor, decimals) in SHOWN.items()}
    note = "Of the compressed variants; where several are equally good, all are listed.  Accuracy (Acc) in %."
    table = Table("Best and worst variants", pd.DataFrame(shown), words=5, note=note)
    return Sheet("table-5-extremes", extremes, table)


def per_technique_table(summary: pd.DataFrame) -> Sheet:
    """Return Table VI: mean and sample standard deviation (n - 1) over the models of each technique.

    Each mean is over the models that have the figure; their number is told.  One model has no deviation.
    """
    rows: list[dict[str, Any]] = []
    for dataset, of_dataset in summary.groupby("dataset"):
        for technique in in_order(of_dataset["technique"]):
            own = of_dataset[of_dataset["technique"] == technique]
            row: dict[str, Any] = {"dataset": dataset, "code": own["code"].iat[0], "technique": technique}
            for objective in OBJECTIVES:
                known = own[objective].dropna().astype("float64")
                row[f"{objective}_mean"], row[f"{objective}_sd"] = known.mean(), known.std(ddof=1)
                row[f"{objective}_models"] = len(known)
            rows.append(row)
    statistics = [f"{objective}_{what}" for objective in OBJECTIVES for what in ("mean", "sd", "models")]
    means = pd.DataFrame(rows, columns=["dataset", "code", "technique", *statistics])
    shown: dict[str, Any] = {
        "Data set": means["dataset"],
        "#": codes(means["technique"]),
        "Technique": titles(means["technique"]),
        "Models": [_counts(row) for _, row in means.iterrows()],
    }
    for objective, (name, factor, decimals) in SHOWN.items():
        for what in ("mean", "sd"):
            shown[f"{name}\n{what}"] = figures(factor * means[f"{objective}_{what}"], decimals)
    note = "Over the models; sd is the sample standard deviation (n - 1).  Accuracy (Acc) in %."
    table = Table("Mean and deviation by technique", pd.DataFrame(shown), words=4, note=note)
    return Sheet("table-6-per-technique", means, table)


def _extreme(rows: pd.DataFrame, objective: str, *, most: bool) -> Iterator[pd.DataFrame]:
    """Yield the rows that have the most, or the least, of an objective, if any row has a figure of it."""
    values = rows[objective].dropna().astype("float64").round(9)  # as floating point may split equal ones
    if len(values):
        tied = rows.loc[values.index[values == (values.max() if most else values.min())]]
        yield tied.sort_values("compression_ratio", ascending=False, kind="stable")


def _counts(row: pd.Series[Any]) -> str:
    """Return how many models the means of a row are over, one by one where it is not the same number."""
    counts = {name: row[f"{objective}_models"] for objective, (name, _, _) in SHOWN.items()}
    if len(set(counts.values())) == 1:
        return str(counts["mCE"])
    return ", ".join(f"{name} {count}" for name, count in counts.items())
