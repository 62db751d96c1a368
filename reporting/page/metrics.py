"""The figures of a variant as the page shows them: words, units, decimals, and which way is better."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import pandas as pd

from reporting.tables import ABSENT

KIB, MIB = 1024, 1024 * 1024

_OF_ERROR, _OF_LOSS = "% of the original’s error", "% of the original’s loss"

#: Sizes from this on are shown in MiB, if the smallest of a report is no less.
_LARGE = 1 * MIB


@dataclass(frozen=True)
class Metric:
    """A figure: ``key`` is its column in :attr:`reporting.page.view.View.figures`, ``title`` what people call
    it, ``about`` what it means.  Shown are ``factor`` times the figure, with ``decimals``, and the ``unit``.
    ``estimated`` figures are of a sample of images and may have an interval.
    """

    key: str
    title: str
    unit: str
    factor: float
    decimals: int
    better: Literal["more", "less"]
    about: str
    estimated: bool = False

    def text(self, value: Any) -> str:
        """Return a value without its unit, ``–`` where it is absent."""
        return ABSENT if pd.isna(value) else f"{self.factor * value:,.{self.decimals}f}"

    def interval(self, value: Any, low: Any, high: Any, *, sampled: bool) -> str:
        """Return ``±`` and the larger side of a value's interval, nothing where it is exact or not known.

        ``±?`` says that images were ``sampled``, but too few to bound it.
        """
        if pd.isna(value) or low == high:
            return ""
        if pd.isna(low) or pd.isna(high):
            return "±?" if self.estimated and sampled else ""
        return f"±{self.factor * max(value - low, high - value):,.{self.decimals}f}"

    def to_json(self) -> dict[str, Any]:
        """Return what a script needs to show the figure in the same way."""
        return asdict(self)


def metrics_of(figures: pd.DataFrame) -> Mapping[str, Metric]:
    """Return the metrics by key, with units and decimals that suit the figures of a report."""
    zipped, latency = figures["zipped"].dropna(), figures["latency"].dropna()
    large = len(zipped) > 0 and zipped.min() >= _LARGE
    size, unit = ("MiB", MIB) if large else ("KiB", KIB)
    return {
        metric.key: metric
        for metric in (
            Metric("accuracy", "accuracy", "%", 100, 1, "more", "right of the clean images", True),
            Metric("mce", "mCE", _OF_ERROR, 1, 1, "less", "error under all corruptions", True),
            Metric(
                "relative_mce", "relative mCE", _OF_LOSS, 1, 1, "less", "what they add to the error", True
            ),
            Metric("compression_ratio", "compression ratio", "×", 1, 2, "more", "of the zipped sizes"),
            Metric("zipped", "zipped size", size, 1 / unit, _decimals(zipped / unit), "less", "of the file"),
            Metric(
                "latency", "latency", "ms", 1000, _decimals(1000 * latency), "less", "median of inferences"
            ),
        )
    }


def _decimals(values: Iterable[float]) -> int:
    """Return with how many places the smallest of ``values`` has three digits, at most three."""
    smallest = min((value for value in values if value > 0), default=1.0)
    return min(3, max(0, 2 - math.floor(math.log10(smallest))))
