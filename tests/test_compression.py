"""The compression steps make what the techniques claim, and keep it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.techniques import ORIGINAL_STUDY, TECHNIQUES, Claims
from fixtures.compression.claims import ClaimError, Inspection, Kernel, check, inspect, zipped_bytes
from fixtures.compression.convert import freeze, to_float_tflite, to_int8_tflite
from fixtures.compression.flatbuffer import Graph
from fixtures.compression.preserving import kept_kernels, preserving_adam
from fixtures.compression.quantization_aware import (
    calibrate_ranges,
    fake_quantized,
    quantized_twin,
    round_kernels,
)
from fixtures.compression.steps import STEPS, Bench
from fixtures.datasets import Split
from fixtures.models.scaling import Scaling
from fixtures.models.training import Budget, Images
from fixtures.tensorflow import load

SCALING = Scaling(1 / 255)
SPARSITY, CLUSTERS = 0.5, 16


@pytest.fixture(scope="module")
def images() -> Images:
    """Three classes that differ in colour: 96 images of 8x8 pixels to train on, 24 to validate."""
    rng = np.random.default_rng(5)
    labels = np.arange(120) % 3
    pixels = rng.integers(0, 120, (120, 8, 8, 3), dtype=np.uint8)
    pixels[np.arange(120), :, :, labels] += 110
    return Images(Split(pixels[:96], labels[:96]), Split(pixels[96:], labels[96:]))


@pytest.fixture(scope="module")
def bench(images: Images) -> Bench:
    budget = Budget(epochs=2, batch_size=24, learning_rate=1e-3)
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


def network():
    """A network with each kind of layer that is compressed: a convolution, a 1x1 one, a dense layer."""
    keras = load().keras
    layers = keras.layers

    def initial(seed: int):
        return keras.initializers.HeUniform(seed=seed)

    inputs = x = keras.Input((8, 8, 3))
    x = layers.Conv2D(8, 3, padding="same", use_bias=False, kernel_initializer=initial(1), name="conv")(x)
    x = layers.BatchNormalization(name="norm")(x)
    x = layers.ReLU(name="relu")(x)
    x = layers.Conv2D(12, 1, kernel_initializer=initial(2), name="pointwise")(x)
    x = layers.ReLU(name="relu2")(x)
    x = layers.Flatten(name="flatten")(x)
    outputs = layers.Dense(3, activation="softmax", kernel_initializer=initial(3), name="logits")(x)
    return keras.Model(inputs, outputs, name="small")


@pytest.fixture(scope="module")
def networks(bench: Bench) -> dict:
    """The network of every float technique of the first study, each made from its parent's."""
    weights: dict = {}
    made = {}
    for technique in map(TECHNIQUES.__getitem__, ORIGINAL_STUDY):
        if technique.claims.int8:
            continue
        start = network()
        if technique.parent is not None:
            start.set_weights(weights[technique.parent])
        network_made = STEPS[technique.step](start, bench)
        weights[technique.name] = network_made.get_weights()
        if "qat" not in technique.traits:
            # As the workshop does: a step's own result may still carry the names of its wrappers.
            network_made = network()
            network_made.set_weights(weights[technique.name])
        made[technique.name] = network_made
    return made


def deployed(name: str, networks: dict, images: Images) -> bytes:
    technique = TECHNIQUES[name]
    if technique.claims.int8:
        return to_int8_tflite(freeze(networks[technique.parent], SCALING), images.train.images[:32])
    return to_float_tflite(freeze(networks[name], SCALING))


@pytest.mark.parametrize("name", ORIGINAL_STUDY)
def test_the_deployed_file_of_every_technique_keeps_its_claims(name: str, networks, images) -> None:
    inspection = inspect(deployed(name, networks, images))
    assert len(inspection.kernels) == 3
    technique = TECHNIQUES[name]
    check(
        inspection,
        technique.claims,
        sparsity=SPARSITY,
        clusters=CLUSTERS,
        name=name,
        whole_kernels=technique.claims.int8 and "qat" in technique.traits,
    )


def test_the_original_keeps_none_of_the_claims(networks, images) -> None:
    inspection = inspect(deployed("original", networks, images))
    assert inspection.distinct_whole >= inspection.distinct
    for claim in ("sparse", "clustered", "int8"):
        with pytest.raises(ClaimError, match="original is not what its technique claims"):
            check(inspection, Claims(**{claim: True}), sparsity=SPARSITY, clusters=CLUSTERS, name="original")


