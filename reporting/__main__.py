"""Reports from recorded results, without running a model: ``python -m reporting --help``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from benchmarks.sections import ANY_NAME, Known
from benchmarks.suite import SuiteError, load_suite
from reporting import merge_command, published
from reporting.files import listed
from reporting.frames import LATENCY, SIZES, frame
from reporting.journal import JournalError, read_journal
from reporting.merging import MergeError
from reporting.metrics import Convention
from reporting.recorded import InputError, read_cells, read_latency, read_sizes
from reporting.regression.baseline import BaselineError
from reporting.regression.command import add_command as add_compare_command
from reporting.regression.comparing import ComparisonError
from reporting.report import Report, render_terminal, write_report

_BUILD = """\
Compute every metric anew from recorded top-1 errors, show the report and write it as files:
results.csv, summary.csv, latency.csv, summary.md, pareto.png, pareto.svg, and in paper/ the tables
and figures of the original study, as far as there is something recorded for them.  Those that an
earlier report has left in DIR and this one has nothing for are removed.

ERRORS.csv has a line per model, technique and set of images, for instance

    dataset,model,technique,corruption,severity,error
    cifar10,resnet50,1,clean,0,0.1158
    cifar10,resnet50,pruned,fog,3,0.0891

  technique   number or name; 1 is the uncompressed original that the others are compared with
  corruption  'clean' at severity 0 gives the accuracy; mCE needs the fifteen standard corruptions
  error       fraction of the images that were classified wrongly, from 0 to 1

In its place the folder of a report, or the records.jsonl in it, gives the whole report of that run,
with intervals, kernels and notes; sizes, latency and suite are in it.
"""

_BUILD_EXAMPLES = """\
examples:
  python -m reporting build errors.csv --sizes sizes.csv --out report
      mCE, compression ratio, accuracy and the Pareto-optimal variants

  python -m reporting build report --out again
      the same report from the records of a run

  python -m reporting build report/results.csv --sizes report/summary.csv --out again
      the same figures from the tables of a report

  python -m reporting build errors.csv --out report --convention rounded
      as the original study computes: each CE rounded before it is averaged; without sizes there is
      no compression ratio, so no Pareto plot
"""

_PUBLISHED = """\
Set a report beside published results: accuracy, mCE and compression ratio of both with the
difference, for every variant that both have; the means by technique; and how far both agree in the
order of the techniques.  Written as comparison.md and comparison.csv.  What only one of them has is
listed.

REPORT is the folder of a report.  ERRORS.csv and SIZES.csv hold the published results, as for
'build'; data sets and models are the same where they have the same names.
"""

_PUBLISHED_EXAMPLES = """\
example:
  python -m reporting published report study_errors.csv --sizes study_sizes.csv --out docs/results
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0 done, 2 wrong input, others a verdict."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        return options.run(options) or 0
    except (
        *(InputError, SuiteError, JournalError, MergeError, BaselineError, ComparisonError),
        OSError,
    ) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2


def build(options: argparse.Namespace) -> None:
    """Build the report that the command line asks for."""
    report = _of_journal(options) if _is_journal(options.errors) else _of_tables(options)
    written = write_report(report, options.out)
    print(render_terminal(report))
    print("Written:", *listed(written), sep="\n  ")


def _is_journal(path: Path) -> bool:
    return path.is_dir() or path.suffix in (".jsonl", ".part")


def _of_journal(options: argparse.Namespace) -> Report:
    for name in ("sizes", "latency", "suite"):
        given = getattr(options, name)
        if given is not None:
            raise InputError(
                f"expected no --{name} beside {options.errors}, got {given}, because the records of a run "
                "have their own; leave it out, or pass the results.csv of the report"
            )
    recording = read_journal(options.errors)
    return Report.of_run(
        recording.header,
        recording.entries.values(),
        ended=recording.ended,
        convention=options.convention,
    )


def _of_tables(options: argparse.Namespace) -> Report:
    suite = load_suite(options.suite, Known(ANY_NAME, ANY_NAME, ANY_NAME)) if options.suite else None
    return Report.of_recorded(
        read_cells(options.errors),
        read_sizes(options.sizes) if options.sizes else frame([], SIZES),
        read_latency(options.latency) if options.latency else frame([], LATENCY),
        options.convention,
        suite,
    )


def set_beside_published(options: argparse.Namespace) -> None:
    """Make the comparison with published results that the command line asks for."""
    run = (options.report / "results.csv", options.report / "summary.csv")
    comparison = published.compare(
        *(
            Report.of_recorded(
                read_cells(errors),
                read_sizes(sizes) if sizes else frame([], SIZES),
                frame([], LATENCY),
                options.convention,
            )
            for errors, sizes in (run, (options.errors, options.sizes))
        )
    )
    written = published.write_comparison(comparison, options.out)
    print(published.render_terminal(comparison))
    print("Written:", *listed(written), sep="\n  ")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m reporting", description=__doc__)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    command = commands.add_parser(
        "build",
        help="build a report from recorded results",
        description=_BUILD,
        epilog=_BUILD_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_recorded(command, "top-1 errors, or a report's folder or records.jsonl")
    command.add_argument(
        "--latency",
        type=Path,
        metavar="LATENCY.csv",
        help="columns dataset, model, technique, median_s, p90_s (seconds per image)",
    )
    command.add_argument(
        "--suite",
        metavar="NAME|PATH",
        help="the suite that the results are of: a built-in one or a .toml file, for its hyperparameters",
    )
    _add_convention(command, default=None, meaning="that of the suite's protocol, else unrounded")
    command.set_defaults(run=build)

    command = commands.add_parser(
        "published",
        help="set a report beside published results",
        description=_PUBLISHED,
        epilog=_PUBLISHED_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("report", type=Path, metavar="REPORT", help="folder of a report")
    _add_recorded(command, "top-1 errors")
    _add_convention(command, default="unrounded", meaning="unrounded")
    command.set_defaults(run=set_beside_published)
    add_compare_command(commands)
    merge_command.add_command(commands)
    return parser


def _add_recorded(command: argparse.ArgumentParser, errors: str) -> None:
    command.add_argument("errors", type=Path, metavar="ERRORS.csv", help=errors)
    command.add_argument(
        "--sizes", type=Path, metavar="SIZES.csv", help="columns dataset, model, technique, zipped_bytes"
    )
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the files")


def _add_convention(command: argparse.ArgumentParser, default: Convention | None, meaning: str) -> None:
    command.add_argument(
        "--convention",
        choices=get_args(Convention),
        default=default,
        help=f"how CE is averaged (default: {meaning})",
    )


if __name__ == "__main__":
    sys.exit(main())
