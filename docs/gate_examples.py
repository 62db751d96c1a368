"""Shows the regression gate at work on real images, and writes what it said to ``docs/gate/README.md``.

    python -m docs.gate_examples --data DIR --artifacts DIR [--suite cifar10-cpu] [--model vgg19]

Two questions are put to it.  Does it catch a damaged file?  The int8 file is calibrated again, on images of
the lowest contrast instead of clean ones, put into a copy of the artifact store in the place of the good one,
and gated against the good one's baseline.  Does it stay silent where nothing is wrong?  The networks are
trained again with other seeds, nothing else changed, and gated against each other.

What the store does not have is trained first: one network for each of three seeds.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.cases import Variant
from benchmarks.schema import Suite
from benchmarks.suite import load_suite
from fixtures.corruptions import corrupt
from fixtures.known import known_names
from fixtures.maker import Maker
from fixtures.recipes import model_recipe
from fixtures.store import Store
from fixtures.suite_data import SuiteData
from reporting.files import write_text

ROOT = Path(__file__).resolve().parents[1]

SEEDS = (1, 2)

#: Least effects, in points of error, that the seeds are compared at.
LEAST_EFFECTS = (1.0, 2.0, 3.0, 5.0)


@dataclass(frozen=True)
class Said:
    """What a command printed, and its exit code."""

    command: str
    output: str
    code: int

    def block(self, head: int = 60) -> str:
        """Return it as a code block of at most ``head`` lines."""
        lines = self.output.strip().splitlines()
        left = [f"[{len(lines) - head} more lines]"] if len(lines) > head else []
        return "\n".join(
            ["```console", f"$ {self.command}", *lines[:head], *left, f"exit code {self.code}", "```"]
        )


class Spoiled(SuiteData):
    """The suite's data, but that calibration sees images of the lowest contrast."""

    def calibration(self, dataset: str) -> np.ndarray:
        """As of :class:`SuiteData`, spoiled."""
        images = super().calibration(dataset)
        return corrupt("contrast", images, 5, seed=0, indices=np.arange(len(images)))


class Example:
    """The runs of the example, in a folder of their own."""

    def __init__(self, options: argparse.Namespace, work: Path) -> None:
        self.options, self.work = options, work
        self.suite: Suite = load_suite(options.suite, known_names())
        self.dataset = self.suite.data.datasets[0]
        self.selection = (
            f"{options.model} and (technique-original or technique-int8) and (accuracy or robustness)"
        )

    def run(self, *more: str, artifacts: Path | None = None) -> Said:
        """Run the benchmark on the example's cases, and return what it said of the gate."""
        store = artifacts or self.options.artifacts
        told = [
            "pytest",
            "benchmarks",
            "-n",
            "auto",
            "--suite",
            self.options.suite,
            "-m",
            self.selection,
            *more,
        ]
        where = ["--data", str(self.options.data), "--artifacts", str(store), "-q", "--benchmark-quiet"]
        return _said([sys.executable, "-m", *told, *where], _shown(told))

    def compare(self, baseline: str, current: str, *more: str) -> Said:
        """Compare two runs from their files."""
        told = ["reporting", "compare", str(self.work / baseline), str(self.work / current), *more]
        shown = _shown(["python", "-m", "reporting", "compare", baseline, current, *more])
        return _said([sys.executable, "-m", *told], shown)

    def spoil(self) -> Path:
        """Return a copy of the artifact store in which the int8 file was calibrated on spoiled images."""
        variant = Variant(self.dataset, self.options.model, "int8")
        data = Spoiled(self.suite, self.options.data)
        recipe = model_recipe(self.suite, variant, data.dataset(self.dataset).train.fingerprint)
        spoiled = self.work / "spoiled"
        shutil.copytree(
            self.options.artifacts / "objects", spoiled / "objects", copy_function=os.link, dirs_exist_ok=True
        )
        shutil.rmtree(spoiled / "objects" / recipe.address[:2] / recipe.address)
        for manifest in spoiled.glob("objects/*/*/manifest.json"):
            made_from = json.loads(manifest.read_text())["recipe"]
            if made_from["kind"] in ("predictions", "sequential") and recipe.address in made_from["parents"]:
                shutil.rmtree(manifest.parent)
        Maker(self.suite, Store(spoiled), data, print).make(variant)
        return spoiled


