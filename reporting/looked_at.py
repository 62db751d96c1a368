"""How many images a sequential evaluation looked at, and what it decided."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

import pandas as pd

from benchmarks.results import Record
from reporting.frames import CLEAN, VARIANT, frame, identity

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
