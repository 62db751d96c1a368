"""What explanations came to, from the records of a run: maps of embeddings, and class activation maps.

An *embedding* is where t-SNE puts the first dense layer's outputs for images of a few classes.  Its figures:
``neighbour_accuracy``, how often the nearest neighbours of an image tell its class; ``silhouette``, how far
apart classes lie (-1 to 1); ``trustworthiness``, how far neighbours on the map are neighbours in the layer.
*Activation maps* tell which pixels a class rests on.  Their figures: the mean rank correlation of Grad-CAM
maps and of guided backpropagation with the original's of the same images (-1 to 1), and the areas under the
score of the class while the pixels go that matter most (deletion: less is better) or come (insertion: more).
Means over images have an interval, of the images drawn again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.cases import Variant
from benchmarks.results import Record
from benchmarks.sections import Statistics
from reporting.frames import VARIANT, frame, identity
from reporting.metrics import BASELINE
from reporting.tables import class_name, variant_place
from reporting.uncertainty import mean_bounds

#: The figures of an embedding and of activation maps, under the names that a record has for them.
EMBEDDING_FIGURES = ("neighbour_accuracy", "silhouette", "trustworthiness", "agreement")
MAP_FIGURES = ("gradcam_correlation", "guided_correlation", "deletion_auc", "insertion_auc", "agreement")

#: Under which names a record has the numbers, one an image, that these are the means of.
_OF_EACH_IMAGE = MappingProxyType(
    {
        "gradcam_correlation": "correlations",
        "guided_correlation": "guided_correlations",
        "deletion_auc": "deletion_areas",
        "insertion_auc": "insertion_areas",
    }
)

#: Column types: a row per variant; a figure that is not defined is ``NaN``.
EMBEDDINGS: Mapping[str, str] = MappingProxyType(
    dict.fromkeys([*VARIANT, "layer"], "str")
    | {"images": "int64", "neighbours": "int64"}
    | dict.fromkeys(EMBEDDING_FIGURES, "float64")
)
MAPS: Mapping[str, str] = MappingProxyType(
    dict.fromkeys([*VARIANT, "layer"], "str")
    | {"images": "int64", "constant": "int64"}
    | dict.fromkeys(MAP_FIGURES, "float64")
    | dict.fromkeys([f"{name}_{end}" for name in _OF_EACH_IMAGE for end in ("low", "high")], "float64")
)


T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Embedding:
    """The map of one variant: ``points``, float64 (images, 2), and ``labels``, int64 (images,), which are
    indices into ``class_names``.  ``figures`` are by name; ``neighbours`` of each image are looked at.
    """

    variant: Variant
    layer: str
    points: npt.NDArray[np.float64]
    labels: npt.NDArray[np.int64]
    class_names: tuple[str, ...]
    neighbours: int
    figures: Mapping[str, float]


@dataclass(frozen=True)
class Sample:
    """An image with the maps of one variant: its class, what was predicted, and how surely (0 to 1).

    ``image``, ``gradcam`` (laid over it) and ``guided`` are pictures, PNG or WebP files in Base64.
    """

    label: str
    predicted: str
    confidence: float
    image: str
    gradcam: str
    guided: str


@dataclass(frozen=True)
class ActivationMaps:
    """The maps of one variant: the figures of ``images`` of them by name, with the ends of intervals
    (``gradcam_correlation_low``), and ``samples`` to look at.

    ``constant`` of them have one value throughout, or the original's have: no ranks, a correlation of 0.
    """

    variant: Variant
    layer: str
    images: int
    constant: int
    figures: Mapping[str, float]
    samples: tuple[Sample, ...]


def embeddings_of(records: Iterable[Record]) -> tuple[Embedding, ...]:
    """Return the embeddings of ``records``, in the order of variants; of two of a case the later counts."""
    return tuple(_each(records, "embedding", _embedding))


def maps_of(records: Iterable[Record], statistics: Statistics, seed: int) -> tuple[ActivationMaps, ...]:
    """Return the activation maps of ``records``, as :func:`embeddings_of` does.

    Images are drawn again from ``seed`` for each variant, so that an interval is the one of a gate.
    """
    return tuple(_each(records, "activation_maps", partial(_maps, statistics=statistics, seed=seed)))


def embedding_figures(embeddings: Iterable[Embedding]) -> pd.DataFrame:
    """Return the figures of embeddings, types :data:`EMBEDDINGS`."""
    rows = (
        identity(one.variant)
        | {"layer": one.layer, "images": len(one.points), "neighbours": one.neighbours}
        | dict(one.figures)
        for one in embeddings
    )
    return frame(rows, EMBEDDINGS)


def map_figures(maps: Iterable[ActivationMaps]) -> pd.DataFrame:
    """Return the figures of activation maps, types :data:`MAPS`."""
    rows = (
        identity(one.variant)
        | {"layer": one.layer, "images": one.images, "constant": one.constant}
        | dict(one.figures)
        for one in maps
    )
    return frame(rows, MAPS)


def explanation_sentences(embeddings: pd.DataFrame, maps: pd.DataFrame) -> Iterator[str]:
    """Yield which variant keeps least of the original's explanations; nothing without compressed variants.

    The arguments are of :func:`embedding_figures` and :func:`map_figures`.
    """
    lowest = _lowest(maps, "gradcam_correlation")
    if lowest is not None:
        named = "-".join(str(lowest[name]) for name in VARIANT)
        yield (
            "Explanations: Grad-CAM maps correlate with the original's by "
            f"{lowest['gradcam_correlation']:.2f} at least ({named})."
        )
    lowest = _lowest(embeddings, "neighbour_accuracy")
    if lowest is not None:
        named = "-".join(str(lowest[name]) for name in VARIANT)
        yield (
            "Embeddings: the nearest neighbours tell the class of "
            f"{lowest['neighbour_accuracy']:.1%} of the images at least ({named})."
        )


def _lowest(figures: pd.DataFrame, name: str) -> pd.Series[Any] | None:
    """Return the row of the compressed variant with the lowest figure, ``None`` if no one has it."""
    known = figures[figures["technique"] != BASELINE].dropna(subset=[name])
    return known.sort_values(name, kind="stable").iloc[0] if len(known) else None


def _each(records: Iterable[Record], method: str, read: Callable[[Record], T]) -> Iterator[T]:
    by_variant = {
        record.case.variant: record
        for record in records
        if record.case.kind == "explainability" and record.case.method == method
    }
    for variant in sorted(by_variant, key=variant_place):
        yield read(by_variant[variant])


def _embedding(record: Record) -> Embedding:
    details = record.details
    points = np.asarray(details["points"], np.float64).reshape(-1, 2)
    labels = np.asarray(details["labels"], np.int64)
    names = tuple(map(str, details["class_names"]))
    if len(points) != len(labels) or not ((labels >= 0) & (labels < len(names))).all():
        raise ValueError(
            f"expected a label from 0 to {len(names) - 1} for each of {len(points)} points, got "
            f"{len(labels)} from {labels.min(initial=0)} to {labels.max(initial=0)} ({record.case})"
        )
    figures = {name: record.metrics[name] for name in EMBEDDING_FIGURES if name in record.metrics}
    return Embedding(
        record.case.variant, details["layer"], points, labels, names, details["neighbours"], figures
    )


def _maps(record: Record, *, statistics: Statistics, seed: int) -> ActivationMaps:
    details = record.details
    names = details.get("classes", {})
    samples = tuple(
        Sample(
            class_name(value["label"], names),
            class_name(value["predicted"], names),
            float(value["confidence"]),
            value["image"],
            value["gradcam"],
            value["guided"],
        )
        for value in details["samples"]
    )
    figures = {name: record.metrics[name] for name in MAP_FIGURES if name in record.metrics}
    for name, stored in _OF_EACH_IMAGE.items():
        values = np.asarray(details.get(stored, ()), np.float64)
        if name in figures and len(values):
            low, high = mean_bounds(values, record, statistics, seed)
            figures |= {f"{name}_low": low, f"{name}_high": high}
    images = len(details["correlations"])
    constant = details.get("constant", 0)
    return ActivationMaps(record.case.variant, details["layer"], images, constant, figures, samples)


def layers_of(explained: Sequence[Embedding | ActivationMaps]) -> str:
    """Return the layers that variants were explained by, each once: compressing may take out or wrap one."""
    return ", ".join(dict.fromkeys(one.layer for one in explained))
