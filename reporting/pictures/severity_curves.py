"""The severity curves: how the error of a few variants of a model rises with the severity of each corruption.

Small multiples: a panel a corruption, all of the same scales.  Beside its colour a variant has a line and a
marker of its own; bands are the intervals of the errors.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

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
from reporting.metrics import BASELINE
from reporting.tables import codes, corruptions_in_order, titles

#: How many variants are drawn beside the original.
MOST_VARIANTS = 5

# Lengths are in points, y goes down.
_FONT, _TITLE = 6.2, 7.0  # font sizes
_LEFT = 24.0  # what stands left of the panels
_ACROSS = 3  # panels beside each other
_SPACE = 7.0  # between panels
_WIDTH = (72 * COLUMN - _LEFT - 2 * MARGIN - (_ACROSS - 1) * _SPACE) / _ACROSS
_HEIGHT = 52.0
_INSET = 5.0  # from the side of a panel to the first severity
_FULL = 72 * COLUMN - 2 * MARGIN
_SAMPLE = 21.0  # of a look, in the legend
_PAD = 0.04  # share of the range of errors above and below it

_DASHES = [(0, dash) for dash in ((5, 1), (2.5, 1), (6, 1, 1, 1), (1, 0.8), (4, 1, 1, 1, 1, 1))]

#: How the original and the others look.
_ORIGINAL: Mapping[str, Any] = {"color": GREY, "linewidth": 2.4}
_LOOKS: Sequence[Mapping[str, Any]] = [
    {"color": colour, "linestyle": line, "marker": marker, "linewidth": 0.8, "markersize": 2.0}
    for colour, line, (marker, _) in zip(COLOURS, _DASHES, SHAPES, strict=False)
]


def draw_severity_curves(
    cells: pd.DataFrame, few: Sequence[str], families: Mapping[str, str], title: str
) -> Figure:
    """Return the curves of one model.

    ``cells`` are those of the model with ``error``, ``error_low`` and ``error_high``, fractions, perhaps
    ``NaN``; ``few`` the techniques beside the original, at most :data:`MOST_VARIANTS`.
    """
    drawn = cells[(cells["severity"] > 0) & cells["technique"].isin([BASELINE, *few])]
    corruptions = corruptions_in_order(drawn["corruption"], families)
    entries = _entries(drawn, few)
    legend = _Legend(entries)
    top = MARGIN + LINE
    bottom = top + math.ceil(len(corruptions) / _ACROSS) * (_HEIGHT + LINE)
    with style.context(STYLE):
        figure, axes = canvas(72 * COLUMN, bottom + 2.2 * LINE + legend.height + MARGIN)
        headline(axes, title, "error in % by severity", _TITLE)
        panels = _panels(corruptions, drawn, top)
        for panel in panels.values():
            panel.draw(axes)
        for technique, look in entries.items():
            _draw_curves(axes, drawn[drawn["technique"] == technique], panels, look)
        across = min(len(corruptions), _ACROSS) * (_WIDTH + _SPACE) - _SPACE
        write(axes, MARGIN + _LEFT + across / 2, bottom + 1.5 * LINE, "severity", _FONT)
        legend.draw(axes, bottom + 2.2 * LINE)
    return figure


def worth_drawing(rows: pd.DataFrame) -> list[str]:
    """Return the techniques of one model to draw beside the original.

    They are the Pareto-optimal ones or, if none is, all; of too many those that are most surely optimal, then
    the most robust.  ``rows`` are those of a summary.
    """
    rows = rows[rows["technique"] != BASELINE]
    optimal = rows[rows["pareto"].fillna(False)]
    ranked = (optimal if len(optimal) else rows).sort_values(
        ["pareto_probability", "mce", "code", "technique"], ascending=[False, True, True, True]
    )
    few = ranked.head(MOST_VARIANTS).sort_values(["code", "technique"])
    return few["technique"].tolist()


def _entries(drawn: pd.DataFrame, few: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """Return the look of each technique that there is something to draw of."""
    looks = {BASELINE: _ORIGINAL, **dict(zip(few, _LOOKS, strict=False))}
    there = set(drawn["technique"])
    return {technique: look for technique, look in looks.items() if technique in there}


@dataclass(frozen=True)
class _Panel:
    """The panel of a corruption: where it is, and the scales that it shares with the others.

    ``first_in_row`` and ``last_in_column`` panels have the figures of the scales beside them.
    """

    corruption: str
    left: float
    top: float
    severities: Sequence[int]
    errors: Sequence[float]
    limits: tuple[float, float]
    first_in_row: bool
    last_in_column: bool

    def x(self, severity: pd.Series[int]) -> pd.Series[float]:
        """Return where severities are; a single one is in the middle."""
        first, last = self.severities[0], self.severities[-1]
        share = (severity - first) / (last - first) if last > first else severity * 0 + 0.5
        return self.left + _INSET + share * (_WIDTH - 2 * _INSET)

    def y(self, error: pd.Series[float]) -> pd.Series[float]:
        """Return where errors, in per cent, are."""
        low, high = self.limits
        return self.top + _HEIGHT * (high - error) / (high - low)

    def draw(self, axes: Axes) -> None:
        """Draw what the curves stand before."""
        right, bottom = self.left + _WIDTH, self.top + _HEIGHT
        ys = self.y(pd.Series(self.errors)).tolist()
        xs = self.x(pd.Series(self.severities)).tolist()
        lines = [[(self.left, y), (right, y)] for y in ys]
        axes.add_collection(LineCollection(lines, colors=GREY, linewidths=0.3, alpha=0.6), autolim=False)
        ticks = [[(x, bottom), (x, bottom + 1.5)] for x in xs]
        frame = [[(self.left, self.top), (self.left, bottom), (right, bottom)]]
        axes.add_collection(LineCollection(frame + ticks, colors=INK, linewidths=0.5), autolim=False)
        name = shortened(self.corruption.replace("_", " "), _FONT, _WIDTH)
        write(axes, self.left + _WIDTH / 2, self.top - 0.45 * LINE, name, _FONT)
        if self.first_in_row:
            for error, y in zip(self.errors, ys, strict=True):
                write(axes, self.left - 2.5, y, f"{error:g}", _FONT, ha="right")
        if self.last_in_column:
            for severity, x in zip(self.severities, xs, strict=True):
                write(axes, x, bottom + 0.65 * LINE, str(severity), _FONT)


def _panels(corruptions: Sequence[str], drawn: pd.DataFrame, top: float) -> dict[str, _Panel]:
    """Return the panels by corruption, row by row, below ``top``."""
    severities = sorted(drawn["severity"].unique().tolist())
    shown = 100 * drawn[["error", "error_low", "error_high"]].to_numpy(dtype=float)
    least, most = float(np.nanmin(shown)), float(np.nanmax(shown))
    pad = _PAD * (most - least + 1)
    low, high = least - pad, most + pad
    ticks = MaxNLocator(4, steps=[1, 2, 5, 10]).tick_values(low, high)
    errors = [float(tick) for tick in ticks if low <= tick <= high]
    return {
        name: _Panel(
            name,
            MARGIN + _LEFT + place % _ACROSS * (_WIDTH + _SPACE),
            top + place // _ACROSS * (_HEIGHT + LINE) + LINE,
            severities,
            errors,
            (low, high),
            first_in_row=place % _ACROSS == 0,
            last_in_column=place + _ACROSS >= len(corruptions),
        )
        for place, name in enumerate(corruptions)
    }


def _draw_curves(
    axes: Axes, cells: pd.DataFrame, panels: Mapping[str, _Panel], look: Mapping[str, Any]
) -> None:
    """Draw a variant in every panel: a curve, which a missing severity interrupts, and its band."""
    bands = []
    for corruption, measured in cells.groupby("corruption"):
        panel = panels[str(corruption)]
        rows = measured.set_index("severity").reindex(list(panel.severities))
        x = panel.x(rows.index.to_series())
        axes.plot(x, panel.y(100 * rows["error"]), zorder=3, solid_capstyle="butt", **_marked(rows, look))
        low, high = (panel.y(100 * rows[bound]) for bound in ("error_low", "error_high"))
        bounds = zip(x, low, high, strict=True)
        bands += [_band(list(run)) for known, run in groupby(bounds, lambda one: one[1] == one[1]) if known]
    filled = PolyCollection(bands, facecolors=look["color"], alpha=0.13, linewidths=0, zorder=2)
    axes.add_collection(filled, autolim=False)


def _band(bounds: Sequence[tuple[float, float, float]]) -> list[tuple[float, float]]:
    """Return the outline of a band from ``x``, ``low`` and ``high`` of neighbouring severities."""
    return [(x, low) for x, low, _ in bounds] + [(x, high) for x, _, high in reversed(bounds)]


def _marked(rows: pd.DataFrame, look: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the look with a marker where a lone point would not be seen without."""
    known = rows["error"].notna().to_numpy()
    neighbours = np.concatenate([[False], known[:-1]]) | np.concatenate([known[1:], [False]])
    return {"marker": ".", "markersize": 4, **look} if (known & ~neighbours).any() else look


