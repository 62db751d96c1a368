"""A report reads embeddings and activation maps from records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import pytest
from made_runs import entries_of, header_of
from made_studies import CLASSES, attack_record, embedding_record, maps_record, way_of
from test_attacked import first

from benchmarks.cases import Variant
from benchmarks.results import Record
from benchmarks.sections import Statistics
from reporting.explained import (
    EMBEDDINGS,
    MAPS,
    ActivationMaps,
    embedding_figures,
    embeddings_of,
    explanation_sentences,
    map_figures,
)
from reporting.explained import maps_of as maps_with
from reporting.figures import figures_of
from reporting.report import Report
from reporting.studied import map_sheets

ORIGINAL, INT8, PRUNED = (Variant("d", "m", name) for name in ("original", "int8", "pruned"))


def maps_of(records: Sequence[Record]) -> tuple[ActivationMaps, ...]:
    return maps_with(records, Statistics(), seed=2025)


def sentences(*records: Record) -> list[str]:
    figures = embedding_figures(embeddings_of(records)), map_figures(maps_of(records))
    return list(explanation_sentences(*figures))


def test_an_embedding_has_its_points_classes_and_figures() -> None:
    record = embedding_record(INT8, 30)
    [one] = embeddings_of([record])
    assert (one.variant, one.layer, one.neighbours, one.class_names) == (INT8, "dense", 10, CLASSES)
    assert one.points.tolist() == record.details["points"]
    assert one.labels.tolist() == record.details["labels"]
    [row] = embedding_figures([one]).to_dict("records")
    assert (row["technique"], row["images"], row["neighbours"]) == ("int8", 30, 10)
    assert (row["neighbour_accuracy"], row["silhouette"]) == (0.83, 0.21)
    assert (row["trustworthiness"], row["agreement"]) == (0.97, 0.99)


def test_activation_maps_have_their_samples_and_figures() -> None:
    record = maps_record(INT8, 0.6)
    [one] = maps_of([record])
    assert (one.variant, one.layer, one.images) == (INT8, "conv6", 4)
    assert [(sample.label, sample.predicted) for sample in one.samples] == [("cat", "cat"), ("dog", "ship")]
    assert one.samples[0].gradcam == record.details["samples"][0]["gradcam"]
    [row] = map_figures([one]).to_dict("records")
    assert (row["gradcam_correlation"], row["guided_correlation"]) == (0.6, 0.3)
    assert (row["deletion_auc"], row["insertion_auc"], row["agreement"]) == (0.31, 0.74, 0.995)


def test_means_over_images_have_the_interval_that_a_gate_has() -> None:
    record = maps_record(INT8, 0.6)
    spread = {"correlations": [0.5, 0.7, 0.9, 0.3], "guided_correlations": [0.3] * 4}
    spread["deletion_areas"] = [0.11, 0.51, 0.21, 0.41]
    record = replace(record, details=record.details | spread)
    [row] = map_figures(maps_of([record])).to_dict("records")
    gated = figures_of(record, None, Statistics(), 2025)["explanation_correlation_min"]
    assert (row["gradcam_correlation_low"], row["gradcam_correlation_high"]) == (gated.low, gated.high)
    assert 0.3 < gated.low < 0.6 < gated.high < 0.9
    assert (row["guided_correlation_low"], row["guided_correlation_high"]) == (0.3, 0.3)
    assert 0.11 < row["deletion_auc_low"] < 0.31 < row["deletion_auc_high"] < 0.51
    # Records from before they had the area of each image.
    assert pd.isna(row["insertion_auc_low"])
    [sheet] = map_sheets(map_figures(maps_of([record])))
    shown = sheet.shown.rows
    assert shown["Correlation\nGrad-CAM"].tolist() == [f"0.600 ±{max(gated.high - 0.6, 0.6 - gated.low):.3f}"]
    assert "±" in shown["Area\ndeletion"].item()
    assert shown["Area\ninsertion"].item() == "0.740"


def test_a_figure_that_is_not_defined_is_absent() -> None:
    record = maps_record(ORIGINAL)
    metrics = {name: value for name, value in record.metrics.items() if "correlation" not in name}
    [row] = map_figures(maps_of([replace(record, metrics=metrics)])).to_dict("records")
    assert pd.isna(row["gradcam_correlation"])
    assert row["deletion_auc"] == 0.31


def test_kinds_and_methods_are_kept_apart() -> None:
    records = [
        embedding_record(INT8),
        maps_record(PRUNED),
        attack_record(INT8, first(1), way_of("own", None)),
    ]
    assert [one.variant for one in embeddings_of(records)] == [INT8]
    assert [one.variant for one in maps_of(records)] == [PRUNED]


def test_of_two_records_of_a_case_the_later_counts() -> None:
    [one] = maps_of([maps_record(INT8, 0.6), maps_record(INT8, 0.7)])
    assert one.figures["gradcam_correlation"] == 0.7


@pytest.mark.parametrize(
    "changes", [{"labels": [0] * 29}, {"labels": [*[0] * 29, len(CLASSES)]}, {"labels": [*[0] * 29, -1]}]
)
def test_labels_that_fit_no_point_or_no_class_are_an_error(changes: dict) -> None:
    with pytest.raises(ValueError, match="expected a label from 0 to 9 for each of 30 points"):
        embeddings_of([embedding_record(INT8, 30, **changes)])


def test_no_record_gives_empty_tables_and_nothing_to_say() -> None:
    assert list(embedding_figures([]).columns) == list(EMBEDDINGS)
    assert list(map_figures([]).columns) == list(MAPS)
    assert sentences() == []


def test_the_terminal_gets_the_lowest_correlation_of_a_compressed_variant() -> None:
    records = [maps_record(ORIGINAL, 0.2), maps_record(INT8, 0.9), maps_record(PRUNED, 0.456)]
    assert sentences(*records) == [
        "Explanations: Grad-CAM maps correlate with the original's by 0.46 at least (d-m-pruned)."
    ]


def test_the_terminal_gets_the_lowest_accuracy_of_neighbours() -> None:
    assert sentences(embedding_record(ORIGINAL), embedding_record(INT8)) == [
        "Embeddings: the nearest neighbours tell the class of 83.0% of the images at least (d-m-int8)."
    ]


def test_an_original_alone_is_compared_with_nothing() -> None:
    assert sentences(maps_record(ORIGINAL), embedding_record(ORIGINAL)) == []


def test_a_report_has_what_its_run_tells_whoever_came_in_first() -> None:
    records = [maps_record(ORIGINAL), maps_record(INT8), embedding_record(INT8)]
    header = header_of([record.case for record in records], (1,))
    reports = [Report.of_run(header, entries_of(order)) for order in (records, records[::-1])]
    assert reports[0].maps == reports[1].maps == maps_of(records)
    assert [one.variant for one in reports[0].embeddings] == [INT8]
