"""A report sums up what each variant forgot: where, of which classes, for which others, on what images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from made_runs import entries_of, header_of

from benchmarks.cases import Case, Variant
from benchmarks.results import Cell, Record
from reporting.forgotten import Confusion, Example, Forgotten, Part, forgotten_of
from reporting.report import Report

VARIANT = Variant("d", "m", "int8")
NAMES = ("cat", "dog", "ship", "frog", "deer", "bird", "car", "truck", "horse", "plane")


def value_of(
    by_class: Sequence[tuple[int, int, int]],
    kept: Sequence[tuple[int, int]] = (),
    confusions: Sequence[tuple[int, int, int]] = (),
    examples: Sequence[Mapping[str, Any]] = (),
    gained: int = 0,
) -> dict[str, Any]:
    """Return what a record tells of a case, with JSON's lists for tuples."""
    return {
        "right": sum(right for *_, right in (*by_class, *kept)),
        "count": sum(count for _, count, _ in by_class),
        "gained": gained,
        "by_class": [list(row) for row in by_class],
        "kept": [list(row) for row in kept],
        "confusions": [list(row) for row in confusions],
        "examples": list(examples),
        "classes": {str(label): name for label, name in enumerate(NAMES)},
    }


def example_of(label: int, picture: str = "UklG", **more: Any) -> dict[str, Any]:
    return {"image": 7, "severity": 1, "label": label, "predicted": 9, "picture": picture, **more}


def record_of(corruption: str | None, value: Mapping[str, Any] | None, variant: Variant = VARIANT) -> Record:
    case = Case(variant, "robustness", corruption, "any") if corruption else Case(variant, "accuracy")
    cells = (Cell(corruption or "clean", 1 if corruption else 0, 100, 20),)
    return Record(case, cells, details={} if value is None else {"forgotten": value})


def one(*records: Record) -> Forgotten:
    [forgotten] = forgotten_of(records)
    return forgotten


def test_totals_are_over_the_cases_of_a_variant() -> None:
    forgotten = one(
        record_of(None, value_of([(0, 2, 10)], [(1, 30)], gained=1)),
        record_of("fog", value_of([(0, 6, 20), (1, 2, 10)], gained=4)),
    )
    assert forgotten.variant == VARIANT
    assert (forgotten.right, forgotten.count, forgotten.gained) == (70, 10, 5)
    assert forgotten.share == pytest.approx(1 / 7)


def test_corruptions_come_by_the_share_forgotten_and_clean_images_are_one_of_them() -> None:
    forgotten = one(
        record_of("snow", value_of([(0, 5, 100)])),
        record_of("fog", value_of([(0, 4, 20)])),
        record_of(None, value_of([(0, 1, 10)])),
        record_of("frost", value_of([], [(0, 3)])),
    )
    assert forgotten.by_corruption == (
        Part(20, 4, "fog"),
        Part(10, 1, "clean"),
        Part(100, 5, "snow"),
        Part(3, 0, "frost"),
    )


def test_a_class_counts_where_nothing_of_it_was_forgotten_too() -> None:
    forgotten = one(
        record_of("fog", value_of([(0, 3, 10), (1, 4, 8)])),
        record_of("snow", value_of([(1, 1, 2)], [(0, 20), (2, 9)])),
    )
    assert forgotten.by_class == (Part(10, 5, "dog"), Part(30, 3, "cat"))


def test_confusions_come_by_name_the_most_frequent_first() -> None:
    forgotten = one(
        record_of("fog", value_of([(0, 5, 9)], confusions=[(0, 1, 3), (0, 2, 2)])),
        record_of("snow", value_of([(0, 4, 9)], confusions=[(0, 2, 4)])),
    )
    assert forgotten.confusions == (Confusion("cat", "ship", 6), Confusion("cat", "dog", 3))


def test_an_original_that_knows_nothing_makes_no_share() -> None:
    assert one(record_of("fog", value_of([]))).share is None


def test_an_example_has_the_predictions_of_both_by_name() -> None:
    shown = example_of(0, predicted=3, image=812, severity=4)
    assert one(record_of("fog", value_of([(0, 1, 9)], examples=[shown]))).examples == (
        Example("fog", 4, 812, "cat", "frog", "UklG"),
    )


