"""A compressed variant's record tells what it forgot of what its original knows, with pictures."""

from __future__ import annotations

import base64
import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from benchmarks.cases import Case, Variant
from benchmarks.suite import load_suite
from fixtures import pictures
from fixtures.corruptions import corrupt
from fixtures.datasets import Split, load_dataset
from fixtures.forgetting import forgotten
from fixtures.known import known_names
from fixtures.measuring import measure_mce, measure_predictions
from fixtures.measuring_sequentially import measure_until_certain
from fixtures.store import Recipe, Store
from fixtures.workshop import Predictions, Workshop

ORIGINAL, INT8 = (Variant("digits", "vgg6", technique) for technique in ("original", "int8"))
OTHER_ORIGINAL = Variant("digits", "resnet50", "original")
CLEAN, FOG = Case(INT8, "accuracy"), Case(INT8, "robustness", "fog", "weather")

#: What WebP loses of a picture of the digits, in levels of 255 on average over its pixels.
LOSS = 4


def decoded(text: str) -> np.ndarray:
    with PIL.Image.open(io.BytesIO(base64.b64decode(text, validate=True))) as image:
        return np.asarray(image.convert("RGB"))


class Known:
    """A workshop that knows labels (images,) and the original's classes (severities, images), and no more.

    The pixels of a picture tell the place and the severity.
    """

    def __init__(self, labels: np.ndarray, original: np.ndarray, count: int = 10) -> None:
        self.labels, self.original, self.count = labels, original, count

    def test(self, _: str) -> Split:
        return Split(np.zeros((len(self.labels), 2, 2, 3), np.uint8), self.labels)

    def indices(self, _: str) -> np.ndarray:
        return 100 + np.arange(len(self.labels))

    def class_names(self, _: str) -> tuple[str, ...]:
        return tuple(f"class {label}" for label in range(self.count))

    def predictions(self, variant: Variant, _: str | None) -> Predictions:
        assert variant == ORIGINAL
        return Predictions(self.original, from_store=True)

    def images(self, _: str, __: str | None, severity: int, places: np.ndarray) -> np.ndarray:
        image = np.full((2, 2, 3), 0, np.uint8)
        image[..., 0], image[..., 1] = 20 * places[0], 20 * severity
        return image[np.newaxis]


def told(labels: list[int], original: list[list[int]], classes: list[list[int]], severities=(1, 3)) -> Any:
    workshop: Any = Known(np.array(labels), np.array(original))
    return forgotten(workshop, FOG, np.array(classes), severities)


def test_what_is_forgotten_is_told_as_counted_by_hand() -> None:
    value = told(
        labels=[3, 3, 3, 5, 5, 7],
        original=[[3, 3, 0, 5, 5, 7], [3, 3, 3, 5, 0, 0]],
        classes=[[3, 8, 3, 5, 6, 7], [8, 8, 5, 5, 0, 7]],
    )
    assert [example.pop("picture") != "" for example in value["examples"]] == [True, True]
    assert value == {
        "right": 9,
        "count": 5,
        "gained": 2,
        "by_class": [[3, 4, 5], [5, 1, 3]],
        "kept": [[7, 1]],
        "confusions": [[3, 8, 3], [3, 5, 1], [5, 6, 1]],
        "examples": [
            {"image": 101, "severity": 1, "label": 3, "predicted": 8},
            {"image": 104, "severity": 1, "label": 5, "predicted": 6},
        ],
        "classes": {"3": "class 3", "5": "class 5", "6": "class 6", "8": "class 8"},
    }


def test_the_lowest_severity_is_shown_whatever_their_order() -> None:
    value = told([1], [[1], [1], [1]], [[0], [2], [3]], severities=(5, 2, 4))
    [example] = value["examples"]
    assert (example["severity"], example["predicted"]) == (2, 2)


def test_the_first_of_equally_forgotten_images_is_shown() -> None:
    [example] = told([1, 1, 1], [[1, 1, 1]], [[1, 0, 0]], severities=(1,))["examples"]
    assert example["image"] == 101


def test_nothing_forgotten_is_told_as_nothing() -> None:
    value = told([1, 2], [[1, 0], [1, 0]], [[1, 2], [1, 2]])
    assert value["right"] == value["gained"] == 2
    assert value["count"] == 0
    assert value["by_class"] == value["confusions"] == value["examples"] == []
    assert value["classes"] == {}


PREDICTED = arrays.arrays(np.int64, (2, 12), elements=st.integers(0, 4))


