"""The gate: whether what a case measured keeps the suite's thresholds.

A figure is held against a threshold with its whole interval: beyond it, it breaks the threshold; on both
sides of it, it is undecided; else it keeps it.  A figure that its data do not define keeps nothing.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from benchmarks.results import Record
from benchmarks.rules import Limit, limits_of
from benchmarks.schema import Suite

if TYPE_CHECKING:
    from reporting.figures import Figure

#: How a figure stands to its threshold: it keeps it, breaks it, or its interval straddles it.
Standing = Literal["kept", "undecided", "broken"]

#: What figures may be beyond a limit by the rounding of floating point.
_ROUNDING = 1e-9


class UndecidedWarning(UserWarning):
    """The interval of a figure straddles a threshold, so that more images would be needed to decide."""


@dataclass(frozen=True)
class Check:
    """A figure held against a threshold: ``threshold`` is the suite's key, ``rule`` the pattern that set it.

    ``value``, its interval ``low`` to ``high`` and ``limit`` are in the threshold's unit.  ``value`` is
    ``None`` where the data do not define it, which ``why`` explains, and a bound where they do not set it.
    """

    threshold: str
    rule: str
    limit: float
    value: float | None
    low: float | None
    high: float | None
    standing: Standing
    why: str = ""

    def fails(self, strict: bool) -> bool:
        """Return whether the case fails by this; ``strict`` is of the suite's thresholds."""
        return self.standing == "broken" or (strict and self.standing == "undecided")

    @property
    def bound(self) -> str:
        """The threshold with its limit and rule, such as ``ce_max at most 120 (rule */*/fog)``."""
        sense = "at most" if _is_upper(self.threshold) else "at least"
        return f"{self.threshold} {sense} {self.limit:g} (rule {self.rule})"

    @property
    def excess(self) -> float | None:
        """How far the value is beyond the limit; below zero on the right side of it."""
        if self.value is None:
            return None
        return self.value - self.limit if _is_upper(self.threshold) else self.limit - self.value

    @property
    def interval(self) -> str:
        """The interval, such as ``0.59 to 0.77``; empty where the value is exact."""
        if self.value is None or self.low == self.high == self.value:
            return ""
        if self.low is None and self.high is None:
            return "unbounded"
        return " to ".join("?" if end is None else f"{end:.4g}" for end in (self.low, self.high))


class Limits:
    """The thresholds of a suite, as an assertion that cases make.

    ``repeat`` is the command that repeats the case, for its message.
    """

    def __init__(self, suite: Suite, repeat: str = "") -> None:
        self._suite = suite
        self._repeat = repeat
        #: What has been held against a threshold.
        self.checks: list[Check] = []

    def check(self, record: Record, original: Record | None = None) -> None:
        """Assert that ``record`` keeps every threshold that is for its case.

        ``original`` is the same measurement of the uncompressed network, for the relative figures.  Warns of
        what is undecided with an :class:`UndecidedWarning`, unless the suite is strict.
        """
        __tracebackhide__ = True
        checks = list(self._checks(record, original))
        self.checks += checks
        strict = self._suite.thresholds.strict
        failing = [check for check in checks if check.fails(strict)]
        if failing:
            told = "\n".join(self._told(check) for check in failing)
            repeat = f"\nrepeat: {self._repeat}" if self._repeat else ""
            raise AssertionError(f"{record.case}: {told}{repeat}")
        undecided = [check.bound for check in checks if check.standing != "kept"]
        if undecided:
            # The same words for every case, so that pytest lists the cases below them.
            message = f"undecided, because the interval straddles {', '.join(undecided)}"
            warnings.warn(message, UndecidedWarning, stacklevel=2)

    def _checks(self, record: Record, original: Record | None) -> Iterator[Check]:
        limits = limits_of(record.case, self._suite.thresholds)
        if not limits:
            return
        from reporting.figures import figures_of  # noqa: PLC0415 - pandas, which is of no use without limits

        figures = figures_of(record, original, self._suite.statistics, self._suite.seed)
        decisions = record.details.get("decisions", {})
        for threshold, limit in limits.items():
            if threshold in decisions:
                yield _decided(threshold, limit, figures[threshold], decisions[threshold])
            else:
                yield _held(threshold, limit, figures[threshold])

    def _told(self, check: Check) -> str:
        expected = f"expected {check.bound}, got"
        if check.value is None or check.excess is None:
            return f"{expected} no figure, because {check.why}"
        got = f"{expected} {check.value:.4g}"
        if check.interval:
            got += f" ({check.interval} at {100 * self._suite.statistics.level:g} %)"
        if check.standing == "broken":
            return f"{got}, {check.excess:.3g} beyond it"
        return f"{got}, undecided, which fails because thresholds.strict is true"


def _decided(threshold: str, limit: Limit, figure: Figure, decision: str | None) -> Check:
    """Return how a figure stands to a threshold by the decision of a sequential evaluation.

    The images looked at are those that it took, so their figure is no estimate to put an interval around.
    """
    standings: dict[str | None, Standing] = {"below": "kept", "above": "broken", None: "undecided"}
    value = figure.value if math.isfinite(figure.value) else None
    return Check(threshold, limit.rule, limit.value, value, None, None, standings[decision], figure.why)


def _held(threshold: str, limit: Limit, figure: Figure) -> Check:
    """Return how a figure stands to a threshold."""
    if not math.isfinite(figure.value):
        return Check(threshold, limit.rule, limit.value, None, None, None, "broken", figure.why)
    low, high = (end if math.isfinite(end) else None for end in (figure.low, figure.high))
    upper = _is_upper(threshold)
    beyond = {
        _is_beyond(-math.inf if low is None else low, limit.value, upper),
        _is_beyond(math.inf if high is None else high, limit.value, upper),
    }
    standing: Standing = "undecided" if len(beyond) == 2 else "broken" if True in beyond else "kept"
    return Check(threshold, limit.rule, limit.value, figure.value, low, high, standing)


def _is_beyond(end: float, limit: float, upper: bool) -> bool:
    if math.isclose(end, limit, rel_tol=_ROUNDING, abs_tol=_ROUNDING):
        return False
    return end > limit if upper else end < limit


def _is_upper(threshold: str) -> bool:
    return threshold.endswith("_max")
