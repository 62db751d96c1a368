"""Shows the regression gate at work on real images, and writes what it said to ``docs/gate/README.md``.

    python -m docs.gate_examples --data DIR --artifacts DIR [--suite cifar10-cpu] [--model vgg19]

Three questions are put to it.  Does it catch a damaged file?  The int8 file is calibrated again on images
that were already scaled to [0, 1], a usual mistake, put into a copy of the artifact store in the place of the
good one, and gated against the good one's baseline.  Does it stay silent where nothing is wrong?  Compressed
networks are fine-tuned again with other seeds, nothing else changed, and gated against each other.  And what
does it say of an original that was trained again with another seed?

What the store does not have is trained first: QAT with two more seeds, and one more original.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.cases import Variant
from benchmarks.schema import Suite
from benchmarks.suite import load_suite
from fixtures.known import known_names
from fixtures.maker import Maker
from fixtures.recipes import model_recipe
from fixtures.store import Store
from fixtures.suite_data import SuiteData
from reporting.files import write_text

ROOT = Path(__file__).resolve().parents[1]

SEEDS = (1, 2)

#: What is put to the gate: files that a calibration makes, and networks that a fine-tuning makes.
CALIBRATED = ("original", "int8")
FINE_TUNED = ("qat", "qat_int8")

#: Least effects that runs of different seeds are compared at: points of error of a cell, points of mCE.
LEAST_EFFECTS = ((1.0, 2.0), (3.0, 3.0), (5.0, 5.0), (8.0, 5.0))


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
    """The suite's data, but that calibration sees images that were already scaled to [0, 1]."""

    def calibration(self, dataset: str) -> np.ndarray:
        """As of :class:`SuiteData`, spoiled."""
        return super().calibration(dataset) // np.uint8(255)


class Example:
    """The runs of the example, in a folder of their own."""

    def __init__(self, options: argparse.Namespace, work: Path) -> None:
        self.options, self.work = options, work
        self.suite: Suite = load_suite(options.suite, known_names())
        self.dataset = self.suite.data.datasets[0]

    def selection(self, techniques: Sequence[str]) -> str:
        """Return the ``-m`` of the image sets of these techniques."""
        named = " or ".join(f"technique-{name}" for name in techniques)
        return f"{self.options.model} and ({named}) and (accuracy or robustness)"

    def run(self, techniques: Sequence[str], *more: str, artifacts: Path | None = None) -> Said:
        """Run the benchmark on these techniques, and return what it said."""
        store = artifacts or self.options.artifacts
        options = ["-n", "auto", "--suite", self.options.suite, "-m", self.selection(techniques), *more]
        where = ["--data", str(self.options.data), "--artifacts", str(store), "-q", "--benchmark-quiet"]
        command = [sys.executable, "-m", "pytest", str(ROOT / "benchmarks"), *options, *where]
        return self._said(command, ["pytest", "benchmarks", *options])

    def compare(self, baseline: str, current: str, *more: str) -> Said:
        """Compare two runs from their files."""
        told = ["-m", "reporting", "compare", baseline, current, *more]
        return self._said([sys.executable, *told], ["python", *told])

    def _said(self, command: Sequence[str], shown: Sequence[str]) -> Said:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "120"}
        done = subprocess.run(  # noqa: S603 - this module's own commands
            command, cwd=self.work, env=environment, capture_output=True, text=True, check=False
        )
        quoted = " ".join(f'"{word}"' if re.search(r"[ ()]", word) else word for word in shown)
        return Said(quoted, done.stdout + done.stderr, done.returncode)

    def spoil(self) -> Path:
        """Return a copy of the artifact store in which the int8 file was calibrated on spoiled images."""
        variant = Variant(self.dataset, self.options.model, "int8")
        data = Spoiled(self.suite, self.options.data)
        recipe = model_recipe(self.suite, variant, data.dataset(self.dataset).train.fingerprint)
        spoiled = self.work / "spoiled"
        shutil.rmtree(spoiled, ignore_errors=True)
        shutil.copytree(self.options.artifacts / "objects", spoiled / "objects", copy_function=os.link)
        shutil.rmtree(spoiled / "objects" / recipe.address[:2] / recipe.address)
        for manifest in spoiled.glob("objects/*/*/manifest.json"):
            made_from = json.loads(manifest.read_text())["recipe"]
            if made_from["kind"] in ("predictions", "sequential") and recipe.address in made_from["parents"]:
                shutil.rmtree(manifest.parent)
        Maker(self.suite, Store(spoiled), data, print).make(variant)
        return spoiled


def _of_the_gate(said: Said) -> Said:
    """Return what was said from the gate's heading on."""
    told = said.output.partition("RobustLite: regression gate")[2].partition("\n")[2]
    return Said(said.command, told.partition("\nWritten to")[0], said.code)


