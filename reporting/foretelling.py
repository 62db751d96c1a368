"""The pytest plugin that says, while a run goes on, how much of it is done and how long the rest will take.

Only the process that reports does so: the controller of the workers, or the only process.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import pytest

from benchmarks.plugin import CASES, SUITE, TELL, case_id
from reporting.plugin import CARRIED
from reporting.remaining import Remaining
from reporting.sharding import making_costs


@pytest.hookimpl(trylast=True)  # when there is something to tell lines to
def pytest_configure(config: pytest.Config) -> None:
    """Look ahead where lines of progress can be told."""
    if not hasattr(config, "workerinput") and TELL in config.stash:
        config.pluginmanager.register(Foreteller(config, config.stash[TELL]), "robustlite-foreteller")


class Foreteller:
    """Follows the cases of a session as they end."""

    def __init__(self, config: pytest.Config, tell: Callable[[str], None]) -> None:
        self._config = config
        self._tell = tell
        self._remaining: Remaining | None = None
        self._workers: set[Any] = set()
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._from_store: set[str] = set()

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Learn which cases will be run."""
        self._begin(item.nodeid for item in session.items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: list[str]) -> None:
        """Learn the same from a worker, as all know it, and of the worker."""
        self._workers.add(node)
        self._begin(ids)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Count no longer on a worker that has ended."""
        self._workers.discard(node)

    @pytest.hookimpl(trylast=True)  # behind the letter that pytest writes for a case
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add up what a case took, and say how far the run is when a case has ended."""
        case = self._config.stash[CASES].get(case_id(report.nodeid))
        if case is None or self._remaining is None:
            return
        self._seconds[report.nodeid] += report.duration
        record = vars(report).get(CARRIED, {}).get("record")
        if record and record["details"].get("from_store"):
            self._from_store.add(report.nodeid)
        if report.when == "call" or (report.when == "setup" and report.passed):
            return  # there is more of it to come
        seconds = self._seconds.pop(report.nodeid)
        self._remaining.ended(case, seconds, from_store=report.nodeid in self._from_store)
        if line := self._remaining.line(max(1, len(self._workers))):
            self._tell(line)

    def _begin(self, nodeids: Iterable[str]) -> None:
        if self._remaining is None:
            known = self._config.stash[CASES]
            cases = [known[name] for name in map(case_id, nodeids) if name in known]
            self._remaining = Remaining(cases, partial(making_costs, self._config.stash[SUITE]))
