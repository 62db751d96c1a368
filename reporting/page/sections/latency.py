"""How long an inference takes: the times of single ones, their median and 90th percentile."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from reporting.frames import VARIANT
from reporting.journal import runs_of
from reporting.page.section import Section
from reporting.page.view import Shown, View

#: Where on the drawing a time is, in milliseconds.
_Scale = Callable[[float], float]

#: How many times of a variant are drawn, at most; of more, as many quantiles of them.
_DRAWN = 200

#: From this ratio of the longest to the shortest time on, the axis is logarithmic.
_WIDE = 8

#: The width of a drawing; what is in it is stretched to the width there is.
WIDTH = 1000


def section(view: View) -> Section:
    """Return the latencies."""
    title = "Latency"
    rows = view.figures.dropna(subset=["latency"])
    if rows.empty:
        return Section("latency", title, "Latency", absent="no inference was timed")
    drawn = _samples(view)
    known = 1000 * rows[["latency", "latency_p90"]]
    scale, ticks = _scale(
        min([known.min().min(), *(times[0] for times in drawn.values())]),
        max([known.max().max(), *(times[-1] for times in drawn.values())]),
    )
    suite, runs = view.report.suite, runs_of(view.report.about)
    return Section(
        "latency",
        title,
        "Latency",
        {
            "rows": [
                _row(view, variant, row, scale, drawn.get(variant.key, []))
                for variant, row in zip(view.variants, view.figures.to_dict("records"), strict=True)
                if not pd.isna(row["latency"])
            ],
            "ticks": [(f"{tick:g}", scale(tick)) for tick in ticks],
            "width": WIDTH,
            "models": view.models,
            "datasets": view.datasets,
            "timed": suite.latency if suite else None,
            "machines": list(dict.fromkeys(run["machine"] for run in runs if run.get("machine"))),
        },
        {},
    )


def _samples(view: View) -> dict[Any, list[float]]:
    """Return by variant the times to draw, in milliseconds and in order."""
    by_variant = view.report.latency_samples.groupby(VARIANT)["seconds"]
    return {key: _drawn(1000 * seconds.to_numpy()) for key, seconds in by_variant}


def _row(
    view: View, variant: Shown, row: Mapping[Any, Any], scale: _Scale, samples: Sequence[float]
) -> dict[str, Any]:
    """Return what is shown of a variant: its figures, and where these and its samples are drawn."""
    metric = view.metrics["latency"]
    return {
        "variant": variant,
        "median": metric.text(row["latency"]),
        "p90": metric.text(row["latency_p90"]),
        "median_at": scale(1000 * row["latency"]),
        "p90_at": scale(1000 * row["latency_p90"]),
        "samples": "".join(f"M{scale(time)} 5v10" for time in samples),
    }


def _drawn(times: np.ndarray) -> list[float]:
    """Return the times to draw, in order."""
    if len(times) > _DRAWN:
        times = np.quantile(times, np.linspace(0, 1, _DRAWN))
    return sorted(times.tolist())


def _scale(low: float, high: float) -> tuple[_Scale, list[float]]:
    """Return where on the drawing a time from ``low`` to ``high`` is, and the ticks of the axis."""
    if high > _WIDE * low:
        first, last = math.log(low) - 0.05, math.log(high) + 0.05
        decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        ticks = [step * 10.0**decade for decade in decades for step in (1, 2, 5)]
        place: Callable[[float], float] = math.log
    else:
        pad = 0.04 * (high - low) or 0.05 * high
        first, last = low - pad, high + pad
        step = 10.0 ** math.floor(math.log10(last - first))
        step *= next(factor for factor in (0.2, 0.5, 1, 2) if (last - first) / (factor * step) <= 8)
        ticks = [step * count for count in range(math.ceil(first / step), math.floor(last / step) + 1)]
        place = float

    def at(time: float) -> float:
        return round(WIDTH * (place(time) - first) / (last - first), 1)

    return at, [tick for tick in ticks if first <= place(tick) <= last]
