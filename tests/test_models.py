"""The networks of the original study: what they are made of, what goes in, where their weights come from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fixtures.compression.chains import chain_of
from fixtures.models import MODELS, ModelError, NetworkSpec, Scaling

BACKBONES = ("resnet50", "vgg19", "mobilenet_v2")
SMALL = NetworkSpec((32, 32, 3), 10, width=0.125, dense_units=64, seed=3)

#: Parameters without the top layers (with them, tf-keras' documentation has 25.6, 143.7 and 3.5 million).
PARAMETERS = {"resnet50": 23_587_712, "vgg19": 20_024_384, "mobilenet_v2": 2_257_984}
FEATURES = {"resnet50": 2048, "vgg19": 512, "mobilenet_v2": 1280}


@pytest.fixture(scope="module")
def keras() -> Any:
    from fixtures.tensorflow import load

    return load().keras


@pytest.mark.parametrize("name", BACKBONES)
def test_at_full_width_it_is_the_application_with_the_studys_classifier(name: str) -> None:
    model = MODELS[name].build(NetworkSpec((32, 32, 3), 10, upsampling=7))
    classifier = FEATURES[name] * 1024 + 1024 + 1024 * 10 + 10
    assert model.count_params() == PARAMETERS[name] + classifier
    assert model.input_shape == (None, 32, 32, 3)
    assert model.get_layer("upsampling").output_shape == (None, 224, 224, 3)


@pytest.mark.parametrize("name", MODELS)
def test_width_narrows_every_hidden_layer_and_leaves_the_classes(name: str) -> None:
    model = MODELS[name].build(SMALL)
    whole = MODELS[name].build(replace(SMALL, width=1))
    assert model.output_shape == (None, 10)
    assert model.count_params() < whole.count_params() / 16


@pytest.mark.parametrize("name", MODELS)
def test_weights_depend_on_the_seed_alone(name: str) -> None:
    def weights(seed: int) -> list[np.ndarray]:
        found: list[np.ndarray] = MODELS[name].build(replace(SMALL, seed=seed)).get_weights()
        return found

    first, again, other = weights(1), weights(1), weights(2)
    assert all(np.array_equal(one, two) for one, two in zip(first, again, strict=True))
    kernels = [number for number, weight in enumerate(first) if weight.ndim > 1]
    assert not any(np.array_equal(first[number], other[number]) for number in kernels)


@pytest.mark.parametrize("name", MODELS)
def test_networks_are_flat_for_the_library_that_compresses_them(name: str, keras: Any) -> None:
    assert not [layer for layer in MODELS[name].build(SMALL).layers if isinstance(layer, keras.Model)]


@pytest.mark.parametrize("name", BACKBONES)
def test_scaling_with_initial_weights_is_that_of_the_application(name: str, keras: Any) -> None:
    images = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3)).astype(np.uint8)
    module = {"resnet50": "resnet50", "vgg19": "vgg19", "mobilenet_v2": "mobilenet_v2"}[name]
    expected = getattr(keras.applications, module).preprocess_input(images.astype(np.float32).copy())
    scaling = MODELS[name].scaling(replace(SMALL, initial_weights="imagenet"))
    ours = scaling.apply(images)
    if name != "mobilenet_v2":
        ours = ours[..., ::-1]  # their weights expect blue first; ours are turned round instead
    np.testing.assert_allclose(ours, expected, atol=1e-4)


@pytest.mark.parametrize("name", BACKBONES)
def test_scaling_bounds_are_reached_and_not_passed(name: str) -> None:
    scaling = MODELS[name].scaling(SMALL)
    extremes = scaling.apply(np.array([0, 255], np.uint8).reshape(2, 1, 1, 1).repeat(3, axis=3))
    assert np.isclose([extremes.min(), extremes.max()], scaling.bounds(), rtol=1e-6).all()


@pytest.mark.parametrize("name", BACKBONES)
def test_weights_of_a_file_give_the_applications_features(name: str, keras: Any, tmp_path: Path) -> None:
    application = {"resnet50": "ResNet50", "vgg19": "VGG19", "mobilenet_v2": "MobileNetV2"}[name]
    reference = getattr(keras.applications, application)(
        include_top=False, weights=None, input_shape=(32, 32, 3), pooling="avg"
    )
    file = tmp_path / "weights.h5"
    reference.save_weights(file)
    spec = NetworkSpec((32, 32, 3), 10, initial_weights=str(file))
    network = MODELS[name].build(spec)
    MODELS[name].load_initial_weights(network, spec)

    images = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype(np.uint8)
    module = {"resnet50": "resnet50", "vgg19": "vgg19", "mobilenet_v2": "mobilenet_v2"}[name]
    scaled = getattr(keras.applications, module).preprocess_input(images.astype(np.float32).copy())
    features = keras.Model(network.input, network.get_layer("average").output)
    ours = features.predict(MODELS[name].scaling(spec).apply(images), verbose=0)
    np.testing.assert_allclose(ours, reference.predict(scaled, verbose=0), rtol=1e-3, atol=1e-4)


def load_into(name: str, **changes: Any) -> Callable[[], None]:
    spec = NetworkSpec((32, 32, 3), 10, **changes)
    return lambda: MODELS[name].load_initial_weights(MODELS[name].build(spec), spec)


def test_a_missing_file_of_weights_is_named() -> None:
    with pytest.raises(ModelError, match=r"weights of MobileNetV2 at /nowhere/weights\.h5"):
        load_into("mobilenet_v2", initial_weights="/nowhere/weights.h5")()


def test_a_file_that_is_no_hdf5_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "weights.h5"
    file.write_bytes(b"no weights")
    with pytest.raises(ModelError, match="layout of tf-keras' applications"):
        load_into("mobilenet_v2", initial_weights=str(file))()


def test_without_a_network_the_file_of_imagenet_weights_is_named(
    monkeypatch: pytest.MonkeyPatch, keras: Any
) -> None:
    def no_network(*_: object, **__: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(keras.applications, "MobileNetV2", no_network)
    with pytest.raises(ModelError, match=r"mobilenet_v2_weights_\S+_1\.0_224_no_top\.h5.*put it there"):
        MODELS["mobilenet_v2"].load_initial_weights(
            None, NetworkSpec((32, 32, 3), 10, initial_weights="imagenet")
        )


def test_initial_weights_do_not_fit_another_width() -> None:
    with pytest.raises(ModelError, match=r"expected width 1 with initial weights 'imagenet', got 0\.5"):
        load_into("mobilenet_v2", initial_weights="imagenet", width=0.5)()


@pytest.mark.parametrize("name", ["vgg6", "vgg16"])
def test_the_networks_of_the_second_study_have_no_initial_weights(name: str) -> None:
    with pytest.raises(ModelError, match=rf'initial_weights = "none" for {name}, got \'imagenet\''):
        load_into(name, initial_weights="imagenet", width=0.1)()


def test_vgg16_has_thirteen_normalized_convolutions_in_five_blocks() -> None:
    layers = MODELS["vgg16"].build(replace(SMALL, width=1)).layers
    kinds = [type(layer).__name__ for layer in layers]
    convolutions = [layer.filters for layer in layers if hasattr(layer, "filters")]
    assert convolutions == [64, 64, 128, 128, 256, 256, 256, *[512] * 6]
    assert kinds.count("BatchNormalization") == 13
    blocks = "".join(kind[0] for kind in kinds if kind in ("Conv2D", "MaxPooling2D")).split("M")
    assert list(map(len, blocks)) == [2, 2, 3, 3, 3, 0]
    assert [layer.units for layer in layers if hasattr(layer, "units")] == [4096, 4096, 10]
    # https://github.com/pytorch/vision: vgg16_bn has 138,365,992 with 1,000 classes at 224x224.  The bias in
    # front of each normalization adds nothing to what it can compute, and is not here.
    biases = sum(convolutions)
    moving = 2 * biases
    dense = (512 + 1) * 4096 + (4096 + 1) * 4096 + (4096 + 1) * 10
    theirs = 138_365_992 - (512 * 49 + 1) * 4096 - (4096 + 1) * 4096 - (4096 + 1) * 1000
    assert MODELS["vgg16"].build(replace(SMALL, width=1)).count_params() == theirs - biases + moving + dense


@pytest.mark.parametrize("name", ["vgg6", "vgg16"])
def test_images_that_cannot_be_halved_often_enough_are_refused(name: str) -> None:
    least = {"vgg6": 8, "vgg16": 32}[name]
    MODELS[name].build(replace(SMALL, image_shape=(least, least, 3)))
    MODELS[name].build(replace(SMALL, image_shape=(least // 2, least // 2, 3), upsampling=2))
    with pytest.raises(
        ModelError, match=rf"at least {least} pixels a side for {name}, got {least - 1}, because"
    ):
        MODELS[name].build(replace(SMALL, image_shape=(least, least - 1, 3)))


def test_weights_of_vgg6_are_those_of_earlier_versions() -> None:
    spec = NetworkSpec((16, 16, 3), 7, width=0.1, upsampling=2, seed=9)
    weights = b"".join(weight.tobytes() for weight in MODELS["vgg6"].build(spec).get_weights())
    digest = "eb34f11f45c41fc449948f4f2c958b5fa95bc915b4cc0bb7383889af73524eea"
    assert hashlib.sha256(weights).hexdigest() == digest


@pytest.mark.parametrize("name", MODELS)
def test_whether_a_network_is_a_chain_is_known_before_it_is_built(name: str) -> None:
    network = MODELS[name].build(SMALL)
    if MODELS[name].chain:
        assert chain_of(network) == network.layers
    else:
        with pytest.raises(ModelError, match=r"layers are a chain.*got layer \w+ with 2 (inputs|readers)"):
            chain_of(network)


def test_scaling_is_that_of_the_pixels_where_there_is_no_offset() -> None:
    images = np.array([[[[0, 51, 255]]]], np.uint8)
    np.testing.assert_array_equal(Scaling(1 / 255).apply(images), np.float32(images) * np.float32(1 / 255))