def _alarms(example: Example) -> Iterator[dict[str, object]]:
    """Yield how many cells were called worse between every two seeds, in both directions."""
    runs = ["good", *(f"seed{seed}" for seed in SEEDS)]
    for least, least_mce in LEAST_EFFECTS:
        for baseline, current in permutations(runs, 2):
            options = ("--least-effect", str(least), "--least-mce-effect", str(least_mce))
            out = example.work / f"{baseline}-{current}-{least:g}"
            compared = example.compare(f"{baseline}-tuned", f"{current}-tuned", *options, "--out", str(out))
            cells = pd.read_csv(out / "gate.csv")
            yield {
                "least effect": least,
                "least mCE effect": least_mce,
                "baseline": baseline,
                "current": current,
                "cells": len(cells),
                "worse": int((cells["verdict"] == "worse").sum()),
                "failed": int(compared.code == 1),
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
    kept = work / "good.baseline"
    gate = ("--gate", kept.name)
    every = (*CALIBRATED, *FINE_TUNED)
    good = example.run(every, "--save-baseline", kept.name, "--report", "good")
    example.run(FINE_TUNED, "--report", "good-tuned")
    caught = example.run(CALIBRATED, *gate, "--report", "damaged", artifacts=example.spoil())
    seeds = [
        example.run(FINE_TUNED, "--set", f"fine_tuning.seed={seed}", *gate, "--report", f"seed{seed}-tuned")
        for seed in SEEDS
    ]
    other = example.run(CALIBRATED, "--set", f"training.seed={SEEDS[0]}", *gate, "--report", "other")
    alarms = pd.DataFrame(_alarms(example))
    write_text(options.out / "alarms.csv", alarms.to_csv(index=False, lineterminator="\n"))
    last = [f"{least:g}" for least in LEAST_EFFECTS[-1]]
    still = example.compare(kept.name, "damaged", "--least-effect", last[0], "--least-mce-effect", last[1])
    said = {"good": good, "caught": caught, "other": other, "still": still}
    write_text(options.out / "README.md", _page(example, said, seeds, alarms))
    print(f"Written: {options.out / 'README.md'}, {options.out / 'alarms.csv'}")


def _page(example: Example, said: Mapping[str, Said], seeds: list[Said], alarms: pd.DataFrame) -> str:
    """Return the page that shows what was said."""
    table = alarms.groupby(["least effect", "least mCE effect"]).agg(
        **{"cells": ("cells", "sum"), "worse": ("worse", "sum")},
        **{"runs": ("failed", "size"), "runs failed": ("failed", "sum")},
    )
    table.insert(2, "in %", 100 * table["worse"] / table["cells"])
    shown = table.reset_index().to_markdown(index=False, floatfmt=("g", "g", "g", "g", ".2f", "g", "g"))
    images = example.suite.data.test_images
    return "\n".join(
        [
            "# The regression gate at work\n",
            f"Made by `python -m docs.gate_examples`: suite `{example.options.suite}`, "
            f"{example.options.model}, {images} images a cell.  All output is real; it begins where the gate "
            "speaks.\n",
            "## A baseline\n",
            Said(
                said["good"].command, said["good"].output.strip().splitlines()[-1], said["good"].code
            ).block(),
            "\n## A damaged file is caught\n",
            "The int8 file was calibrated on images that had been scaled to [0, 1] already, so that its "
            "activations are clipped.\n",
            _of_the_gate(said["caught"]).block(),
            "\n## Another seed of the fine-tuning\n",
            "QAT made again from the same original, its images in another order and otherwise augmented.  "
            "Both are what the recipe gives, so that here a cell called worse is a false alarm.\n",
            *(_of_the_gate(one).block() + "\n" for one in seeds),
            f"{' and '.join(FINE_TUNED)} of every two of the three seeds, in both directions, by the least "
            "effects that the gate is set to ([alarms.csv](alarms.csv)); a run fails by a single cell:\n",
            shown,
            "\nThe level holds for networks that err equally often.  Trainings of one recipe do not: "
            "here they differ by some points, in many cells together, and at the default least effects, "
            "which suit a file made anew from the same network, most of these runs fail.  A team that "
            "trains anew for every run compares two seeds once (`python -m reporting compare`) and sets "
            "`gate.least_effect` and `gate.least_mce_effect` above what it sees.  At those of the last "
            "line no seed is a regression, and the damaged file above still is one "
            f"(`{said['still'].command}`: exit code {said['still'].code}).",
            "\n## An original trained again is another network\n",
            "The same recipe from other initial weights: what a seed changes here is no sampling error, and "
            "the gate says so.\n",
            _of_the_gate(said["other"]).block(),
            "",
        ]
    )


if __name__ == "__main__":
    main()
