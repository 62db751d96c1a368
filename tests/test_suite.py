"""A suite file says what is measured, and says where it is wrong before anything is measured."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.cases import KINDS, Variant
from benchmarks.schema import Suite
from benchmarks.sections import ANY_NAME, Known, suggestion
from benchmarks.suite import BUILT_IN, SuiteError, built_in_suites, load_suite
from benchmarks.techniques import ORIGINAL_STUDY, TECHNIQUES
from fixtures.known import known_names

KNOWN = Known(
    datasets=("digits", "cifar10"),
    models=("vgg6", "resnet"),
    corruptions={"fog": "weather", "shot_noise": "noise", "pixelate": "digital"},
)

SMALL = """
description = "as little as a suite can say"

[data]
datasets = ["digits"]

[model]
names = ["vgg6"]

[training]
epochs = 2
batch_size = 8
learning_rate = 1e-3

[fine_tuning]
epochs = 1
batch_size = 8
learning_rate = 1e-4

[corruptions]
names = ["fog", "shot_noise"]
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(SMALL, encoding="utf-8")
    return path


def load(path: Path, *overrides: str) -> Suite:
    return load_suite(str(path), KNOWN, overrides)


def refusal(path: Path | str, *overrides: str, known: Known = KNOWN) -> str:
    with pytest.raises(SuiteError) as caught:
        load_suite(str(path), known, overrides)
    return str(caught.value)


# Which file


@pytest.mark.parametrize("name", built_in_suites())
def test_every_built_in_suite_loads_and_has_the_name_of_its_file(name: str) -> None:
    suite = load_suite(name, known_names())
    assert suite.name == name
    assert suite.description


@pytest.mark.parametrize("name", built_in_suites())
def test_suite_that_travels_as_json_says_the_same_of_every_network_and_step(name: str) -> None:
    sent = load_suite(name, known_names())
    arrived = Suite.model_validate(sent.model_dump(mode="json"), context={"known": known_names()})
    for model in sent.model.names:
        assert arrived.network(model) == sent.network(model)
        for step in {technique.step for technique in TECHNIQUES.values()}:
            assert arrived.budget(step, model) == sent.budget(step, model)


def test_built_in_suites_are_listed_by_name() -> None:
    assert built_in_suites() == sorted(path.stem for path in BUILT_IN.iterdir() if path.suffix == ".toml")
    assert "quick" in built_in_suites()


def test_suite_is_read_from_a_path_too(small: Path) -> None:
    assert load(small).name == "small"


def test_unknown_name_is_answered_with_the_known_ones_and_the_nearest() -> None:
    message = refusal("quik")
    assert "got 'quik'" in message
    assert "did you mean 'quick'?" in message
    assert all(name in message for name in built_in_suites())


def test_name_that_resembles_none_is_answered_without_a_guess() -> None:
    assert "did you mean" not in refusal("zzzzzz")


def test_missing_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "nowhere.toml"
    assert refusal(path).startswith(f"{path}: expected a TOML file, got: [Errno 2]")


@pytest.mark.parametrize("content", [b"epochs = = 3", b"[data", b"\xff\xfe\x00"])
def test_file_that_is_not_toml_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.toml"
    path.write_bytes(content)
    assert refusal(path).startswith(f"{path}: expected a TOML file, got: ")


def test_every_missing_key_is_named(tmp_path: Path) -> None:
    path = tmp_path / "empty.toml"
    path.touch()
    lines = refusal(path).splitlines()
    missing = ["description", "data", "model", "training", "fine_tuning", "corruptions"]
    assert lines == [f"{path}: {key}: expected a value, got none" for key in missing]


# Which keys and values

EPOCHS = 'expected a whole number of at least 1 or "as-original"'

