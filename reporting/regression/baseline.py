"""A baseline: what a run came to, image by image, in one small file that later runs are compared with.

The file begins with a line of text, ``RobustLite baseline 1 BYTES SHA256``: the version of the format, and
the number of bytes and the digest of the rest, which are checked before anything is parsed.  The rest is a
``.npz`` archive without pickled objects:

    header  uint8, JSON in UTF-8: the suite's name and settings of comparison, every cell of the suite
            (dataset, model, technique, corruption, severity, images, image set, selected), the distinct
            image sets, and what is told about the run
    wrong   uint8 (measured cells, bytes): which images were misclassified, a bit an image, as
            ``np.packbits`` makes it, shorter cells filled up with zeros
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.cases import Variant
from benchmarks.results import Cell, ImageSet
from benchmarks.sections import Gate, Statistics
from reporting.files import write_bytes
from reporting.journal import Recording, read_journal
from reporting.missing import cells_of

#: Raised when what the file holds changes its meaning.
FORMAT = 1

_MAGIC = b"RobustLite baseline "

#: The image set of a cell of which no outcomes are known.
NOT_MEASURED = -1


class BaselineError(ValueError):
    """A baseline cannot be read: which file, what was expected, what came."""


class CellId(NamedTuple):
    """Which cell of a run: the clean images are corruption ``"clean"`` at severity 0."""

    variant: Variant
    corruption: str
    severity: int


@dataclass(frozen=True, eq=False)
class Snapshot:
    """What a run came to, image by image, and what it should have come to.

    ``cells`` are all ``n`` of the suite.  Of each, ``selected``, bool (n,), says whether the run was to
    measure it; ``image_set``, int64 (n,), on which of the distinct ``image_sets`` it did, or
    :data:`NOT_MEASURED`; ``images``, int64 (n,), on how many images; ``wrong``, uint8 (n, bytes), on which of
    them it erred, packed, with zeros after the last.  ``suite`` is the name of the suite; ``gate``,
    ``statistics``, ``strict`` and ``seed`` are its settings; ``about`` is what is told about the run.
    """

    suite: str
    seed: int
    gate: Gate
    statistics: Statistics
    strict: bool
    about: Mapping[str, Any]
    cells: tuple[CellId, ...]
    selected: npt.NDArray[np.bool_]
    image_sets: tuple[ImageSet, ...]
    image_set: npt.NDArray[np.int64]
    images: npt.NDArray[np.int64]
    wrong: npt.NDArray[np.uint8]

    @cached_property
    def measured(self) -> npt.NDArray[np.bool_]:
        """Bool (n,): the cells whose outcomes are known image by image."""
        return self.image_set != NOT_MEASURED

    @cached_property
    def places(self) -> Mapping[CellId, int]:
        """Where each cell is in ``cells``."""
        return {cell: place for place, cell in enumerate(self.cells)}

    def measured_at(self, cell: CellId) -> int | None:
        """Return where ``cell`` is, ``None`` where it was not measured."""
        place = self.places.get(cell)
        return place if place is not None and self.measured[place] else None

    def looked_at(self, place: int) -> tuple[int, int]:
        """Return of a measured cell the index of its image set, and how many of its images."""
        return int(self.image_set[place]), int(self.images[place])


def snapshot_of(recording: Recording) -> Snapshot:
    """Return what a run came to.

    Of cases that were not selected, or ended in an error, nothing counts as measured.
    """
    suite, selected = recording.header.suite, set(recording.header.selected)
    chosen: dict[CellId, bool] = {}
    measured: dict[CellId, tuple[Cell, str]] = {}
    populations: dict[str, int] = {}
    for case in recording.header.cases:
        wanted = str(case) in selected
        own = {CellId(case.variant, *cell): wanted for cell in cells_of(case, suite.corruptions.severities)}
        chosen |= own
        entry = recording.entries.get(str(case)) if wanted else None
        if entry is None or entry.ending == "error" or not entry.record or not entry.record.images:
            continue
        # As text, equal ones are one, and what was a tuple here equals the list that it is in a file.
        identity = json.dumps(entry.record.images.identity, sort_keys=True)
        populations[identity] = entry.record.images.population
        for cell in entry.record.cells:
            place = CellId(case.variant, cell.corruption, cell.severity)
            # A record may have others beside its own, but says the image set of its own alone.
            if cell.wrong and place in own:
                measured[place] = cell, identity
    cells, identities = tuple(chosen), list(populations)
    wrong = np.zeros(
        (len(cells), max((len(cell.wrong) for cell, _ in measured.values()), default=0)), np.uint8
    )
    image_set, images = np.full(len(cells), NOT_MEASURED), np.zeros(len(cells), np.int64)
    for row, name in enumerate(cells):
        if name in measured:
            cell, identity = measured[name]
            wrong[row, : len(cell.wrong)] = np.frombuffer(cell.wrong, np.uint8)
            image_set[row], images[row] = identities.index(identity), cell.images
    return Snapshot(
        suite.name,
        suite.seed,
        suite.gate,
        suite.statistics,
        suite.thresholds.strict,
        recording.header.about,
        cells,
        np.array(list(chosen.values()), bool),
        tuple(ImageSet(populations[identity], json.loads(identity)) for identity in identities),
        image_set,
        images,
        wrong,
    )


def write_baseline(snapshot: Snapshot, path: Path) -> Path:
    """Write ``snapshot`` to the file at ``path`` and return ``path``; the same gives the same bytes."""
    columns = zip(
        snapshot.cells,
        snapshot.images.tolist(),
        snapshot.image_set.tolist(),
        snapshot.selected.tolist(),
        strict=True,
    )
    header = {
        "suite": snapshot.suite,
        "seed": snapshot.seed,
        "gate": snapshot.gate.model_dump(),
        "statistics": snapshot.statistics.model_dump(),
        "strict": snapshot.strict,
        "about": dict(snapshot.about),
        "cells": [
            [variant.dataset, variant.model, variant.technique, corruption, severity, *more]
            for (variant, corruption, severity), *more in columns
        ],
        "image_sets": [[images.population, dict(images.identity)] for images in snapshot.image_sets],
    }
    archive = io.BytesIO()
    np.savez_compressed(
        archive,
        header=np.frombuffer(json.dumps(header, allow_nan=False).encode(), np.uint8),
        wrong=snapshot.wrong[snapshot.measured],
    )
    rest = archive.getvalue()
    first = _MAGIC + f"{FORMAT} {len(rest)} {hashlib.sha256(rest).hexdigest()}\n".encode()
    return write_bytes(path, first + rest)


def read_baseline(path: Path) -> Snapshot:
    """Return the snapshot in the file at ``path``.  Raises :class:`BaselineError`, or ``OSError``."""
    rest = _checked(path)
    try:
        with np.load(io.BytesIO(rest), allow_pickle=False) as archive:
            header = json.loads(archive["header"].tobytes())
            wrong = archive["wrong"]
        return _snapshot(header, wrong)
    except (ValueError, KeyError, TypeError, IndexError, zipfile.BadZipFile) as error:
        raise BaselineError(
            f"expected the header and the outcomes of a baseline (format {FORMAT}) at {path}, got others, "
            f"because {type(error).__name__}: {str(error).splitlines()[0]}; {_ANEW}"
        ) from None


def read_run(path: Path) -> Snapshot:
    """Return what the run at ``path`` came to: a baseline, a journal, or the folder of a report with one.

    Raises :class:`BaselineError`, :class:`reporting.journal.JournalError`, or ``OSError``.
    """
    if path.is_file():
        with path.open("rb") as file:
            start = file.read(len(_MAGIC))
        if not start.startswith(b"{"):
            return read_baseline(path)
    return snapshot_of(read_journal(path))


_ANEW = "try the file of a run with --save-baseline"


def _checked(path: Path) -> bytes:
    """Return all but the first line of the baseline at ``path``, if that is what was written."""
    first, _, rest = path.read_bytes().partition(b"\n")
    found = re.fullmatch(rb"RobustLite baseline (\d+)( .*)?", first)
    if found is None:
        raise BaselineError(
            f"expected a baseline at {path}, got a file that does not begin with '{_MAGIC.decode()}', "
            f"because it is something else or damaged; {_ANEW}"
        )
    if int(found[1]) != FORMAT:
        raise BaselineError(
            f"expected a baseline of format {FORMAT} at {path}, got format {found[1].decode()}, because "
            "another version of RobustLite wrote it; try that version, or save the baseline anew"
        )
    told = re.fullmatch(rb" (\d+) ([0-9a-f]{64})", found[2] or b"")
    if told is not None and len(rest) != int(told[1]):
        what = f"{int(told[1])} bytes after the first line of the baseline {path}, got {len(rest)}"
        raise BaselineError(f"expected {what}, because it was cut off or added to; try copying it again")
    if told is None or hashlib.sha256(rest).hexdigest().encode() != told[2]:
        raise BaselineError(
            f"expected the baseline {path} to have the digest in its first line, got another, because it was "
            "damaged or edited; try copying it again"
        )
    return rest


def _snapshot(header: Mapping[str, Any], wrong: npt.NDArray[np.uint8]) -> Snapshot:
    """Return the snapshot of a file's parts; ``ValueError`` and its like where they do not fit together."""
    rows = header["cells"]
    cells = tuple(CellId(Variant(*row[:3]), row[3], row[4]) for row in rows)
    images, image_set = (np.array([row[place] for row in rows], np.int64) for place in (5, 6))
    image_sets = tuple(ImageSet(*images) for images in header["image_sets"])
    measured = image_set != NOT_MEASURED
    fits = (
        wrong.dtype == np.uint8
        and wrong.shape[:1] == (measured.sum(),)
        and ((image_set >= NOT_MEASURED) & (image_set < len(image_sets))).all()
        and ((images > 0) == measured).all()
        and (-(-images // 8) <= wrong.shape[1]).all()
    )
    if not fits:
        raise ValueError(f"outcomes {wrong.dtype} {wrong.shape} do not fit the {len(cells)} cells")
    every = np.zeros((len(cells), wrong.shape[1]), np.uint8)
    every[measured] = wrong
    return Snapshot(
        header["suite"],
        header["seed"],
        Gate.model_validate(header["gate"]),
        Statistics.model_validate(header["statistics"]),
        header["strict"],
        header["about"],
        cells,
        np.array([row[7] for row in rows], bool),
        image_sets,
        image_set,
        images,
        every,
    )
