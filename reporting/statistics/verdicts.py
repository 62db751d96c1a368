"""What a comparison with a baseline comes to, cell by cell and variant by variant.

A difference is the current figure less that of the baseline, so that positive is worse.  With its interval
[low, high], its p-value adjusted for the number of tests, and the least effect that matters, it is, the
first that holds of

    missing             there is no difference: one of the two was not measured
    worse               p <= alpha  and  difference >= least
    better              p <= alpha  and  difference <= -least
    same                high < least: a rise that matters is ruled out
    not enough data     it is not

A regression thus needs significance *and* an effect that matters.  "Same" is something shown, not a test
that failed to find anything: it is non-inferiority with the margin ``least``, by the upper end of a
two-sided interval.  It asks nothing of the lower end, because a gate need not tell "as good" from "a little
better".  With too few images the interval is wider than ``least`` on either side and every cell that is not
clearly worse or better is "not enough data"; so is a difference that is significant, but not known to stay
below the least effect.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from reporting.statistics.bootstrap import Bootstrap, deviation_scale
from reporting.statistics.paired import Correction, adjusted, difference_interval, mcnemar

Floats = npt.NDArray[np.float64]

Verdict = Literal["better", "same", "worse", "not enough data", "missing"]
BETTER, SAME, WORSE, NOT_ENOUGH_DATA, MISSING = get_args(Verdict)


@dataclass(frozen=True, eq=False)
class Comparison:
    """Differences to a baseline, arrays of one shape: ``NaN`` where there is none.

    ``difference`` with its interval ``low`` to ``high``, in the unit of what is compared; ``p`` as the test
    has it and ``p_adjusted`` for the number of tests; ``verdict``: :data:`Verdict`, of type str.
    """

    difference: Floats
    low: Floats
    high: Floats
    p: Floats
    p_adjusted: Floats
    verdict: npt.NDArray[np.str_]


def compare_cells(
    b: npt.ArrayLike,
    c: npt.ArrayLike,
    images: npt.ArrayLike,
    *,
    least: float,
    alpha: float = 0.05,
    correction: Correction = "bh",
) -> Comparison:
    """Compare the error rates of cells, given their discordant images (:func:`paired.discordant`).

    ``b``, ``c`` and ``images`` have one shape, any; a cell of no images is missing.  All others are tested
    by exact McNemar, corrected over them all.  ``least`` is a fraction of the images: 0.01 is one point of
    error.
    """
    b, c, n = (np.asarray(counts, np.int64) for counts in (b, c, images))
    if not ((b >= 0) & (c >= 0) & (b + c <= n)).all():
        raise ValueError("expected b, c >= 0 and b + c <= images in every cell, got other counts")
    difference = np.where(n > 0, (c - b) / np.maximum(n, 1), np.nan)
    low, high = difference_interval(b, c, n, level=1 - alpha)
    p = np.where(n > 0, mcnemar(b, c), np.nan)
    return judged(difference, low, high, p, least=least, alpha=alpha, correction=correction)


def compare_mce(
    difference: Bootstrap,
    *,
    least: float,
    alpha: float = 0.05,
    correction: Correction = "bh",
    population: int | None = None,
) -> Comparison:
    """Compare the mCE of variants, given the bootstrapped difference of each to its baseline.

    ``difference`` is from ``Bootstrap.minus``; arrays of the result are (v,).  ``least`` is in per cent, as
    mCE is; ``population`` as in ``Bootstrap.intervals``.  The p-value is that of a normal difference with
    the standard deviation of the replicates, because counting replicates beyond zero cannot show a p-value
    as small as a correction over many variants needs.  It leaves out replicates without a value; the
    interval accounts for them.
    """
    mce = difference.estimate.mce
    low, high = difference.intervals(level=1 - alpha, population=population)
    variance = _variance(difference.replicates.mce) * deviation_scale(difference.images, population) ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        p = 2 * ndtr(-np.abs(mce) / np.sqrt(variance))
    # Equal on every image drawn, or known exactly: there is no chance in it.
    p = np.where(variance == 0, np.where(mce == 0, 1.0, 0.0), p)
    p = np.where(np.isnan(mce), np.nan, p)
    return judged(mce, low.mce, high.mce, p, least=least, alpha=alpha, correction=correction)


def judged(
    difference: Floats,
    low: Floats,
    high: Floats,
    p: Floats,
    *,
    least: float,
    alpha: float,
    correction: Correction,
) -> Comparison:
    """Return the verdicts on differences of one shape, of which ``p`` is corrected over them all.

    ``least`` is in the unit of ``difference``, ``low`` and ``high``.  Parts of a whole that were compared one
    by one are judged together with this.
    """
    if not least > 0:
        raise ValueError(
            f"expected a least effect above zero, got {least}, because no number of images shows that "
            "nothing changed at all; try the smallest rise that matters, such as 0.01"
        )
    p_adjusted = adjusted(p, correction)
    with np.errstate(invalid="ignore"):
        significant = p_adjusted <= alpha
        verdict = np.select(
            [
                np.isnan(difference),
                significant & (difference >= least),
                significant & (difference <= -least),
                high < least,
            ],
            [MISSING, WORSE, BETTER, SAME],
            NOT_ENOUGH_DATA,
        )
    return Comparison(difference, low, high, p, p_adjusted, verdict)


def variant_verdict(cells: Sequence[Verdict], mce: Verdict) -> Verdict:
    """Return the verdict on a variant from those of its cells and of its mCE.

    The first that holds of: ``worse`` if any cell or the mCE is; ``missing`` if any cell is, or there is
    none; else what the mCE says, which pools all cells, so that single cells without enough data do not
    leave the variant undecided.  Where the mCE is ``missing`` (not all fifteen corruptions are measured),
    the cells alone decide: ``not enough data`` if any has not, ``better`` if any is, otherwise ``same``.
    """
    if WORSE in cells or mce == WORSE:
        return WORSE
    if MISSING in cells or not len(cells):
        return MISSING
    if mce != MISSING:
        return mce
    if NOT_ENOUGH_DATA in cells:
        return NOT_ENOUGH_DATA
    return BETTER if BETTER in cells else SAME


def _variance(replicates: Floats) -> Floats:
    """Return the variance (v,) of replicates (v, r) that have a value; ``NaN`` with less than two."""
    there = ~np.isnan(replicates)
    count = there.sum(axis=-1)
    enough = count > 1
    mean = np.where(there, replicates, 0).sum(axis=-1) / np.maximum(count, 1)
    squares = np.where(there, (replicates - mean[:, np.newaxis]) ** 2, 0).sum(axis=-1)
    return np.where(enough, squares / np.maximum(count - 1, 1), np.nan)
