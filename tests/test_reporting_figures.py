"""The paper's figures show every image and every technique, legibly, and are the same for the same run."""

from __future__ import annotations

import base64
import io
from itertools import combinations

import numpy as np
import PIL.Image
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from benchmarks.cases import STANDARD_CORRUPTIONS, Case, Variant
from benchmarks.results import Cell, Record
from benchmarks.techniques import ORIGINAL_STUDY, PRETRAINED_STUDY, TECHNIQUES, Claims, Technique, of_studies
from reporting.drawing import COLUMN, KINDS, save
from reporting.paper.corruptions_figure import draw_corruptions
from reporting.paper.examples import Examples, examples_of
from reporting.paper.techniques_figure import draw_techniques


def png(image: np.ndarray) -> str:
    file = io.BytesIO()
    PIL.Image.fromarray(image).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def image_of(*place: int, shape: tuple[int, ...] = (6, 8, 3)) -> np.ndarray:
    return np.random.default_rng(place).integers(0, 256, shape, np.uint8)


def records(corruptions=("fog", "snow"), severities=(1, 2, 3), dataset="d", model="m") -> list[Record]:
    variant = Variant(dataset, model, "original")
    return [
        Record(Case(variant, "accuracy"), (Cell("clean", 0, 9, 1),), details={"example": [png(image_of(0))]}),
        *(
            Record(
                Case(variant, "robustness", name, "any"),
                tuple(Cell(name, severity, 9, 2) for severity in severities),
                details={"example": [png(image_of(number, severity)) for severity in severities]},
            )
            for number, name in enumerate(corruptions, start=1)
        ),
        Record(Case(Variant(dataset, model, "int8"), "accuracy"), (Cell("clean", 0, 9, 1),)),
    ]


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def graph(*more: tuple[str, str, str, Claims]) -> dict[str, Technique]:
    """Return the graph of the first study with more nodes: name, title, parent, claims."""
    added = {
        name: Technique(
            code, name, title, parent, "convert_int8" if claims.int8 else name, claims, frozenset()
        )
        for code, (name, title, parent, claims) in enumerate(more, start=len(ORIGINAL_STUDY) + 1)
    }
    return {**{name: TECHNIQUES[name] for name in ORIGINAL_STUDY}, **added}


def frames(figure: Figure) -> list[FancyBboxPatch]:
    """Return the frames of the techniques; those of the legend are smaller."""
    every = [patch for patch in figure.axes[0].patches if isinstance(patch, FancyBboxPatch)]
    return [frame for frame in every if frame.get_width() > 20]


def test_examples_are_the_images_of_the_records() -> None:
    [examples] = examples_of(records())
    assert examples.corruptions == ["fog", "snow"]
    assert np.array_equal(examples.images["clean", 0], image_of(0))
    assert np.array_equal(examples.images["snow", 3], image_of(2, 3))


def test_a_grey_image_has_three_equal_channels() -> None:
    grey = image_of(0, shape=(5, 5))
    record = Record(
        Case(Variant("d", "m", "original"), "robustness", "fog", "any"),
        (Cell("fog", 1, 9, 2),),
        details={"example": [png(grey)]},
    )
    [examples] = examples_of([record])
    assert np.array_equal(examples.images["fog", 1], np.stack([grey] * 3, axis=-1))


def test_models_share_the_images_of_their_data_set() -> None:
    [examples] = examples_of(records(model="a") + records(model="b"))
    assert len(examples.images) == 7


@pytest.mark.parametrize("of", [[], records()[:1], records()[-1:]], ids=["nothing", "only-clean", "none"])
def test_without_corrupted_images_there_is_no_example(of: list[Record]) -> None:
    assert examples_of(of) == ()


def test_figure_1_has_an_image_for_every_corruption_and_severity_beside_the_clean_one() -> None:
    figure = draw_corruptions(examples_of(records()))
    drawn = [np.asarray(image.get_array()) for image in figure.axes[0].images]
    assert len(drawn) == 2 * (1 + 3)
    for number in (1, 2):
        for severity in (1, 2, 3):
            assert sum(np.array_equal(image, image_of(number, severity)) for image in drawn) == 1
    assert sum(np.array_equal(image, image_of(0)) for image in drawn) == 2


def test_figure_1_names_corruptions_in_the_standard_order_and_others_after_it() -> None:
    [examples] = examples_of(records(("my_own", "snow", "gaussian_noise")))
    names = [text for text in texts(draw_corruptions([examples])) if " " in text or text == "snow"]
    assert names == ["gaussian noise", "snow", "my own"]


def test_figure_1_fills_a_column_of_text() -> None:
    figure = draw_corruptions(examples_of(records(STANDARD_CORRUPTIONS, (1, 2, 3, 4, 5))))
    assert figure.get_size_inches()[0] == pytest.approx(COLUMN)


