"""Which variant was wrong on which image, from the records of a run, as the statistics take it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from benchmarks.cases import Variant
from benchmarks.results import Record
from reporting.statistics.outcomes import NO_ORIGINAL, Outcomes


@dataclass(frozen=True, eq=False)
class Observed:
    """The outcomes of the variants of one data set, whose test set has ``population`` images."""

    dataset: str
    variants: tuple[Variant, ...]
    outcomes: Outcomes
    population: int


def observed_of(records: Iterable[Record]) -> list[Observed]:
    """Return the outcomes by data set, of the cells of which they are known image by image.

    Where cells were looked at for different numbers of images, those of the usual number count, because only
    they show the same images.
    """
    by_dataset: dict[str, list[Record]] = {}
    for record in records:
        if record.images and any(cell.wrong for cell in record.cells):
            by_dataset.setdefault(record.case.variant.dataset, []).append(record)
    return [_observed(dataset, records) for dataset, records in sorted(by_dataset.items())]


def _observed(dataset: str, records: list[Record]) -> Observed:
    counts = Counter(cell.images for record in records for cell in record.cells if cell.wrong)
    images = max(counts, key=lambda count: (counts[count], count))
    found = {
        (record.case.variant, (cell.corruption, cell.severity)): cell.wrong
        for record in records
        for cell in record.cells
        if cell.wrong and cell.images == images
    }
    variants = tuple(sorted({variant for variant, _ in found}))
    # In the order of the suite, so that what is drawn at random does not depend on who came in first.
    cells = tuple(sorted({cell for _, cell in found}))
    wrong = np.zeros((len(variants), len(cells), -(-images // 8)), np.uint8)
    measured = np.zeros(wrong.shape[:2], bool)
    for (variant, cell), bits in found.items():
        place = variants.index(variant), cells.index(cell)
        wrong[place] = np.frombuffer(bits, np.uint8)
        measured[place] = True
    originals = [
        variants.index(variant.original) if variant.original in variants else NO_ORIGINAL
        for variant in variants
    ]
    population = max(record.images.population for record in records if record.images)
    outcomes = Outcomes(wrong, images, cells, np.array(originals, np.intp), measured)
    return Observed(dataset, variants, outcomes, population)
