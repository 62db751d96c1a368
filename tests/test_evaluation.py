"""A deployed file gives the classes that a device would give, or says why it cannot."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.evaluation import BATCH, Classifier, EvaluationError
from fixtures.models.scaling import Scaling
from fixtures.store import Recipe, Store

SIDE = 8
SCALING = Scaling(1 / 255)

#: What the files below answer to is an image's mean brightness, in [0, 1]: the class of the nearest of these.
CENTRES = (0.1, 0.35, 0.6, 0.85)
DIM_CENTRES = (0.05, 0.15, 0.25, 0.35)

RANDOM_IMAGES = np.random.default_rng(0).integers(0, 256, (2 * BATCH + 30, SIDE, SIDE, 3), np.uint8)


def images_of(*brightness: float) -> np.ndarray:
    """Return images of one brightness each, in [0, 1]: uint8 (n, SIDE, SIDE, 3)."""
    levels = np.rint(np.array(brightness) * 255).astype(np.uint8)
    return np.tile(levels[:, None, None, None], (1, SIDE, SIDE, 3))


def brightness_model(centres: tuple[float, ...]) -> Any:
    """Return a network whose scores are ``2 m c - c^2`` for mean brightness m and each centre c.

    The largest is that of the nearest centre, because it lacks only ``m^2`` of ``-(m - c)^2``.
    """
    from fixtures.tensorflow import load

    layers = load().keras.layers
    network = [layers.Input((SIDE, SIDE, 3)), layers.GlobalAveragePooling2D(), layers.Dense(len(centres))]
    model = load().keras.Sequential(network)
    points = np.array(centres)
    model.set_weights([np.tile(2 * points / 3, (3, 1)), -(points**2)])
    return model


def random_model() -> Any:
    from fixtures.tensorflow import load

    layers = load().keras.layers
    initial = [load().keras.initializers.GlorotUniform(seed=seed) for seed in range(3)]
    return load().keras.Sequential(
        [
            layers.Input((SIDE, SIDE, 3)),
            layers.Conv2D(4, 3, activation="relu", kernel_initializer=initial[0]),
            layers.Conv2D(4, 3, activation="relu", kernel_initializer=initial[1]),
            layers.Flatten(),
            layers.Dense(10, activation="softmax", kernel_initializer=initial[2]),
        ]
    )


def converted(
    function: Callable[[Any, Any], Any],
    batch: int | None = None,
    dtype: str = "uint8",
    calibration: np.ndarray | None = None,
) -> bytes:
    """Return ``function(tf, images)`` as a file: of a fixed ``batch``, and as int8 with ``calibration``."""
    from fixtures.tensorflow import load

    tf = load().tf
    specification = tf.TensorSpec((batch, SIDE, SIDE, 3), dtype)
    traced = tf.function(lambda images: function(tf, tf.cast(images, tf.float32)), autograph=False)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([traced.get_concrete_function(specification)])
    if calibration is not None:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([image[None].astype(np.float32)] for image in calibration)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.uint8
    content: bytes = converter.convert()
    return content


def make_files(draft: Path) -> Mapping[str, Any]:
    from fixtures.compression.convert import freeze, to_float_tflite, to_int8_tflite

    some, bright = random_model(), brightness_model(CENTRES)
    points = np.array(DIM_CENTRES, np.float32)
    every_level = images_of(*np.linspace(0, 1, 64))
    contents = {
        "random": to_float_tflite(freeze(some, SCALING)),
        "random_int8": to_int8_tflite(freeze(some, SCALING), RANDOM_IMAGES[:50]),
        "float": to_float_tflite(freeze(bright, SCALING)),
        "int8": to_int8_tflite(freeze(bright, SCALING), every_level),
        # Calibrated on dim images alone, so that its input does not have the units of pixels.
        "dim_int8": converted(
            lambda tf, x: tf.reduce_mean(x / 255, (1, 2)) @ np.tile(2 * points / 3, (3, 1)) - points**2,
            dtype="float32",
            calibration=(every_level * 0.4).astype(np.uint8),
        ),
        # No number for images darker than 100 on average.
        "nan": converted(lambda tf, x: tf.sqrt(tf.reduce_mean(x, (1, 2)) - 100)),
        "infinite": converted(lambda tf, x: 1 / (tf.reduce_mean(x, (1, 2)) - 100)),
        "batch_of_5": converted(lambda tf, x: tf.reduce_mean(x, (1, 2)), batch=5),
        "fixed_reshape": converted(lambda tf, x: tf.reshape(x, (1, SIDE**2 * 3))[:, :3] + 1, batch=1),
        "first_image_alone": converted(lambda tf, x: tf.reshape(x, (1, -1))[:, :3] + 1, batch=1),
        "scalar": converted(lambda tf, x: tf.reduce_mean(x)),
        "map": converted(lambda tf, x: tf.reduce_mean(x, (1, 2), keepdims=True)),
        "two": converted(lambda tf, x: (tf.reduce_mean(x, (1, 2)), tf.reduce_max(x, (1, 2)))),
        "float_in": converted(lambda tf, x: tf.reduce_mean(x, (1, 2)), dtype="float32"),
    }
    for name, content in contents.items():
        (draft / f"{name}.tflite").write_bytes(content)
    return {}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of the files to run, made once also if several workers run these tests."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    return Store(shared / "evaluation").get_or_make(Recipe("test files", {}), make_files).path


def one_by_one(path: Path, images: np.ndarray) -> list[int]:
    """Return the classes that the plain interpreter gives, an image at a time."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path))
    interpreter.allocate_tensors()
    classes = []
    for image in images:
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image[None])
        interpreter.invoke()
        classes.append(int(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]).argmax()))
    return classes


