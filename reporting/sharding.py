"""A pytest plugin that runs one shard of the selected cases, for runs that several machines share.

Families (:func:`reporting.scheduling.family`), here with their latency cases, are kept whole, because they
share a trained network.  What a shard costs is counted in *passes*, the evaluation of one image:

    measuring a case    images x severities; for latency its timed and untimed calls; for an attack or an
                        explanation its gradients and the passes between them
    making a network    3 x epochs x training images, once more half of that with fake quantization, five
                        times that where a ratio of pruning is looked for

A family also needs the networks that its own is made from, and the original's errors on the same images;
families of one shard share them.  So the split depends on the suite, the selection and the number of shards
alone, and every machine comes to the same without asking another.
"""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import pytest

from benchmarks.cases import Case, Variant
from benchmarks.methods import Attack, CarliniWagner, FastGradientSign
from benchmarks.plugin import CASES, OPTIONS, SUITE, case_id
from benchmarks.schema import Suite
from benchmarks.sections import FOUND, RATIO_STEP
from benchmarks.techniques import float_node, lineage

#: What ``"all"`` images are counted as, because data sets are not opened to plan a run: CIFAR's numbers.
ALL_TRAINING_IMAGES = 50_000
ALL_TEST_IMAGES = 10_000

#: Passes of one training step per image: forwards, and backwards for about twice that.
_TRAINING = 3
#: Passes of a gradient of an image, and of the line search along it, as measured.
_GRADIENT, _LINE_SEARCH = 3, 5
#: Passes of an image's activation maps: two gradients, and what deletion and insertion look at.
_ACTIVATION_MAPS = 2 * _GRADIENT + 2 * 17
#: Passes of an image's place on a map, as measured.
_EMBEDDING = 5
#: Fake quantization makes a training step so much dearer.
_FAKE_QUANTIZED = 1.5
#: Trainings until the ratio of pruning by L1 norm is found, at most: halves of what is left of 20 steps.
_RATIOS = math.ceil(math.log2(1 / RATIO_STEP))


class ShardError(ValueError):
    """The cases cannot be split as asked: what was expected, what came."""


