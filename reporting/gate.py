"""The gate: whether what a case measured keeps the suite's thresholds."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.results import Record
from benchmarks.suite import Thresholds

#: The name under which a failed test's report carries its breaches.
BREACHES_PROPERTY = "robustlite.breaches"


@dataclass(frozen=True)
class Breach:
    """A figure beyond its threshold: ``threshold`` is the suite's key, both figures are in its unit."""

    threshold: str
    measured: float
    limit: float

    def __str__(self) -> str:
        sense = "at most" if self.threshold.endswith("_max") else "at least"
        beyond = abs(self.measured - self.limit)
        return (
            f"expected thresholds.{self.threshold}: {sense} {self.limit:g}, got {self.measured:.4g} "
            f"({beyond:.3g} beyond it)"
        )


class Limits:
    """The thresholds of a suite, as an assertion that cases make."""

    def __init__(self, thresholds: Thresholds, properties: list[tuple[str, object]]) -> None:
        """``properties`` are the user properties of the running test, which take what it breaches along."""
        self._thresholds = thresholds
        self._properties = properties

    def check(self, record: Record, original: Record | None = None) -> None:
        """Assert that ``record`` keeps every threshold that its figures can be held against.

        ``original`` is the same measurement of the uncompressed network, for the relative figures.
        """
        __tracebackhide__ = True
        breaches = list(self._breaches(record, original))
        if breaches:
            values = [vars(breach) for breach in breaches]
            self._properties.append((BREACHES_PROPERTY, values))
            raise AssertionError(f"{record.case}: " + "; ".join(map(str, breaches)))

    def _breaches(self, record: Record, original: Record | None) -> Iterator[Breach]:
        wanted: dict[str, Any] = self._thresholds.model_dump(exclude_none=True)
        if not wanted:
            return
        for name, measured in _figures(record, original).items():
            limit = wanted.get(name)
            if limit is None:
                continue
            if measured > limit if name.endswith("_max") else measured < limit:
                yield Breach(name, measured, limit)


def _figures(record: Record, original: Record | None) -> dict[str, float]:
    """Return the figures of a record by the name of the threshold they are held against.

    A figure that its data do not define is absent.  All are computed by :mod:`reporting.metrics`.
    """
    from reporting import metrics  # noqa: PLC0415 - pandas, which a suite without thresholds does not need
    from reporting.frames import from_records  # noqa: PLC0415

    frames = from_records([record, *([original] if original else [])])
    technique = record.case.variant.technique
    figures: dict[str, Any] = {}
    if record.case.kind == "accuracy":
        accuracy = metrics.summarise(frames.cells, frames.sizes).set_index("technique")["accuracy"]
        figures["accuracy_min"] = accuracy[technique]
        if metrics.BASELINE in accuracy:
            figures["accuracy_drop_max"] = accuracy[metrics.BASELINE] - accuracy[technique]
    elif record.case.kind == "robustness":
        errors = metrics.corruption_errors(frames.cells).reset_index().set_index("technique")
        figures["ce_max"] = errors[record.case.corruption][technique]
    elif record.case.kind == "claims":
        ratios = metrics.compression_ratios(frames.sizes).reset_index().set_index("technique")
        figures["compression_ratio_min"] = ratios["compression_ratio"][technique]
        figures["zipped_mb_max"] = record.metrics["zipped_bytes"] / 1e6
    elif record.case.kind == "latency":
        figures["latency_ms_max"] = 1000 * record.metrics["latency_median_s"]
    return {name: float(value) for name, value in figures.items() if not math.isnan(value)}
