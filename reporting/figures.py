"""The figures of one case that thresholds are for, each with its interval.

They are those of a report, from the same formulas and, as the images are the same, the same draws: values
from :mod:`reporting.metrics`, intervals as :mod:`reporting.uncertainty` lists them.  A figure that is exact
is its own interval, and so is one whose interval needs outcomes by image that are not known.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.cases import Variant
from benchmarks.results import Record
from benchmarks.sections import Statistics
from reporting.frames import CLEAN, from_records
from reporting.metrics import BASELINE, compression_ratios, corruption_errors, summarise
from reporting.missing import absent_metrics
from reporting.observed import observed_of
from reporting.statistics.bootstrap import Metrics, bootstrap
from reporting.statistics.intervals import wilson
from reporting.uncertainty import (
    drawn_from,
    mean_bounds,
    paired_drop,
    population_of,
    with_intervals,
)


@dataclass(frozen=True)
class Figure:
    """A ``value`` with its interval ``low`` to ``high``.

    A value that the data do not define is ``NaN``, and ``why`` says what they lack; a bound that they do not
    set is ``NaN`` too.
    """

    value: float
    low: float
    high: float
    why: str = ""


#: Figures by the key of the threshold that is for them.
Figures = Mapping[str, Figure]


def figures_of(record: Record, original: Record | None, statistics: Statistics, seed: int) -> Figures:
    """Return the figures of a record; ``original`` is the same measurement of the uncompressed network.

    Everything drawn at random follows from ``seed``.
    """
    records = [record, *([original] if original else [])]
    match record.case.kind:
        case "accuracy":
            figures = _accuracy(records, statistics)
        case "robustness":
            figures = _corruption_error(records, statistics, seed)
        case "mce":
            figures = _mean_corruption_error(records, statistics, seed)
        case "claims":
            figures = _size(records)
        case "adversarial":
            figures = _post_attack_accuracy(record, statistics)
        case "explainability":
            figures = _explanation(record, statistics, seed)
        case _:
            figures = _latency(record)
    return figures


def _accuracy(records: Sequence[Record], statistics: Statistics) -> Figures:
    variant = records[0].case.variant
    cells = with_intervals(from_records(records).cells, statistics)
    clean = cells[cells["corruption"] == CLEAN].set_index("technique")
    error, low, high = (_at(clean, variant.technique, f"error{end}") for end in ("", "_low", "_high"))
    difference = error - _at(clean, BASELINE, "error")
    paired: tuple[float, float, float] = (math.nan, math.nan, math.nan)
    for observed in observed_of(records):
        if variant in observed.variants:
            place = observed.variants.index(variant)
            drop, drop_low, drop_high = paired_drop(observed, statistics)
            paired = float(drop[place]), float(drop_low[place]), float(drop_high[place])
    missing = "its accuracy was not measured"
    no_drop = missing if math.isnan(error) else "the accuracy of its original was not measured"
    accuracy = Figure(1 - error, 1 - high, 1 - low) if low <= high else _exact(1 - error, missing)
    return {
        "accuracy_min": accuracy,
        "accuracy_drop_max": _exact(difference, no_drop) if math.isnan(paired[0]) else Figure(*paired),
    }


def _corruption_error(records: Sequence[Record], statistics: Statistics, seed: int) -> Figures:
    case = records[0].case
    value = _at(corruption_errors(from_records(records).cells), case.variant.technique, case.corruption)
    drawn = _drawn(records, case.variant, statistics, seed)
    figure = _sampled([float(metrics.ce[0]) for metrics in drawn], value, _why_no_ce(records))
    return {"ce_max": figure}


def _mean_corruption_error(records: Sequence[Record], statistics: Statistics, seed: int) -> Figures:
    variant = records[0].case.variant
    frames = from_records(records)
    summary = summarise(frames.cells, frames.sizes)
    mce, relative = (_at(summary, variant.technique, name) for name in ("mce", "relative_mce"))
    reasons = absent_metrics(frames.cells, summary).set_index(["technique", "metric"])["reason"]
    why = reasons.get((variant.technique, "mCE"), "it was not measured")
    no_relative = "on some corruption its original loses nothing, or the clean images were not measured"
    drawn = _drawn(records, variant, statistics, seed)
    figure = _sampled([float(metrics.mce) for metrics in drawn], mce, why)
    return {
        "mce_max": figure,
        # The mCE of an original is 100 by definition, whichever images are drawn.
        "mce_rise_max": Figure(figure.value - 100, figure.low - 100, figure.high - 100, why),
        "relative_mce_max": _sampled(
            [float(metrics.relative_mce) for metrics in drawn],
            relative,
            why if math.isnan(mce) else no_relative,
        ),
    }


def _size(records: Sequence[Record]) -> Figures:
    frames = from_records(records)
    technique = records[0].case.variant.technique
    ratio = _at(compression_ratios(frames.sizes).to_frame(), technique, "compression_ratio")
    zipped = records[0].metrics.get("zipped_bytes", math.nan)
    missing = "its size was not recorded"
    no_ratio = missing if math.isnan(zipped) else "the size of its original was not recorded"
    return {"compression_ratio_min": _exact(ratio, no_ratio), "zipped_mb_max": _exact(zipped / 1e6, missing)}


def _post_attack_accuracy(record: Record, statistics: Statistics) -> Figures:
    """Wilson's interval of the way that did most, as accuracy has it; which way that is, is not uncertain."""
    accuracy = record.metrics.get("post_attack_accuracy", math.nan)
    images = record.details.get("images", 0)
    if math.isnan(accuracy) or not images:
        return {"post_attack_accuracy_min": _exact(math.nan, "it was not attacked")}
    population = drawn_from(record, statistics)
    if population is None and statistics.about == "test-set":
        return {"post_attack_accuracy_min": _exact(accuracy, "")}
    errors = round((1 - accuracy) * images)
    low, high = wilson(errors, images, level=statistics.level, population=population)
    return {"post_attack_accuracy_min": Figure(1 - errors / images, 1 - float(high), 1 - float(low))}


