"""The schema of a result: what a case hands to the report.

A record is made where a case runs and read where the report is written, possibly in another process or on
another day, so it consists of plain JSON values and carries the identity of its case.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.cases import Case, Variant


@dataclass(frozen=True)
class Cell:
    """Top-1 errors of one variant on one image set: ``errors`` wrong of ``images`` looked at.

    ``corruption`` is ``"clean"`` and ``severity`` 0 for the untouched test images.  ``wrong`` tells which
    they were, a bit an image, as ``np.packbits`` makes it of bool (images,); empty where that is not known.
    Raises ``ValueError`` where these do not fit together.
    """

    corruption: str
    severity: int
    images: int
    errors: int
    wrong: bytes = b""

    def __post_init__(self) -> None:
        where = f"{self.corruption} at severity {self.severity}"
        if not 0 <= self.errors <= self.images:
            raise ValueError(f"expected 0 <= errors <= images, got {self.errors} of {self.images} ({where})")
        told = int.from_bytes(self.wrong, "big").bit_count()
        if self.wrong and (len(self.wrong) != -(-self.images // 8) or told != self.errors):
            raise ValueError(
                f"expected outcomes of {self.images} images, {self.errors} of them wrong, got "
                f"{len(self.wrong)} bytes with {told} bits set ({where})"
            )


@dataclass(frozen=True)
class ImageSet:
    """Which images a case looked at: of equal ones the pixels are the same, in the same order.

    ``population`` is the size of the test set that they were drawn from.  ``identity`` holds, as JSON values,
    what determines them: the test set, the sample of it, the corruption with its scale and its code.
    """

    population: int
    identity: Mapping[str, Any]


@dataclass(frozen=True)
class Record:
    """What one case measured.

    ``metrics`` holds the case's scalar figures by name (units in the name: ``zipped_bytes``,
    ``latency_median_s``); a figure that could not be computed is absent.  ``details`` holds what a reader
    may want beside them (claims per layer, how a latency was taken).  ``images`` says what the cells are of.
    """

    case: Case
    cells: tuple[Cell, ...] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    images: ImageSet | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON values; ``ValueError`` for a figure that is no finite number."""
        _check_finite(self.case, self.metrics)
        value = asdict(self)
        for cell in value["cells"]:
            cell["wrong"] = base64.b64encode(cell["wrong"]).decode("ascii")
        return value

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Record:
        """Return the record of :meth:`to_json`; ``KeyError``, ``TypeError`` or ``ValueError`` for another."""
        case = case_from_json(value["case"])
        _check_finite(case, value["metrics"])
        return cls(
            case=case,
            cells=tuple(
                Cell(**{**cell, "wrong": base64.b64decode(cell["wrong"], validate=True)})
                for cell in value["cells"]
            ),
            metrics=dict(value["metrics"]),
            details=dict(value["details"]),
            images=None if value["images"] is None else ImageSet(**value["images"]),
        )


def case_from_json(value: Mapping[str, Any]) -> Case:
    """Return the case of ``dataclasses.asdict``."""
    return Case(**{**value, "variant": Variant(**value["variant"])})


def _check_finite(case: Case, metrics: Mapping[str, float]) -> None:
    for name, value in metrics.items():
        if not math.isfinite(value):
            raise ValueError(
                f"expected {name} to be a finite number, got {value} ({case}), because what cannot be "
                "computed is absent from a record; try leaving it out"
            )
