"""How long the page of a whole study takes to be built and to open, and how large it is.

    PYTHONPATH=. python tests/bench_page.py [--images 1000]

A made-up report of 96 variants (two data sets, three networks, sixteen techniques), each under fifteen
corruptions at five severities, attacked, explained, with what it forgot and its latency.  Where there is a
Chromium it opens the page once when it has just been started and three times more.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from browsers import browser, has_browser
from made_reports import records_of, report_of, variants_of

from benchmarks.sections import Statistics
from benchmarks.techniques import ORIGINAL_STUDY
from reporting.page import render_page

OPENED = (
    "const [opened] = performance.getEntriesByType('navigation');"
    "return [opened.domContentLoadedEventEnd, opened.loadEventEnd]"
)


@contextmanager
def timed(what: str) -> Iterator[None]:
    started, used = time.perf_counter(), time.process_time()
    yield
    print(f"{what}: {time.process_time() - used:.1f} s of processor time, ", end="")
    print(f"{time.perf_counter() - started:.1f} s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="time the page of a made-up study of 96 variants")
    parser.add_argument("--images", type=int, default=1000, help="images of each cell (default: 1000)")
    images = parser.parse_args().images
    variants = variants_of(("c", "d"), ("k", "l", "m"), ORIGINAL_STUDY)
    records = records_of(variants, images=images, kernels=55, side=64)
    report = report_of(records, statistics=Statistics().model_dump())
    with timed(f"figures and intervals of {len(variants)} variants, {len(records)} records"):
        report.summary, report.uncertainty  # noqa: B018
    with timed("page"):
        page = render_page(report).encode()
    print(f"size: {len(page) / 1e6:.2f} MB")
    if not has_browser():
        return
    with tempfile.TemporaryDirectory() as folder, browser() as driver:
        path = Path(folder, "index.html")
        path.write_bytes(page)
        for _ in range(4):
            driver.get("about:blank")
            driver.get(path.as_uri())
            ready, loaded = driver.execute_script(OPENED)
            print(f"opened: DOMContentLoaded after {ready / 1000:.2f} s, load after {loaded / 1000:.2f} s")


if __name__ == "__main__":
    main()
