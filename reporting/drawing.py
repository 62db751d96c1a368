"""What all figures share: their style, and how they become files.

The same figure gives the same file, byte for byte.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

INK, GREY = "#1f2933", "#8a94a0"

#: Colours that differ for every kind of colour vision (Okabe and Ito, 2008).
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00")

#: Marker shapes by model, each with the factor of its size that makes it look as large as the disc.
SHAPES = (
    *(("o", 1.0), ("s", 0.85), ("^", 1.1), ("D", 0.75)),
    *(("v", 1.1), ("P", 1.1), ("h", 1.05), ("X", 1.05)),
)

#: The width of a column of a paper in two columns, in inches.
COLUMN = 3.5

#: On a canvas the margin and the height of a line of text, in points.
MARGIN, LINE = 1.0, 9.0

#: The defaults, so that nothing of a user's own settings shows; the salt makes the ids in an SVG repeatable,
#: type 42 puts outlines into a PDF, as publishers ask for, making one image of many takes long, and without
#: hinting text is as wide in every kind of file.
STYLE: list[str | dict[str, Any]] = [
    "default",
    {"svg.hashsalt": "robustlite", "font.size": 9, "pdf.fonttype": 42, "image.composite_image": False},
    {"text.hinting": "no_hinting"},
]

#: The kinds of file of a figure, each with what would say in it when and by what it was made.
KINDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"png": ("Software",), "svg": ("Date", "Creator"), "pdf": ("CreationDate", "Creator", "Producer")}
)


def save(figure: Figure, kind: str, dpi: int = 200) -> bytes:
    """Return the figure as the bytes of a file of one of :data:`KINDS`, without date or version in it."""
    buffer = io.BytesIO()
    with style.context(STYLE):
        figure.savefig(buffer, format=kind, dpi=dpi, metadata=dict.fromkeys(KINDS[kind]))
    return buffer.getvalue()


def canvas(width: float, height: float) -> tuple[Figure, Axes]:
    """Return a figure of a size in points with axes all over it: their units are points, and y goes down."""
    figure = Figure(figsize=(width / 72, height / 72))
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(height, 0))
    axes.set_axis_off()
    return figure, axes


def write(axes: Axes, x: float, y: float, text: str, size: float, **look: Any) -> None:
    """Write ``text`` as it is around a point of a canvas, unless ``look`` says otherwise."""
    usual: dict[str, Any] = {"ha": "center", "va": "center_baseline", "color": INK}
    axes.text(x, y, text, size=size, parse_math=False, **(usual | look))


def headline(axes: Axes, names: str, what: str, size: float) -> None:
    """Write above everything on a canvas of what (the ``names``) it shows ``what``."""
    room = axes.get_xlim()[1] - 2 * MARGIN - text_width(f": {what}", size) - size
    names = shortened(names, size, room, "bold")
    write(axes, MARGIN, MARGIN + LINE / 2, names, size, ha="left", weight="bold")
    after = MARGIN + text_width(names, size, "bold")
    write(axes, after, MARGIN + LINE / 2, f": {what}", size, ha="left")


def notice(text: str) -> Figure:
    """Return a figure that only says ``text``."""
    figure = Figure(figsize=(8.6, 1.2))
    figure.text(0.5, 0.5, text, ha="center", va="center", color=INK)
    return figure


@cache
def text_width(text: str, size: float, weight: str = "normal") -> float:
    """Return how wide ``text`` is at a font size, both in points."""
    width, _, _ = text_to_path.get_text_width_height_descent(
        text, FontProperties(weight=weight, size=size), False
    )
    return float(width)


def wrapped(text: str, size: float, width: float) -> list[str]:
    """Return ``text`` in lines no wider than ``width`` if its words are; they end at blanks, ``-``, ``_``."""
    filled = [""]
    for word in re.findall(r"[^\s_-]*[\s_-]+|[^\s_-]+", text):
        if filled[-1] and text_width((filled[-1] + word).rstrip(), size) > width:
            filled.append("")
        filled[-1] += word
    return [line.rstrip() for line in filled]


def shortened(text: str, size: float, width: float, weight: str = "normal") -> str:
    """Return ``text``, without as much of its middle as it needs to fit into ``width``."""
    short, kept = text, len(text)
    while kept > 1 and text_width(short, size, weight) > width:
        kept -= 1
        short = f"{text[: (kept + 1) // 2]}…{text[len(text) - kept // 2 :]}"
    return short
