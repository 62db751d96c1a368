"""Looking at images only until the answer is certain."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from fixtures import sequential
from fixtures.sequential import (
    SequentialMean,
    accuracy_evaluation,
    corruption_error_evaluation,
    corruption_error_values,
)

POPULATIONS = 2000

#: A simulation of a method that keeps its level fails once in ten thousand runs of other seeds.
ONE_IN = 1e-4


def most_errors(level: float) -> int:
    """Return how many of the populations may be decided wrongly before chance does not explain it."""
    return int(binom.ppf(1 - ONE_IN, POPULATIONS, 1 - level))


def binary(errors: int, size: int) -> np.ndarray:
    return (np.arange(size) < errors).astype(float)


def ce_like(size: int, ce_max: float, rng: np.random.Generator) -> np.ndarray:
    """Return per-image differences over five severities, of images that are easy or hard for both models."""
    hard = rng.normal(0, 1.5, (1, size)) + 0.4 * np.arange(5)[:, np.newaxis]
    original, variant = (hard + rng.normal(0, 0.7, (5, size)) > 1.7 for _ in range(2))
    return corruption_error_values(variant, original, ce_max)


def evaluated(values: np.ndarray, low: float, high: float, limit: float, level: float) -> SequentialMean:
    evaluation = SequentialMean(population=len(values), low=low, high=high, limit=limit, level=level)
    evaluation.update(values)
    return evaluation


def decided_early(evaluation: SequentialMean) -> bool:
    return evaluation.decided_after is not None and evaluation.decided_after < evaluation.population


@pytest.mark.parametrize("level", [0.95, 0.8])
@pytest.mark.parametrize("rate", [0.02, 0.3, 0.5])
def test_error_rates_at_the_limit_are_decided_early_no_more_often_than_the_level_allows(
    rate: float, level: float
) -> None:
    # Neither side is right before the last image tells, so that every early decision is an error.  The
    # evaluation looks after every single value, also within one update.
    rng = np.random.default_rng(1)
    population = binary(round(rate * 300), 300)
    wrong = sum(
        decided_early(evaluated(rng.permutation(population), 0, 1, rate, level)) for _ in range(POPULATIONS)
    )
    assert wrong <= most_errors(level)


@pytest.mark.parametrize("side", ["below", "above"])
def test_an_error_rate_one_image_off_the_limit_is_decided_wrongly_no_more_often_than_the_level_allows(
    side: str,
) -> None:
    rng = np.random.default_rng(2)
    population = binary(89 if side == "below" else 91, 300)
    wrong = 0
    for _ in range(POPULATIONS):
        evaluation = SequentialMean(population=300, low=0, high=1, limit=0.3, level=0.9)
        evaluation.update(rng.permutation(population)[:-1])
        wrong += evaluation.decision not in (side, None)
    assert wrong <= most_errors(0.9)


@pytest.mark.parametrize("level", [0.95, 0.8])
def test_corruption_errors_at_the_limit_are_decided_early_no_more_often_than_the_level_allows(
    level: float,
) -> None:
    rng = np.random.default_rng(3)
    wrong = 0
    for _ in range(POPULATIONS):
        values = ce_like(300, 110, rng)
        # A population of its own each time, so the limit is moved to its mean.
        wrong += decided_early(evaluated(values, -5.5, 5, values.mean(), level))
    assert wrong <= most_errors(level)


def test_the_simulation_would_show_an_interval_that_may_not_be_looked_at_twice() -> None:
    rng = np.random.default_rng(4)
    orders = rng.permuted(np.tile(binary(90, 300), (POPULATIONS, 1)), axis=1)[:, :-1]
    seen = np.arange(1, 300)
    rates = orders.cumsum(axis=1) / seen
    fixed = 1.96 * np.sqrt(0.3 * 0.7 / seen * (300 - seen) / 299)
    # Even if it starts only after thirty images.
    assert (np.abs(rates - 0.3) > fixed)[:, 30:].any(axis=1).sum() > 4 * most_errors(0.95)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_over_all_orders_of_a_small_population_an_early_decision_at_the_limit_is_as_rare_as_claimed(
    data: st.DataObject,
) -> None:
    size = data.draw(st.integers(2, 9))
    errors = data.draw(st.integers(0, size))
    level = data.draw(st.sampled_from([0.2, 0.5, 0.8]))
    orders = list(combinations(range(size), errors))
    early = 0
    for places in orders:
        values = np.zeros(size)
        values[list(places)] = 1
        early += decided_early(evaluated(values, 0, 1, errors / size, level))
    assert early <= (1 - level) * len(orders) + 1e-9


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_over_all_orders_of_a_small_population_the_capital_is_one_on_average_at_its_mean(
    data: st.DataObject,
) -> None:
    size = data.draw(st.integers(2, 8))
    errors = data.draw(st.integers(1, size - 1))
    above = data.draw(st.sampled_from([0, 0.05, 0.2]))
    mean = errors / size + above
    capital = []
    for places in combinations(range(size), errors):
        values = np.zeros(size)
        values[list(places)] = 1
        capital.append(np.exp(sequential._Capital(size, mean).play(values)))
    average = np.mean(capital, axis=0)
    if above:
        assert (average <= 1 + 1e-9).all()
    else:
        np.testing.assert_allclose(average, 1)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32), st.lists(st.integers(1, 199), max_size=6), st.floats(0.05, 0.95))
def test_the_decision_does_not_depend_on_how_values_are_batched(
    seed: int, cuts: list[int], limit: float
) -> None:
    rng = np.random.default_rng(seed)
    values = rng.permutation(binary(rng.integers(201), 200))
    whole = evaluated(values, 0, 1, limit, 0.9)
    parts = SequentialMean(population=200, low=0, high=1, limit=limit, level=0.9)
    for batch in np.split(values, sorted(cuts)):
        parts.update(batch)
    assert (parts.decision, parts.decided_after) == (whole.decision, whole.decided_after)


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=40), st.integers(-50, 50))
@settings(deadline=None)
def test_the_whole_population_decides_exactly(values: list[int], tenths: int) -> None:
    limit = tenths / 10
    evaluation = evaluated(np.array(values), -5, 5, limit, 0.5)
    assert evaluation.decision == ("above" if 10 * sum(values) > tenths * len(values) else "below")
    assert evaluation.interval() == pytest.approx((np.mean(values), np.mean(values)))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 199), st.floats(0.01, 0.99))
def test_there_is_a_decision_when_the_interval_lies_on_one_side_of_the_limit(
    seed: int, seen: int, limit: float
) -> None:
    rng = np.random.default_rng(seed)
    evaluation = SequentialMean(population=200, low=0, high=1, limit=limit)
    evaluation.update(rng.permutation(binary(rng.integers(201), 200))[:seen])
    low, high = evaluation.interval()
    assert evaluation.decision == ("above" if low >= limit else "below" if high <= limit else None)
    assert 0 <= low <= high <= 1


@pytest.mark.parametrize("rate", [0.1, 0.3, 0.8])
def test_rounding_never_moves_a_bound_across_the_limit(rate: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequential, "_HALVINGS", 2)
    values = np.random.default_rng(8).permutation(binary(round(rate * 1000), 1000))
    evaluation = SequentialMean(population=1000, low=0, high=1, limit=0.47)
    while evaluation.decision is None:
        evaluation.update(values[evaluation.seen : evaluation.seen + 1])
    low, high = evaluation.interval()
    assert high <= 0.47 if rate < 0.47 else low >= 0.47


def test_the_interval_narrows_with_every_batch() -> None:
    values = np.random.default_rng(5).permutation(binary(300, 1000))
    evaluation = SequentialMean(population=1000, low=0, high=1, limit=0.9)
    low, high = evaluation.interval()
    assert (low, high) == pytest.approx((0, 1), abs=1e-5)
    for batch in np.split(values, 10):
        evaluation.update(batch)
        narrower = evaluation.interval()
        assert low - 1e-6 <= narrower[0] <= 0.3 <= narrower[1] <= high + 1e-6
        low, high = narrower


@pytest.mark.parametrize(
    ("limit", "side", "share"),
    [(0.5, "below", 0.01), (0.4, "below", 0.05), (0.35, "below", 0.15), (0.25, "above", 0.15)],
)
def test_a_clear_error_rate_is_decided_from_few_of_ten_thousand_images(
    limit: float, side: str, share: float
) -> None:
    rng = np.random.default_rng(6)
    runs = [evaluated(rng.permutation(binary(3000, 10_000)), 0, 1, limit, 0.95) for _ in range(11)]
    assert [run.decision for run in runs] == [side] * 11
    assert np.median([run.decided_after or 0 for run in runs]) < share * 10_000


def test_a_clear_corruption_error_is_decided_from_few_images() -> None:
    values = ce_like(10_000, 120, np.random.default_rng(7))
    evaluation = corruption_error_evaluation(120, severities=5, images=10_000)
    assert evaluation.update(values) == "below"
    assert evaluation.decided_after is not None
    assert evaluation.decided_after < 1000


def test_a_value_that_settles_the_mean_decides_at_any_level() -> None:
    evaluation = SequentialMean(population=10, low=0, high=1, limit=0.15, level=1 - 1e-12)
    assert evaluation.update([1]) is None
    assert evaluation.update([1]) == "above"


def test_a_first_decision_stands_until_the_whole_population_contradicts_it() -> None:
    values = np.concatenate([np.zeros(60), np.ones(40)])
    evaluation = SequentialMean(population=100, low=0, high=1, limit=0.3)
    evaluation.update(values[:60])
    after = evaluation.decided_after
    assert (evaluation.update(values[60:99]), evaluation.decided_after) == ("below", after)
    assert (evaluation.update(values[99:]), evaluation.decided_after) == ("above", 100)


@given(st.integers(1, 5), st.integers(1, 30), st.integers(1, 300), st.integers(0, 2**32))
@settings(deadline=None)
def test_the_values_of_a_corruption_error_average_above_zero_when_it_is_above_its_limit(
    severities: int, images: int, ce_max: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    wrong, original = rng.random((2, severities, images)) < rng.random((2, 1, 1))
    evaluation = corruption_error_evaluation(ce_max, severities=severities, images=images)
    decision = evaluation.update(corruption_error_values(wrong, original, ce_max))
    assert decision == ("above" if 100 * wrong.sum() > ce_max * original.sum() else "below")


def test_an_accuracy_of_exactly_the_least_is_below_the_limit_of_errors() -> None:
    evaluation = accuracy_evaluation(0.65, images=1000)
    assert evaluation.update(binary(350, 1000)) == "below"


def test_before_the_first_value_nothing_is_known() -> None:
    evaluation = accuracy_evaluation(0.65, images=1000)
    assert evaluation.update([]) is None
    assert np.isnan(evaluation.estimate)
    assert repr(evaluation) == "SequentialMean(0 of 1000 values, limit=0.35, level=0.95, decision=None)"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"population": 0}, "at least one value"),
        ({"low": 1.0}, "low < high"),
        ({"high": np.inf}, "finite bounds"),
        ({"limit": 1.5}, "limit between 0 and 1"),
        ({"limit": np.nan}, "limit between 0 and 1"),
        ({"level": 95}, "level between 0 and 1"),
    ],
)
def test_an_evaluation_that_makes_no_sense_is_refused(changed: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SequentialMean(**{"population": 10, "low": 0, "high": 1, "limit": 0.5, **changed})


@pytest.mark.parametrize(
    ("values", "message"),
    [([0.0] * 11, "10 more values"), ([1.5], "value 0"), ([np.nan], "value 0"), ([[0.0]], r"shape \(n,\)")],
)
def test_values_that_are_not_of_the_population_are_refused(values: list[float], message: str) -> None:
    evaluation = SequentialMean(population=10, low=0, high=1, limit=0.5)
    with pytest.raises(ValueError, match=message):
        evaluation.update(values)
    assert evaluation.seen == 0


def test_a_corruption_error_needs_the_same_images_of_both_models_and_a_limit_above_zero() -> None:
    with pytest.raises(ValueError, match="one shape"):
        corruption_error_values(np.zeros((5, 3)), np.zeros((5, 4)), 100)
    with pytest.raises(ValueError, match="above 0 %"):
        corruption_error_evaluation(0, severities=5, images=10)
