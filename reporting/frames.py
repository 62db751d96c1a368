"""The tables that a report is computed from, and how they are made from the records of a run.

``cells``    one row per variant and image set: dataset, model, technique, corruption, severity, images,
             errors, error, population.  The clean test images are corruption ``"clean"`` at severity 0.
             ``error`` is the top-1 error as a fraction; ``images`` and ``errors`` are ``<NA>`` where only the
             rate is known, and so is ``population``, the size of the test set, where it is not.
``sizes``    one row per variant: dataset, model, technique, zipped_bytes, file_bytes (perhaps ``<NA>``).
``latency``  one row per variant: dataset, model, technique, median_s, p90_s (seconds per image).
``samples``  one row per timed inference, in their order: dataset, model, technique, seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import pandas as pd

from benchmarks.cases import Variant
from benchmarks.results import Record

CLEAN = "clean"

#: The columns that name a variant.
VARIANT = ["dataset", "model", "technique"]

_VARIANT_TYPES = dict.fromkeys(VARIANT, "str")
#: Column types of ``cells``; the nullable ones may be unknown.
CELLS: Mapping[str, str] = MappingProxyType(
    _VARIANT_TYPES
    | {"corruption": "str", "severity": "int64", "images": "Int64", "errors": "Int64", "error": "float64"}
    | {"population": "Int64"}
)
#: Column types of ``sizes``.
SIZES: Mapping[str, str] = MappingProxyType(_VARIANT_TYPES | {"zipped_bytes": "Int64", "file_bytes": "Int64"})
#: Column types of ``latency``.
LATENCY: Mapping[str, str] = MappingProxyType(_VARIANT_TYPES | {"median_s": "float64", "p90_s": "float64"})
#: Column types of the cells that a run should have measured.
EXPECTED: Mapping[str, str] = MappingProxyType(_VARIANT_TYPES | {"corruption": "str", "severity": "int64"})

#: Column types of ``samples``.
SAMPLES: Mapping[str, str] = MappingProxyType(_VARIANT_TYPES | {"seconds": "float64"})


class Frames(NamedTuple):
    """What a run measured, as the tables of this module without ``samples``."""

    cells: pd.DataFrame
    sizes: pd.DataFrame
    latency: pd.DataFrame


def frame(rows: Iterable[Mapping[str, Any]], types: Mapping[str, str]) -> pd.DataFrame:
    """Return ``rows`` as a table with exactly the columns and types of ``types``, also without any row."""
    return pd.DataFrame(list(rows), columns=list(types)).astype(dict(types))


def from_records(records: Iterable[Record]) -> Frames:
    """Return what ``records`` say; of two records of the same case the later one counts.

    A cell without images has no error rate, and a latency needs both of its figures, or there is no row.
    """
    cells, sizes, latency = [], [], []
    for record in {record.case: record for record in records}.values():
        variant = identity(record.case.variant)
        cells += [
            variant
            | {
                "corruption": cell.corruption,
                "severity": cell.severity,
                "images": cell.images,
                "errors": cell.errors,
                "error": cell.errors / cell.images,
                "population": record.images.population if record.images else pd.NA,
            }
            for cell in record.cells
            if cell.images
        ]
        metrics = record.metrics
        if "zipped_bytes" in metrics:
            sizes.append(
                variant | {name: metrics.get(name, pd.NA) for name in ("zipped_bytes", "file_bytes")}
            )
        if {"latency_median_s", "latency_p90_s"} <= metrics.keys():
            latency.append(
                variant | {"median_s": metrics["latency_median_s"], "p90_s": metrics["latency_p90_s"]}
            )
    return Frames(frame(cells, CELLS), frame(sizes, SIZES), frame(latency, LATENCY))


def samples_of(records: Iterable[Record]) -> pd.DataFrame:
    """Return every timed inference that ``records`` tell of; of two records of a case the later counts."""
    return frame(
        (
            identity(record.case.variant) | {"seconds": seconds}
            for record in {record.case: record for record in records}.values()
            if record.case.kind == "latency"
            for seconds in record.details.get("seconds", ())
        ),
        SAMPLES,
    )


def identity(variant: Variant) -> dict[str, str]:
    """Return ``variant`` as the start of a row."""
    return {"dataset": variant.dataset, "model": variant.model, "technique": variant.technique}
