"""Two models on the same images: by how much their errors differ, and whether by more than chance.

Only the images on which exactly one of them is wrong say anything: ``b`` are wrong in the baseline alone,
``c`` in the current run alone.  The difference of the error rates of ``n`` images is ``(c - b) / n``,
positive when it got worse.

What is tested is whether *these two models* differ on images of this kind.  Two trainings of one recipe do
differ, and enough images will show it; that a difference matters is what a least effect says
(:mod:`verdicts`).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.stats import binom, false_discovery_control

from reporting.statistics.intervals import normal_quantile

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

#: Benjamini-Hochberg, for tests that are independent or positively dependent, as cells that share images are
#: taken to be; or Benjamini-Yekutieli, for any dependence.
Correction = Literal["bh", "by"]


def discordant(baseline: npt.NDArray, current: npt.NDArray) -> tuple[Counts, Counts]:
    """Return (b, c), int64 (...): the images wrong in ``baseline`` alone and in ``current`` alone.

    Both arrays are bool (..., images) or uint8 (..., bytes) of packed bits whose padding is zero, as
    ``np.packbits`` leaves it, and of the same images in the same order.
    """
    if baseline.shape != current.shape or baseline.dtype != current.dtype:
        raise ValueError(
            f"expected outcomes of the same images, got {baseline.dtype} {baseline.shape} and "
            f"{current.dtype} {current.shape}"
        )
    if baseline.dtype not in (np.bool_, np.uint8):
        raise ValueError(f"expected outcomes to be bool, or uint8 of packed bits, got {baseline.dtype}")
    return _ones(baseline & ~current), _ones(current & ~baseline)


def mcnemar(b: npt.ArrayLike, c: npt.ArrayLike) -> Floats:
    """Return the two-sided p-value of McNemar's exact test, of the shape of ``b`` and ``c``.

    If the models err equally often, each discordant image is wrong in either with probability 1/2: ``min(1,
    2 P(X <= min(b, c)))`` with X binomial of b + c (McNemar, "Note on the sampling error of the difference
    between correlated proportions or percentages", 1947; exact as the sign test).  1 without discordant
    images.
    """
    b, c = np.asarray(b), np.asarray(c)
    return np.minimum(1.0, 2 * binom.cdf(np.minimum(b, c), b + c, 0.5))


def adjusted(p: Floats, correction: Correction = "bh") -> Floats:
    """Return ``p`` adjusted for the number of tests, same shape; ``NaN`` is no test and stays.

    Rejecting what is at most ``a`` keeps the expected share of false ones among the rejected at ``a``
    (Benjamini and Hochberg, 1995; Benjamini and Yekutieli, 2001).
    """
    result = np.full_like(p, np.nan)
    tested = ~np.isnan(p)
    if tested.any():
        result[tested] = false_discovery_control(p[tested], method=correction)
    return result


def difference_interval(
    b: npt.ArrayLike, c: npt.ArrayLike, images: npt.ArrayLike, *, level: float = 0.95
) -> tuple[Floats, Floats]:
    """Return the bounds (low, high) of the difference of error rates, as fractions; ``NaN`` without images.

    Wald's interval with one image added to ``b`` and to ``c`` (Bonett and Price, "Adjusted Wald confidence
    interval for a difference of binomial proportions based on paired data", 2012): unlike the plain one it
    does not collapse where no image, or few, are discordant, which is what most cells of a good comparison
    look like.
    """
    b, c, n = (np.asarray(counts, np.float64) for counts in (b, c, images))
    lost, gained = (b + 1) / (n + 2), (c + 1) / (n + 2)
    half = normal_quantile(level) * np.sqrt((lost + gained - (gained - lost) ** 2) / (n + 2))
    low, high = np.maximum(gained - lost - half, -1), np.minimum(gained - lost + half, 1)
    return np.where(n > 0, low, np.nan), np.where(n > 0, high, np.nan)


def _ones(array: npt.NDArray) -> Counts:
    counts = np.bitwise_count(array) if array.dtype == np.uint8 else array
    return counts.sum(axis=-1, dtype=np.int64)
