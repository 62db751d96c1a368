"""The maps of embeddings: where a layer puts images, a panel a variant, coloured by class.

Each panel has its own scale, because distances of one map by t-SNE mean nothing in another.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reporting.drawing import (
    COLOURS,
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
from reporting.explained import Embedding, layers_of
from reporting.tables import ABSENT, number, titles

# Lengths are in points, y goes down.
_FONT, _SMALL, _TITLE = 6.2, 5.6, 7.0  # font sizes
_SIDE, _GAP = 121.0, 8.0  # of a panel, and between panels
_HEAD = 3 * LINE  # above a panel: its name, and two lines of figures

#: From this many panels on there are twice as many beside each other.
_MANY = 7

#: The marks of classes that share a colour: which, their size and the width of their lines, in points.
_MARKS = (("o", 1.7, 0.0), ("x", 2.0, 0.45), ("+", 2.6, 0.45), ("s", 1.5, 0.0), ("^", 2.0, 0.0))


def draw_embeddings(panels: Sequence[Embedding], title: str) -> Figure:
    """Return the maps of one network's variants, at least one, in their order."""
    across = min(len(panels), 2 if len(panels) < _MANY else 4)
    names = max((one.class_names for one in panels), key=len)
    width = max(72 * COLUMN, 2 * MARGIN + across * (_SIDE + _GAP) - _GAP)
    legend = list(_lines(names, width - 2 * MARGIN))
    top, high = MARGIN + 1.6 * LINE, _HEAD + _SIDE + _GAP
    below = top + math.ceil(len(panels) / across) * high
    with style.context(STYLE):
        figure, axes = canvas(width, below + len(legend) * LINE + MARGIN)
        headline(axes, title, f"t-SNE of what {layers_of(panels)} gives", _TITLE)
        for place, one in enumerate(panels):
            down, right = divmod(place, across)
            _draw_panel(axes, one, MARGIN + right * (_SIDE + _GAP), top + down * high)
        for line, entries in enumerate(legend):
            for label, name, left in entries:
                y = below + (line + 0.5) * LINE
                axes.plot(left + 3, y, **_look(label, 2.0))
                write(axes, left + 8, y, name, _FONT, ha="left")
    return figure


def _draw_panel(axes: Axes, one: Embedding, left: float, top: float) -> None:
    """Draw a map in its frame, below its name and figures."""
    technique = one.variant.technique
    code, name = number(technique), titles([technique])[0]
    text = name if code == name else f"{code} {name}"
    write(axes, left, top + LINE / 2, shortened(text, _FONT, _SIDE, "bold"), _FONT, ha="left", weight="bold")
    for line, figures in enumerate(_figures(one.figures)):
        write(axes, left, top + (line + 1.45) * LINE, figures, _SMALL, ha="left")
    y = top + _HEAD
    corners = np.array([[left, y], [left + _SIDE, y], [left + _SIDE, y + _SIDE], [left, y + _SIDE]])
    axes.fill(*corners.T, facecolor="none", edgecolor=GREY, linewidth=0.4)
    middle = np.array([left + _SIDE / 2, y + _SIDE / 2])
    low, high = one.points.min(axis=0), one.points.max(axis=0)
    scale = 0.95 * _SIDE / max((high - low).max(), 1e-9)
    places = middle + scale * (one.points - (low + high) / 2) * [1, -1]
    for label in np.unique(one.labels).tolist():
        axes.plot(*places[one.labels == label].T, **_look(label))


def _figures(figures: Mapping[str, float]) -> list[str]:
    def text(name: str, factor: float, decimals: int) -> str:
        value = f"{factor * figures[name]:.{decimals}f}" if name in figures else ABSENT
        return value.replace("-", "−")

    return [
        f"neighbours {text('neighbour_accuracy', 100, 1)} %, silhouette {text('silhouette', 1, 2)}",
        f"trustworthiness {text('trustworthiness', 1, 2)}",
    ]


def _look(label: int, factor: float = 1.0) -> dict[str, Any]:
    """Return how a class is drawn, its marks ``factor`` times as large as in a panel."""
    marker, size, line = _MARKS[label // len(COLOURS) % len(_MARKS)]
    return {
        "color": COLOURS[label % len(COLOURS)],
        "linestyle": "",
        "marker": marker,
        "markersize": factor * size,
        "markeredgewidth": factor * line,
    }


def _lines(names: Sequence[str], width: float) -> Iterator[list[tuple[int, str, float]]]:
    """Yield the lines of a legend: label, name, and where each entry begins."""
    line: list[tuple[int, str, float]] = []
    left = MARGIN
    for label, name in enumerate(names):
        short = shortened(name, _FONT, width - 20)
        needed = text_width(short, _FONT) + 18
        if line and left + needed > MARGIN + width:
            yield line
            line, left = [], MARGIN
        line.append((label, short, left))
        left += needed
    yield line
