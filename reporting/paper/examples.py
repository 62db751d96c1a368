"""Example images: one test image of a data set, clean and under every corruption and severity.

Reporting makes no images; those that a run has recorded travel in its records, as ``details["example"]``: a
list with an image for each cell, so for each severity of a corruption, or for the clean images.  Each is a
PNG file in base64.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.results import Record
from reporting.frames import CLEAN

#: The key of a record's details that holds its example images.
EXAMPLE = "example"

#: uint8 (height, width, 3).
Image = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Examples:
    """The images of a data set's example by corruption and severity, of which at least one is corrupted.

    The clean one is ``("clean", 0)``.
    """

    dataset: str
    images: Mapping[tuple[str, int], Image]

    @property
    def corruptions(self) -> list[str]:
        """The corruptions that there are images of, as they were recorded."""
        return list(dict.fromkeys(name for name, _ in self.images if name != CLEAN))


def examples_of(records: Iterable[Record]) -> tuple[Examples, ...]:
    """Return the examples in ``records``, one for each data set that has any corrupted image.

    Of several records of an image set, such as those of two models, the first counts: all have its image.
    """
    found: dict[str, dict[tuple[str, int], Image]] = {}
    for record in records:
        images = found.setdefault(record.case.variant.dataset, {})
        for cell, text in zip(record.cells, record.details.get(EXAMPLE, ()), strict=False):
            images.setdefault((cell.corruption, cell.severity), _decoded(text))
    every = (Examples(dataset, images) for dataset, images in sorted(found.items()))
    return tuple(examples for examples in every if examples.corruptions)


def _decoded(text: str) -> Image:
    """Return the image of a PNG file in base64, grey ones in three equal channels."""
    import PIL.Image  # noqa: PLC0415 - a report without examples does without

    with PIL.Image.open(io.BytesIO(base64.b64decode(text, validate=True)), formats=["PNG"]) as image:
        return np.asarray(image.convert("RGB"))
