"""Times the corruptions and a plain loop over the images: ``python tests/bench_corruptions.py [images]``.

One thread, 32×32 pixels, the CIFAR scale, all five severities.  The plain loop draws its random numbers from
one generator, as the published one does, but reads the frost textures once.  Images per second are the best
of several rounds, as other work on the machine can only slow a round down.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy is imported
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import cv2
import numpy as np
from plain_corruptions import corrupt_plainly

from fixtures.corruptions import CORRUPTIONS, corrupt
from fixtures.corruptions.frost import frost_textures

SIDE = 32
ROUNDS = 5


def photo_like(count, rng):
    """Return smooth images with some noise: uint8 (count, 32, 32, 3)."""
    coarse = rng.uniform(0, 255, (count, 6, 6, 3)).astype(np.float32)
    smooth = [cv2.resize(one, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC) for one in coarse]
    return np.clip(np.stack(smooth) + rng.normal(0, 8, (count, SIDE, SIDE, 3)), 0, 255).astype(np.uint8)


def crop_of_frost(rng, pixels):
    texture = frost_textures("cifar", *pixels, None)[rng.integers(5)]
    row, column = (rng.integers(side - SIDE) for side in texture.shape[:2])
    return texture[row : row + SIDE, column : column + SIDE]


#: The random numbers of one image, by corruption; the others need none.
PLAIN_DRAWS = {
    "gaussian_noise": lambda rng, x, _: rng.normal(size=x.shape),
    "shot_noise": lambda rng, x, c: rng.poisson(x / 255 * c[0]),
    "impulse_noise": lambda rng, x, c: (rng.random(x.shape) < c[0], rng.random(x.shape) < 0.5),
    "glass_blur": lambda rng, _, c: rng.integers(-1, 1, (c[2], SIDE - 2, SIDE - 2, 2)),
    "motion_blur": lambda rng, *_: rng.random(),
    "snow": lambda rng, x, _: (rng.normal(size=x.shape[:2]), rng.random()),
    "frost": lambda rng, x, _: crop_of_frost(rng, x.shape[:2]),
    "fog": lambda rng, *_: rng.random(SIDE * SIDE - 1),
    "elastic_transform": lambda rng, x, _: (rng.random((3, 2)), rng.random((2, *x.shape[:2]))),
    "speckle_noise": lambda rng, x, _: rng.normal(size=x.shape),
    "spatter": lambda rng, x, _: rng.normal(size=x.shape[:2]),
}


def best_seconds(work):
    """Return the shortest of several times that ``work`` takes, after a first time that fills caches."""
    work()
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def package_seconds(name, images):
    """Return the time for all severities, per image."""
    indices = np.arange(len(images))

    def work(severity):
        corrupt(name, images, severity, seed=0, indices=indices)

    return sum(best_seconds(lambda s=s: work(s)) for s in range(1, 6)) / len(images)


def plain_seconds(name, images):
    """Return the time of the plain loop for all severities, per image."""
    rng = np.random.default_rng(0)
    draw = PLAIN_DRAWS.get(name, lambda *_: None)

    def work(constants):
        for image in images:
            corrupt_plainly(name, image, draw(rng, image, constants), constants)

    return sum(best_seconds(lambda c=c: work(c)) for c in CORRUPTIONS[name].constants["cifar"]) / len(images)


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 512
    images = photo_like(count, np.random.default_rng(0))
    cv2.setNumThreads(1)
    totals = np.zeros(2)
    print(f"{'images/s':20}{'package':>10}{'plain':>10}{'times':>8}")
    for name, corruption in CORRUPTIONS.items():
        seconds = np.array(
            (package_seconds(name, images), plain_seconds(name, images[: max(8, count // 32)]))
        )
        totals += seconds if corruption.standard else 0
        package, plain = 5 / seconds
        print(f"{name:20}{package:10,.0f}{plain:10,.0f}{package / plain:8.1f}")
    package, plain = 15 * 5 / totals
    print(f"{'all 15 together':20}{package:10,.0f}{plain:10,.0f}{package / plain:8.1f}")


if __name__ == "__main__":
    main()
