"""The schema of a result: what a case hands to the report.

A record is made where a case runs and read where the report is written, possibly in another process or on
another day, so it consists of plain JSON values and carries the identity of its case.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.cases import Case, Variant

#: The name under which a test's report carries its record from a worker to the report.
RECORD_PROPERTY = "robustlite.record"


@dataclass(frozen=True)
class Cell:
    """Top-1 errors of one variant on one image set: ``errors`` wrong of ``images`` looked at.

    ``corruption`` is ``"clean"`` and ``severity`` 0 for the untouched test images.
    """

    corruption: str
    severity: int
    images: int
    errors: int


@dataclass(frozen=True)
class Record:
    """What one case measured.

    ``metrics`` holds the case's scalar figures by name (units in the name: ``zipped_bytes``,
    ``latency_median_s``); a figure that could not be computed is absent.  ``details`` holds what a reader
    may want beside them (claims per layer, how a latency was taken).
    """

    case: Case
    cells: tuple[Cell, ...] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Record:
        """Return the record of :meth:`to_json`; ``KeyError`` or ``TypeError`` for another value."""
        case = value["case"]
        return cls(
            case=Case(**{**case, "variant": Variant(**case["variant"])}),
            cells=tuple(Cell(**cell) for cell in value["cells"]),
            metrics=dict(value["metrics"]),
            details=dict(value["details"]),
        )
