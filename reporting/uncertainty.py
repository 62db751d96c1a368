"""How far each figure of a report can be trusted: intervals beside the metrics, from outcomes by image.

    error of a cell, accuracy     Wilson (:mod:`reporting.statistics.intervals`)
    difference in accuracy        paired by image (:mod:`reporting.statistics.paired`)
    CE, mCE, relative mCE         paired bootstrap over images (:mod:`reporting.statistics.bootstrap`)
    mean correlation of maps      bootstrap over images (:mod:`reporting.statistics.means`)
    compression ratio             exact

Accuracy has Wilson's interval and not the bootstrap's, because it is one less the error of the clean cell,
and because a bootstrap of a network that is right on every image would be certain of it.  A figure whose
outcomes by image are not known has no interval of these kinds but the first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.cases import Variant
from benchmarks.results import Record
from benchmarks.sections import Statistics
from reporting.frames import CLEAN, VARIANT, identity
from reporting.observed import Observed
from reporting.statistics.bootstrap import Bootstrap, bootstrap, deviation_scale
from reporting.statistics.intervals import wilson
from reporting.statistics.means import mean_interval
from reporting.statistics.outcomes import NO_ORIGINAL
from reporting.statistics.paired import difference_interval, discordant
from reporting.statistics.pareto import optimal_probability

#: The columns that say how sure a summary is, beside the figures that they are of.
INTERVALS = (
    *("accuracy_low", "accuracy_high", "accuracy_drop", "accuracy_drop_low", "accuracy_drop_high"),
    *("mce_low", "mce_high", "relative_mce_low", "relative_mce_high", "pareto_probability"),
)


@dataclass(frozen=True, eq=False)
class Uncertainty:
    """``variants``: a row per variant with the columns :data:`INTERVALS`, indexed by variant.  ``ce``: a row
    per variant and corruption with ``ce``, ``low`` and ``high`` in per cent, indexed by both.
    """

    variants: pd.DataFrame
    ce: pd.DataFrame


def with_intervals(cells: pd.DataFrame, statistics: Statistics) -> pd.DataFrame:
    """Return the cells of :mod:`reporting.frames` with ``error_low`` and ``error_high``, fractions.

    They are ``NaN`` where the number of images is not known, or that of the test set, if that is asked for.
    """
    images = cells["images"].to_numpy(np.float64, na_value=np.nan)
    population = cells["population"].to_numpy(np.float64, na_value=np.nan)
    known = ~np.isnan(images) & ~(np.isnan(population) & (statistics.about == "test-set"))
    errors = np.rint(cells["error"].to_numpy()[known] * images[known])
    bounds = np.full((2, len(cells)), np.nan)
    bounds[:, known] = wilson(
        errors,
        images[known],
        level=statistics.level,
        population=population[known] if statistics.about == "test-set" else None,
    )
    return cells.assign(error_low=bounds[0], error_high=bounds[1])


def uncertainty_of(
    cells: pd.DataFrame,
    ratios: pd.Series[float],
    observed: Iterable[Observed],
    statistics: Statistics,
    seed: int,
) -> Uncertainty:
    """Return how sure the figures are.

    ``cells`` are those of :func:`with_intervals`, ``ratios`` the compression ratios by variant.  Everything
    drawn at random follows from ``seed``.
    """
    clean = cells[cells["corruption"] == CLEAN].set_index(VARIANT)
    accuracy = pd.DataFrame(
        {"accuracy_low": 1 - clean["error_high"], "accuracy_high": 1 - clean["error_low"]}, index=clean.index
    )
    variants, ce = [], []
    for one in observed:
        of_variants, of_corruptions = _of_dataset(one, ratios, statistics, np.random.default_rng(seed))
        variants += of_variants
        ce += of_corruptions
    pooled = pd.DataFrame(variants, columns=[*VARIANT, *INTERVALS[2:]]).set_index(VARIANT)
    return Uncertainty(
        accuracy.join(pooled, how="outer").astype("float64"),
        pd.DataFrame(ce, columns=[*VARIANT, "corruption", "ce", "low", "high"]).set_index(
            [*VARIANT, "corruption"]
        ),
    )


def paired_drop(observed: Observed, statistics: Statistics) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the loss of accuracy against the original and its bounds (low, high), fractions, each (v,)."""
    outcomes = observed.outcomes
    drop, low, high = np.full((3, len(observed.variants)), np.nan)
    if (CLEAN, 0) in outcomes.cells:
        cell = outcomes.cells.index((CLEAN, 0))
        original = np.where(outcomes.original == NO_ORIGINAL, 0, outcomes.original)
        both = (
            (outcomes.original != NO_ORIGINAL)
            & outcomes.measured[:, cell]
            & outcomes.measured[original, cell]
        )
        b, c = discordant(outcomes.wrong[original, cell][both], outcomes.wrong[both, cell])
        difference = (c - b) / outcomes.images
        scale = deviation_scale(outcomes.images, population_of(observed, statistics))
        bounds = difference_interval(b, c, np.full(len(b), outcomes.images), level=statistics.level)
        # An original is compared with itself: there is nothing to be unsure of.
        itself = np.flatnonzero(both) == original[both]
        spread = np.where(itself, 0.0, scale)
        drop[both] = difference
        low[both], high[both] = (difference + spread * (bound - difference) for bound in bounds)
    return drop, low, high


