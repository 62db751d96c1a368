"""A run compared with a baseline: what became of every cell and every variant.

What is compared are the cells that the run selected.  Each is paired with the same cell of the baseline,
image by image; that both looked at the same images is checked first, and if they did not, nothing is
compared.  The statistics, and what a verdict means, are those of :mod:`reporting.statistics.verdicts`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.cases import Variant
from benchmarks.schema import Suite
from reporting.exit_codes import ExitCode
from reporting.frames import VARIANT, identity
from reporting.regression.baseline import CellId, Snapshot
from reporting.regression.image_sets import differences, known_beforehand
from reporting.regression.mce_difference import NO_DIFFERENCE, MceDifference, mce_differences
from reporting.statistics.paired import discordant
from reporting.statistics.verdicts import (
    BETTER,
    MISSING,
    NOT_ENOUGH_DATA,
    SAME,
    WORSE,
    Verdict,
    compare_cells,
    variant_verdict,
)

#: Where a snapshot has each of some cells, int64 (cells,); -1 where it was not measured.
_Places = npt.NDArray[np.int64]

#: The verdicts, the gravest first.
VERDICTS: tuple[Verdict, ...] = (WORSE, MISSING, NOT_ENOUGH_DATA, BETTER, SAME)


class ComparisonError(ValueError):
    """A run cannot be compared with a baseline: in what they differ, and what to do about it."""


@dataclass(frozen=True, eq=False)
class Compared:
    """What a run, ``current``, came to beside a ``baseline``.

    ``cells``: a row per cell, in the order of the suite: dataset, model, technique, corruption, severity,
    images, ``errors_baseline``, ``errors``, of these ``only_baseline`` and ``only_current`` (images wrong in
    one alone), ``difference`` of the error rates with its interval ``low`` to ``high`` (fractions, positive
    is worse), ``p``, ``p_adjusted``, ``verdict``, and the ``reason`` why one is missing.

    ``variants``: a row per variant: dataset, model, technique, ``mce_difference`` with ``mce_low`` and
    ``mce_high`` (per cent of the error of the baseline's original), ``mce_p_adjusted``, ``mce_verdict``, how
    many cells have each verdict (a column each), ``verdict``.

    ``left_out``: how many cells of the baseline the run did not select.
    """

    baseline: Snapshot
    current: Snapshot
    cells: pd.DataFrame
    variants: pd.DataFrame
    left_out: int

    @cached_property
    def verdict(self) -> Verdict:
        """The gravest that any variant has; missing if there is none."""
        found = set(self.variants["verdict"])
        return next((verdict for verdict in VERDICTS if verdict in found), MISSING)

    @cached_property
    def exit_code(self) -> ExitCode:
        """What a pipeline is told.  What is missing never passes; in a strict suite too little data fails."""
        if self.cells.empty:
            return ExitCode.NOTHING_MEASURED
        undecided = self.verdict == NOT_ENOUGH_DATA and self.current.strict
        if self.verdict == WORSE or undecided:
            return ExitCode.BROKEN
        return ExitCode.UNKNOWN if self.verdict == MISSING else ExitCode.KEPT


def check_beforehand(baseline: Snapshot, planned: Snapshot, suite: Suite) -> None:
    """Refuse a baseline that a run of ``suite`` cannot be compared with, as far as is known before it.

    ``planned`` is the snapshot of the run before anything is measured.  Raises :class:`ComparisonError`.
    """
    wanted = [cell for cell, selected in zip(planned.cells, planned.selected, strict=True) if selected]
    _refuse_strangers(baseline, planned, wanted)
    pairs = (
        (
            cell.variant.dataset,
            cell.corruption,
            baseline.image_sets[baseline.image_set[place]].identity,
            known_beforehand(suite, cell.corruption),
        )
        for cell in wanted
        if (place := baseline.measured_at(cell)) is not None
    )
    _refuse_other_images(differences(pairs, partly=True))


def compare(baseline: Snapshot, current: Snapshot) -> Compared:
    """Return what ``current`` came to beside ``baseline``, by the settings of ``current``.

    Raises :class:`ComparisonError` if they have no cell in common or did not look at the same images.
    """
    wanted = [cell for cell, selected in zip(current.cells, current.selected, strict=True) if selected]
    _refuse_strangers(baseline, current, wanted)
    kept = [cell for cell, measured in zip(baseline.cells, baseline.measured, strict=True) if measured]
    # Without a selected cell nothing is compared, so nothing can be missing either.
    gone = [cell for cell in kept if cell not in current.places] if wanted else []
    every = [*wanted, *gone]
    theirs, ours = (_places(snapshot, every) for snapshot in (baseline, current))
    paired = (theirs >= 0) & (ours >= 0)
    _check_images(baseline, current, every, theirs, ours)
    cells = _compared_cells(baseline, current, every, theirs, ours)
    cells["reason"] = np.select(
        [paired, np.arange(len(every)) >= len(wanted), theirs < 0],
        ["", "no longer in the suite", "not measured in the baseline, image by image"],
        "not measured in this run, image by image",
    )
    mce = mce_differences(baseline, current, [every[place] for place in np.flatnonzero(paired)])
    left_out = len(kept) - len(gone) - len(set(kept) & set(wanted))
    return Compared(baseline, current, cells, _variants(every, cells, mce), left_out)


def _refuse_strangers(baseline: Snapshot, current: Snapshot, wanted: Sequence[CellId]) -> None:
    if wanted and all(baseline.measured_at(cell) is None for cell in wanted):
        raise ComparisonError(
            f"expected a baseline with cells that are selected here (suite {current.suite}: "
            f"{_names(wanted)}), got one of suite {baseline.suite} with none of them "
            f"({_names(baseline.cells)}), because it is of another suite or selection; try the baseline of "
            "this suite"
        )


def _refuse_other_images(found: Sequence[str]) -> None:
    if found:
        raise ComparisonError(
            f"expected the images of the baseline, got others, because {'; '.join(found)}; try what the "
            "baseline has, or save a new one with --save-baseline"
        )


def _names(cells: Sequence[CellId]) -> str:
    """Return the data sets and models of ``cells``."""
    return ", ".join(sorted({f"{cell.variant.dataset}-{cell.variant.model}" for cell in cells})) or "nothing"


def _places(snapshot: Snapshot, cells: Sequence[CellId]) -> _Places:
    """Return where ``snapshot`` has each of ``cells``."""
    found = (snapshot.measured_at(cell) for cell in cells)
    return np.array([-1 if place is None else place for place in found], np.int64)


def _check_images(
    baseline: Snapshot, current: Snapshot, cells: Sequence[CellId], theirs: _Places, ours: _Places
) -> None:
    """Refuse to pair outcomes of different images.  Raises :class:`ComparisonError`."""
    paired = np.flatnonzero((theirs >= 0) & (ours >= 0)).tolist()
    distinct = {
        (
            cells[at].variant.dataset,
            cells[at].corruption,
            baseline.looked_at(theirs[at]),
            current.looked_at(ours[at]),
        ): None
        for at in paired
    }
    pairs = (
        (
            dataset,
            corruption,
            {"images": their_images, **baseline.image_sets[their_set].identity},
            {"images": our_images, **current.image_sets[our_set].identity},
        )
        for dataset, corruption, (their_set, their_images), (our_set, our_images) in distinct
    )
    _refuse_other_images(differences(pairs))


def _compared_cells(
    baseline: Snapshot, current: Snapshot, cells: Sequence[CellId], theirs: _Places, ours: _Places
) -> pd.DataFrame:
    """Return the columns of ``Compared.cells`` but for the reason."""
    paired = (theirs >= 0) & (ours >= 0)
    width = max(baseline.wrong.shape[1], current.wrong.shape[1])
    wrong = [
        _as_wide(snapshot.wrong[places[paired]], width)
        for snapshot, places in ((baseline, theirs), (current, ours))
    ]
    counts = np.zeros((5, len(cells)), np.int64)
    counts[:, paired] = [
        current.images[ours[paired]],
        *(np.bitwise_count(bits).sum(axis=1, dtype=np.int64) for bits in wrong),
        *discordant(*wrong),
    ]
    images, errors_baseline, errors, b, c = counts
    found = compare_cells(
        b,
        c,
        images,
        least=current.gate.least_effect / 100,
        alpha=1 - current.statistics.level,
        correction=current.gate.correction,
    )
    known = {
        "images": images,
        "errors_baseline": errors_baseline,
        "errors": errors,
        "only_baseline": b,
        "only_current": c,
    }
    table = pd.DataFrame([identity(cell.variant) for cell in cells], columns=VARIANT)
    return table.assign(
        corruption=[cell.corruption for cell in cells],
        severity=[cell.severity for cell in cells],
        **{name: pd.Series(counts, dtype="Int64").where(paired) for name, counts in known.items()},
        difference=found.difference,
        low=found.low,
        high=found.high,
        p=found.p,
        p_adjusted=found.p_adjusted,
        verdict=found.verdict,
    )


def _as_wide(wrong: npt.NDArray[np.uint8], width: int) -> npt.NDArray[np.uint8]:
    return np.pad(wrong, ((0, 0), (0, width - wrong.shape[1])))


def _variants(
    cells: Sequence[CellId],
    table: pd.DataFrame,
    mce: Mapping[Variant, MceDifference],
) -> pd.DataFrame:
    verdicts: dict[Variant, list[Verdict]] = {}
    for cell, verdict in zip(cells, table["verdict"], strict=True):
        verdicts.setdefault(cell.variant, []).append(verdict)
    rows = []
    for variant, of_cells in verdicts.items():
        found = mce.get(variant, NO_DIFFERENCE)
        counts = {verdict: of_cells.count(verdict) for verdict in VERDICTS}
        of_mce = {f"mce_{name}": value for name, value in found._asdict().items()}
        verdict = variant_verdict(of_cells, found.verdict)
        rows.append(identity(variant) | of_mce | counts | {"verdict": verdict})
    columns = [*VARIANT, *(f"mce_{name}" for name in MceDifference._fields), *VERDICTS, "verdict"]
    return pd.DataFrame(rows, columns=columns)
