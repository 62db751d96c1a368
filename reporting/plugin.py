"""The pytest plugin that gates cases and reports on them after the session.

Each test's report carries what it measured, also from a worker; the process that reports collects these,
and after the session prints the tables and writes the report's files.  Workers print and write nothing.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from benchmarks.cases import KINDS
from benchmarks.plugin import OPTIONS, SUITE, suite_cases
from benchmarks.results import RECORD_PROPERTY, Record
from reporting.files import listed
from reporting.gate import BREACHES_PROPERTY, Limits

_COLLECTOR = "robustlite-collector"


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
        config.pluginmanager.register(Collector(config), _COLLECTOR)


@pytest.fixture
def limits(request: pytest.FixtureRequest) -> Limits:
    """The suite's thresholds; ``limits.check(record, original)`` asserts them."""
    return Limits(request.config.stash[SUITE].thresholds, request.node.user_properties)


class Collector:
    """Gathers what the cases of a session measured and how they failed, and reports it at the end."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._records: list[Record] = []
        self._failures: list[tuple[str, str, list[dict[str, Any]]]] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take a case's record and breaches off the report of its call, or of a setup that failed."""
        properties = dict(report.user_properties)
        if report.when == "call" and RECORD_PROPERTY in properties:
            self._records.append(Record.from_json(properties[RECORD_PROPERTY]))  # type: ignore[arg-type]
        case = _case_of(report)
        if report.failed and case:
            breaches: Any = properties.get(BREACHES_PROPERTY, [])
            self._failures.append((case, _message(report), breaches))

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the tables and write the report's files, if any case was run."""
        if not self._records and not self._failures:
            return
        from reporting.report import Report, render_terminal, write_report  # noqa: PLC0415 - pandas
        from reporting.tables import Failure  # noqa: PLC0415

        suite = self._config.stash[SUITE]
        failures = []
        for case, message, breaches in self._failures:
            if breaches:
                failures += [Failure(case, f"{b['threshold']}", b["measured"], b["limit"]) for b in breaches]
            else:
                failures.append(Failure(case, message))
        report = Report.of_run(
            sorted(self._records, key=lambda record: str(record.case)),
            suite_cases(self._config),
            suite.corruptions.severities,
            failures,
            notes=suite.notes(),
            suite=suite,
            with_paper=self._config.getoption("paper"),
        )
        terminalreporter.section(f"RobustLite: suite {suite.name}")
        terminalreporter.write_line(render_terminal(report))
        out = Path(self._config.getoption("report"))
        try:
            written = write_report(report, out)
        except OSError as error:
            terminalreporter.write_line(
                f"expected to write the report below {out}, got {error.strerror!r} ({error.filename}); "
                "the results stay in the artifact store; try --report DIR",
                red=True,
            )
            return
        for line in listed(written):
            terminalreporter.write_line(f"Written to {line}")


def _case_of(report: pytest.TestReport) -> str:
    """Return the id of the case in a node id such as ``benchmarks/test_latency.py::test_latency[CASE]``.

    It is empty for a test that is no case.
    """
    match = re.search(r"\[(.+)\]$", report.nodeid)
    return match[1] if match and KINDS.keys() & report.keywords.keys() else ""


def _message(report: pytest.TestReport) -> str:
    """Return the message of a failed case in one line."""
    crash = getattr(report.longrepr, "reprcrash", None)
    message = str(crash.message if crash else report.longrepr)
    return message.removeprefix("Failed: ").splitlines()[0]
