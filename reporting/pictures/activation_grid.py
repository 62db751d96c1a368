"""The grid of activation maps: a column a sample, a row a variant, in it Grad-CAM and the guided map."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reporting.drawing import COLUMN, LINE, MARGIN, STYLE, canvas, headline, shortened, write
from reporting.explained import ActivationMaps, Sample
from reporting.pictures.rows import RowNames

# Lengths are in points, y goes down.
_FONT, _SMALL, _TITLE = 6.2, 5.6, 7.0  # font sizes
_SIDE, _PAIR, _GAP = 27.0, 1.0, 5.0  # of a picture, between two of a sample, and between samples
_NAMES = 66.0  # most of the names of variants
_ROW = _SIDE + LINE + 2.0


def draw_activation_grid(maps: Sequence[ActivationMaps], title: str) -> Figure:
    """Return the grid of one network's variants, in their order, of which at least one has a sample."""
    techniques = [one.variant.technique for one in maps]
    rows = {one.variant.technique: {sample.image: sample for sample in one.samples} for one in maps}
    images = list(dict.fromkeys(sample.image for one in maps for sample in one.samples))
    labels = {sample.image: sample.label for one in maps for sample in one.samples}
    names = RowNames(techniques, _FONT, _NAMES)
    left, wide = MARGIN + names.width + 4, 2 * _SIDE + _PAIR
    lefts = [left + place * (wide + _GAP) for place in range(len(images))]
    top = MARGIN + 1.6 * LINE
    tops = [top + (place + 1) * _ROW for place in range(len(techniques))]
    with style.context(STYLE):
        figure, axes = canvas(max(72 * COLUMN, lefts[-1] + wide + MARGIN), tops[-1] + _ROW + LINE + MARGIN)
        headline(axes, title, "activation maps of the last convolution", _TITLE)
        names.write(axes, MARGIN, [y + _SIDE / 2 for y in tops])
        for image, x in zip(images, lefts, strict=True):
            _draw_picture(axes, image, x + (wide - _SIDE) / 2, top)
            _write_below(axes, labels[image], x, top, wide)
            for technique, y in zip(techniques, tops, strict=True):
                if image in rows[technique]:
                    _draw_sample(axes, rows[technique][image], x, y, wide)
        key = "left Grad-CAM, right guided backpropagation; below what was predicted"
        write(axes, MARGIN, tops[-1] + _ROW + LINE / 2, key, _SMALL, ha="left")
    return figure


def _draw_sample(axes: Axes, sample: Sample, x: float, y: float, wide: float) -> None:
    _draw_picture(axes, sample.gradcam, x, y)
    _draw_picture(axes, sample.guided, x + _SIDE + _PAIR, y)
    _write_below(axes, f"{sample.predicted} {100 * sample.confidence:.0f} %", x, y, wide)


def _draw_picture(axes: Axes, picture: str, x: float, y: float) -> None:
    """Draw a picture, a file in Base64, as it is, within a square and in its proportions."""
    import PIL.Image  # noqa: PLC0415 - a report without samples does without

    with PIL.Image.open(io.BytesIO(base64.b64decode(picture)), formats=("PNG", "WEBP")) as file:
        pixels = np.asarray(file.convert("RGB"))
    high, wide = (_SIDE * length / max(pixels.shape[:2]) for length in pixels.shape[:2])
    x, y = x + (_SIDE - wide) / 2, y + (_SIDE - high) / 2
    limits = axes.get_xlim(), axes.get_ylim()
    axes.imshow(pixels, extent=(x, x + wide, y + high, y), aspect="auto", interpolation="nearest")
    axes.set(xlim=limits[0], ylim=limits[1])


def _write_below(axes: Axes, text: str, x: float, y: float, wide: float) -> None:
    write(axes, x + wide / 2, y + _SIDE + LINE / 2, shortened(text, _SMALL, wide), _SMALL)
