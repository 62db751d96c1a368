"""How surely a variant is Pareto-optimal."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def optimal_probability(accuracy: Floats, mce: Floats, compression_ratio: Floats) -> Floats:
    """Return (v,): the share of replicates in which each of ``v`` variants of a data set is Pareto-optimal.

    ``accuracy`` and ``mce`` (v, replicates) are paired: column ``r`` of both, for all variants, is from the
    same images (:func:`reporting.statistics.bootstrap.bootstrap`); more accuracy, less mCE and a larger
    compression ratio (v,), which is exact, are better.  Dominance is that of :mod:`reporting.pareto`: equal
    variants do not dominate each other, and one that lacks an objective in a replicate is not ranked there:
    it dominates nothing, and the replicate counts as one in which it is not optimal.  ``NaN`` for a variant
    that no replicate ranks.
    """
    import moocore  # noqa: PLC0415  (costs a second that a report without ratios need not pay)

    variants, replicates = accuracy.shape
    points = np.stack(
        [-accuracy, mce, np.broadcast_to(-compression_ratio[:, np.newaxis], mce.shape)], axis=-1
    )
    ranked = np.all(~np.isnan(points), axis=-1)
    optimal = np.zeros(variants)
    for replicate in range(replicates):
        rows = np.flatnonzero(ranked[:, replicate])
        if len(rows):
            optimal[rows] += moocore.is_nondominated(points[rows, replicate], keep_weakly=True)
    return np.where(np.any(ranked, axis=1), optimal / replicates, np.nan)
