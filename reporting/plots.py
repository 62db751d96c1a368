"""The Pareto plot: what compression saves (size) against what it costs (robustness and accuracy).

One panel per data set: compression ratio to the right, mCE upwards, accuracy as colour, model as shape,
technique as number.  The same figures give the same file, byte for byte.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator, StrMethodFormatter
from numpy.typing import NDArray

from reporting.drawing import COLUMN, GREY, INK, SHAPES, STYLE, notice, shortened
from reporting.labels import Box, place
from reporting.tables import number

_FRONT = "#c2410c"
_NAMES = 0.65  # share of the width of a panel that a name may take

_WHISKER: dict[str, Any] = {"color": GREY, "linewidth": 0.9, "alpha": 0.8}
_BASELINE: dict[str, Any] = {"color": INK, "linewidth": 0.9, "linestyle": (0, (5, 3))}
_HAIR_LINE: dict[str, Any] = {"arrowstyle": "-", "linewidth": 0.6, "color": GREY, "shrinkB": 0}


@dataclass(frozen=True)
class Size:
    """How large the panel of a data set is (inches), how many stand side by side, what is in one (points).

    ``marker`` is a diameter, ``label``, ``legend`` and ``text`` are font sizes, ``ring`` is the width of the
    line around a Pareto-optimal marker; ``letters`` of the legend are as wide as the axes; ``scale`` is the
    side on which the colours are explained.
    """

    width: float
    height: float
    across: int
    marker: float
    label: float
    legend: float
    text: float
    ring: float
    letters: int
    scale: str


#: For a screen, and for a column of a paper.
WIDE = Size(8.6, 5.8, 2, marker=8.5, label=7.5, legend=8, text=9, ring=1.7, letters=125, scale="right")
NARROW = Size(COLUMN, 4.2, 1, marker=4.6, label=6, legend=6.2, text=6.5, ring=1.1, letters=60, scale="bottom")


def draw_pareto(summary: pd.DataFrame, size: Size = WIDE) -> Figure:
    """Return the plot of a summary (:func:`reporting.metrics.summarise`), with the intervals that it has.

    Variants without mCE or compression ratio have no place in it; where none has one, the figure says so.
    """
    drawn = summary.dropna(subset=["mce", "compression_ratio"])
    for name in ("mce", "mce_low", "mce_high"):  # nothing has a place at 0 on a logarithmic axis
        drawn = drawn.assign(**{name: drawn.get(name, drawn["mce"]).fillna(drawn["mce"]).clip(lower=1)})
    with style.context(STYLE):
        if drawn.empty:
            return notice("Nothing to draw: no variant has both an mCE and a compression ratio.")
        datasets = list(drawn.groupby("dataset"))
        columns = min(size.across, len(datasets))
        lines = math.ceil(len(datasets) / columns)
        figure = Figure(figsize=(size.width * columns, size.height * lines), layout="constrained")
        panels = [
            _draw_panel(figure, figure.add_subplot(lines, columns, spot), str(dataset), rows, size)
            for spot, (dataset, rows) in enumerate(datasets, start=1)
        ]
        figure.draw_without_rendering()  # makes the layout, which tells how much room there is between points
        figure.set_layout_engine("none")  # and it stays, since the labels are placed by it
        for panel in panels:
            _draw_points(panel)
    return figure


@dataclass(frozen=True, eq=False)
class _Panel:
    """The axes of a data set, its variants, the shape of each model and the colour of each accuracy."""

    size: Size
    axes: Axes
    rows: pd.DataFrame
    shapes: dict[str, tuple[str, float]]
    colours: ScalarMappable


def _draw_panel(figure: Figure, axes: Axes, dataset: str, rows: pd.DataFrame, size: Size) -> _Panel:
    """Draw everything that the points stand before."""
    axes.set_xlabel("compression ratio  (more is better →)", color=INK, size=size.text)
    axes.set_ylabel("(← less is better)  mCE in % of the original's error", color=INK, size=size.text)
    axes.tick_params(labelsize=size.text)
    _set_scales(axes, rows)
    axes.grid(color=GREY, alpha=0.25, linewidth=0.5)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.axhline(100, **_BASELINE, zorder=1)
    _draw_front(axes, rows[rows["pareto"].fillna(False)])
    colours = _colours(figure, axes, 100 * rows["accuracy"], size)
    shapes = dict(zip(sorted(rows["model"].unique()), cycle(SHAPES), strict=False))
    whiskers = bool((rows["mce_low"] < rows["mce_high"]).any())
    _draw_legend(axes, dataset, shapes, size, whiskers=whiskers)
    return _Panel(size, axes, rows, shapes, colours)


def _colours(figure: Figure, axes: Axes, accuracy: pd.Series[float], size: Size) -> ScalarMappable:
    """Return the colours of the accuracies (in per cent), having drawn their scale where there are any."""
    known = accuracy.dropna()
    if known.empty:
        return ScalarMappable()
    pad = 0.5 if known.min() == known.max() else 0
    colours = ScalarMappable(Normalize(known.min() - pad, known.max() + pad), "viridis")
    scale = figure.colorbar(colours, ax=axes, aspect=30, pad=0.02, location=size.scale)
    scale.set_label("accuracy in %", color=INK, size=size.text)
    scale.ax.tick_params(labelsize=size.text)
    scale.outline.set_visible(False)
    return colours


def _set_scales(axes: Axes, rows: pd.DataFrame) -> None:
    """Make both axes logarithmic, since both show ratios, with 1 and 100 in view."""
    ratio = rows["compression_ratio"]
    for direction, lows, highs, always in (
        ("x", ratio, ratio, 1.0),
        ("y", rows[["mce", "mce_low"]].min(axis=1), rows[["mce", "mce_high"]].max(axis=1), 100.0),
    ):
        low, high = min(lows.min(), always), max(highs.max(), always)
        margin = max((high / low) ** 0.07, 1.03)
        # Evenly spaced ticks crowd at one end of a wide logarithmic axis; others are too few on a narrow one.
        wide, narrow = LogLocator(subs=(1, 1.5, 2, 3, 4, 5, 6, 8)), MaxNLocator(10, steps=[1, 2, 5, 10])
        axes.set(**{f"{direction}scale": "log", f"{direction}lim": (low / margin, high * margin)})
        axis = axes.xaxis if direction == "x" else axes.yaxis
        axis.set_major_locator(wide if high > 4 * low else narrow)
        axis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axis.set_minor_locator(NullLocator())


def _draw_front(axes: Axes, optimal: pd.DataFrame) -> None:
    """Draw the edge of what is reached in compression ratio and mCE; accuracy may put more variants on it."""
    front = optimal.sort_values("compression_ratio", ascending=False)
    best = front["mce"].cummin()
    front = front[front["mce"] <= best].sort_values("compression_ratio")
    axes.plot(
        front["compression_ratio"], front["mce"], color=_FRONT, linewidth=1.2, drawstyle="steps-pre", zorder=2
    )


def _draw_legend(
    axes: Axes, dataset: str, shapes: dict[str, tuple[str, float]], size: Size, *, whiskers: bool
) -> None:
    """Write the data set and what the shapes and lines mean above the axes, where no point can be."""
    look: dict[str, Any] = {"markerfacecolor": "white", "markersize": 0.8 * size.marker}
    ring: dict[str, Any] = {"marker": "o", "markeredgewidth": size.ring}
    room = _NAMES * 72 * size.width
    entries = [
        Line2D(
            *([], []),
            linestyle="",
            marker=shape,
            markeredgecolor=INK,
            label=shortened(model, size.legend, room),
            **look,
        )
        for model, (shape, _) in shapes.items()
    ]
    entries.append(Line2D([], [], label="original: mCE 100", **_BASELINE))
    entries.append(Line2D([], [], label="Pareto-optimal", color=_FRONT, linewidth=1.2, **ring, **look))
    if whiskers:
        upright: dict[str, Any] = {"linestyle": "", "marker": "|", "markersize": size.marker}
        entries.append(Line2D([], [], label="interval of mCE", **{**_WHISKER, **upright}))
    longest = max(len(str(entry.get_label())) for entry in entries)
    axes.legend(
        handles=entries,
        ncols=min(len(entries), max(1, size.letters // (longest + 7))),
        title=shortened(dataset, size.legend + 3, room, "bold"),
        title_fontproperties={"weight": "bold", "size": size.legend + 3},
        alignment="left",
        loc="lower left",
        bbox_to_anchor=(0, 1),
        frameon=False,
        borderaxespad=0.2,
        borderpad=0.2,
        handletextpad=0.5,
        columnspacing=1.4,
        fontsize=size.legend,
    )


def _draw_points(panel: _Panel) -> None:
    """Draw the markers and their labels; a label that is not beside its marker gets a hair line to it."""
    axes, rows, size = panel.axes, panel.rows, panel.size
    per_pixel = 72 / axes.figure.dpi
    to_data = axes.transData.inverted()
    pixels = axes.transData.transform(rows[["compression_ratio", "mce"]].to_numpy(dtype=float))
    points = _side_by_side(per_pixel * pixels, size.marker)
    texts = [number(name).removeprefix("#") for name in rows["technique"]]
    sizes = [(0.64 * size.label * len(text) + 1, 0.8 * size.label + 1) for text in texts]
    x0, y0, x1, y1 = (per_pixel * edge for edge in axes.get_window_extent().extents)
    boxes = place(points, sizes, size.marker, Box((x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0))
    for row, point, text, box in zip(rows.to_dict("records"), points, texts, boxes, strict=True):
        position = to_data.transform(point / per_pixel)
        ringed = row["pareto"] is not pd.NA and row["pareto"]
        shape, factor = panel.shapes[row["model"]]
        accuracy = row["accuracy"]
        if row["mce_low"] < row["mce_high"]:
            axes.vlines(position[0], row["mce_low"], row["mce_high"], **_WHISKER, zorder=1.5)
        axes.plot(
            *position,
            shape,
            markersize=size.marker * factor,
            markerfacecolor="white" if pd.isna(accuracy) else panel.colours.to_rgba(100 * accuracy),
            markeredgecolor=_FRONT if ringed else INK,
            markeredgewidth=size.ring if ringed else 0.5,
            zorder=4 if ringed else 3,
        )
        x, y = box.x - point[0], box.y - point[1]
        apart = max(abs(x) - (box.width + size.marker) / 2, abs(y) - (box.height + size.marker) / 2)
        axes.annotate(
            text,
            tuple(position),
            xytext=(x, y),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=size.label,
            color=_FRONT if ringed else INK,
            fontweight="bold" if ringed else "normal",
            arrowprops=_HAIR_LINE if apart > 2 else None,
            path_effects=[withStroke(linewidth=2, foreground="white")],
            zorder=2.5,
        )


def _side_by_side(points: NDArray[np.float64], apart: float) -> NDArray[np.float64]:
    """Move points apart that hide each other completely, as the originals do, which are all at (1, 100)."""
    moved = points.copy()
    for point in np.unique(points.round(3), axis=0):
        same = np.flatnonzero((points.round(3) == point).all(axis=1))
        moved[same, 0] += apart * (np.arange(len(same)) - (len(same) - 1) / 2)
    return moved
