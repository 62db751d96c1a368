"""How long a run will still take, estimated from how long the cases that have ended took.

What is left is counted in seconds of one worker, and shared out among the workers:

    making a network     its cost in passes (:func:`reporting.sharding.making_costs`) at the price of a pass
    measuring a case     the time of a case of its kind

Both prices are means over this run: of the same model if there are any, else of all.  A case that is the
first to need a network is charged to the making of it, so it does not matter that networks are made before
most cases are measured.  A case whose predictions were in the store says nothing of what work costs, and is
kept apart.  As long as everything was in the store the rest is taken to be there too; from the first case on
that had to be worked for, the rest is taken to be work.  So a run that goes on where another was killed is
judged by its own work.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, replace

from benchmarks.cases import Case, Variant
from benchmarks.durations import in_words
from benchmarks.techniques import float_node

#: The part of a run's expected time that has to be over before the rest is judged by it.
ENOUGH = 0.05

#: Seconds of a run before anything is said, and between two lines.
FIRST, EVERY = 20.0, 15.0

#: The price of a case that was in the store.
_KEPT = "kept"


@dataclass
class _Price:
    """The mean cost of a unit, in seconds of a worker."""

    seconds: float = 0.0
    units: float = 0.0

    @property
    def mean(self) -> float:
        return self.seconds / self.units


class Remaining:
    """What is left of a run of ``cases``.

    ``making`` returns what making a float network costs in passes, by the networks that are made for it;
    ``clock`` gives seconds that only grow.
    """

    def __init__(
        self,
        cases: Iterable[Case],
        making: Callable[[Variant], Mapping[Variant, float]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._waiting = set(cases)
        self._total = len(self._waiting)
        self._needed = {network: making(network) for network in {_network(case) for case in self._waiting}}
        self._unmade = {made: cost for costs in self._needed.values() for made, cost in costs.items()}
        self._prices: dict[Hashable, _Price] = {}
        self._spent = 0.0
        self._clock = clock
        self._next = clock() + FIRST

    def ended(self, case: Case, seconds: float, *, from_store: bool = False) -> None:
        """Take it that ``case`` ended after so many seconds of a worker; a second time it does not count.

        ``from_store``: whether the predictions that it was to make were in the store already.
        """
        if case not in self._waiting:
            return
        self._waiting.remove(case)
        self._spent += seconds
        passes = sum(self._unmade.pop(network, 0) for network in self._needed[_network(case)])
        if from_store:
            self._pay([_KEPT], seconds, 1)
        elif passes:
            self._pay(_making(case.variant), seconds, passes)
        else:
            self._pay(_measuring(case), seconds, 1)

    def seconds(self, workers: int) -> float | None:
        """Return the seconds that so many workers will still need, ``None`` while too little is known."""
        kept = self._prices.get(_KEPT)
        made_before, measured_before = (0.0, kept.mean) if kept else (None, None)
        try:
            left = sum(cost * self._price(_making(made), made_before) for made, cost in self._unmade.items())
            left += sum(self._price(_measuring(case), measured_before) for case in self._waiting)
        except LookupError:
            return None
        if self._spent < ENOUGH * (self._spent + left):
            return None
        return left / max(1, min(workers, len(self._waiting)))

    def line(self, workers: int) -> str | None:
        """Return how far the run is, if that is to be said now: not too often, and not of a short run."""
        now = self._clock()
        if now < self._next or not self._waiting or (seconds := self.seconds(workers)) is None:
            return None
        self._next = now + EVERY
        rounded = max(5, 5 * round(seconds / 5))
        done = self._total - len(self._waiting)
        return f"{done:,} of {self._total:,} cases done, about {in_words(rounded)} left"

    def _pay(self, keys: Iterable[Hashable], seconds: float, units: float) -> None:
        for key in keys:
            price = self._prices.setdefault(key, _Price())
            price.seconds += seconds
            price.units += units

    def _price(self, keys: Iterable[Hashable], otherwise: float | None) -> float:
        """Return the price under the first of ``keys`` that has one; ``LookupError`` if none is known."""
        for key in keys:
            if key in self._prices:
                return self._prices[key].mean
        if otherwise is None:
            raise LookupError(keys)
        return otherwise


def _network(case: Case) -> Variant:
    return replace(case.variant, technique=float_node(case.variant.technique))


def _making(made: Variant) -> list[Hashable]:
    """Return under which keys the price of making a network is looked for, the nearest first."""
    return [("making", made.dataset, made.model), "making"]


def _measuring(case: Case) -> list[Hashable]:
    """Return under which keys the price of measuring a case is looked for, the nearest first."""
    return [(case.kind, case.variant.dataset, case.variant.model), case.kind, "measuring"]
