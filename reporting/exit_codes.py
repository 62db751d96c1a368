"""What the exit code of a session says, and that of ``python -m reporting compare``.

2 to 5 are pytest's own.  ``compare`` has only files: there 2 is wrong input, as everywhere on a command line.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import IntEnum

from reporting.journal import Ending


class ExitCode(IntEnum):
    """Whether a pipeline may go on, and if not, whom that concerns."""

    #: Every threshold kept, no regression.
    KEPT = 0
    #: A verdict on the models: a threshold is broken, or something is worse than the baseline (in a strict
    #: suite also: there is not enough data to say that it is not).
    BROKEN = 1
    INTERRUPTED = 2
    INTERNAL_ERROR = 3
    #: Options, a suite, or a baseline that cannot be read or compared.
    WRONG_INPUT = 4
    #: No case was selected, or none of which anything is compared.
    NOTHING_MEASURED = 5
    #: It could not be told: a case ended in an error, a worker crashed, or cells are missing.
    UNKNOWN = 6


#: Of several codes the first of these counts: a regression stays one, whatever else went wrong.
_PRECEDENCE = (ExitCode.BROKEN, ExitCode.WRONG_INPUT, ExitCode.UNKNOWN, ExitCode.NOTHING_MEASURED)


def session_code(pytests: int, endings: Collection[Ending], others: Collection[ExitCode]) -> int:
    """Return the exit code of a session.

    ``pytests`` is what pytest says, ``endings`` how the selected cases ended, ``others`` what else came out.
    pytest has the same code for whatever fails; which of the two it is, the endings tell.
    """
    if pytests not in (ExitCode.KEPT, ExitCode.BROKEN):
        return pytests
    codes = set(others)
    if "error" in endings:
        codes.add(ExitCode.UNKNOWN)
    # What failed and is no case of the suite is a failure as everywhere in pytest.
    if "failed" in endings or (pytests == ExitCode.BROKEN and "error" not in endings):
        codes.add(ExitCode.BROKEN)
    return next((code for code in _PRECEDENCE if code in codes), ExitCode.KEPT)
