"""What tensorflow-model-optimization 0.8.1 gets wrong on networks like ours, and that our steps do not.

Each fault is shown on the library and, beside it, that ours keeps what the library loses.  Where a test of
the library fails with a newer version of it, the fault is mended and our part may no longer be needed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from fixtures.compression.claims import inspect
from fixtures.compression.convert import freeze, to_int8_tflite
from fixtures.compression.preserving import kept_kernels, preserving_adam
from fixtures.compression.quantization_aware import calibrate_ranges, fake_quantized
from fixtures.compression.steps import QUANTIZATION_AWARE, fake_quantized_for
from fixtures.models.scaling import Scaling
from fixtures.tensorflow import load

SIDE = 6
SCALING = Scaling(1 / 255)
VALUES = np.array([-0.4, -0.15, 0.1, 0.3], np.float32)
SPARSE_VALUES = np.array([-0.4, 0.0, 0.1, 0.3], np.float32)

Trainable = tuple[Any, Callable[[float], Any]]


def by_the_library(network: Any, *, sparse: bool = False) -> Trainable:
    """Return ``network`` with the library's cluster-preserving quantizers, and plain Adam."""
    quantization = load().tfmot.quantization.keras
    from tensorflow_model_optimization.python.core.quantization.keras.collab_opts.cluster_preserve import (
        default_8bit_cluster_preserve_quantize_scheme as schemes,
    )

    scheme = schemes.Default8BitClusterPreserveQuantizeScheme(preserve_sparsity=sparse)
    model = quantization.quantize_apply(quantization.quantize_annotate_model(network), scheme)
    return model, load().keras.optimizers.Adam


def by_our_step(network: Any, *, sparse: bool = False) -> Trainable:
    """Return ``network`` and the optimizer as our ``cqat`` or ``pcqat`` trains them."""
    step = "pcqat" if sparse else "cqat"
    kept = QUANTIZATION_AWARE[step]
    model = fake_quantized_for(step, network, "sound")
    return model, preserving_adam(model, zeros=kept.zeros, clusters=kept.clusters, signs=kept.clusters)


def stack(*kernels: np.ndarray) -> Any:
    """Return a network of a convolution and a normalization for each of ``kernels`` (h, w, in, out)."""
    keras = load().keras
    layers = keras.layers
    inputs = x = keras.Input((SIDE, SIDE, kernels[0].shape[2]))
    for number, kernel in enumerate(kernels):
        x = layers.Conv2D(kernel.shape[-1], kernel.shape[0], use_bias=False, name=f"conv{number}")(x)
        x = layers.BatchNormalization(name=f"norm{number}")(x)
        x = layers.ReLU(name=f"relu{number}")(x)
    x = layers.GlobalAveragePooling2D(name="average")(x)
    model = keras.Model(inputs, layers.Dense(3, activation="softmax", name="classes")(x))
    for number, kernel in enumerate(kernels):
        model.get_layer(f"conv{number}").kernel.assign(kernel)
    classes = model.get_layer("classes").kernel
    classes.assign(np.resize(SPARSE_VALUES, classes.shape))
    return model


def trained_kernels(trainable: Trainable, channels: int, steps: int = 4) -> list[np.ndarray]:
    """Return the convolutions' kernels after some training steps on random images."""
    model, optimizer = trainable
    rng = np.random.default_rng(1)
    model.compile(optimizer(1e-2), "sparse_categorical_crossentropy")
    for _ in range(steps):
        model.train_on_batch(rng.random((16, SIDE, SIDE, channels), np.float32), rng.integers(0, 3, 16))
    model(rng.random((1, SIDE, SIDE, channels), np.float32), training=True)
    return [kernel.numpy() for kernel in kept_kernels(model) if kernel.shape.rank == 4]


def clustered_as_a_whole(channels: int) -> np.ndarray:
    """Return a kernel (3, 3, 4, channels) of four values, each of which every channel holds."""
    rng = np.random.default_rng(3)
    columns = [rng.permutation(np.resize(VALUES, 36)) for _ in range(channels)]
    return np.stack(columns, axis=-1).reshape(3, 3, 4, channels)


def test_the_library_takes_a_kernel_clustered_as_a_whole_for_one_clustered_per_channel() -> None:
    """Its issue 1056: each channel goes its own way, and the kernel's clusters are lost."""
    (lost,) = trained_kernels(by_the_library(stack(clustered_as_a_whole(8))), channels=4)
    assert len(np.unique(lost)) > len(VALUES)


