"""Maps and features of small networks whose weights are set by hand, so that what they rest on is known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from fixtures.compression.convert import freeze
from fixtures.compression.quantization_aware import quantized_twin
from fixtures.explanations.features import features_of
from fixtures.explanations.perturbing import curves
from fixtures.explanations.saliency import Saliency
from fixtures.models import Scaling
from fixtures.tensorflow import load

SCALING = Scaling(1 / 255)
SIDE = 16


def images(count: int = 6) -> np.ndarray:
    """Return noise with a bright patch in the top left corner, uint8 (count, 16, 16, 3)."""
    found = np.random.default_rng(4).integers(0, 120, (count, SIDE, SIDE, 3), np.uint8)
    found[:, :4, :4] = 230
    return found


IMAGES = images()


def cornered(hidden: bool = True) -> Any:
    """Return a network that says class 1 if the corner of an image is bright, and sees nothing else.

    Its convolution lets brightness through, its dense layers weigh the corner alone.
    """
    keras = load().keras
    layers = keras.layers
    inputs = keras.Input((SIDE, SIDE, 3))
    x = layers.Conv2D(2, 3, padding="same", use_bias=False, name="conv")(inputs)
    x = layers.BatchNormalization(name="norm")(x)
    x = layers.ReLU(name="relu")(x)
    x = layers.MaxPooling2D(name="pool")(x)
    x = layers.Flatten(name="flatten")(x)
    if hidden:
        x = layers.Dense(4, activation="relu", name="dense")(x)
    network = keras.Model(inputs, layers.Dense(2, activation="softmax", name="logits")(x))
    kernel = np.zeros((3, 3, 3, 2), np.float32)
    kernel[1, 1] = 1 / 3
    network.get_layer("conv").set_weights([kernel])
    corner = np.zeros((SIDE // 2, SIDE // 2, 2), np.float32)
    corner[:2, :2] = 1 / 8
    first = np.tile(corner.reshape(-1, 1), (1, 4 if hidden else 2))
    if hidden:
        network.get_layer("dense").set_weights([first, np.zeros(4, np.float32)])
        network.get_layer("logits").set_weights(
            [np.array([[-1, 1]] * 4, np.float32), np.array([2, -2], np.float32)]
        )
    else:
        network.get_layer("logits").set_weights(
            [first * np.array([-4, 4], np.float32), np.array([2, -2], np.float32)]
        )
    return network


def twin() -> Any:
    # Gradients end where a range does: nothing that is explained is to be as bright as what ranges are of.
    brighter = np.minimum(IMAGES.astype(int) + 20, 255).astype(np.uint8)
    return quantized_twin(cornered(), brighter, SCALING)


def score_of(network: Any) -> Callable[[np.ndarray], np.ndarray]:
    return lambda pixels: network(SCALING.apply(pixels), training=False).numpy()


@pytest.mark.parametrize("build", [cornered, twin], ids=["float", "fake-quantized"])
def test_maps_mark_the_corner_that_decides_and_its_deletion_undoes_the_decision(
    build: Callable[[], Any],
) -> None:
    network = build()
    saliency = Saliency(freeze(network, SCALING))
    steps: list[int] = []
    maps = saliency(IMAGES, np.ones(len(IMAGES), np.int64), steps.append)
    assert maps.classes.tolist() == [1] * len(IMAGES)
    assert steps == [len(IMAGES)]
    assert maps.gradcam.shape == maps.guided.shape == (len(IMAGES), SIDE, SIDE)
    assert maps.gradcam.dtype == maps.guided.dtype == np.float32
    np.testing.assert_allclose(maps.gradcam.max(axis=(1, 2)), 1)
    assert maps.gradcam.min() >= 0
    # The mean gradient of a channel knows no places: where brightness is, Grad-CAM is.
    assert (maps.gradcam[:, 1:3, 1:3].mean(axis=(1, 2)) > 2 * maps.gradcam[:, 5:, 5:].mean(axis=(1, 2))).all()
    assert maps.guided[:, :4, :4].max(axis=(1, 2)).min() > 0
    assert not maps.guided[:, 4:, :].any()
    assert not maps.guided[:, :, 4:].any()
    score = score_of(network)
    from_top, from_bottom = (curves(score, IMAGES, order) for order in (maps.gradcam, -maps.gradcam))
    assert from_top.deletion_areas.mean() < from_bottom.deletion_areas.mean()
    assert from_top.insertion_areas.mean() > from_bottom.insertion_areas.mean()


def test_the_layer_of_the_maps_is_the_last_convolutions_relu() -> None:
    assert "relu" in Saliency(freeze(cornered(), SCALING)).layer


def test_a_map_is_of_the_class_that_is_asked_for() -> None:
    saliency = Saliency(freeze(cornered(), SCALING))
    against = saliency(IMAGES, np.zeros(len(IMAGES), np.int64))
    # Brightness speaks against class 0 alone, so nothing speaks for it.
    assert not against.gradcam.any()


def test_batches_do_not_change_maps(monkeypatch: pytest.MonkeyPatch) -> None:
    saliency = Saliency(freeze(cornered(), SCALING))
    classes = np.arange(len(IMAGES)) % 2
    whole = saliency(IMAGES, classes)
    monkeypatch.setattr("fixtures.explanations.saliency.BATCH", 4)
    parts = saliency(IMAGES, classes)
    np.testing.assert_allclose(parts.gradcam, whole.gradcam, atol=1e-6)
    np.testing.assert_allclose(parts.guided, whole.guided, atol=1e-6)


@pytest.mark.parametrize("ceiling", [None, 6.0])
def test_guided_backpropagation_is_what_a_hand_computes(ceiling: float | None) -> None:
    keras = load().keras
    layers = keras.layers
    inputs = keras.Input((1, 1, 3))
    x = layers.Conv2D(3, 1, name="conv")(inputs)
    x = layers.ReLU(ceiling, name="relu")(x)
    x = layers.Flatten()(x)
    x = layers.Dense(2, activation="relu", name="dense")(x)
    network = keras.Model(inputs, layers.Dense(2, activation="softmax", name="logits")(x))
    first = np.array([[1, -1, 2], [0, 1, 1], [1, 0, -1]], np.float32)
    second = np.array([[1, -1], [2, 1], [-1, 3]], np.float32)
    third = np.array([[1, 0], [-2, 1]], np.float32)
    network.get_layer("conv").set_weights([first.reshape(1, 1, 3, 3), np.array([0, 0, 0.5], np.float32)])
    network.get_layer("dense").set_weights([second, np.zeros(2, np.float32)])
    network.get_layer("logits").set_weights([third, np.zeros(2, np.float32)])
    pixels = np.array([[3, 4, 1], [1, 0, 2], [0, 3, 0], [5, 9, 5]], np.uint8).reshape(4, 1, 1, 3)
    maps = Saliency(freeze(network, Scaling(1.0)))(pixels, np.array([0, 1, 1, 1]))
    for image, class_, found in zip(pixels.reshape(4, 3), (0, 1, 1, 1), maps.guided.ravel(), strict=True):
        activation = image @ first + [0, 0, 0.5]
        hidden = np.clip(activation, 0, ceiling)
        deeper = hidden @ second
        back = np.maximum(third[:, class_], 0) * (deeper > 0)
        passed = (activation > 0) & (activation < (ceiling or np.inf))
        back = np.maximum(second @ back, 0) * passed
        assert found == pytest.approx(np.abs(first @ back).max())
    assert maps.guided.any()


def test_a_network_without_a_convolution_has_no_activation_maps() -> None:
    keras = load().keras
    inputs = keras.Input((2, 2, 3))
    outputs = keras.layers.Dense(2, activation="softmax")(keras.layers.Flatten()(inputs))
    with pytest.raises(ValueError, match="expected a network with a convolution"):
        Saliency(freeze(keras.Model(inputs, outputs), SCALING))


@pytest.mark.parametrize(
    ("build", "layer"), [(cornered, "dense"), (twin, "quant_dense")], ids=["float", "fake-quantized"]
)
def test_features_are_the_output_of_the_first_dense_layer(build: Callable[[], Any], layer: str) -> None:
    found = features_of(build(), SCALING, IMAGES)
    assert found.layer == layer
    pooled = IMAGES.reshape(-1, 8, 2, 8, 2, 3).mean(axis=-1).max(axis=(2, 4)) / 255
    # Two channels of an eighth each, normalized by Keras' initial statistics.
    expected = pooled[:, :2, :2].sum(axis=(1, 2)) / 4 / np.sqrt(1.001)
    assert found.features.shape == (len(IMAGES), 4)
    np.testing.assert_allclose(found.features[:, 0], expected, atol=0.02)
    assert found.classes.tolist() == [1] * len(IMAGES)


def test_features_of_a_network_without_a_hidden_dense_layer_are_what_its_last_one_takes() -> None:
    found = features_of(cornered(hidden=False), SCALING, IMAGES)
    assert found.layer == "input of logits"
    assert found.features.shape == (len(IMAGES), SIDE * SIDE // 4 * 2)