def population_of(observed: Observed, statistics: Statistics) -> int | None:
    """Return the size of the population that the figures are about, ``None`` for one without end."""
    return observed.population if statistics.about == "test-set" else None


def drawn_from(record: Record, statistics: Statistics) -> int | None:
    """Return :func:`population_of` a record's images, ``None`` too where it is not known."""
    return record.images.population if record.images and statistics.about == "test-set" else None


def mean_bounds(
    values: npt.NDArray[np.float64], record: Record, statistics: Statistics, seed: int
) -> tuple[float, float]:
    """Return the bounds of the mean of a record's ``values``, one an image."""
    return mean_interval(
        values,
        level=statistics.level,
        replicates=statistics.replicates,
        population=drawn_from(record, statistics),
        rng=np.random.default_rng(seed),
    )


def _of_dataset(
    observed: Observed, ratios: pd.Series[float], statistics: Statistics, rng: np.random.Generator
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return a row per variant, and one per variant and corruption."""
    drawn = bootstrap(observed.outcomes, replicates=statistics.replicates, rng=rng)
    low, high = drawn.intervals(level=statistics.level, population=population_of(observed, statistics))
    drop, drop_low, drop_high = paired_drop(observed, statistics)
    columns = {
        "accuracy_drop": drop,
        "accuracy_drop_low": drop_low,
        "accuracy_drop_high": drop_high,
        "mce_low": low.mce,
        "mce_high": high.mce,
        "relative_mce_low": low.relative_mce,
        "relative_mce_high": high.relative_mce,
        "pareto_probability": _probability(observed, drawn, ratios, statistics),
    }
    rows = [
        identity(variant) | {name: values[index] for name, values in columns.items()}
        for index, variant in enumerate(observed.variants)
    ]
    return rows, list(_ce_rows(observed, drawn, (low.ce, high.ce)))


def _ce_rows(
    observed: Observed, drawn: Bootstrap, bounds: tuple[np.ndarray, np.ndarray]
) -> Iterator[dict[str, Any]]:
    for index, variant in enumerate(observed.variants):
        for place, corruption in enumerate(drawn.corruptions):
            low, high = (bound[index, place] for bound in bounds)
            figures = {"ce": drawn.estimate.ce[index, place], "low": low, "high": high}
            yield identity(variant) | {"corruption": corruption} | figures


def _probability(
    observed: Observed, drawn: Bootstrap, ratios: pd.Series[float], statistics: Statistics
) -> np.ndarray:
    """Return (v,): in which share of the replicates each variant is Pareto-optimal."""
    known = np.array([ratios.get(_key(variant), np.nan) for variant in observed.variants], np.float64)
    scale = deviation_scale(drawn.images, population_of(observed, statistics))
    accuracy, mce = (
        estimate[:, np.newaxis] + scale * (replicates - estimate[:, np.newaxis])
        for estimate, replicates in (
            (drawn.estimate.accuracy, drawn.replicates.accuracy),
            (drawn.estimate.mce, drawn.replicates.mce),
        )
    )
    if np.isnan(known).all() or np.isnan(mce).all():
        return np.full(len(known), np.nan)
    return optimal_probability(accuracy, mce, known)


def _key(variant: Variant) -> tuple[str, str, str]:
    return variant.dataset, variant.model, variant.technique
