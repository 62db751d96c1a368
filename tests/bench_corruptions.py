"""Times the corruptions: ``python tests/bench_corruptions.py --help``."""

from __future__ import annotations

import argparse
import io
import os
import resource
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stderr
from functools import cache
from multiprocessing import get_context
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy is imported
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import cv2
import numpy as np
from plain_corruptions import corrupt_plainly

from fixtures.corruptions import CORRUPTIONS, corrupt
from fixtures.corruptions.constants import SCALES
from fixtures.corruptions.export import export
from fixtures.corruptions.export_inputs import CleanImages, Settings
from fixtures.corruptions.frost import frost_textures

DESCRIPTION = """\
Time the corruptions on images like photographs, at all five severities, one thread a process.

Without an option: images per second at 32x32 pixels, the CIFAR scale, beside a plain loop over the images.
The plain loop draws its random numbers from one generator, as the published one does, but reads the frost
textures once.  This and --sides show the best of several rounds, as other work can only slow a round down;
--whole and --copy show one, so they want a machine without other work.
"""

EPILOG = """\
examples:
  python tests/bench_corruptions.py
      images per second, and how many times the plain loop

  python tests/bench_corruptions.py --sides 32 64 224
      nanoseconds per pixel on larger images, each with the constants meant for its size

  python tests/bench_corruptions.py --whole
      the 750,000 images of CIFAR-10-C into nothing: once in one process, once shared by two

  python tests/bench_corruptions.py --copy /var/tmp
      images per second of generating them, of exporting (which is generating and writing to that disk),
      and of reading back: from the disk, and when the system still has the file in memory
"""

SIDE = 32
ROUNDS = 5
SEVERITIES = (1, 2, 3, 4, 5)
STANDARD = tuple(name for name, corruption in CORRUPTIONS.items() if corruption.standard)


def photo_like(count, rng, side=SIDE):
    """Return smooth images with some noise: uint8 (count, side, side, 3)."""
    coarse = rng.uniform(0, 255, (count, 6, 6, 3)).astype(np.float32)
    smooth = [cv2.resize(one, (side, side), interpolation=cv2.INTER_CUBIC) for one in coarse]
    return np.clip(np.stack(smooth) + rng.normal(0, 8, (count, side, side, 3)), 0, 255).astype(np.uint8)


@cache
def many_photo_like(count):
    """Return ``count`` images of few different ones: uint8 (count, 32, 32, 3)."""
    few = photo_like(min(count, 512), np.random.default_rng(0))
    return np.resize(few, (count, *few.shape[1:]))


def crop_of_frost(rng, pixels):
    texture = frost_textures("cifar", *pixels, None)[rng.integers(5)]
    row, column = (rng.integers(side - SIDE) for side in texture.shape[:2])
    return texture[row : row + SIDE, column : column + SIDE]


#: The random numbers of one image, by corruption; the others need none.
PLAIN_DRAWS = {
    "gaussian_noise": lambda rng, x, _: rng.normal(size=x.shape),
    "shot_noise": lambda rng, x, c: rng.poisson(x / 255 * c[0]),
    "impulse_noise": lambda rng, x, c: (rng.random(x.shape) < c[0], rng.random(x.shape) < 0.5),
    "glass_blur": lambda rng, _, c: rng.integers(-1, 1, (c[2], SIDE - 2, SIDE - 2, 2)),
    "motion_blur": lambda rng, *_: rng.random(),
    "snow": lambda rng, x, _: (rng.normal(size=x.shape[:2]), rng.random()),
    "frost": lambda rng, x, _: crop_of_frost(rng, x.shape[:2]),
    "fog": lambda rng, *_: rng.random(SIDE * SIDE - 1),
    "elastic_transform": lambda rng, x, _: (rng.random((3, 2)), rng.random((2, *x.shape[:2]))),
    "speckle_noise": lambda rng, x, _: rng.normal(size=x.shape),
    "spatter": lambda rng, x, _: rng.normal(size=x.shape[:2]),
}


def best_seconds(work):
    """Return the shortest of several times that ``work`` takes, after a first time that fills caches."""
    work()
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def package_seconds(name, images, scale="cifar"):
    """Return the time for all severities, per image."""
    indices = np.arange(len(images))

    def work(severity):
        corrupt(name, images, severity, seed=0, indices=indices, scale=scale)

    return sum(best_seconds(lambda s=s: work(s)) for s in SEVERITIES) / len(images)


def plain_seconds(name, images):
    """Return the time of the plain loop for all severities, per image."""
    rng = np.random.default_rng(0)
    draw = PLAIN_DRAWS.get(name, lambda *_: None)

    def work(constants):
        for image in images:
            corrupt_plainly(name, image, draw(rng, image, constants), constants)

    return sum(best_seconds(lambda c=c: work(c)) for c in CORRUPTIONS[name].constants["cifar"]) / len(images)


