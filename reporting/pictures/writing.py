"""The figures of a report as files, with the same look in every kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from matplotlib.figure import Figure

from reporting.drawing import KINDS, save
from reporting.explained import ActivationMaps, Embedding
from reporting.files import remove_others, write_bytes
from reporting.frames import CLEAN
from reporting.pictures.activation_grid import draw_activation_grid
from reporting.pictures.embedding_maps import draw_embeddings
from reporting.pictures.latency_plot import draw_latency
from reporting.pictures.severity_curves import draw_severity_curves, worth_drawing
from reporting.pictures.weather_map import draw_weather_map
from reporting.plots import NARROW, draw_pareto
from reporting.sheets import distinct, file_name

if TYPE_CHECKING:
    from reporting.report import Report

#: How the names of a report's figures begin; what follows says of what they are.
STEMS = ("pareto", "weather-map", "severity-curves", "latency", "embedding", "activation-maps")

#: Dots per inch; finer than other pictures, since these are only as wide as a column of text.
_DPI = 300


@dataclass(frozen=True)
class Picture:
    """A figure under the ``name`` of its files, and how it is drawn."""

    name: str
    draw: Callable[[], Figure]


def write_pictures(report: Report, out: Path, pareto: Mapping[str, bytes]) -> list[Path]:
    """Write the figures of ``report`` into ``out``, return the files; ``pareto`` is that plot by kind.

    The weather maps and explanations are written for every report, the others ``with_paper`` alone, all in
    the kinds of ``pareto``.  Figures that an earlier run has left there and this one does not have are
    removed.
    """
    others = _others(report) if report.with_paper else ()
    pictures = [*_weather_maps(report), *_explanations(report), *others]
    written = [write_bytes(out / f"pareto.{kind}", content) for kind, content in pareto.items()]
    names = distinct(["pareto", *(picture.name for picture in pictures)])[1:]
    for picture, name in zip(pictures, names, strict=True):
        figure = picture.draw()
        written += [write_bytes(out / f"{name}.{kind}", save(figure, kind, _DPI)) for kind in pareto]
    remove_others(out, written, STEMS, KINDS)
    return written


def _weather_maps(report: Report) -> Iterator[Picture]:
    """Yield a map per data set and model of what should have been measured, if any CE is known."""
    expected = report.expected[report.expected["corruption"] != CLEAN]
    for (dataset, model), wanted in expected.groupby(["dataset", "model"]):
        ce = report.corruption_errors.query("dataset == @dataset and model == @model")
        ce = ce.droplevel(["dataset", "model"]).reindex(
            index=wanted["technique"].unique(), columns=wanted["corruption"].unique()
        )
        if ce.notna().any(axis=None):
            mce = _of(report, dataset, model).set_index("technique")["mce"]
            draw = partial(draw_weather_map, ce, mce, report.families, f"{dataset}, {model}")
            yield Picture(file_name("weather-map", dataset, model), draw)


def _explanations(report: Report) -> Iterator[Picture]:
    """Yield the embeddings and the samples of activation maps, each of one network."""
    for (dataset, model), some in groupby(report.embeddings, _network):
        draw = partial(draw_embeddings, list(some), f"{dataset}, {model}")
        yield Picture(file_name("embedding", dataset, model), draw)
    with_samples = (one for one in report.maps if one.samples)
    for (dataset, model), maps in groupby(with_samples, _network):
        grid = partial(draw_activation_grid, list(maps), f"{dataset}, {model}")
        yield Picture(file_name("activation-maps", dataset, model), grid)


def _network(one: Embedding | ActivationMaps) -> tuple[str, str]:
    return one.variant.dataset, one.variant.model


def _others(report: Report) -> Iterator[Picture]:
    """Yield the other figures, as far as there is something to draw."""
    if report.summary[["mce", "compression_ratio"]].notna().all(axis=1).any():
        yield Picture("pareto-column", partial(draw_pareto, report.summary, NARROW))
    corrupted = report.results[report.results["corruption"] != CLEAN]
    for (dataset, model), cells in corrupted.groupby(["dataset", "model"]):
        own = _of(report, dataset, model)
        few = worth_drawing(own[own["technique"].isin(cells["technique"])])
        draw = partial(draw_severity_curves, cells, few, report.families, f"{dataset}, {model}")
        yield Picture(file_name("severity-curves", dataset, model), draw)
    for dataset, latency in report.latency.groupby("dataset"):
        yield Picture(file_name("latency", dataset), partial(draw_latency, latency, str(dataset)))


def _of(report: Report, dataset: object, model: object) -> pd.DataFrame:
    """Return the summary of one model."""
    summary = report.summary
    return summary[(summary["dataset"] == dataset) & (summary["model"] == model)]
