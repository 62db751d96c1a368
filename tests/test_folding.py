"""A folded file computes what the deployed one does, on weights that were trained, and holds no more."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from fixtures.compression.flatbuffer import FlatbufferError, Graph
from fixtures.compression.folding import folded
from fixtures.datasets.digits import load_digits
from fixtures.models.scaling import Scaling
from fixtures.store import Recipe, Store

SCALING = Scaling(1 / 255)


def digits() -> tuple[np.ndarray, np.ndarray]:
    """Return all digits as uint8 images (1797, 32, 32, 3), and their labels."""
    data = load_digits(Path(), {})
    return np.concatenate([data.train.images, data.test.images]), np.concatenate(
        [data.train.labels, data.test.labels]
    )


def network() -> Any:
    """A network with every kind of kernel: ordinary, depthwise and 1x1 convolutions and a dense layer."""
    from fixtures.tensorflow import load

    layers = load().keras.layers

    def initial(seed: int) -> Any:
        return load().keras.initializers.GlorotUniform(seed=seed)

    inputs = x = load().keras.Input((32, 32, 3))
    x = layers.Conv2D(12, 3, strides=2, padding="same", use_bias=False, kernel_initializer=initial(1))(x)
    x = layers.ReLU()(layers.BatchNormalization(momentum=0.8)(x))
    x = shortcut = layers.MaxPooling2D()(x)
    x = layers.DepthwiseConv2D(3, padding="same", use_bias=False, depthwise_initializer=initial(2))(x)
    x = layers.ReLU()(layers.BatchNormalization(momentum=0.8)(x))
    x = layers.Conv2D(12, 1, kernel_initializer=initial(3))(x)
    x = layers.Add()([x, shortcut])
    x = layers.Flatten()(layers.MaxPooling2D()(x))
    outputs = layers.Dense(10, activation="softmax", kernel_initializer=initial(4))(x)
    return load().keras.Model(inputs, outputs)


def make_files(draft: Path) -> dict[str, Any]:
    from fixtures.compression.convert import freeze, to_float_tflite, to_int8_tflite
    from fixtures.compression.quantization_aware import calibrate_ranges, fake_quantized

    images, labels = digits()
    trained = network()
    trained.compile("adam", "sparse_categorical_crossentropy")
    trained.fit(SCALING.apply(images), labels, batch_size=32, epochs=5, shuffle=False, verbose=0)
    aware = fake_quantized(trained)
    calibrate_ranges(aware, images[:200], SCALING)
    contents = {
        "float": to_float_tflite(freeze(trained, SCALING)),
        "int8": to_int8_tflite(freeze(trained, SCALING), images[:50]),
        "fake_quantized": to_float_tflite(freeze(aware, SCALING)),
    }
    for name, content in contents.items():
        (draft / f"{name}.tflite").write_bytes(content)
    return {}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files by name, made once also if several workers run these tests."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    made = Store(shared / "folding").get_or_make(Recipe("files to fold", {}), make_files).path
    return {path.stem: path.read_bytes() for path in made.glob("*.tflite")}


def scores(content: bytes, images: np.ndarray, kernels: OpResolverType = OpResolverType.AUTO) -> np.ndarray:
    """Return float32 scores (n, classes) of a file run with one kind of kernels."""
    interpreter = Interpreter(model_content=content, num_threads=1, experimental_op_resolver_type=kernels)
    given, result = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    interpreter.resize_tensor_input(given, images.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(given, images)
    interpreter.invoke()
    given_scores: np.ndarray = interpreter.get_tensor(result)
    return given_scores


def operators(content: bytes, name: str) -> int:
    graph = Graph(content)
    return sum(graph.operator_name(operator) == name for operator in graph.operators)


def test_the_same_kernels_give_the_same_bits_for_a_file_and_its_folded_form(files: dict[str, bytes]) -> None:
    images, _ = digits()
    builtin = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    untouched = scores(files["fake_quantized"], images, builtin)
    assert np.array_equal(scores(folded(files["fake_quantized"]), images, builtin), untouched)


@pytest.mark.parametrize("noise", [0, 60])
def test_a_file_and_its_folded_form_give_the_same_classes(files: dict[str, bytes], noise: int) -> None:
    images, labels = digits()
    noisy = images + np.random.default_rng(1).normal(0, max(noise, 1e-9), images.shape)
    images = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
    untouched = scores(files["fake_quantized"], images).argmax(axis=1)
    assert np.mean(scores(folded(files["fake_quantized"]), images).argmax(axis=1) == untouched) >= 0.999
    assert np.mean(untouched == labels) > 0.3, "a network that learned nothing proves nothing"


def test_folding_takes_the_quantization_of_every_kernel_and_of_no_activation(files: dict[str, bytes]) -> None:
    before, after = files["fake_quantized"], folded(files["fake_quantized"])
    kernels = sum(operators(before, name) for name in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"))
    assert kernels == 4
    for name in ("QUANTIZE", "DEQUANTIZE"):
        assert operators(after, name) == operators(before, name) - kernels > 0


def test_kernels_of_a_folded_file_have_at_most_256_values_in_a_channel(files: dict[str, bytes]) -> None:
    graph = Graph(folded(files["fake_quantized"]))
    dense = next(op for op in graph.operators if graph.operator_name(op) == "FULLY_CONNECTED")
    assert len(np.unique(graph.constant(int(dense.inputs[1])))) <= 256


def test_a_folded_file_holds_each_kernel_once(files: dict[str, bytes]) -> None:
    assert len(folded(files["fake_quantized"])) < 1.2 * len(files["fake_quantized"])


@pytest.mark.parametrize("name", ["float", "int8"])
def test_a_file_without_fake_quantization_comes_back_as_it_is(name: str, files: dict[str, bytes]) -> None:
    assert folded(files[name]) is files[name]


def test_a_folded_file_comes_back_as_it_is(files: dict[str, bytes]) -> None:
    once = folded(files["fake_quantized"])
    assert folded(once) is once


def test_what_is_written_unchanged_computes_the_same(files: dict[str, bytes]) -> None:
    images = digits()[0][:100]
    rewritten = Graph(files["fake_quantized"]).to_bytes()
    assert np.array_equal(scores(rewritten, images), scores(files["fake_quantized"], images))


def test_constants_are_written_where_the_schema_aligns_them(files: dict[str, bytes]) -> None:
    content = folded(files["fake_quantized"])
    start = np.frombuffer(content, np.uint8).ctypes.data
    model = schema.Model.GetRootAs(content)
    buffers = [model.Buffers(number) for number in range(model.BuffersLength())]
    offsets = [buffer.DataAsNumpy().ctypes.data - start for buffer in buffers if not buffer.DataIsNone()]
    assert len(offsets) > 4
    assert {offset % 16 for offset in offsets} == {0}


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no flatbuffer at all"])
def test_what_is_no_tflite_file_is_refused(content: bytes) -> None:
    with pytest.raises(FlatbufferError, match=r"expected a \.tflite file"):
        folded(content)
