"""The gate: whether what a case measured keeps the suite's thresholds."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from benchmarks.results import Record
from benchmarks.schema import Thresholds

#: How a figure stands to its threshold: it keeps it, breaks it, or its interval straddles it.
Standing = Literal["kept", "undecided", "broken"]


@dataclass(frozen=True)
class Check:
    """A figure held against a threshold: ``threshold`` is the suite's key, ``rule`` the pattern that set it.

    ``value``, its interval ``low`` to ``high`` and ``limit`` are in the threshold's unit; ``value`` and the
    interval are ``None`` where the data do not define them.
    """

    threshold: str
    rule: str
    limit: float
    value: float | None
    low: float | None
    high: float | None
    standing: Standing

    def __str__(self) -> str:
        sense = "at most" if self.threshold.endswith("_max") else "at least"
        if self.value is None:
            return f"expected thresholds.{self.threshold}: {sense} {self.limit:g}, got no figure"
        beyond = abs(self.value - self.limit)
        return (
            f"expected thresholds.{self.threshold}: {sense} {self.limit:g}, got {self.value:.4g} "
            f"({beyond:.3g} beyond it)"
        )


class Limits:
    """The thresholds of a suite, as an assertion that cases make."""

    def __init__(self, thresholds: Thresholds) -> None:
        self._thresholds = thresholds
        #: What has been held against a threshold.
        self.checks: list[Check] = []

    def check(self, record: Record, original: Record | None = None) -> None:
        """Assert that ``record`` keeps every threshold that its figures can be held against.

        ``original`` is the same measurement of the uncompressed network, for the relative figures.
        """
        __tracebackhide__ = True
        breaches = list(self._breaches(record, original))
        self.checks += breaches
        if breaches:
            raise AssertionError(f"{record.case}: " + "; ".join(map(str, breaches)))

    def _breaches(self, record: Record, original: Record | None) -> Iterator[Check]:
        wanted: dict[str, Any] = self._thresholds.model_dump(exclude_none=True)
        if not wanted:
            return
        for name, measured in _figures(record, original).items():
            limit = wanted.get(name)
            if limit is None or math.isclose(measured, limit):  # equal but for the rounding of fractions
                continue
            if measured > limit if name.endswith("_max") else measured < limit:
                yield Check(name, "thresholds", limit, measured, measured, measured, "broken")


def _figures(record: Record, original: Record | None) -> dict[str, float]:
    """Return the figures of a record by the name of the threshold they are held against.

    A figure that its data do not define is absent.  All are computed by :mod:`reporting.metrics`.
    """
    from reporting import metrics  # noqa: PLC0415 - pandas, which a suite without thresholds does not need
    from reporting.frames import from_records  # noqa: PLC0415

    frames = from_records([record, *([original] if original else [])])
    technique = record.case.variant.technique
    figures: dict[str, float] = {}
    if record.case.kind == "accuracy":
        summary = metrics.summarise(frames.cells, frames.sizes)
        figures["accuracy_min"] = _value(summary, technique, "accuracy")
        baseline = _value(summary, metrics.BASELINE, "accuracy")
        figures["accuracy_drop_max"] = baseline - figures["accuracy_min"]
    elif record.case.kind == "robustness":
        errors = metrics.corruption_errors(frames.cells)
        figures["ce_max"] = _value(errors, technique, record.case.corruption)
    elif record.case.kind == "claims":
        ratios = metrics.compression_ratios(frames.sizes).to_frame()
        figures["compression_ratio_min"] = _value(ratios, technique, "compression_ratio")
        figures["zipped_mb_max"] = record.metrics.get("zipped_bytes", math.nan) / 1e6
    elif record.case.kind == "latency":
        figures["latency_ms_max"] = 1000 * record.metrics.get("latency_median_s", math.nan)
    return {name: value for name, value in figures.items() if not math.isnan(value)}


def _value(table: Any, technique: str, column: str | None) -> float:
    """Return a cell of a metric's table (of one model on one data set), ``NaN`` where there is none."""
    rows = table.reset_index().set_index("technique")
    return float(rows.reindex(index=[technique], columns=[column]).iat[0, 0])
