"""The steps keep their claims on networks built like those of the study, down to the int8 file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from benchmarks.techniques import ORIGINAL_STUDY, TECHNIQUES
from fixtures.compression.claims import Inspection, check, inspect
from fixtures.compression.convert import freeze, to_float_tflite, to_int8_tflite
from fixtures.compression.preserving import LEAST_GAMMA, fold_signs, kept_kernels, preserving_adam
from fixtures.compression.steps import QUANTIZATION_AWARE, STEPS, Bench, fake_quantized_for
from fixtures.datasets import Split
from fixtures.models.scaling import Scaling
from fixtures.models.training import Budget, Images
from fixtures.tensorflow import load

SPARSITY, CLUSTERS, SIDE = 0.5, 16, 16
SCALING = Scaling(1 / 127.5, (-1.0, -0.9, -1.1))


def mobilenet(layers: Any, x: Any) -> Any:
    """An inverted residual block as MobileNetV2 has it: expansion, depthwise, linear projection, addition."""

    def normed(y: Any, name: str, relu: bool = True) -> Any:
        y = layers.BatchNormalization(momentum=0.9, name=f"{name}_bn")(y)
        return layers.ReLU(6.0, name=f"{name}_relu")(y) if relu else y

    x = layers.ZeroPadding2D(((0, 1), (0, 1)), name="pad")(x)
    x = normed(layers.Conv2D(8, 3, strides=2, use_bias=False, name="conv1")(x), "conv1")
    y = normed(layers.Conv2D(24, 1, use_bias=False, name="expand")(x), "expand")
    y = normed(layers.DepthwiseConv2D(3, padding="same", use_bias=False, name="depthwise")(y), "depthwise")
    y = normed(layers.Conv2D(8, 1, use_bias=False, name="project")(y), "project", relu=False)
    x = layers.Add(name="add")([x, y])
    return normed(layers.Conv2D(32, 1, use_bias=False, name="last")(x), "last")


def resnet(layers: Any, x: Any) -> Any:
    """A bottleneck block as ResNet-50 has it: biases in front of the normalizations, a 1x1 shortcut."""

    def normed(y: Any, name: str) -> Any:
        return layers.BatchNormalization(momentum=0.9, epsilon=1.001e-5, name=f"{name}_bn")(y)

    x = layers.ZeroPadding2D(2, name="pad")(x)
    x = layers.Activation("relu", name="relu1")(
        normed(layers.Conv2D(8, 5, strides=2, name="conv1")(x), "conv1")
    )
    shortcut = normed(layers.Conv2D(24, 1, name="shortcut")(x), "shortcut")
    y = layers.Activation("relu", name="relu2")(normed(layers.Conv2D(8, 1, name="reduce")(x), "reduce"))
    y = layers.Activation("relu", name="relu3")(
        normed(layers.Conv2D(8, 3, padding="same", name="middle")(y), "middle")
    )
    y = normed(layers.Conv2D(24, 1, name="widen")(y), "widen")
    return layers.Activation("relu", name="relu4")(layers.Add(name="add")([shortcut, y]))


def vgg(layers: Any, x: Any) -> Any:
    """Convolutions as VGG-19 has them: biases, ReLU inside, no normalization."""
    for number, filters in enumerate((8, 12, 16), start=1):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu", name=f"conv{number}")(x)
        x = layers.MaxPooling2D(name=f"pool{number}")(x)
    return x


BACKBONES: dict[str, Callable[[Any, Any], Any]] = {"mobilenet": mobilenet, "resnet": resnet, "vgg": vgg}


def build(backbone: str) -> Any:
    """Return a network with the study's classifier; the gammas of its normalizations have either sign."""
    keras = load().keras
    rng = np.random.default_rng(2)
    inputs = keras.Input((SIDE, SIDE, 3))
    x = keras.layers.GlobalAveragePooling2D(name="average")(BACKBONES[backbone](keras.layers, inputs))
    x = keras.layers.Dense(16, activation="relu", name="dense")(x)
    model = keras.Model(inputs, keras.layers.Dense(3, activation="softmax", name="classes")(x))
    for weight in model.weights:
        if weight.name.endswith("gamma:0"):
            weight.assign(rng.choice([-1.0, 1.0], weight.shape) * rng.uniform(0.3, 2, weight.shape))
        elif "moving_variance" not in weight.name:
            fan_in = np.prod(weight.shape[:-1])
            weight.assign(rng.normal(0, (2 / max(fan_in, 1)) ** 0.5, weight.shape))
    return model


