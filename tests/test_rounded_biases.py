"""A fake-quantized network with its file's biases computes what its int8 file does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fixtures.compression.convert import freeze, to_int8_tflite
from fixtures.compression.flatbuffer import Graph
from fixtures.compression.quantization_aware import calibrate_ranges, fake_quantized
from fixtures.compression.rounded_biases import round_biases
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
    for weight in made.weights:
        name = weight.name.split("/")[-1].partition(":")[0]
        if name.endswith("kernel"):
            fan_in = np.prod(weight.shape[:2] if name == "depthwise_kernel" else weight.shape[:-1])
            weight.assign(rng.normal(0, np.sqrt(2 / fan_in), weight.shape))
        elif name in ("gamma", "moving_variance"):
            weight.assign(rng.uniform(0.7, 1.5, weight.shape))
        else:
            weight.assign(rng.normal(0, 0.1, weight.shape))
    return made


def scores_of(content: bytes, images: np.ndarray) -> np.ndarray:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=content)
    [given], [scores] = interpreter.get_input_details(), interpreter.get_output_details()
    interpreter.resize_tensor_input(given["index"], images.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(given["index"], images)
    interpreter.invoke()
    return interpreter.get_tensor(scores["index"]) / 256


@pytest.mark.parametrize("normalized", [False, True], ids=["plain", "normalized"])
def test_a_network_with_its_files_biases_gives_its_files_scores(normalized: bool) -> None:
    rng = np.random.default_rng(3)
    images = rng.integers(0, 256, (200, 8, 8, 3), dtype=np.uint8)
    model = fake_quantized(network(normalized, rng))
    calibrate_ranges(model, images[:32], SCALING)

    def other(scaling: Scaling, content: bytes) -> float:
        """Return which share of the scores is on another level in the file than in the network."""
        expected = model(scaling.apply(images), training=False).numpy()
        return float(np.mean(np.abs(scores_of(content, images) - expected) > 0.5 / 256))

    content = to_int8_tflite(freeze(model, SCALING), images[:32])
    before = other(SCALING, content)
    scaling = SCALING.quantized()
    round_biases(model, to_int8_tflite(freeze(model, scaling), images[:32]))
    content = to_int8_tflite(freeze(model, scaling), images[:32])
    after = other(scaling, content)
    assert before > 0.1
    assert after < before / 20
    # What it was given is what its file has, so that it is given the same again.
    biases = [weight.numpy() for weight in model.weights]
    round_biases(model, content)
    for weight, kept in zip(model.weights, biases, strict=True):
        np.testing.assert_allclose(weight.numpy(), kept, atol=1e-6)


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