# Predictions


@pytest.mark.parametrize("name", ["random", "random_int8"])
def test_predictions_are_those_of_the_plain_interpreter_one_by_one(files: Path, name: str) -> None:
    path = files / f"{name}.tflite"
    predictions = Classifier(path, 10).predict(RANDOM_IMAGES)
    assert predictions.tolist() == one_by_one(path, RANDOM_IMAGES)
    assert len(set(predictions.tolist())) > 1


@pytest.mark.parametrize(("name", "steps"), [("random", None), ("random_int8", 256)])
def test_scores_are_probabilities_whose_largest_is_the_class(
    files: Path, name: str, steps: int | None
) -> None:
    classifier = Classifier(files / f"{name}.tflite", 10)
    scores = classifier.scores(RANDOM_IMAGES)
    assert scores.dtype == np.float32
    assert scores.shape == (len(RANDOM_IMAGES), 10)
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-5 if steps is None else 10 / steps)
    assert scores.argmax(axis=1).tolist() == classifier.predict(RANDOM_IMAGES).tolist()
    if steps is not None:
        np.testing.assert_array_equal(scores * steps, np.rint(scores * steps))


@pytest.mark.parametrize(
    ("name", "centres"), [("float", CENTRES), ("int8", CENTRES), ("dim_int8", DIM_CENTRES)]
)
def test_file_tells_images_as_its_network_does(files: Path, name: str, centres: tuple[float, ...]) -> None:
    classifier = Classifier(files / f"{name}.tflite", len(centres))
    assert classifier.predict(images_of(*reversed(centres))).tolist() == [3, 2, 1, 0]


def test_file_calibrated_on_dim_images_has_an_input_in_other_units_than_pixels(files: Path) -> None:
    from ai_edge_litert.interpreter import Interpreter

    scale, _ = Interpreter(str(files / "dim_int8.tflite")).get_input_details()[0]["quantization"]
    assert scale == pytest.approx(0.4, abs=0.01)


def test_pixels_beyond_what_a_file_was_calibrated_on_count_as_its_brightest(files: Path) -> None:
    assert Classifier(files / "dim_int8.tflite", 4).predict(images_of(0.5, 0.9, 1.0)).tolist() == [3, 3, 3]


def test_predictions_are_int64_one_for_each_image(files: Path) -> None:
    predictions = Classifier(files / "float.tflite", 4).predict(RANDOM_IMAGES)
    assert (predictions.shape, predictions.dtype) == ((len(RANDOM_IMAGES),), np.int64)


def test_each_batch_is_told_of_when_it_was_classified(files: Path) -> None:
    seen: list[int] = []
    Classifier(files / "random.tflite", 10).predict(RANDOM_IMAGES, seen.append)
    assert seen == [BATCH, BATCH, 30]


def test_no_images_give_no_predictions(files: Path) -> None:
    predictions = Classifier(files / "float.tflite", 4).predict(RANDOM_IMAGES[:0])
    assert (predictions.shape, predictions.dtype) == ((0,), np.int64)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, len(RANDOM_IMAGES)), max_size=4))
def test_number_of_images_in_one_call_does_not_matter(files: Path, sizes: list[int]) -> None:
    classifier = Classifier(files / "random.tflite", 10)
    whole = Classifier(files / "random.tflite", 10).predict(RANDOM_IMAGES)
    for size in sizes:
        assert np.array_equal(classifier.predict(RANDOM_IMAGES[:size]), whole[:size])


