"""``python -m reporting merge``: the reports of shards joined to one."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

from reporting.ci import append_summary
from reporting.commands.command import Command
from reporting.commands.recorded import add_out
from reporting.exit_codes import ExitCode, session_code
from reporting.files import listed
from reporting.journal import write_journal
from reporting.merging import grouped, merge, read_parts, report_of
from reporting.report import render_terminal, write_report

_DESCRIPTION = """\
Join the reports of shards (pytest --shard I/N) into one: its records.jsonl, and the whole report as
'build' writes it.  Shards must be of one suite and of the same images; where two have the same case
they must have found the same, but for latencies, of which the first named counts.

Whatever the suite has and no shard has measured is listed; then, and where a case ended in an error,
the exit code is 6.  It is 1 where a case of any shard broke a threshold.
"""

_EPILOG = """\
examples:
  pytest benchmarks -n auto --shard 1/2 --report shard-1     on one machine
  pytest benchmarks -n auto --shard 2/2 --report shard-2     on another
  python -m reporting merge shard-1 shard-2 --out report
      one report, as one machine would have written it

  python -m reporting merge report late/records.jsonl --out report
      the joined report and a shard that came in late, named by its records
"""


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "shards", type=Path, nargs="+", metavar="DIR", help="folder of a shard's report, or its records.jsonl"
    )
    add_out(parser)


def _run(options: argparse.Namespace) -> int:
    merged = merge(read_parts(options.shards))
    report = report_of(merged)
    written = write_report(report, options.out)
    written.append(write_journal(options.out, merged.header, merged.entries.values()))
    print(render_terminal(report))
    print("Written:", *listed(written), sep="\n  ")
    append_summary(report, partial(print, file=sys.stderr))
    for remark in merged.remarks:
        print(remark, file=sys.stderr)
    if report.unmeasured:
        print(f"Missing: {len(report.unmeasured)} of the suite's {len(merged.header.cases)} cases")
        print(*grouped(report.unmeasured), sep="\n")
    endings = [entry.ending for entry in merged.entries.values()]
    incomplete = report.unmeasured or len(report.missing)
    return session_code(ExitCode.KEPT, endings, [ExitCode.UNKNOWN] if incomplete else [])


MERGE = Command(
    "merge",
    "join the reports of shards, and say what is missing",
    _DESCRIPTION,
    _EPILOG,
    _add_arguments,
    _run,
)
