"""The corruptions against a plain loop, at every published scale and at odd sizes."""

from __future__ import annotations

import numpy as np
import pytest
from corruption_draws import draw, kernel_of, of_image, options_of
from plain_corruptions import corrupt_plainly

from fixtures.corruptions import CORRUPTIONS
from fixtures.corruptions.constants import SCALES

PUBLISHED = [corruption.name for corruption in CORRUPTIONS.values() if corruption.function is None]

#: Share of values that may differ, by one grey level: where the order of a sum decides about truncation, as
#: in a large kernel that OpenCV applies by Fourier transform.
TOLERATED = {"defocus_blur": 0.02, "elastic_transform": 0.002, "snow": 0.002}


def some_images(height, width):
    """Return a smooth image, a noisy one and one of flat squares: uint8 (3, height, width, 3)."""
    rng = np.random.default_rng(7)
    rows, columns = np.mgrid[:height, :width] / max(height, width)
    smooth = np.stack([rows, columns, (rows + columns) / 2], -1) * 255
    noisy = rng.integers(0, 256, (height, width, 3))
    flat = np.kron(rng.integers(0, 2, (-(-height // 8), -(-width // 8), 3)), np.ones((8, 8, 1)))
    return np.stack([smooth, noisy, flat[:height, :width] * 255]).astype(np.uint8)


@pytest.mark.parametrize("severity", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("name", PUBLISHED)
def test_a_corruption_equals_the_plain_loop(name, scale, severity):
    images = some_images(30, 41) if name != "elastic_transform" else some_images(48, 48)
    constants, draws = draw(name, images, severity, scale)
    made = kernel_of(name).apply(images, draws, constants, **options_of(name, scale))
    plain = [
        corrupt_plainly(name, image, of_image(name, draws, place, scale, images.shape[1:3]), constants)
        for place, image in enumerate(images)
    ]
    difference = np.abs(made.astype(int) - np.stack(plain))
    assert difference.max() <= (1 if name in TOLERATED else 0)
    assert (difference > 0).mean() <= TOLERATED.get(name, 0)
