"""A case fails when a figure is beyond its threshold, and says which, how far and what the limit is."""

from __future__ import annotations

import json
import math
import re
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.cases import Case, Variant
from benchmarks.results import Cell, Record
from benchmarks.schema import Thresholds
from reporting.gate import Check, Limits

VARIANT = Variant("digits", "vgg6", "pqat_int8")
ORIGINAL = VARIANT.original
IMAGES = 100


def accuracy(variant: Variant, errors: int) -> Record:
    return Record(Case(variant, "accuracy"), (Cell("clean", 0, IMAGES, errors),))


def robustness(variant: Variant, *errors: int) -> Record:
    cells = tuple(Cell("fog", severity, IMAGES, wrong) for severity, wrong in enumerate(errors, start=1))
    return Record(Case(variant, "robustness", "fog", "weather"), cells)


def size(variant: Variant, zipped_bytes: int) -> Record:
    return Record(Case(variant, "claims"), metrics={"zipped_bytes": zipped_bytes, "sparsity": 0.5})


def latency(median_s: float) -> Record:
    return Record(
        Case(VARIANT, "latency"), metrics={"latency_median_s": median_s, "latency_p90_s": 2 * median_s}
    )


def keeps(record: Record, original: Record | None = None, **thresholds: float) -> bool:
    try:
        Limits(Thresholds(**thresholds)).check(record, original)
    except AssertionError:
        return False
    return True


def breach_of(record: Record, original: Record | None = None, **thresholds: float) -> dict[str, Any]:
    """Return the one breach that ``record`` makes, as it travels with the test's report."""
    limits = Limits(Thresholds(**thresholds))
    with pytest.raises(AssertionError):
        limits.check(record, original)
    [check] = limits.checks
    return json.loads(json.dumps(asdict(check)))


# Each threshold, on either side of its limit

FAST, SLOW = latency(0.0019), latency(0.0021)
SIDES = {
    "accuracy_min": (0.7, accuracy(VARIANT, 29), accuracy(VARIANT, 31), accuracy(ORIGINAL, 20), 0.69),
    "accuracy_drop_max": (0.1, accuracy(VARIANT, 29), accuracy(VARIANT, 31), accuracy(ORIGINAL, 20), 0.11),
    "ce_max": (150, robustness(VARIANT, 5, 9), robustness(VARIANT, 5, 11), robustness(ORIGINAL, 4, 6), 160),
    "compression_ratio_min": (2, size(VARIANT, 900), size(VARIANT, 1250), size(ORIGINAL, 2000), 1.6),
    "zipped_mb_max": (1.5, size(VARIANT, 1_400_000), size(VARIANT, 1_600_000), None, 1.6),
    "latency_ms_max": (2, FAST, SLOW, None, 2.1),
}


def test_every_threshold_is_tried_below() -> None:
    assert set(SIDES) == set(Thresholds.model_fields)


@pytest.mark.parametrize("name", SIDES)
def test_figure_within_its_threshold_is_kept(name: str) -> None:
    limit, within, _, original, _ = SIDES[name]
    assert keeps(within, original, **{name: limit})


@pytest.mark.parametrize("name", SIDES)
def test_figure_beyond_its_threshold_is_a_breach(name: str) -> None:
    limit, _, beyond, original, measured = SIDES[name]
    breach = breach_of(beyond, original, **{name: limit})
    assert breach["threshold"] == name
    assert breach["value"] == pytest.approx(measured)
    assert breach["limit"] == limit


@pytest.mark.parametrize("name", SIDES)
def test_figure_beyond_a_threshold_that_is_not_set_is_kept(name: str) -> None:
    _, _, beyond, original, _ = SIDES[name]
    assert keeps(beyond, original)