def test_images_need_not_lie_in_one_piece(files: Path) -> None:
    classifier = Classifier(files / "random.tflite", 10)
    turned = RANDOM_IMAGES[::-2, :, ::-1]
    assert not turned.flags.c_contiguous
    assert np.array_equal(classifier.predict(turned), classifier.predict(turned.copy()))


@pytest.mark.parametrize("count", [1, 5, 12])
def test_file_made_for_another_number_of_images_takes_any(files: Path, count: int) -> None:
    colours = np.eye(3, dtype=np.uint8)[np.arange(count) % 3] * 255
    images = np.broadcast_to(colours[:, None, None], (count, SIDE, SIDE, 3))
    predictions = Classifier(files / "batch_of_5.tflite", 3).predict(images)
    assert predictions.tolist() == [index % 3 for index in range(count)]


# What cannot be evaluated


@pytest.mark.parametrize(
    ("images", "got"),
    [
        (RANDOM_IMAGES.astype(np.float32), "float32 (230, 8, 8, 3)"),
        (RANDOM_IMAGES.astype(np.int8), "int8 (230, 8, 8, 3)"),
        (RANDOM_IMAGES[:, :7], "uint8 (230, 7, 8, 3)"),
        (RANDOM_IMAGES[..., :1], "uint8 (230, 8, 8, 1)"),
        (RANDOM_IMAGES[0], "uint8 (8, 8, 3)"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_images_of_another_shape_or_dtype_are_refused(files: Path, images: np.ndarray, got: str) -> None:
    classifier = Classifier(files / "float.tflite", 4)
    with pytest.raises(EvaluationError) as caught:
        classifier.predict(images)
    assert str(caught.value).endswith(f"expected uint8 images of shape (n, 8, 8, 3), got {got}")


@pytest.mark.parametrize("name", ["nan", "infinite"])
def test_scores_that_are_no_numbers_are_refused_with_the_first_such_image(files: Path, name: str) -> None:
    images = images_of(*[0.9] * 230)
    images[[150, 170]] = {"nan": 20, "infinite": 100}[name]
    with pytest.raises(EvaluationError, match="got NaN or infinity for image 150 of 230"):
        Classifier(files / f"{name}.tflite", 3).predict(images)


@pytest.mark.parametrize(
    ("name", "classes", "got"),
    [
        ("float", 10, "float32 (1, 4)"),
        ("float", 1, "float32 (1, 4)"),
        ("int8", 10, "uint8 (1, 4)"),
        ("scalar", 3, "float32 ()"),
        ("map", 3, "float32 (1, 1, 1, 3)"),
        ("two", 3, "float32 (1, 3), float32 (1, 3)"),
    ],
)
def test_file_without_one_score_for_each_class_is_refused(
    files: Path, name: str, classes: int, got: str
) -> None:
    with pytest.raises(EvaluationError) as caught:
        Classifier(files / f"{name}.tflite", classes)
    assert f"expected one output (n, {classes}) " in str(caught.value)
    assert f" classes, got {got};" in str(caught.value)


def test_file_that_takes_no_pixels_is_refused(files: Path) -> None:
    with pytest.raises(
        EvaluationError, match=r"expected one input of uint8 images .* got float32 \(1, 8, 8, 3\)"
    ):
        Classifier(files / "float_in.tflite", 3)


@pytest.mark.parametrize("name", ["fixed_reshape", "first_image_alone"])
def test_file_for_one_image_at_a_time_is_refused_more(files: Path, name: str) -> None:
    classifier = Classifier(files / f"{name}.tflite", 3)
    assert len(classifier.predict(RANDOM_IMAGES[:1])) == 1
    with pytest.raises(
        EvaluationError, match="any number of images at a time, got one that does not take 100: "
    ):
        classifier.predict(RANDOM_IMAGES)


@pytest.mark.parametrize("kept", [0.0, 0.5, 0.99])
def test_truncated_file_is_refused(files: Path, tmp_path: Path, kept: float) -> None:
    content = (files / "random.tflite").read_bytes()
    path = tmp_path / "truncated.tflite"
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(EvaluationError, match=r"expected a \.tflite file that LiteRT can run at .*truncated"):
        Classifier(path, 10)


def test_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.tflite"
    path.write_text("This is no network. " * 100)
    with pytest.raises(EvaluationError, match=r"expected a \.tflite file that LiteRT can run at .*notes"):
        Classifier(path, 10)


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=r"expected a \.tflite file that LiteRT can run at .*nowhere"):
        Classifier(tmp_path / "nowhere.tflite", 10)
