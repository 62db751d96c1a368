"""The accuracy after an attack is held against its threshold with its interval."""

from __future__ import annotations

import math
import warnings

import pytest
from made_runs import suite_of

from benchmarks.cases import Case, Variant
from benchmarks.results import ImageSet, Record
from benchmarks.sections import Statistics
from reporting.figures import figures_of
from reporting.gate import Limits, UndecidedWarning
from reporting.statistics.intervals import wilson

CASE = Case(Variant("d", "m", "int8"), "adversarial", method="fast")
SUCH_IMAGES = Statistics(about="such-images")


def record(errors: int, images: int = 100, population: int = 1000) -> Record:
    metrics = {"post_attack_accuracy": 1 - errors / images}
    return Record(
        CASE, metrics=metrics, details={"images": images}, images=ImageSet(population, {"test": "abc"})
    )


@pytest.mark.parametrize(
    ("statistics", "population"), [(Statistics(), 1000), (SUCH_IMAGES, None)], ids=["test-set", "such-images"]
)
def test_its_interval_is_wilson_s(statistics: Statistics, population: int | None) -> None:
    figure = figures_of(record(30), None, statistics, 0)["post_attack_accuracy_min"]
    low, high = wilson(30, 100, level=0.95, population=population)
    assert (figure.value, figure.low, figure.high) == pytest.approx((0.7, 1 - high, 1 - low))


def test_of_a_whole_test_set_it_is_exact() -> None:
    figure = figures_of(record(30, population=100), None, Statistics(), 0)["post_attack_accuracy_min"]
    assert figure.low == pytest.approx(0.7)
    assert figure.high == pytest.approx(0.7)


def test_without_a_figure_it_says_why() -> None:
    figure = figures_of(Record(CASE), None, Statistics(), 0)["post_attack_accuracy_min"]
    assert math.isnan(figure.value)
    assert figure.why == "it was not attacked"


@pytest.mark.parametrize(("errors", "fails"), [(10, False), (90, True)])
def test_it_fails_a_case_when_all_of_it_is_below(errors: int, fails: bool) -> None:
    suite = suite_of(
        [CASE],
        [1],
        attacks={"by_name": {"fast": {"method": "fgsm"}}},
        thresholds={"post_attack_accuracy_min": 0.5},
    )
    limits = Limits(suite)
    if fails:
        with pytest.raises(AssertionError, match="post_attack_accuracy_min at least"):
            limits.check(record(errors))
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            limits.check(record(errors))
    with pytest.warns(UndecidedWarning):
        limits.check(record(50))
