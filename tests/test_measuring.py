"""A measurement makes a record of what the workshop has: which images were wrong, how long one took."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.cases import STANDARD_CORRUPTIONS, Case, Variant
from benchmarks.results import ImageSet
from fixtures.measuring import latency_record, measure_mce, measure_predictions
from fixtures.workshop import Predictions

VARIANT = Variant("digits", "vgg6", "qat")
LATENCY = Case(VARIANT, "latency")
LABELS = np.arange(20) % 10


class Workshop:
    """A workshop whose predictions of a corruption are wrong on as many images as its place and severity."""

    suite = SimpleNamespace(corruptions=SimpleNamespace(severities=[1, 3]))

    def predictions(self, _: Variant, corruption: str | None, remeasure: bool = False) -> Predictions:
        place = STANDARD_CORRUPTIONS.index(corruption) if corruption else 0
        severities = self.suite.corruptions.severities if corruption else [0]
        wrong = [np.arange(20) < place + severity for severity in severities]
        return Predictions((LABELS + np.stack(wrong)) % 10, from_store=not remeasure)

    def test(self, _: str) -> Any:
        return SimpleNamespace(labels=LABELS)

    def indices(self, _: str) -> np.ndarray:
        return np.arange(20)

    def class_names(self, _: str) -> tuple[str, ...]:
        return tuple("0123456789")

    def image_set(self, _: str, corruption: str | None) -> ImageSet:
        return ImageSet(100, {"corruption": corruption})


def test_mce_is_of_the_cells_of_the_accuracy_and_robustness_cases() -> None:
    workshop: Any = Workshop()
    cases = [Case(VARIANT, "accuracy"), *(Case(VARIANT, "robustness", name) for name in STANDARD_CORRUPTIONS)]
    parts = [measure_predictions(workshop, case, False) for case in cases]
    record = measure_mce(workshop, Case(VARIANT, "mce"), False)
    assert record.cells == tuple(cell for part in parts for cell in part.cells)
    assert record.images == parts[0].images


def test_a_latency_keeps_every_time_to_a_tenth_of_a_microsecond() -> None:
    details = latency_record(LATENCY, np.array([0.00123456789, 2.5]), 0.95).details
    assert details["seconds"] == [0.0012346, 2.5]


TIMES = st.lists(st.floats(1e-6, 1), min_size=1, max_size=60).map(np.array)


@settings(deadline=None)  # the first imports scipy.stats
@given(TIMES, st.floats(0.5, 0.99))
def test_median_lies_within_its_interval_and_that_within_the_times(seconds: np.ndarray, level: float) -> None:
    metrics = latency_record(LATENCY, seconds, level).metrics
    low, median, high = (metrics[f"latency_median{end}_s"] for end in ("_low", "", "_high"))
    assert seconds.min() <= low <= median <= high <= seconds.max()


def test_interval_of_a_median_is_between_order_statistics() -> None:
    """Of 100 times the 40th and the 61st, which hold the median with a probability of 96.5 %."""
    metrics = latency_record(LATENCY, np.arange(1.0, 101), 0.95).metrics
    assert (metrics["latency_median_low_s"], metrics["latency_median_high_s"]) == (40, 61)


@pytest.mark.parametrize("rounds", [1, 2, 5])
def test_too_few_times_give_their_range(rounds: int) -> None:
    metrics = latency_record(LATENCY, np.arange(1.0, 1 + rounds), 0.95).metrics
    assert (metrics["latency_median_low_s"], metrics["latency_median_high_s"]) == (1, rounds)