def _said(command: Sequence[str], shown: str) -> Said:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "120"}
    done = subprocess.run(  # noqa: S603 - this module's own commands
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    return Said(shown, done.stdout + done.stderr, done.returncode)


def _shown(words: Sequence[str]) -> str:
    return " ".join(f'"{word}"' if re.search(r"[ ()]", word) else word for word in words)


def _of_the_gate(said: Said) -> Said:
    """Return what was said from the gate's heading on."""
    told = said.output.partition("RobustLite: regression gate")[2].partition("\n")[2]
    return Said(said.command, told.partition("\nWritten to")[0], said.code)


def _alarms(example: Example) -> Iterator[dict[str, object]]:
    """Yield how many cells were called worse between every two seeds, in both directions."""
    runs = ["good", *(f"seed{seed}" for seed in SEEDS)]
    for least in LEAST_EFFECTS:
        for baseline in runs:
            for current in runs:
                if baseline == current:
                    continue
                out = example.work / f"{baseline}-{current}-{least}"
                example.compare(baseline, current, "--least-effect", str(least), "--out", str(out))
                cells = pd.read_csv(out / "gate.csv")
                yield {
                    "least effect": least,
                    "baseline": baseline,
                    "current": current,
                    "cells": len(cells),
                    "worse": int((cells["verdict"] == "worse").sum()),
                }


def main() -> None:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="python -m docs.gate_examples",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument("--artifacts", type=Path, required=True, metavar="DIR")
    parser.add_argument("--suite", default="cifar10-cpu")
    parser.add_argument("--model", default="vgg19")
    parser.add_argument("--out", type=Path, default=Path("docs/gate"))
    parser.add_argument("--work", type=Path, default=Path(".artifacts/gate-examples"))
    options = parser.parse_args()
    options.data, options.artifacts = options.data.absolute(), options.artifacts.absolute()
    work = options.work.absolute()
    work.mkdir(parents=True, exist_ok=True)
    example = Example(options, work)
    good = example.run("--save-baseline", str(work / "good.baseline"), "--report", str(work / "good"))
    spoiled = example.spoil()
    caught = example.run(
        *("--gate", str(work / "good.baseline"), "--report", str(work / "damaged")), artifacts=spoiled
    )
    seeds = [
        example.run(
            *("--set", f"training_seed={seed}", "--gate", str(work / "good.baseline")),
            *("--report", str(work / f"seed{seed}")),
        )
        for seed in SEEDS
    ]
    alarms = pd.DataFrame(_alarms(example))
    write_text(options.out / "alarms.csv", alarms.to_csv(index=False, lineterminator="\n"))
    write_text(options.out / "README.md", _page(example, good, caught, seeds, alarms))
    print(f"Written: {options.out / 'README.md'}, {options.out / 'alarms.csv'}")


def _page(example: Example, good: Said, caught: Said, seeds: list[Said], alarms: pd.DataFrame) -> str:
    """Return the page that shows what was said."""
    table = alarms.groupby("least effect")[["cells", "worse"]].sum()
    table["in %"] = (100 * table["worse"] / table["cells"]).round(2)
    images = example.suite.data.test_images
    return "\n".join(
        [
            "# The regression gate at work\n",
            f"Made by `python -m docs.gate_examples`: suite `{example.options.suite}`, "
            f"{example.options.model}, its original and its int8 file, {images} images a cell.  All output "
            "is real; it begins where the gate speaks.\n",
            "## A baseline\n",
            Said(good.command, good.output.strip().splitlines()[-1], good.code).block(),
            "\n## A damaged file is caught\n",
            "The int8 file was calibrated on images of the lowest contrast instead of clean ones.\n",
            _of_the_gate(caught).block(),
            "\n## Another seed is not a regression\n",
            "The same networks, trained from other initial weights and in another order.  Both are what the "
            "recipe gives; that they differ is the spread of training.\n",
            *(_of_the_gate(said).block(30) + "\n" for said in seeds),
            "Cells called worse between every two of the three seeds, in both directions, by the least "
            "effect that the gate is set to ([alarms.csv](alarms.csv)):\n",
            table.reset_index().to_markdown(index=False, floatfmt=("g", "g", "g", ".2f")),
            "",
        ]
    )


if __name__ == "__main__":
    main()
