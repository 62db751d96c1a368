"""What determines an artifact is in its recipe, and nothing else is."""

from __future__ import annotations

import pytest

from benchmarks.cases import Variant
from benchmarks.suite import load_suite
from benchmarks.techniques import TECHNIQUES
from fixtures import recipes
from fixtures.known import known_names
from fixtures.models import ModelError
from fixtures.recipes import images_identity, model_recipe, predictions_recipe, weights_recipe

VARIANT = Variant("digits", "vgg6", "pqat_int8")


def suite(*overrides: str):
    return load_suite("quick", known_names(), overrides)


@pytest.mark.parametrize(
    ("section", "same"), [("training", []), ("fine_tuning", ["original"])], ids=["training", "fine-tuning"]
)
def test_another_seed_of_training_makes_other_networks_from_there_on(section: str, same: list[str]) -> None:
    ours, theirs = suite(), suite(f"{section}.seed=1")
    for technique in ("original", "pruned", "pqat"):
        variant = Variant("digits", "vgg6", technique)
        alike = weights_recipe(ours, variant, "t").address == weights_recipe(theirs, variant, "t").address
        assert alike == (technique in same)


def test_another_seed_of_training_is_measured_on_the_same_images() -> None:
    ours, theirs = suite(), suite("training.seed=1")
    assert images_identity(ours, "test", {"name": "fog"}) == images_identity(theirs, "test", {"name": "fog"})


def test_seed_of_training_like_the_suites_changes_nothing() -> None:
    seed = suite().seed
    ours, same = suite(), suite(f"training.seed={seed}", f"fine_tuning.seed={seed}")
    assert model_recipe(ours, VARIANT, "t").address == model_recipe(same, VARIANT, "t").address


def test_predictions_are_of_the_images_that_their_identity_says() -> None:
    identity = images_identity(suite(), "test", {"name": "fog"})
    settings = predictions_recipe(suite(), model_recipe(suite(), VARIANT, "t"), "test", {"name": "fog"})
    assert identity.items() <= settings.settings.items()


#: What variants of the first study had before the second's came; PCQAT's since biases are rounded.
ADDRESSES = {
    (
        "cifar10-cpu",
        "resnet50",
        "original",
    ): "054f377a5100719f30c48f0fcd9d80ef5c187ebb179567adeae409e6f32e7fec",
    ("cifar10-cpu", "resnet50", "int8"): "70a24d4e9b9ce474f0f1172c7682af61d512c4d3a2c0e53b97216ed3a5c947fc",
    ("cifar10-cpu", "resnet50", "pcqat"): "a14282d3ac27f8a482b79e31b59c23f7ab2e490d6de7ccfed6a3d90638f273bb",
    ("cifar10-cpu", "resnet50", "pcqat_int8"): (
        "51612cb7f262ac07b927d564f04b8ff412588f5b812c69533f53fc211a2af2ee"
    ),
    ("cifar10-vgg6", "vgg6", "int8"): "f4449379f55ae8aa910cc4a0cf7fcf8b81d5008579a4e9110f28be263e1ee3f6",
    ("cifar10-vgg6", "vgg6", "pcqat_int8"): (
        "8ac4effe8802aa8c463a73aa1c9291f126ceea0d8209c788dc9bb31387d42628"
    ),
}


@pytest.mark.parametrize(("name", "model", "technique"), ADDRESSES)
def test_what_the_first_study_has_made_is_not_made_anew(
    name: str, model: str, technique: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recipes, "making_versions", dict)
    variant = Variant("cifar10", model, technique)
    recipe = model_recipe(load_suite(name, known_names()), variant, "train")
    assert recipe.address == ADDRESSES[name, model, technique]


def second_study(technique: str, *overrides: str) -> tuple[str, str]:
    """Return the addresses of a variant's file and of the weights of its network."""
    model = model_recipe(suite(*overrides), Variant("digits", "vgg6", technique), "t")
    return model.address, model.parents[0].address


def test_another_ratio_prunes_anew_and_nothing_else() -> None:
    for technique in TECHNIQUES:
        changed = second_study(technique, "compression.l1_pruning.ratio=0.3") != second_study(technique)
        assert changed == ("filter_pruned" in TECHNIQUES[technique].traits)


def test_channels_that_are_taken_out_make_another_file_of_the_same_weights() -> None:
    for technique in TECHNIQUES:
        usual, structural = (
            second_study(technique),
            second_study(technique, "compression.l1_pruning.structural=true"),
        )
        assert usual[1] == structural[1]
        assert (usual[0] != structural[0]) == ("filter_pruned" in TECHNIQUES[technique].traits)


def test_calibration_images_are_of_no_account_where_weights_alone_are_quantized() -> None:
    for technique in ("weight_quantized", "l1_pruned_weight_quantized"):
        assert second_study(technique, "compression.calibration_images=7") == second_study(technique)
    assert second_study("weight_quantized")[0] != second_study("int8")[0]


@pytest.mark.parametrize(
    ("technique", "override"),
    [("ablated", "seed=1"), ("l1_pruned", "compression.l1_pruning.structural=true")],
)
def test_a_network_that_no_part_can_be_taken_out_of_is_refused_before_anything_is_made(
    technique: str, override: str
) -> None:
    ours = suite("model.names=['resnet50', 'vgg19']", override)
    model_recipe(ours, Variant("digits", "vgg19", technique), "t")
    with pytest.raises(ModelError, match=r"expected a network whose layers are a chain.*\(model resnet50\)"):
        model_recipe(ours, Variant("digits", "resnet50", technique), "t")


def test_more_thresholds_or_latency_rounds_make_nothing_anew() -> None:
    changed = suite("thresholds.accuracy_min=0.5", "latency.rounds=7", "statistics.level=0.9")
    assert model_recipe(suite(), VARIANT, "t").address == model_recipe(changed, VARIANT, "t").address