def test_our_step_keeps_a_kernel_clustered_as_a_whole() -> None:
    before = clustered_as_a_whole(8)
    (kept,) = trained_kernels(by_our_step(stack(before)), channels=4)
    assert len(np.unique(kept)) == len(VALUES)
    assert not np.array_equal(kept, before)


def test_the_library_pads_missing_centroids_with_ones() -> None:
    kernel = clustered_as_a_whole(8)
    kernel[..., 0] = np.where(kernel[..., 0] == VALUES[0], VALUES[1], kernel[..., 0])
    model, _ = by_the_library(stack(kernel))
    (centroids,) = [
        weight.numpy() for weight in model.weights if "quant_conv0/cluster_centroids" in weight.name
    ]
    assert centroids.shape == (8, len(VALUES))
    assert 1 in centroids[0]
    assert 1 not in kernel


def test_our_step_has_no_weights_beside_those_of_plain_fake_quantization() -> None:
    network = stack(clustered_as_a_whole(8))
    model, _ = by_our_step(network)
    assert [weight.shape for weight in model.weights] == [
        weight.shape for weight in fake_quantized(network).weights
    ]


@pytest.mark.parametrize(("make", "grows"), [(by_the_library, True), (by_our_step, False)])
def test_the_library_s_graph_grows_with_the_channels_and_ours_does_not(
    make: Callable[[Any], Trainable], grows: bool
) -> None:
    """This is what makes the library's first training step take minutes."""
    tf = load().tf

    def operations(channels: int) -> int:
        model, _ = make(stack(clustered_as_a_whole(channels)))
        trace = tf.function(lambda x: model(x, training=True), autograph=False)
        graph = trace.get_concrete_function(tf.TensorSpec((2, SIDE, SIDE, 4))).graph
        return len(graph.get_operations())

    few, many = operations(8), operations(24)
    assert many >= few + 16 if grows else many == few


def sparse_and_dense() -> tuple[np.ndarray, np.ndarray]:
    """Return two kernels (3, 3, 4, 4): the first without zeros, the second with a quarter of them.

    The channels of the second hold very different numbers of values, so that the library takes it for
    clustered as a whole.
    """
    second = np.tile(SPARSE_VALUES, 36).reshape(3, 3, 4, 4)
    second = np.random.default_rng(4).permuted(second.ravel()).reshape(second.shape)
    second[..., 0] = SPARSE_VALUES[1]
    return clustered_as_a_whole(4), second


def test_the_library_gives_up_all_sparsity_once_it_meets_a_layer_without_zeros() -> None:
    """One quantizer instance serves all convolutions and switches itself over for good."""
    first, second = sparse_and_dense()
    alone = trained_kernels(by_the_library(stack(second), sparse=True), channels=4)[0]
    assert (alone[second == 0] == 0).all()
    behind = trained_kernels(by_the_library(stack(first, second), sparse=True), channels=4)[1]
    assert (behind[second == 0] != 0).any()


def test_our_step_keeps_the_sparsity_behind_a_layer_without_zeros() -> None:
    first, second = sparse_and_dense()
    kernels = trained_kernels(by_our_step(stack(first, second), sparse=True), channels=4)
    assert (kernels[1][second == 0] == 0).all()
    assert (kernels[0] != 0).all()


def pointwise() -> np.ndarray:
    """Return a kernel (1, 1, 2, 4): one channel with a zero, three with one value that is not zero."""
    return np.array([[0.0, 0.3, -0.15, 0.1], [0.4, 0.3, -0.15, 0.1]], np.float32).reshape(1, 1, 2, 4)


def test_the_library_zeroes_the_smallest_centroid_of_a_channel_without_zeros() -> None:
    """Its issue 979: whole channels of a 1x1 kernel go."""
    (kernel,) = trained_kernels(by_the_library(stack(pointwise()), sparse=True), channels=2)
    assert pointwise()[..., 1:].all()
    assert not kernel[..., 1:].any()


def test_our_step_zeroes_no_weight_that_was_not_zero() -> None:
    (kernel,) = trained_kernels(by_our_step(stack(pointwise()), sparse=True), channels=2)
    np.testing.assert_array_equal(kernel == 0, pointwise() == 0)


