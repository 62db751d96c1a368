"""What the commands share that take recorded results: the arguments, and the report on them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import get_args

from benchmarks.schema import Suite
from reporting.frames import LATENCY, SIZES, frame
from reporting.metrics import Convention
from reporting.recorded import read_cells, read_latency, read_sizes
from reporting.report import Report


def add_recorded(parser: argparse.ArgumentParser, errors: str) -> None:
    """Add the files of errors and sizes, of which the former are described as ``errors``."""
    parser.add_argument("errors", type=Path, metavar="ERRORS.csv", help=errors)
    parser.add_argument(
        "--sizes", type=Path, metavar="SIZES.csv", help="columns dataset, model, technique, zipped_bytes"
    )


def add_out(parser: argparse.ArgumentParser) -> None:
    """Add the folder that everything is written to."""
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the files")


def add_convention(parser: argparse.ArgumentParser, default: Convention | None, meaning: str) -> None:
    """Add how CE is averaged, of which the ``default`` is told as ``meaning``."""
    parser.add_argument(
        "--convention",
        choices=get_args(Convention),
        default=default,
        help=f"how CE is averaged (default: {meaning})",
    )


def report_of(
    errors: Path,
    sizes: Path | None = None,
    latency: Path | None = None,
    convention: Convention | None = None,
    suite: Suite | None = None,
) -> Report:
    """Return the report on recorded results; raises :class:`reporting.recorded.InputError` or ``OSError``."""
    return Report.of_recorded(
        read_cells(errors),
        read_sizes(sizes) if sizes else frame([], SIZES),
        read_latency(latency) if latency else frame([], LATENCY),
        convention,
        suite,
    )