@settings(max_examples=50)
@given(arrays.arrays(np.int64, 12, elements=st.integers(0, 4)), PREDICTED, PREDICTED)
def test_counts_are_those_of_one_pair_after_another(
    labels: np.ndarray, original: np.ndarray, classes: np.ndarray
) -> None:
    right: Counter[int] = Counter()
    count: Counter[int] = Counter()
    confusions: Counter[tuple[int, int]] = Counter()
    gained = 0
    for row in range(2):
        for place, label in enumerate(labels.tolist()):
            before, after = int(original[row, place]), int(classes[row, place])
            right[label] += before == label
            gained += before != label and after == label
            if before == label and after != label:
                count[label] += 1
                confusions[label, after] += 1
    value = told(labels.tolist(), original.tolist(), classes.tolist())
    assert (value["right"], value["count"], value["gained"]) == (right.total(), count.total(), gained)
    assert {label: (some, known) for label, some, known in value["by_class"]} == {
        label: (some, right[label]) for label, some in count.items()
    }
    assert [some for _, some, _ in value["by_class"]] == sorted(count.values(), reverse=True)
    assert dict(value["kept"]) == {
        label: known for label, known in right.items() if known and not count[label]
    }
    told_of = {(label, predicted): some for label, predicted, some in value["confusions"]}
    assert len(told_of) == min(10, len(confusions))
    assert told_of.items() <= confusions.items()
    assert min(told_of.values(), default=0) >= max((confusions - Counter(told_of)).values(), default=0)
    assert json.loads(json.dumps(value)) == value


def test_data_of_a_thousand_classes_name_those_alone_that_are_concerned() -> None:
    labels = np.arange(1000)
    classes = np.where(labels % 100 == 0, (labels + 1) % 1000, labels)[np.newaxis]
    workshop: Any = Known(labels, labels[np.newaxis], count=1000)
    value = forgotten(workshop, CLEAN, classes, (0,))
    assert len(value["by_class"]) == len(value["confusions"]) == 10
    assert len(value["examples"]) == 3
    assert len(value["classes"]) == 20


# On the images of a suite


class Pretending(Workshop):
    """A workshop of real images whose networks err here and there, each on images of its own."""

    def __init__(self, root: Path, *overrides: str) -> None:
        small = ["data.test_images=40", 'model.names=["vgg6", "resnet50"]', "corruptions.severities=[2, 4]"]
        super().__init__(load_suite("quick", known_names(), [*small, *overrides]), Store(root), Path(), print)
        self.classified: list[tuple[Variant, str | None]] = []

    def _model_recipe(self, variant: Variant) -> Recipe:
        return Recipe("model", {"variant": str(variant)})

    def _classified(self, variant: Variant, corruption: str | None, places: np.ndarray) -> np.ndarray:
        self.classified.append((variant, corruption))
        labels = self.test(variant.dataset).labels[places]
        rng = np.random.default_rng(len(str(variant)))
        return (labels + (rng.random((2 if corruption else 1, len(labels))) < 0.4)) % 10


@pytest.mark.parametrize("case", [CLEAN, FOG], ids=["clean", "fog"])
def test_a_picture_is_the_image_that_the_networks_got(tmp_path: Path, case: Case) -> None:
    workshop = Pretending(tmp_path)
    images = load_dataset("digits", data_dir=Path(), options={}).test.images
    value = measure_predictions(workshop, case, False).details["forgotten"]
    assert len(value["examples"]) == 3
    for example in value["examples"]:
        index = np.array([example["image"]])
        expected = images[index]
        if case.corruption:
            settings = workshop.suite.corruptions
            expected = corrupt(
                case.corruption,
                expected,
                example["severity"],
                seed=workshop.suite.seed,
                indices=index,
                scale=settings.scale,
            )
        difference = np.abs(decoded(example["picture"]).astype(int) - expected[0])
        assert difference.mean() < LOSS
        others = np.abs(decoded(example["picture"]).astype(int) - images).mean(axis=(1, 2, 3))
        assert case.corruption or others.argmin() == example["image"]


def test_an_example_is_forgotten_at_its_severity_and_of_its_class(tmp_path: Path) -> None:
    workshop = Pretending(tmp_path)
    record = measure_predictions(workshop, FOG, False)
    places = {int(index): place for place, index in enumerate(workshop.indices("digits"))}
    original, variant = (workshop.predictions(one, "fog").classes for one in (ORIGINAL, INT8))
    value = record.details["forgotten"]
    for example, (label, *_) in zip(value["examples"], value["by_class"], strict=False):
        row, place = [2, 4].index(example["severity"]), places[example["image"]]
        assert workshop.test("digits").labels[place] == label == example["label"] == original[row, place]
        assert variant[row, place] == example["predicted"] != label


