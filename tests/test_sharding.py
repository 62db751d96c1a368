"""``--shard I/N`` runs a part of the selected cases: whole families, evenly by cost, the same everywhere."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_runs import suite_of

from benchmarks.cases import KINDS, Case, Variant
from benchmarks.schema import Suite
from benchmarks.sections import FOUND
from benchmarks.suite import load_suite
from benchmarks.techniques import TECHNIQUES, float_node
from fixtures.known import known_names
from reporting.sharding import ALL_TEST_IMAGES, ALL_TRAINING_IMAGES, Shard, ShardError, load, split, units_of

ROOT = Path(__file__).resolve().parents[1]


def every(suite: Suite) -> list[Case]:
    return [case for kind in KINDS for case in suite.cases(kind, known_names().corruptions)]


def suite(**sections: Any) -> Suite:
    variants = [Variant("d", model, technique) for model in ("a", "b") for technique in TECHNIQUES]
    return suite_of([Case(variant, "accuracy") for variant in variants], (1, 5), **sections)


SUITE = suite(data={"datasets": ["d"], "test_images": 10, "train_images": 100})
CASES = [case for kind in KINDS for case in SUITE.cases(kind, {"fog": "weather"})]
SELECTIONS = st.lists(st.sampled_from(CASES), unique=True, min_size=1)
FAMILIES = 2 * 8


def loads(cases: Sequence[Case], count: int) -> list[float]:
    return [load(shard) for shard in split(units_of(SUITE, cases), count)]


@settings(deadline=None)
@given(SELECTIONS, st.data())
def test_shards_are_a_partition_of_the_selected_cases_none_empty(cases: list[Case], data: Any) -> None:
    units = units_of(SUITE, cases)
    count = data.draw(st.integers(1, len(units)))
    shards = split(units, count)
    assert len(shards) == count
    assert all(shards)
    assert sorted(case for shard in shards for unit in shard for case in unit.cases) == sorted(cases)


@settings(deadline=None)
@given(SELECTIONS, st.integers(1, FAMILIES))
def test_families_are_kept_whole_with_their_latency(cases: list[Case], count: int) -> None:
    units = units_of(SUITE, cases)
    where: dict[tuple[str, str], set[int]] = {}
    for number, shard in enumerate(split(units, min(count, len(units)))):
        for case in (case for unit in shard for case in unit.cases):
            name = case.variant.model, float_node(case.variant.technique)
            where.setdefault(name, set()).add(number)
    assert all(len(numbers) == 1 for numbers in where.values())


@settings(deadline=None)
@given(SELECTIONS, st.integers(1, FAMILIES), st.randoms(use_true_random=False))
def test_order_of_collection_does_not_matter(cases: list[Case], count: int, rng: random.Random) -> None:
    units = units_of(SUITE, cases)
    shuffled = rng.sample(cases, len(cases))
    count = min(count, len(units))
    assert split(units_of(SUITE, shuffled), count) == split(units, count)


@settings(deadline=None)
@given(SELECTIONS, st.integers(1, FAMILIES))
def test_no_shard_has_more_than_an_even_share_and_one_family(cases: list[Case], count: int) -> None:
    """An even share of what the families would cost apart; within a shard they share what they need."""
    units = units_of(SUITE, cases)
    count = min(count, len(units))
    alone = [load([unit]) for unit in units]
    assert max(loads(cases, count)) <= sum(alone) / count + max(alone)


@settings(deadline=None)
@given(SELECTIONS)
def test_more_shards_never_take_longer(cases: list[Case]) -> None:
    longest = [max(loads(cases, count)) for count in range(1, len(units_of(SUITE, cases)) + 1)]
    assert all(fewer >= more for fewer, more in pairwise(longest))


@pytest.mark.parametrize("count", [2, 3, 4])
def test_no_other_cuts_of_the_row_are_better(count: int) -> None:
    units = units_of(SUITE, CASES)[:9]
    best = min(
        max(load(units[start:end]) for start, end in pairwise((0, *cuts, len(units))))
        for cuts in combinations(range(1, len(units)), count - 1)
    )
    assert max(load(shard) for shard in split(units, count)) == best


def test_a_shard_a_model_where_there_are_three_of_each() -> None:
    """Three models in three shards train nothing twice."""
    cpu = load_suite("cifar10-cpu", known_names())
    shards = split(units_of(cpu, every(cpu)), 3)
    assert max(map(load, shards)) < 0.4 * load(unit for shard in shards for unit in shard)


# What a family costs, in passes: 1 epoch and 100 training images a step, 10 test images at 2 severities


@pytest.mark.parametrize(
    ("technique", "kind", "cost"),
    [
        ("original", "claims", 300),
        ("original", "accuracy", 300 + 10),
        ("original", "latency", 300 + 110),
        ("int8", "accuracy", 300 + 10 + 10),
        ("pruned", "robustness", 2 * 300 + 20 + 20),
        ("pcqat_int8", "claims", 3 * 300 + 450),
    ],
)
def test_cost_counts_making_and_measuring(technique: str, kind: str, cost: float) -> None:
    case = Case(Variant("d", "a", technique), kind, "fog" if kind == "robustness" else None)
    assert load(units_of(SUITE, [case])) == cost


@pytest.mark.parametrize(
    ("attack", "passes"),
    [
        ({"method": "fgsm"}, 3),
        ({"method": "pgd", "iterations": 4}, 12),
        ({"method": "carlini_wagner", "iterations": 10, "binary_search_steps": 2}, 160),
    ],
    ids=lambda value: value["method"] if isinstance(value, dict) else None,
)
def test_an_attack_costs_its_gradients_for_the_variant_and_its_original(
    attack: dict[str, Any], passes: int
) -> None:
    attacked = suite(
        data={"datasets": ["d"], "test_images": 10, "train_images": 100},
        attacks={"by_name": {"one": attack}, "images": 7},
    )
    cases = {case.variant.technique: case for case in attacked.cases("adversarial", {})}
    assert load(units_of(attacked, [cases["original"]])) == 300 + 7 * passes
    assert load(units_of(attacked, [cases["int8"]])) == 300 + 2 * 7 * passes


def test_what_families_share_is_counted_once() -> None:
    cases = [Case(Variant("d", "a", technique), "accuracy") for technique in ("pruned", "clustered")]
    assert load(units_of(SUITE, cases)) == 3 * 300 + 3 * 10


def test_all_images_and_as_many_epochs_as_the_original_stand_for_numbers() -> None:
    budget = {"batch_size": 10, "learning_rate": 1e-3}
    whole = suite(training={"epochs": 4, **budget}, fine_tuning={"epochs": "as-original", **budget})
    (unit,) = units_of(whole, [Case(Variant("d", "a", "pruned"), "accuracy")])
    assert load([unit]) == 2 * 3 * 4 * ALL_TRAINING_IMAGES + 2 * ALL_TEST_IMAGES


def test_looking_for_a_ratio_of_pruning_trains_as_often_as_halving_takes() -> None:
    (found,) = {name for name, technique in TECHNIQUES.items() if technique.step == "l1_prune"}
    data = {"datasets": ["d"], "test_images": 10, "train_images": 100}
    for ratio, trainings in ((0.4, 1), (FOUND, 5)):
        searching = suite(data=data, compression={"l1_pruning": {"ratio": ratio}})
        (unit,) = units_of(searching, [Case(Variant("d", "a", found), "claims")])
        assert load([unit]) == 300 + trainings * 300


# The option


@pytest.mark.parametrize("text", ["", "1", "0/3", "4/3", "1/0", "a/b", "-1/3", "1/3/3", "1.0/3", "١/٣"])
def test_what_is_no_shard_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ShardError, match=r"expected I/N with I from 1 to N.*try --shard 1/3"):
        Shard.parse(text)


def test_more_shards_than_families_are_refused_with_how_many_there_can_be() -> None:
    with pytest.raises(ShardError, match=r"expected I/N with N up to 1, got N = 2, because"):
        split(units_of(SUITE, CASES[:1]), 2)


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makeini("[pytest]")
    pytester.makeconftest(
        'pytest_plugins = ["benchmarks.plugin", "reporting.sharding", "reporting.scheduling"]'
    )
    pytester.makepyfile(
        test_cases="""
            import pytest

            @pytest.mark.latency
            def test_latency(case): pass

            @pytest.mark.accuracy
            def test_accuracy(case): pass
        """
    )
    return lambda *args: pytester.runpytest_subprocess("-p", "no:hypothesispytest", "-v", *args)


def passed(result: pytest.RunResult) -> set[str]:
    words = [word for line in result.outlines if "PASSED" in line for word in line.split()]
    return {word for word in words if word.startswith("test_cases.py")}


@pytest.mark.parametrize("workers", [("-p", "no:xdist"), ("-n2",)], ids=["alone", "workers"])
def test_shards_run_every_selected_case_once(run: Any, workers: tuple[str, ...]) -> None:
    selection = ("-m", "qat or technique-pruned", "-k", "not pcqat")
    whole = passed(run(*workers, *selection))
    parts = [passed(run("--shard", f"{number}/3", *workers, *selection)) for number in (1, 2, 3)]
    assert all(parts)
    assert sorted([nodeid for part in parts for nodeid in part]) == sorted(whole)


def test_the_terminal_says_what_is_deselected_and_which_shard_runs(run: Any) -> None:
    result = run("--collect-only", "--shard", "2/8")
    result.stdout.fnmatch_lines(
        ["shard: 2/8 of the selected cases", "*4/32 tests collected (28 deselected)*"]
    )


@pytest.mark.parametrize("workers", [("-p", "no:xdist"), ("-n2",)], ids=["alone", "workers"])
def test_a_selection_of_too_few_families_is_refused(run: Any, workers: tuple[str, ...]) -> None:
    result = run(
        "--shard", "1/3", "-m", "technique-original or technique-int8 or pruned and not qat", *workers
    )
    assert result.ret == pytest.ExitCode.OK
    result = run("--shard", "1/3", "-m", "technique-original or technique-int8", *workers)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --shard: expected I/N with N up to 1, got N = 3, because *"])


def test_more_shards_than_the_suite_has_families_are_refused_before_collection(run: Any) -> None:
    result = run("--shard", "1/9", "-n2")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "collect" not in str(result.stdout)
    result.stderr.fnmatch_lines(["ERROR: --shard: expected I/N with N up to 8, got N = 9*"])


def test_what_is_no_case_is_of_every_shard(run: Any, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_other="def test_other(): pass")
    for number in (1, 2):
        run("-p", "no:xdist", "--shard", f"{number}/2").stdout.fnmatch_lines(
            ["*test_other.py::test_other PASSED*"]
        )
