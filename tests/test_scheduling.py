"""Cases run family by family in the order of the graph, latency last, and keep every worker busy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from xdist.remote import Producer

from benchmarks.cases import KINDS, Case, Variant
from benchmarks.techniques import TECHNIQUES, lineage
from reporting.scheduling import FamilyScheduling, family, in_run_order

ROOT = Path(__file__).resolve().parents[1]


def case(technique: str, kind: str = "robustness", model: str = "vgg6") -> Case:
    corruption = "fog" if kind == "robustness" else None
    return Case(Variant("digits", model, technique), kind, corruption)


CASES = st.builds(
    case,
    st.sampled_from(list(TECHNIQUES)),
    st.sampled_from(list(KINDS)),
    st.sampled_from(["vgg6", "resnet"]),
)
COLLECTIONS = st.lists(st.none() | CASES, max_size=40)


def ordered(cases: Sequence[Case | None]) -> list[Case | None]:
    return in_run_order(cases, lambda item: item)


def early(cases: Sequence[Case | None]) -> list[Case]:
    return [case for case in cases if case and case.kind != "latency"]


@given(COLLECTIONS)
def test_nothing_is_lost_and_nothing_added(cases: list[Case | None]) -> None:
    assert sorted(map(str, ordered(cases))) == sorted(map(str, cases))


@given(COLLECTIONS)
def test_what_is_no_case_comes_first_and_latency_last(cases: list[Case | None]) -> None:
    ranks = [0 if case is None else 1 + (case.kind == "latency") for case in ordered(cases)]
    assert ranks == sorted(ranks)


@given(COLLECTIONS)
def test_no_technique_runs_before_one_that_it_is_made_from(cases: list[Case | None]) -> None:
    run = early(ordered(cases))
    for place, later in enumerate(run):
        ancestors = {step.name for step in lineage(later.variant.technique)[:-1]}
        after = {c.variant.technique for c in run[place:] if c.variant.model == later.variant.model}
        assert not ancestors & after


@given(COLLECTIONS)
def test_cases_of_a_family_run_in_one_go(cases: list[Case | None]) -> None:
    families = [family(case) for case in early(ordered(cases))]
    changes = [name for name, before in zip(families, [None, *families], strict=False) if name != before]
    assert len(changes) == len(set(changes))


@given(COLLECTIONS)
def test_mce_runs_after_what_it_is_the_mean_of(cases: list[Case | None]) -> None:
    run = early(ordered(cases))
    for place, later in enumerate(run):
        if later.kind in ("accuracy", "robustness"):
            assert Case(later.variant, "mce") not in run[:place]


@given(COLLECTIONS)
def test_attacks_and_explanations_of_a_variant_run_after_its_other_cases(cases: list[Case | None]) -> None:
    run = early(ordered(cases))
    slow = ("adversarial", "explainability")
    for place, later in enumerate(run):
        if later.kind not in slow:
            assert not any(case.variant == later.variant and case.kind in slow for case in run[:place])


def test_originals_of_all_models_come_first() -> None:
    cases = [case(name, model=model) for model in ("vgg6", "resnet") for name in ("pruned", "original")]
    names = [f"{c.variant.model} {c.variant.technique}" for c in early(ordered(cases))]
    assert names == ["vgg6 original", "resnet original", "vgg6 pruned", "resnet pruned"]


@pytest.mark.parametrize(
    ("technique", "expected"),
    [
        ("original", "digits-vgg6-original"),
        ("int8", "digits-vgg6-original"),
        ("pcqat", "digits-vgg6-pcqat"),
        ("pcqat_int8", "digits-vgg6-pcqat"),
    ],
)
def test_int8_file_is_of_the_family_of_its_float_network(technique: str, expected: str) -> None:
    assert family(case(technique)) == expected


def test_latency_cases_are_of_no_family() -> None:
    assert family(case("original", "latency")) is None


class Worker:
    """A worker as the scheduler sees it."""

    gateway = SimpleNamespace(id="gw")

    def __init__(self, sent: list[int]) -> None:
        self.queue: list[int] = []
        self.shutting_down = False
        self._sent = sent

    def send_runtest_some(self, tests: list[int]) -> None:
        self.queue.extend(tests)
        self._sent.extend(tests)

    def shutdown(self) -> None:
        self.shutting_down = True


class Run:
    """A run of ``tests``, named ``FAMILY/NUMBER`` or ``latency/NUMBER``, by workers."""

    def __init__(self, tests: list[str], workers: int) -> None:
        config: Any = SimpleNamespace(getvalue=lambda _: ["popen"] * workers, getoption=lambda _: None)
        self.tests = tests
        self.sent: list[int] = []
        self.finished: list[str] = []
        self.scheduler = FamilyScheduling(config, Producer("", enabled=False), self.family_of)
        self.workers = [Worker(self.sent) for _ in range(workers)]
        for worker in self.workers:
            self.scheduler.add_node(worker)
        for worker in self.workers:
            self.scheduler.add_node_collection(worker, tests)
        self.scheduler.schedule()

    @staticmethod
    def family_of(test: str) -> str | None:
        name = test.partition("/")[0]
        return None if name == "latency" else name

    def finish(self, worker: Worker) -> str:
        """Let the worker finish the first test of its queue, of which it always needs to know the next."""
        assert len(worker.queue) > 1 or worker.shutting_down
        test = worker.queue.pop(0)
        self.finished.append(self.tests[test])
        self.scheduler.mark_test_complete(worker, test)
        return self.tests[test]

    def finish_all(self) -> None:
        while busy := [worker for worker in self.workers if worker.queue]:
            for worker in busy:
                self.finish(worker)


def numbered(**families: int) -> list[str]:
    return [f"{name}/{number}" for name, count in families.items() for number in range(count)]


def test_workers_start_with_families_of_their_own_in_order() -> None:
    run = Run(numbered(a=4, b=4, c=4), workers=2)
    assert [run.finish(run.workers[0]) for _ in range(4)] == numbered(a=4)
    assert [run.finish(run.workers[1]) for _ in range(4)] == numbered(b=4)
    assert run.finish(run.workers[0]) == "c/0"


def test_worker_without_a_family_to_start_helps_with_the_largest() -> None:
    run = Run(numbered(a=3, b=4, c=9), workers=3)
    while run.finish(run.workers[0]) != "a/2":
        pass
    assert run.finish(run.workers[0]).startswith("c/")


def test_latency_is_sent_when_no_other_test_waits() -> None:
    run = Run(numbered(a=9, b=1, latency=4), workers=2)
    run.finish_all()
    assert {run.tests[test] for test in run.sent[-4:]} == set(numbered(latency=4))


@given(
    st.lists(st.integers(0, 6), min_size=1, max_size=5),
    st.integers(0, 5),
    st.integers(1, 4),
    st.randoms(use_true_random=False),
)
def test_every_test_runs_once_however_long_each_takes(
    sizes: list[int], latency: int, workers: int, random: Any
) -> None:
    tests = numbered(**{f"f{n}": size for n, size in enumerate(sizes)}, latency=latency)
    run = Run(tests, workers)
    while busy := [worker for worker in run.workers if worker.queue]:
        run.finish(random.choice(busy))
    assert sorted(run.finished) == sorted(tests)
    assert run.scheduler.tests_finished


def test_tests_of_a_crashed_worker_are_run_by_others() -> None:
    tests = numbered(a=5, b=5, latency=2)
    run = Run(tests, workers=2)
    crashed = run.scheduler.remove_node(run.workers.pop(0))
    run.finish_all()
    assert sorted([*run.finished, crashed]) == sorted(tests)


@pytest.fixture
def suite_run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makeini("[pytest]")
    pytester.makeconftest('pytest_plugins = ["benchmarks.plugin", "reporting.scheduling"]')
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


def test_families_are_scheduled_where_workers_run(suite_run: Any) -> None:
    result = suite_run("-n2")
    result.assert_outcomes(passed=32)
    result.stdout.fnmatch_lines(["scheduling tests via FamilyScheduling"])
    workers = {
        line.split()[0]
        for line in result.outlines
        if "PASSED" in line and "test_accuracy[digits-vgg6-original-" in line
    }
    assert len(workers) == 1


@pytest.mark.parametrize("mode", ["load", "worksteal"])
def test_mode_that_was_asked_for_is_used(suite_run: Any, mode: str) -> None:
    suite_run("-n2", f"--dist={mode}").stdout.no_fnmatch_line("scheduling tests via FamilyScheduling")


@pytest.mark.parametrize("without", [("-n0",), ("-p", "no:xdist")], ids=["alone", "no xdist"])
def test_order_of_running_holds_without_workers(suite_run: Any, without: tuple[str, ...]) -> None:
    result = suite_run(*without)
    ran = [line.split()[0].partition("::")[2] for line in result.outlines if "PASSED" in line]
    assert ran[:3] == [
        "test_accuracy[digits-vgg6-original-clean]",
        "test_accuracy[digits-vgg6-int8-clean]",
        "test_accuracy[digits-vgg6-pruned-clean]",
    ]
    assert [name.startswith("test_latency") for name in ran] == [False] * 16 + [True] * 16
