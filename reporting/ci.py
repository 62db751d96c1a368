"""What a CI system shows of a run: a summary of the job, and properties of each case in JUnit XML.

GitHub shows as the summary of a job what its steps append to the file that ``$GITHUB_STEP_SUMMARY`` names,
and of a step that appends more than 1 MiB nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd

from benchmarks.results import Record
from benchmarks.sections import Statistics
from reporting import tables
from reporting.contents import failure_sheets, worst_sheets
from reporting.frames import CLEAN, from_records
from reporting.layout import Table, escape
from reporting.report import Report
from reporting.uncertainty import with_intervals
from reporting.verdict import verdict_of

#: The variable that names the file of the summary.
STEP_SUMMARY = "GITHUB_STEP_SUMMARY"

#: The largest summary of a step, in bytes.
LIMIT = 1024 * 1024

#: How many rows a table of the summary has at most.
ROWS = 100

_LEFT_OUT = "More is in the report; it does not fit here.\n"


def append_summary(report: Report, say: Callable[[str], object], comparison: str = "") -> None:
    """Append the summary of ``report`` where CI shows it, if this runs in CI; ``say`` is told if that fails.

    ``comparison`` is what the regression gate says, as Markdown.  A summary that cannot be written is no
    reason for a run to fail.
    """
    name = os.environ.get(STEP_SUMMARY)
    if not name:
        return
    try:
        path = Path(name)
        room = LIMIT - (path.stat().st_size if path.exists() else 0)
        with path.open("a", encoding="utf-8", newline="\n") as file:
            file.write(render_summary(report, room, comparison))
    except OSError as error:
        say(
            f"expected to append a summary to {name}, got {error.strerror!r} (${STEP_SUMMARY}); the report "
            "itself is not concerned"
        )


def render_summary(report: Report, room: int = LIMIT, comparison: str = "") -> str:
    """Return the summary as Markdown of less than ``room`` bytes: sections that do not fit are left out."""
    text = ""
    for section in _sections(report, comparison):
        more = f"{text}{section}\n"
        if len(f"{more}{_LEFT_OUT}".encode()) >= room:
            return f"{text}{_LEFT_OUT}" if len(f"{text}{_LEFT_OUT}".encode()) < room else ""
        text = more
    return text


def properties_of(record: Record, statistics: Statistics) -> list[tuple[str, str]]:
    """Return the figures of a record by name, such as ``error[fog,3]``, ``accuracy`` or ``zipped_bytes``.

    Errors and accuracy are fractions, beside them the bounds of their intervals (``error_low[fog,3]``).
    """
    found: list[tuple[str, float]] = []
    for row in with_intervals(from_records([record]).cells, statistics).to_dict("records"):
        error, low, high = row["error"], row["error_low"], row["error_high"]
        if row["corruption"] == CLEAN:
            found += [("accuracy", 1 - error), ("accuracy_low", 1 - high), ("accuracy_high", 1 - low)]
        else:
            cell = f"[{row['corruption']},{row['severity']}]"
            found += [(f"error{cell}", error), (f"error_low{cell}", low), (f"error_high{cell}", high)]
    found += record.metrics.items()
    return [(name, f"{value:.6g}") for name, value in found if pd.notna(value)]


def _sections(report: Report, comparison: str) -> Iterator[str]:
    name = f": suite {escape(report.suite.name)}" if report.suite else ""
    yield f"# Robustness of compressed models{name}\n\n**{escape(str(verdict_of(report)))}**\n"
    if comparison:
        yield comparison
    yield from _shortened(_variants(report.summary))
    for sheet in worst_sheets(report.cells, report.corruption_errors):
        yield sheet.shown.to_markdown()
    for sheet in failure_sheets(report.failures):
        yield from _shortened(sheet.shown)


def _variants(summary: pd.DataFrame) -> Table:
    """Return accuracy, mCE and compression ratio with their intervals, a row a variant."""
    shown = {
        "Data set": summary["dataset"],
        "Model": summary["model"],
        "Technique": tables.titles(summary["technique"]),
        "Accuracy in %": _with_intervals(summary, "accuracy", 2, 100),
        "mCE": _with_intervals(summary, "mce", 1),
        "CR": tables.figures(summary["compression_ratio"], 2),
    }
    return Table("Accuracy, mCE and compression ratio (CR)", pd.DataFrame(shown), words=3)


def _with_intervals(summary: pd.DataFrame, name: str, decimals: int, scale: float = 1) -> list[str]:
    """Return a figure as text with its interval, as in ``83.40 (82.10–84.60)``, or as far as it is known."""
    value, low, high = (
        tables.figures(scale * summary[column], decimals) for column in (name, f"{name}_low", f"{name}_high")
    )
    return [
        of if tables.ABSENT in (of, least, most) else f"{of} ({least}–{most})"
        for of, least, most in zip(value, low, high, strict=True)
    ]


def _shortened(table: Table) -> Iterator[str]:
    """Yield a table with as many of its rows as are shown."""
    if len(table.rows):
        yield Table(table.title, table.rows.head(ROWS), table.words, table.note).to_markdown()
    more = len(table.rows) - ROWS
    if more > 0:
        yield f"And {more} more rows in the report.\n"