BAD_VALUES = {
    "data.test_images=0": 'data.test_images: expected a whole number of at least 1 or "all", got 0',
    "data.test_images=1.5": 'data.test_images: expected a whole number of at least 1 or "all", got 1.5',
    "data.train_images=some": 'data.train_images: expected a whole number of at least 1 or "all", got "some"',
    "data.train_images=true": 'data.train_images: expected a whole number of at least 1 or "all", got true',
    "data.datasets=digits": 'data.datasets: expected a valid list, got "digits"',
    "data.validation_fraction=1.0": "data.validation_fraction: expected less than 1, got 1.0",
    "model.width=0": "model.width: expected greater than 0, got 0",
    "seed=-1": "seed: expected greater than or equal to 0, got -1",
    "training=3": "training: expected a section of keys, got 3",
    "training.epochs=true": f"training.epochs: {EPOCHS}, got true",
    "training.epochs='3'": f'training.epochs: {EPOCHS}, got "3"',
    "training.epochs=as-original": (
        'training.epochs: expected a whole number for the original itself, got "as-original"'
    ),
    "fine_tuning.by_step.pruning.epochs=1": (
        "fine_tuning.by_step: expected a known step (ablate, cluster, cqat, l1_prune, pcqat, pqat, "
        "prune, qat, sparse_cluster), got 'pruning'; did you mean 'prune'?"
    ),
    "fine_tuning.by_step.prune.epoch=1": (
        "fine_tuning.by_step.prune.epoch: expected one of epochs, batch_size, learning_rate, schedule, "
        "augment, patience, got an unknown key; did you mean 'epochs'?"
    ),
    "model.by_model.vgg19.width=0.5": (
        "model.by_model: expected one of the suite's models (vgg6), got 'vgg19'; did you mean 'vgg6'?"
    ),
    "training.learning_rate=nan": "training.learning_rate: expected a finite number, got NaN",
    "training.learning_rate=inf": "training.learning_rate: expected a finite number, got Infinity",
    "training.schedule=step": "training.schedule: expected 'constant' or 'cosine', got \"step\"",
    "training.augment=['turn']": "training.augment.0: expected 'flip' or 'shift', got \"turn\"",
    "compression.sparsity=1.0": "compression.sparsity: expected less than 1, got 1.0",
    "compression.clusters=1": "compression.clusters: expected greater than or equal to 2, got 1",
    "corruptions.severities=[0, 1]": "corruptions.severities.0: expected greater than or equal to 1, got 0",
    "corruptions.severities=[5, 6]": "corruptions.severities.1: expected less than or equal to 5, got 6",
    "corruptions.severities=[2, 1]": "corruptions.severities: expected severities in ascending order, "
    "each once, got [2, 1]",
    "corruptions.severities=[2, 2]": "corruptions.severities: expected severities in ascending order, "
    "each once, got [2, 2]",
    "corruptions.severities=[]": "corruptions.severities: expected severities in ascending order, "
    "each once, got []",
    "corruptions.scale=big": "corruptions.scale: expected 'cifar', 'tiny-imagenet' or 'imagenet', "
    'got "big"',
    "latency.rounds=0": "latency.rounds: expected greater than or equal to 1, got 0",
    "thresholds.accuracy_min=90": "thresholds.accuracy_min: expected less than or equal to 1, got 90",
    "thresholds.ce_max='low'": 'thresholds.ce_max: expected a valid number, got "low"',
    "thresholds.ce_max=true": "thresholds.ce_max: expected a valid number, got true",
    "thresholds.ce_max=0": "thresholds.ce_max: expected greater than 0, got 0",
    "thresholds.mce_max=nan": "thresholds.mce_max: expected a finite number, got NaN",
    "thresholds.mce_rise_max=-1": "thresholds.mce_rise_max: expected greater than or equal to 0, got -1",
    "thresholds.strict=1": "thresholds.strict: expected a valid boolean, got 1",
    "thresholds.where=3": "thresholds.where: expected a valid dictionary, got 3",
    "thresholds.where.*/*/fog=3": "thresholds.where.*/*/fog: expected a section of keys, got 3",
    "thresholds.where.*/*/fog.ce_max=-2": (
        "thresholds.where.*/*/fog.ce_max: expected greater than 0, got -2"
    ),
    "thresholds.where.*/*/fog.ce_mx=9": (
        "thresholds.where.*/*/fog.ce_mx: expected one of accuracy_min, accuracy_drop_max, ce_max, mce_max, "
        "mce_rise_max, relative_mce_max, compression_ratio_min, zipped_mb_max, latency_ms_max, got an "
        "unknown key; did you mean 'ce_max'?"
    ),
    "thresholds.where.*/*/frost.ce_max=9": (
        "thresholds.where.*/*/frost: expected a pattern that matches a case of the suite, got one that "
        "matches none, because no image set or kind of the suite (clean, fog, weather, shot_noise, noise, "
        "claims, latency) is 'frost'"
    ),
}


