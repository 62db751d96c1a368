"""Time of all sixteen conversions of a network: `python tests/bench_conversion.py --model mobilenet_v2`.

Each of the eight float networks gives a float and an int8 file.  Once both are made from one frozen graph, as
the benchmark does it; and once each from the Keras network, as sixteen separate calls would.  Both ways stand
side by side in one run, alternately, on random weights.  Peak memory is that of the process.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from benchmarks.techniques import ORIGINAL_STUDY, TECHNIQUES
from fixtures.compression.convert import freeze, to_float_tflite, to_int8_tflite
from fixtures.compression.steps import QUANTIZATION_AWARE, fake_quantized_for
from fixtures.models import MODELS, NetworkSpec
from fixtures.tensorflow import release

CALIBRATION = 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", choices=MODELS, default="mobilenet_v2")
    parser.add_argument("--width", type=float, default=1.0)
    parser.add_argument("--side", type=int, default=32, help="height and width of the images in pixels")
    options = parser.parse_args()
    spec = NetworkSpec((options.side, options.side, 3), classes=10, width=options.width)
    scaling = MODELS[options.model].scaling(spec)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (CALIBRATION, options.side, options.side, 3)).astype(np.uint8)

    def network_of(step: str) -> Any:
        network = MODELS[options.model].build(spec)
        return fake_quantized_for(step, network, "sound") if step in QUANTIZATION_AWARE else network

    shared = separate = 0.0
    for technique in map(TECHNIQUES.__getitem__, ORIGINAL_STUDY):
        if technique.claims.int8:
            continue
        release()
        network = network_of(technique.step)
        started = time.monotonic()
        frozen = freeze(network, scaling)
        together = to_float_tflite(frozen), to_int8_tflite(frozen, images)
        shared += time.monotonic() - started
        started = time.monotonic()
        apart = (
            to_float_tflite(freeze(network, scaling)),
            to_int8_tflite(freeze(network, scaling), images),
        )
        separate += time.monotonic() - started
        assert [len(content) for content in together] == [len(content) for content in apart]
        print(f"{technique.name:>16}: together {shared:6.1f} s so far, apart {separate:6.1f} s", flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{options.model}, width {options.width:g}, {options.side}x{options.side}: sixteen files from eight "
        f"graphs {shared:.1f} s, from sixteen calls {separate:.1f} s ({separate / shared:.2f} times), "
        f"peak memory {peak:.0f} MiB"
    )


if __name__ == "__main__":
    main()
