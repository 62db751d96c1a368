"""The techniques of the second study go through the maker: made, kept, rebuilt, and stood for by a twin."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.cases import Variant
from benchmarks.schema import Suite
from benchmarks.suite import SuiteError, load_suite
from benchmarks.techniques import PRETRAINED_STUDY
from fixtures.compression.preserving import kept_convolutions
from fixtures.evaluation import Classifier
from fixtures.known import known_names
from fixtures.maker import MODEL_FILE, Maker
from fixtures.store import Store
from fixtures.suite_data import SuiteData

SMALL = (
    "model.width=0.1",
    "data.train_images=300",
    "data.test_images=200",
    "training.epochs=3",
    "fine_tuning.epochs=1",
    f"compression.techniques={list(PRETRAINED_STUDY)}",
    "compression.l1_pruning.ratio=0.4",
)
STRUCTURAL = "compression.l1_pruning.structural=true"


def quick(*overrides: str) -> Suite:
    return load_suite("quick", known_names(), [*SMALL, *overrides])


def maker_of(store: Path, *overrides: str) -> Maker:
    suite = quick(*overrides)
    return Maker(suite, Store(store), SuiteData(suite, store), lambda _: None)


def variant(technique: str) -> Variant:
    return Variant("digits", "vgg6", technique)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store in which everything of the study has been made, with and without the silent channels."""
    root = tmp_path_factory.mktemp("store")
    for overrides in ([], [STRUCTURAL]):
        maker = maker_of(root, *overrides)
        for technique in PRETRAINED_STUDY:
            maker.make(variant(technique))
    return root


@pytest.fixture(scope="module")
def images(store: Path) -> np.ndarray:
    pixels: np.ndarray = SuiteData(quick(), store).test("digits")[1].images
    return pixels


def training_is_forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("expected to find it in the store")

    monkeypatch.setattr(Maker, "_train", refuse)


@pytest.mark.parametrize("structural", [False, True])
@pytest.mark.parametrize("technique", PRETRAINED_STUDY)
def test_the_twin_of_what_is_in_the_store_predicts_what_the_file_does(
    technique: str, structural: bool, store: Path, images: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    training_is_forbidden(monkeypatch)
    maker = maker_of(store, *([STRUCTURAL] if structural else []))
    network, scaling = maker.twin(variant(technique))
    ours = network.predict(scaling.apply(images), verbose=0).argmax(axis=1)
    theirs = Classifier(maker.make(variant(technique)).path / MODEL_FILE, 10).predict(images)
    assert np.mean(ours == theirs) >= 0.99
    assert len(np.unique(ours)) > 2


def test_channels_that_are_taken_out_make_smaller_files_of_the_same_weights(
    store: Path, images: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    training_is_forbidden(monkeypatch)
    whole, smaller = maker_of(store), maker_of(store, STRUCTURAL)
    for technique in PRETRAINED_STUDY:
        files = [maker.make(variant(technique)) for maker in (whole, smaller)]
        if "l1_pruned" not in technique:
            assert files[0].path == files[1].path
            continue
        assert files[1].facts["file_bytes"] < 0.9 * files[0].facts["file_bytes"]
        classes = [Classifier(file.path / MODEL_FILE, 10).predict(images) for file in files]
        assert np.mean(classes[0] == classes[1]) >= (1 if technique == "l1_pruned" else 0.98)


def test_the_ablated_network_comes_out_of_the_store_with_the_kernels_of_the_original(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    training_is_forbidden(monkeypatch)
    ablated, original = (maker_of(store).network(variant(name))[0] for name in ("ablated", "original"))
    convolutions = [layer.name for layer in kept_convolutions(ablated)]
    assert convolutions == ["conv1", "conv2", "conv3", "conv4", "conv5"]
    for name in convolutions:
        for after, before in zip(
            ablated.get_layer(name).get_weights(), original.get_layer(name).get_weights(), strict=True
        ):
            np.testing.assert_array_equal(after, before)


@pytest.mark.parametrize("step", ["l1_prune", "ablate"])
def test_fine_tuning_of_the_new_steps_can_be_set_by_itself(step: str) -> None:
    suite = quick(f"fine_tuning.by_step.{step}.epochs=7")
    assert (suite.budget(step, "vgg6").epochs, suite.budget("prune", "vgg6").epochs) == (7, 1)


def test_a_conversion_has_no_fine_tuning() -> None:
    with pytest.raises(SuiteError, match="expected a known step"):
        quick("fine_tuning.by_step.convert_weights_int8.epochs=7")


@pytest.mark.parametrize("ratio", ["0.0", "1.0", "'most'", "true"])
def test_a_ratio_is_a_share_or_to_be_found(ratio: str) -> None:
    with pytest.raises(SuiteError, match=r'l1_pruning\.ratio: expected a number between 0 and 1 or "auto"'):
        quick(f"compression.l1_pruning.ratio={ratio}")
    assert quick("compression.l1_pruning.ratio=auto").compression.l1_pruning.ratio == "auto"


@pytest.mark.parametrize(
    ("name", "models", "ratio", "epochs"),
    [("svhn", ["vgg6"], 0.4, 10), ("cifar10", ["vgg6", "vgg16"], 0.2, 20), ("imagenet", ["vgg16"], 0.2, 9)],
)
def test_the_suites_are_the_study(name: str, models: list[str], ratio: float, epochs: int) -> None:
    suite = load_suite(f"pretrained-{name}", known_names())
    assert (suite.data.datasets, suite.model.names, suite.model.width) == ([name], models, 1.0)
    assert suite.compression.techniques == [
        "original",
        "l1_pruned",
        "weight_quantized",
        "ablated",
        "l1_pruned_weight_quantized",
    ]
    assert suite.compression.l1_pruning.ratio == ratio
    budgets = {suite.budget(step, model).epochs for step in ("l1_prune", "ablate") for model in models}
    assert budgets == {epochs}
    assert len(list(suite.cases("mce", known_names().corruptions))) == 5 * len(models)
    attack = suite.attacks.by_name["carlini_wagner"]
    assert (attack.method, attack.learning_rate, attack.iterations) == ("carlini_wagner", 5e-5, 40)
    assert (suite.attacks.images, suite.latency.rounds) == (1000, 10_000)
    assert suite.explanations.names == ["embedding", "activation_maps"]
