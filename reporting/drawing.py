"""What all figures share: their style, and how they become files.

The same figure gives the same file, byte for byte.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from matplotlib import style
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath

INK, GREY = "#1f2933", "#8a94a0"

#: The width of a column of a paper in two columns, in inches.
COLUMN = 3.5

#: The defaults, so that nothing of a user's own settings shows; the salt makes the ids in an SVG repeatable,
#: type 42 puts outlines into a PDF, as publishers ask for, and making one image of many takes long.
STYLE: list[str | dict[str, Any]] = [
    "default",
    {"svg.hashsalt": "robustlite", "font.size": 9, "pdf.fonttype": 42, "image.composite_image": False},
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


def notice(text: str) -> Figure:
    """Return a figure that only says ``text``."""
    figure = Figure(figsize=(8.6, 1.2))
    figure.text(0.5, 0.5, text, ha="center", va="center", color=INK)
    return figure


@cache
def text_width(text: str, size: float) -> float:
    """Return how wide ``text`` is at a font size, both in points."""
    literal = text.replace("$", r"\$")  # no formula
    return float(TextPath((0, 0), literal, size=size, prop=FontProperties()).get_extents().width)
