"""What comes after a run, from its files alone: other reports of it, comparisons, a look at it."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from benchmarks.suite import SuiteError
from reporting.commands.build import BUILD
from reporting.commands.command import parser_of
from reporting.commands.compare import COMPARE
from reporting.commands.merge import MERGE
from reporting.commands.published import PUBLISHED
from reporting.commands.serve import SERVE
from reporting.journal import JournalError
from reporting.merging import MergeError
from reporting.recorded import InputError
from reporting.regression.baseline import BaselineError
from reporting.regression.comparing import ComparisonError

COMMANDS = (BUILD, SERVE, COMPARE, MERGE, PUBLISHED)

_ERRORS = (InputError, SuiteError, JournalError, MergeError, BaselineError, ComparisonError, OSError)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0 done, 2 wrong input, others a verdict."""
    parser = parser_of(COMMANDS, __doc__)
    options = parser.parse_args(arguments)
    try:
        return int(options.run(options))
    except _ERRORS as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