def test_figure_1_sets_data_sets_beside_each_other() -> None:
    figure = draw_corruptions(examples_of(records() + records(("fog",), (1, 5), dataset="other")))
    assert [text for text in texts(figure) if text in ("d", "other")] == ["d", "other"]
    assert len(figure.axes[0].images) == 2 * 4 + 1 * 3


def test_figure_1_does_without_a_clean_image() -> None:
    figure = draw_corruptions(examples_of(records()[1:]))
    assert "clean" not in texts(figure)
    assert len(figure.axes[0].images) == 2 * 3


def test_images_lie_beside_each_other_and_their_names() -> None:
    figure = draw_corruptions(examples_of(records(("a_corruption_with_quite_a_long_$name$", "fog"))))
    axes, renderer = figure.axes[0], FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    boxes = [image.get_window_extent(renderer) for image in axes.images]
    boxes += [text.get_window_extent(renderer) for text in axes.texts]
    assert not [
        pair for pair in combinations(boxes, 2) if pair[0].padded(-0.5).overlaps(pair[1].padded(-0.5))
    ]
    assert all(figure.bbox.padded(1).contains(*corner) for box in boxes for corner in box.get_points())


def test_figure_2_has_a_frame_with_number_title_and_step_for_every_technique() -> None:
    figure = draw_techniques(())
    written = " ".join(texts(figure))
    assert len(frames(figure)) == len(ORIGINAL_STUDY)
    for technique in map(TECHNIQUES.__getitem__, ORIGINAL_STUDY):
        assert rf"$\mathbf{{{technique.code}}}$" in written
        assert technique.step in written
    for title in ("Original", "Sparsity- preserving clustering", "PCQAT", "Quantization Int8"):
        assert title in written


def test_figure_2_fills_what_was_measured_and_outlines_the_rest() -> None:
    figure = draw_techniques({"original", "int8", "pqat"})
    colours = [to_hex(frame.get_facecolor()) for frame in frames(figure)]
    assert colours.count("#ffffff") == len(ORIGINAL_STUDY) - 3
    assert len(set(colours)) == 3  # float and int8 differ


def test_figure_2_is_of_the_studies_that_were_measured() -> None:
    assert len(frames(draw_techniques({"original", "ablated"}))) == len(PRETRAINED_STUDY)
    assert len(frames(draw_techniques({"int8", "ablated"}))) == len(TECHNIQUES)


def test_figure_2_grows_with_the_graph() -> None:
    techniques = graph(
        ("l1_pruned", "L1 filter pruning", "original", Claims()),
        ("ablated", "Layer ablation", "original", Claims()),
        ("ablated_int8", "Layer ablation + Int8", "ablated", Claims(int8=True)),
        ("deeper", "One generation more", "pcqat", Claims()),
    )
    figure = draw_techniques((), techniques)
    assert len(frames(figure)) == len(techniques)
    assert figure.get_size_inches()[0] > COLUMN
    assert "L1 filter" in " ".join(texts(figure))


@pytest.mark.parametrize(
    "techniques",
    [
        graph(),
        graph(("weight_quantized", "Weight quantization of a kind", "original", Claims())),
        of_studies({"ablated"}),
        TECHNIQUES,
    ],
    ids=["the-sixteen", "one-more", "the-second-study", "both"],
)
def test_frames_of_figure_2_do_not_touch_and_hold_what_is_written(techniques) -> None:
    figure = draw_techniques(set(TECHNIQUES), techniques)
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    boxes = [frame.get_window_extent(renderer) for frame in frames(figure)]
    assert not [pair for pair in combinations(boxes, 2) if pair[0].overlaps(pair[1])]
    assert figure.get_size_inches()[0] <= COLUMN + 1e-6
    for text in figure.axes[0].texts:
        place = text.get_window_extent(renderer)
        inside = [box for box in boxes if box.overlaps(place)]
        for box in inside:
            assert box.x0 <= place.x0
            assert place.x1 <= box.x1
            assert box.y0 <= place.y0
            assert place.y1 <= box.y1
        assert figure.bbox.padded(1).contains(*place.min)
        assert figure.bbox.padded(1).contains(*place.max)


def test_a_graph_of_an_original_alone_is_drawn() -> None:
    figure = draw_techniques({"original"}, {"original": TECHNIQUES["original"]})
    assert len(frames(figure)) == 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("draw", ["corruptions", "techniques"])
def test_the_same_run_gives_the_same_file(draw: str, kind: str) -> None:
    def made() -> bytes:
        if draw == "corruptions":
            return save(draw_corruptions(examples_of(records())), kind)
        return save(draw_techniques({"original", "pqat"}), kind)

    assert made() == made()


def test_a_dollar_in_a_name_is_no_formula() -> None:
    techniques = graph(("priced", "Costs $5 and $\\x$", "original", Claims()))
    examples = [Examples("a $\\b$", {("my_$\\c$", 1): image_of(1)}), Examples("d", {("fog", 1): image_of(2)})]
    assert save(draw_techniques((), techniques), "png").startswith(b"\x89PNG")
    assert save(draw_corruptions(examples), "png").startswith(b"\x89PNG")
