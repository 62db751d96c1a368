"""A case fails when the interval of a figure is beyond a threshold, and says which, how far and why."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
import warnings
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_runs import entries_of, header_of, record_of, suite_of

from benchmarks.cases import STANDARD_CORRUPTIONS, Case, Variant
from benchmarks.results import Cell, Record
from benchmarks.schema import Suite
from benchmarks.sections import Bounds
from reporting.gate import Check, Limits, UndecidedWarning
from reporting.report import Report

ROOT = Path(__file__).resolve().parents[1]

VARIANT = Variant("digits", "vgg6", "pqat_int8")
ORIGINAL = VARIANT.original
IMAGES = 100


def accuracy(variant: Variant, errors: int) -> Record:
    return Record(Case(variant, "accuracy"), (Cell("clean", 0, IMAGES, errors),))


def robustness(variant: Variant, *errors: int) -> Record:
    cells = tuple(Cell("fog", severity, IMAGES, wrong) for severity, wrong in enumerate(errors, start=1))
    return Record(Case(variant, "robustness", "fog", "weather"), cells)


def mce(variant: Variant, clean: int, corrupted: int) -> Record:
    """Return a record of which every corruption has as many errors at its two severities."""
    cells = [Cell(name, severity, IMAGES, corrupted) for name in STANDARD_CORRUPTIONS for severity in (1, 2)]
    return Record(Case(variant, "mce"), (Cell("clean", 0, IMAGES, clean), *cells))


def size(variant: Variant, zipped_bytes: int) -> Record:
    return Record(Case(variant, "claims"), metrics={"zipped_bytes": zipped_bytes, "sparsity": 0.5})


def latency(median_s: float) -> Record:
    return Record(
        Case(VARIANT, "latency"), metrics={"latency_median_s": median_s, "latency_p90_s": 2 * median_s}
    )


def attacked(wrong: int) -> Record:
    case = Case(VARIANT, "adversarial", method="pgd")
    return Record(case, metrics={"post_attack_accuracy": 1 - wrong / IMAGES}, details={"images": IMAGES})


def maps(correlation: float) -> Record:
    case = Case(VARIANT, "explainability", method="activation_maps")
    return Record(case, details={"correlations": [correlation] * 3})


def embedding(name: str, value: float) -> Record:
    return Record(Case(VARIANT, "explainability", method="embedding"), metrics={name: value})


def suite(statistics: dict[str, Any] | None = None, **thresholds: Any) -> Suite:
    return suite_of(
        [Case(VARIANT, "accuracy")], (1, 2), thresholds=thresholds, statistics=statistics or {}, seed=3
    )


def keeps(record: Record, original: Record | None = None, **thresholds: Any) -> bool:
    """Return whether the case passes, without anything that is undecided."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            Limits(suite(**thresholds)).check(record, original)
    except AssertionError:
        return False
    return True


def broken(record: Record, original: Record | None = None, **thresholds: Any) -> dict[str, Any]:
    """Return the one check that ``record`` makes and fails, as it travels with the test's report."""
    limits = Limits(suite(**thresholds))
    with pytest.raises(AssertionError):
        limits.check(record, original)
    [check] = [check for check in limits.checks if check.standing != "kept"]
    return json.loads(json.dumps(asdict(check), allow_nan=False))


def message_of(limits: Limits, record: Record, original: Record | None = None) -> str:
    with pytest.raises(AssertionError) as caught:
        limits.check(record, original)
    return str(caught.value)


# Each threshold, on either side of its limit

