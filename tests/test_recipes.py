"""What determines an artifact is in its recipe, and nothing else is."""

from __future__ import annotations

import pytest

from benchmarks.cases import Variant
from benchmarks.suite import load_suite
from fixtures.known import known_names
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


def test_more_thresholds_or_latency_rounds_make_nothing_anew() -> None:
    changed = suite("thresholds.accuracy_min=0.5", "latency.rounds=7", "statistics.level=0.9")
    assert model_recipe(suite(), VARIANT, "t").address == model_recipe(changed, VARIANT, "t").address