@pytest.mark.parametrize("name", ["pruned", "sparse_clustered", "pqat", "pcqat"])
def test_a_pruned_kernel_has_its_sparsity_as_counted_by_hand(name: str, networks) -> None:
    for kernel in kept_kernels(networks[name]):
        assert np.mean(kernel.numpy() == 0) >= SPARSITY - 1 / kernel.numpy().size


@pytest.mark.parametrize("name", ["clustered", "sparse_clustered", "cqat", "pcqat"])
def test_a_clustered_kernel_has_at_most_its_clusters_as_a_whole(name: str, networks) -> None:
    for kernel in kept_kernels(networks[name]):
        assert 2 <= len(np.unique(kernel.numpy())) <= CLUSTERS


@pytest.mark.parametrize(("name", "parent"), [("cqat", "clustered"), ("pcqat", "sparse_clustered")])
def test_training_moves_the_centroids_and_keeps_every_weight_in_its_cluster(
    name: str, parent: str, networks
) -> None:
    after_training = kept_kernels(networks[name])
    before_training = kept_kernels(networks[parent])
    moved = False
    for after, before in zip(after_training, before_training, strict=True):
        pairs = np.unique(np.stack([before.numpy().ravel(), after.numpy().ravel()]), axis=1)
        assert len(np.unique(pairs[0])) == pairs.shape[1], f"a cluster of {after.name} fell apart"
        moved |= bool(np.any(pairs[0] != pairs[1]))
    assert moved


def test_without_preservation_training_loses_zeros_and_clusters(networks, bench: Bench) -> None:
    model = network()
    model.set_weights(networks["sparse_clustered"].get_weights())
    bench.fit(model, optimizer=preserving_adam(model, zeros=False, clusters=False))
    kernel = kept_kernels(model)[2].numpy()
    assert len(np.unique(kernel)) > CLUSTERS
    assert np.mean(kernel == 0) < SPARSITY


def test_ranges_are_set_to_the_extremes_of_the_activations(images: Images) -> None:
    model = network()
    quantized = fake_quantized(model)
    before = {weight.name: weight.numpy() for weight in quantized.weights if "moving" in weight.name}
    pixels = images.train.images[:32]
    calibrate_ranges(quantized, pixels, SCALING)

    keras = load().keras
    probe = keras.Model(model.input, model.get_layer("relu").output)
    activations = probe(pixels.astype(np.float32) * np.float32(SCALING.scale), training=True).numpy()
    ranges = {weight.name: float(weight.numpy()) for weight in quantized.weights if weight.shape == ()}
    assert ranges["quant_relu/output_min:0"] == pytest.approx(0, abs=1e-5)
    # The weights are quantized too, so the extremes agree to the precision of eight bits.
    assert ranges["quant_relu/output_max:0"] == pytest.approx(activations.max(), rel=0.05)
    for weight in quantized.weights:
        if weight.name in before:
            np.testing.assert_array_equal(weight.numpy(), before[weight.name])


def test_a_twin_computes_what_its_network_does_to_the_precision_of_eight_bits(images: Images) -> None:
    model = network()
    for layer in model.layers:
        if isinstance(layer, load().keras.layers.BatchNormalization):
            # Far from the statistics of a batch, as those of a trained network may be.
            gamma, beta, mean, variance = layer.get_weights()
            layer.set_weights([gamma, beta, mean + 0.3, 4 * variance])
    pixels = images.train.images[:32]
    twin = quantized_twin(model, pixels, SCALING)
    expected = model(SCALING.apply(pixels), training=False).numpy()
    got = twin(SCALING.apply(pixels), training=False).numpy()
    np.testing.assert_allclose(got, expected, atol=0.03)
    ranges = {weight.name: float(weight.numpy()) for weight in twin.weights if weight.shape == ()}
    probe = load().keras.Model(model.input, model.get_layer("relu").output)
    largest = probe(SCALING.apply(pixels), training=False).numpy().max()
    assert ranges["quant_relu/output_max:0"] == pytest.approx(largest, rel=0.02)


