"""The exit code of a session tells a regression from an infrastructure failure from an empty run."""

from __future__ import annotations

import pytest

from reporting.exit_codes import ExitCode, session_code

KEPT, BROKEN, WRONG, NOTHING, UNKNOWN = (
    ExitCode.KEPT,
    ExitCode.BROKEN,
    ExitCode.WRONG_INPUT,
    ExitCode.NOTHING_MEASURED,
    ExitCode.UNKNOWN,
)


@pytest.mark.parametrize(
    ("pytests", "endings", "others", "expected"),
    [
        (0, ["passed"], [], KEPT),
        (0, ["passed"], [KEPT, BROKEN], BROKEN),
        (0, ["passed"], [UNKNOWN], UNKNOWN),
        (0, [], [NOTHING], NOTHING),
        (1, ["passed", "failed"], [], BROKEN),
        (1, ["passed", "error"], [], UNKNOWN),
        (1, ["failed", "error"], [], BROKEN),
        (1, ["error"], [BROKEN], BROKEN),
        (1, ["error"], [WRONG], WRONG),
        (1, ["failed"], [WRONG], BROKEN),
        (1, [], [], BROKEN),
    ],
)
def test_a_verdict_on_the_models_goes_before_what_could_not_be_told(
    pytests, endings, others, expected
) -> None:
    assert session_code(pytests, endings, others) == expected


@pytest.mark.parametrize("code", [2, 3, 4, 5])
def test_what_pytest_says_of_a_run_that_did_not_end_stays(code: int) -> None:
    assert session_code(code, ["error", "failed"], [BROKEN]) == code
