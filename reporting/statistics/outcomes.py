"""The array that every statistic starts from: which model was wrong on which image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reporting.frames import CLEAN

#: A set of images: (corruption, severity); the clean images are ``(CLEAN, 0)``.
Cell = tuple[str, int]

#: The original of a variant that has none among the variants.
NO_ORIGINAL = -1


@dataclass(frozen=True, eq=False)
class Outcomes:
    """What ``v`` variants made of ``c`` cells, each of which shows the same ``n`` base images.

    ``wrong``: bool (v, c, n), or uint8 (v, c, ceil(n / 8)) as ``np.packbits(wrong, axis=-1)`` makes it;
    whether the variant misclassified image ``i`` of the cell.  Column ``i`` is the same base image in all
    cells. ``original``: int (v,), the index of the variant that each is compared with (its own for an
    original), or :data:`NO_ORIGINAL`.  ``measured``: bool (v, c), ``False`` where ``wrong`` means nothing.
    """

    wrong: npt.NDArray[np.bool_] | npt.NDArray[np.uint8]
    images: int
    cells: tuple[Cell, ...]
    original: npt.NDArray[np.intp]
    measured: npt.NDArray[np.bool_]

    def __post_init__(self) -> None:
        if self.images < 1:
            raise ValueError(f"expected at least one image, got {self.images}")
        packed = self.wrong.dtype == np.uint8
        if not packed and self.wrong.dtype != np.bool_:
            raise ValueError(f"expected wrong to be bool, or uint8 of packed bits, got {self.wrong.dtype}")
        variants = len(self.original)
        per_cell = -(-self.images // 8) if packed else self.images
        for name, array, shape in (
            ("wrong", self.wrong, (variants, len(self.cells), per_cell)),
            ("measured", self.measured, (variants, len(self.cells))),
        ):
            if array.shape != shape:
                raise ValueError(
                    f"expected {name} to have shape {shape}, got {array.shape}, because there are {variants} "
                    f"variants, {len(self.cells)} cells and {self.images} images"
                )
        if len(set(self.cells)) < len(self.cells):
            raise ValueError(f"expected each cell once, got {list(self.cells)}")
        if not ((self.original >= NO_ORIGINAL) & (self.original < variants)).all():
            raise ValueError(f"expected originals from {NO_ORIGINAL} to {variants - 1}, got {self.original}")

    @property
    def corruptions(self) -> tuple[str, ...]:
        """The corruptions of the cells, without the clean images, in the order in which they come."""
        return tuple(dict.fromkeys(corruption for corruption, _ in self.cells if corruption != CLEAN))

    def errors_by_image(self) -> npt.NDArray[np.uint8]:
        """Return uint8 (v, 1 + corruptions, n): in how many measured cells the image was misclassified.

        The first of the second axis are the clean images, then come the :attr:`corruptions`.
        """
        groups = (CLEAN, *self.corruptions)
        counts = np.zeros((len(self.original), len(groups), self.images), np.uint8)
        for index, (corruption, _) in enumerate(self.cells):
            counts[:, groups.index(corruption)] += self._wrong(index) * self.measured[:, index, np.newaxis]
        return counts

    def _wrong(self, cell: int) -> npt.NDArray[np.uint8]:
        if self.wrong.dtype == np.bool_:
            return self.wrong[:, cell].view(np.uint8)
        return np.unpackbits(self.wrong[:, cell].view(np.uint8), axis=-1, count=self.images)