@dataclass(frozen=True)
class Shard:
    """Shard ``index`` of ``count``, counted from 1."""

    index: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Return the shard that ``text`` (``2/3``) says; raises :class:`ShardError`."""
        match = re.fullmatch(r"(\d+)/(\d+)", text, re.ASCII)
        shard = cls(*map(int, match.groups())) if match else None
        if shard is None or not 1 <= shard.index <= shard.count:
            raise ShardError(
                f"--shard: expected I/N with I from 1 to N, got {text!r}, because it names one of N parts of "
                "the run; try --shard 1/3, and 2/3 and 3/3 elsewhere"
            )
        return shard

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"


@dataclass(frozen=True)
class Unit:
    """What stays together: the ``cases`` of a family, and what they ``need`` with its cost in passes.

    Equal needs of several units in one shard are met once.
    """

    cases: tuple[Case, ...]
    needs: Mapping[Hashable, float]


def units_of(suite: Suite, cases: Iterable[Case]) -> list[Unit]:
    """Return ``cases`` by what stays together, in the order of the graph of techniques, model by model.

    So what is made from the same networks stands together, whatever the order of ``cases``.
    """
    families: dict[Variant, list[Case]] = {}
    for case in cases:
        network = replace(case.variant, technique=float_node(case.variant.technique))
        families.setdefault(network, []).append(case)

    def place(network: Variant) -> tuple[str, str, list[int]]:
        return network.dataset, network.model, [step.code for step in lineage(network.technique)]

    return [
        Unit(tuple(sorted(families[network], key=str)), _needs(suite, network, families[network]))
        for network in sorted(families, key=place)
    ]


def split(units: Sequence[Unit], count: int) -> list[Sequence[Unit]]:
    """Return ``units`` (of :func:`units_of`) cut into ``count`` shards, of which the dearest is cheapest.

    Neighbours share what they need, so cutting their row does better here than sharing single units out by
    their cost, and the best cuts are found exactly.  Raises :class:`ShardError` for more shards than units.
    """
    if not 1 <= count <= len(units):
        raise ShardError(
            f"--shard: expected I/N with N up to {len(units)}, got N = {count}, because that many families "
            "(a float network and its int8 file) are selected, and a family is not divided; try a smaller N"
        )
    loads = {
        (start, end): load(units[start:end])
        for end in range(1, len(units) + 1)
        for start in range(end)
    }  # fmt: skip
    # By the number of units that are cut so far: the dearest shard's load, and where its shards end.
    best: dict[int, tuple[float, tuple[int, ...]]] = {0: (0, ())}
    for _ in range(count):
        best = {
            end: min(
                (max(dearest, loads[start, end]), (*ends, end))
                for start, (dearest, ends) in best.items()
                if start < end
            )
            for end in range(min(best) + 1, len(units) + 1)
        }
    ends = best[len(units)][1]
    return [units[start:end] for start, end in pairwise((0, *ends))]


def load(units: Iterable[Unit]) -> float:
    """Return what ``units`` cost together, in passes."""
    return sum({need: cost for unit in units for need, cost in unit.needs.items()}.values())


def making_costs(suite: Suite, network: Variant) -> dict[Variant, float]:
    """Return what making a float network costs in passes, by the networks that are made for it, itself last.

    Costs are multiples of 1/2, so sums exact.
    """
    costs = {}
    for technique in lineage(network.technique):
        budget = suite.budget(technique.step, network.model)
        original = suite.budget("train", network.model).epochs
        # "as-original" is known when the original has been trained; it has at most these.
        epochs = next(epochs for epochs in (budget.epochs, original) if not isinstance(epochs, str))
        images = suite.data.train_images
        passes = _TRAINING * epochs * (ALL_TRAINING_IMAGES if images == "all" else images)
        factor = _FAKE_QUANTIZED if "qat" in technique.traits else 1
        if technique.step == "l1_prune" and suite.compression.l1_pruning.ratio == FOUND:
            factor = _RATIOS
        costs[replace(network, technique=technique.name)] = factor * passes
    return costs


def _needs(suite: Suite, network: Variant, cases: Iterable[Case]) -> dict[Hashable, float]:
    """Return what the cases of one network need, by what it is; making costs as :func:`making_costs` says."""
    needs: dict[Hashable, float] = {
        ("making", made): cost for made, cost in making_costs(suite, network).items()
    }
    for case in cases:
        for measured in _measured(case):
            needs["measuring", measured] = _passes(suite, measured)
    return needs


def _measured(case: Case) -> Iterator[Case]:
    """Yield what is measured for a case, and of its original where it is compared with that."""
    yield case
    if case.kind in ("accuracy", "robustness", "adversarial") or case.method == "activation_maps":
        yield replace(case, variant=case.variant.original)


def _passes(suite: Suite, case: Case) -> int:
    if case.kind == "latency":
        return suite.latency.warmup + suite.latency.rounds
    if case.kind == "claims":
        return 0  # read from the file
    images = ALL_TEST_IMAGES if suite.data.test_images == "all" else suite.data.test_images
    if case.kind == "adversarial" and case.method is not None:
        return min(images, suite.attacks.images) * _passes_of(suite.attacks.by_name[case.method])
    if case.kind == "explainability":
        return _passes_to_explain(suite, case, images)
    return images * (len(suite.corruptions.severities) if case.corruption else 1)


def _passes_to_explain(suite: Suite, case: Case, images: int) -> int:
    if case.method == "activation_maps":
        return min(images, suite.explanations.map_images) * _ACTIVATION_MAPS
    return min(images, suite.explanations.embedding_images) * _EMBEDDING


def _passes_of(attack: Attack) -> int:
    """Return the passes that attacking one image takes, the judging of it left out."""
    if isinstance(attack, CarliniWagner):
        return attack.binary_search_steps * attack.iterations * (_GRADIENT + _LINE_SEARCH)
    return _GRADIENT * (1 if isinstance(attack, FastGradientSign) else attack.iterations)


_SHARD = pytest.StashKey[Shard]()

#: Under which name a worker tells the controller why it cannot run a shard.
_REFUSED = "robustlite_shard_refused"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that chooses a shard."""
    parser.getgroup(OPTIONS).addoption(
        "--shard",
        metavar="I/N",
        help="run part I of N of the selected cases, split evenly by expected cost and the same on every "
        "machine; python -m reporting merge joins the reports",
    )


@pytest.hookimpl(trylast=True)  # when the suite has been read
def pytest_configure(config: pytest.Config) -> None:
    """Read the option; raises ``pytest.UsageError`` for a shard that there cannot be."""
    text = config.getoption("shard")
    if text is None:
        return
    try:
        config.stash[_SHARD] = shard = Shard.parse(text)
        # Of a selection there may be fewer, but that is known only in the workers.
        split(units_of(config.stash[SUITE], config.stash[CASES].values()), shard.count)
    except ShardError as error:
        raise pytest.UsageError(str(error)) from None


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say which shard is run; with workers nothing else would."""
    shard = config.stash.get(_SHARD, None)
    return f"shard: {shard} of the selected cases" if shard else None


@pytest.hookimpl(trylast=True)  # after those that select by marker and name
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the cases of other shards; what is no case is of every shard."""
    shard = config.stash.get(_SHARD, None)
    known = config.stash[CASES]
    cases = {item: known[name] for item in items if (name := case_id(item.nodeid)) in known}
    if shard is None or not cases:
        return
    try:
        shards = split(units_of(config.stash[SUITE], set(cases.values())), shard.count)
    except ShardError as error:
        if not hasattr(config, "workeroutput"):
            raise pytest.UsageError(str(error)) from None
        # A worker cannot refuse the run itself: it offers nothing to do, and the controller refuses.
        config.workeroutput[_REFUSED] = str(error)
        items.clear()
        return
    own = {case for unit in shards[shard.index - 1] for case in unit.cases}
    others = [item for item, case in cases.items() if case not in own]
    if others:
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if cases.get(item) in own or item not in cases]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Refuse the run for the reason that a worker had to do so."""
    reason = getattr(node, "workeroutput", {}).get(_REFUSED)
    if reason:
        raise pytest.UsageError(reason)
