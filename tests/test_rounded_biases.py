"""A fake-quantized network with its file's biases computes what its int8 file does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import cycle
from typing import Any

import numpy as np
import pytest

from fixtures.compression.claims import kernel_tensors
from fixtures.compression.convert import freeze, to_int8_tflite
from fixtures.compression.flatbuffer import Graph
from fixtures.compression.preserving import folded_norms
from fixtures.compression.quantization_aware import calibrate_ranges, fake_quantized
from fixtures.compression.rounded_biases import round_biases
from fixtures.compression.steps import fake_quantized_for
from fixtures.models import MODELS, ModelError, NetworkSpec
from fixtures.models.scaling import Scaling
from fixtures.tensorflow import load

SCALING = Scaling(1 / 64, (-1.9325, -1.824671875, -1.624046875))
DEPTH = 8


def network(normalized: bool, rng: np.random.Generator) -> Any:
    """A network of random weights that is deep enough for a difference to spread."""
    keras = load().keras
    layers = keras.layers
    inputs = x = keras.Input((8, 8, 3))
    for place in range(DEPTH):
        convolution = layers.DepthwiseConv2D if normalized and place == 4 else layers.Conv2D
        size = () if convolution is layers.DepthwiseConv2D else (12,)
        use_bias = not normalized or place % 2 == 0
        x = convolution(*size, kernel_size=3, padding="same", use_bias=use_bias)(x)
        x = layers.BatchNormalization()(x) if normalized else x
        x = layers.ReLU()(x)
    outputs = layers.Dense(10, activation="softmax")(layers.Flatten()(x))
    made = keras.Model(inputs, outputs)
    draw_weights(made, rng)
    return made


def draw_weights(made: Any, rng: np.random.Generator) -> None:
    for weight in made.weights:
        name = weight.name.split("/")[-1].partition(":")[0]
        if name.endswith("kernel"):
            fan_in = np.prod(weight.shape[:2] if name == "depthwise_kernel" else weight.shape[:-1])
            weight.assign(rng.normal(0, np.sqrt(2 / fan_in), weight.shape))
        elif name in ("gamma", "moving_variance"):
            weight.assign(rng.uniform(0.7, 1.5, weight.shape))
        else:
            weight.assign(rng.normal(0, 0.1, weight.shape))


def scores_of(content: bytes, images: np.ndarray) -> np.ndarray:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=content)
    [given], [scores] = interpreter.get_input_details(), interpreter.get_output_details()
    interpreter.resize_tensor_input(given["index"], images.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(given["index"], images)
    interpreter.invoke()
    return interpreter.get_tensor(scores["index"]) / 256


def steps_in(content: bytes, model: Any) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the biases of each layer in its file's steps, as the file has them and as the network does."""
    layers = {wrapper.layer.name: wrapper.layer for wrapper in model.layers if hasattr(wrapper, "layer")}
    norms = {layer.name: norm for layer, norm in folded_norms(model, depthwise=True)}
    graph = Graph(content)
    kernels = {index for index, _ in kernel_tensors(graph)}
    for operator in graph.operators:
        inputs = [int(index) for index in operator.inputs]
        if len(inputs) < 3 or inputs[1] not in kernels:
            continue
        # The names of the operators that became one: network/layer/operator;network/layer/operator
        parts = re.split("[/;]", graph.tensors[inputs[1]].name.decode())
        named = layers.keys() & {part.removeprefix("quant_") for part in parts}
        if not named:
            continue  # what scales the pixels
        [name] = named
        own = np.float64(0) if layers[name].bias is None else layers[name].bias.numpy().astype(np.float64)
        if name in norms:
            gamma, beta, mean, variance = (one.astype(np.float64) for one in norms[name].get_weights())
            own = beta + (own - mean) * gamma / np.sqrt(variance + norms[name].epsilon)
        yield graph.constant(inputs[2]), own / np.asarray(graph.tensors[inputs[2]].quantization.scale)


@pytest.mark.parametrize(("name", "step"), list(zip(sorted(MODELS), cycle(["cqat", "qat"]), strict=False)))
def test_the_biases_of_every_architecture_are_those_of_its_file(name: str, step: str) -> None:
    rng = np.random.default_rng(3)
    spec = NetworkSpec((32, 32, 3), classes=10, width=0.125)
    scaling = MODELS[name].scaling(spec).quantized()
    drawn = MODELS[name].build(spec)
    draw_weights(drawn, rng)
    images = rng.integers(0, 256, (8, 32, 32, 3), dtype=np.uint8)
    model = fake_quantized_for(step, drawn, "sound")
    calibrate_ranges(model, images, scaling)
    round_biases(model)
    found = list(steps_in(to_int8_tflite(freeze(model, scaling), images), model))
    assert len(found) == sum(bool(getattr(wrapper, "_weight_vars", ())) for wrapper in model.layers)
    for held, own in found:
        np.testing.assert_allclose(own, held, atol=0.02, rtol=1e-6)


@pytest.mark.parametrize("normalized", [False, True], ids=["plain", "normalized"])
def test_a_network_with_its_files_biases_gives_its_files_scores(normalized: bool) -> None:
    rng = np.random.default_rng(3)
    images = rng.integers(0, 256, (200, 8, 8, 3), dtype=np.uint8)
    model = fake_quantized(network(normalized, rng))
    calibrate_ranges(model, images[:32], SCALING)

    def other(scaling: Scaling) -> float:
        """Return which share of the scores is on another level in the file than in the network."""
        expected = model(scaling.apply(images), training=False).numpy()
        content = to_int8_tflite(freeze(model, scaling), images[:32])
        return float(np.mean(np.abs(scores_of(content, images) - expected) > 0.5 / 256))

    before = other(SCALING)
    round_biases(model)
    after = other(SCALING.quantized())
    assert before > 0.1
    assert after < before / 20
    # What is rounded stays as it is.
    biases = [weight.numpy() for weight in model.weights]
    round_biases(model)
    for weight, kept in zip(model.weights, biases, strict=True):
        np.testing.assert_allclose(weight.numpy(), kept, atol=1e-6)


def test_what_is_not_quantized_as_a_whole_has_no_steps_to_round_to() -> None:
    model = fake_quantized(network(False, np.random.default_rng(3)), only_kernels=True)
    with pytest.raises(ModelError, match=r"expected a range of 8 bits in front of quant_"):
        round_biases(model)


def test_offsets_of_colours_are_what_an_int8_file_has() -> None:
    rng = np.random.default_rng(3)
    images = rng.integers(0, 256, (4, 8, 8, 3), dtype=np.uint8)
    model = fake_quantized(network(False, rng))
    calibrate_ranges(model, images, SCALING)
    graph = Graph(to_int8_tflite(freeze(model, SCALING), images))
    [pixels] = [one for one in graph.operators if graph.operator_name(one) == "DEPTHWISE_CONV_2D"]
    index = int(pixels.inputs[2])
    held = graph.constant(index) * np.asarray(graph.tensors[index].quantization.scale)
    np.testing.assert_allclose(SCALING.quantized().offset, held, atol=1e-7)
    assert not np.allclose(SCALING.offset, held, atol=1e-6)


def test_what_has_no_offset_is_scaled_as_it_was() -> None:
    assert Scaling(1 / 255).quantized() == Scaling(1 / 255)