FAST, SLOW = latency(0.0019), latency(0.0021)
SIDES = {
    "accuracy_min": (0.7, accuracy(VARIANT, 29), accuracy(VARIANT, 31), accuracy(ORIGINAL, 20), 0.69),
    "accuracy_drop_max": (0.1, accuracy(VARIANT, 29), accuracy(VARIANT, 31), accuracy(ORIGINAL, 20), 0.11),
    "ce_max": (150, robustness(VARIANT, 5, 9), robustness(VARIANT, 5, 11), robustness(ORIGINAL, 4, 6), 160),
    "mce_max": (150, mce(VARIANT, 5, 7), mce(VARIANT, 5, 8), mce(ORIGINAL, 3, 5), 160),
    "mce_rise_max": (50, mce(VARIANT, 5, 7), mce(VARIANT, 5, 8), mce(ORIGINAL, 3, 5), 60),
    "relative_mce_max": (150, mce(VARIANT, 5, 8), mce(VARIANT, 4, 8), mce(ORIGINAL, 3, 5), 200),
    "compression_ratio_min": (2, size(VARIANT, 900), size(VARIANT, 1250), size(ORIGINAL, 2000), 1.6),
    "zipped_mb_max": (1.5, size(VARIANT, 1_400_000), size(VARIANT, 1_600_000), None, 1.6),
    "latency_ms_max": (2, FAST, SLOW, None, 2.1),
    "post_attack_accuracy_min": (0.7, attacked(29), attacked(31), None, 0.69),
    "explanation_correlation_min": (0.5, maps(0.6), maps(0.4), None, 0.4),
    "neighbour_accuracy_min": (
        0.7,
        embedding("neighbour_accuracy", 0.71),
        embedding("neighbour_accuracy", 0.69),
        None,
        0.69,
    ),
    "silhouette_min": (-0.1, embedding("silhouette", 0.0), embedding("silhouette", -0.2), None, -0.2),
}


def test_every_threshold_is_tried_below() -> None:
    assert set(SIDES) == set(Bounds.model_fields)


@pytest.mark.parametrize("name", SIDES)
def test_figure_within_its_threshold_is_kept(name: str) -> None:
    limit, within, _, original, _ = SIDES[name]
    assert keeps(within, original, **{name: limit})


@pytest.mark.parametrize("name", SIDES)
def test_figure_beyond_its_threshold_is_broken(name: str) -> None:
    limit, _, beyond, original, measured = SIDES[name]
    check = broken(beyond, original, **{name: limit})
    assert (check["threshold"], check["rule"], check["limit"]) == (name, "thresholds", limit)
    assert check["value"] == check["low"] == check["high"] == pytest.approx(measured)


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
        (mce(VARIANT, 6, 12), mce(ORIGINAL, 5, 10), {"mce_max": 120}),
        (mce(VARIANT, 6, 12), mce(ORIGINAL, 5, 10), {"mce_rise_max": 20}),
        (mce(VARIANT, 6, 12), mce(ORIGINAL, 5, 10), {"relative_mce_max": 120}),
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


# Intervals

RNG = np.random.default_rng(5)
HARD = RNG.random(400)


def outcomes(case: Case, rate: float, severities: int = 1, population: int = 10_000) -> Record:
    """Return a record of which about ``rate`` of 400 images are wrong, much the same at any rate."""
    wrong = np.stack([HARD + 0.1 * np.random.default_rng(n).random(400) < rate for n in range(severities)])
    return record_of(case, wrong, population=population)


def clean(variant: Variant, rate: float) -> Record:
    return outcomes(Case(variant, "accuracy"), rate)


def fog(variant: Variant, rate: float) -> Record:
    return outcomes(Case(variant, "robustness", "fog", "weather"), rate, severities=2)


def pooled(variant: Variant, rate: float) -> tuple[list[Record], Record]:
    """Return the records of a variant's accuracy and robustness cases, and that of its mCE case."""
    parts = [clean(variant, rate / 2)]
    parts += [
        outcomes(Case(variant, "robustness", name, "any"), rate, severities=2)
        for name in STANDARD_CORRUPTIONS
    ]
    cells = tuple(cell for part in parts for cell in part.cells)
    return parts, Record(Case(variant, "mce"), cells, images=parts[0].images)


