"""Time and memory of a run, cold and warm: `python tests/bench_run.py [OPTION OF THE BENCHMARK ...]`.

Prints the wall time of `pytest benchmarks -n auto`, of the `quick` suite unless the options say otherwise, on
an empty artifact store and again on the full one; and the most memory (peak of what was resident, as Linux
keeps it) that any process had with TensorFlow loaded in it, and any without.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        for name in ("cold", "warm"):
            seconds, making, evaluating = run(Path(directory), sys.argv[1:])
            print(
                f"{name}: {seconds:.0f} s wall; peak memory of a process: "
                f"{making / 1e6:.0f} MB with TensorFlow, {evaluating / 1e6:.0f} MB without",
                flush=True,
            )


def run(directory: Path, options: list[str]) -> tuple[float, int, int]:
    """Return (seconds, peak bytes of a process with TensorFlow, peak bytes of one without)."""
    command = [sys.executable, "-m", "pytest", "benchmarks", "-n", "auto", "-q", "--benchmark-quiet"]
    command += ["--artifacts", str(directory / "artifacts"), "--report", str(directory / "report"), *options]
    started = time.monotonic()
    process = psutil.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    making = evaluating = 0
    while process.poll() is None:
        for worker in process.children(recursive=True):
            try:
                loaded = any("_pywrap_tensorflow" in map_.path for map_ in worker.memory_maps())
                peak = peak_bytes(worker.pid)
            except (psutil.Error, OSError, StopIteration):
                continue
            making, evaluating = (
                (max(making, peak), evaluating) if loaded else (making, max(evaluating, peak))
            )
        time.sleep(0.25)
    if process.returncode:
        sys.exit(f"expected the run to pass, got exit code {process.returncode}: {' '.join(command)}")
    return time.monotonic() - started, making, evaluating


def peak_bytes(pid: int) -> int:
    """Return the most that a process had resident so far; raises ``StopIteration`` for one that has ended."""
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


if __name__ == "__main__":
    main()
