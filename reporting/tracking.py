"""The figures of a report in the forms that services read which track benchmarks from commit to commit.

``bencher.json``          Bencher Metric Format: benchmark, measure, value with its bounds
``github-bigger.json``    github-action-benchmark, customBiggerIsBetter
``github-smaller.json``   the same, customSmallerIsBetter

A benchmark is a variant (``digits-vgg6-pqat``), and of corruption errors and of the accuracy that an attack
leaves a case (``digits-vgg6-pqat-fog``, ``digits-vgg6-pqat-pgd``).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import pandas as pd

from benchmarks.cases import Variant
from reporting.frames import VARIANT


@dataclass(frozen=True)
class Measure:
    """Something that is measured of a benchmark: its name, its unit, and which way is better."""

    name: str
    unit: str
    better: Literal["bigger", "smaller"]


@dataclass(frozen=True)
class Figure:
    """A finite ``value`` of a benchmark with its interval, ``None`` where there is none."""

    benchmark: str
    measure: Measure
    value: float
    interval: tuple[float, float] | None


#: The measures that are columns of a summary.  ``x`` is a ratio.
_SUMMARY: Mapping[str, Measure] = MappingProxyType(
    {
        "accuracy": Measure("accuracy", "fraction of images", "bigger"),
        "compression_ratio": Measure("compression-ratio", "x", "bigger"),
        "mce": Measure("mce", "% of the original's error", "smaller"),
        "relative_mce": Measure("relative-mce", "% of the original's loss", "smaller"),
        "zipped_bytes": Measure("zipped-size", "bytes", "smaller"),
    }
)
#: The measures that are columns of activation maps.
_MAPS: Mapping[str, Measure] = MappingProxyType(
    {
        "gradcam_correlation": Measure("grad-cam-correlation", "mean rank correlation", "bigger"),
        "guided_correlation": Measure("guided-correlation", "mean rank correlation", "bigger"),
    }
)
_CE = Measure("ce", "% of the original's error", "smaller")
_AFTER_ATTACK = Measure("accuracy-after-attack", "fraction of images", "bigger")
#: Bencher has a measure of this name already, in nanoseconds.
_LATENCY = Measure("latency", "ns", "smaller")


def figures(
    *,
    summary: pd.DataFrame,
    latency: pd.DataFrame,
    corruption_errors: pd.DataFrame,
    bounds: pd.DataFrame,
    attacked: pd.DataFrame,
    maps: pd.DataFrame,
) -> Iterator[Figure]:
    """Yield every figure that is defined, of a report's tables of these names.

    ``bounds`` are those of the corruption errors (:class:`reporting.uncertainty.Uncertainty`).  Of the ways
    of an attack the one counts that leaves least.
    """
    for table, measures in ((summary, _SUMMARY), (maps, _MAPS)):
        for row in table.to_dict("records"):
            for column, measure in measures.items():
                yield from _of(row, column, _name(row), measure)
    case = [*VARIANT, "attack"]
    worst = attacked.dropna(subset="accuracy_after").sort_values([*case, "accuracy_after"])
    for row in worst.drop_duplicates(case).to_dict("records"):
        yield from _of(row, "accuracy_after", f"{_name(row)}-{row['attack']}", _AFTER_ATTACK)
    for row in latency.sort_values(VARIANT).to_dict("records"):
        yield from _figure(_name(row), _LATENCY, 1e9 * row["median_s"])
    ce = corruption_errors.melt(value_name="ce", ignore_index=False).reset_index()
    for row in ce.join(bounds[["low", "high"]], on=[*VARIANT, "corruption"]).to_dict("records"):
        yield from _figure(f"{_name(row)}-{row['corruption']}", _CE, row["ce"], row["low"], row["high"])


def files_of(figures: Iterable[Figure], level: float) -> dict[str, str]:
    """Return the content of each file by its name; ``level`` is that of the intervals."""
    bencher: dict[str, dict[str, dict[str, float]]] = {}
    github: dict[str, list[dict[str, Any]]] = {"bigger": [], "smaller": []}
    for figure in figures:
        measure, value = figure.measure, figure.value
        metric = bencher.setdefault(figure.benchmark, {})[measure.name] = {"value": value}
        entry = {"name": f"{figure.benchmark} {measure.name}", "unit": measure.unit, "value": value}
        if figure.interval:
            metric["lower_value"], metric["upper_value"] = figure.interval
            entry["range"] = "{:.5g} to {:.5g}".format(*figure.interval)
            entry["extra"] = f"range: {100 * level:g} % interval"
        github[measure.better].append(entry)
    values = {"bencher.json": bencher} | {f"github-{way}.json": entries for way, entries in github.items()}
    return {name: json.dumps(value, indent=1, allow_nan=False) + "\n" for name, value in values.items()}


def _name(row: Mapping[Any, Any]) -> str:
    return str(Variant(*(row[column] for column in VARIANT)))


def _of(row: Mapping[Any, Any], column: str, name: str, measure: Measure) -> Iterator[Figure]:
    yield from _figure(name, measure, row[column], row.get(f"{column}_low"), row.get(f"{column}_high"))


def _figure(name: str, measure: Measure, value: Any, low: Any = None, high: Any = None) -> Iterator[Figure]:
    if _finite(value):
        interval = (float(low), float(high)) if _finite(low) and _finite(high) else None
        yield Figure(name, measure, float(value), interval)


def _finite(value: Any) -> bool:
    try:
        return math.isfinite(value)
    except TypeError:  # pandas.NA and None
        return False