def test_the_input_takes_every_pixel_in_whichever_network_of_a_process() -> None:
    """Keras numbers the layer that quantizes the input."""
    scaling = Scaling(1 / 64, (-2.0, -1.5, -1.0))
    for _ in range(2):
        quantized = fake_quantized(network())
        calibrate_ranges(quantized, np.full((2, 8, 8, 3), 100, np.uint8), scaling)
        low, high = quantized.get_layer(index=1).get_weights()[:2]
        assert (low, high) == pytest.approx((-2, 255 / 64 - 1))


def test_rounding_the_kernels_keeps_what_a_network_computes(images: Images) -> None:
    quantized = fake_quantized(network(), whole_kernels=True)
    inputs = SCALING.apply(images.validation.images)
    quantized(inputs, training=True)
    before = quantized(inputs, training=False).numpy()
    round_kernels(quantized)
    np.testing.assert_array_equal(quantized(inputs, training=False).numpy(), before)
    for kernel in kept_kernels(quantized):
        integers = kernel.numpy() / (np.abs(kernel.numpy()).max() / 127)
        np.testing.assert_allclose(integers, np.round(integers), atol=1e-4)


def test_a_float_file_predicts_what_its_network_does(networks, images) -> None:
    for name in ("original", "pruned", "clustered"):
        content = deployed(name, networks, images)
        scores = run(content, images.validation.images)
        expected = networks[name](images.validation.images.astype(np.float32) * SCALING.scale, training=False)
        np.testing.assert_allclose(scores, expected.numpy(), atol=1e-4)


def test_an_int8_file_agrees_with_its_fake_quantized_network(networks, images) -> None:
    scores = run(deployed("qat_int8", networks, images), images.validation.images)
    expected = networks["qat"](images.validation.images.astype(np.float32) * SCALING.scale, training=False)
    agreement = np.mean(scores.argmax(axis=1) == expected.numpy().argmax(axis=1))
    assert agreement >= 0.99


@pytest.mark.parametrize("name", ["int8", "qat_int8", "pcqat_int8"])
def test_an_int8_file_takes_raw_pixels_as_they_are(name: str, networks, images) -> None:
    """Also where the images it was calibrated or trained on had neither black nor white pixels."""
    from ai_edge_litert.interpreter import Interpreter

    assert images.train.images.max() < 255
    interpreter = Interpreter(model_content=deployed(name, networks, images))
    details = interpreter.get_input_details()[0]
    assert details["dtype"] == np.uint8
    assert details["quantization"] == pytest.approx((1, 0))


