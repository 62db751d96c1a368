"""What the terminal shows of a session at its end: the verdict, then as much as was asked for.

-qq        the verdict
-q         the verdict, what failed, and where the report is; so with --no-summary
           the verdict, what there is to say in brief, and the files of the report
-v         the same at length
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from reporting.contents import failure_sheets
from reporting.files import listed
from reporting.report import Report, render_terminal
from reporting.verdict import Standing, verdict_of

_COLOURS: dict[Standing, str] = {"kept": "green", "broken": "red", "unknown": "yellow"}


def show_report(report: Report, name: str, terminal: pytest.TerminalReporter) -> None:
    """Show the report on a run of the suite ``name``, the verdict in colour where there are colours."""
    quietness = _quietness(terminal)
    if not quietness:
        terminal.write_sep("=", f"RobustLite: suite {name}")
    verdict = verdict_of(report)
    terminal.write_line(str(verdict), bold=True, **{_COLOURS[verdict.standing]: True})
    if quietness == 1:
        for sheet in failure_sheets(report.failures):
            terminal.write_line(f"\n{sheet.shown.to_text()}")
    elif not quietness:
        terminal.write_line(f"\n{render_terminal(report, brief=terminal.verbosity == 0)}")


def show_written(written: Sequence[Path], out: Path, terminal: pytest.TerminalReporter) -> None:
    """Show where the report below ``out`` is, and which page to open."""
    quietness = _quietness(terminal)
    if quietness == 1:
        terminal.write_line(f"Written to {out}")
    elif not quietness:
        for line in listed(written):
            terminal.write_line(f"Written to {line}")
        for page in written:
            if page.name == "index.html":
                terminal.write_line(f"Open {page}")


def _quietness(terminal: pytest.TerminalReporter) -> int:
    """Return 0 for a session that shows everything, 1 for a quiet one, 2 for a quieter one."""
    return min(2, max(-terminal.verbosity, int(terminal.no_summary)))