@pytest.fixture(scope="module")
def bench() -> Bench:
    """Three classes that differ in colour; images are mirrored and moved while training."""
    rng = np.random.default_rng(5)
    labels = np.arange(120) % 3
    pixels = rng.integers(0, 120, (120, SIDE, SIDE, 3), dtype=np.uint8)
    pixels[np.arange(120), :, :, labels] += 110
    images = Images(Split(pixels[:96], labels[:96]), Split(pixels[96:], labels[96:]))
    budget = Budget(epochs=2, batch_size=24, learning_rate=1e-3, augment=("flip", "shift"))
    return Bench(
        images,
        budget,
        SPARSITY,
        CLUSTERS,
        0.2,
        SCALING,
        seed=1,
        progress=print,
        protocol="sound",
        tell=print,
        note=print,
    )


@pytest.fixture(scope="module", params=BACKBONES)
def networks(request: pytest.FixtureRequest, bench: Bench) -> dict[str, Any]:
    """The network of every float technique of the first study that keeps something, from its parent's."""
    made = {"original": build(request.param)}
    weights = {"original": made["original"].get_weights()}
    for technique in map(TECHNIQUES.__getitem__, ORIGINAL_STUDY):
        if technique.claims.int8 or technique.parent is None or technique.name == "qat":
            continue
        start = build(request.param)
        start.set_weights(weights[technique.parent])
        network = STEPS[technique.step](start, bench)
        weights[technique.name] = network.get_weights()
        if technique.step not in QUANTIZATION_AWARE:
            network = build(request.param)
            network.set_weights(weights[technique.name])
        made[technique.name] = network
    return made


def inspected(name: str, networks: dict[str, Any], bench: Bench) -> Inspection:
    technique = TECHNIQUES[name]
    if technique.claims.int8:
        assert technique.parent is not None
        content = to_int8_tflite(freeze(networks[technique.parent], SCALING), bench.images.train.images[:32])
    else:
        content = to_float_tflite(freeze(networks[name], SCALING))
    return inspect(content)


@pytest.mark.parametrize(
    "name",
    [name for name, technique in TECHNIQUES.items() if technique.claims.sparse or technique.claims.clustered],
)
def test_every_file_keeps_its_claims(name: str, networks: dict[str, Any], bench: Bench) -> None:
    technique = TECHNIQUES[name]
    inspection = inspected(name, networks, bench)
    whole = technique.claims.int8 and "qat" in technique.traits
    check(
        inspection,
        technique.claims,
        sparsity=SPARSITY,
        clusters=CLUSTERS,
        name=name,
        whole_kernels=whole,
    )
    assert all(kernel.sparsity < 1 for kernel in inspection.compressible)
    if technique.claims.int8:
        assert all(kernel.int8 for kernel in inspection.kernels)


@pytest.mark.parametrize("name", ["pcqat", "pcqat_int8"])
def test_depthwise_kernels_are_listed_and_kept_as_they_are(
    name: str, networks: dict[str, Any], bench: Bench
) -> None:
    inspection = inspected(name, networks, bench)
    depthwise = [kernel for kernel in inspection.kernels if kernel.depthwise]
    if "depthwise" not in {layer.name for layer in networks["original"].layers}:
        assert not depthwise
        return
    (kernel,) = depthwise
    assert kernel.shape == (1, 3, 3, 24)
    assert kernel.distinct == 9
    assert kernel.distinct_whole > CLUSTERS
    assert kernel.sparsity < 0.1
    assert inspection.distinct_whole == max(other.distinct_whole for other in inspection.compressible)


