"""A threshold of a case is set by the most specific rule that has it, and no rule may say nothing."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_runs import suite_of

from benchmarks.cases import KINDS, STANDARD_CORRUPTIONS, Case, Variant
from benchmarks.explained import explained
from benchmarks.rules import HELD_AGAINST, PLAIN, Limit, faults_of, limits_of
from benchmarks.schema import Suite
from benchmarks.sections import Bounds, Thresholds
from benchmarks.techniques import TECHNIQUES

VARIANT = Variant("digits", "vgg6", "qat_int8")
FOG = Case(VARIANT, "robustness", "fog", "weather")
CLEAN = Case(VARIANT, "accuracy")
FAMILIES = {"fog": "weather", "shot_noise": "noise", "pixelate": "digital"}


def rule_of(case: Case, *patterns: str) -> str:
    """Return which of several patterns, as they stand in a file, sets the one threshold of a case."""
    [key] = HELD_AGAINST[case.kind][:1]
    rules = {pattern: {key: 0.5 + 0.1 * place} for place, pattern in enumerate(patterns)}
    [(found, limit)] = limits_of(case, Thresholds(**{key: 0.9}, where=rules)).items()
    assert found == key
    assert limit.value == rules.get(limit.rule, {key: 0.9})[key]
    return limit.rule


# Which cases a pattern matches


@pytest.mark.parametrize(
    ("pattern", "case", "matches"),
    [
        ("*/*/*", FOG, True),
        ("*/*/*/*", FOG, True),
        ("vgg6/qat_int8/fog", FOG, True),
        ("digits/vgg6/qat_int8/fog", FOG, True),
        ("cifar10/vgg6/qat_int8/fog", FOG, False),
        ("*/qat/*", FOG, False),
        ("*/qat*/*", FOG, True),
        ("*/*_int8/f?g", FOG, True),
        ("*/*/weather", FOG, True),
        ("*/*/[fg]og", FOG, True),
        ("*/*/clean", FOG, False),
        ("*/*/robustness", FOG, False),
        ("*/*/clean", CLEAN, True),
        ("*/*/accuracy", CLEAN, False),
        ("*/*/mce", Case(VARIANT, "mce"), True),
        ("*/*/claims", Case(VARIANT, "claims"), True),
        ("*/*/latency", Case(VARIANT, "latency"), True),
        ("*/*/FOG", FOG, False),
    ],
)
def test_pattern_matches_model_technique_and_what_is_looked_at(
    pattern: str, case: Case, matches: bool
) -> None:
    assert (rule_of(case, pattern) == pattern) == matches


# Which of several rules counts


@pytest.mark.parametrize(
    ("specific", "general"),
    [
        ("*/*/*", PLAIN),
        ("vgg6/*/*", "*/*/*"),
        ("vgg6/*/fog", "vgg6/*/*"),
        ("*/qat_int8/*", "*/*_int8/*"),
        ("digits/vgg6/*/*", "vgg6/*/*"),
        ("*/*/fog", "*/*/weather"),
        ("vgg6/qat_int8/weather", "*/qat_int8/fog"),
        ("*/qat_*/*", "*/q*/*"),
        ("*/qat_int[0-9]/*", "*/qat_*/*"),
    ],
)
def test_most_specific_pattern_wins_wherever_it_stands(specific: str, general: str) -> None:
    patterns = [pattern for pattern in (specific, general) if pattern != PLAIN]
    assert {rule_of(FOG, *order) for order in permutations(patterns)} == {specific}


def test_of_equally_specific_patterns_the_later_wins() -> None:
    for patterns in (("*/qat_*/*", "*/*int8/*"), ("*/*/fog", "*/*/*/fog")):
        for order in permutations(patterns):
            assert rule_of(FOG, *order) == order[-1]


def test_each_threshold_is_set_on_its_own() -> None:
    thresholds = Thresholds(
        accuracy_min=0.5,
        accuracy_drop_max=0.2,
        where={"*/qat_int8/*": {"accuracy_drop_max": 0.1, "ce_max": 9}},
    )
    assert limits_of(CLEAN, thresholds) == {
        "accuracy_min": Limit(0.5, PLAIN),
        "accuracy_drop_max": Limit(0.1, "*/qat_int8/*"),
    }


def test_every_threshold_is_for_one_kind_of_case() -> None:
    assert sorted(key for keys in HELD_AGAINST.values() for key in keys) == sorted(Bounds.model_fields)
    assert list(HELD_AGAINST) == list(KINDS)


PARTS = st.sampled_from(["*", "?*", "vgg6", "v*6", "qat_int8", "*int8", "fog", "weather", "f*", "digits"])
PATTERNS = st.lists(PARTS, min_size=3, max_size=4).map("/".join)


@given(st.lists(PATTERNS, unique=True, max_size=5), PATTERNS)
def test_rule_that_does_not_match_changes_nothing(patterns: list[str], other: str) -> None:
    if rule_of(FOG, other) == PLAIN:
        assert rule_of(FOG, *patterns) == rule_of(FOG, *(p for p in patterns if p != other), other)


@given(st.lists(PATTERNS, unique=True, min_size=2, max_size=5))
def test_winner_also_wins_against_each_of_the_others_alone(patterns: list[str]) -> None:
    winner = rule_of(FOG, *patterns)
    for other in patterns:
        if winner not in (other, PLAIN):
            assert rule_of(FOG, *(p for p in patterns if p in (winner, other))) == winner


# What a rule may not say


def suite(corruptions: tuple[str, ...] = tuple(FAMILIES), **thresholds: Any) -> Suite:
    cases = [Case(VARIANT, "robustness", name) for name in corruptions]
    return suite_of([*cases, CLEAN, Case(VARIANT.original, "accuracy")], (1,), thresholds=thresholds)


def faults(**thresholds: Any) -> list[str]:
    return list(faults_of(suite(**thresholds), FAMILIES))


@pytest.mark.parametrize("pattern", ["", "*", "*/*", "*/*/*/*/*", "//", "vgg6//fog", "/vgg6/*/fog"])
def test_pattern_of_another_form_is_refused(pattern: str) -> None:
    assert faults(where={pattern: {"ce_max": 1}}) == [
        f"thresholds.where.{pattern}: expected a pattern model/technique/what or "
        f"dataset/model/technique/what, got {pattern!r}"
    ]


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("vgg/*/*", "no model of the suite (vgg6) is 'vgg'; did you mean 'vgg6'?"),
        ("*/qat/*", "no technique of the suite (original, qat_int8) is 'qat'"),
        ("cifar10/*/*/*", "no data set of the suite (digits) is 'cifar10'"),
        (
            "*/*/wether",
            "no image set or kind of the suite (clean, fog, weather, shot_noise, noise, pixelate, digital, "
            "claims, latency) is 'wether'; did you mean 'weather'?",
        ),
    ],
)
def test_pattern_that_matches_nothing_is_refused_with_the_part_that_does_not(pattern: str, why: str) -> None:
    [fault] = faults(where={pattern: {"ce_max": 1}})
    assert fault.startswith(
        f"thresholds.where.{pattern}: expected a pattern that matches a case of the suite, got one that "
        f"matches none, because {why}"
    )


def test_every_part_that_matches_nothing_is_named() -> None:
    [fault] = faults(where={"vgg/qat/*": {"ce_max": 1}})
    assert "is 'vgg'; did you mean 'vgg6'?; no technique" in fault


def test_threshold_that_no_matched_case_is_held_against_is_refused() -> None:
    assert faults(where={"*/*/fog": {"accuracy_min": 0.5, "ce_max": 120}}) == [
        "thresholds.where.*/*/fog.accuracy_min: expected a threshold of the cases that the pattern matches "
        "(ce_max), got one of others"
    ]


@pytest.mark.parametrize("key", HELD_AGAINST["mce"])
def test_threshold_of_mce_is_refused_where_not_all_fifteen_corruptions_are(key: str) -> None:
    [plain] = faults(**{key: 100})
    [by_pattern] = faults(where={"vgg6/*/*": {key: 100}})
    for fault, section in ((plain, PLAIN), (by_pattern, f"{PLAIN}.where.vgg6/*/*")):
        assert fault.startswith(
            f"{section}.{key}: expected a suite with the fifteen standard corruptions, got one without gauss"
        )


def test_threshold_of_mce_is_taken_where_all_fifteen_corruptions_are() -> None:
    families = dict.fromkeys(STANDARD_CORRUPTIONS, "any")
    thresholds = {"mce_max": 130, "where": {"*/*/mce": {"mce_rise_max": 10, "relative_mce_max": 100}}}
    assert list(faults_of(suite(STANDARD_CORRUPTIONS, **thresholds), families)) == []


def test_suite_without_thresholds_has_no_faults() -> None:
    assert faults() == []


# What is told of the rules


def paragraphs(thresholds: dict[str, Any], cases: list[Case] | None = None) -> list[list[list[str]]]:
    """Return the paragraphs after the first as lines of columns."""
    made = suite(**thresholds)
    every = [case for kind in KINDS for case in made.cases(kind, FAMILIES)]
    _, *told = explained(every if cases is None else cases, made).split("\n\n")
    return [
        [[column.strip() for column in line.split("  ") if column.strip()] for line in text.splitlines()]
        for text in told
    ]


def test_cases_with_the_same_rules_are_told_together() -> None:
    assert paragraphs({"ce_max": 150, "accuracy_min": 0.5, "accuracy_drop_max": 0.1}) == [
        [
            ["digits / vgg6 / every technique"],
            ["clean", "accuracy_min = 0.5", "thresholds"],
            ["accuracy_drop_max = 0.1", "thresholds"],
            ["every corruption", "ce_max = 150", "thresholds"],
            ["claims, latency", "none"],
        ]
    ]


def test_variant_with_other_rules_is_told_apart() -> None:
    thresholds = {"ce_max": 150, "where": {"*/qat_int8/*": {"ce_max": 120}, "*/*/fog": {"ce_max": 99}}}
    assert paragraphs(thresholds) == [
        [
            ["digits / vgg6 / original"],
            ["clean, claims, latency", "none"],
            ["fog", "ce_max = 99", "*/*/fog"],
            ["shot_noise, pixelate", "ce_max = 150", "thresholds"],
        ],
        [
            ["digits / vgg6 / qat_int8"],
            ["clean, claims, latency", "none"],
            ["every corruption", "ce_max = 120", "*/qat_int8/*"],
        ],
    ]


def test_selected_cases_alone_are_told() -> None:
    assert paragraphs({"ce_max": 150}, [FOG]) == [
        [["digits / vgg6 / qat_int8"], ["fog", "ce_max = 150", "thresholds"]]
    ]


def test_listing_of_every_technique_and_corruption_fits_into_a_terminal() -> None:
    cases = [Case(Variant("digits", "vgg6", name), "accuracy") for name in TECHNIQUES]
    cases += [Case(VARIANT, "robustness", name) for name in STANDARD_CORRUPTIONS]
    rules = {"*/*_int8/*": {"ce_max": 120}, "*/*/*_noise": {"ce_max": 9}}
    made = suite_of(cases, (1,), thresholds={"ce_max": 150, "where": rules})
    families = dict.fromkeys(STANDARD_CORRUPTIONS, "any")
    text = explained([case for kind in KINDS for case in made.cases(kind, families)], made)
    assert max(map(len, text.splitlines())) <= 120
    assert "  every corruption but gaussian_noise, shot_noise,  ce_max = 150" in text


@pytest.mark.parametrize(("strict", "said"), [(True, "fails too"), (False, "passes with a warning")])
def test_what_becomes_of_an_undecided_case_is_told(strict: bool, said: str) -> None:
    assert said in explained([FOG], suite(ce_max=150, strict=strict))
