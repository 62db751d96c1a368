"""The pytest plugin that compares a run with a baseline, keeps one, and says by the exit code what came out.

Only the process that reports does anything: the controller of the workers, or the only process.  A baseline
is read before anything is collected, and refused as soon as it is known what is measured, if that shows.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benchmarks.plugin import OPTIONS, SUITE
from reporting.exit_codes import ExitCode, session_code
from reporting.files import listed
from reporting.journal import Ending, Recording
from reporting.plugin import COLLECTOR, COMPARISON, GATED

if TYPE_CHECKING:  # pandas, which a session without a baseline does not need
    from reporting.regression.baseline import Snapshot
    from reporting.regression.comparing import Compared

#: pytest's own codes after which a session was measured to its end.
_ENDED = (ExitCode.KEPT, ExitCode.BROKEN)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options that say with what a run is compared, and where it is kept to be compared with."""
    group = parser.getgroup(OPTIONS)
    group.addoption(
        "--gate",
        metavar="FILE",
        help="compare the selected cases with this baseline, image by image; a regression fails the run",
    )
    group.addoption(
        "--save-baseline", metavar="FILE", help="keep what this run measures as the baseline of later ones"
    )


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Read the baseline, in the process that reports.

    Raises ``pytest.UsageError`` for one that cannot be read, and for files that cannot be meant.
    """
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Gatekeeper(config), "robustlite-gatekeeper")


class Gatekeeper:
    """Compares what the session measured with a baseline, and decides on its exit code."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._gate, self._save = (
            Path(name) if (name := config.getoption(option)) else None for option in ("gate", "save_baseline")
        )
        _check_files(self._gate, self._save)
        if (self._gate or self._save) and config.stash[SUITE].evaluation == "sequential":
            raise pytest.UsageError(
                f'--{"gate" if self._gate else "save-baseline"}: expected evaluation = "full", got '
                '"sequential", because there each case stops at other images, and what is compared are the '
                "same ones; try --set evaluation=full"
            )
        self._baseline = _read(self._gate) if self._gate else None
        self._checked = self._baseline is None
        self._compared: Compared | None = None
        self._errors: list[str] = []
        self._written: list[Path] = []

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self) -> None:
        """Refuse a baseline of something else as soon as it is known what is measured."""
        self._check()

    @pytest.hookimpl(optionalhook=True, trylast=True)
    def pytest_xdist_node_collection_finished(self) -> None:
        """The same when the first worker knows what is measured, as all do."""
        self._check()

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Compare, keep, and set the exit code of the session."""
        if self._runs_nothing:
            return
        recording, others = self._recording, []
        if recording:
            _remove_earlier(Path(self._config.getoption("report")))
        if exitstatus in _ENDED and (self._gate or self._save):
            others = self._conclude(recording)
        session.exitstatus = session_code(exitstatus, _endings(recording), others)

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter, exitstatus: int) -> None:
        """Print what came out, after the report."""
        if self._runs_nothing or not (self._gate or self._save):
            return
        terminalreporter.section("RobustLite: " + ("regression gate" if self._gate else "baseline"))
        if exitstatus not in _ENDED:
            terminalreporter.write_line(
                "Neither compared nor kept, because the run was not measured to its end."
            )
        if self._compared:
            from reporting.regression.shown import render_terminal, sentences  # noqa: PLC0415 - pandas

            quiet = terminalreporter.verbosity < 0
            shown = next(sentences(self._compared)) if quiet else render_terminal(self._compared)
            terminalreporter.write_line(shown)
        for error in self._errors:
            terminalreporter.write_line(error, red=True)
        for line in listed(self._written):
            terminalreporter.write_line(f"Written to {line}")

    @property
    def _runs_nothing(self) -> bool:
        return bool(self._config.option.collectonly or self._config.option.explain_thresholds)

    @property
    def _recording(self) -> Recording | None:
        collector = self._config.pluginmanager.getplugin(COLLECTOR)
        recording: Recording | None = collector.recording
        return recording

    def _check(self) -> None:
        """Refuse a baseline that the run cannot be compared with; raises ``pytest.UsageError``."""
        if self._checked or self._recording is None:
            return
        from reporting.regression.baseline import snapshot_of  # noqa: PLC0415 - pandas
        from reporting.regression.comparing import ComparisonError, check_beforehand  # noqa: PLC0415

        self._checked = True
        assert self._baseline is not None
        planned = snapshot_of(Recording(self._recording.header, {}, finished=False))
        try:
            check_beforehand(self._baseline, planned, self._config.stash[SUITE])
        except ComparisonError as error:
            raise pytest.UsageError(f"--gate {self._gate}: {error}") from None

    def _conclude(self, recording: Recording | None) -> list[ExitCode]:
        """Compare and keep what was measured, and return what came out of both."""
        if recording is None:
            self._errors.append("expected cases of the suite, got none selected, so nothing was measured")
            return [ExitCode.NOTHING_MEASURED]
        from reporting.regression.baseline import snapshot_of  # noqa: PLC0415 - pandas

        snapshot = snapshot_of(recording)
        return [self._compare(snapshot), self._keep(snapshot)]

    def _compare(self, snapshot: Snapshot) -> ExitCode:
        if self._baseline is None:
            return ExitCode.KEPT
        from reporting.regression.comparing import ComparisonError, compare  # noqa: PLC0415 - pandas
        from reporting.regression.gated import gated_of, refused  # noqa: PLC0415
        from reporting.regression.shown import render_markdown, write_comparison  # noqa: PLC0415

        try:
            self._compared = compare(self._baseline, snapshot)
        except ComparisonError as error:
            self._errors.append(f"--gate {self._gate}: {error}")
            self._config.stash[GATED] = refused(str(error))
            return ExitCode.WRONG_INPUT
        self._config.stash[COMPARISON] = render_markdown(self._compared)
        self._config.stash[GATED] = gated_of(self._compared)
        out = Path(self._config.getoption("report"))
        try:
            self._written += write_comparison(self._compared, out)
        except OSError as error:
            self._errors.append(
                f"expected to write the comparison below {out}, got {error.strerror!r}; try --report DIR"
            )
        return self._compared.exit_code

    def _keep(self, snapshot: Snapshot) -> ExitCode:
        if self._save is None:
            return ExitCode.KEPT
        from reporting.regression.baseline import write_baseline  # noqa: PLC0415 - pandas

        selected, measured = int(snapshot.selected.sum()), int(snapshot.measured.sum())
        if not measured:
            self._errors.append(
                f"--save-baseline {self._save}: expected cells to keep, got none of {selected} measured"
            )
            return ExitCode.UNKNOWN if selected else ExitCode.NOTHING_MEASURED
        try:
            self._written.append(write_baseline(snapshot, self._save))
        except OSError as error:
            self._errors.append(
                f"--save-baseline: expected to write {self._save}, got {error.strerror!r}; the results stay "
                "in the artifact store; try another place"
            )
            return ExitCode.UNKNOWN
        if measured < selected:
            self._errors.append(
                f"--save-baseline {self._save}: {selected - measured} of the {selected} selected cells are "
                "missing from it, because they were not measured"
            )
            return ExitCode.UNKNOWN
        return ExitCode.KEPT


def _check_files(gate: Path | None, save: Path | None) -> None:
    """Raise ``pytest.UsageError`` for files that cannot be meant."""
    if gate and save and gate.absolute() == save.absolute():
        raise pytest.UsageError(
            f"--save-baseline: expected another file than --gate, got {save} for both, because a regression "
            "would replace what shows it; try another name"
        )
    if save and save.is_dir():
        raise pytest.UsageError(f"--save-baseline: expected the name of a file, got the folder {save}")


def _read(path: Path) -> Snapshot:
    from reporting.regression.baseline import BaselineError, read_baseline  # noqa: PLC0415 - pandas

    try:
        return read_baseline(path)
    except BaselineError as error:
        raise pytest.UsageError(f"--gate: {error}") from None
    except OSError as error:
        raise pytest.UsageError(
            f"--gate: expected a baseline at {path}, got {error.strerror!r}; try the file of a run with "
            "--save-baseline"
        ) from None


def _remove_earlier(out: Path) -> None:
    """Remove what an earlier run has left of a comparison: beside this run's report it would seem its own."""
    from reporting.regression.shown import gate_files  # noqa: PLC0415 - pandas, as the report to come

    for path in gate_files(out):
        with suppress(OSError):  # that nothing can be written there, the report says
            path.unlink()


def _endings(recording: Recording | None) -> list[Ending]:
    """Return how the selected cases ended, of those that did."""
    if recording is None:
        return []
    entries = (recording.entries.get(case) for case in recording.header.selected)
    return [entry.ending for entry in entries if entry]
