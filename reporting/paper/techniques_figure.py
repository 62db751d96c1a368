"""Figure 2: the graph of techniques, drawn from its declaration.

A column for each step of training away from the original, a box for each network, and below it a tag for each
file converted from it.  What a run measured is filled, what it did not is outlined.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from benchmarks.techniques import Technique, of_studies
from reporting.drawing import INK, STYLE, canvas, wrapped
from reporting.paper.graph import (
    GAP,
    LEADING,
    MARGIN,
    PAD,
    STEP,
    TAG_GAP,
    TITLE,
    WIDTH,
    Box,
    Node,
    Row,
    grid,
    rows_of,
)

_LINE = 0.8  # width of edges and outlines
_SWATCH = 8.0
_LEGEND_LEADING = 1.7 * STEP


@dataclass(frozen=True)
class _Look:
    """How a kind of technique is drawn; the fills differ for every kind of colour vision, and in grey."""

    fill: str
    text: str
    rounding: float


_NETWORK, _INT8 = _Look("#0072b2", "white", 1.5), _Look("#f0a830", "black", 4.5)


def draw_techniques(measured: Collection[str], techniques: Mapping[str, Technique] | None = None) -> Figure:
    """Return the drawing of the graph of ``techniques``, or of those of the studies that the ``measured``
    ones are of, with the measured ones, given by name, filled.
    """
    techniques = techniques or of_studies(measured)
    nodes = grid(techniques)
    rows = rows_of(list(nodes.values()))
    by = sorted({tag.technique.step for node in nodes.values() for tag in node.tags})
    steps = [line for step in by for line in wrapped(step, STEP, WIDTH - _SWATCH - 2)]
    # Only the root is in the first column; below it is room for the legend.
    legend_height = _LEGEND_LEADING * (3 + len(steps))
    height = max(rows[-1].bottom, rows[0].bottom + _LEGEND_LEADING + legend_height) + MARGIN
    width = 2 * MARGIN + (1 + max(node.column for node in nodes.values())) * (WIDTH + GAP) - GAP
    with style.context(STYLE):
        figure, axes = canvas(width, height)
        for name, node in nodes.items():
            children = [child for child in nodes.values() if child.box.technique.parent == name]
            if children:
                _draw_edges(axes, node, children, rows)
            _draw_node(axes, node, rows[node.row], measured)
        _draw_legend(axes, height - MARGIN - legend_height, steps)
    return figure


def _draw_edges(axes: Axes, parent: Node, children: Sequence[Node], rows: Sequence[Row]) -> None:
    """Draw the ways from a network to those made from it, through the gap between their columns."""
    start, turn, end = parent.left + WIDTH, parent.left + WIDTH + 0.4 * GAP, children[0].left
    middles = [rows[child.row].middle for child in children]
    _draw_line(axes, (start, turn), (rows[parent.row].middle,) * 2)
    _draw_line(axes, (turn, turn), (rows[parent.row].middle, middles[-1]))
    for y in middles:
        _draw_line(axes, (turn, end - 2), (y, y))
        axes.fill([end, end - 4, end - 4], [y, y - 1.8, y + 1.8], color=INK, linewidth=0, zorder=1)


def _draw_line(axes: Axes, x: tuple[float, float], y: tuple[float, float]) -> None:
    axes.plot(x, y, color=INK, linewidth=_LINE, solid_capstyle="projecting", zorder=1)


def _draw_legend(axes: Axes, y: float, steps: Sequence[str]) -> None:
    """Say what the looks mean, and by which ``steps``, line by line, files are converted, from ``y`` on."""
    meanings: list[tuple[str, _Look | None, bool]] = [
        ("network", _NETWORK, True),
        ("converted, by", _INT8, True),
    ]
    meanings += [(step, None, True) for step in steps]
    meanings += [("not measured", _NETWORK, False)]
    for text, look, filled in meanings:
        if look:
            _draw_frame(axes, look, (MARGIN, y, _SWATCH, 0.75 * _SWATCH), filled=filled)
        slant = "normal" if look else "italic"
        x, middle = MARGIN + _SWATCH + 2, y + 0.375 * _SWATCH
        axes.text(x, middle, text, size=STEP, style=slant, color=INK, va="center_baseline")
        y += _LEGEND_LEADING


def _draw_node(axes: Axes, node: Node, row: Row, measured: Collection[str]) -> None:
    """Draw the box of a network and below it its tags, each with an edge."""
    _draw_box(axes, node.box, _NETWORK, (node.left, row.top, WIDTH, row.height), measured)
    x, y = node.left + WIDTH / 2, row.top + row.height
    for tag in node.tags:
        end = y + TAG_GAP
        _draw_line(axes, (x, x), (y, end - 2))
        axes.fill([x, x - 1.8, x + 1.8], [end, end - 4, end - 4], color=INK, linewidth=0, zorder=1)
        _draw_box(axes, tag, _INT8, (node.left, end, WIDTH, tag.height), measured)
        y = end + tag.height


def _draw_box(
    axes: Axes, box: Box, look: _Look, place: tuple[float, float, float, float], measured: Collection[str]
) -> None:
    """Draw a box and, in its middle, what is written in it; ``place`` is its left, top, width and height."""
    left, top, width, height = place
    filled = box.technique.name in measured
    _draw_frame(axes, look, place, filled=filled)
    ink = look.text if filled else INK
    x, y = left + width / 2, top + (height - box.height) / 2 + PAD
    number = str(box.technique.code)
    written = "\n".join(box.title).replace("$", r"\$").removeprefix(number)
    for line in f"$\\mathbf{{{number}}}${written}".split("\n"):
        y += LEADING * TITLE
        axes.text(x, y - 0.3 * TITLE, line, size=TITLE, color=ink, ha="center")
    for line in box.step:
        y += LEADING * STEP
        at = (x, y - 0.3 * STEP)
        axes.text(*at, line, size=STEP, style="italic", color=ink, ha="center", parse_math=False)


def _draw_frame(axes: Axes, look: _Look, place: tuple[float, float, float, float], *, filled: bool) -> None:
    left, top, width, height = place
    shape = FancyBboxPatch(
        (left, top),
        width,
        height,
        boxstyle=f"round,pad=0,rounding_size={min(look.rounding, height / 2)}",
        facecolor=look.fill if filled else "white",
        edgecolor=look.fill,
        linewidth=_LINE,
        zorder=2,
    )
    axes.add_patch(shape)
