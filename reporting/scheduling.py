"""A pytest plugin for the order in which cases run, and for how workers share them.

The cases of one *family*, a float network and the int8 file converted from it, share the trained model that
a worker holds in memory.  Families run in the order of the graph of techniques, each in one worker as long as
there are others to start; then workers help each other out.  Latency cases, for which all others have to
pause, come last.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeVar

import pytest
from xdist.scheduler import LoadScheduling

from benchmarks.cases import Case
from benchmarks.plugin import CASES, case_id
from benchmarks.techniques import TECHNIQUES, float_node, lineage

T = TypeVar("T")

#: Kinds of cases that come after the others of their variant.
_AFTER_OTHERS = {"mce": 1, "adversarial": 2, "explainability": 2}


@pytest.hookimpl(trylast=True)  # after those that deselect
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the cases into the order of running, in each worker the same."""
    items[:] = in_run_order(items, _case_of_item)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScheduling | None:
    """Share the cases out by family, unless ``--dist`` asks for something else."""
    asked = any(arg == "-d" or arg.startswith("--dist") for arg in config.invocation_params.args)
    if asked or config.option.dist != "load":
        return None
    families = {name: family(case) for name, case in config.stash[CASES].items()}

    def family_of(nodeid: str) -> Hashable | None:
        return families.get(case_id(nodeid), nodeid.partition("::")[0])

    return FamilyScheduling(config, log, family_of)


def family(case: Case) -> str | None:
    """Return the family of a case, such as ``cifar10-vgg6-pcqat`` for that technique and for ``pcqat_int8``.

    Latency cases are of no family.
    """
    if case.kind == "latency":
        return None
    variant = case.variant
    return f"{variant.dataset}-{variant.model}-{float_node(variant.technique)}"


def in_run_order(items: Sequence[T], case_of: Callable[[T], Case | None]) -> list[T]:
    """Return ``items`` in the order of running: what is no case, then cases, then latency cases.

    Cases are sorted by how many steps their float network is from the original, so that all originals come
    first and every parent comes before its children; then by model, in the order of ``items``; then by
    technique, each with its mCE after what that is the mean of, and with what takes gradients, which is slow,
    last.  What is equal in all this keeps its order.
    """
    cases = [case_of(item) for item in items]
    models = list(dict.fromkeys(_model(case) for case in cases if case))

    def place(case: Case | None) -> tuple[int, ...]:
        if case is None:
            return (0,)
        technique = case.variant.technique
        path = lineage(float_node(technique))
        model = models.index(_model(case))
        late = case.kind == "latency"
        rank = _AFTER_OTHERS.get(case.kind, 0)
        return 1 + late, len(path), model, path[-1].code, TECHNIQUES[technique].code, rank

    return [item for _, item in sorted(zip(cases, items, strict=True), key=lambda pair: place(pair[0]))]


class FamilyScheduling(LoadScheduling):
    """Give each worker a family of its own; with none left to start, let it help with the largest.

    ``family_of`` maps a node id such as ``benchmarks/test_claims.py::test_claims[digits-vgg6-qat-claims]`` to
    its family, or to ``None`` for a test that runs when nothing else is left.
    """

    def __init__(self, config: pytest.Config, log: Any, family_of: Callable[[str], Hashable | None]) -> None:
        super().__init__(config, log)
        self.maxschedchunk = 1  # what is not yet given to a worker can go to any
        self._family_of = family_of
        self._at: dict[Any, Hashable | None] = {}

    def _send_tests(self, node: Any, num: int) -> None:
        """Send ``num`` tests as the base class does, but chosen one by one."""
        for _ in range(min(num, len(self.pending))):
            test = self._choose(node)
            self.pending.remove(test)
            self.pending.insert(0, test)
            super()._send_tests(node, 1)

    def _choose(self, node: Any) -> int:
        """Return the next test for a worker, as its index in the collection."""
        assert self.collection is not None
        waiting: dict[Hashable | None, list[int]] = {}
        for test in self.pending:
            waiting.setdefault(self._family_of(self.collection[test]), []).append(test)
        last = waiting.pop(None, [])
        if not waiting:
            return last[0]
        at = self._at.get(node)
        if at not in waiting:
            taken = {self._at.get(other) for other in self.nodes}
            untouched = [name for name in waiting if name not in taken]
            at = untouched[0] if untouched else max(waiting, key=lambda name: len(waiting[name]))
        self._at[node] = at
        return waiting[at][0]


def _model(case: Case) -> tuple[str, str]:
    return case.variant.dataset, case.variant.model


def _case_of_item(item: pytest.Item) -> Case | None:
    callspec = getattr(item, "callspec", None)
    case = callspec.params.get("case") if callspec else None
    return case if isinstance(case, Case) else None