def test_the_library_clusters_no_depthwise_kernel_and_the_inspection_says_so() -> None:
    libraries = load()
    keras, clustering = libraries.keras, libraries.tfmot.clustering.keras
    inputs = keras.Input((SIDE, SIDE, 3))
    x = keras.layers.DepthwiseConv2D(3, depth_multiplier=2, name="depthwise")(inputs)
    x = keras.layers.Conv2D(8, 1, name="pointwise")(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    model = keras.Model(inputs, keras.layers.Dense(3, name="classes")(x))
    init = clustering.CentroidInitialization.KMEANS_PLUS_PLUS
    wrapped = clustering.cluster_weights(model, number_of_clusters=4, cluster_centroids_init=init)
    stripped = clustering.strip_clustering(wrapped)
    kernels = {weight.name: len(np.unique(weight.numpy())) for weight in stripped.weights}
    assert max(count for name, count in kernels.items() if "depthwise" in name) == 54
    assert len(np.unique(stripped.get_layer("pointwise").kernel.numpy())) <= 4

    images = np.random.default_rng(0).integers(0, 256, (4, SIDE, SIDE, 3), dtype=np.uint8)
    content = to_int8_tflite(freeze(stripped, SCALING), images)
    inspection = inspect(content)
    assert [kernel.depthwise for kernel in inspection.kernels] == [True, False, False]
    assert inspection.distinct <= 4


def int8_values(make: Callable[[Any], Any]) -> int:
    """Return how many int8 values the file of a clustered convolution with normalization holds."""
    rng = np.random.default_rng(7)
    kernel = rng.choice(VALUES, (3, 3, 3, 8))
    kernel[..., 0] = VALUES[2]  # a channel with a range of its own
    network = stack(kernel)
    norm = network.get_layer("norm0")
    norm.gamma.assign(rng.uniform(0.3, 2, 8))
    norm.moving_variance.assign(rng.uniform(0.1, 2, 8))
    model = make(network)
    images = rng.integers(0, 256, (8, SIDE, SIDE, 3), dtype=np.uint8)
    calibrate_ranges(model, images, SCALING)
    for wrapper in model.layers:
        for weight, quantizer, ranges in getattr(wrapper, "_weight_vars", ()):
            quantizer(weight, training=True, weights=ranges)  # the ranges that a training step would set
    inspection = inspect(to_int8_tflite(freeze(model, SCALING), images))
    return inspection.kernels[0].distinct_whole


def of_one_scale(network: Any) -> Any:
    quantization = load().tfmot.quantization.keras
    scheme = quantization.default_8bit.Default8BitQuantizeScheme(disable_per_axis=True)
    return quantization.quantize_apply(quantization.quantize_annotate_model(network), scheme)


@pytest.mark.parametrize("make", [fake_quantized, of_one_scale])
def test_with_the_library_s_ranges_a_clustered_kernel_becomes_more_integers(
    make: Callable[[Any], Any],
) -> None:
    """By channel, each has a scale of its own; with one scale, folding the normalization rounds anew."""
    assert int8_values(make) > len(VALUES)


def test_with_our_ranges_a_clustered_kernel_becomes_as_many_integers() -> None:
    assert int8_values(lambda network: fake_quantized(network, whole_kernels=True)) == len(VALUES)


def relu_of_its_own() -> Any:
    keras = load().keras
    inputs = keras.Input((SIDE, SIDE, 3))
    x = keras.layers.ReLU()(keras.layers.Conv2D(4, 3, name="conv")(inputs))
    x = keras.layers.Activation("relu")(keras.layers.Dense(4, name="dense")(keras.layers.Flatten()(x)))
    return keras.Model(inputs, x)


def quantized_kernels(model: Any) -> list[str]:
    return [layer.name for layer in model.layers if getattr(layer, "_weight_vars", ())]


def test_the_library_leaves_a_kernel_in_front_of_a_relu_layer_unquantized() -> None:
    quantization = load().tfmot.quantization.keras
    assert quantized_kernels(quantization.quantize_model(relu_of_its_own())) == []


def test_our_scheme_quantizes_a_kernel_in_front_of_a_relu_layer() -> None:
    assert quantized_kernels(fake_quantized(relu_of_its_own())) == ["quant_conv", "quant_dense"]
