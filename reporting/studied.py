"""The tables of the study of explanations and attacks, in the manner of :mod:`reporting.contents`.

Its Table I is the cost of each variant, its Table II what attacks do to it; the figures of its pictures stand
in two more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from reporting.contents import beside_each_other
from reporting.frames import VARIANT
from reporting.layout import Table
from reporting.sheets import Sheet, file_name
from reporting.tables import ABSENT, codes, figures, margins, titles

#: How the names of these sheets begin.
STEMS = ("costs", "attacks", "embedding", "activation-maps")

#: The study's Table I tells the time of so many inferences.
INFERENCES = 10_000

#: The ways of an attack as a table has them.
WAYS: Mapping[str, str] = {"own": "own", "twin": "twin", "transferred": "transfer"}

_ATTACK_NOTE = (
    "Accuracy and confidence before and after, in %; ± is the larger side of the interval. Way: through the "
    "gradients of the deployed file itself (own), of the Keras network that stands for it (twin), or with "
    "the images made on the original (transfer); all are judged on the deployed file. s: seconds per image. "
    "L2: mean norm of the change of the images fooled, pixels from 0 to 1. Fooled: of the images that were "
    "right before. Masked: this way fools significantly more images than the own gradients, which therefore "
    "hide and do not protect."
)


def costs_of(summary: pd.DataFrame, sizes: pd.DataFrame, samples: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each variant of the ``summary`` whose inferences were timed: its accuracy with its
    interval, ``file_bytes``, ``inferences`` (how many were timed) and ``seconds``, the time of
    :data:`INFERENCES` by their mean.
    """
    times = samples.groupby(VARIANT)["seconds"].agg(inferences="size", seconds="mean").reset_index()
    costs = summary[[*VARIANT, "accuracy", "accuracy_low", "accuracy_high", "accuracy_drop"]]
    costs = costs.merge(sizes[[*VARIANT, "file_bytes"]], on=VARIANT).merge(times, on=VARIANT)
    return costs.assign(seconds=INFERENCES * costs["seconds"])


def cost_sheets(summary: pd.DataFrame, sizes: pd.DataFrame, samples: pd.DataFrame) -> Iterator[Sheet]:
    """Yield the study's Table I by data set: accuracy, size of the file, time of :data:`INFERENCES`.

    ``samples`` are the single inferences (:func:`reporting.frames.samples_of`).
    """
    costs = costs_of(summary, sizes, samples)
    shown = costs[VARIANT].assign(
        Acc=margins(costs, "accuracy", 2, 100),
        KiB=figures(costs["file_bytes"] / 1024, 1),
        s=figures(costs["seconds"], 1),
    )
    what = f"accuracy in %, size of the file, seconds for {INFERENCES:,} inferences"
    for dataset, rows in costs.groupby("dataset"):
        own = shown[shown["dataset"] == dataset]
        yield from beside_each_other("costs", rows, own, what, _how_timed(rows["inferences"]))


def _how_timed(inferences: pd.Series[int]) -> str:
    """Return how the time was found, from how many inferences of each variant were timed."""
    alone = "One image at a time on one thread, alone on the machine"
    few, many = inferences.min(), inferences.max()
    if few >= INFERENCES:
        return f"{alone}; all {INFERENCES:,} were timed."
    counted = f"{few:,}" if few == many else f"{few:,} to {many:,}"
    return f"{alone}; extrapolated from the mean of {counted}."


def attack_sheets(attacked: pd.DataFrame) -> Iterator[Sheet]:
    """Yield the study's Table II for each data set, network and attack: a row per technique and way."""
    for (dataset, model, attack), rows in attacked.groupby(["dataset", "model", "attack"]):
        first = ~rows.duplicated("technique")
        shown = {
            "#": _once(codes(rows["technique"]), first),
            "Technique": _once(titles(rows["technique"]), first),
            "Way": [WAYS[way] for way in rows["way"]],
            "Accuracy": _before_and_after(rows["accuracy_before"], rate_texts(rows, "accuracy_after")),
            "Confidence": _before_and_after(
                rows["confidence_before"], figures(100 * rows["confidence_after"], 1)
            ),
            "s": seconds_texts(rows["seconds_per_image"]),
            "L2": figures(rows["l2_mean"], 2),
            "Fooled": rate_texts(rows, "success"),
            "Masked": ["yes" if beats else "" for beats in rows["beats_own"]],
        }
        of = f"{rows['method'].iloc[0]}, {rows['images'].max():,} images"
        title = f"{dataset}, {model}: attacked by {attack} ({of})"
        table = Table(title, pd.DataFrame(shown), words=3, note=_ATTACK_NOTE)
        yield Sheet(file_name("attacks", dataset, model, attack), rows, table)


