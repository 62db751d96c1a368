"""How many images a sequential evaluation looked at, and what it decided."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

import pandas as pd

from benchmarks.results import Record
from reporting.frames import CLEAN, VARIANT, frame, identity
from reporting.layout import Table
from reporting.tables import codes, figures, titles

#: Column types: a row per case that was evaluated sequentially; ``decided``: whether all its thresholds were.
LOOKED_AT: Mapping[str, str] = MappingProxyType(
    dict.fromkeys([*VARIANT, "corruption"], "str") | {"looked_at": "int64", "of": "int64", "decided": "bool"}
)


def looked_at_of(records: Iterable[Record]) -> pd.DataFrame:
    """Return the cases that were evaluated sequentially, types :data:`LOOKED_AT`."""
    rows = [
        identity(record.case.variant)
        | {
            "corruption": record.case.corruption or CLEAN,
            "looked_at": record.details["looked_at"],
            "of": record.details["of"],
            "decided": None not in record.details["decisions"].values(),
        }
        for record in records
        if "decisions" in record.details
    ]
    return frame(rows, LOOKED_AT)


def looked_at_sentences(cases: pd.DataFrame) -> Iterator[str]:
    """Yield how much was looked at, and how to read figures that come of it."""
    if len(cases):
        share = cases["looked_at"].sum() / cases["of"].sum()
        yield (
            f"Sequential evaluation: {cases['decided'].sum()} of {len(cases)} cases were decided, from "
            f"{share:.1%} of their images. Their figures are of the images looked at, which lean away from "
            "the threshold; there is no mCE, which is of every image."
        )


def looked_at_tables(cases: pd.DataFrame) -> Iterator[Table]:
    """Yield how much was looked at by variant."""
    for (dataset, model), rows in cases.groupby(["dataset", "model"]):
        by_technique = rows.groupby("technique").agg(
            cases=("decided", "size"), decided=("decided", "sum"), seen=("looked_at", "sum"), of=("of", "sum")
        )
        shown = {
            "#": codes(by_technique.index),
            "Technique": titles(by_technique.index),
            "Cases": by_technique["cases"].astype("str"),
            "Decided": by_technique["decided"].astype("str"),
            "Images in %": figures(100 * by_technique["seen"] / by_technique["of"], 1),
        }
        yield Table(f"{dataset}, {model}: images looked at", pd.DataFrame(shown), words=2)
