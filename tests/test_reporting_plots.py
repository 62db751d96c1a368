"""The Pareto plot shows every variant that has its figures, legibly."""

from __future__ import annotations

import subprocess
import sys
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text

from benchmarks.techniques import TECHNIQUES
from reporting.drawing import KINDS, save
from reporting.labels import Box, place
from reporting.metrics import SUMMARY
from reporting.pareto import pareto_optimal
from reporting.plots import draw_pareto


def summary_of(variants: int, datasets: int = 1, models: int = 1, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    names = list(TECHNIQUES)[:variants]
    rows = [
        {
            "dataset": f"data-{dataset}",
            "model": f"model-{model}",
            "code": TECHNIQUES[name].code,
            "technique": name,
            "accuracy": rng.uniform(0.6, 0.95),
            "mce": 100 if name == "original" else 100 * np.exp(rng.normal(0, 0.25)),
            "relative_mce": 100.0,
            "compression_ratio": 1 if name == "original" else rng.uniform(1.5, 10),
            "zipped_bytes": 1000,
            "file_bytes": 1100,
        }
        for dataset in range(datasets)
        for model in range(models)
        for name in names
    ]
    summary = pd.DataFrame(rows, columns=SUMMARY)
    return summary.assign(pareto=pareto_optimal(summary))


def labels_of(figure: Figure) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts if isinstance(text, Annotation)]


@pytest.mark.parametrize("models", [1, 3])
def test_every_variant_is_labelled_with_its_number(models: int) -> None:
    figure = draw_pareto(summary_of(16, models=models))
    assert sorted(labels_of(figure), key=int) == [str(code) for code in range(1, 17) for _ in range(models)]


@pytest.mark.parametrize("models", [1, 3])
def test_labels_do_not_cover_each_other(models: int) -> None:
    figure = draw_pareto(summary_of(16, models=models))
    renderer = FigureCanvasAgg(figure).get_renderer()
    for text in figure.axes[0].texts:
        text.update_positions(renderer)
    # Of the text alone: an annotation's own extent has its hair line in it.
    boxes = [Text.get_window_extent(text, renderer) for text in figure.axes[0].texts]
    overlaps = [
        (one.get_text(), other.get_text())
        for (one, box), (other, another) in combinations(zip(figure.axes[0].texts, boxes, strict=True), 2)
        if box.padded(-1.5).overlaps(another.padded(-1.5))
    ]
    assert overlaps == []


def test_each_data_set_has_a_panel() -> None:
    figure = draw_pareto(summary_of(3, datasets=3))
    titles = [axes.get_legend().get_title().get_text() for axes in figure.axes if axes.get_legend()]
    assert titles == ["data-0", "data-1", "data-2"]


def test_originals_stand_side_by_side() -> None:
    figure = draw_pareto(summary_of(1, models=3))
    places = {tuple(np.round(text.xy, 6)) for text in figure.axes[0].texts}
    assert len(places) == 3


def test_a_single_point_is_drawn() -> None:
    assert labels_of(draw_pareto(summary_of(16).tail(1))) == ["16"]


def test_a_variant_without_its_figures_has_no_place() -> None:
    summary = summary_of(3)
    summary.loc[1, "mce"] = np.nan
    assert labels_of(draw_pareto(summary)) == ["1", "3"]


def test_a_variant_without_accuracy_is_drawn_without_colour() -> None:
    figure = draw_pareto(summary_of(2).assign(accuracy=np.nan, pareto=pd.NA))
    assert labels_of(figure) == ["1", "2"]
    assert len(figure.axes) == 1


@pytest.mark.parametrize("variants", [0, 3])
def test_a_figure_of_nothing_says_so(variants: int) -> None:
    figure = draw_pareto(summary_of(variants).assign(compression_ratio=np.nan))
    assert "Nothing to draw" in figure.texts[0].get_text()
    assert save(figure, "png").startswith(b"\x89PNG")


def test_a_network_without_errors_is_drawn_at_the_edge() -> None:
    summary = summary_of(2)
    summary.loc[1, "mce"] = 0.0
    assert labels_of(draw_pareto(summary)) == ["1", "2"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_figures_give_the_same_file(kind) -> None:
    first, second = (save(draw_pareto(summary_of(5)), kind) for _ in range(2))
    assert first == second


def test_an_svg_tells_neither_date_nor_program() -> None:
    text = save(draw_pareto(summary_of(2)), "svg").decode()
    assert "dc:date" not in text
    assert "Matplotlib v" not in text


def test_a_pdf_tells_neither_date_nor_program() -> None:
    content = save(draw_pareto(summary_of(2)), "pdf")
    assert b"CreationDate" not in content
    assert b"atplotlib" not in content


def test_drawing_leaves_pyplot_alone() -> None:
    code = "import sys, reporting.plots; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 400), st.floats(0, 300)), min_size=1, max_size=12))
def test_labels_stay_in_their_frame(points: list[tuple[float, float]]) -> None:
    frame = Box(200, 150, 440, 340)
    boxes = place(np.array(points), [(12.0, 8.0)] * len(points), 8.0, frame)
    assert [box.overlap(frame) for box in boxes] == pytest.approx([96.0] * len(points))


def test_a_lone_label_is_up_and_to_the_right() -> None:
    [box] = place(np.array([[50.0, 50.0]]), [(10.0, 8.0)], 8.0, Box(50, 50, 100, 100))
    assert box.x > 50
    assert box.y > 50
    assert box.overlap(Box(50, 50, 8, 8)) == 0


def test_overlap_is_the_common_area() -> None:
    assert Box(0, 0, 4, 2).overlap(Box(1, 1, 4, 2)) == 3
    assert Box(0, 0, 2, 2).overlap(Box(5, 0, 2, 2)) == 0
    assert Box(0, 0, 2, 2).overlap(Box(0, 0, 100, 100)) == 4
