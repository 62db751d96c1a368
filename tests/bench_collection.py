"""How long pytest takes to collect 7,200 cases: five data sets, five models, every technique and corruption.

    python tests/bench_collection.py

Not collected by pytest, because a time is no property of the code alone.
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CASES = 7200
RUNS = 5

# Collecting looks at a model's name alone, so four more names for VGG-6 are as good as four more models.
MODELS = ["vgg6", "vgg6_b", "vgg6_c", "vgg6_d", "vgg6_e"]
DATASETS = ["digits", "cifar10", "cifar100", "tiny_imagenet", "image_folder"]
PLUGIN = f"""
from dataclasses import replace
from fixtures.models import MODELS

for name in {MODELS[1:]}:
    MODELS[name] = replace(MODELS["vgg6"], name=name)
"""


def collect(directory: Path) -> tuple[float, float]:
    """Return (seconds that pytest says collection took, seconds of the whole process)."""
    command = [sys.executable, "-m", "pytest", "benchmarks", "--collect-only", "-q", "-p", "more_models"]
    # What only this software's own tests use would be timed along.
    command += ["-p", "no:cacheprovider", "-p", "no:hypothesispytest"]
    command += ["--suite=quick", "--set", f"data.datasets={DATASETS}", "--set", f"model.names={MODELS}"]
    environment = {**os.environ, "PYTHONPATH": str(directory)}
    started = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    whole = time.perf_counter() - started
    found = re.search(r"(\d+) tests collected in ([\d.]+)s", done.stdout)
    if not found or int(found[1]) != CASES:
        raise SystemExit(f"expected {CASES} tests to be collected, got: {done.stdout[-200:]}")
    return float(found[2]), whole


def main() -> None:
    """Collect a few times and print the medians."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory, "more_models.py").write_text(PLUGIN, encoding="utf-8")
        times = [collect(Path(directory)) for _ in range(RUNS)]
    collection, whole = (statistics.median(column) for column in zip(*times, strict=True))
    print(f"{CASES} cases: collected in {collection:.2f} s, {whole:.2f} s with starting and ending pytest")
    print(f"(medians of {RUNS} runs)")


if __name__ == "__main__":
    main()
