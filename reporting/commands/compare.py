"""``python -m reporting compare``: the regression gate from files alone."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import get_args

from pydantic import ValidationError

from reporting.commands.command import Command
from reporting.files import listed
from reporting.recorded import InputError
from reporting.regression.baseline import Snapshot, read_run
from reporting.regression.comparing import compare
from reporting.regression.shown import render_terminal, write_comparison
from reporting.statistics.paired import Correction

_DESCRIPTION = """\
Compare a run with a baseline, image by image, as 'pytest benchmarks --gate BASELINE' does: is any cell
or variant worse, by more than chance and by enough to matter?

BASELINE and CURRENT are each

  a baseline          the file that a run writes with --save-baseline
  a journal           the records.jsonl in the folder of a report
  a report's folder   stands for the journal in it

The cells that CURRENT selected are compared, by the settings of its suite ([gate], [statistics]).
Runs that looked at other images (another data set, sample, seed, corruption or severity scale)
cannot be compared, and the reason is told.
"""

_EPILOG = """\
exit codes:
  0  no regression
  1  something is worse than the baseline (or, with thresholds.strict, there is not enough data)
  2  wrong input: a file that cannot be read, or runs that cannot be compared
  5  CURRENT selected no cell
  6  it cannot be told: cells are missing

examples:
  python -m reporting compare main.baseline report
      the last run beside the baseline of the main branch

  python -m reporting compare main.baseline report --least-effect 0.5 --out report
      a rise of half a point matters already; also write gate.md and gate.csv into report/

  python -m reporting compare before/records.jsonl after/records.jsonl --correction by
      two runs whose journals were kept, with the stricter correction of p-values
"""


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("baseline", type=Path, metavar="BASELINE", help="what to compare with")
    parser.add_argument("current", type=Path, metavar="CURRENT", help="the run in question")
    parser.add_argument(
        "--least-effect", type=float, metavar="POINTS", help="smallest rise of a cell's error that matters"
    )
    parser.add_argument(
        "--least-mce-effect", type=float, metavar="POINTS", help="smallest rise of an mCE that matters"
    )
    parser.add_argument(
        "--correction",
        choices=get_args(Correction),
        help="of p-values for the number of tests: Benjamini-Hochberg or Benjamini-Yekutieli",
    )
    parser.add_argument(
        "--level", type=float, metavar="FRACTION", help="confidence of verdicts and intervals, such as 0.95"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for gate.md and gate.csv")


def _run(options: argparse.Namespace) -> int:
    compared = compare(read_run(options.baseline), _with_options(read_run(options.current), options))
    print(render_terminal(compared))
    if options.out:
        print("Written:", *listed(write_comparison(compared, options.out)), sep="\n  ")
    return int(compared.exit_code)


def _with_options(current: Snapshot, options: argparse.Namespace) -> Snapshot:
    """Return the run with the settings that the command line changes; raises :class:`InputError`."""
    gate = {name: getattr(options, name) for name in ("least_effect", "least_mce_effect", "correction")}
    changed = {}
    for section, values in (("gate", gate), ("statistics", {"level": options.level})):
        settings = getattr(current, section)
        given = {name: value for name, value in values.items() if value is not None}
        try:
            changed[section] = settings.model_validate({**settings.model_dump(), **given})
        except ValidationError as error:
            (detail, *_) = error.errors()
            option = f"--{str(detail['loc'][0]).replace('_', '-')}"
            message = detail["msg"].replace("Input should be", "expected")
            raise InputError(f"{option}: {message}, got {detail['input']}") from None
    return replace(current, **changed)


COMPARE = Command("compare", "compare a run with a baseline", _DESCRIPTION, _EPILOG, _add_arguments, _run)
