"""How long the statistics of a study take: made-up outcomes of 96 variants, 76 cells and 10,000 images.

    PYTHONPATH=. python tests/bench_statistics.py

Not collected by pytest, because a time is no property of the code alone.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from benchmarks.cases import STANDARD_CORRUPTIONS
from fixtures.sequential import accuracy_evaluation
from reporting.frames import CLEAN
from reporting.statistics.bootstrap import bootstrap
from reporting.statistics.outcomes import Outcomes
from reporting.statistics.paired import discordant
from reporting.statistics.pareto import optimal_probability
from reporting.statistics.verdicts import compare_cells

CELLS = ((CLEAN, 0), *((name, severity) for name in STANDARD_CORRUPTIONS for severity in range(1, 6)))
FAMILY = 16


def main() -> None:
    """Time each part once and print the seconds and the peak memory of the process so far."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--variants", type=int, default=96)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--replicates", type=int, default=2000)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    outcomes = made_up(options.variants, options.images, rng)
    with timed(f"bootstrap, {options.replicates} replicates"):
        replicates = bootstrap(outcomes, replicates=options.replicates, rng=rng)
    with timed("intervals of every metric and of its differences"):
        replicates.intervals()
        replicates.minus(outcomes.original).intervals()
    with timed("probability of being Pareto-optimal"):
        ratio = rng.uniform(1, 12, options.variants)
        optimal_probability(replicates.replicates.accuracy, replicates.replicates.mce, ratio)
    current = outcomes.wrong ^ made_up(options.variants, options.images, rng, rate=0.01).wrong
    with timed(f"comparison of {options.variants * len(CELLS)} cells"):
        b, c = discordant(outcomes.wrong, current)
        compare_cells(b, c, np.full(b.shape, options.images), least=0.01)
    with timed("sequential evaluation that never decides, in batches of 100"):
        evaluation = accuracy_evaluation(0.7, images=options.images)
        errors = rng.permutation(np.arange(options.images) < round(0.3 * options.images))
        for first in range(0, options.images - 100, 100):
            evaluation.update(errors[first : first + 100])
    with timed("its interval"):
        evaluation.interval()


def made_up(variants: int, images: int, rng: np.random.Generator, rate: float = 0.3) -> Outcomes:
    """Return packed outcomes in families of sixteen, each with its first as the original."""
    shape = (variants, len(CELLS), -(-images // 8))
    wrong = np.zeros(shape, np.uint8)
    for variant in range(variants):
        drawn = rng.random((len(CELLS), images), np.float32) < rate
        wrong[variant] = np.packbits(drawn, axis=-1)
    original = np.arange(variants) // FAMILY * FAMILY
    return Outcomes(wrong, images, CELLS, original, np.ones(shape[:2], bool))


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Print the seconds that the block takes, and the most memory the process has had."""
    started = time.perf_counter()
    yield
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{seconds:7.2f} s  {peak:6.0f} MiB peak  {what}")


if __name__ == "__main__":
    main()
