"""What the corruptions look like: one image of each data set under all of them."""

from __future__ import annotations

import base64
import io
from itertools import groupby
from typing import Any

import numpy as np

from reporting.frames import CLEAN
from reporting.page.section import Section
from reporting.page.view import View
from reporting.paper.examples import Examples, Image

#: The longer side of a picture in pixels, at most, and how well it is kept, of 100.
_SIDE, _QUALITY = 96, 90


def section(view: View) -> Section:
    """Return the pictures."""
    title = "What the weather looks like"
    examples = view.report.examples
    if not examples:
        return Section("images", title, "Images", absent="no example images were recorded")
    return Section(
        "images",
        title,
        "Images",
        {"grids": [_grid(view, one) for one in examples], "several": len(view.datasets) > 1},
    )


def _grid(view: View, example: Examples) -> dict[str, Any]:
    """Return the pictures of a data set: a column a corruption, a row a severity."""
    corruptions = view.in_order(example.corruptions)
    severities = sorted({severity for name, severity in example.images if name != CLEAN})
    clean = example.images.get((CLEAN, 0))
    return {
        "dataset": example.dataset,
        "clean": None if clean is None else _uri(clean),
        "corruptions": corruptions,
        "families": [(name, len(list(some))) for name, some in groupby(corruptions, key=view.family)],
        "rows": [
            (
                severity,
                [
                    None if image is None else _uri(image)
                    for image in (example.images.get((name, severity)) for name in corruptions)
                ],
            )
            for severity in severities
        ],
    }


def _uri(image: Image) -> str:
    """Return an image as the address of a small picture that holds it."""
    import PIL.Image  # noqa: PLC0415 - a report without examples does without

    picture = PIL.Image.fromarray(np.ascontiguousarray(image))
    picture.thumbnail((_SIDE, _SIDE), PIL.Image.Resampling.BOX)
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=_QUALITY)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