def test_the_same_case_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = (
        json.dumps(measure_predictions(Pretending(tmp_path / name), FOG, False).to_json()) for name in "ab"
    )
    assert first == second


@pytest.mark.parametrize("case", [CLEAN, FOG], ids=["clean", "fog"])
def test_nothing_is_evaluated_but_the_variant_and_its_original_once(tmp_path: Path, case: Case) -> None:
    """The test of such a case asks for both."""
    workshop = Pretending(tmp_path)
    measure_predictions(workshop, case, False)
    measure_predictions(workshop, Case(ORIGINAL, case.kind, case.corruption, case.family), False)
    assert sorted(workshop.classified) == sorted([(INT8, case.corruption), (ORIGINAL, case.corruption)])


def test_measuring_again_leaves_the_original_as_it_is_in_the_store(tmp_path: Path) -> None:
    first = measure_predictions(Pretending(tmp_path), FOG, False)
    again = Pretending(tmp_path)
    record = measure_predictions(again, FOG, True)
    assert again.classified == [(INT8, "fog")]
    assert record.details["forgotten"] == first.details["forgotten"]


@pytest.mark.parametrize("kind", ["accuracy", "robustness"])
def test_an_original_forgets_nothing_and_the_first_models_shows_an_image(tmp_path: Path, kind: str) -> None:
    corruption = None if kind == "accuracy" else "fog"
    workshop = Pretending(tmp_path)
    first, other = (
        measure_predictions(workshop, Case(variant, kind, corruption), False).details
        for variant in (ORIGINAL, OTHER_ORIGINAL)
    )
    assert "forgotten" not in {*first, *other}
    assert "example" not in other
    severities = [2, 4] if corruption else [0]
    shown = [workshop.images("digits", corruption, severity, np.array([0]))[0] for severity in severities]
    assert np.array_equal([decoded(text) for text in first["example"]], shown)


def test_an_mce_tells_nothing_of_it(tmp_path: Path) -> None:
    assert "forgotten" not in measure_mce(Pretending(tmp_path), Case(INT8, "mce"), False).details


def test_a_sequential_evaluation_tells_nothing_of_it(tmp_path: Path) -> None:
    workshop = Pretending(tmp_path, "thresholds.ce_max=100")
    assert "forgotten" not in measure_until_certain(workshop, FOG, False).details


# Pictures


def gradient(height: int, width: int) -> np.ndarray:
    """Return an image that is red to the right, green below, and of one blue: uint8 (height, width, 3)."""
    image = np.full((height, width, 3), 50, np.uint8)
    image[..., 0] = np.linspace(0, 255, width)
    image[..., 1] = np.linspace(0, 255, height)[:, np.newaxis]
    return image


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (32, 32), (64, 48)])
def test_an_image_that_is_small_keeps_its_size_and_colours(size: tuple[int, int]) -> None:
    image = gradient(*size)
    assert np.array_equal(decoded(pictures.example(image)), image)
    thumbnail = decoded(pictures.thumbnail(image))
    assert thumbnail.shape == image.shape
    assert np.abs(thumbnail.astype(int) - image).mean() < 8


@pytest.mark.parametrize(
    ("draw", "size", "expected"),
    [
        (pictures.thumbnail, (224, 224), (64, 64)),
        (pictures.thumbnail, (65, 130), (32, 64)),
        (pictures.thumbnail, (1000, 1), (64, 1)),
        (pictures.example, (64, 64), (64, 64)),
        (pictures.example, (256, 128), (128, 64)),
    ],
)
def test_a_large_image_is_scaled_down_in_its_proportions(
    draw: Any, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    picture = decoded(draw(gradient(*size)))
    assert picture.shape == (*expected, 3)
    assert picture.mean(axis=(0, 1)) == pytest.approx(gradient(*size).mean(axis=(0, 1)), abs=6)


def test_a_thumbnail_is_a_webp_file_and_an_example_a_png_file() -> None:
    for text, kind in (
        (pictures.thumbnail(gradient(9, 9)), "WEBP"),
        (pictures.example(gradient(9, 9)), "PNG"),
    ):
        with PIL.Image.open(io.BytesIO(base64.b64decode(text))) as image:
            assert image.format == kind
