"""CE of every variant under every corruption, coloured by how far it is from the original's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd

from reporting.frames import CLEAN, VARIANT
from reporting.metrics import error_rises
from reporting.page.section import Section
from reporting.page.view import Shown, View, number_or_none

#: The reach of the colours, in per cent of the original's error and in points of error, is no less than this.
_LEAST_REACH = {"ce": 10, "rise": 2}

#: What part of the cells is within the reach; the few beyond it have its colour.
_WITHIN = 0.97

#: Significant digits of the thousands of figures that a script gets, of which it shows four at most.
_DIGITS = 5


def section(view: View) -> Section:
    """Return the weather map."""
    title = "The weather map"
    report = view.report
    corrupted = report.cells[report.cells["corruption"] != CLEAN]
    if corrupted.empty:
        return Section("weather", title, "Weather map", absent="no error under a corruption was recorded")
    values = _values(view)
    corruptions = {dataset: view.corruptions(dataset) for dataset in view.datasets}
    reach = {name: _reach(name, [cell[name] for cell in values.values()]) for name in _LEAST_REACH}
    return Section(
        "weather",
        title,
        "Weather map",
        {
            "maps": [
                _map(view, variants, values, reach)
                for variants in _by_network(view.variants)
                if corruptions[variants[0].dataset]
            ],
            "several": len(view.datasets) > 1,
            "reach": reach,
        },
        {
            "corruptions": corruptions,
            "ce": [
                [
                    values[(*variant.key, name)]["interval"] if (*variant.key, name) in values else None
                    for name in corruptions[variant.dataset]
                ]
                for variant in view.variants
            ],
            "errors": _errors(view, corruptions),
            "level": report.statistics.level,
        },
    )


def _by_network(variants: list[Shown]) -> Iterator[list[Shown]]:
    for _, some in groupby(variants, key=lambda variant: (variant.dataset, variant.model)):
        yield list(some)


def _values(view: View) -> dict[tuple[str, ...], dict[str, Any]]:
    """Return by variant and corruption its CE with the interval, and its mean rise of error in points.

    Either is ``NaN`` where it is not defined; what was not measured is left out.
    """
    report, keys = view.report, [*VARIANT, "corruption"]
    ce = report.corruption_errors.melt(value_name="ce", ignore_index=False).reset_index()
    rises = error_rises(report.cells).groupby(keys)["rise"].mean()
    table = (
        report.cells.loc[report.cells["corruption"] != CLEAN, keys]
        .drop_duplicates()
        .join(ce.set_index(keys)["ce"], on=keys)
        .join(100 * rises, on=keys)
        .join(report.uncertainty.ce[["low", "high"]], on=keys)
    )
    return {
        tuple(row[name] for name in keys): {
            "ce": row["ce"],
            "rise": row["rise"],
            "interval": [number_or_none(row[name], _DIGITS) for name in ("ce", "low", "high")],
        }
        for row in table.to_dict("records")
    }


def _reach(name: str, values: list[float]) -> float:
    """Return how far from the middle the colours reach."""
    away = np.abs(np.array(values, np.float64) - (100 if name == "ce" else 0))
    known = away[~np.isnan(away)]
    far = float(np.quantile(known, _WITHIN)) if len(known) else 0
    return float(max(_LEAST_REACH[name], round(far)))


def _map(
    view: View,
    variants: Sequence[Shown],
    values: dict[tuple[str, ...], dict[str, Any]],
    reach: dict[str, float],
) -> dict[str, Any]:
    """Return the map of a network: a row a variant, a column a corruption."""
    corruptions = view.corruptions(variants[0].dataset)
    families = [view.family(name) for name in corruptions]
    mce, metric = view.figures["mce"], view.metrics["mce"]
    places = [view.places[variant.key] for variant in variants]
    return {
        "dataset": variants[0].dataset,
        "model": variants[0].model,
        "corruptions": corruptions,
        "families": [(name, len(list(some))) for name, some in groupby(families)],
        "starts": [one != before for before, one in zip([None, *families], families, strict=False)],
        "averaged": bool(mce.iloc[places].notna().any()),
        "rows": [
            {
                "variant": variant,
                "place": place,
                "mce": metric.text(mce.iloc[place]),
                "cells": [_cell(values.get((*variant.key, name)), reach) for name in corruptions],
            }
            for variant, place in zip(variants, places, strict=True)
        ],
    }


def _cell(value: dict[str, Any] | None, reach: dict[str, float]) -> dict[str, Any] | None:
    """Return the texts and shades of a cell; ``None`` where nothing was measured.

    ``sure`` tells that the interval is on one side of 100.
    """
    if value is None:
        return None
    _, low, high = value["interval"]
    return {
        "ce": _shown(value["ce"], 100, reach["ce"], "{:.0f}"),
        "rise": _shown(value["rise"], 0, reach["rise"], "{:+.1f}"),
        "sure": low is not None and high is not None and (low > 100 or high < 100),
    }


def _shown(value: float, middle: float, reach: float, form: str) -> tuple[str, str, int]:
    """Return a value as text, with its colour and the strength of that in per cent."""
    if pd.isna(value):
        return "–", "", 0
    strength = round(100 * min(1, abs(value - middle) / reach))
    colour = "" if strength == 0 else "worse" if value > middle else "better"
    return form.format(value).replace("-", "−"), colour, strength


def _errors(view: View, corruptions: dict[str, list[str]]) -> list[list[Any]]:
    """Return by variant and corruption a list a severity: severity, error and its interval, images."""
    found: dict[tuple[str, ...], list[Any]] = {}
    keys, figures = [*VARIANT, "corruption"], ["error", "error_low", "error_high"]
    rows = view.report.results[[*keys, "severity", "images", *figures]].itertuples(index=False, name=None)
    for *key, severity, images, error, low, high in rows:
        known = [number_or_none(figure, _DIGITS) for figure in (error, low, high)]
        looked_at = None if pd.isna(images) else int(images)
        found.setdefault(tuple(key), []).append([int(severity), *known, looked_at])
    return [
        [found.get((*variant.key, name)) for name in corruptions[variant.dataset]]
        for variant in view.variants
    ]
