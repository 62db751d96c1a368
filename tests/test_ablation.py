"""An ablated network lacks the last convolution, keeps what is in front of it, trains what is behind."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from made_networks import SCALING, SPEC, bench_of, coloured, narrow_vgg6

from fixtures.compression.chains import without_last_convolution
from fixtures.compression.claims import ClaimError, check_ablated, inspect
from fixtures.compression.convert import freeze, to_float_tflite
from fixtures.compression.steps import STEPS, as_made_by
from fixtures.models import MODELS, ModelError
from fixtures.tensorflow import load


@pytest.fixture(scope="module")
def original() -> Any:
    return STEPS["train"](narrow_vgg6(), bench_of())


@pytest.fixture(scope="module")
def ablated(original: Any) -> Any:
    return STEPS["ablate"](original, bench_of())


def test_the_last_convolution_is_gone_with_its_normalization_and_activation(
    original: Any, ablated: Any
) -> None:
    names = [layer.name for layer in original.layers]
    gone = ["conv6", "conv6_norm", "conv6_relu"]
    assert [layer.name for layer in ablated.layers] == [name for name in names if name not in gone]


def test_convolutions_and_their_normalizations_stay_as_they_were_and_dense_layers_are_trained(
    original: Any, ablated: Any
) -> None:
    for layer in ablated.layers:
        pairs = list(zip(layer.get_weights(), original.get_layer(layer.name).get_weights(), strict=True))
        same = [np.array_equal(after, before) for after, before in pairs]
        if layer.name.startswith("conv"):
            assert all(same)
        elif pairs:
            assert not any(same), layer.name


def test_the_weights_of_the_dense_layers_are_kept_to_start_from(original: Any) -> None:
    shorter = without_last_convolution(original, seed=1)
    for layer in shorter.layers:
        for after, before in zip(
            layer.get_weights(), original.get_layer(layer.name).get_weights(), strict=True
        ):
            np.testing.assert_array_equal(after, before)


def test_the_file_has_one_convolution_less_than_the_original(original: Any, ablated: Any) -> None:
    check_ablated(inspect(to_float_tflite(freeze(ablated, SCALING))), convolutions=6, name="d-m-ablated")
    whole = inspect(to_float_tflite(freeze(original, SCALING)))
    with pytest.raises(ClaimError, match=r"d-m-ablated is not .*: expected 5 of 6 convolutions, got 6"):
        check_ablated(whole, convolutions=6, name="d-m-ablated")


def test_its_weights_fit_into_the_form_that_is_built_for_the_step(ablated: Any) -> None:
    rebuilt = as_made_by("ablate", MODELS["vgg6"].build(SPEC), "sound")
    rebuilt.set_weights(ablated.get_weights())
    images = SCALING.apply(coloured(20, 3).images)
    np.testing.assert_array_equal(rebuilt(images).numpy(), ablated(images).numpy())


def widening() -> Any:
    """A chain whose last convolution has other channels than the one before, and strides."""
    keras = load().keras
    layers = keras.layers
    inputs = x = keras.Input((8, 8, 3))
    for layer in (
        layers.Conv2D(4, 3, padding="same", activation="relu", name="conv1"),
        layers.Conv2D(6, 3, strides=2, name="conv2"),
        layers.Activation("relu", name="relu2"),
        layers.Flatten(name="flatten"),
        layers.Dense(5, activation="relu", name="dense"),
        layers.Dense(2, name="logits"),
    ):
        x = layer(x)
    return keras.Model(inputs, x, name="widening")


def test_a_dense_layer_that_gets_other_inputs_has_new_weights_from_the_seed_alone() -> None:
    network = widening()
    first, again, other = (without_last_convolution(network, seed) for seed in (1, 1, 2))
    kernels = [model.get_layer("dense").kernel.numpy() for model in (first, again, other)]
    assert kernels[0].shape == (8 * 8 * 4, 5)
    np.testing.assert_array_equal(kernels[0], kernels[1])
    assert not np.array_equal(kernels[0], kernels[2])
    for name in ("conv1", "logits"):
        for after, before in zip(
            first.get_layer(name).get_weights(), network.get_layer(name).get_weights(), strict=True
        ):
            np.testing.assert_array_equal(after, before)


def test_nothing_is_taken_out_of_a_network_with_one_convolution() -> None:
    keras = load().keras
    network = keras.Sequential(
        [keras.Input((8, 8, 3)), keras.layers.Conv2D(2, 3), keras.layers.Flatten(), keras.layers.Dense(2)],
        name="shallow",
    )
    with pytest.raises(ModelError, match=r"with 1 convolutions to take the last of \(model shallow\)"):
        without_last_convolution(network, seed=1)
