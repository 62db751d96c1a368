"""The metrics, against sums and ratios written out in plain Python, and where they are absent."""

from __future__ import annotations

import math
from statistics import fmean
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.cases import STANDARD_CORRUPTIONS
from fixtures.corruptions import CORRUPTIONS
from reporting.frames import CELLS, CLEAN, SIZES, frame
from reporting.metrics import (
    SUMMARY,
    Convention,
    corruption_errors,
    error_rises,
    relative_corruption_errors,
    summarise,
)

IMAGES = 1000
SEVERITIES = (1, 2, 3, 4, 5)

#: Wrong images of one variant: clean, then per corruption and severity.
Errors = dict[tuple[str, int], int]


def variant_cells(technique: str, errors: Errors, model: str = "m") -> list[dict[str, Any]]:
    return [
        {
            "dataset": "d",
            "model": model,
            "technique": technique,
            "corruption": corruption,
            "severity": severity,
            "images": IMAGES,
            "errors": wrong,
            "error": wrong / IMAGES,
        }
        for (corruption, severity), wrong in errors.items()
    ]


def constant(clean: int, corrupted: int, severities: tuple[int, ...] = SEVERITIES) -> Errors:
    return {(CLEAN, 0): clean} | {
        (corruption, severity): corrupted for corruption in STANDARD_CORRUPTIONS for severity in severities
    }


def summary_of(
    variants: dict[str, Errors], sizes: dict[str, int] | None = None, **options: Any
) -> pd.DataFrame:
    cells = [cell for technique, errors in variants.items() for cell in variant_cells(technique, errors)]
    zipped = [
        {"dataset": "d", "model": "m", "technique": technique, "zipped_bytes": size}
        for technique, size in (sizes or {}).items()
    ]
    return summarise(frame(cells, CELLS), frame(zipped, SIZES), **options).set_index("technique")


def measured(low: int, high: int) -> st.SearchStrategy[Errors]:
    return st.fixed_dictionaries(
        {(CLEAN, 0): st.integers(0, low)}
        | {(name, level): st.integers(low, high) for name in STANDARD_CORRUPTIONS for level in (1, 2)}
    )


def test_the_standard_corruptions_are_those_that_the_corruptions_call_standard() -> None:
    assert set(STANDARD_CORRUPTIONS) == {name for name, known in CORRUPTIONS.items() if known.standard}


@settings(max_examples=25, deadline=None)
@given(
    variant=measured(0, IMAGES),
    original=measured(100, IMAGES),
    convention=st.sampled_from(["unrounded", "rounded"]),
)
def test_summary_agrees_with_the_formulas_written_out(
    variant: Errors, original: Errors, convention: Convention
) -> None:
    row = summary_of({"original": original, "pruned": variant}, convention=convention).loc["pruned"]

    def total(errors: Errors, name: str) -> float:
        return sum(errors[name, level] / IMAGES for level in (1, 2))

    def loss(errors: Errors, name: str) -> float:
        return sum((errors[name, level] - errors[CLEAN, 0]) / IMAGES for level in (1, 2))

    def mean(ces: list[float]) -> float:
        return round(fmean(map(round, ces)), 1) if convention == "rounded" else fmean(ces)

    # A CE within floating-point error of a half may be rounded either way, which moves the mean by 1/15.
    tolerance = 1e-9 if convention == "unrounded" else 0.1001
    expected = mean([100 * total(variant, name) / total(original, name) for name in STANDARD_CORRUPTIONS])
    assert row["mce"] == pytest.approx(expected, abs=tolerance)
    if all(loss(original, name) > 1e-6 for name in STANDARD_CORRUPTIONS):
        expected = mean([100 * loss(variant, name) / loss(original, name) for name in STANDARD_CORRUPTIONS])
        assert row["relative_mce"] == pytest.approx(expected, rel=1e-9, abs=tolerance)
    else:
        assert math.isnan(row["relative_mce"])
    assert row["accuracy"] == pytest.approx(1 - variant[CLEAN, 0] / IMAGES)


@settings(max_examples=25, deadline=None)
@given(original=measured(1, IMAGES), order=st.randoms(use_true_random=False))
def test_the_order_of_the_cells_does_not_matter(original: Errors, order: Any) -> None:
    cells = variant_cells("original", original) + variant_cells("qat", constant(10, 20, (1, 2)))
    shuffled = order.sample(cells, len(cells))
    sizes = frame([], SIZES)
    pd.testing.assert_frame_equal(
        summarise(frame(cells, CELLS), sizes), summarise(frame(shuffled, CELLS), sizes), rtol=1e-12
    )


@pytest.mark.parametrize("convention", ["unrounded", "rounded"])
def test_the_original_is_exactly_as_robust_as_itself(convention: Convention) -> None:
    errors = {key: 137 + 7 * place for place, key in enumerate(constant(0, 0))}
    row = summary_of({"original": errors}, convention=convention).loc["original"]
    assert (row["mce"], row["relative_mce"]) == (100, 100)


def test_the_rounded_convention_rounds_each_ce_before_the_mean() -> None:
    # CE is 100.4 fifteen times: 100 each when rounded first, where rounding the mean alone would give 100.4.
    variants = {"original": constant(10, 250), "pruned": constant(10, 251)}
    assert summary_of(variants, convention="rounded").loc["pruned", "mce"] == 100
    assert summary_of(variants).loc["pruned", "mce"] == pytest.approx(100.4)


