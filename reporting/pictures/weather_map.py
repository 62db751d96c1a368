"""The weather map: how each variant of a model fares under each corruption, its CEs in colours and figures.

A row a variant, a column a corruption, those of a family beside each other, and mCE at the right.  Colours
have fixed limits around 100, so that maps can be compared; they differ for every kind of colour vision.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

import numpy as np
import pandas as pd
from matplotlib import colormaps, style
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from reporting.drawing import (
    COLUMN,
    GREY,
    LINE,
    MARGIN,
    STYLE,
    canvas,
    headline,
    shortened,
    text_width,
    write,
)
from reporting.pictures.rows import RowNames
from reporting.tables import ABSENT, corruptions_in_order, in_order

#: The CEs from which on the colour does not change any more, in % of the original's error.
LIMITS = (70.0, 130.0)

# Lengths are in points, y goes down.
_VALUE, _NAME, _TITLE = 5.6, 6.2, 7.0  # font sizes
_CELL, _MEAN, _ROW = 11.4, 17.5, 13.0  # widths of a corruption and of mCE, height of a variant
_GAP = 2.0  # between families
_NAMES = 51.0  # most of the names of variants
_HEAD = 57.0  # most of the names of corruptions, which stand upright
_KEY, _KEY_WIDTH, _KEY_STEPS = 6.0, 120.0, 80

_COLOURS = colormaps["RdBu_r"]
_BEYOND = Normalize(*LIMITS, clip=True)

_HALO = [withStroke(linewidth=2.5, foreground="white")]

_Colour = Sequence[float]
_Box = tuple[float, float, float, float]


def draw_weather_map(
    ce: pd.DataFrame, mce: pd.Series[float], families: Mapping[str, str], title: str
) -> Figure:
    """Return the map of one model.

    ``ce`` has a row per technique and a column per corruption, ``mce`` is by technique, both in % of the
    original's error; what is ``NaN`` is hatched.  ``families`` are by corruption.
    """
    techniques, corruptions = in_order(ce.index), corruptions_in_order(ce.columns, families)
    names = RowNames(techniques, _NAME, _NAMES)
    lefts = list(_lefts(corruptions, families, MARGIN + names.width + 2))
    width = max(72 * COLUMN, lefts[-1] + _MEAN + MARGIN)
    heads = [shortened(name.replace("_", " "), _NAME, _HEAD) for name in corruptions]
    top = MARGIN + 2 * LINE + max(text_width(head, _NAME) for head in [*heads, "mCE"]) + 7
    tops = [top + place * _ROW for place in range(len(techniques))]
    bottom = tops[-1] + _ROW
    with style.context(STYLE):
        figure, axes = canvas(width, bottom + 3 * LINE + MARGIN)
        headline(axes, title, "CE in % of the original's error", _TITLE)
        names.write(axes, MARGIN, [y + _ROW / 2 for y in tops])
        _draw_families(axes, corruptions, families, lefts, MARGIN + 1.5 * LINE)
        for head, left in zip(heads, lefts, strict=False):
            write(axes, left + _CELL / 2, top - 2.5, head, _NAME, rotation=90, va="bottom")
        write(axes, lefts[-1] + _MEAN / 2, top - 2.5, "mCE", _NAME, va="bottom", weight="bold")
        values = ce.reindex(index=techniques, columns=corruptions).assign(mce=mce.reindex(techniques))
        widths = [_CELL] * len(corruptions) + [_MEAN]
        boxes = [(x, y, wide, _ROW) for y in tops for x, wide in zip(lefts, widths, strict=True)]
        _draw_cells(axes, values.to_numpy(dtype=float).ravel(), boxes)
        _draw_key(axes, bottom + 0.7 * LINE, missing=bool(values.isna().any(axis=None)))
    return figure


def _lefts(corruptions: Sequence[str], families: Mapping[str, str], left: float) -> Iterator[float]:
    """Yield where each corruption begins, and then mCE; a family has room for its name."""
    for family, names in groupby(corruptions, families.get):
        end = left + text_width(_family(family), _NAME) + 1
        for _ in names:
            yield left
            left += _CELL
        left = max(left, end) + _GAP
    yield left


def _family(name: str | None) -> str:
    return shortened(name or "other", _NAME, _HEAD)


def _draw_families(
    axes: Axes, corruptions: Sequence[str], families: Mapping[str, str], lefts: Sequence[float], y: float
) -> None:
    """Write each family above a line over its corruptions."""
    place = 0
    for family, names in groupby(corruptions, families.get):
        first, place = place, place + len(list(names))
        start, end = lefts[first] + 0.6, lefts[place] - _GAP - 0.6
        axes.plot([start, end], [y + LINE / 2] * 2, color=GREY, linewidth=0.6)
        write(axes, (start + end) / 2, y, _family(family), _NAME)


def _draw_cells(axes: Axes, values: NDArray[np.float64], boxes: Sequence[_Box]) -> None:
    """Fill each box with the colour of its value and write the value in it."""
    colours = _COLOURS(_BEYOND(values)).tolist()
    cells = list(zip(values.tolist(), colours, boxes, strict=True))
    known = [(colour, box) for value, colour, box in cells if not math.isnan(value)]
    _fill(axes, [box for _, box in known], [colour for colour, _ in known], "white", 0.4)
    _hatch(axes, [box for value, _, box in cells if math.isnan(value)])
    for value, colour, (x, y, width, height) in cells:
        absent = math.isnan(value)
        text = ABSENT if absent else f"{value:.{1 if width == _MEAN else 0}f}"
        size = min(_VALUE, _VALUE * (width - 0.6) / text_width(text, _VALUE))
        look = {"path_effects": _HALO} if absent else {"color": readable(colour)}
        write(axes, x + width / 2, y + height / 2, text, size, **look)


def _draw_key(axes: Axes, y: float, *, missing: bool) -> None:
    """Say what the colours mean, and the hatching if there is any."""
    low, high = LIMITS
    step = _KEY_WIDTH / _KEY_STEPS
    strips = [(MARGIN + place * step, y, step, _KEY) for place in range(_KEY_STEPS)]
    _fill(axes, strips, [_COLOURS((place + 0.5) / _KEY_STEPS) for place in range(_KEY_STEPS)], "face", 0.2)
    for share, text, side in (
        (0.0, f"≤ {low:g}", "left"),
        (0.5, "100, the original", "center"),
        (1.0, f"≥ {high:g}", "right"),
    ):
        write(axes, MARGIN + share * _KEY_WIDTH, y + _KEY + 0.6 * LINE, text, _NAME, ha=side)
    x = MARGIN + _KEY_WIDTH + 12
    write(axes, x, y + _KEY / 2, "less is better", _NAME, ha="left")
    if missing:
        box = (x, y + _KEY + 0.6 * LINE - _KEY / 2, _CELL, _KEY)
        _hatch(axes, [box])
        write(axes, x + _CELL + 3, box[1] + _KEY / 2, "not known", _NAME, ha="left")


def _fill(axes: Axes, boxes: Sequence[_Box], colours: Sequence[_Colour], edges: str, width: float) -> None:
    corners = [_corners(*box) for box in boxes]
    filled = PolyCollection(corners, facecolors=colours, edgecolors=edges, linewidths=width)
    axes.add_collection(filled, autolim=False)


def _hatch(axes: Axes, boxes: Sequence[_Box]) -> None:
    hatched = PolyCollection(
        [_corners(*box) for box in boxes], facecolors="white", edgecolors=GREY, linewidths=0.2, hatch="/////"
    )
    axes.add_collection(hatched, autolim=False)


def _corners(x: float, y: float, width: float, height: float) -> list[tuple[float, float]]:
    return [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]


def readable(colour: _Colour) -> str:
    """Return black or white, whichever contrasts more with a colour (WCAG 2.1, relative luminance)."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour[:3]]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "black" if (luminance + 0.05) / 0.05 >= 1.05 / (luminance + 0.05) else "white"