@dataclass(frozen=True)
class _Legend:
    """What each look means, in two columns if the names fit into them."""

    entries: Mapping[str, Mapping[str, Any]]

    @property
    def height(self) -> float:
        """What it needs."""
        return math.ceil(len(self.entries) / self._across) * LINE

    def draw(self, axes: Axes, top: float) -> None:
        """Draw it from ``top`` downwards."""
        looks = zip(self._names, self.entries.values(), strict=True)
        for place, (name, look) in enumerate(looks):
            x = MARGIN + 2 + place % self._across * self._width
            y = top + (place // self._across + 0.5) * LINE
            axes.plot([x, x + 9, x + 18], [y] * 3, **look)
            write(axes, x + _SAMPLE, y, shortened(name, _FONT, self._room), _FONT, ha="left")

    @cached_property
    def _names(self) -> list[str]:
        names = zip(codes(self.entries), titles(self.entries), strict=True)
        return [f"{code} {title}".strip() for code, title in names]

    @cached_property
    def _across(self) -> int:
        fits = all(text_width(name, _FONT) <= _FULL / 2 - _SAMPLE - 4 for name in self._names)
        return 2 if fits else 1

    @property
    def _width(self) -> float:
        return _FULL / self._across

    @property
    def _room(self) -> float:
        return self._width - _SAMPLE - 4
