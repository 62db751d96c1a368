"""A report reads what attacks came to, way by way, and tells masking from robustness."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from made_runs import entries_of, header_of
from made_studies import attack_record, packed, way_of

from benchmarks.cases import Variant
from benchmarks.results import Record
from benchmarks.sections import Statistics
from reporting.attacked import ATTACKED, attack_sentences, attacked_of, masking_sentence, shown_of
from reporting.report import Report
from reporting.statistics.intervals import wilson

INT8, PRUNED, ORIGINAL = (Variant("d", "m", name) for name in ("int8", "pruned", "original"))
SUCH = Statistics(about="such-images")


def wrong(*counts: tuple[int, bool]) -> np.ndarray:
    """Return outcomes: so many images in a row that are wrong, or are not."""
    return np.concatenate([np.full(count, value) for count, value in counts])


def first(count: int, images: int = 100) -> np.ndarray:
    """Return outcomes of which the first ``count`` are wrong."""
    return np.arange(images) < count


def attacked(*records: Record, statistics: Statistics = SUCH) -> pd.DataFrame:
    return attacked_of(records, statistics)


def flags(records: Iterable[Record]) -> dict[tuple[str, str], bool]:
    rows = attacked(*records)
    return dict(zip(zip(rows["technique"], rows["way"], strict=True), rows["beats_own"], strict=True))


def test_a_row_has_the_figures_of_a_way() -> None:
    way = way_of("own", first(70), confidence=0.6, seconds_per_image=1.5, l2_mean=0.8, l2_median=0.7)
    [row] = attacked(attack_record(ORIGINAL, first(10), way)).to_dict("records")
    assert (row["dataset"], row["model"], row["technique"], row["attack"]) == ("d", "m", "original", "cw")
    assert (row["method"], row["way"], row["gradients"]) == ("carlini_wagner", "own", True)
    assert (row["images"], row["right_before"], row["successes"]) == (100, 90, 60)
    assert row["accuracy_before"] == pytest.approx(0.9)
    assert row["accuracy_after"] == pytest.approx(0.3)
    assert row["success"] == pytest.approx(60 / 90)
    assert (row["confidence_before"], row["confidence_after"]) == (0.93, 0.6)
    assert (row["seconds_per_image"], row["l2_mean"], row["l2_median"]) == (1.5, 0.8, 0.7)
    assert (row["attacked_wrong"], row["agreement"]) == (0.97, 0.99)


def test_an_image_that_was_wrong_before_is_no_success() -> None:
    """Of ten that were wrong five became right, and thirty others wrong."""
    before, after = first(10), wrong((5, False), (35, True), (60, False))
    [row] = attacked(attack_record(ORIGINAL, before, way_of("own", after))).to_dict("records")
    assert row["successes"] == 30
    assert row["success"] == pytest.approx(30 / 90)


def test_intervals_are_those_of_accuracy() -> None:
    [row] = attacked(attack_record(ORIGINAL, first(10), way_of("own", first(70)))).to_dict("records")
    low, high = wilson(70, 100)
    assert (row["accuracy_after_low"], row["accuracy_after_high"]) == pytest.approx((1 - high, 1 - low))
    assert [row["success_low"], row["success_high"]] == pytest.approx([float(end) for end in wilson(60, 90)])


def test_nothing_is_uncertain_where_every_test_image_was_attacked() -> None:
    record = attack_record(ORIGINAL, first(10), way_of("own", first(70)), population=100)
    [row] = attacked(record, statistics=Statistics(about="test-set")).to_dict("records")
    assert row["accuracy_after_low"] == row["accuracy_after_high"] == pytest.approx(0.3)
    assert row["success_low"] == row["success_high"] == pytest.approx(60 / 90)


def test_a_part_of_the_test_set_has_narrower_intervals_than_of_such_images() -> None:
    record = attack_record(ORIGINAL, first(10), way_of("own", first(70)), population=200)
    widths = [
        row["success_high"] - row["success_low"]
        for about in ("test-set", "such-images")
        for row in attacked(record, statistics=Statistics(about=about)).to_dict("records")  # type: ignore[arg-type]
    ]
    assert 0 < widths[0] < widths[1]


def test_there_are_no_intervals_where_the_size_of_the_test_set_is_not_known() -> None:
    record = attack_record(ORIGINAL, first(10), way_of("own", first(70)), population=None)
    rows = attacked(record, statistics=Statistics(about="test-set"))
    assert rows[["accuracy_after_low", "success_high"]].isna().all(axis=None)
    assert rows["accuracy_after"].notna().all()


def test_a_way_without_gradients_has_no_figures_and_says_why() -> None:
    record = attack_record(INT8, first(10), way_of("own", None), way_of("twin", first(80)))
    own, twin = attacked(record).to_dict("records")
    assert (own["gradients"], own["why"]) == (False, "the operators of the file have no gradients")
    assert all(pd.isna(own[name]) for name in ("accuracy_after", "success", "successes", "l2_mean", "p"))
    assert own["accuracy_before"] == pytest.approx(0.9)
    assert (twin["gradients"], twin["why"]) == (True, "")


def test_a_norm_that_no_image_has_is_absent() -> None:
    nothing = way_of("own", first(10), l2_mean=None, l2_median=None)
    [row] = attacked(attack_record(ORIGINAL, first(10), nothing)).to_dict("records")
    assert (row["successes"], row["success"]) == (0, 0)
    assert pd.isna(row["l2_mean"])


# Masking


def test_a_twin_that_fools_what_gives_no_gradients_is_masking() -> None:
    records = [attack_record(INT8, first(10), way_of("own", None), way_of("twin", first(80)))]
    assert flags(records) == {("int8", "own"): False, ("int8", "twin"): True}
    assert attacked(*records)["masked"].all()


@pytest.mark.parametrize(("successes", "masked"), [(5, False), (6, True)])
def test_what_gives_no_gradients_is_masked_by_more_than_chance(successes: int, masked: bool) -> None:
    """Of the exact test five of five have p = 1/16, six of six 1/32."""
    after = first(10 + successes)
    records = [attack_record(INT8, first(10), way_of("own", None), way_of("transferred", after))]
    assert flags(records)["int8", "transferred"] == masked


def test_a_way_that_fools_fewer_images_than_the_own_gradients_is_no_masking() -> None:
    ways = way_of("own", first(90)), way_of("transferred", first(30))
    rows = attacked(attack_record(PRUNED, first(10), *ways))
    assert not rows["masked"].any()
    assert rows["p"].iloc[1] < 1e-6


def test_a_way_that_fools_more_images_than_bad_gradients_is_masking() -> None:
    ways = way_of("own", first(30)), way_of("transferred", first(90))
    assert flags([attack_record(PRUNED, first(10), *ways)])["pruned", "transferred"]


def test_the_test_is_paired_by_image() -> None:
    """Ten more successes are certain if the own way fools the others too, and not if it fools others."""
    nested = way_of("own", first(50)), way_of("transferred", first(60))
    apart = (
        way_of("own", wrong((50, True), (50, False))),
        way_of("transferred", wrong((40, False), (60, True))),
    )
    none = first(0)
    assert flags([attack_record(PRUNED, none, *nested)])["pruned", "transferred"]
    assert not flags([attack_record(PRUNED, none, *apart)])["pruned", "transferred"]


def test_comparisons_of_a_run_are_corrected_for_their_number() -> None:
    """Six successes of six are significant alone, and not beside twenty comparisons without any."""
    found = attack_record(INT8, first(10), way_of("own", None), way_of("twin", first(16)))
    others = [
        attack_record(
            Variant("d", f"m{number}", "int8"), first(10), way_of("own", None), way_of("twin", first(10))
        )
        for number in range(20)
    ]
    assert flags([found])["int8", "twin"]
    rows = attacked(found, *others)
    assert not rows["masked"].any()


def test_the_level_is_that_of_the_suite() -> None:
    record = attack_record(INT8, first(10), way_of("own", None), way_of("twin", first(17)))
    for level, masked in ((0.95, True), (0.99, False)):
        rows = attacked(record, statistics=Statistics(about="such-images", level=level))
        assert rows["masked"].any() == masked


def test_a_case_is_masked_whichever_way_shows_it() -> None:
    ways = way_of("own", None), way_of("twin", first(10)), way_of("transferred", first(80))
    rows = attacked(
        attack_record(INT8, first(10), *ways), attack_record(INT8, first(10), ways[0], attack="pgd")
    )
    assert rows[rows["attack"] == "cw"]["beats_own"].to_list() == [False, False, True]
    assert rows[rows["attack"] == "cw"]["masked"].all()
    assert not rows[rows["attack"] == "pgd"]["masked"].any()


@pytest.mark.parametrize(
    ("own", "told"),
    [
        (
            None,
            "gradients of the deployed file give nothing, yet images made on the original fool it on 77.8 %",
        ),
        (
            first(19),
            "its own gradients fool it on 10.0 % of the images that it had right, yet images made on",
        ),
    ],
)
def test_masking_is_told_in_words(own: np.ndarray | None, told: str) -> None:
    rows = attacked(attack_record(INT8, first(10), way_of("own", own), way_of("transferred", first(80))))
    sentence = masking_sentence(rows)
    assert sentence.startswith(told)
    assert sentence.endswith("this is gradient masking, not robustness.")


# Records


def test_rows_come_by_the_number_of_the_technique_and_by_way() -> None:
    int8_first = [
        attack_record(
            INT8, first(1), way_of("transferred", first(9)), way_of("twin", first(9)), way_of("own", None)
        ),
        attack_record(ORIGINAL, first(1), way_of("own", first(9))),
    ]
    for records in (int8_first, int8_first[::-1]):
        rows = attacked(*records)
        assert list(zip(rows["technique"], rows["way"], strict=True)) == [
            ("original", "own"),
            *(("int8", way) for way in ("own", "twin", "transferred")),
        ]


def test_of_two_records_of_a_case_the_later_counts() -> None:
    records = [attack_record(ORIGINAL, first(1), way_of("own", first(count))) for count in (20, 40)]
    assert attacked(*records)["accuracy_after"].to_list() == [pytest.approx(0.6)]


def test_padding_of_packed_outcomes_is_no_image() -> None:
    [row] = attacked(attack_record(ORIGINAL, first(1, 13), way_of("own", first(13, 13)))).to_dict("records")
    assert (row["images"], row["right_before"], row["successes"]) == (13, 12, 12)


def test_outcomes_of_other_images_are_an_error() -> None:
    record = attack_record(ORIGINAL, first(1, 13), way_of("own", first(1, 13)))
    details: dict[str, Any] = {**record.details, "wrong_before": packed(first(1, 30))}
    with pytest.raises(ValueError, match="expected outcomes of 13 images, got 4 bytes"):
        attacked(Record(record.case, (), record.metrics, details))


def test_records_of_other_kinds_are_left_out_and_no_record_gives_an_empty_table() -> None:
    assert list(attacked().columns) == list(ATTACKED)
    assert list(attack_sentences(attacked())) == []


def test_an_original_that_is_always_wrong_has_no_rate() -> None:
    [row] = attacked(attack_record(ORIGINAL, first(100), way_of("own", first(100)))).to_dict("records")
    assert row["right_before"] == 0
    assert pd.isna(row["success"])


def test_examples_come_with_the_settings_of_their_attack() -> None:
    [shown] = shown_of([attack_record(ORIGINAL, first(1), way_of("own", first(9)), examples=2)])
    assert (shown.variant, shown.attack, shown.settings["iterations"]) == (ORIGINAL, "cw", 40)
    assert [(one.label, one.before, one.after) for one in shown.examples] == [
        ("cat", "cat", "dog"),
        ("dog", "dog", "ship"),
    ]


@pytest.mark.parametrize(("classes", "names"), [({"classes": {"3": "cat"}}, "cat"), ({}, "class 3")])
def test_a_class_that_is_told_by_its_label_has_its_name_where_that_is_known(
    classes: dict, names: str
) -> None:
    record = attack_record(ORIGINAL, first(1), way_of("own", first(9)), examples=1)
    [example] = record.details["examples"]
    details = {**record.details, **classes, "examples": [{**example, "label": 3, "before": 3, "after": 5}]}
    [shown] = shown_of([Record(record.case, (), record.metrics, details)])
    assert [shown.examples[0].label, shown.examples[0].before, shown.examples[0].after] == [
        *(names, names, "class 5")
    ]


def test_the_terminal_gets_the_worst_accuracy_and_how_many_are_masked() -> None:
    records = [
        attack_record(ORIGINAL, first(10), way_of("own", first(96))),
        attack_record(INT8, first(10), way_of("own", None), way_of("twin", first(97))),
    ]
    assert list(attack_sentences(attacked(*records))) == [
        "Attacks: accuracy falls to 3.0% at worst (d-m-int8, cw, through the gradients of its twin); 1 of 2 "
        "attacked variants only mask their gradients."
    ]


def test_a_report_has_what_its_run_tells_whoever_came_in_first() -> None:
    records = [
        attack_record(ORIGINAL, first(10), way_of("own", first(90)), examples=1),
        attack_record(INT8, first(10), way_of("own", None), way_of("twin", first(80))),
    ]
    header = header_of([record.case for record in records], (1,))
    reports = [Report.of_run(header, entries_of(order)) for order in (records, records[::-1])]
    pd.testing.assert_frame_equal(reports[0].attacked, reports[1].attacked)
    assert reports[0].attacks == reports[1].attacks == shown_of(records)
    assert len(reports[0].attacked) == 3
