"""A small network for tests, and images that it learns in a moment: classes that differ in colour."""

from __future__ import annotations

from typing import Any

import numpy as np

from fixtures.compression.steps import Bench
from fixtures.datasets import Split
from fixtures.models import MODELS, NetworkSpec
from fixtures.models.scaling import Scaling
from fixtures.models.training import Budget, Images

SCALING = Scaling(1 / 255)
SPEC = NetworkSpec((16, 16, 3), 4, width=0.25, seed=3)


def coloured(count: int, seed: int) -> Split:
    """Return noise of four classes: the first three are brighter in a colour, the last is not."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 4
    pixels = rng.integers(0, 200, (count, 16, 16, 3), dtype=np.uint8)
    for label in range(3):
        pixels[labels == label, :, :, label] += 50
    return Split(pixels, labels)


def narrow_vgg6() -> Any:
    return MODELS["vgg6"].build(SPEC)


def bench_of(**changes: Any) -> Bench:
    """Return a bench with 256 images to train on and 64 to validate on, for four epochs."""
    usual = {
        "images": Images(coloured(256, 1), coloured(64, 2)),
        "budget": Budget(epochs=4, batch_size=16, learning_rate=2e-3),
        "sparsity": 0.5,
        "clusters": 16,
        "l1_ratio": 0.4,
        "scaling": SCALING,
        "seed": 1,
        "progress": lambda _: None,
        "protocol": "sound",
        "tell": lambda _: None,
        "note": lambda _: None,
    }
    return Bench(**{**usual, **changes})
