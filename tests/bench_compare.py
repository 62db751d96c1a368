"""How long a comparison of two baselines of a whole study takes, and how large they are.

    PYTHONPATH=. python tests/bench_compare.py

Two data sets, three models, sixteen techniques, fifteen corruptions at five severities: 7,200 cells, of
10,000 made-up images each.  Images have a difficulty that all variants share, so that error rates are
between 0.1 and 0.6; between the two runs the outcome of few per cent of the images changes.  Not collected
by pytest, because a time is no property of the code alone.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.special import ndtri

from benchmarks.cases import STANDARD_CORRUPTIONS, Variant
from benchmarks.results import ImageSet
from benchmarks.sections import Gate, Statistics
from benchmarks.techniques import ORIGINAL_STUDY
from reporting.regression.baseline import CellId, Snapshot, write_baseline

DATASETS, MODELS, SEVERITIES = ("cifar10", "cifar100"), ("resnet50", "vgg19", "mobilenetv2"), range(1, 6)


def main() -> None:
    """Make two baselines, compare them in a process of its own, and print sizes, seconds and memory."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--discordant", type=float, default=0.03, help="share of outcomes that change")
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("before.baseline", "after.baseline")]
        before = made_up(options.images, rng)
        for path, snapshot in zip(paths, (before, changed(before, options.discordant, rng)), strict=True):
            started = time.perf_counter()
            write_baseline(snapshot, path)
            seconds = time.perf_counter() - started
            print(f"{seconds:6.2f} s  {path.stat().st_size / 1e6:6.2f} MB  writing {path.name}")
        started = time.perf_counter()
        command = [sys.executable, "-m", "reporting", "compare", *map(str, paths), "--out", folder]
        finished = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
        seconds = time.perf_counter() - started
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        f"{seconds:6.2f} s ({used.ru_utime + used.ru_stime:.2f} s of processors)  "
        f"{used.ru_maxrss / 1024:6.0f} MiB peak  reporting compare, exit code {finished.returncode}"
    )
    print(finished.stdout.partition("\n\n")[0])


def made_up(images: int, rng: np.random.Generator) -> Snapshot:
    """Return a run with the outcomes of every cell of the study."""
    variants = [
        Variant(dataset, model, technique)
        for dataset in DATASETS
        for model in MODELS
        for technique in ORIGINAL_STUDY
    ]
    columns = [(name, severity) for name in STANDARD_CORRUPTIONS for severity in SEVERITIES]
    cells = tuple(CellId(variant, *column) for variant in variants for column in columns)
    identities = [(dataset, name) for dataset in DATASETS for name in STANDARD_CORRUPTIONS]
    wrong = np.empty((len(cells), -(-images // 8)), np.uint8)
    difficulty = dict.fromkeys(DATASETS)
    for dataset in DATASETS:
        difficulty[dataset] = rng.normal(size=images).astype(np.float32)
    for row, cell in enumerate(cells):
        rate = 0.1 + 0.1 * cell.severity + rng.uniform(-0.1, 0.1)
        felt = 0.8 * difficulty[cell.variant.dataset] + 0.6 * rng.normal(size=images).astype(np.float32)
        wrong[row] = np.packbits(felt < ndtri(min(max(rate, 0.1), 0.6)))
    return Snapshot(
        "study",
        0,
        Gate(),
        Statistics(),
        False,
        {},
        cells,
        np.ones(len(cells), bool),
        tuple(
            ImageSet(2 * images, {"test": dataset, "corruption": {"name": name}})
            for dataset, name in identities
        ),
        np.array([identities.index((cell.variant.dataset, cell.corruption)) for cell in cells]),
        np.full(len(cells), images),
        wrong,
    )


def changed(run: Snapshot, share: float, rng: np.random.Generator) -> Snapshot:
    """Return the run with other outcomes of a share of the images of each cell, and the same error rates."""
    images = int(run.images[0])
    wrong = np.unpackbits(run.wrong, axis=1, count=images)
    for row in wrong:
        some = rng.random(images, np.float32) < share / (2 * row.mean() * (1 - row.mean()))
        row[some] = rng.permutation(row[some])
    return replace(run, wrong=np.packbits(wrong, axis=1))


if __name__ == "__main__":
    main()