@pytest.mark.parametrize(("override", "message"), BAD_VALUES.items(), ids=BAD_VALUES)
def test_bad_value_is_refused_with_file_key_expected_and_got(
    small: Path, override: str, message: str
) -> None:
    assert refusal(small, override) == f"{small}: {message}"


@pytest.mark.parametrize(
    "key", ["data.datasets", "model.names", "compression.techniques", "corruptions.names"]
)
def test_empty_list_of_names_is_refused(small: Path, key: str) -> None:
    assert refusal(small, f"{key}=[]").startswith(f"{small}: {key}: List should have at least 1 item")


@pytest.mark.parametrize(
    ("override", "what", "wrong", "near"),
    [
        ("data.datasets=['cifar1']", "data set", "cifar1", "cifar10"),
        ("model.names=['vgg']", "model", "vgg", "vgg6"),
        ("compression.techniques=['pcqat_int']", "technique", "pcqat_int", "pcqat_int8"),
        ("corruptions.names=['shot_nose']", "corruption", "shot_nose", "shot_noise"),
    ],
)
def test_unknown_name_in_a_list_is_answered_with_the_nearest(
    small: Path, override: str, what: str, wrong: str, near: str
) -> None:
    message = refusal(small, override)
    assert f": expected a known {what} (" in message
    assert message.endswith(f"got {wrong!r}; did you mean {near!r}?")


@pytest.mark.parametrize(
    ("override", "what"),
    [
        ("data.datasets=['digits', 'digits']", "data set"),
        ("model.names=['vgg6', 'vgg6']", "model"),
        ("compression.techniques=['qat', 'int8', 'qat']", "technique"),
        ("corruptions.names=['fog', 'fog']", "corruption"),
    ],
)
def test_name_given_twice_is_refused(small: Path, override: str, what: str) -> None:
    assert f": expected each {what} once, got [" in refusal(small, override)


def test_unknown_key_is_answered_with_its_neighbours_and_the_nearest(small: Path) -> None:
    message = refusal(small, "training.epoch=3")
    assert message == (
        f"{small}: training.epoch: expected one of epochs, batch_size, learning_rate, schedule, augment, "
        "patience, seed, by_model, got an unknown key; did you mean 'epochs'?"
    )


def test_unknown_section_is_answered_with_the_nearest(small: Path) -> None:
    assert refusal(small, "trainnig.epochs=3").endswith("got an unknown key; did you mean 'training'?")


def test_every_fault_is_told_at_once(small: Path) -> None:
    message = refusal(small, "training.epochs=0", "model.names=['vgg']", "nonsense=1")
    assert len(message.splitlines()) == 3


# One-off changes


def value_of(suite: Suite, key: str) -> Any:
    value: Any = suite
    for part in key.split("."):
        value = value[part] if isinstance(value, dict) else getattr(value, part)
    return value


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("seed=7", 7),
        ("training.learning_rate=5e-4", 5e-4),
        ("data.test_images=1_000", 1000),
        ("data.test_images = 12", 12),
        ("corruptions.severities=[1, 3]", [1, 3]),
        ('corruptions.scale="imagenet"', "imagenet"),
    ],
)
def test_override_is_a_toml_value(small: Path, override: str, value: object) -> None:
    assert value_of(load(small, override), override.partition("=")[0].strip()) == value


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("corruptions.scale=imagenet", "imagenet"),
        ("data.test_images=all", "all"),
        ("description=two words = one text", "two words = one text"),
        ("data.options.folder=/some/where", "/some/where"),
    ],
)
def test_bare_word_in_an_override_is_text(small: Path, override: str, value: str) -> None:
    assert value_of(load(small, override), override.partition("=")[0]) == value


def test_override_makes_the_section_that_the_file_leaves_out(small: Path) -> None:
    assert "thresholds" not in tomllib.loads(SMALL)
    assert load(small, "thresholds.ce_max=120").thresholds.ce_max == 120


@pytest.mark.parametrize("pattern", ["*/qat_int8/*", '"*/qat_int8/*"'])
def test_override_sets_a_threshold_of_a_pattern_with_or_without_quotes(small: Path, pattern: str) -> None:
    thresholds = load(small, f"thresholds.where.{pattern}.ce_max=120").thresholds
    assert {name: bounds.ce_max for name, bounds in thresholds.where.items()} == {"*/qat_int8/*": 120}