@pytest.mark.parametrize(
    ("record", "original", "thresholds"),
    [
        # In floating point these three are a rounding error beyond the limit.
        (accuracy(VARIANT, 30), accuracy(ORIGINAL, 20), {"accuracy_drop_max": 0.1}),
        (accuracy(VARIANT, 90), None, {"accuracy_min": 0.1}),
        (robustness(VARIANT, 10, 20), robustness(ORIGINAL, 10, 10), {"ce_max": 150}),
        (size(VARIANT, 2_000_000), size(ORIGINAL, 3_000_000), {"zipped_mb_max": 2}),
        (size(VARIANT, 2_000_000), size(ORIGINAL, 3_000_000), {"compression_ratio_min": 1.5}),
        (latency(0.002), None, {"latency_ms_max": 2}),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_figure_equal_to_its_threshold_is_kept(
    record: Record, original: Record | None, thresholds: dict[str, float]
) -> None:
    assert keeps(record, original, **thresholds)


@settings(max_examples=25, deadline=None)  # each takes pandas some time
@given(st.integers(0, IMAGES), st.integers(0, IMAGES))
def test_accuracy_is_kept_exactly_down_to_its_threshold(errors: int, allowed: int) -> None:
    assert keeps(accuracy(VARIANT, errors), accuracy_min=(IMAGES - allowed) / IMAGES) == (errors <= allowed)


@settings(max_examples=25, deadline=None)  # each takes pandas some time
@given(st.integers(0, IMAGES), st.integers(0, IMAGES), st.integers(0, IMAGES))
def test_drop_of_accuracy_is_kept_exactly_up_to_its_threshold(errors: int, before: int, allowed: int) -> None:
    kept = keeps(accuracy(VARIANT, errors), accuracy(ORIGINAL, before), accuracy_drop_max=allowed / IMAGES)
    assert kept == (errors - before <= allowed)


def test_network_better_than_the_original_has_no_drop_of_accuracy() -> None:
    assert keeps(accuracy(VARIANT, 5), accuracy(ORIGINAL, 20), accuracy_drop_max=0)


def test_original_has_no_drop_of_accuracy_and_an_error_of_100_percent() -> None:
    assert keeps(accuracy(ORIGINAL, 20), accuracy(ORIGINAL, 20), accuracy_drop_max=0)
    assert keeps(robustness(ORIGINAL, 7, 9), robustness(ORIGINAL, 7, 9), ce_max=100)
    assert not keeps(robustness(ORIGINAL, 7, 9), robustness(ORIGINAL, 7, 9), ce_max=99.9)


# What a breach says


def test_message_has_the_case_the_figure_the_limit_and_how_far_it_is_beyond() -> None:
    message = (
        "digits-vgg6-pqat_int8-clean: expected thresholds.accuracy_min: at least 0.9, got 0.69 "
        "(0.21 beyond it)"
    )
    with pytest.raises(AssertionError, match=f"^{re.escape(message)}$"):
        Limits(Thresholds(accuracy_min=0.9)).check(accuracy(VARIANT, 31))


def test_message_of_an_upper_limit_says_at_most() -> None:
    check = Check("latency_ms_max", "thresholds", 2.0, 2.5, 2.4, 2.6, "broken")
    assert str(check) == "expected thresholds.latency_ms_max: at most 2, got 2.5 (0.5 beyond it)"


def test_every_breach_of_a_case_is_told_at_once() -> None:
    limits = Limits(Thresholds(accuracy_min=0.9, accuracy_drop_max=0.05))
    with pytest.raises(
        AssertionError, match=r"accuracy_min: at least .*; expected .*accuracy_drop_max: at most"
    ):
        limits.check(accuracy(VARIANT, 31), accuracy(ORIGINAL, 20))
    assert [check.threshold for check in limits.checks] == ["accuracy_min", "accuracy_drop_max"]


def test_case_without_a_breach_takes_nothing_along() -> None:
    limits = Limits(Thresholds(accuracy_min=0.5))
    limits.check(accuracy(VARIANT, 31))
    assert limits.checks == []


# What is not asserted


@pytest.mark.parametrize(
    ("record", "original", "thresholds"),
    [
        (Record(Case(VARIANT, "accuracy")), accuracy(ORIGINAL, 20), {"accuracy_min": 1}),
        (Record(Case(VARIANT, "accuracy")), accuracy(ORIGINAL, 20), {"accuracy_drop_max": 0}),
        (accuracy(VARIANT, 99), None, {"accuracy_drop_max": 0}),
        (accuracy(VARIANT, 99), Record(Case(ORIGINAL, "accuracy")), {"accuracy_drop_max": 0}),
        (robustness(VARIANT), robustness(ORIGINAL), {"ce_max": 1}),
        (robustness(VARIANT, 99), None, {"ce_max": 1}),
        (robustness(VARIANT, 99, 99), robustness(ORIGINAL, 99), {"ce_max": 1}),
        (robustness(VARIANT, 99, 99), robustness(ORIGINAL, 0, 0), {"ce_max": 1}),
        (size(VARIANT, 10**9), None, {"compression_ratio_min": 100}),
        (Record(Case(VARIANT, "claims")), size(ORIGINAL, 10), {"compression_ratio_min": 100}),
        (Record(Case(VARIANT, "claims")), None, {"zipped_mb_max": 0.001}),
        (Record(Case(VARIANT, "latency")), None, {"latency_ms_max": 0.001}),
        (latency(math.nan), None, {"latency_ms_max": 0.001}),
    ],
    ids=[
        "no clean images",
        "no clean images to compare",
        "no original",
        "no clean images of the original",
        "no corrupted images",
        "no original to compare errors with",
        "original at other severities",
        "original without errors",
        "no original to compare sizes with",
        "no size to compare",
        "no size",
        "no latency",
        "latency that is no number",
    ],
)
def test_threshold_without_a_figure_is_not_asserted(
    record: Record, original: Record | None, thresholds: dict[str, float]
) -> None:
    assert keeps(record, original, **thresholds)


def test_threshold_without_a_figure_does_not_hide_one_with_a_figure() -> None:
    breach = breach_of(accuracy(VARIANT, 31), None, accuracy_min=0.9, accuracy_drop_max=0)
    assert breach["threshold"] == "accuracy_min"


@pytest.mark.parametrize(
    "record", [accuracy(VARIANT, 100), robustness(VARIANT, 100), size(VARIANT, 10**9), SLOW]
)
def test_thresholds_of_another_kind_of_case_are_not_asserted(record: Record) -> None:
    own = {"accuracy": "accuracy_min", "robustness": "ce_max", "claims": "zipped_mb_max"}
    others = {"accuracy_min": 1.0, "ce_max": 1.0, "zipped_mb_max": 0.001, "latency_ms_max": 0.001}
    del others[own.get(record.case.kind, "latency_ms_max")]
    assert keeps(record, **others)
