"""The confidence interval of an error rate."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

Floats = npt.NDArray[np.float64]


def wilson(
    errors: npt.ArrayLike,
    images: npt.ArrayLike,
    *,
    level: float = 0.95,
    population: npt.ArrayLike | None = None,
) -> tuple[Floats, Floats]:
    """Return the bounds (low, high) of the error rate, as fractions, of ``errors`` in ``images``.

    Wilson's score interval (Wilson, "Probable inference, the law of succession, and statistical inference",
    1927): all rates ``p`` with ``|errors / n - p| <= z sqrt(p (1 - p) / n)``.  The arguments are broadcast.

    ``population`` says that the images were drawn without replacement from a test set of that many, and
    that the rate in question is the one of this test set.  The variance of ``errors / n`` is then ``p (1 -
    p) / n * (N - n) / (N - 1)`` (Cochran, *Sampling Techniques*, 3rd ed., 1977, section 3.2), which is
    Wilson's with ``n (N - 1) / (N - n)`` images; with all of them drawn the interval is a point.

    No images give ``NaN``.  Raises ``ValueError`` for more errors than images or more images than population.
    """
    k, n = np.broadcast_arrays(np.asarray(errors, np.float64), np.asarray(images, np.float64))
    if not ((k >= 0) & (k <= n)).all():
        raise ValueError("expected 0 <= errors <= images, got other counts")
    z = normal_quantile(level)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = k / n
        # What the interval is as wide as, in units of one image; zero where nothing is left to draw.
        shrunk = z**2 * remaining(n, population) / n
        centre = (rate + shrunk / 2) / (1 + shrunk)
        half = np.sqrt(shrunk * (rate * (1 - rate) + shrunk / 4)) / (1 + shrunk)
    # Exactly zero and one in exact arithmetic.
    return np.where(k == 0, 0 * rate, centre - half), np.where(k == n, rate, centre + half)


def remaining(images: npt.ArrayLike, population: npt.ArrayLike | None) -> Floats:
    """Return the share of the variance that sampling without replacement leaves: ``(N - n) / (N - 1)``.

    1 where ``population`` is ``None``, 0 where all was sampled (also of a population of one).
    Raises ``ValueError`` for more images than population.
    """
    n = np.asarray(images, np.float64)
    if population is None:
        return np.ones_like(n)
    total = np.asarray(population, np.float64)
    if not (n <= total).all():
        raise ValueError(
            f"expected a population of at least the {n.max():.0f} images that were sampled, got "
            f"{total.min():.0f}; try the size of the whole test set"
        )
    return (total - n) / np.maximum(total - 1, 1)


def normal_quantile(level: float) -> float:
    """Return ``z`` such that a standard normal variable is within [-z, z] with probability ``level``."""
    if not 0 < level < 1:
        raise ValueError(f"expected a level between 0 and 1, got {level}; try 0.95")
    return float(ndtri((1 + level) / 2))
