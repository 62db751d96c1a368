"""Every variant with its figures and their intervals, to sort, filter and copy."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pandas as pd

from reporting.page.metrics import Metric
from reporting.page.section import Section
from reporting.page.view import View

#: How strong a shade is at most, in per cent of the colour.
_DEEPEST = 55


def section(view: View) -> Section:
    """Return the table of all variants."""
    title = "Every variant"
    if not view.known:
        return Section("table", title, "Table", absent="no figure of any variant was recorded")
    metrics = [view.metrics[key] for key in view.known]
    shades = {metric.key: list(_shades(view.figures[metric.key], metric)) for metric in metrics}
    rows = [
        {
            "variant": variant,
            "cells": [_cell(row, metric, shades[metric.key][place]) for metric in metrics],
            "front": row["pareto_probability"],
            "optimal": not pd.isna(row["pareto"]) and bool(row["pareto"]),
        }
        for place, (variant, row) in enumerate(
            zip(view.variants, view.figures.to_dict("records"), strict=True)
        )
    ]
    return Section(
        "table",
        title,
        "Table",
        {
            "datasets": view.datasets,
            "metrics": metrics,
            "rows": rows,
            "ranked": bool(view.figures["pareto"].notna().any()),
            "models": view.models,
            "traits": sorted({trait for variant in view.variants for trait in variant.traits}),
        },
        {"ranked": bool(view.figures["pareto"].notna().any())},
    )


def _cell(row: dict[Any, Any], metric: Metric, shade: tuple[str, int]) -> dict[str, Any]:
    """Return what stands in a cell."""
    low, high = (row.get(f"{metric.key}_{end}") for end in ("low", "high"))
    return {
        "value": row[metric.key],
        "text": metric.text(row[metric.key]),
        "interval": metric.interval(row[metric.key], low, high, sampled=pd.notna(row["accuracy_drop"])),
        "shade": shade,
    }


def _shades(values: pd.Series[float], metric: Metric) -> Iterator[tuple[str, int]]:
    """Yield the colour of each value and its strength in per cent.

    mCEs are shaded by how far they are from 100, other figures by how good they are among all, of which
    those that have no upper end are compared by their ratios.
    """
    centred = metric.key in ("mce", "relative_mce")
    bad = _badness(values, metric)
    reach = bad.abs().max() if centred else bad.max() - bad.min()
    for distance in bad:
        if pd.isna(distance) or not reach:
            yield "", 0
        elif centred:
            yield ("worse" if distance > 0 else "better"), round(_DEEPEST * abs(distance) / reach)
        else:
            yield "better", round(_DEEPEST * (bad.max() - distance) / reach)


def _badness(values: pd.Series[float], metric: Metric) -> pd.Series[float]:
    """Return values so that less is better, and equal steps are equally far apart."""
    if metric.key in ("mce", "relative_mce"):
        return values - 100
    if metric.key == "accuracy":
        return -values
    return values.map(math.log) * (1 if metric.better == "less" else -1)