def test_compression_ratio_is_original_over_variant() -> None:
    summary = summary_of({}, {"original": 1200, "int8": 300})
    assert summary["compression_ratio"].to_dict() == {"original": 1, "int8": 4}


def test_models_are_compared_with_their_own_original() -> None:
    cells = [
        *variant_cells("original", constant(0, 100), "a"),
        *variant_cells("original", constant(0, 200), "b"),
        *variant_cells("int8", constant(0, 100), "b"),
    ]
    summary = summarise(frame(cells, CELLS), frame([], SIZES)).set_index(["model", "technique"])
    assert summary.loc[("b", "int8"), "mce"] == pytest.approx(50)


@pytest.mark.parametrize("absent", STANDARD_CORRUPTIONS[::7])
def test_fourteen_corruptions_have_no_mean_but_their_ces(absent: str) -> None:
    errors = {key: wrong for key, wrong in constant(10, 20).items() if key[0] != absent}
    cells = frame(variant_cells("original", errors), CELLS)
    assert math.isnan(summarise(cells, frame([], SIZES)).loc[0, "mce"])
    assert (corruption_errors(cells).to_numpy() == 100).all()


def test_a_corruption_outside_the_standard_fifteen_does_not_enter_the_mean() -> None:
    extra = {("my_corruption", level): 900 for level in SEVERITIES}
    summary = summary_of(
        {"original": constant(10, 20) | {("my_corruption", 1): 1}, "qat": constant(10, 20) | extra}
    )
    assert summary.loc["qat", "mce"] == 100


def test_without_the_original_nothing_is_relative() -> None:
    row = summary_of({"int8": constant(10, 20)}, {"int8": 300}).loc["int8"]
    assert row[["mce", "relative_mce", "compression_ratio"]].isna().all()
    assert row["accuracy"] == pytest.approx(0.99)


def test_an_original_without_errors_gives_no_ce() -> None:
    flawless = constant(0, 100) | {("fog", level): 0 for level in SEVERITIES}
    assert math.isnan(summary_of({"original": flawless, "int8": constant(0, 100)}).loc["int8", "mce"])


def test_other_severities_than_the_original_give_no_ce() -> None:
    fewer = {key: wrong for key, wrong in constant(10, 20).items() if key != ("snow", 5)}
    cells = frame(variant_cells("original", constant(10, 20)) + variant_cells("int8", fewer), CELLS)
    ce = corruption_errors(cells).loc[("d", "m", "int8")]
    assert list(ce[ce.isna()].index) == ["snow"]


def test_severities_that_differ_between_corruptions_give_no_mean() -> None:
    uneven = {key: wrong for key, wrong in constant(10, 20).items() if key != ("snow", 5)}
    assert math.isnan(summary_of({"original": uneven}).loc["original", "mce"])


def test_an_error_rate_that_is_unknown_counts_as_not_measured() -> None:
    cells = frame(variant_cells("original", constant(10, 20)), CELLS)
    cells.loc[cells["corruption"].eq("fog"), "error"] = math.nan
    assert math.isnan(summarise(cells, frame([], SIZES)).loc[0, "mce"])


def test_a_corruption_that_does_not_hurt_the_original_has_no_relative_ce() -> None:
    # 0.1 + 0.1 + 0.1 - 3 * 0.1 is not 0 in floating point: no reason to divide by it.
    harmless = {(CLEAN, 0): 100} | {("fog", level): 100 for level in (1, 2, 3)}
    hurt = {(CLEAN, 0): 100} | {("fog", level): 200 for level in (1, 2, 3)}
    cells = frame(variant_cells("original", harmless) + variant_cells("int8", hurt), CELLS)
    assert relative_corruption_errors(cells)["fog"].isna().all()
    assert corruption_errors(cells).loc[("d", "m", "int8"), "fog"] == pytest.approx(200)


def test_without_its_clean_error_a_variant_has_no_relative_ce() -> None:
    unclean = {key: wrong for key, wrong in constant(10, 20).items() if key[0] != CLEAN}
    row = summary_of({"original": constant(10, 20), "int8": unclean}).loc["int8"]
    assert math.isnan(row["relative_mce"])
    assert row["mce"] == 100


def test_no_results_give_an_empty_summary() -> None:
    summary = summarise(frame([], CELLS), frame([], SIZES))
    assert summary.empty
    assert list(summary.columns) == SUMMARY


def test_two_rows_for_one_image_set_are_refused() -> None:
    cells = frame(variant_cells("original", {("fog", 1): 3}) * 2, CELLS)
    with pytest.raises(ValueError, match=r"expected one row .*d m original fog 1"):
        corruption_errors(cells)


def test_rises_are_against_the_original_on_the_same_images() -> None:
    cells = variant_cells("original", {("fog", 1): 100, ("fog", 2): 300}) + variant_cells(
        "int8", {("fog", 2): 450, ("fog", 3): 900}
    )
    rises = error_rises(frame(cells, CELLS)).set_index(["technique", "severity"])["rise"]
    assert rises.to_dict() == {
        ("original", 1): 0,
        ("original", 2): 0,
        ("int8", 2): pytest.approx(0.15),
    }


def test_rows_are_in_the_order_of_the_technique_numbers() -> None:
    summary = summary_of(dict.fromkeys(["pqat", "my_technique", "int8", "original"], constant(1, 2)))
    assert list(summary.index) == ["original", "int8", "pqat", "my_technique"]
    assert summary["code"].isna().to_list() == [False, False, False, True]
