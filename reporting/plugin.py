"""The pytest plugin that gates cases and reports on them after the session.

Each test's report carries what it measured, also from a worker; the process that reports journals it at once,
and after the session prints the tables and writes the report's files.  Workers print and write nothing.
"""

from __future__ import annotations

import os
import platform
import shlex
import warnings
from collections.abc import Generator, Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.plugin import CASES, OPTIONS, RECORD, SUITE, case_id
from benchmarks.results import Record
from reporting.gate import Check, Limits
from reporting.journal import Entry, Header, Journal, JournalError, Recording

if TYPE_CHECKING:  # pandas, which a session without a baseline does not need
    from reporting.regression.gated import Gated

#: The name of the plugin that has what the session's cases came to.
COLLECTOR = "robustlite-collector"

#: The attribute of a test's report under which what a case came to travels to the process that reports.
CARRIED = "robustlite"

#: What a comparison with a baseline came to, as Markdown, from the end of a session on that was gated.
COMPARISON = pytest.StashKey[str]()

#: The same for the report.
GATED: pytest.StashKey[Gated] = pytest.StashKey()

#: Where a test keeps the thresholds that it was held against.
_LIMITS = pytest.StashKey[Limits]()

#: What a run's figures may depend on.
_LIBRARIES = (
    "numpy",
    "opencv-python-headless",
    "ai-edge-litert",
    "tensorflow",
    "tensorflow-model-optimization",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that says where the report goes."""
    parser.getgroup(OPTIONS).addoption(
        "--report",
        metavar="DIR",
        default="report",
        help="where tables and plots are written after the session; default: report",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Collect results in the process that reports: the controller of the workers, or the only process."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Collector(config), COLLECTOR)


@pytest.fixture
def limits(request: pytest.FixtureRequest) -> Limits:
    """The suite's thresholds; ``limits.check(record, original)`` asserts them."""
    config = request.config
    limits = request.node.stash[_LIMITS] = Limits(config.stash[SUITE], _repeat(config, request.node))
    return limits


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put what a case measured, and what it was held against, on its report."""
    report = yield
    if report.when == "call":
        record = item.stash.get(RECORD, None)
        limits = item.stash.get(_LIMITS, None)
        if record and item.config.getoption("xmlpath", None):
            from reporting.ci import properties_of  # noqa: PLC0415 - pandas

            # pytest sends them along, and writes those of a test's last report into the JUnit XML.
            item.user_properties.extend(properties_of(record, item.config.stash[SUITE].statistics))
        carried = {
            "record": record.to_json() if record else None,
            "checks": [asdict(check) for check in limits.checks] if limits else [],
        }
        setattr(report, CARRIED, carried)
    return report


class Collector:
    """Gathers what the cases of a session came to, keeps it in the journal, and reports it at the end."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._entries: dict[str, Entry] = {}
        self._journal: Journal | None = None
        self._header: Header | None = None

    @property
    def recording(self) -> Recording | None:
        """What the session's cases came to so far, ``None`` if none is selected and run."""
        if self._header is None:
            return None
        taken_over = self._journal.taken_over if self._journal else {}
        return Recording(self._header, {**taken_over, **self._entries}, finished=False)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Begin the journal when it is known what is measured."""
        self._begin(item.nodeid for item in session.items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        """Begin the journal when the first worker knows what is measured, as all do."""
        self._begin(ids)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take what a case came to off the report of its call, or of a setup or teardown that failed."""
        case = case_id(report.nodeid)
        if case not in self._config.stash[CASES] or not (report.when == "call" or report.failed):
            return
        carried = vars(report).get(CARRIED, {"record": None, "checks": []})
        checks = tuple(Check(**check) for check in carried["checks"])
        record = carried["record"] and Record.from_json(carried["record"])
        if report.passed:
            entry = Entry(case, "passed", "", record, checks)
        elif report.failed:
            strict = self._config.stash[SUITE].thresholds.strict
            failed = any(check.fails(strict) for check in checks)
            entry = Entry(case, "failed" if failed else "error", _message(report), record, checks)
        else:
            return  # skipped: it says nothing, and its cells will be missing
        self._entries[case] = entry
        if self._journal:
            self._journal.add(entry)

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Show the verdict and the tables, and write the report's files, if any case was run."""
        recording = self.recording
        if not self._entries or recording is None:
            return
        from reporting.ci import append_summary  # noqa: PLC0415 - pandas
        from reporting.report import Report, write_report  # noqa: PLC0415
        from reporting.summary import show_report, show_written  # noqa: PLC0415

        ended = _now()
        report = Report.of_run(
            recording.header,
            recording.entries.values(),
            ended=ended,
            with_paper=self._config.getoption("paper"),
            gated=self._config.stash.get(GATED, None),
        )
        show_report(report, recording.header.suite.name, terminalreporter)
        append_summary(report, terminalreporter.write_line, self._config.stash.get(COMPARISON, ""))
        out = Path(self._config.getoption("report"))
        try:
            written = write_report(report, out)
            if self._journal:
                written.append(self._journal.close(ended))
        except OSError as error:
            terminalreporter.write_line(
                f"expected to write the report below {out}, got {error.strerror!r} ({error.filename}); "
                "the results stay in the artifact store; try --report DIR",
                red=True,
            )
            return
        show_written(written, out, terminalreporter)

    def _begin(self, nodeids: Iterable[str]) -> None:
        """Begin the journal, once, if any case is selected and will be run."""
        option = self._config.option
        if self._header or option.collectonly or option.explain_thresholds:
            return
        suite, cases = self._config.stash[SUITE], self._config.stash[CASES]
        selected = tuple(case for case in map(case_id, nodeids) if case in cases)
        if not selected:
            return
        families = {
            case.corruption: case.family for case in cases.values() if case.corruption and case.family
        }
        self._header = Header(suite, families, selected, _about(self._config))
        out = Path(self._config.getoption("report"))
        try:
            self._journal = Journal(out, self._header)
        except JournalError as error:
            raise pytest.UsageError(str(error)) from None
        except OSError as error:
            warnings.warn(
                f"expected to keep a journal below {out}, got {error.strerror!r}; a run that is killed will "
                "have no report; try --report DIR",
                stacklevel=1,
            )


def _repeat(config: pytest.Config, item: pytest.Item) -> str:
    """Return the command that repeats one case with the session's suite, data and artifacts."""
    path, colons, rest = item.nodeid.partition("::")
    here = os.path.relpath(config.rootpath / path, config.invocation_params.dir)
    options = [("--suite", config.getoption("suite") or config.getini("suite"))]
    options += [("--set", override) for override in config.getoption("suite_overrides")]
    options += [(f"--{name}", config.getoption(name, None)) for name in ("data", "artifacts")]
    given = [text for option, value in options if value is not None for text in (option, value)]
    return shlex.join(["pytest", f"{here}{colons}{rest}", *given])


def _about(config: pytest.Config) -> dict[str, Any]:
    """Return what a reader of a run's figures may want to know of how they came about."""
    return {
        "command": shlex.join(["pytest", *config.invocation_params.args]),
        "started": _now(),
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in _LIBRARIES},
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}",
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _message(report: pytest.TestReport) -> str:
    """Return the message of a failed case in one line."""
    crash = getattr(report.longrepr, "reprcrash", None)
    message = str(crash.message if crash else report.longrepr)
    return message.removeprefix("Failed: ").splitlines()[0]
