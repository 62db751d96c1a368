"""What evaluation adds to bare LiteRT calls: `python tests/bench_evaluation.py FILE.tflite [...]`.

Prints, side by side, images/s of `Classifier.predict` and of a loop that only sets the input, invokes and
reads the output of the same batches, best of several turns each, taken alternately.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from fixtures.evaluation import BATCH, Classifier

TURNS = 9


def main() -> None:
    for path in map(Path, sys.argv[1:]):
        bare, shape, classes = bare_loop(path)
        images = np.random.default_rng(0).integers(0, 256, (20 * BATCH, *shape), dtype=np.uint8)
        predict = Classifier(path, classes).predict
        predict(images)
        bare(images)
        seconds = {"bare": np.inf, "ours": np.inf}
        for _ in range(TURNS):
            seconds["bare"] = min(seconds["bare"], timed(bare, images))
            seconds["ours"] = min(seconds["ours"], timed(predict, images))
        added = seconds["ours"] / seconds["bare"] - 1
        print(
            f"{path}: bare {len(images) / seconds['bare']:,.0f} images/s, "
            f"predict {len(images) / seconds['ours']:,.0f} images/s, {added:+.1%}"
        )


def bare_loop(path: Path) -> tuple[Callable[[np.ndarray], None], tuple[int, ...], int]:
    """Return (a function that only invokes, image shape, number of classes)."""
    interpreter = Interpreter(model_path=str(path), num_threads=1)
    given, scores = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    shape = tuple(given["shape"][1:])
    interpreter.resize_tensor_input(given["index"], (BATCH, *shape))
    interpreter.allocate_tensors()

    def invoke(images: np.ndarray) -> None:
        for start in range(0, len(images), BATCH):
            interpreter.set_tensor(given["index"], images[start : start + BATCH])
            interpreter.invoke()
            interpreter.get_tensor(scores["index"])

    return invoke, shape, int(scores["shape"][-1])


def timed(call: Callable[[np.ndarray], object], images: np.ndarray) -> float:
    started = time.perf_counter()
    call(images)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
