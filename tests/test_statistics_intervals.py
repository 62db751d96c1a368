"""The confidence interval of an error rate."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, hypergeom

from reporting.statistics.intervals import wilson

counts = st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(counts, st.floats(0.5, 0.999))
def test_the_interval_is_that_of_scipy(count: tuple[int, int], level: float) -> None:
    errors, images = count
    expected = binomtest(errors, images).proportion_ci(level, method="wilson")
    np.testing.assert_allclose(wilson(errors, images, level=level), expected, atol=1e-12)


@given(counts)
def test_the_interval_of_a_sample_narrows_to_a_point_as_the_sample_becomes_the_test_set(
    count: tuple[int, int],
) -> None:
    errors, images = count
    rate = errors / images
    widths = []
    for population in (None, 100 * images, 2 * images, images + 1, images):
        low, high = wilson(errors, images, population=population)
        assert 0 <= low <= rate * (1 + 1e-12)
        assert rate * (1 - 1e-12) <= high <= 1
        widths.append(float(high - low))
    assert widths == sorted(widths, reverse=True)
    assert wilson(errors, images, population=images) == (rate, rate)


def test_the_interval_of_a_sample_covers_the_rate_of_the_test_set() -> None:
    size, wrong, images = 1000, 200, 600
    errors = np.arange(images + 1)
    low, high = wilson(errors, images, population=size)
    covered = (low <= wrong / size) & (wrong / size <= high)
    # The exact distribution of the errors in a sample; without the correction it would be 99.8 %.
    assert hypergeom.pmf(errors, size, wrong, images)[covered].sum() == pytest.approx(0.95, abs=0.01)


def test_two_of_three_images_tell_as_much_as_four_of_many() -> None:
    # n (N - 1) / (N - n) = 2 * 2 / 1
    np.testing.assert_allclose(wilson(1, 2, population=3), wilson(2, 4))


def test_bounds_of_all_or_no_errors_are_exact() -> None:
    low, high = wilson([0, 50], [50, 50])
    assert low[0] == 0
    assert high[1] == 1
    assert 0 < high[0] < 0.1
    assert 0.9 < low[1] < 1


def test_no_images_have_no_interval() -> None:
    assert np.isnan(wilson([0, 3], [0, 9])).tolist() == [[True, False], [True, False]]


def test_impossible_counts_and_levels_are_refused() -> None:
    with pytest.raises(ValueError, match="errors <= images"):
        wilson([1, 4], [3, 3])
    with pytest.raises(ValueError, match="population of at least the 3 images"):
        wilson(1, 3, population=2)
    with pytest.raises(ValueError, match="level between 0 and 1"):
        wilson(1, 3, level=95)