def standings(record: Record, original: Record | None, name: str, *limits: float) -> list[str]:
    """Return how a case stands to each of several limits."""
    found = []
    for limit in limits:
        held = Limits(suite(**{name: limit}))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UndecidedWarning)
            with suppress(AssertionError):
                held.check(record, original)
        [check] = held.checks
        assert check.low is not None
        assert check.high is not None
        assert check.low < check.value < check.high
        found.append(check.standing)
    return found


@pytest.mark.parametrize(
    ("record", "original", "name", "limits"),
    [
        (clean(VARIANT, 0.4), None, "accuracy_min", (0.5, 0.64, 0.9)),
        (clean(VARIANT, 0.4), clean(ORIGINAL, 0.3), "accuracy_drop_max", (0.2, 0.1, 0.01)),
        (fog(VARIANT, 0.4), fog(ORIGINAL, 0.3), "ce_max", (200, 138, 105)),
        (pooled(VARIANT, 0.4)[1], pooled(ORIGINAL, 0.3)[1], "mce_max", (200, 138, 105)),
        (pooled(VARIANT, 0.4)[1], pooled(ORIGINAL, 0.3)[1], "mce_rise_max", (100, 38, 5)),
        (pooled(VARIANT, 0.4)[1], pooled(ORIGINAL, 0.3)[1], "relative_mce_max", (200, 138, 90)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_figure_is_kept_undecided_or_broken_with_its_whole_interval(
    record: Record, original: Record | None, name: str, limits: tuple[float, float, float]
) -> None:
    assert standings(record, original, name, *limits) == ["kept", "undecided", "broken"]


def test_latency_is_held_with_the_interval_of_its_median() -> None:
    times = {"latency_median_s": 0.002, "latency_median_low_s": 0.0018, "latency_median_high_s": 0.0023}
    record = Record(Case(VARIANT, "latency"), metrics=times)
    assert standings(record, None, "latency_ms_max", 2.5, 2.2, 1.9, 1.7) == [
        *("kept", "undecided", "undecided", "broken")
    ]


def test_undecided_case_passes_with_a_warning_that_says_of_what() -> None:
    held = Limits(suite(accuracy_min=0.64))
    with pytest.warns(UndecidedWarning, match=r"straddles accuracy_min at least 0\.64 \(rule thresholds\)"):
        held.check(clean(VARIANT, 0.4))


def test_strict_suite_fails_an_undecided_case() -> None:
    message = message_of(Limits(suite(accuracy_min=0.64, strict=True)), clean(VARIANT, 0.4))
    assert re.search(r"got 0\.6\d+ \(0\.\d+ to 0\.\d+ at 95 %\), undecided, which fails because", message)


def test_whole_test_set_leaves_nothing_undecided() -> None:
    record, original = (
        outcomes(Case(variant, "robustness", "fog", "weather"), rate, 2, population=400)
        for variant, rate in ((VARIANT, 0.4), (ORIGINAL, 0.3))
    )
    limits = Limits(suite(ce_max=200))
    limits.check(record, original)
    [check] = limits.checks
    assert check.low == check.value == check.high


def test_images_that_do_not_bound_a_figure_leave_it_undecided() -> None:
    """The original errs on a single image, which every third draw misses."""
    wrong = np.zeros((2, 200), bool)
    wrong[:, 0] = True
    original = record_of(Case(ORIGINAL, "robustness", "fog", "weather"), wrong)
    record = record_of(Case(VARIANT, "robustness", "fog", "weather"), wrong)
    limits = Limits(suite(ce_max=500))
    with pytest.warns(UndecidedWarning):
        limits.check(record, original)
    [check] = limits.checks
    assert (check.value, check.low, check.high) == (100, None, None)


def test_gate_and_report_have_the_same_figures_and_intervals() -> None:
    parts, record = pooled(VARIANT, 0.4)
    original_parts, original = pooled(ORIGINAL, 0.3)
    records = [*parts, *original_parts]
    header = header_of([part.case for part in records], (1, 2), seed=3)
    report = Report.of_run(header, entries_of(records))
    row = report.summary.set_index("technique").loc[VARIANT.technique]
    limits = Limits(suite(mce_max=1000, relative_mce_max=1000, accuracy_min=0.01, accuracy_drop_max=1))
    limits.check(record, original)
    limits.check(parts[0], original_parts[0])
    for check in limits.checks:
        name = check.threshold.rpartition("_")[0]
        reported = [row[f"{name}{end}"] for end in ("", "_low", "_high")]
        assert [check.value, check.low, check.high] == pytest.approx(reported)


@settings(max_examples=20, deadline=None)
@given(st.floats(0.01, 0.99), st.floats(0.5, 0.99), st.floats(0.05, 0.6))
def test_what_is_decided_stays_decided_at_a_lower_level(limit: float, level: float, rate: float) -> None:
    record = clean(VARIANT, rate)

    def standing(level: float) -> str:
        held = Limits(suite({"level": level}, accuracy_min=limit, strict=False))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UndecidedWarning)
            with suppress(AssertionError):
                held.check(record)
        return held.checks[0].standing

    surer = standing(level)
    assert surer in ("undecided", standing(level / 2))


# What a failure says


def test_message_has_case_figure_threshold_rule_how_far_it_is_beyond_and_how_to_repeat_it() -> None:
    limits = Limits(suite(accuracy_min=0.9), "pytest here")
    assert message_of(limits, accuracy(VARIANT, 31)) == (
        "digits-vgg6-pqat_int8-clean: expected accuracy_min at least 0.9 (rule thresholds), got 0.69, "
        "0.21 beyond it\nrepeat: pytest here"
    )


def test_message_names_the_pattern_and_the_interval() -> None:
    limits = Limits(suite(where={"*/pqat*/weather": {"ce_max": 105}}))
    message = message_of(limits, fog(VARIANT, 0.4), fog(ORIGINAL, 0.3))
    assert re.fullmatch(
        r"digits-vgg6-pqat_int8-fog: expected ce_max at most 105 \(rule \*/pqat\*/weather\), "
        r"got 1\d\d(\.\d)? \(1\d\d(\.\d)? to 1\d\d(\.\d)? at 95 %\), \d+(\.\d)? beyond it",
        message,
    )


def test_everything_that_fails_a_case_is_told_at_once() -> None:
    limits = Limits(suite(accuracy_min=0.9, accuracy_drop_max=0.05))
    message = message_of(limits, accuracy(VARIANT, 31), accuracy(ORIGINAL, 20))
    assert re.findall(r"expected (\w+)", message) == ["accuracy_min", "accuracy_drop_max"]
    assert len(message.splitlines()) == 2


def test_what_is_kept_is_told_to_the_report_too() -> None:
    limits = Limits(suite(accuracy_min=0.5))
    limits.check(accuracy(VARIANT, 31))
    assert limits.checks == [
        Check("accuracy_min", "thresholds", 0.5, pytest.approx(0.69), *[pytest.approx(0.69)] * 2, "kept")
    ]


# What has no figure

NO_OWN, NO_ORIGINAL = "was not measured", "its original was not measured"
EMPTY = Record(Case(VARIANT, "mce"))


@pytest.mark.parametrize(
    ("record", "original", "thresholds", "why"),
    [
        (Record(Case(VARIANT, "accuracy")), accuracy(ORIGINAL, 20), {"accuracy_min": 0.1}, NO_OWN),
        (Record(Case(VARIANT, "accuracy")), accuracy(ORIGINAL, 20), {"accuracy_drop_max": 1}, NO_OWN),
        (accuracy(VARIANT, 9), None, {"accuracy_drop_max": 1}, "of its original was not measured"),
        (
            accuracy(VARIANT, 9),
            Record(Case(ORIGINAL, "accuracy")),
            {"accuracy_drop_max": 1},
            "of its original was not measured",
        ),
        (robustness(VARIANT), robustness(ORIGINAL), {"ce_max": 999}, NO_OWN),
        (robustness(VARIANT, 9), None, {"ce_max": 999}, NO_ORIGINAL),
        (robustness(VARIANT, 9, 9), robustness(ORIGINAL, 9), {"ce_max": 999}, "has other severities"),
        (robustness(VARIANT, 9, 9), robustness(ORIGINAL, 0, 0), {"ce_max": 999}, "makes no errors"),
        (EMPTY, mce(ORIGINAL, 3, 5), {"mce_max": 999}, "it was not measured"),
        (mce(VARIANT, 3, 5), None, {"mce_rise_max": 999}, "its original was not recorded"),
        (mce(VARIANT, 3, 5), mce(ORIGINAL, 0, 0), {"mce_max": 999}, "its original makes no errors"),
        (mce(VARIANT, 3, 5), mce(ORIGINAL, 5, 5), {"relative_mce_max": 999}, "its original loses nothing"),
        (size(VARIANT, 1), None, {"compression_ratio_min": 0.1}, "the size of its original"),
        (Record(Case(VARIANT, "claims")), size(ORIGINAL, 9), {"compression_ratio_min": 0.1}, "its size"),
        (Record(Case(VARIANT, "claims")), None, {"zipped_mb_max": 9}, "its size"),
        (size(VARIANT, math.nan), None, {"zipped_mb_max": 9}, "its size"),
        (Record(Case(VARIANT, "latency")), None, {"latency_ms_max": 9}, "it was not timed"),
        (latency(math.nan), None, {"latency_ms_max": 9}, "it was not timed"),
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
        "no images of an mCE",
        "no original to compare mCE with",
        "original without errors on a corruption",
        "original that loses nothing",
        "no original to compare sizes with",
        "no size to compare",
        "no size",
        "size that is no number",
        "no latency",
        "latency that is no number",
    ],
)
def test_threshold_without_a_figure_fails_the_case_and_says_why(
    record: Record, original: Record | None, thresholds: dict[str, float], why: str
) -> None:
    assert broken(record, original, **thresholds)["value"] is None
    message = message_of(Limits(suite(**thresholds)), record, original)
    assert re.search(f"got no figure, because .*{why}", message)


@pytest.mark.parametrize(
    "record",
    [accuracy(VARIANT, 100), robustness(VARIANT, 100), mce(VARIANT, 9, 9), size(VARIANT, 10**9), SLOW],
)
def test_thresholds_of_another_kind_of_case_are_not_asserted(record: Record) -> None:
    own = {"accuracy": "accuracy_min", "robustness": "ce_max", "mce": "mce_max", "claims": "zipped_mb_max"}
    others = {"accuracy_min": 1.0, "ce_max": 1.0, "mce_max": 1.0}
    others |= {"zipped_mb_max": 0.001, "latency_ms_max": 0.001}
    del others[own.get(record.case.kind, "latency_ms_max")]
    assert keeps(record, **others)


def test_suite_without_thresholds_needs_no_pandas() -> None:
    code = """
import sys
from benchmarks.results import Record
from benchmarks.suite import load_suite
from fixtures.known import known_names
from reporting.gate import Limits

suite = load_suite("cifar10-vgg6", known_names())
Limits(suite).check(Record(next(suite.cases("accuracy", {}))))
sys.exit("pandas" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


# Sequential evaluation


@pytest.mark.parametrize(
    ("decision", "standing"), [("below", "kept"), ("above", "broken"), (None, "undecided")]
)
def test_decision_of_a_sequential_evaluation_is_the_standing_whatever_the_estimate(
    decision: str | None, standing: str
) -> None:
    record = replace(robustness(VARIANT, 5, 9), details={"decisions": {"ce_max": decision}})
    limits = Limits(suite(ce_max=150))
    with suppress(AssertionError), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        limits.check(record, robustness(ORIGINAL, 4, 6))
    [check] = limits.checks
    assert check.standing == standing
    assert check.value == pytest.approx(140)