def _explanation(record: Record, statistics: Statistics, seed: int) -> Figures:
    """The figures of a map are exact: they are of just its images.  Mean correlations have an interval."""
    if record.case.method == "activation_maps":
        return {"explanation_correlation_min": _correlation(record, statistics, seed)}
    return {
        f"{name}_min": _exact(record.metrics.get(name, math.nan), "it was not measured")
        for name in ("neighbour_accuracy", "silhouette")
    }


def _correlation(record: Record, statistics: Statistics, seed: int) -> Figure:
    """Return the mean rank correlation of Grad-CAM maps; its interval is of images drawn again."""
    correlations = np.asarray(record.details.get("correlations", ()), np.float64)
    if not len(correlations):
        return _exact(math.nan, "it was not measured")
    return Figure(float(correlations.mean()), *mean_bounds(correlations, record, statistics, seed))


def _latency(record: Record) -> Figures:
    median, low, high = (
        1000 * record.metrics.get(f"latency_median{end}_s", math.nan) for end in ("", "_low", "_high")
    )
    missing = "it was not timed"
    known = low <= high and not math.isnan(median)
    return {"latency_ms_max": Figure(median, low, high) if known else _exact(median, missing)}


def _drawn(
    records: Sequence[Record], variant: Variant, statistics: Statistics, seed: int
) -> tuple[Metrics, ...]:
    """Return a variant's metrics as measured, their lower and their upper bounds; nothing if not by image."""
    for observed in observed_of(records):
        if variant in observed.variants:
            rng = np.random.default_rng(seed)
            drawn = bootstrap(observed.outcomes, replicates=statistics.replicates, rng=rng)
            bounds = drawn.intervals(level=statistics.level, population=population_of(observed, statistics))
            place = observed.variants.index(variant)
            return tuple(
                Metrics(**{name: values[place] for name, values in metrics.arrays().items()})
                for metrics in (drawn.estimate, *bounds)
            )
    return ()


def _sampled(drawn: Sequence[float], value: float, why: str) -> Figure:
    """Return the figure with its interval, if the three of ``drawn`` are there and define it."""
    if not drawn or math.isnan(drawn[0]):
        return _exact(value, why)
    estimate, low, high = drawn
    return Figure(estimate, low, high)


def _exact(value: float, why: str) -> Figure:
    return Figure(value, value, value, why if math.isnan(value) else "")


def _why_no_ce(records: Sequence[Record]) -> str:
    own, *original = ({cell.severity for cell in record.cells if cell.images} for record in records)
    if not own:
        return "it was not measured"
    if not any(original):
        return "its original was not measured"
    return "its original makes no errors" if own in original else "its original has other severities"


def _at(table: Any, technique: str, column: str | None) -> float:
    """Return a figure of a table (of one model on one data set), ``NaN`` where there is none."""
    rows = table.reset_index().set_index("technique")
    return float(rows.reindex(index=[technique], columns=[column]).iat[0, 0])
