"""What networks see: maps of their embeddings, and the pixels that their decisions rest on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np

from benchmarks.cases import Variant
from reporting.agreement import disagreement_sentences
from reporting.explained import (
    ActivationMaps,
    Embedding,
    Sample,
    embedding_figures,
    layers_of,
    map_figures,
)
from reporting.page.pictures import address, fitting
from reporting.page.section import Section
from reporting.page.view import Shown, View
from reporting.studied import map_sheets
from reporting.tables import ABSENT

#: How much room the pictures may take, in bytes of the page.
ROOM = 1_200_000

#: The side of a map, in units of its drawing, in which points have whole places.
SIDE = 300

#: How much of it stays free at each side, so that no point is cut off.
_MARGIN = 6

#: How many colours classes have; what follows those has the same with another mark.
COLOURS = 5

#: The marks of classes, drawn at a place: a disc, a cross, a plus, a ring, a bar.
MARKS = ("h0", "m-3-3l6 6m0-6l-6 6", "m-4 0h8m-4-4v8", "m-3 0a3 3 0 1 0 6 0a3 3 0 1 0-6 0", "m0-5v10")


def section(view: View) -> Section:
    """Return the explanations."""
    title = "What networks see"
    embeddings, maps = view.report.embeddings, view.report.maps
    if not (embeddings or maps):
        return Section("explanations", title, "Explanations", absent="nothing was explained")
    most = max((len(one.samples) for one in maps), default=0)
    samples = fitting(most, ROOM, lambda number: _pictures(maps, number))
    return Section(
        "explanations",
        title,
        "Explanations",
        {
            "embeddings": [_embeddings(view, list(few)) for _, few in groupby(embeddings, _network)],
            "grids": [_grid(view, list(few), samples) for _, few in groupby(maps, _network)],
            "disagreeing": list(disagreement_sentences(embedding_figures(embeddings), map_figures(maps))),
            "figures": [sheet.shown for sheet in map_sheets(map_figures(maps))],
            "several": len({*map(_network, embeddings), *map(_network, maps)}) > 1,
            "left_out": samples < most,
            "samples": samples,
            "side": SIDE,
        },
        {},
    )


def _network(one: Embedding | ActivationMaps) -> tuple[str, str]:
    return one.variant.dataset, one.variant.model


def _embeddings(view: View, embeddings: Sequence[Embedding]) -> dict[str, Any]:
    """Return the maps of a network, a panel a variant, and the legend of its classes."""
    names = max((one.class_names for one in embeddings), key=len)
    return {
        "of": ", ".join(_network(embeddings[0])),
        "layer": layers_of(embeddings),
        "images": f"{max(len(one.points) for one in embeddings):,}",
        "neighbours": embeddings[0].neighbours,
        "classes": [(name, *_look(label)) for label, name in enumerate(names)],
        "panels": [
            {
                **_named(view, one.variant),
                "figures": [
                    ("neighbours", _text(one.figures, "neighbour_accuracy", 100, 1, " %")),
                    ("silhouette", _text(one.figures, "silhouette", 1, 2)),
                    ("trustworthiness", _text(one.figures, "trustworthiness", 1, 2)),
                    ("agreement", _text(one.figures, "agreement", 100, 1, " %")),
                ],
                "paths": list(_paths(one)),
            }
            for one in embeddings
        ],
    }


def _look(label: int) -> tuple[int, str, bool]:
    """Return the colour of a class, its mark, and whether that is a disc."""
    mark = MARKS[label // COLOURS % len(MARKS)]
    return label % COLOURS, mark, mark == MARKS[0]


def _paths(one: Embedding) -> Iterator[tuple[int, bool, str]]:
    """Yield by class its colour, whether its marks are discs, and where they are, as the path of an SVG.

    Marks of a class are one path of whole numbers, which takes a fifth of the room of a circle each.
    """
    low, high = one.points.min(axis=0, initial=np.inf), one.points.max(axis=0, initial=-np.inf)
    scale = (SIDE - 2 * _MARGIN) / max((high - low).max(), 1e-9)
    centred = np.rint(SIDE / 2 + scale * (one.points - (low + high) / 2)).astype(int)
    for label in np.unique(one.labels).tolist():
        colour, mark, disc = _look(label)
        own = centred[one.labels == label]
        # The second axis of an SVG goes down.
        yield colour, disc, "".join(f"M{x} {SIDE - y}{mark}" for x, y in own.tolist())


def _grid(view: View, maps: Sequence[ActivationMaps], samples: int) -> dict[str, Any]:
    """Return the samples of a network: a column an image, a row a variant."""
    columns = list(dict.fromkeys(sample.image for one in maps for sample in one.samples))[:samples]
    labels = {sample.image: sample.label for one in maps for sample in one.samples}
    return {
        "of": ", ".join(_network(maps[0])),
        "layer": layers_of(maps),
        "images": [(address(image), labels[image]) for image in columns],
        "rows": [
            {
                **_named(view, one.variant),
                "correlation": _text(one.figures, "gradcam_correlation", 1, 2),
                "cells": [_cell(one, image) for image in columns],
            }
            for one in maps
        ],
    }


def _cell(one: ActivationMaps, image: str) -> dict[str, Any] | None:
    """Return what a variant sees in an image, ``None`` where it was not asked."""
    sample = next((sample for sample in one.samples if sample.image == image), None)
    if sample is None:
        return None
    return {
        "predicted": sample.predicted,
        "right": sample.predicted == sample.label,
        "confidence": f"{sample.confidence:.0%}".replace("%", " %"),
        "gradcam": address(sample.gradcam),
        "guided": address(sample.guided),
    }


def _named(view: View, variant: Variant) -> dict[str, Any]:
    shown = Shown(variant.dataset, variant.model, variant.technique)
    return {"variant": shown, "linked": shown.key in view.places}


def _text(figures: Mapping[str, float], name: str, factor: float, decimals: int, unit: str = "") -> str:
    """Return a figure in words, with a true minus."""
    if name not in figures:
        return ABSENT
    return f"{factor * figures[name]:.{decimals}f}{unit}".replace("-", "−")


def _pictures(maps: Sequence[ActivationMaps], samples: int) -> Iterator[str]:
    """Yield what a page has of so many samples: an image once, its maps by each variant."""
    images = {sample.image for one in maps for sample in one.samples[:samples]}
    yield from images
    for one in maps:
        for sample in one.samples[:samples]:
            yield from _maps_of(sample)


def _maps_of(sample: Sample) -> tuple[str, str]:
    return sample.gradcam, sample.guided
