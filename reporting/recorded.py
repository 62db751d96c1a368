"""Recorded results, read from CSV files.

Three kinds of file, each with a line of column names first; columns that are not named here are ignored:

    errors   dataset, model, technique, corruption, severity, error, and optionally images, errors
    sizes    dataset, model, technique, zipped_bytes, and optionally file_bytes
    latency  dataset, model, technique, median_s, p90_s

``technique`` is a name or a number of :data:`benchmarks.techniques.TECHNIQUES`.  The ``results.csv``,
``summary.csv`` and ``latency.csv`` that a report consists of are such files, so a report can be rebuilt from
another.  A file is checked line by line while it is read, before anything is computed from it.
"""

from __future__ import annotations

import csv
import difflib
import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.techniques import TECHNIQUES
from reporting.frames import CELLS, CLEAN, LATENCY, SIZES, VARIANT, frame


class InputError(ValueError):
    """A file is not what it should be; the message names the file and the line."""


def read_cells(path: Path) -> pd.DataFrame:
    """Return the cells recorded in the errors file at ``path``; raises :class:`InputError` or ``OSError``."""
    rows = []
    for row, where in _rows(path, CELLS, optional={"images", "errors", "population"}):
        if (row["corruption"] == CLEAN) != (row["severity"] == 0):
            raise InputError(
                f"expected severity 0 for '{CLEAN}' and 1 or more for a corruption, got {row['severity']} "
                f"for '{row['corruption']}' ({where})"
            )
        rows.append(row)
    return frame(rows, CELLS)


def read_sizes(path: Path) -> pd.DataFrame:
    """Return the sizes recorded at ``path``, without the variants whose size is blank.

    Raises :class:`InputError` or ``OSError``.
    """
    rows = (row for row, _ in _rows(path, SIZES, optional={"file_bytes"}))
    return frame((row for row in rows if row["zipped_bytes"] is not pd.NA), SIZES)


def read_latency(path: Path) -> pd.DataFrame:
    """Return the latencies recorded at ``path``; raises :class:`InputError` or ``OSError``."""
    return frame((row for row, _ in _rows(path, LATENCY)), LATENCY)


def _rows(
    path: Path, columns: Mapping[str, str], optional: frozenset[str] | set[str] = frozenset()
) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield the checked values of each row of ``path`` and the place of the row in words."""
    lines: dict[tuple[Any, ...], int] = {}
    for line, fields in _fields(path, [name for name in columns if name not in optional]):
        where = f"{path}, line {line}"
        row = {}
        for name in columns:
            try:
                row[name] = _PARSERS[name](fields.get(name, ""))
            except ValueError as error:
                raise InputError(f"column {name}: {error} ({where})") from None
        key = tuple(row[name] for name in [*VARIANT, "corruption", "severity"] if name in row)
        if key in lines:
            raise InputError(
                f"expected each row once, got {' '.join(map(str, key))} on line {lines[key]} and again "
                f"({where}); try removing one of them"
            )
        lines[key] = line
        yield row, where


def _fields(path: Path, required: list[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the number and the fields, by column, of each line of the CSV file at ``path`` but the first."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            names = reader.fieldnames or ()
            missing = [name for name in required if name not in names]
            if missing:
                raise InputError(
                    f"expected the columns {', '.join(required)}, got {', '.join(names) or 'none'} ({path}), "
                    f"without {', '.join(missing)}; try a comma-separated file with these names on line 1"
                )
            for fields in reader:
                if None in fields or None in fields.values():
                    raise InputError(
                        f"expected {len(names)} fields as on line 1, got another number of them "
                        f"({path}, line {reader.line_num})"
                    )
                yield reader.line_num, fields
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            f"expected a CSV file in UTF-8, got something else ({path}), because {error}"
        ) from None


def _name(text: str) -> str:
    if not text.strip():
        raise ValueError("expected a name, got a blank")
    return text.strip()


def _technique(text: str) -> str:
    name = text.strip()
    for technique in TECHNIQUES.values():
        if name in (technique.name, str(technique.code)):
            return technique.name
    near = difflib.get_close_matches(name, TECHNIQUES, n=1)
    advice = f"'{near[0]}'" if near else f"one of {', '.join(TECHNIQUES)}, or its number"
    raise ValueError(
        f"expected a technique, got '{name}', because none has this name or number; try {advice}"
    )


def _whole(text: str, least: int) -> int:
    if not text.strip().isdecimal() or int(text) < least:
        raise ValueError(f"expected a whole number of at least {least}, got '{text}'")
    return int(text)


def _whole_or_unknown(least: int) -> Callable[[str], Any]:
    return lambda text: _whole(text, least) if text.strip() else pd.NA


def _fraction(text: str) -> float:
    value = _number(text)
    if not 0 <= value <= 1:
        advice = ", because it looks like per cent; try dividing by 100" if 1 < value <= 100 else ""
        raise ValueError(f"expected an error rate from 0 to 1, got {text}{advice}")
    return value


def _seconds(text: str) -> float:
    value = _number(text)
    if value <= 0:
        raise ValueError(f"expected seconds above 0, got {text}")
    return value


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"expected a number, got '{text}'")
    return value


_PARSERS: Mapping[str, Callable[[str], Any]] = {
    "dataset": _name,
    "model": _name,
    "technique": _technique,
    "corruption": _name,
    "severity": lambda text: _whole(text, 0),
    "images": _whole_or_unknown(1),
    "errors": _whole_or_unknown(0),
    "error": _fraction,
    "population": _whole_or_unknown(1),
    "zipped_bytes": _whole_or_unknown(1),
    "file_bytes": _whole_or_unknown(1),
    "median_s": _seconds,
    "p90_s": _seconds,
}
