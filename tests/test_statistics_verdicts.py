"""What a comparison with a baseline comes to."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporting.statistics.bootstrap import Bootstrap, Metrics
from reporting.statistics.verdicts import Verdict, compare_cells, compare_mce, variant_verdict


def test_each_cell_gets_the_verdict_that_its_images_show() -> None:
    cells = {
        "worse": (100, 400, 10_000),
        "better": (400, 100, 10_000),
        "same": (50, 60, 10_000),
        "missing": (0, 0, 0),
        # Ten points worse, but of so few images that chance explains it.
        "not enough data": (1, 3, 20),
    }
    b, c, images = np.array(list(cells.values())).T
    assert compare_cells(b, c, images, least=0.01).verdict.tolist() == list(cells)


def test_a_significant_rise_below_the_least_effect_is_no_regression() -> None:
    result = compare_cells([10], [60], [10_000], least=0.01)
    assert result.p_adjusted < 1e-6
    assert result.difference == 0.005
    assert result.verdict == "same"


def test_a_significant_rise_that_may_reach_the_least_effect_is_not_called_the_same() -> None:
    result = compare_cells([10], [100], [10_000], least=0.01)
    assert result.difference < 0.01 < result.high
    assert result.verdict == "not enough data"


def test_a_rise_of_exactly_the_least_effect_is_a_regression() -> None:
    assert compare_cells([0], [300], [10_000], least=0.03).verdict == "worse"


def test_agreement_of_too_few_images_shows_nothing() -> None:
    few, many = compare_cells([0, 0], [0, 0], [100, 10_000], least=0.01).verdict
    assert (few, many) == ("not enough data", "same")


def test_the_correction_is_over_all_cells_that_were_measured() -> None:
    # One rise at p = 0.017: by itself a regression, also among missing cells, but not among a hundred.
    alone = compare_cells([5], [17], [1000], least=0.01)
    assert alone.verdict == "worse"
    among_missing = compare_cells([5, *[0] * 99], [17, *[0] * 99], [1000, *[0] * 99], least=0.01)
    assert among_missing.verdict[0] == "worse"
    among_equal = compare_cells([5] * 100, [17, *[5] * 99], [1000] * 100, least=0.01)
    assert among_equal.verdict[0] == "not enough data"


def test_equal_models_seldom_raise_a_false_alarm_in_any_of_their_cells() -> None:
    rng = np.random.default_rng(0)
    shape = (400, 75)
    changed = rng.binomial(1000, 0.1, shape)
    c = rng.binomial(changed, 0.5)
    alarms = sum(
        "worse" in compare_cells(changed[run] - c[run], c[run], np.full(75, 1000), least=1e-9).verdict
        for run in range(shape[0])
    )
    # At 5 %, worse or better, 20 are expected; more than 37 would be one chance in ten thousand.
    assert alarms <= 37


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60), st.floats(0.001, 0.2))
def test_more_errors_never_make_a_verdict_more_favourable(b: int, c: int, more: int, least: float) -> None:
    order = ["better", "same", "not enough data", "worse"]
    verdicts = [compare_cells([b], [count], [200], least=least).verdict[0] for count in (c, c + more)]
    assert order.index(verdicts[0]) <= order.index(verdicts[1])


def test_counts_and_effects_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match=r"b \+ c <= images"):
        compare_cells([5], [6], [10], least=0.01)
    with pytest.raises(ValueError, match="least effect above zero"):
        compare_cells([5], [5], [10], least=0)


def mce_difference(estimate: list[float], deviation: float) -> Bootstrap:
    """Return bootstrapped differences with normal replicates of the given standard deviation."""
    differences = np.array(estimate)
    noise = deviation * np.random.default_rng(1).normal(size=(len(estimate), 2000))
    ce = np.full((len(estimate), 0), np.nan)
    return Bootstrap(
        Metrics(differences, ce, differences, ce, differences),
        Metrics(noise, ce[..., np.newaxis], differences[:, np.newaxis] + noise, ce[..., np.newaxis], noise),
        corruptions=(),
        images=100,
    )


@pytest.mark.filterwarnings("error")
def test_each_mce_gets_the_verdict_that_its_replicates_show() -> None:
    difference = mce_difference([6, -6, 0.3, 1.5, np.nan], deviation=0.5)
    result = compare_mce(difference, least=2)
    assert result.verdict.tolist() == ["worse", "better", "same", "not enough data", "missing"]
    assert result.p[3] == pytest.approx(0.0027, rel=0.2)


def test_an_unbounded_mce_is_not_enough_data() -> None:
    difference = mce_difference([0.0], deviation=0.5)
    difference.replicates.mce[0, :200] = np.nan
    assert compare_mce(difference, least=2).verdict == "not enough data"


def test_an_mce_that_does_not_vary_is_certain() -> None:
    assert compare_mce(mce_difference([0, 3], deviation=0), least=2).p.tolist() == [1, 0]
    whole = compare_mce(mce_difference([1.9, 2.1], deviation=5), least=2, population=100)
    assert whole.verdict.tolist() == ["same", "worse"]


@pytest.mark.parametrize(
    ("cells", "mce", "expected"),
    [
        (["same", "worse", "missing"], "better", "worse"),
        (["same", "same"], "worse", "worse"),
        (["better", "missing"], "same", "missing"),
        ([], "same", "missing"),
        (["same", "not enough data"], "same", "same"),
        (["same", "same"], "not enough data", "not enough data"),
        (["same", "better"], "missing", "better"),
        (["better", "not enough data"], "missing", "not enough data"),
        (["same", "same"], "missing", "same"),
    ],
)
def test_a_variant_is_no_better_than_its_cells_and_its_mce_show(
    cells: list[Verdict], mce: Verdict, expected: Verdict
) -> None:
    assert variant_verdict(cells, mce) == expected
