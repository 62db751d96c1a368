"""What evaluation adds to bare LiteRT calls, and what folding takes off:
`python tests/bench_evaluation.py ORIGINAL.tflite [FAKE_QUANTIZED.tflite ...]`.

Prints, for each file, images/s of a loop that only sets the input, invokes and reads the output, and of
`Classifier.predict` on the same batches; for a file whose constants can be folded also those of
the folded file; and each one's share of the first file's images/s.  Each is the best of several turns, taken
alternately by all.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from fixtures.compression.folding import folded
from fixtures.evaluation import BATCH, Classifier

TURNS = 9
BATCHES = 10


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        files = files_to_time([Path(name) for name in sys.argv[1:]], Path(directory))
        calls, images = {}, {}
        for label, path in files.items():
            bare, shape, classes = bare_loop(path)
            calls[label] = (bare, Classifier(path, classes).predict)
            images[label] = np.random.default_rng(0).integers(0, 256, (BATCHES * BATCH, *shape), np.uint8)
        best = dict.fromkeys(files, (np.inf, np.inf))
        for _ in range(TURNS):
            for label, (bare, predict) in calls.items():
                seconds = timed(bare, images[label]), timed(predict, images[label])
                best[label] = min(best[label][0], seconds[0]), min(best[label][1], seconds[1])
    first = next(iter(best.values()))[1]
    for label, (bare_seconds, seconds) in best.items():
        print(
            f"{label}: bare {BATCHES * BATCH / bare_seconds:,.0f} images/s, "
            f"predict {BATCHES * BATCH / seconds:,.0f} images/s ({seconds / bare_seconds - 1:+.1%}), "
            f"{first / seconds:.0%} of the first"
        )


def files_to_time(paths: list[Path], directory: Path) -> dict[str, Path]:
    """Return the files by label, each followed by its folded form in ``directory`` if it has one."""
    files = {}
    for number, path in enumerate(paths):
        files[str(path)] = path
        content = path.read_bytes()
        if (evaluated := folded(content)) != content:
            files[f"{path}, folded"] = directory / f"{number}.tflite"
            files[f"{path}, folded"].write_bytes(evaluated)
    return files


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
