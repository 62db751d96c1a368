"""Time of the first and of later training steps: `python tests/bench_first_step.py --model mobilenet_v2`.

Trains the same network with quantization-aware training alone (QAT), with its clusters kept (CQAT) and with
its zeros and clusters kept (PCQAT), on random images, one after the other in one run, and prints the seconds
of the first step, which traces the graph, and the median of the later ones.  With `--library`,
tensorflow-model-optimization's own cluster-preserving quantizer too.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from fixtures.compression.preserving import kept_kernels, preserving_adam
from fixtures.compression.steps import QUANTIZATION_AWARE, fake_quantized_for
from fixtures.models import MODELS, NetworkSpec
from fixtures.tensorflow import load, release

CLUSTERS = 16


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", choices=MODELS, default="mobilenet_v2")
    parser.add_argument("--width", type=float, default=1.0)
    parser.add_argument("--side", type=int, default=32, help="height and width of the images in pixels")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--steps", type=int, default=6, help="training steps, the first included")
    parser.add_argument("--library", action="store_true", help="time the library's own quantizer as well")
    options = parser.parse_args()

    spec = NetworkSpec((options.side, options.side, 3), classes=10, width=options.width)
    rng = np.random.default_rng(0)
    images = rng.random((options.batch, options.side, options.side, 3), np.float32)
    labels = rng.integers(0, 10, options.batch)
    networks: dict[str, Callable[[Any], tuple[Any, Callable[[float], Any]]]] = {
        "QAT": lambda network: ours("qat", network),
        "CQAT": lambda network: ours("cqat", network),
        "PCQAT": lambda network: ours("pcqat", network),
    }
    if options.library:
        networks["CQAT of the library"] = of_the_library
    print(
        f"{options.model}, width {options.width:g}, {options.batch} images of {options.side}x{options.side}"
    )
    for name, make in networks.items():
        release()
        network = MODELS[options.model].build(spec)
        clustered(network, rng)
        started = time.monotonic()
        model, optimizer = make(network)
        model.compile(optimizer(1e-4), "sparse_categorical_crossentropy")
        built = time.monotonic() - started
        first, *later = (step_seconds(model, images, labels) for _ in range(options.steps))
        print(
            f"{name:>20}: built in {built:6.1f} s, first step {first:6.1f} s, "
            f"later ones {statistics.median(later):.3f} s",
            flush=True,
        )


def clustered(network: Any, rng: np.random.Generator) -> None:
    """Give each kernel of ``network`` 16 values, one of them nought, in place."""
    for kernel in kept_kernels(network):
        largest = float(np.abs(kernel.numpy()).max())
        centroids = np.linspace(-largest, largest, CLUSTERS, dtype=np.float32)
        centroids[CLUSTERS // 2] = 0
        kernel.assign(rng.choice(centroids, kernel.shape))


def ours(step: str, network: Any) -> tuple[Any, Callable[[float], Any]]:
    """Return the network and the optimizer with which our ``step`` trains."""
    kept = QUANTIZATION_AWARE[step]
    model = fake_quantized_for(step, network, "sound")
    return model, preserving_adam(model, zeros=kept.zeros, clusters=kept.clusters, signs=kept.clusters)


def of_the_library(network: Any) -> tuple[Any, Callable[[float], Any]]:
    """Return the network with the library's cluster-preserving quantizers, and plain Adam."""
    quantization = load().tfmot.quantization.keras
    from tensorflow_model_optimization.python.core.quantization.keras.collab_opts.cluster_preserve import (
        default_8bit_cluster_preserve_quantize_scheme as schemes,
    )

    scheme = schemes.Default8BitClusterPreserveQuantizeScheme(preserve_sparsity=False)
    model = quantization.quantize_apply(quantization.quantize_annotate_model(network), scheme)
    return model, load().keras.optimizers.Adam


def step_seconds(model: Any, images: np.ndarray, labels: np.ndarray) -> float:
    """Return how long one training step takes, in seconds."""
    started = time.monotonic()
    model.train_on_batch(images, labels)
    return time.monotonic() - started


if __name__ == "__main__":
    main()
