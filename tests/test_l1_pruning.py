"""Pruning by L1 norm switches the weakest channels and weights off, keeps them off, and finds how many."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_networks import SCALING, bench_of, coloured, narrow_vgg6

from benchmarks.sections import RATIO_STEP
from benchmarks.techniques import TECHNIQUES, off_count
from fixtures.compression.chains import chain_of, silent_channels, without_silent_channels
from fixtures.compression.claims import ClaimError, check, check_removed, inspect
from fixtures.compression.convert import freeze, to_float_tflite, to_weight_quantized_tflite
from fixtures.compression.l1_pruning import largest_ratio, switch_off
from fixtures.compression.preserving import kept_convolutions, kept_kernels
from fixtures.compression.steps import AFFORDABLE_DROP, STEPS
from fixtures.models import MODELS, ModelError, NetworkSpec
from fixtures.models.training import accuracy
from fixtures.tensorflow import load

RATIO = 0.4
TARGETS: dict[str, Any] = {"sparsity": 0.5, "clusters": 16, "ratio": RATIO, "name": "d-m-l1_pruned"}


@pytest.fixture(scope="module")
def original() -> list[np.ndarray]:
    """The weights of a trained network."""
    weights: list[np.ndarray] = STEPS["train"](narrow_vgg6(), bench_of()).get_weights()
    return weights


def with_weights(weights: list[np.ndarray]) -> Any:
    model = narrow_vgg6()
    model.set_weights(weights)
    return model


@pytest.fixture(scope="module")
def pruned(original: list[np.ndarray]) -> Any:
    return with_weights(STEPS["l1_prune"](with_weights(original), bench_of()).get_weights())


def test_the_channels_of_the_lowest_norms_are_switched_off_and_no_other_weight(
    original: list[np.ndarray],
) -> None:
    model = with_weights(original)
    switch_off(model, RATIO)
    before = with_weights(original)
    first, *others = kept_convolutions(model)
    np.testing.assert_array_equal(first.kernel.numpy(), before.get_layer(first.name).kernel.numpy())
    for layer in others:
        was = before.get_layer(layer.name).kernel.numpy()
        norms = [np.abs(was[..., channel]).sum(dtype=np.float64) for channel in range(was.shape[-1])]
        off = sorted(range(len(norms)), key=norms.__getitem__)[: int(RATIO * len(norms))]
        assert set(np.flatnonzero(~layer.kernel.numpy().any(axis=(0, 1, 2)))) == set(off)
        norm = model.get_layer(f"{layer.name}_norm")
        assert not norm.gamma.numpy()[off].any()
        assert not norm.beta.numpy()[off].any()
        on = [channel for channel in range(len(norms)) if channel not in off]
        np.testing.assert_array_equal(layer.kernel.numpy()[..., on], was[..., on])


def test_the_weights_of_the_lowest_magnitudes_are_switched_off_in_dense_layers(
    original: list[np.ndarray],
) -> None:
    model = with_weights(original)
    switch_off(model, RATIO)
    for kernel, was in zip(kept_kernels(model), kept_kernels(with_weights(original)), strict=True):
        if kernel.shape.rank == 2:
            off = kernel.numpy() == 0
            assert off.sum() == off_count(off.size, RATIO)
            assert np.abs(was.numpy()[off]).max() <= np.abs(was.numpy()[~off]).min()


def test_what_is_off_stays_so_while_the_rest_recovers(original: list[np.ndarray], pruned: Any) -> None:
    model = with_weights(original)
    switch_off(model, RATIO)
    moved = 0
    for before, after in zip(model.trainable_weights, pruned.trainable_weights, strict=True):
        if len(before.shape) > 1:
            off = before.numpy() == 0
            assert not after.numpy()[off].any()
            moved += bool((after.numpy()[~off] != before.numpy()[~off]).any())
    assert moved == 10
    for place, layer in enumerate(pruned.layers):
        if layer in kept_convolutions(pruned)[1:]:
            expected = off_count(layer.filters, RATIO)
            assert silent_channels(layer, pruned.layers[place + 1]).sum() == expected > 0
    accuracies = [accuracy(one, coloured(200, 5), SCALING, 50) for one in (with_weights(original), pruned)]
    assert min(accuracies) > 0.5  # it has learnt something that could be lost


def test_a_bias_is_switched_off_with_its_channel() -> None:
    spec = NetworkSpec((32, 32, 3), 4, width=0.125, dense_units=16, seed=1)
    model = MODELS["vgg19"].build(spec)
    for layer in kept_convolutions(model):
        layer.bias.assign(np.ones(layer.filters, np.float32))
    first, second, *_ = kept_convolutions(model)
    switch_off(model, RATIO)
    off = ~second.kernel.numpy().any(axis=(0, 1, 2))
    assert off.sum() == int(RATIO * second.filters)
    np.testing.assert_array_equal(second.bias.numpy() == 0, off)
    assert first.bias.numpy().all()


@pytest.mark.parametrize("name", ["l1_pruned", "l1_pruned_weight_quantized"])
def test_the_files_keep_their_claims_and_those_of_the_original_do_not(
    name: str, original: list[np.ndarray], pruned: Any
) -> None:
    claims = TECHNIQUES[name].claims
    convert = to_weight_quantized_tflite if claims.int8_weights else to_float_tflite
    check(inspect(convert(freeze(pruned, SCALING))), claims, **TARGETS)
    with pytest.raises(ClaimError) as raised:
        check(inspect(to_float_tflite(freeze(with_weights(original), SCALING))), claims, **TARGETS)
    told = str(raised.value)
    assert re.search(r"kernel \S*conv2\S*: expected 3 or more of 8 output channels to be empty, got 0", told)
    assert "conv1/" not in told.replace("conv1_relu", "")
    assert re.search(r"kernel \S*logits\S*: expected 204 or more zeros, got 0", told)
    assert ("expected int8, as it has" in told) == claims.int8_weights


def test_the_network_without_its_silent_channels_is_smaller_and_computes_the_same(pruned: Any) -> None:
    smaller = without_silent_channels(pruned)
    filters = [layer.filters for layer in kept_convolutions(smaller)]
    assert filters == [8, *(size - int(RATIO * size) for size in (8, 16, 16, 32, 32))]
    images = SCALING.apply(coloured(100, 7).images)
    np.testing.assert_allclose(
        smaller(images, training=False).numpy(), pruned(images, training=False).numpy(), atol=1e-5
    )
    whole, small = (to_float_tflite(freeze(model, SCALING)) for model in (pruned, smaller))
    assert len(small) < 0.9 * len(whole)
    check_removed(inspect(small), inspect(whole), name="d-m-l1_pruned")
    with pytest.raises(ClaimError, match=r"expected 5 output channels, got 8"):
        check_removed(inspect(whole), inspect(whole), name="d-m-l1_pruned")


def test_a_channel_that_its_normalization_speaks_for_is_not_silent(pruned: Any) -> None:
    model = with_weights(pruned.get_weights())
    norm = model.get_layer("conv2_norm")
    off = np.flatnonzero(norm.gamma.numpy() == 0)
    norm.beta.assign(np.where(np.arange(8) == off[0], np.float32(0.3), norm.beta.numpy()))
    smaller = without_silent_channels(model)
    assert smaller.get_layer("conv2").filters == 8 - len(off) + 1
    images = SCALING.apply(coloured(20, 7).images)
    np.testing.assert_allclose(smaller(images).numpy(), model(images).numpy(), atol=1e-5)


def test_no_channel_is_taken_out_of_a_network_with_branches() -> None:
    layers = load().keras.layers
    inputs = load().keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, padding="same", name="first")(inputs)
    branch = layers.Add(name="sum")([x, layers.ReLU()(x)])
    model = load().keras.Model(inputs, branch, name="branching")
    with pytest.raises(
        ModelError, match=r"are a chain.*got layer first with 2 readers \(model branching\), because"
    ):
        chain_of(model)


@given(limit=st.floats(0, 1))
def test_the_largest_affordable_ratio_is_found_in_few_tries(limit: float) -> None:
    tried: list[float] = []

    def affordable(ratio: float) -> bool:
        tried.append(ratio)
        return ratio <= limit

    ratios = [round(RATIO_STEP * count, 10) for count in range(1, 20)]
    assert largest_ratio(affordable) == max((one for one in ratios if one <= limit), default=None)
    assert len(tried) <= 5
    assert set(tried) <= set(ratios)


def test_the_ratio_that_is_found_stays_near_the_original_and_is_as_if_it_had_been_asked_for(
    original: list[np.ndarray],
) -> None:
    lines: list[str] = []
    noted: dict[str, Any] = {}
    bench = bench_of(l1_ratio="auto", progress=lines.append, note=noted.update)
    found = STEPS["l1_prune"](with_weights(original), bench).get_weights()
    before = accuracy(with_weights(original), bench.images.validation, SCALING, 32)
    assert noted["accuracy_before"] == before
    after = {one["ratio"]: one["validation_accuracy"] for one in noted["tries"]}
    assert accuracy(with_weights(found), bench.images.validation, SCALING, 32) == after[noted["l1_ratio"]]
    assert noted["l1_ratio"] == max(ratio for ratio, one in after.items() if one >= before - AFFORDABLE_DROP)
    told = [line for line in lines if line.startswith("ratio ")]
    assert len(told) == len(after)
    assert told[0] == (
        f"ratio 50%: {after[0.5]:.1%} after recovery, {before:.1%} before pruning, "
        f"{'within' if after[0.5] >= before - 0.05 else 'not within'} 5 points"
    )
    asked = STEPS["l1_prune"](with_weights(original), bench_of(l1_ratio=noted["l1_ratio"])).get_weights()
    assert all(np.array_equal(one, other) for one, other in zip(found, asked, strict=True))


def test_a_network_that_no_ratio_leaves_good_enough_is_told_with_what_was_tried(
    original: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fixtures.compression.steps.accuracy", lambda *_: 2.0)
    with pytest.raises(
        ClaimError, match=r"got none among 50%, 25%, 10%, 5% .*fine_tuning\.by_step\.l1_prune"
    ):
        STEPS["l1_prune"](with_weights(original), bench_of(l1_ratio="auto"))
