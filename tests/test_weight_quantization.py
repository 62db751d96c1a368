"""Weights in 8 bits: our definition is what a file of dynamic range holds and what its twin computes with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from made_networks import SCALING, bench_of, coloured, narrow_vgg6

from benchmarks.techniques import INT8_WEIGHTS_FROM, TECHNIQUES
from fixtures.compression.claims import ClaimError, check, inspect, kernel_tensors
from fixtures.compression.convert import freeze, to_float_tflite, to_weight_quantized_tflite
from fixtures.compression.dequantized import dequantize_kernels
from fixtures.compression.flatbuffer import Graph
from fixtures.compression.folding import folded
from fixtures.compression.l1_pruning import switch_off
from fixtures.compression.steps import STEPS
from fixtures.compression.weight_quantization import by_range, symmetric
from fixtures.evaluation import Classifier
from fixtures.models import MODELS, ModelError, NetworkSpec
from fixtures.tensorflow import load

WEIGHTS = hnp.arrays(np.float64, (3, 20), elements=st.floats(-4, 4, width=32)).filter(np.any)


@given(WEIGHTS)
def test_weights_come_back_within_half_a_step_and_zero_as_zero(weights: np.ndarray) -> None:
    for quantization in (by_range(weights), symmetric(weights)):
        back = quantization.dequantize(quantization.quantize(weights))
        # Rounding the zero point may move the ends of the range by another half.
        steps = np.abs(back - weights) / quantization.scale
        assert steps.max() <= 1 + 1e-6
        nothing = np.zeros((3, 1))
        assert not quantization.dequantize(quantization.quantize(nothing)).any()
    assert (np.abs(back - weights) / quantization.scale).max() <= 0.5 + 1e-6  # symmetric: nothing is moved


def test_the_range_of_the_weights_is_that_of_the_integers() -> None:
    weights = np.array([-1.0, 0.0, 0.55, 1.55])
    assert by_range(weights).quantize(weights).tolist() == [-128, -28, 27, 127]
    assert (by_range(weights).scale, by_range(weights).zero_point) == (2.55 / 255, -28)
    assert symmetric(np.array([[-1.27, 0.01, 0.634]])).quantize(
        np.array([[-1.27, 0.01, 0.634]])
    ).tolist() == [[-127, 1, 63]]


@pytest.fixture(scope="module")
def network() -> Any:
    return STEPS["train"](narrow_vgg6(), bench_of())


def normalized_anyhow(name: str) -> Any:
    """A network whose normalizations have gammas of either sign and moving statistics of their own."""
    model = MODELS[name].build(NetworkSpec((32, 32, 3), 10, width=0.25, dense_units=64, seed=2))
    rng = np.random.default_rng(4)
    for weight in model.weights:
        if "gamma" in weight.name:
            weight.assign(rng.choice([-1.0, 1.0], weight.shape) * rng.uniform(0.3, 2, weight.shape))
        elif "moving_variance" in weight.name:
            weight.assign(rng.uniform(0.3, 2, weight.shape))
    return model


def kernels_of(content: bytes) -> dict[str, tuple[np.ndarray, np.ndarray | None]]:
    """Return each kernel of a file, (output channels, weights), with its scales, by the layer's name."""
    graph = Graph(content)
    found = {}
    for index, axis in kernel_tensors(graph):
        values = np.moveaxis(graph.constant(index), axis, 0)
        tensor = graph.tensors[index]
        scale = tensor.quantization.scale if tensor.quantization else None
        found[tensor.name.decode()] = values.reshape(len(values), -1), scale
    return found


