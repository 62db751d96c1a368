"""The figures of embeddings and activation maps are legible, whatever was explained."""

from __future__ import annotations

import base64
import io

import numpy as np
import PIL.Image
import pytest
from made_studies import CLASSES, embedding_record, maps_record
from test_pictures import LONG, TITLE, assert_legible, texts_of

from benchmarks.cases import Variant
from benchmarks.sections import Statistics
from benchmarks.techniques import TECHNIQUES
from reporting.drawing import KINDS, save
from reporting.explained import ActivationMaps, Embedding, Sample, embeddings_of, maps_of
from reporting.pictures.activation_grid import draw_activation_grid
from reporting.pictures.embedding_maps import draw_embeddings


def embeddings(*techniques: str, **changes: object) -> tuple[Embedding, ...]:
    return embeddings_of(embedding_record(Variant("d", "m", name), 40, **changes) for name in techniques)


def maps(*techniques: str, samples: int = 2) -> tuple[ActivationMaps, ...]:
    records = (maps_record(Variant("d", "m", name), samples=samples) for name in techniques)
    return maps_of(records, Statistics(), seed=1)


def test_each_variant_has_a_panel_with_its_figures_in_the_order_of_techniques() -> None:
    texts = texts_of(draw_embeddings(embeddings("int8", "original"), "d, m"))
    assert [text for text in texts if text.startswith("#")] == ["#1 Original", "#2 Quantization Int8"]
    assert texts.count("neighbours 83.0 %, silhouette 0.21") == 2
    assert texts.count("trustworthiness 0.97") == 2


def test_every_point_is_drawn_and_every_class_named() -> None:
    figure = draw_embeddings(embeddings("original", "int8"), "d, m")
    points = [line for line in figure.axes[0].lines if len(line.get_xdata()) > 1]  # type: ignore[arg-type]
    assert sum(len(line.get_xdata()) for line in points) == 2 * 40  # type: ignore[arg-type]
    assert set(CLASSES) <= set(texts_of(figure))
    looks = {(line.get_color(), line.get_marker()) for line in points}
    assert len(looks) == len(CLASSES)


def test_points_stay_in_their_panel() -> None:
    figure = draw_embeddings(embeddings("original", points=[[0, 0], [900, 20]] * 20), "d, m")
    [frame] = figure.axes[0].patches
    (left, top), (right, bottom) = frame.get_path().vertices[[0, 2]]  # type: ignore[attr-defined]
    for line in figure.axes[0].lines:
        if len(line.get_xdata()) > 1:  # type: ignore[arg-type]
            x, y = line.get_xdata(), line.get_ydata()
            assert np.all((x > left) & (x < right) & (y > top) & (y < bottom))


def test_points_that_are_all_one_are_drawn() -> None:
    assert_legible(draw_embeddings(embeddings("original", points=[[1, 1]] * 40), "d, m"))


@pytest.mark.parametrize(
    "techniques", [("original",), ("original", "int8", "sparse_clustered_int8"), tuple(TECHNIQUES), (LONG,)]
)
def test_embeddings_are_legible_whatever_the_variants(techniques: tuple[str, ...]) -> None:
    assert_legible(
        draw_embeddings(embeddings(*techniques, class_names=[f"{name} {LONG}" for name in CLASSES]), TITLE)
    )


@pytest.mark.parametrize("samples", [1, 5, 9])
@pytest.mark.parametrize("techniques", [("original",), tuple(TECHNIQUES), (LONG, "original")])
def test_grids_are_legible_whatever_the_variants(techniques: tuple[str, ...], samples: int) -> None:
    assert_legible(draw_activation_grid(maps(*techniques, samples=samples), TITLE))


def test_a_grid_has_each_image_once_and_two_maps_of_each_variant() -> None:
    figure = draw_activation_grid(maps("original", "int8", samples=3), "d, m")
    assert len(figure.axes[0].images) == 3 + 2 * 2 * 3
    texts = texts_of(figure)
    assert [text for text in texts if text in CLASSES] == ["cat", "dog", "ship"]
    assert texts.count("ship 80 %") == 2


def test_a_picture_keeps_its_proportions() -> None:
    buffer = io.BytesIO()
    PIL.Image.new("RGB", (40, 20)).save(buffer, "PNG")
    picture = base64.b64encode(buffer.getvalue()).decode()
    sample = Sample("cat", "cat", 0.9, picture, picture, picture)
    figure = draw_activation_grid(
        [ActivationMaps(Variant("d", "m", "original"), "c", 1, 0, {}, (sample,))], "d"
    )
    for image in figure.axes[0].images:
        left, right, bottom, top = image.get_extent()
        assert (right - left) == pytest.approx(2 * (bottom - top))


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_explanations_give_the_same_file(kind: str) -> None:
    for draw in (
        lambda: draw_embeddings(embeddings("original", "int8"), "d, m"),
        lambda: draw_activation_grid(maps("original", "int8"), "d, m"),
    ):
        assert save(draw(), kind) == save(draw(), kind)