def embedding_sheets(embeddings: pd.DataFrame) -> Iterator[Sheet]:
    """Yield the figures of the embeddings of each network (:func:`reporting.explained.embedding_figures`)."""
    for (dataset, model), rows in embeddings.groupby(["dataset", "model"]):
        shown = {
            "#": codes(rows["technique"]),
            "Technique": titles(rows["technique"]),
            "Neighbours %": figures(100 * rows["neighbour_accuracy"], 1),
            "Silhouette": figures(rows["silhouette"], 3),
            "Trustworthiness": figures(rows["trustworthiness"], 3),
            "Agreement %": figures(100 * rows["agreement"], 1),
        }
        note = (
            f"A map by t-SNE of {rows['images'].max():,} images. Neighbours: how often the "
            f"{rows['neighbours'].max()} nearest tell the class. Agreement: of the explained network with "
            "the deployed file."
        )
        table = Table(f"{dataset}, {model}: embedding", pd.DataFrame(shown), words=2, note=note)
        yield Sheet(file_name("embedding", dataset, model), rows, table)


def map_sheets(maps: pd.DataFrame) -> Iterator[Sheet]:
    """Yield the figures of the activation maps of each network (:func:`reporting.explained.map_figures`)."""
    for (dataset, model), rows in maps.groupby(["dataset", "model"]):
        shown = {
            "#": codes(rows["technique"]),
            "Technique": titles(rows["technique"]),
            "Correlation\nGrad-CAM": with_margins(rows, "gradcam_correlation", 3),
            "Correlation\nguided": with_margins(rows, "guided_correlation", 3),
            "Area\ndeletion": with_margins(rows, "deletion_auc", 3),
            "Area\ninsertion": with_margins(rows, "insertion_auc", 3),
            "Agreement %": figures(100 * rows["agreement"], 1),
        }
        note = (
            f"Correlation: mean over {rows['images'].max():,} images of the rank correlation with the map "
            "of the original. Area under the score while the pixels that matter most go (deletion, less is "
            "better) or come (insertion, more is better). ± is the larger side of the interval."
            + _constant(rows)
        )
        table = Table(f"{dataset}, {model}: activation maps", pd.DataFrame(shown), words=2, note=note)
        yield Sheet(file_name("activation-maps", dataset, model), rows, table)


def _constant(rows: pd.DataFrame) -> str:
    """Return in a sentence how many maps have no correlation, which counts as none."""
    most = rows["constant"].max()
    if not most:
        return ""
    return (
        f" Up to {most:,} Grad-CAM maps of a variant have one value throughout, as where the last "
        "convolution sees the whole image at once; they have no ranks and count as 0."
    )


def _once(texts: Sequence[str], first: pd.Series[bool]) -> list[str]:
    return [text if show else "" for text, show in zip(texts, first, strict=True)]


def _before_and_after(before: pd.Series[float], after: Sequence[str]) -> list[str]:
    return [f"{one} → {other}" for one, other in zip(figures(100 * before, 1), after, strict=True)]


def rate_texts(rows: pd.DataFrame, name: str) -> list[str]:
    """Return a rate in per cent with the larger side of its interval, where that is known and not a point."""
    ends = [name, f"{name}_low", f"{name}_high"]
    return with_margins(100 * rows[ends], name, 1)


def with_margins(rows: pd.DataFrame, name: str, decimals: int) -> list[str]:
    """Return a figure with the larger side of its interval, where that is known and not a point."""
    value, low, high = (rows[end] for end in (name, f"{name}_low", f"{name}_high"))
    width = pd.concat([value - low, high - value], axis=1).max(axis=1)
    signs = [f" ±{side:.{decimals}f}" if side > 0 else "" for side in width]
    return [text + sign for text, sign in zip(figures(value, decimals), signs, strict=True)]


def seconds_texts(seconds: pd.Series[float]) -> list[str]:
    """Return times in seconds with three significant digits, ``–`` where one is absent."""
    return [ABSENT if pd.isna(time) else f"{time:#.3g}".rstrip(".") for time in seconds]
