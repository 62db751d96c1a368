"""The interval of a mean over images that were drawn from a test set."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from reporting.statistics.bootstrap import deviation_scale


def mean_interval(
    values: npt.NDArray[np.float64],
    *,
    level: float,
    replicates: int,
    population: int | None,
    rng: np.random.Generator,
) -> tuple[float, float]:
    """Return the bounds of the mean of ``values`` (n,), a number of each image, by the percentile bootstrap.

    ``population`` is the number of images that these were drawn from, ``None`` for ever so many; if they are
    all of it, the mean is exact.  One image does not say how others differ: then both are ``NaN``.
    """
    from scipy.stats import bootstrap  # noqa: PLC0415 - few reports have such a mean

    mean = float(values.mean())
    scale = deviation_scale(len(values), population)
    if not scale:
        return mean, mean
    if len(values) < 2:
        return math.nan, math.nan
    drawn = bootstrap(
        (values,),
        np.mean,
        n_resamples=replicates,
        confidence_level=level,
        method="percentile",
        rng=rng,
    )
    low, high = (mean + scale * (float(end) - mean) for end in drawn.confidence_interval)
    return low, high
