"""Every figure of a report has its interval, computed from the outcome of every image."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_runs import entries_of, header_of, record_of
from scipy.stats import binomtest

from benchmarks.cases import STANDARD_CORRUPTIONS, Case, Variant
from benchmarks.results import Cell, Record
from benchmarks.sections import Statistics
from reporting.frames import CELLS, VARIANT, frame
from reporting.observed import observed_of
from reporting.report import Report, render_terminal
from reporting.uncertainty import with_intervals

ORIGINAL, INT8 = Variant("d", "m", "original"), Variant("d", "m", "int8")
ENDLESS = Statistics(about="such-images", replicates=400)


def cells_of(images: object, error: float, population: object = pd.NA) -> pd.DataFrame:
    row = {"dataset": "d", "model": "m", "technique": "int8", "corruption": "fog", "severity": 1}
    errors = pd.NA if images is pd.NA else round(error * images)
    row |= {"images": images, "errors": errors, "error": error, "population": population}
    return frame([row], CELLS)


def wrong_of(images: int, rates: dict[Variant, float], seed: int = 0) -> list[Record]:
    """Records of runs on the same images, an image being as hard for one variant as for the other."""
    rng = np.random.default_rng(seed)
    hardness = rng.random((1 + len(STANDARD_CORRUPTIONS), 5, images))
    hardness[0] += 0.15  # clean images are easier
    records = []
    for variant, rate in rates.items():
        wrong = hardness + rng.normal(0, 0.05, hardness.shape) < rate
        records.append(record_of(Case(variant, "accuracy"), wrong[0, :1]))
        records += [
            record_of(Case(variant, "robustness", name, "any"), wrong[place])
            for place, name in enumerate(STANDARD_CORRUPTIONS, start=1)
        ]
    return records


def report_of(records: list[Record], statistics: Statistics = ENDLESS) -> Report:
    cases = [record.case for record in records]
    header = header_of(cases, (1, 2, 3, 4, 5), statistics=statistics.model_dump())
    sizes = [
        Record(Case(variant, "claims"), metrics={"zipped_bytes": size})
        for variant, size in ((ORIGINAL, 400), (INT8, 100))
    ]
    return Report.of_run(header, entries_of([*records, *sizes]))


def row_of(report: Report, variant: Variant) -> pd.Series:
    return report.summary.set_index("technique").loc[variant.technique]


# Cells


@given(st.integers(1, 400), st.data())
def test_error_of_a_cell_has_wilsons_interval(images: int, data: st.DataObject) -> None:
    errors = data.draw(st.integers(0, images))
    row = with_intervals(cells_of(images, errors / images), ENDLESS).iloc[0]
    known = binomtest(errors, images).proportion_ci(0.95, method="wilson")
    assert row["error_low"] == pytest.approx(known.low, abs=1e-9)
    assert row["error_high"] == pytest.approx(known.high, abs=1e-9)


def test_sample_of_a_test_set_says_more_of_it_than_of_images_without_number() -> None:
    cells = cells_of(400, 0.25, population=500)
    narrow, wide = (with_intervals(cells, about).iloc[0] for about in (Statistics(), ENDLESS))
    assert wide["error_low"] < narrow["error_low"] < 0.25 < narrow["error_high"] < wide["error_high"]


def test_whole_test_set_leaves_nothing_uncertain() -> None:
    row = with_intervals(cells_of(500, 0.25, population=500), Statistics()).iloc[0]
    assert row["error_low"] == row["error_high"] == 0.25


@pytest.mark.parametrize(
    ("images", "population"), [(pd.NA, 500), (400, pd.NA)], ids=["images", "test set of unknown size"]
)
def test_rate_of_unknown_images_has_no_interval(images: object, population: object) -> None:
    row = with_intervals(cells_of(images, 0.25, population), Statistics()).iloc[0]
    assert np.isnan(row["error_low"])
    assert np.isnan(row["error_high"])


# Variants


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_mce_has_the_interval_of_images_drawn_again(seed: int) -> None:
    """Computed here one replicate at a time, from metrics of the resampled tables."""
    images = 120
    report = report_of(wrong_of(images, {ORIGINAL: 0.3, INT8: 0.36}, seed))
    (observed,) = report.observed
    bits = np.unpackbits(observed.outcomes.wrong, axis=-1, count=images)
    place = {variant: index for index, variant in enumerate(observed.variants)}
    columns = {
        name: [index for index, (corruption, _) in enumerate(observed.outcomes.cells) if corruption == name]
        for name in STANDARD_CORRUPTIONS
    }
    rng = np.random.default_rng(seed)
    mces = []
    for _ in range(400):
        drawn = rng.integers(images, size=images)
        errors = bits[:, :, drawn].sum(axis=-1)
        ratios = [
            errors[place[INT8], own].sum() / errors[place[ORIGINAL], own].sum() for own in columns.values()
        ]
        mces.append(100 * np.mean(ratios))
    row = row_of(report, INT8)
    spread = np.std(mces)
    assert row["mce_low"] == pytest.approx(np.quantile(mces, 0.025), abs=0.5 * spread)
    assert row["mce_high"] == pytest.approx(np.quantile(mces, 0.975), abs=0.5 * spread)
    assert row["mce_low"] < row["mce"] < row["mce_high"]


def test_original_is_exactly_100_percent_of_itself() -> None:
    row = row_of(report_of(wrong_of(100, {ORIGINAL: 0.3, INT8: 0.36})), ORIGINAL)
    assert row["mce_low"] == row["mce_high"] == 100
    assert row["accuracy_drop_low"] == row["accuracy_drop_high"] == 0


def test_accuracy_has_the_interval_of_the_clean_cell() -> None:
    report = report_of(wrong_of(100, {ORIGINAL: 0.3, INT8: 0.36}))
    clean = report.results.set_index(["technique", "corruption"]).loc[("int8", "clean")]
    row = row_of(report, INT8)
    assert row["accuracy_low"] == 1 - clean["error_high"]
    assert row["accuracy_high"] == 1 - clean["error_low"]


def test_network_that_is_right_on_every_image_is_not_certain_to_be() -> None:
    row = row_of(report_of(wrong_of(100, {ORIGINAL: 0.3, INT8: -1.0})), INT8)
    assert row["accuracy"] == row["accuracy_high"] == 1
    assert row["accuracy_low"] < 0.98


def test_loss_of_accuracy_is_surer_than_two_accuracies_because_the_images_are_the_same() -> None:
    report = report_of(wrong_of(400, {ORIGINAL: 0.3, INT8: 0.31}))
    row, original = row_of(report, INT8), row_of(report, ORIGINAL)
    assert row["accuracy_drop"] == pytest.approx(original["accuracy"] - row["accuracy"])
    paired = row["accuracy_drop_high"] - row["accuracy_drop_low"]
    assert 0 < paired < 0.7 * (row["accuracy_high"] - row["accuracy_low"])


def test_variant_that_is_better_in_everything_is_surely_optimal() -> None:
    report = report_of(wrong_of(300, {ORIGINAL: 0.4, INT8: 0.2}))
    assert row_of(report, INT8)["pareto_probability"] == 1
    assert row_of(report, ORIGINAL)["pareto_probability"] == 0


def test_larger_level_has_wider_intervals() -> None:
    records = wrong_of(200, {ORIGINAL: 0.3, INT8: 0.36})
    rows = [
        row_of(report_of(records, Statistics(about="such-images", replicates=400, level=level)), INT8)
        for level in (0.8, 0.99)
    ]
    for metric in ("accuracy", "mce", "relative_mce", "accuracy_drop"):
        narrow, wide = (row[f"{metric}_high"] - row[f"{metric}_low"] for row in rows)
        assert narrow < wide


def test_intervals_are_the_same_each_time_and_whoever_came_in_first() -> None:
    records = wrong_of(150, {ORIGINAL: 0.3, INT8: 0.36})
    first, again = (report_of(order).summary for order in (records, records[::-1]))
    pd.testing.assert_frame_equal(first, again)


def test_ce_of_each_corruption_has_an_interval_around_it() -> None:
    ce = report_of(wrong_of(200, {ORIGINAL: 0.3, INT8: 0.36})).uncertainty.ce.xs("int8", level="technique")
    assert len(ce) == 15
    assert ((ce["low"] < ce["ce"]) & (ce["ce"] < ce["high"])).all()


def test_report_says_what_the_intervals_are_of() -> None:
    text = render_terminal(report_of(wrong_of(200, {ORIGINAL: 0.3, INT8: 0.36}), Statistics(replicates=200)))
    assert "± is the larger side of the 95 % interval for the whole test set of 10,000 images" in text
    assert " ±" in text


def test_figure_that_the_images_do_not_bound_is_shown_as_such() -> None:
    """Of an original with an error in one image a third of the draws has none."""
    once = np.zeros((5, 100), bool)
    once[0, 0] = True
    records = [
        record
        for variant in (ORIGINAL, INT8)
        for record in [
            record_of(Case(variant, "accuracy"), once[:1]),
            *(record_of(Case(variant, "robustness", name, "any"), once) for name in STANDARD_CORRUPTIONS),
        ]
    ]
    text = render_terminal(report_of(records))
    assert " ±? " in text
    assert "measure more images" in text


def test_without_outcomes_by_image_there_are_no_intervals_and_nothing_breaks() -> None:
    records = [
        Record(Case(variant, "accuracy"), (Cell("clean", 0, 100, errors),))
        for variant, errors in ((ORIGINAL, 20), (INT8, 30))
    ]
    report = report_of(records)
    assert report.observed == ()
    assert report.summary["mce_low"].isna().all()
    assert report.summary["accuracy_low"].notna().all()


# What is observed


def test_cells_of_another_number_of_images_are_left_out_of_what_is_drawn_together() -> None:
    records = wrong_of(100, {ORIGINAL: 0.3})
    short = record_of(Case(INT8, "accuracy"), np.ones((1, 50), bool))
    (observed,) = observed_of([*records, short])
    assert observed.outcomes.images == 100
    assert observed.variants == (ORIGINAL,)


def test_variant_without_its_original_has_no_ce() -> None:
    (observed,) = observed_of([record_of(Case(INT8, "accuracy"), np.ones((1, 50), bool))])
    assert observed.outcomes.original.tolist() == [-1]


def test_data_sets_are_drawn_apart() -> None:
    other = Variant("e", "m", "original")
    observed = observed_of(
        [
            record_of(Case(variant, "accuracy"), np.ones((1, images), bool))
            for variant, images in ((other, 30), (ORIGINAL, 50))
        ]
    )
    assert [(one.dataset, one.outcomes.images) for one in observed] == [("d", 50), ("e", 30)]
    assert VARIANT == ["dataset", "model", "technique"]
