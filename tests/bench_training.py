"""Time of training with and without the settings of the allocator: `python tests/bench_training.py`.

The same steps of the same network on random images, in a process of its own each way, one after the other in
one run: seconds by the clock, seconds of processor time in the program and in the system, page faults.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from fixtures.apart import ALLOCATOR
from fixtures.datasets import Split
from fixtures.models import MODELS, NetworkSpec
from fixtures.models.training import Budget, Images, fit

STEPS, BATCH = 20, 64


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", choices=MODELS, default="resnet50")
    parser.add_argument("--width", type=float, default=0.25)
    parser.add_argument("--upsampling", type=int, default=2)
    parser.add_argument("--here", action="store_true", help="train in this process, as it was started")
    options = parser.parse_args()
    if options.here:
        train(options.model, options.width, options.upsampling)
        return
    for name, settings in (("as it comes", {}), ("of the making process", ALLOCATOR)):
        print(f"allocator {name}:", flush=True)
        subprocess.run([sys.executable, *sys.argv, "--here"], env={**os.environ, **settings}, check=True)


def train(model: str, width: float, upsampling: int) -> None:
    """Train three epochs of ``STEPS`` steps and print what the second and the third took."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (STEPS * BATCH, 32, 32, 3)).astype(np.uint8)
    split = Split(images, rng.integers(0, 10, len(images)))
    spec = NetworkSpec((32, 32, 3), classes=10, width=width, upsampling=upsampling)
    marks = []

    def mark(_: str) -> None:
        used = resource.getrusage(resource.RUSAGE_SELF)
        marks.append(np.array([time.monotonic(), used.ru_utime, used.ru_stime, used.ru_minflt]))

    fit(
        MODELS[model].build(spec),
        Images(split, Split(images[:BATCH], split.labels[:BATCH])),
        Budget(epochs=3, batch_size=BATCH, learning_rate=1e-3),
        scaling=MODELS[model].scaling(spec),
        seed=1,
        progress=mark,
    )
    for before, after in pairwise(marks):
        wall, user, system, faults = after - before
        print(
            f"  {STEPS} steps: {wall:.1f} s, processor {user:.1f} s in the program and {system:.1f} s in the "
            f"system, {faults:,.0f} page faults",
            flush=True,
        )


if __name__ == "__main__":
    main()
