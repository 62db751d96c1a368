"""How a run came out, in one line: what it broke, what could not be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from reporting.report import Report
from reporting.tables import Held

#: ``kept`` if nothing is broken and nothing is missing, ``unknown`` if that cannot be told.
Standing = Literal["kept", "broken", "unknown"]

_WORDS = {"kept": "Kept", "broken": "Not kept", "unknown": "Could not tell"}


@dataclass(frozen=True)
class Verdict:
    """How a run stands to its thresholds, and what there is to say of it."""

    standing: Standing
    told: str

    def __str__(self) -> str:
        return f"{_WORDS[self.standing]}: {self.told}."


def verdict_of(report: Report) -> Verdict:
    """Return how the run of a report came out."""
    broken = {failure.case for failure in report.failures if isinstance(failure, Held) or failure.undefined}
    errors = {failure.case for failure in report.failures} - broken
    not_run = {str(case) for case in report.unmeasured} - errors
    found = [
        f"{len(cases)} {'case' if len(cases) == 1 else 'cases'} {what}"
        for cases, what in (
            (broken, "broke a threshold"),
            (errors, "could not be measured"),
            (not_run, "did not run"),
        )
        if cases
    ]
    if len(report.missing):
        found.append(f"{len(report.missing)} of {len(report.expected)} cells are missing")
    told = ", ".join(found) or f"nothing is broken, missing or in error in {len(report.expected)} cells"
    return Verdict("broken" if broken else "unknown" if found else "kept", told)
