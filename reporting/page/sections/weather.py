"""CE of every variant under every corruption, coloured by how far it is from the original's."""

from __future__ import annotations

from collections.abc import Iterator
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
                _map(view, dataset, model, variants, values, reach)
                for (dataset, model), variants in _by_network(view.variants)
                if corruptions[dataset]
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


def _by_network(variants: list[Shown]) -> Iterator[tuple[tuple[str, str], list[Shown]]]:
    for names, some in groupby(variants, key=lambda variant: (variant.dataset, variant.model)):
        yield names, list(some)


def _values(view: View) -> dict[tuple[str, ...], dict[str, Any]]:
    """Return by variant and corruption its CE with the interval, and its mean rise of error in points.

    Either is ``NaN`` where it is absent; what has neither is left out.
    """
    report = view.report
    ce = report.corruption_errors.melt(value_name="ce", ignore_index=False).dropna().reset_index()
    bounds = report.uncertainty.ce[["low", "high"]]
    rises = error_rises(report.cells)
    means = 100 * rises[rises["corruption"] != CLEAN].groupby([*VARIANT, "corruption"])["rise"].mean()
    keys = [*VARIANT, "corruption"]
    table = ce.set_index(keys).join(means.rename("rise"), how="outer").join(bounds)
    return {
        key: {
            "ce": row["ce"],
            "rise": row["rise"],
            "interval": [number_or_none(row[name]) for name in ("ce", "low", "high")],
        }
        for key, row in zip(table.index, table.to_dict("records"), strict=True)
    }


def _reach(name: str, values: list[float]) -> float:
    """Return how far from the middle the colours reach."""
    away = np.abs(np.array(values, np.float64) - (100 if name == "ce" else 0))
    known = away[~np.isnan(away)]
    far = float(np.quantile(known, _WITHIN)) if len(known) else 0
    return float(max(_LEAST_REACH[name], round(far)))


def _map(
    view: View,
    dataset: str,
    model: str,
    variants: list[Shown],
    values: dict[tuple[str, ...], dict[str, Any]],
    reach: dict[str, float],
) -> dict[str, Any]:
    """Return the map of a network: a row a variant, a column a corruption."""
    corruptions = view.corruptions(dataset)
    summary = view.figures.set_index(VARIANT)["mce"]
    return {
        "dataset": dataset,
        "model": model,
        "corruptions": corruptions,
        "families": [(name, len(list(some))) for name, some in groupby(corruptions, key=view.family)],
        "starts": [
            place == 0 or view.family(name) != view.family(corruptions[place - 1])
            for place, name in enumerate(corruptions)
        ],
        "rows": [
            {
                "variant": variant,
                "place": view.places[variant.key],
                "mce": view.metrics["mce"].text(summary.get(variant.key)),
                "cells": [_cell(values.get((*variant.key, name)), reach) for name in corruptions],
            }
            for variant in variants
        ],
        "averaged": bool(
            view.figures.loc[
                (view.figures["dataset"] == dataset) & (view.figures["model"] == model), "mce"
            ]
            .notna()
            .any()
        ),
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
    for row in view.report.results.to_dict("records"):
        key = tuple(row[name] for name in (*VARIANT, "corruption"))
        figures = [number_or_none(row[name]) for name in ("error", "error_low", "error_high")]
        images = None if pd.isna(row["images"]) else int(row["images"])
        found.setdefault(key, []).append([row["severity"], *figures, images])
    return [
        [found.get((*variant.key, name)) for name in corruptions[variant.dataset]]
        for variant in view.variants
    ]