def test_an_int8_file_rounds_pixels_once_where_colours_have_offsets() -> None:
    """A product and a sum of their own would round them twice, the product to coarser levels."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    scaling = Scaling(1 / 64, (-2.0, -1.5, -1.0))
    quantized = fake_quantized(network())
    greys = np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(4, 8, 8, 3)  # each value, in each colour
    calibrate_ranges(quantized, greys, scaling)
    content = to_int8_tflite(freeze(quantized, scaling), greys)
    interpreter = Interpreter(
        model_content=content,
        experimental_preserve_all_tensors=True,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    interpreter.resize_tensor_input(interpreter.get_input_details()[0]["index"], greys.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], greys)
    interpreter.invoke()
    graph = Graph(content)
    scaled = next(int(one.outputs[0]) for one in graph.operators if "CONV" in graph.operator_name(one))
    details = next(one for one in interpreter.get_tensor_details() if one["index"] == scaled)
    step, zero = details["quantization"]
    got = (interpreter.get_tensor(scaled).astype(np.float64) - zero) * step
    assert step == pytest.approx((255 / 64 + 1) / 255, rel=0.01)  # from -2 to 255 / 64 - 1
    assert np.abs(got - scaling.apply(greys)).max() <= 0.505 * step  # the bias is rounded too, finely


def test_what_scales_the_pixels_is_no_kernel_of_the_network() -> None:
    scaling = Scaling(1 / 64, (-2.0, -1.5, -1.0))
    plain, aware = network(), fake_quantized(network())
    calibrate_ranges(aware, np.full((2, 8, 8, 3), 100, np.uint8), scaling)
    images = np.full((2, 8, 8, 3), 100, np.uint8)
    for model in (plain, aware):
        frozen = freeze(model, scaling)
        for content in (to_float_tflite(frozen), to_int8_tflite(frozen, images)):
            shapes = [kernel.shape for kernel in inspect(content).kernels]
            assert shapes == [(8, 3, 3, 3), (12, 1, 1, 8), (3, 768)]


def test_the_same_seed_trains_the_same_network(bench: Bench) -> None:
    first, second, other = (
        STEPS["train"](network(), replace(bench, seed=seed)).get_weights() for seed in (3, 3, 4)
    )
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


def test_each_broken_claim_is_named_with_its_kernel() -> None:
    kernel = Kernel("dense", (4, 10), sparsity=0.2, distinct=17, distinct_whole=40, empty=0, int8=True)
    inspection = Inspection((kernel,), {"SOFTMAX": 1})
    with pytest.raises(ClaimError) as raised:
        check(
            inspection,
            Claims(sparse=True, clustered=True, int8=True),
            sparsity=0.5,
            clusters=16,
            name="digits-vgg6-pcqat_int8",
        )
    message = str(raised.value)
    assert "digits-vgg6-pcqat_int8 is not what its technique claims" in message
    assert "kernel dense: expected sparsity of at least 50.00%, got 20.00%" in message
    assert "expected at most 16 distinct values in an output channel, got 17" in message
    assert "expected no operator on float tensors, got SOFTMAX (1)" in message


@pytest.mark.parametrize(("whole_kernels", "got"), [(False, None), (True, 40)])
def test_distinct_values_are_counted_over_the_whole_kernel_where_that_is_asked(
    whole_kernels: bool, got: int | None
) -> None:
    kernel = Kernel("dense", (4, 10), sparsity=0, distinct=16, distinct_whole=40, empty=0, int8=True)
    claims = Claims(clustered=True)
    options = {"sparsity": 0.5, "clusters": 16, "name": "cqat_int8", "whole_kernels": whole_kernels}
    if got is None:
        check(Inspection((kernel,), {}), claims, **options)
    else:
        with pytest.raises(ClaimError, match=f"at most 16 distinct values in the kernel, got {got}"):
            check(Inspection((kernel,), {}), claims, **options)


def test_a_kernel_of_zeros_alone_breaks_the_claims() -> None:
    kernel = Kernel("dead", (4, 10), sparsity=1, distinct=1, distinct_whole=1, empty=4, int8=True)
    with pytest.raises(ClaimError, match="kernel dead: expected weights other than zero, got 40 zeros"):
        check(Inspection((kernel,), {}), Claims(sparse=True), sparsity=0.5, clusters=16, name="pqat")


def test_a_depthwise_kernel_enters_no_figure_and_no_claim() -> None:
    kernel = Kernel("conv", (4, 10), sparsity=0.5, distinct=3, distinct_whole=5, empty=0, int8=True)
    depthwise = replace(kernel, sparsity=0.0, distinct=99, distinct_whole=999, depthwise=True)
    inspection = Inspection((kernel, depthwise), {})
    assert (inspection.sparsity, inspection.distinct, inspection.distinct_whole) == (0.5, 3, 5)
    check(inspection, Claims(sparse=True, clustered=True), sparsity=0.5, clusters=16, name="pcqat")


def test_a_kernel_with_an_odd_number_of_weights_may_miss_its_sparsity_by_one() -> None:
    def kernel(zeros: int) -> Inspection:
        return Inspection((Kernel("odd", (1, 27), zeros / 27, 20, 20, 0, False),), {})

    check(kernel(13), Claims(sparse=True), sparsity=0.5, clusters=16, name="odd")
    with pytest.raises(ClaimError):
        check(kernel(12), Claims(sparse=True), sparsity=0.5, clusters=16, name="odd")


def test_the_zipped_size_is_that_of_an_archive_written_by_hand(tmp_path, networks, images) -> None:
    import zipfile

    content = deployed("clustered_int8", networks, images)
    (tmp_path / "model.tflite").write_bytes(content)
    with zipfile.ZipFile(tmp_path / "m.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(tmp_path / "model.tflite", "model.tflite")
    assert zipped_bytes(content) == (tmp_path / "m.zip").stat().st_size


def run(content: bytes, images: np.ndarray) -> np.ndarray:
    """Return the scores of a file on images, one image at a time, with LiteRT alone."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    scores = []
    for image in images:
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image[None])
        interpreter.invoke()
        scores.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0].copy())
    return np.stack(scores)
