"""Every metric on images drawn again and again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.cases import STANDARD_CORRUPTIONS
from reporting.frames import CLEAN
from reporting.metrics import (
    corruption_errors,
    relative_corruption_errors,
    summarise,
)
from reporting.statistics import bootstrap as module
from reporting.statistics.bootstrap import bootstrap, deviation_scale, percentile_interval
from reporting.statistics.outcomes import NO_ORIGINAL, Outcomes

CELLS = ((CLEAN, 0), *((name, severity) for name in STANDARD_CORRUPTIONS for severity in (1, 3)))
TECHNIQUES = ("original", "pruned", "qat")


def made_up(rng: np.random.Generator, images: int, rates: tuple[float, ...] = (0.3, 0.35, 0.4)) -> Outcomes:
    """Return variants of the given error rates; images are hard or easy for all of them, in all cells."""
    hard = rng.normal(size=images) + 0.7 * rng.normal(size=(len(rates), len(CELLS), images))
    wrong = hard < np.quantile(hard, rates)[:, np.newaxis, np.newaxis]
    wrong[:, 0] &= rng.random(images) < 0.5
    measured = np.ones(wrong.shape[:2], bool)
    return Outcomes(wrong, images, CELLS, np.zeros(len(rates), np.intp), measured)


def packed(outcomes: Outcomes) -> Outcomes:
    return replace(outcomes, wrong=np.packbits(outcomes.wrong, axis=-1))


def table(outcomes: Outcomes) -> pd.DataFrame:
    """Return the cells as reports have them."""
    rows = [
        ("d", "m", TECHNIQUES[variant], *cell, outcomes.wrong[variant, index].mean())
        for variant in range(len(outcomes.original))
        for index, cell in enumerate(CELLS)
        if outcomes.measured[variant, index]
    ]
    columns = ["dataset", "model", "technique", "corruption", "severity", "error"]
    return pd.DataFrame(rows, columns=columns)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 12), st.lists(st.integers(0, 92), max_size=4))
def test_the_estimates_are_the_metrics_of_the_report_whatever_is_missing(
    seed: int, images: int, missing: list[int]
) -> None:
    outcomes = made_up(np.random.default_rng(seed), images)
    outcomes.measured.reshape(-1)[missing] = False
    estimate = bootstrap(outcomes, replicates=1, rng=np.random.default_rng(0)).estimate
    cells = table(outcomes)
    sizes = pd.DataFrame({"dataset": [], "model": [], "technique": [], "zipped_bytes": [], "file_bytes": []})
    summary = summarise(cells, sizes).set_index("technique").reindex(list(TECHNIQUES))
    for name in ("accuracy", "mce", "relative_mce"):
        np.testing.assert_allclose(getattr(estimate, name), summary[name].to_numpy(float), atol=1e-9)
    for values, reported in (
        (estimate.ce, corruption_errors(cells)),
        (estimate.relative_ce, relative_corruption_errors(cells)),
    ):
        expected = reported.droplevel(["dataset", "model"]).reindex(
            index=list(TECHNIQUES), columns=list(outcomes.corruptions)
        )
        np.testing.assert_allclose(values, expected.to_numpy(float), atol=1e-9)


def test_a_replicate_is_the_metrics_of_the_images_it_drew_in_every_cell_and_variant() -> None:
    outcomes = made_up(np.random.default_rng(1), 40)
    result = bootstrap(outcomes, replicates=5, rng=np.random.default_rng(2))
    drawn = np.random.default_rng(2).integers(40, size=(5, 40))
    for index, images in enumerate(drawn):
        again = replace(outcomes, wrong=outcomes.wrong[:, :, images])
        expected = bootstrap(again, replicates=1, rng=np.random.default_rng(0)).estimate.arrays()
        for name, values in result.replicates.arrays().items():
            np.testing.assert_allclose(values[..., index], expected[name], err_msg=name)


@pytest.mark.parametrize("images", [8, 37, 100])
def test_packed_bits_and_blocks_of_any_size_give_the_same_numbers(
    images: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes = made_up(np.random.default_rng(3), images)
    expected = bootstrap(outcomes, replicates=20, rng=np.random.default_rng(4))
    monkeypatch.setattr(module, "_BLOCK", 7 * images * 4)
    blocks = bootstrap(packed(outcomes), replicates=20, rng=np.random.default_rng(4))
    for name, values in expected.replicates.arrays().items():
        np.testing.assert_array_equal(blocks.replicates.arrays()[name], values, err_msg=name)


def test_intervals_contain_the_truth_as_often_as_their_level() -> None:
    # 20,000 images stand for all there are; each sample of 300 of them is one study.
    rng = np.random.default_rng(5)
    everything = made_up(rng, 20_000)
    truth = bootstrap(everything, replicates=1, rng=rng).estimate.arrays()
    covered = dict.fromkeys(truth, 0.0)
    studies = 200
    for _ in range(studies):
        images = rng.integers(20_000, size=300)
        study = replace(everything, wrong=everything.wrong[:, :, images], images=300)
        low, high = bootstrap(study, replicates=300, rng=rng).intervals(level=0.9)
        for name, value in truth.items():
            # The compressed variants; the original's CE is 100 by definition.
            inside = (low.arrays()[name] <= value) & (value <= high.arrays()[name])
            covered[name] += inside[1:].mean() / studies
    # Of 200 studies, two standard deviations are 0.04; intervals from 300 replicates are a little short.
    for name, share in covered.items():
        assert share == pytest.approx(0.9, abs=0.07), name


def test_intervals_of_a_sample_contain_the_figure_of_the_whole_test_set_and_are_shorter_for_it() -> None:
    rng = np.random.default_rng(6)
    everything = made_up(rng, 400)
    truth = bootstrap(everything, replicates=1, rng=rng).estimate.mce[2]
    inside, studies, ratios = 0, 200, []
    for _ in range(studies):
        images = rng.permutation(400)[:300]
        study = replace(everything, wrong=everything.wrong[:, :, images], images=300)
        result = bootstrap(study, replicates=200, rng=rng)
        low, high = (bounds.mce[2] for bounds in result.intervals(level=0.9, population=400))
        wide_low, wide_high = (bounds.mce[2] for bounds in result.intervals(level=0.9))
        inside += low <= truth <= high
        ratios.append((high - low) / (wide_high - wide_low))
    assert inside / studies == pytest.approx(0.9, abs=0.07)
    np.testing.assert_allclose(ratios, 0.5)


def test_with_the_whole_test_set_measured_the_interval_is_the_figure_itself() -> None:
    result = bootstrap(made_up(np.random.default_rng(7), 50), replicates=50, rng=np.random.default_rng(8))
    for bounds in result.intervals(population=50):
        for name, values in bounds.arrays().items():
            np.testing.assert_array_equal(values, result.estimate.arrays()[name])


def test_differences_are_paired_by_image() -> None:
    outcomes = made_up(np.random.default_rng(9), 200)
    outcomes.wrong[1] = outcomes.wrong[0]
    result = bootstrap(outcomes, replicates=300, rng=np.random.default_rng(10))
    difference = result.minus(outcomes.original)
    low, high = difference.intervals()
    assert (low.accuracy[1], high.accuracy[1], low.mce[1], high.mce[1]) == (0, 0, 0, 0)
    alone_low, alone_high = result.intervals()
    assert high.accuracy[2] - low.accuracy[2] < alone_high.accuracy[2] - alone_low.accuracy[2]
    assert difference.estimate.mce[2] == result.estimate.mce[2] - 100


def test_a_difference_to_no_variant_is_absent() -> None:
    result = bootstrap(made_up(np.random.default_rng(9), 20), replicates=3, rng=np.random.default_rng(10))
    difference = result.minus([NO_ORIGINAL, 0, 1]).estimate.accuracy
    assert np.isnan(difference).tolist() == [True, False, False]


def test_without_an_original_there_is_accuracy_alone() -> None:
    outcomes = replace(made_up(np.random.default_rng(11), 20), original=np.array([0, NO_ORIGINAL, 0]))
    estimate = bootstrap(outcomes, replicates=1, rng=np.random.default_rng(12)).estimate
    assert np.isfinite(estimate.accuracy).all()
    assert np.isnan(estimate.mce).tolist() == [False, True, False]
    assert np.isnan(estimate.relative_ce[1]).all()


def test_an_original_that_errs_on_one_image_alone_bounds_no_corruption_error() -> None:
    # Of the resamples, (1 - 1/20)^20 = 36 % miss that image.
    outcomes = made_up(np.random.default_rng(13), 20)
    outcomes.wrong[0] = np.arange(20) == 7
    result = bootstrap(outcomes, replicates=200, rng=np.random.default_rng(14))
    low, high = result.intervals()
    assert np.isfinite(result.estimate.ce).all()
    assert np.isnan([low.ce, high.ce, np.broadcast_to(low.mce[:, np.newaxis], low.ce.shape)]).all()
    assert np.isfinite([low.accuracy, high.accuracy]).all()


def test_rare_undefined_replicates_widen_an_interval_on_both_sides() -> None:
    replicates = np.arange(1000.0)
    few = np.where(replicates < 20, np.nan, replicates)
    low, high = percentile_interval(np.array(500.0), few, level=0.9)
    assert (low, high) == pytest.approx((49.95, 969.05))
    many = np.where(replicates < 60, np.nan, replicates)
    assert np.isnan(percentile_interval(np.array(500.0), many, level=0.9)).all()


def test_mean_errors_need_all_fifteen_corruptions() -> None:
    outcomes = made_up(np.random.default_rng(15), 20)
    fewer = replace(
        outcomes, cells=CELLS[:-2], wrong=outcomes.wrong[:, :-2], measured=outcomes.measured[:, :-2]
    )
    estimate = bootstrap(fewer, replicates=1, rng=np.random.default_rng(16)).estimate
    assert np.isnan(estimate.mce).all()
    assert np.isfinite(estimate.ce).all()


def test_clean_images_alone_have_an_accuracy() -> None:
    outcomes = made_up(np.random.default_rng(15), 20)
    clean = replace(outcomes, cells=CELLS[:1], wrong=outcomes.wrong[:, :1], measured=outcomes.measured[:, :1])
    low, high = bootstrap(clean, replicates=50, rng=np.random.default_rng(16)).intervals()
    assert (low.accuracy < high.accuracy).all()
    assert np.isnan(low.mce).all()


def test_the_generator_that_is_passed_makes_every_draw() -> None:
    outcomes = made_up(np.random.default_rng(17), 20)
    one, same, other = (
        bootstrap(outcomes, replicates=9, rng=np.random.default_rng(seed)).replicates.mce
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"images": 21}, r"wrong to have shape \(3, 31, 21\), got \(3, 31, 20\)"),
        ({"images": 0}, "at least one image"),
        ({"wrong": np.zeros((3, 31, 20))}, "bool, or uint8 of packed bits, got float64"),
        ({"wrong": np.zeros((3, 31, 20), np.uint8)}, r"shape \(3, 31, 3\)"),
        ({"measured": np.ones((3, 30), bool)}, "measured to have shape"),
        ({"original": np.array([0, 0, 3])}, "originals from -1 to 2"),
        ({"cells": (*CELLS[:-1], CELLS[0])}, "each cell once"),
    ],
)
def test_outcomes_that_do_not_fit_together_are_refused(changed: dict[str, object], message: str) -> None:
    outcomes = made_up(np.random.default_rng(18), 20)
    with pytest.raises(ValueError, match=message):
        replace(outcomes, **changed)  # type: ignore[arg-type]


def test_settings_that_make_no_sense_are_refused() -> None:
    outcomes = made_up(np.random.default_rng(19), 20)
    rng = np.random.default_rng(20)
    with pytest.raises(ValueError, match="at least one replicate"):
        bootstrap(outcomes, replicates=0, rng=rng)
    with pytest.raises(ValueError, match="population of at least 20"):
        deviation_scale(20, 19)
    with pytest.raises(ValueError, match="level between 0 and 1"):
        bootstrap(outcomes, replicates=2, rng=rng).intervals(level=1)
