"""How long the rest of a run takes is judged by what it took so far, once enough of it is known."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.cases import STANDARD_CORRUPTIONS, Case, Variant
from benchmarks.techniques import float_node, lineage
from reporting.remaining import EVERY, FIRST, Remaining

#: What making each network costs, in passes.
PASSES = {"original": 600.0, "pruned": 100.0, "clustered": 100.0, "qat": 150.0}


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def making(network: Variant) -> dict[Variant, float]:
    names = [step.name for step in lineage(network.technique)]
    return {Variant(network.dataset, network.model, name): PASSES[name] for name in names}


def cases_of(*techniques: str, model: str = "vgg6") -> list[Case]:
    """Return an accuracy case and fifteen robustness cases of each technique."""
    return [
        case
        for name in techniques
        for variant in [Variant("digits", model, name)]
        for case in (
            Case(variant, "accuracy"),
            *(Case(variant, "robustness", corruption) for corruption in STANDARD_CORRUPTIONS),
        )
    ]


ALL = cases_of("original", "int8", "pruned", "clustered", "qat")


def spent(cases: Sequence[Case], a_pass: float, a_case: float) -> list[float]:
    """Return how long each case takes one worker, where a pass of making and a case take so long."""
    made: set[Variant] = set()
    seconds = []
    for case in cases:
        network = Variant("digits", case.variant.model, float_node(case.variant.technique))
        new = {name: cost for name, cost in making(network).items() if name not in made}
        made |= set(new)
        seconds.append(a_pass * sum(new.values()) + a_case)
    return seconds


def test_at_constant_prices_the_estimate_is_what_is_left() -> None:
    """But for the case that is charged to the making of its network."""
    seconds = spent(ALL, 0.1, 1)
    remaining = Remaining(ALL, making)
    for place, case in enumerate(ALL):
        remaining.ended(case, seconds[place])
        if place > 1:  # a network was made, and a case measured
            assert remaining.seconds(1) == pytest.approx(sum(seconds[place + 1 :]), rel=0.02)


@given(st.floats(0.01, 10), st.floats(0.01, 10))
def test_at_constant_prices_the_estimate_falls_to_nothing(a_pass: float, a_case: float) -> None:
    remaining = Remaining(ALL, making)
    estimates = []
    for case, seconds in zip(ALL, spent(ALL, a_pass, a_case), strict=True):
        remaining.ended(case, seconds)
        estimate = remaining.seconds(1)
        if estimate is not None:
            estimates.append(estimate)
    assert all(later < earlier for earlier, later in pairwise(estimates))
    assert estimates[-1] == 0


@given(st.lists(st.tuples(st.floats(0, 1e4), st.booleans()), min_size=80, max_size=80), st.integers(1, 9))
def test_the_estimate_is_never_negative(ends: list[tuple[float, bool]], workers: int) -> None:
    remaining = Remaining(ALL, making)
    for case, (seconds, from_store) in zip(ALL, ends, strict=True):
        remaining.ended(case, seconds, from_store=from_store)
        estimate = remaining.seconds(workers)
        assert estimate is None or estimate >= 0


def test_nothing_is_estimated_before_a_network_was_made_and_a_case_measured() -> None:
    remaining = Remaining(ALL, making)
    assert remaining.seconds(1) is None
    remaining.ended(ALL[0], 60)
    assert remaining.seconds(1) is None
    remaining.ended(ALL[1], 1)
    assert remaining.seconds(1) is not None


def test_nothing_is_estimated_before_a_twentieth_of_the_time_is_over() -> None:
    """Which is 84 s here: 80 cases and the making of 4 networks, at a second each."""
    remaining = Remaining(ALL, lambda network: {network: 1.0})
    known = []
    for case in ALL:
        remaining.ended(case, 1)
        known.append(remaining.seconds(1) is not None)
    assert known == [False] * 4 + [True] * 76


def test_what_is_expensive_to_make_does_not_make_the_rest_look_long() -> None:
    """The making of the original is 60 times a case, and 6 of 10 of all that is made."""
    remaining = Remaining(ALL, making)
    seconds = spent(ALL, 0.1, 1)
    for case, took in zip(ALL[:4], seconds, strict=False):
        remaining.ended(case, took)
    assert remaining.seconds(1) == pytest.approx(sum(seconds[4:]), rel=0.02)
    assert sum(seconds[:4]) / 4 * len(ALL[4:]) > 10 * sum(seconds[4:])  # what cases and time alone would say


def test_prices_of_one_model_are_its_own_where_it_has_any() -> None:
    cases = cases_of("original", model="fast") + cases_of("original", model="slow")
    remaining = Remaining(cases, making)
    for case in (*cases[:8], *cases[16:20]):
        remaining.ended(case, 10 if case.variant.model == "slow" else 1)
    assert remaining.seconds(1) == pytest.approx(8 * 1 + 12 * 10)


def test_workers_share_what_is_left_but_not_a_single_case() -> None:
    remaining = Remaining(ALL, making)
    for case, seconds in zip(ALL[:-2], spent(ALL, 0.1, 2), strict=False):
        remaining.ended(case, seconds)
    assert remaining.seconds(1) == pytest.approx(4)
    assert remaining.seconds(2) == remaining.seconds(8) == pytest.approx(2)


def test_a_run_whose_cases_are_all_in_the_store_is_taken_to_go_on_so() -> None:
    remaining = Remaining(ALL, making)
    for case in ALL[:40]:
        remaining.ended(case, 0.05, from_store=True)
    assert remaining.seconds(1) == pytest.approx(40 * 0.05)


def test_a_run_that_goes_on_where_another_was_killed_is_judged_by_its_own_work() -> None:
    """Three of five techniques are in the store; then come a hundred passes of making and cases of 4 s."""
    remaining = Remaining(ALL, making)
    for case in ALL[:48]:
        remaining.ended(case, 0.05, from_store=True)
    for case, seconds in ((ALL[48], 50), (ALL[49], 4)):
        remaining.ended(case, seconds)
    assert remaining.seconds(1) == pytest.approx(14 * 4 + 150 * 0.5 + 16 * 4)


def test_a_case_that_ends_twice_counts_once() -> None:
    once, twice = Remaining(ALL, making), Remaining(ALL, making)
    for case in ALL[:9]:
        once.ended(case, 1)
        twice.ended(case, 1)
        twice.ended(case, 99)
    assert once.seconds(1) == twice.seconds(1)


@given(st.randoms(use_true_random=False))
def test_cases_may_end_in_any_order(rng: random.Random) -> None:
    cases = rng.sample(ALL, len(ALL))
    remaining = Remaining(ALL, making)
    for case, seconds in zip(cases, spent(cases, 0.1, 2), strict=True):
        remaining.ended(case, seconds)
    assert remaining.seconds(1) == 0


# What is said


def said(clock: Clock, remaining: Remaining, cases: Sequence[Case], seconds: float) -> dict[float, str]:
    """Return the lines of a run by the time at which they are said."""
    lines = {}
    for case in cases:
        clock.now += seconds
        remaining.ended(case, seconds)
        if line := remaining.line(1):
            lines[clock.now - 1000] = line
    return lines


def test_a_line_says_how_many_cases_are_done_and_how_long_the_rest_takes() -> None:
    clock = Clock()
    cases = cases_of("original")
    remaining = Remaining(cases, making, clock)
    clock.now += FIRST
    assert said(clock, remaining, cases[:4], 40)[FIRST + 80] == "2 of 16 cases done, about 9 min left"


def test_a_run_is_told_of_no_more_often_than_every_few_seconds_and_not_at_its_end() -> None:
    clock = Clock()
    times = list(said(clock, Remaining(ALL, making, clock), ALL, 1))
    assert times[0] == FIRST
    assert all(later - earlier == EVERY for earlier, later in pairwise(times))
    assert times[-1] < len(ALL)


def test_a_short_run_is_not_told_of() -> None:
    clock = Clock()
    assert said(clock, Remaining(ALL, making, clock), ALL, 0.9 * FIRST / len(ALL)) == {}


def test_what_is_nearly_over_is_not_told_to_the_second() -> None:
    clock = Clock()
    lines = said(clock, Remaining(ALL, making, clock), ALL, 0.5)
    assert lines[FIRST] == "40 of 80 cases done, about 20 s left"