@pytest.mark.parametrize("name", ["vgg6", "mobilenet_v2"])
def test_the_file_holds_the_integers_and_scales_of_our_definition(name: str) -> None:
    model = normalized_anyhow(name)
    if name == "vgg6":
        switch_off(model, 0.3)  # whose kernels LiteRT gives a scale too
    frozen = freeze(model, MODELS[name].scaling(NetworkSpec((32, 32, 3), 10)))
    floats = kernels_of(to_float_tflite(frozen))
    stored = kernels_of(to_weight_quantized_tflite(frozen))
    quantized = 0
    for (channels, _), (integers, scale) in zip(floats.values(), stored.values(), strict=True):
        if channels.size < INT8_WEIGHTS_FROM:
            np.testing.assert_array_equal(integers, channels)
            continue
        ours = symmetric(channels)
        np.testing.assert_allclose(ours.scale.ravel(), scale, rtol=1e-6)
        # A weight half-way between two integers may fall to either side in float32.
        differs = ours.quantize(channels) != integers
        assert differs.mean() < 1e-4
        halves = np.abs(channels / ours.scale - np.trunc(channels / ours.scale))
        np.testing.assert_allclose(halves[differs], 0.5, atol=1e-4)
        quantized += 1
    assert quantized >= 5


@pytest.mark.parametrize(("inputs", "outputs", "int8"), [(33, 31, False), (32, 32, True)])
def test_kernels_from_1024_weights_on_are_quantized(inputs: int, outputs: int, int8: bool) -> None:
    layers = load().keras.layers
    model = load().keras.Sequential(
        [
            load().keras.Input((8, 8, 3)),
            layers.Conv2D(inputs, 3),
            layers.GlobalAveragePooling2D(),
            layers.Dense(outputs),
        ]
    )
    content = to_weight_quantized_tflite(freeze(model, SCALING))
    assert inspect(content).kernels[-1].int8 == int8 == (inputs * outputs >= INT8_WEIGHTS_FROM)


def test_the_file_is_a_quarter_of_the_float_one_and_is_evaluated_as_it_is(network: Any) -> None:
    frozen = freeze(network, SCALING)
    content, whole = to_weight_quantized_tflite(frozen), to_float_tflite(frozen)
    assert len(content) < 0.3 * len(whole)
    assert folded(content) is content
    claims = TECHNIQUES["weight_quantized"].claims
    check(inspect(content), claims, sparsity=0.5, clusters=16, name="d-m-weight_quantized")
    with pytest.raises(ClaimError, match=r"kernel \S*dense1\S*: expected int8, as it has 65536 weights, got"):
        check(inspect(whole), claims, sparsity=0.5, clusters=16, name="d-m-weight_quantized")


@pytest.mark.parametrize("pruned", [False, True])
def test_the_twin_predicts_what_the_file_does(network: Any, pruned: bool, tmp_path: Path) -> None:
    twin = narrow_vgg6()
    twin.set_weights(network.get_weights())
    if pruned:
        switch_off(twin, 0.2)
    before = [weight.copy() for weight in twin.get_weights()]
    content = to_weight_quantized_tflite(freeze(twin, SCALING))
    dequantize_kernels(twin, content)
    assert any(not np.array_equal(old, new) for old, new in zip(before, twin.get_weights(), strict=True))
    path = tmp_path / "model.tflite"
    path.write_bytes(content)
    images = coloured(400, 11).images
    ours = twin.predict(SCALING.apply(images), verbose=0).argmax(axis=1)
    assert len(np.unique(ours)) > 2
    assert np.mean(Classifier(path, 4).predict(images) == ours) >= 0.99


@pytest.mark.parametrize("name", ["vgg6", "mobilenet_v2"])
def test_the_twin_has_the_weights_of_the_file(name: str) -> None:
    """Folded again, and quantized again, they are the same integers."""
    model = normalized_anyhow(name)
    content = to_weight_quantized_tflite(freeze(model, SCALING))
    dequantize_kernels(model, content)
    again = to_weight_quantized_tflite(freeze(model, SCALING))
    for (integers, _), (others, _) in zip(
        kernels_of(content).values(), kernels_of(again).values(), strict=True
    ):
        np.testing.assert_array_equal(integers, others)


def test_the_file_of_another_network_is_refused(network: Any) -> None:
    content = to_weight_quantized_tflite(freeze(network, SCALING))
    other = narrow_vgg6()
    with pytest.raises(
        ModelError, match=r"expected the file of vgg6 as it was converted, got one with another kernel"
    ):
        dequantize_kernels(other, content)
    with pytest.raises(ModelError, match=r"which is of 0 of its layers"):
        dequantize_kernels(normalized_anyhow("vgg19"), content)
