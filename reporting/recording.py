"""A pytest plugin that lets pytest-benchmark record under ``pytest -n N`` as it does without workers.

pytest-benchmark turns itself off where pytest-xdist distributes the tests, because functions timed beside
one another disturb one another.  Cases of this project that time something hold the machine to themselves
while they do, so here the records are as good as those of a single process and only have to travel:

    worker       measures, and puts the records of a test on the report of its teardown
    xdist        carries the report
    controller   takes the records off the report into its own session, which saves, compares and prints

A worker that crashes loses the records of the test it was running and no other.
"""

from __future__ import annotations

import json
import pstats
from collections.abc import Mapping, Sequence
from types import MappingProxyType, SimpleNamespace
from typing import Any, ClassVar

import pytest
import pytest_benchmark.plugin
from pytest_benchmark.session import BenchmarkSession
from pytest_benchmark.stats import Metadata

#: The attribute of a test report that carries records; pytest sends extra attributes along with a report.
_CARRIED = "benchmark_records"
_FOREIGN = "__shown_as__"
_IDENTITY = ("name", "fullname", "group", "param", "params", "extra_info")
_ATOMS = (bool, int, float, str, type(None))


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Have pytest-benchmark, which is configured after all other plugins, make its session of a class below.

    It has no hook to choose the class of its session, so the name it knows the class by is given another
    meaning while this run lasts.

    :raises pytest.UsageError: when pytest-benchmark has its session already, or knows no class of that name.
    """
    if hasattr(config, "_benchmarksession"):
        raise pytest.UsageError(
            f"expected {__name__} to be registered before pytest-benchmark is configured, got it after, as "
            "a plugin loaded it late; try naming it in pytest_plugins of the root conftest.py"
        )
    if not hasattr(pytest_benchmark.plugin, "BenchmarkSession"):
        raise _unexpected("pytest_benchmark.plugin to name a BenchmarkSession", "no such name")
    session = WorkerSession if hasattr(config, "workerinput") else ReportingSession
    patch = pytest.MonkeyPatch()
    patch.setattr(pytest_benchmark.plugin, "BenchmarkSession", session)
    config.add_cleanup(patch.undo)


class _MeasuringSession(BenchmarkSession):
    """A session that measures whether or not there are workers."""

    #: Options, by their names in ``config.option``, as the session is to see them.
    _seen: ClassVar[Mapping[str, object]] = MappingProxyType({"dist": "no"})

    def __init__(self, config: pytest.Config) -> None:
        # By these two pytest-benchmark notices workers, and then disables itself or rejects --benchmark-only.
        with pytest.MonkeyPatch.context() as patch:
            patch.delenv("PYTEST_XDIST_WORKER", raising=False)
            for name, value in self._seen.items():
                patch.setattr(config.option, name, value, raising=False)
            super().__init__(config)
        asked = config.getoption("benchmark_disable") and not config.getoption("benchmark_enable")
        if self.disabled and not asked:
            raise _unexpected("pytest-benchmark to measure", "it disabled without --benchmark-disable")


class ReportingSession(_MeasuringSession):
    """The session of the process that reports: the controller of the workers, or the only process."""

    def __init__(self, config: pytest.Config) -> None:
        super().__init__(config)
        self.quiet = self.quiet or config.option.verbose < 0
        self._place: dict[str, int] = {}

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        """Learn the order in which the tests were collected, the same in every worker."""
        self._place = {nodeid: place for place, nodeid in enumerate(ids)}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take over the records that a worker put on the report."""
        self.benchmarks.extend(map(_unpacked, vars(report).pop(_CARRIED, ())))

    def finish(self) -> None:
        """Save, compare and group the records in the order of collection, whichever came in first."""
        self.benchmarks.sort(key=lambda bench: self._place.get(bench.fullname, 0))
        super().finish()


class WorkerSession(_MeasuringSession):
    """The session of a worker: it measures and hands on; it keeps, reads, writes and prints nothing."""

    _seen = MappingProxyType(
        {
            "dist": "no",
            "benchmark_quiet": True,
            "benchmark_verbose": False,
            "benchmark_json": None,
            "benchmark_save": None,
            "benchmark_autosave": None,
            "benchmark_compare": [],
        }
    )

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo[None]) -> Any:
        """Put the records of a test on its last report, when its fixtures too have added what they know."""
        report = yield
        if call.when == "teardown" and self.benchmarks:
            setattr(report, _CARRIED, [_packed(bench) for bench in self.benchmarks])
            self.benchmarks.clear()
        return report


def _unexpected(expected: str, got: str) -> pytest.UsageError:
    return pytest.UsageError(
        f"expected {expected}, got {got}, because {__name__} does not know pytest-benchmark "
        f"{pytest_benchmark.__version__}; try the version in the lock file"
    )


def _packed(bench: Metadata) -> dict[str, Any]:
    """Return a record as values that execnet carries; :func:`_unpacked` is its inverse."""
    profile = vars(bench.cprofile_stats)["stats"] if bench.cprofile_stats else {}
    return {
        **{name: _portable(getattr(bench, name)) for name in _IDENTITY},
        "options": _portable(bench.as_dict(stats=False)["options"]),
        "iterations": bench.iterations,
        "has_error": bench.has_error,
        "data": bench.stats.data,
        "profile": [(function, calls[:4]) for function, calls in profile.items()],  # without the callers
    }


def _unpacked(record: Mapping[str, Any]) -> Metadata:
    profile = None
    if record["profile"]:
        profile = pstats.Stats()
        vars(profile)["stats"] = dict(record["profile"])
    fixture = SimpleNamespace(
        **{name: _restored(record[name]) for name in _IDENTITY},
        has_error=record["has_error"],
        cprofile_stats=profile,
    )
    bench = Metadata(fixture, iterations=record["iterations"], options=_restored(record["options"]))
    bench.stats.data.extend(record["data"])
    return bench


class _Foreign:
    """Stands for a value that stayed in the worker and shows, in tables and files, as that value does."""

    def __init__(self, text: str, representation: str) -> None:
        self._text, self._representation = text, representation

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return self._representation


def _portable(value: Any) -> Any:
    if isinstance(value, _ATOMS):
        return value if type(value) in _ATOMS else json.loads(json.dumps(value))
    if isinstance(value, dict):
        return {key: _portable(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return (list if isinstance(value, list) else tuple)(map(_portable, value))
    return {_FOREIGN: (str(value), repr(value))}


def _restored(value: Any) -> Any:
    if isinstance(value, dict):
        if value.keys() == {_FOREIGN}:
            return _Foreign(*value[_FOREIGN])
        return {key: _restored(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(_restored, value))
    return value
