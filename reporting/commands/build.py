"""``python -m reporting build``: a report from recorded results."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.sections import ANY_NAME, Known
from benchmarks.suite import load_suite
from reporting.commands.command import Command
from reporting.commands.recorded import add_convention, add_out, add_recorded, report_of
from reporting.files import listed
from reporting.journal import read_journal
from reporting.recorded import InputError
from reporting.report import Report, render_terminal, write_report

_DESCRIPTION = """\
Compute every metric anew from recorded top-1 errors, show the report and write it as files:

  index.html   the one file to open: everything below on one page
  results.csv, summary.csv, latency.csv, summary.md, pareto.png, pareto.svg
  tables/      every table as Markdown, CSV and LaTeX
  figures/     the Pareto plot, CE by corruption, error by severity, latency: SVG, PDF, PNG, as wide as
               a column of a paper
  paper/       the tables and figures of the original study, as far as something is recorded for them

What an earlier report has left in these folders and this one has nothing for is removed.

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

_EPILOG = """\
examples:
  python -m reporting build errors.csv --sizes sizes.csv --out report
      mCE, compression ratio, accuracy and the Pareto-optimal variants

  python -m reporting build report --out again
      the same report from the records of a run, with the figures and tables that a run writes with --paper

  python -m reporting build report/results.csv --sizes report/summary.csv --out again
      the same figures from the tables of a report

  python -m reporting build errors.csv --out report --convention rounded
      as the original study computes: each CE rounded before it is averaged; without sizes there is
      no compression ratio, so no Pareto plot
"""


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_recorded(parser, "top-1 errors, or a report's folder or records.jsonl")
    add_out(parser)
    parser.add_argument(
        "--latency",
        type=Path,
        metavar="LATENCY.csv",
        help="columns dataset, model, technique, median_s, p90_s (seconds per image)",
    )
    parser.add_argument(
        "--suite",
        metavar="NAME|PATH",
        help="the suite that the results are of: a built-in one or a .toml file, for its hyperparameters",
    )
    add_convention(parser, default=None, meaning="that of the suite's protocol, else unrounded")


def _run(options: argparse.Namespace) -> int:
    report = _of_journal(options) if _is_journal(options.errors) else _of_tables(options)
    written = write_report(report, options.out)
    print(render_terminal(report))
    print("Written:", *listed(written), sep="\n  ")
    return 0


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
        recording.header, recording.entries.values(), ended=recording.ended, convention=options.convention
    )


def _of_tables(options: argparse.Namespace) -> Report:
    suite = load_suite(options.suite, Known(ANY_NAME, ANY_NAME, ANY_NAME)) if options.suite else None
    return report_of(options.errors, options.sizes, options.latency, options.convention, suite)


BUILD = Command("build", "build a report from recorded results", _DESCRIPTION, _EPILOG, _add_arguments, _run)