def test_examples_of_the_most_affected_classes_come_first_then_by_corruption() -> None:
    """Cats, 3 of 20, and dogs, 5 of 10; snow, 2 of 15, and fog, 6 of 15."""
    snow = value_of([(0, 1, 10), (1, 1, 5)], examples=[example_of(0), example_of(1)])
    fog = value_of([(0, 2, 10), (1, 4, 5)], examples=[example_of(1), example_of(0)])
    shown = one(record_of("snow", snow), record_of("fog", fog)).examples
    assert [(example.label, example.corruption) for example in shown] == [
        ("dog", "fog"),
        ("dog", "snow"),
        ("cat", "fog"),
        ("cat", "snow"),
    ]


def shown_of(corruptions: int, classes: int) -> tuple[Example, ...]:
    """Return the examples of a variant of which each corruption has one of each class."""
    value = value_of(
        [(label, 20 - label, 100) for label in range(classes)],
        examples=[example_of(label) for label in range(classes)],
    )
    return one(*(record_of(f"corruption {number}", value) for number in range(corruptions))).examples


def test_no_more_than_two_examples_are_of_one_class_or_of_one_corruption() -> None:
    shown = shown_of(corruptions=8, classes=8)
    assert len(shown) == 12
    assert max(Counter(example.label for example in shown).values()) == 2
    assert max(Counter(example.corruption for example in shown).values()) == 2
    assert [example.label for example in shown] == [name for name in NAMES[:6] for _ in range(2)]


@pytest.mark.parametrize(
    ("corruptions", "classes", "of_a_corruption", "of_a_class"),
    [(9, 2, 2, 6), (1, 9, 9, 1), (3, 3, 3, 3), (4, 3, 3, 4)],
)
def test_where_there_are_no_others_more_are_of_one_but_as_few_as_can_be(
    corruptions: int, classes: int, of_a_corruption: int, of_a_class: int
) -> None:
    shown = shown_of(corruptions, classes)
    assert len(set(shown)) == len(shown) == min(12, corruptions * classes)
    assert max(Counter(example.corruption for example in shown).values()) == of_a_corruption
    assert max(Counter(example.label for example in shown).values()) == of_a_class


def test_equal_pictures_of_several_variants_are_one_string() -> None:
    def value(picture: str) -> dict[str, Any]:
        return value_of([(0, 1, 9)], examples=[example_of(0, picture)])

    variants = [VARIANT, Variant("d", "m", "pruned")]
    # As they are read from two lines of a file.
    records = [record_of("fog", value("".join(["Ukl", "GRg"])), variant) for variant in variants]
    first, second = (record.details["forgotten"]["examples"][0]["picture"] for record in records)
    assert first is not second
    first, second = (forgotten.examples[0].picture for forgotten in forgotten_of(records))
    assert first is second


def test_records_that_tell_nothing_of_it_are_left_out() -> None:
    pruned = Variant("d", "m", "pruned")
    records = [
        record_of(None, None),
        record_of("fog", None),
        record_of("snow", value_of([(0, 1, 9)]), pruned),
        record_of("fog", None, pruned),
    ]
    assert [forgotten.variant for forgotten in forgotten_of(records)] == [pruned]
    assert one(*records).by_corruption == (Part(9, 1, "snow"),)


def test_of_two_records_of_a_case_the_later_counts() -> None:
    assert one(record_of("fog", value_of([(0, 1, 9)])), record_of("fog", value_of([(0, 2, 9)]))).count == 2


def test_a_report_has_what_its_run_tells_whoever_came_in_first() -> None:
    records = [
        record_of("fog", value_of([(0, 1, 9)], examples=[example_of(0)])),
        record_of("snow", value_of([(1, 1, 9)], examples=[example_of(1)])),
    ]
    header = header_of([record.case for record in records], (1,))
    reports = [Report.of_run(header, entries_of(order)) for order in (records, records[::-1])]
    assert reports[0].forgotten == reports[1].forgotten == forgotten_of(records)
