"""Tells how far the files of a run agree with the networks they were made from, in shares of the images.

    python tests/bench_agreement.py cifar10-cpu --data DIR [--artifacts DIR] [--images N] [--set KEY=VALUE]

For each float technique: the Keras network beside its file; where there is one, the folded form beside
the file; and for networks with fake quantization the int8 file beside the network.  Clean test images, and
the same under gaussian_noise and contrast at severity 3.  What the store does not have is made first.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from benchmarks.cases import Variant
from benchmarks.schema import Suite
from benchmarks.suite import load_suite
from benchmarks.techniques import TECHNIQUES
from fixtures.compression.steps import QUANTIZATION_AWARE
from fixtures.corruptions import corrupt
from fixtures.evaluation import Classifier
from fixtures.known import known_names
from fixtures.maker import FOLDED_FILE, MODEL_FILE, Maker
from fixtures.store import Store
from fixtures.suite_data import SuiteData

CORRUPTIONS = ("gaussian_noise", "contrast")


def image_sets(suite: Suite, data: SuiteData, dataset: str, count: int) -> dict[str, np.ndarray]:
    clean = data.dataset(dataset).test.images[:count]
    indices = np.arange(len(clean))
    scale = suite.corruptions.scale
    corrupted = {
        name: corrupt(name, clean, 3, seed=suite.seed, indices=indices, scale=scale) for name in CORRUPTIONS
    }
    return {"clean": clean, **corrupted}


def agreements(
    maker: Maker, variant: Variant, images: dict[str, np.ndarray]
) -> Iterator[tuple[str, list[float]]]:
    """Yield what was compared, and the share of images of each set on which both say the same."""

    def classes(of: Any) -> list[np.ndarray]:
        return [of(some) for some in images.values()]

    def shares(one: list[np.ndarray], other: list[np.ndarray]) -> list[float]:
        return [float(np.mean(left == right)) for left, right in zip(one, other, strict=True)]

    made = maker.make(variant)
    network, scaling = maker.network(variant)

    def keras(some: np.ndarray) -> np.ndarray:
        scores = [network(scaling.apply(some[start : start + 100])) for start in range(0, len(some), 100)]
        return np.concatenate(scores).argmax(axis=1)

    of_network, of_file = classes(keras), classes(classifier(made.path / MODEL_FILE))
    yield "network and file", shares(of_network, of_file)
    folded = made.path / FOLDED_FILE
    if folded.exists():
        yield "file and folded file", shares(of_file, classes(classifier(folded)))
    if TECHNIQUES[variant.technique].step in QUANTIZATION_AWARE:
        int8 = Variant(variant.dataset, variant.model, f"{variant.technique}_int8")
        of_int8 = classes(classifier(maker.make(int8).path / MODEL_FILE))
        yield "network and int8 file", shares(of_network, of_int8)


def classifier(path: Path) -> Any:
    from ai_edge_litert.interpreter import Interpreter

    classes = Interpreter(model_path=str(path)).get_output_details()[0]["shape"][-1]
    return Classifier(path, int(classes)).predict


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("suite", help="a built-in suite or the path of one")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument("--artifacts", type=Path, default=Path(".artifacts"), metavar="DIR")
    parser.add_argument("--images", type=int, default=2000, metavar="N")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="as of the benchmark")
    options = parser.parse_args()
    suite = load_suite(options.suite, known_names(), options.set)
    data = SuiteData(suite, options.data)
    maker = Maker(suite, Store(options.artifacts), data, print)
    print(f"{'variant':45}{'compared':25}" + "".join(f"{name:>16}" for name in ("clean", *CORRUPTIONS)))
    for variant in suite.variants():
        if not TECHNIQUES[variant.technique].claims.int8:
            images = image_sets(suite, data, variant.dataset, options.images)
            for what, shares in agreements(maker, variant, images):
                print(f"{variant!s:45}{what:25}" + "".join(f"{share:16.2%}" for share in shares), flush=True)


if __name__ == "__main__":
    main()
