"""The latency plot: how long one inference takes, by technique and model.

A row a technique, in it a line a model: from the median, which has the model's marker and is written beside
it, to the 90th percentile.
"""

from __future__ import annotations

from itertools import cycle
from typing import Any

import pandas as pd
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator, StrMethodFormatter

from reporting.drawing import (
    COLOURS,
    COLUMN,
    GREY,
    INK,
    LINE,
    MARGIN,
    SHAPES,
    STYLE,
    canvas,
    headline,
    shortened,
    text_width,
    write,
)
from reporting.pictures.rows import RowNames
from reporting.tables import in_order

# Lengths are in points, y goes down.
_RIGHT = 5.0  # margin
_FONT, _TITLE = 6.2, 7.0  # font sizes
_MODEL, _LEAST = 7.0, 13.0  # height of a model in a row, and least of a row
_NAMES = 66.0  # most of the names of variants
_MARKER = 4.0
_SPACE = 3.0  # between what is drawn and the text beside it


def draw_latency(latency: pd.DataFrame, title: str) -> Figure:
    """Return the plot of one data set; ``latency`` is the table of :mod:`reporting.frames`, not empty."""
    techniques, models = in_order(latency["technique"]), sorted(latency["model"].unique())
    names = RowNames(techniques, _FONT, _NAMES)
    row = max(_LEAST, _MODEL * len(models) + 3)
    top = MARGIN + (1.4 + len(models)) * LINE
    bottom = top + row * len(techniques)
    width, height = 72 * COLUMN, bottom + 2.6 * LINE + MARGIN
    left = MARGIN + names.width + 4
    with style.context(STYLE):
        figure, page = canvas(width, height)
        axes = figure.add_axes(
            (left / width, 1 - bottom / height, 1 - (left + _RIGHT) / width, (bottom - top) / height)
        )
        headline(page, title, "time of one inference, median to 90th percentile", _TITLE)
        names.write(page, MARGIN, [top + (place + 0.5) * row for place in range(len(techniques))])
        _set_scales(axes, latency, len(techniques), width - left)
        looks = zip(models, cycle(COLOURS), cycle(SHAPES), strict=False)
        for place, (model, colour, (shape, factor)) in enumerate(looks):
            look: dict[str, Any] = {
                "color": colour,
                "marker": shape,
                "markersize": _MARKER * factor,
                "linestyle": "",
            }
            y = MARGIN + (1.7 + place) * LINE
            page.plot(MARGIN + 4, y, **look)
            write(page, MARGIN + 10, y, shortened(model, _FONT, width - 14), _FONT, ha="left")
            own = latency[latency["model"] == model].set_index("technique").reindex(techniques)
            _draw_model(axes, own, (place - (len(models) - 1) / 2) * _MODEL / row, look)
        write(page, left + (width - left) / 2, bottom + 2 * LINE, "milliseconds", _FONT)
    return figure


def _set_scales(axes: Axes, latency: pd.DataFrame, rows: int, width: float) -> None:
    """Make the times logarithmic, with room for the text beside the slowest; a row is 1 high."""
    low, high = 1000 * latency["median_s"].min(), 1000 * latency["p90_s"].max()
    low, high = 0.85 * low, max(1.05 * high, 1.5 * low)
    room = (text_width("00.00", _FONT) + 2 * _SPACE) / width
    axes.set(xscale="log", xlim=(low, high * (high / low) ** (room / (1 - room))), ylim=(rows - 0.5, -0.5))
    wide, narrow = LogLocator(subs=(1, 2, 5)), MaxNLocator(5, steps=[1, 2, 5, 10])
    axes.xaxis.set_major_locator(wide if high > 5 * low else narrow)
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.tick_params(labelsize=_FONT, length=2, width=0.5, pad=1.5, colors=INK)
    axes.set_yticks([])
    axes.grid(axis="x", color=GREY, alpha=0.4, linewidth=0.3)
    axes.set_axisbelow(True)
    for name, side in axes.spines.items():
        side.set(visible=name == "bottom", linewidth=0.5, color=INK)
    for place in range(0, rows, 2):
        axes.axhspan(place - 0.5, place + 0.5, facecolor=GREY, alpha=0.1, linewidth=0)


def _draw_model(axes: Axes, own: pd.DataFrame, aside: float, look: dict[str, Any]) -> None:
    """Draw the times of a model, ``own`` by row, ``aside`` from the middles of the rows."""
    rows = pd.Series([place + aside for place in range(len(own))], index=own.index)[own["p90_s"].notna()]
    own = own.loc[rows.index]
    medians, slow = 1000 * own["median_s"], 1000 * own["p90_s"]
    lines = [[(start, y), (end, y)] for start, end, y in zip(medians, slow, rows, strict=True)]
    axes.add_collection(LineCollection(lines, colors=look["color"], linewidths=1.1), autolim=False)
    axes.plot(slow, rows, color=look["color"], marker="|", markersize=_MARKER, linestyle="")
    axes.plot(medians, rows, **look)
    for median, end, y in zip(medians, slow, rows, strict=True):
        axes.annotate(
            f"{median:#.3g}".rstrip("."),
            (end, y),
            xytext=(_SPACE, 0),
            textcoords="offset points",
            size=_FONT,
            color=INK,
            va="center_baseline",
        )
