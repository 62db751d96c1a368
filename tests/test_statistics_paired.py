"""Two models on the same images."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, multinomial

from reporting.statistics.paired import adjusted, difference_interval, discordant, mcnemar

p_values = st.lists(st.floats(0, 1), min_size=1, max_size=30).map(np.array)


@given(st.integers(1, 40), st.integers(0, 2**32))
def test_discordant_images_are_counted_alike_in_bits_and_in_bools(images: int, seed: int) -> None:
    baseline, current = np.random.default_rng(seed).random((2, 3, 4, images)) < 0.4
    b, c = discordant(baseline, current)
    np.testing.assert_array_equal(b - c, baseline.sum(axis=-1) - current.sum(axis=-1))
    np.testing.assert_array_equal(b + c, (baseline != current).sum(axis=-1))
    bits = discordant(np.packbits(baseline, axis=-1), np.packbits(current, axis=-1))
    np.testing.assert_array_equal(bits, (b, c))


def test_outcomes_of_other_images_are_refused() -> None:
    with pytest.raises(ValueError, match="of the same images"):
        discordant(np.zeros((2, 9), bool), np.zeros((2, 8), bool))
    with pytest.raises(ValueError, match="of the same images"):
        discordant(np.zeros((2, 9), bool), np.zeros((2, 9), np.uint8))
    with pytest.raises(ValueError, match="packed bits, got int64"):
        discordant(np.zeros((2, 9), np.int64), np.zeros((2, 9), np.int64))


@given(st.integers(0, 500), st.integers(0, 500))
def test_mcnemar_is_the_exact_binomial_test_of_the_discordant_images(b: int, c: int) -> None:
    expected = binomtest(b, b + c).pvalue if b + c else 1.0
    assert mcnemar(b, c) == pytest.approx(expected, rel=1e-9, abs=1e-300)
    assert mcnemar(b, c) == mcnemar(c, b)


@given(p_values)
def test_corrections_are_the_step_up_procedures_of_their_authors(p: np.ndarray) -> None:
    tests = len(p)
    ranks = np.arange(1, tests + 1)
    order = np.argsort(p)
    for correction, penalty in (("bh", 1.0), ("by", (1 / ranks).sum())):
        result = adjusted(p, correction)  # type: ignore[arg-type]
        for alpha in (0.01, 0.05, 0.2):
            under = np.flatnonzero(p[order] <= ranks * alpha / (tests * penalty) * (1 - 1e-9))
            rejected = order[: under[-1] + 1] if len(under) else order[:0]
            assert (result[rejected] <= alpha).all()
            over = np.flatnonzero(p[order] <= ranks * alpha / (tests * penalty) * (1 + 1e-9))
            assert (result <= alpha).sum() <= (over[-1] + 1 if len(over) else 0)


@given(p_values)
def test_what_was_not_tested_counts_for_nothing_in_the_correction(p: np.ndarray) -> None:
    with_missing = np.concatenate([[np.nan], p, [np.nan]])
    result = adjusted(with_missing)
    assert np.isnan(result[[0, -1]]).all()
    np.testing.assert_array_equal(result[1:-1], adjusted(p))


def test_of_no_tests_nothing_is_adjusted() -> None:
    assert np.isnan(adjusted(np.array([np.nan, np.nan]))).all()


@pytest.mark.parametrize(("images", "lost", "gained"), [(100, 0.05, 0.05), (150, 0.02, 0.1), (60, 0.2, 0.05)])
def test_the_interval_contains_the_true_difference_as_often_as_its_level(
    images: int, lost: float, gained: float
) -> None:
    b, c = (grid.ravel() for grid in np.meshgrid(np.arange(images + 1), np.arange(images + 1)))
    b, c = b[b + c <= images], c[b + c <= images]
    probability = multinomial.pmf(
        np.stack([b, c, images - b - c], axis=1), images, [lost, gained, 1 - lost - gained]
    )
    low, high = difference_interval(b, c, images, level=0.95)
    covered = (low <= gained - lost) & (gained - lost <= high)
    assert probability[covered].sum() == pytest.approx(0.95, abs=0.02)


@given(st.integers(1, 1000).flatmap(lambda n: st.tuples(st.integers(0, n), st.integers(0, n), st.just(n))))
def test_the_interval_contains_the_difference_and_turns_round_with_the_models(
    counts: tuple[int, int, int],
) -> None:
    b, c, images = counts[0], min(counts[1], counts[2] - counts[0]), counts[2]
    low, high = difference_interval(b, c, images)
    assert -1 <= low <= (c - b) / images <= high <= 1
    assert difference_interval(c, b, images) == pytest.approx((-high, -low))


def test_the_interval_of_models_that_agree_is_no_point_and_that_of_no_images_is_absent() -> None:
    low, high = difference_interval([0, 0, 0], [0, 0, 0], [100, 10_000, 0])
    assert high[0] > high[1] > 0 > low[1] > low[0]
    assert np.isnan([low[2], high[2]]).all()
