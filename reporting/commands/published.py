"""``python -m reporting published``: a run beside results that somebody published."""

from __future__ import annotations

import argparse
from pathlib import Path

from reporting import published
from reporting.commands.command import Command
from reporting.commands.recorded import add_convention, add_out, add_recorded, report_of
from reporting.files import listed

_DESCRIPTION = """\
Set a report beside published results: accuracy, mCE and compression ratio of both with the
difference, for every variant that both have; the means by technique; and how far both agree in the
order of the techniques.  Written as comparison.md and comparison.csv.  What only one of them has is
listed.

REPORT is the folder of a report.  ERRORS.csv and SIZES.csv hold the published results, as for
'build'; data sets and models are the same where they have the same names.
"""

_EPILOG = """\
examples:
  python -m reporting published report study_errors.csv --sizes study_sizes.csv --out docs/results
      a difference is the run's figure less the published one

  python -m reporting published mine theirs/results.csv --sizes theirs/summary.csv --out compared
      two reports, the second of which stands for what was published

  python -m reporting published report study_errors.csv --out compared --convention rounded
      each CE rounded on both sides, as the original study does; without sizes there is no ratio
"""


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("report", type=Path, metavar="REPORT", help="folder of a report")
    add_recorded(parser, "top-1 errors")
    add_out(parser)
    add_convention(parser, default="unrounded", meaning="unrounded")


def _run(options: argparse.Namespace) -> int:
    run = (options.report / "results.csv", options.report / "summary.csv")
    comparison = published.compare(
        *(
            report_of(errors, sizes, convention=options.convention)
            for errors, sizes in (run, (options.errors, options.sizes))
        )
    )
    written = published.write_comparison(comparison, options.out)
    print(published.render_terminal(comparison))
    print("Written:", *listed(written), sep="\n  ")
    return 0


PUBLISHED = Command(
    "published", "set a report beside published results", _DESCRIPTION, _EPILOG, _add_arguments, _run
)
