"""What a comparison with a baseline came to, as far as the report of the run shows it."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from reporting.exit_codes import ExitCode
from reporting.layout import Table

if TYPE_CHECKING:  # which would import each other
    from reporting.regression.comparing import Compared
    from reporting.verdict import Standing

_STANDINGS: MappingProxyType[ExitCode, Standing] = MappingProxyType(
    {ExitCode.KEPT: "kept", ExitCode.BROKEN: "broken"}
)


@dataclass(frozen=True, eq=False)
class Gated:
    """How a run stands to its baseline, what is said of it, the verdict first, and its tables."""

    standing: Standing
    sentences: tuple[str, ...]
    tables: tuple[Table, ...]


def gated_of(compared: Compared) -> Gated:
    """Return what a report shows of a comparison."""
    from reporting.regression.shown import contents, sentences  # noqa: PLC0415 - which imports the report

    standing = _STANDINGS.get(compared.exit_code, "unknown")
    return Gated(standing, tuple(sentences(compared)), tuple(contents(compared)))


def refused(why: str) -> Gated:
    """Return what a report shows where there could be no comparison."""
    return Gated("unknown", (f"There is no comparison with the baseline: {why}.",), ())