def test_recorded_results_do_not_need_the_families_that_a_pattern_names(small: Path) -> None:
    known = Known(ANY_NAME, ANY_NAME, ANY_NAME)
    suite = load_suite(str(small), known, ["thresholds.where.*/*/weather.ce_max=9"])
    assert list(suite.thresholds.where) == ["*/*/weather"]


def test_override_makes_nested_sections(small: Path) -> None:
    assert load(small, "data.options.deep.key=1").data.options == {"deep": {"key": 1}}


def test_of_two_overrides_of_a_key_the_last_counts(small: Path) -> None:
    assert load(small, "seed=1", "seed=2").seed == 2


@pytest.mark.parametrize("override", ["seed", "", "=1", ".seed=1", "data.=1", "data..test_images=1"])
def test_override_in_another_form_is_refused_with_an_example(small: Path, override: str) -> None:
    message = refusal(small, override)
    assert message.startswith(f"--set: expected section.key=value, got {override!r}; e.g. --set ")


def test_override_below_a_value_is_refused(small: Path) -> None:
    message = refusal(small, "training.epochs.more=1")
    assert message == "--set training.epochs.more=1: expected 'epochs' to be a section, got a value"


def test_override_is_not_written_to_the_file(small: Path) -> None:
    load(small, "seed=9")
    assert small.read_text(encoding="utf-8") == SMALL


# What a suite measures


def test_variants_come_by_data_set_then_model_then_the_order_of_the_graph(small: Path) -> None:
    suite = load(
        small,
        "data.datasets=['cifar10', 'digits']",
        "model.names=['resnet', 'vgg6']",
        "compression.techniques=['pqat', 'original', 'int8']",
    )
    assert list(suite.variants()) == [
        Variant(dataset, model, technique)
        for dataset in ("cifar10", "digits")
        for model in ("resnet", "vgg6")
        for technique in ("original", "int8", "pqat")
    ]


@given(st.permutations(list(TECHNIQUES)))
def test_order_of_techniques_in_the_file_does_not_matter(techniques: list[str]) -> None:
    raw = tomllib.loads(SMALL)
    raw["compression"] = {"techniques": techniques}
    suite = Suite.model_validate({"name": "small", **raw}, context={"known": KNOWN})
    assert [variant.technique for variant in suite.variants()] == list(TECHNIQUES)


def test_suite_without_techniques_measures_those_of_the_first_study(small: Path) -> None:
    assert [variant.technique for variant in load(small).variants()] == list(ORIGINAL_STUDY)


def test_robustness_has_a_case_for_each_variant_and_corruption(small: Path) -> None:
    suite = load(small, "compression.techniques=['original', 'qat']", "corruptions.names=['pixelate', 'fog']")
    cases = list(suite.cases("robustness", KNOWN.corruptions))
    assert [(case.variant.technique, case.corruption, case.family) for case in cases] == [
        ("original", "pixelate", "digital"),
        ("original", "fog", "weather"),
        ("qat", "pixelate", "digital"),
        ("qat", "fog", "weather"),
    ]


def test_mce_has_a_case_for_each_variant_where_all_fifteen_corruptions_are(small: Path) -> None:
    suite = load_suite("quick", known_names())
    assert [case.variant for case in suite.cases("mce", known_names().corruptions)] == list(suite.variants())
    assert list(load(small).cases("mce", KNOWN.corruptions)) == []


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"robustness", "mce"}))
def test_every_other_kind_has_one_case_for_each_variant(small: Path, kind: str) -> None:
    suite = load(small)
    cases = list(suite.cases(kind, KNOWN.corruptions))
    assert [case.variant for case in cases] == list(suite.variants())
    assert {(case.kind, case.corruption, case.family) for case in cases} == {(kind, None, None)}


def test_unknown_kind_has_no_cases(small: Path) -> None:
    with pytest.raises(KeyError, match="speed"):
        list(load(small).cases("speed", KNOWN.corruptions))


def test_suggestion_is_empty_where_nothing_is_near() -> None:
    assert suggestion("fog", ["shot_noise", "pixelate"]) == ""


def test_suite_validated_without_the_known_names_says_so() -> None:
    with pytest.raises(TypeError, match="context="):
        Suite.model_validate({"name": "small", **tomllib.loads(SMALL)})