def compare_with_plain(count):
    images = photo_like(count, np.random.default_rng(0))
    totals = np.zeros(2)
    print(f"{'images/s':20}{'package':>10}{'plain':>10}{'times':>8}")
    for name, corruption in CORRUPTIONS.items():
        seconds = np.array(
            (package_seconds(name, images), plain_seconds(name, images[: max(8, count // 32)]))
        )
        totals += seconds if corruption.standard else 0
        package, plain = 5 / seconds
        print(f"{name:20}{package:10,.0f}{plain:10,.0f}{package / plain:8.1f}")
    package, plain = 15 * 5 / totals
    print(f"{'all 15 together':20}{package:10,.0f}{plain:10,.0f}{package / plain:8.1f}")


def compare_sides(sides, count):
    """Print the time per pixel at each of ``sides``, on as many pixels as ``count`` images of 32x32 have."""
    rng = np.random.default_rng(0)
    images = [photo_like(max(4, count * SIDE**2 // side**2), rng, side) for side in sides]
    scales = [min(SCALES, key=lambda scale, side=side: abs(SCALES[scale] - side)) for side in sides]
    print(f"constants: {', '.join(scales)}")
    print(f"{'ns per pixel':20}" + "".join(f"{side:>8}" + " " * 7 for side in sides))

    def show(name, times):
        cells = (f"{time:8.1f} {f'x{time / times[0]:.2f}':6}" for time in times)
        print(f"{name:20}" + "".join(cells), flush=True)

    rows = {}
    for name in CORRUPTIONS:
        seconds = (package_seconds(name, *one) for one in zip(images, scales, strict=True))
        rows[name] = [1e9 * time / 5 / side**2 for time, side in zip(seconds, sides, strict=True)]
        show(name, rows[name])
    show("mean of 15", np.mean([rows[name] for name in STANDARD], axis=0))


def corrupt_set(job):
    """Corrupt into nothing, and return this process's number and its largest memory so far in MB."""
    name, severity, count = job
    corrupt(name, many_photo_like(count), severity, seed=0, indices=np.arange(count))
    status = Path("/proc/self/status").read_text().splitlines()
    return os.getpid(), next(int(line.split()[1]) // 1024 for line in status if line.startswith("VmHWM"))


def time_whole(count):
    """Print what all severities of the fifteen take, each of ``count`` images in one call as in a run."""
    jobs = [(name, severity, count) for name in STANDARD for severity in SEVERITIES]
    total = len(jobs) * count
    print(f"{total:,} images, seconds from before the start of the processes to after their end")
    for processes in (1, 2):
        start, work_before = time.perf_counter(), cpu_seconds_of_children()
        with ProcessPoolExecutor(processes, get_context("spawn"), cv2.setNumThreads, (1,)) as pool:
            peaks = dict(pool.map(corrupt_set, jobs))  # the last of a process is its largest
        seconds, work = time.perf_counter() - start, cpu_seconds_of_children() - work_before
        memory = " and ".join(f"{peak} MB" for peak in peaks.values())
        print(
            f"{processes} process(es): {seconds:.1f} s ({work:.1f} s of a core), "
            f"{total / seconds:,.0f} images/s, peak {memory}"
        )


def cpu_seconds_of_children():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def time_copy(folder, count):
    """Print images per second of generating, of exporting to ``folder`` and of reading what was exported."""
    folder.mkdir(parents=True, exist_ok=True)
    images, indices = many_photo_like(count), np.arange(count)
    total = len(SEVERITIES) * count
    totals = np.zeros(4)
    print(f"{'images/s':20}{'generate':>10}{'export':>10}{'read cold':>11}{'read warm':>11}")

    def show(name, seconds, images):
        generate, write, cold, warm = images / seconds
        print(f"{name:20}{generate:10,.0f}{write:10,.0f}{cold:11,.0f}{warm:11,.0f}", flush=True)

    for name in STANDARD:
        corrupt(name, images[:64], 1, seed=0, indices=indices[:64])  # imports and tables
        start = time.perf_counter()
        for severity in SEVERITIES:
            corrupt(name, images, severity, seed=0, indices=indices)
        generate = time.perf_counter() - start
        with tempfile.TemporaryDirectory(dir=folder) as out, redirect_stderr(io.StringIO()):
            settings = Settings((name,), SEVERITIES)
            start = time.perf_counter()
            export(lambda: CleanImages("bench", None, images, None, ()), Path(out), settings)
            write = time.perf_counter() - start
            file = Path(out) / f"{name}.npy"
            forget(file)
            cold, warm = seconds_to_read(file, indices), seconds_to_read(file, indices)
        seconds = np.array((generate, write, cold, warm))
        totals += seconds
        show(name, seconds, total)
    show("all 15 together", totals, total * len(STANDARD))


def forget(file):
    """Drop what the system remembers of a file's content."""
    with file.open("rb") as stream:
        os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def seconds_to_read(file, indices):
    """Return the time to read the images at ``indices`` at each severity, as a run does."""
    start = time.perf_counter()
    rows = np.load(file, mmap_mode="r")
    for place in range(len(SEVERITIES)):
        rows.take(place * len(indices) + indices, axis=0)
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(
        description=DESCRIPTION, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--sides", nargs="+", type=int, metavar="N", help="time per pixel at these sides, beside the first"
    )
    which.add_argument("--whole", action="store_true", help="time and memory of a whole corrupted set")
    which.add_argument("--copy", type=Path, metavar="DIR", help="a copy on the disk of DIR, removed again")
    parser.add_argument(
        "--images",
        type=int,
        metavar="N",
        help="at each severity; default: 10000 for --whole and --copy, else 512",
    )
    options = parser.parse_args()
    cv2.setNumThreads(1)
    if options.sides:
        compare_sides(options.sides, options.images or 512)
    elif options.whole:
        time_whole(options.images or 10_000)
    elif options.copy:
        time_copy(options.copy, options.images or 10_000)
    else:
        compare_with_plain(options.images or 512)


if __name__ == "__main__":
    main()