@pytest.mark.parametrize("step", ["cqat", "pcqat"])
def test_training_moves_the_centroids_and_keeps_every_weight_in_its_cluster(
    step: str, networks: dict[str, Any]
) -> None:
    parent = next(technique.parent for technique in TECHNIQUES.values() if technique.step == step)
    assert parent is not None
    moved = False
    pairs_of_kernels = zip(kept_kernels(networks[parent]), kept_kernels(networks[step]), strict=True)
    for before, after in pairs_of_kernels:
        pairs = np.unique(np.stack([before.numpy().ravel(), after.numpy().ravel()]), axis=1)
        assert len(np.unique(pairs[0])) == pairs.shape[1], f"a cluster of {after.name} fell apart"
        moved |= bool(np.any(pairs[0] != pairs[1]))
    assert moved


def test_a_fake_quantized_network_predicts_what_its_int8_file_does(
    networks: dict[str, Any], bench: Bench
) -> None:
    from ai_edge_litert.interpreter import Interpreter

    images = bench.images.validation.images
    content = to_int8_tflite(freeze(networks["cqat"], SCALING), bench.images.train.images[:32])
    interpreter = Interpreter(model_content=content)
    interpreter.resize_tensor_input(interpreter.get_input_details()[0]["index"], images.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], images)
    interpreter.invoke()
    scores = interpreter.get_tensor(interpreter.get_output_details()[0]["index"]) / 255
    expected = networks["cqat"](SCALING.apply(images), training=False).numpy()
    assert np.abs(scores - expected).max() < 0.15
    assert np.mean(scores.argmax(axis=1) == expected.argmax(axis=1)) >= 0.9


@pytest.mark.parametrize("backbone", BACKBONES)
def test_folding_signs_makes_gammas_positive_and_keeps_what_a_network_computes(
    backbone: str, bench: Bench
) -> None:
    model = build(backbone)
    inputs = SCALING.apply(bench.images.validation.images)
    before = model(inputs, training=False).numpy()
    fold_signs(model)
    np.testing.assert_array_equal(model(inputs, training=False).numpy(), before)
    for layer in model.layers:
        if layer.name.endswith("_bn") and not layer.name.startswith("depthwise"):
            assert (layer.gamma.numpy() > 0).all()


def test_folding_signs_leaves_a_network_whose_gammas_are_positive_alone() -> None:
    model = build("resnet")
    fold_signs(model)
    before = model.get_weights()
    fold_signs(model)
    for old, new in zip(before, model.get_weights(), strict=True):
        assert old.tobytes() == new.tobytes()


@pytest.mark.parametrize("between", ["activation", "branch"])
def test_signs_stay_where_they_cannot_be_folded(between: str) -> None:
    """Where something else than the normalization sees what the convolution puts out."""
    keras = load().keras
    layers = keras.layers
    inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, activation="relu" if between == "activation" else None)(inputs)
    y = layers.BatchNormalization(gamma_initializer=keras.initializers.Constant(-1.0))(x)
    model = keras.Model(inputs, layers.Add()([x, y]) if between == "branch" else y)
    before = model.get_weights()
    fold_signs(model)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_training_holds_the_signs_of_folded_gammas_alone(bench: Bench) -> None:
    keras = load().keras
    model = build("mobilenet")
    optimizer = preserving_adam(model, signs=True)(0.5)
    gammas = [weight for weight in model.trainable_weights if weight.name.endswith("gamma:0")]
    optimizer.apply_gradients([(keras.backend.ones_like(gamma) * 10, gamma) for gamma in gammas])
    for gamma in gammas:
        if gamma.name.startswith("depthwise"):
            assert gamma.numpy().min() < 0
        else:
            assert gamma.numpy().min() >= np.float32(LEAST_GAMMA)


@pytest.mark.parametrize("backbone", BACKBONES)
def test_the_study_s_qat_quantizes_kernels_alone_and_still_becomes_a_full_integer_file(
    backbone: str, bench: Bench
) -> None:
    annotated = {}
    for protocol in ("sound", "paper"):
        model = fake_quantized_for("qat", build(backbone), protocol)
        quantized = [layer.layer.name for layer in model.layers if getattr(layer, "_weight_vars", ())]
        annotated[protocol] = set(quantized)
    kernels = {kernel.name.split("/")[0] for kernel in kept_kernels(build(backbone))}
    assert annotated["paper"] == kernels
    assert annotated["sound"] == kernels | ({"depthwise"} if backbone == "mobilenet" else set())
    content = to_int8_tflite(freeze(model, SCALING), bench.images.train.images[:32])
    assert not inspect(content).float_operators
