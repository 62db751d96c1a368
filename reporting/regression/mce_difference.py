"""By how much the mCE of each variant differs from that in a baseline, on the same images.

mCE is here in per cent of the error of the *baseline's* original in both runs.  In per cent of its own
original, a run whose original got worse would seem to have better variants, and an original, which always
has 100, could never be seen to change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from benchmarks.cases import STANDARD_CORRUPTIONS, Variant
from reporting.regression.baseline import CellId, Snapshot
from reporting.statistics.bootstrap import bootstrap
from reporting.statistics.outcomes import NO_ORIGINAL, Outcomes
from reporting.statistics.verdicts import MISSING, Verdict, compare_mce, judged


class MceDifference(NamedTuple):
    """The mCE of a variant less that in the baseline, in points (per cent of the error of the baseline's
    original), its interval, its p-value corrected over all variants, and the verdict; ``NaN`` without one.
    """

    difference: float
    low: float
    high: float
    p_adjusted: float
    verdict: Verdict


#: Where there is no mCE, as with less than fifteen corruptions.
NO_DIFFERENCE = MceDifference(np.nan, np.nan, np.nan, np.nan, MISSING)


def mce_differences(
    baseline: Snapshot, current: Snapshot, paired: Sequence[CellId]
) -> dict[Variant, MceDifference]:
    """Return the differences by variant, of those whose data set has all fifteen corruptions.

    ``paired`` are the cells that both have measured, on the same images.  Images are drawn for all variants
    of a data set together, in both runs; what is drawn follows from the seed of ``current``.
    """
    groups: dict[tuple[str, int], list[CellId]] = {}
    for cell in paired:
        groups.setdefault((cell.variant.dataset, int(current.images[current.places[cell]])), []).append(cell)
    parts: dict[Variant, tuple[float, ...]] = {}
    for cells in groups.values():
        if set(STANDARD_CORRUPTIONS) <= {cell.corruption for cell in cells}:
            parts |= _of_group(baseline, current, cells)
    if not parts:
        return {}
    found = judged(
        *np.array(list(parts.values())).T,
        least=current.gate.least_mce_effect,
        alpha=1 - current.statistics.level,
        correction=current.gate.correction,
    )
    columns = (found.difference, found.low, found.high, found.p_adjusted, found.verdict)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return {variant: MceDifference(*row) for variant, row in zip(parts, rows, strict=True)}


def _of_group(
    baseline: Snapshot, current: Snapshot, cells: Sequence[CellId]
) -> Mapping[Variant, tuple[float, ...]]:
    """Return (difference, low, high, p) of each variant of cells that show the same base images."""
    variants, outcomes = _joint(baseline, current, cells)
    drawn = bootstrap(
        outcomes, replicates=current.statistics.replicates, rng=np.random.default_rng(current.seed)
    )
    count = len(variants)
    reference = np.full(len(outcomes.original), NO_ORIGINAL)
    reference[count : 2 * count] = np.arange(count)
    population = current.image_sets[current.image_set[current.places[cells[0]]]].population
    found = compare_mce(
        drawn.minus(reference),
        least=current.gate.least_mce_effect,
        alpha=1 - current.statistics.level,
        population=population if current.statistics.about == "test-set" else None,
    )
    columns = (found.difference, found.low, found.high, found.p)
    rows = zip(*(column[count : 2 * count].tolist() for column in columns), strict=True)
    return dict(zip(variants, rows, strict=True))


def _joint(baseline: Snapshot, current: Snapshot, cells: Sequence[CellId]) -> tuple[list[Variant], Outcomes]:
    """Return the ``v`` variants of ``cells``, and the outcomes of both runs.

    Rows 0 to v are the variants in the baseline, v to 2v in the current run; then come the baseline's
    originals, as far as they looked at the same images, which all of these are in per cent of.
    """
    images = int(current.images[current.places[cells[0]]])
    variants = list(dict.fromkeys(cell.variant for cell in cells))
    originals = list(dict.fromkeys(variant.original for variant in variants))
    columns = {name: column for column, name in enumerate(dict.fromkeys(cell[1:] for cell in cells))}
    count = len(variants)
    wrong = np.zeros((2 * count + len(originals), len(columns), -(-images // 8)), np.uint8)
    measured = np.zeros(wrong.shape[:2], bool)

    def fill(row: int, column: int, snapshot: Snapshot, place: int) -> None:
        wrong[row, column] = snapshot.wrong[place, : wrong.shape[2]]
        measured[row, column] = True

    rows = {variant: row for row, variant in enumerate(variants)}
    looked_at = {}
    for cell in cells:
        row, column, place = rows[cell.variant], columns[cell[1:]], baseline.places[cell]
        looked_at[cell[1:]] = baseline.looked_at(place)
        fill(row, column, baseline, place)
        fill(count + row, column, current, current.places[cell])
    for row, original in enumerate(originals, start=2 * count):
        for name, column in columns.items():
            found = baseline.measured_at(CellId(original, *name))
            if found is not None and baseline.looked_at(found) == looked_at[name]:
                fill(row, column, baseline, found)
    of = [2 * count + originals.index(variant.original) for variant in variants]
    original_of = np.array([*of, *of, *range(2 * count, len(wrong))], np.intp)
    return variants, Outcomes(wrong, images, tuple(columns), original_of, measured)
