"""A session is compared with a baseline (``--gate``) and kept as one (``--save-baseline``)."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from reporting.__main__ import main
from reporting.regression.baseline import read_baseline

ROOT = Path(__file__).resolve().parents[1]

#: Cases that are measured at once: what they come to is said by the environment.
CASES = """
    import os
    import numpy as np, pytest
    from benchmarks.plugin import RECORD, SUITE
    from benchmarks.results import Cell, ImageSet, Record

    def hand_on(request, case, severities):
        told = os.environ.get
        if told("CRASHED") == str(case):
            os._exit(1)
        assert told("RAISED") != str(case)
        if told("SKIPPED") == str(case):
            pytest.skip("not today")
        suite = request.config.stash[SUITE]
        name = case.corruption or "clean"
        rate = 0.4 if told("DAMAGED") == str(case.variant) else 0.3
        cells = []
        for severity in severities:
            wrong = np.random.default_rng(severity).random(2000) < rate
            cells.append(Cell(name, severity, 2000, int(wrong.sum()), np.packbits(wrong).tobytes()))
        identity = {"test": "abc", "test_images": suite.data.test_images, "seed": suite.seed}
        if case.corruption:
            revision = int(told("REVISION", "1"))
            identity["corruption"] = {"name": name, "revision": revision, "scale": suite.corruptions.scale}
        metrics = {"accuracy": float(told("ACCURACY", "1"))}
        record = Record(case, tuple(cells), metrics, images=ImageSet(10_000, identity))
        record.to_json()  # as it is handed to pytest-benchmark
        request.node.stash[RECORD] = record

    @pytest.mark.accuracy
    def test_accuracy(case, request):
        hand_on(request, case, [0])

    @pytest.mark.robustness
    def test_robustness(case, request):
        hand_on(request, case, [1, 2])

    @pytest.mark.claims
    def test_claims(case):
        pass

    def test_no_case():
        pass
"""

SMALL = (
    *("--set", 'compression.techniques=["original", "int8"]'),
    *("--set", 'corruptions.names=["fog", "snow"]', "--set", "corruptions.severities=[1, 2]"),
)
CELLS = 10
ALONE = ("-p", "no:xdist")
WORKERS = [pytest.param(ALONE, id="alone"), pytest.param(("-n2",), id="workers")]

Run = Callable[..., pytest.RunResult]


def lay_out(folder: Path) -> None:
    """Write the cases into ``folder``."""
    (folder / "pytest.ini").write_text("[pytest]")
    (folder / "conftest.py").write_text(
        'pytest_plugins = ["benchmarks.plugin", "reporting.plugin", "reporting.regression.plugin"]'
    )
    (folder / "test_cases.py").write_text(textwrap.dedent(CASES))


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the cases with options, and with what the environment says."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    lay_out(pytester.path)

    def run(*options: str, **told: str) -> pytest.RunResult:
        with monkeypatch.context() as patch:
            for name, value in told.items():
                patch.setenv(name, value)
            return pytester.runpytest_subprocess("-p", "no:hypothesispytest", *SMALL, *options)

    return run


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The baseline that a run keeps."""
    folder = tmp_path_factory.mktemp("saved")
    lay_out(folder)
    command = [sys.executable, "-m", "pytest", *ALONE, *SMALL, "--save-baseline", "main.baseline"]
    subprocess.run(command, cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True)
    return (folder / "main.baseline").read_bytes()


@pytest.fixture
def baseline(run: Run, saved: bytes, pytester: pytest.Pytester) -> Run:
    """A run with a baseline ``main.baseline`` beside it."""
    (pytester.path / "main.baseline").write_bytes(saved)
    return run


@pytest.mark.parametrize("workers", WORKERS)
def test_a_run_is_the_same_as_itself_and_passes(run: Run, pytester: pytest.Pytester, workers) -> None:
    saved = run(*workers, "--save-baseline", "main.baseline")
    assert saved.ret == 0
    saved.stdout.fnmatch_lines(["*RobustLite: baseline*", "Written to .: main.baseline"])
    assert read_baseline(pytester.path / "main.baseline").measured.sum() == CELLS
    gated = run(*workers, "--gate", "main.baseline")
    assert gated.ret == 0
    gated.stdout.fnmatch_lines(
        ["The regression gate passed: variants are 2 *", "Written to report: gate.{md,csv}"]
    )


@pytest.mark.parametrize("workers", WORKERS)
def test_a_damaged_variant_is_a_regression(baseline: Run, pytester: pytest.Pytester, workers) -> None:
    result = baseline(*workers, "--gate", "main.baseline", DAMAGED="digits-vgg6-int8")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["The regression gate failed: variants are 1 worse*", "*Worst cells*"])
    assert "worse" in (pytester.path / "report" / "gate.csv").read_text()
    page = (pytester.path / "report" / "index.html").read_text()
    assert "<p>The regression gate failed: variants are 1 worse" in page


@pytest.mark.parametrize("workers", WORKERS)
def test_a_case_that_ended_in_an_error_is_no_regression(baseline: Run, workers) -> None:
    result = baseline(*workers, "--gate", "main.baseline", RAISED="digits-vgg6-int8-fog")
    assert result.ret == 6
    result.stdout.fnmatch_lines(["The regression gate could not be decided*1 missing*"])


def test_a_worker_that_crashed_is_no_regression(baseline: Run) -> None:
    assert baseline("-n2", CRASHED="digits-vgg6-int8-fog").ret == 6
    assert baseline("-n2", "--gate", "main.baseline", CRASHED="digits-vgg6-int8-fog").ret == 6


def test_a_skipped_case_never_passes_the_gate(baseline: Run) -> None:
    assert baseline(*ALONE, "--gate", "main.baseline", SKIPPED="digits-vgg6-int8-fog").ret == 6


def test_a_regression_goes_before_an_error(baseline: Run) -> None:
    result = baseline(
        *ALONE, "--gate", "main.baseline", DAMAGED="digits-vgg6-int8", RAISED="digits-vgg6-original-fog"
    )
    assert result.ret == 1


@pytest.mark.parametrize("workers", WORKERS)
def test_a_run_that_selects_nothing_is_empty(baseline: Run, workers) -> None:
    assert baseline(*workers, "--gate", "main.baseline", "-m", "int8 and float").ret == 5


def test_a_run_of_which_nothing_is_compared_is_empty(baseline: Run) -> None:
    assert baseline(*ALONE, "--gate", "main.baseline", "-m", "claims").ret == 5
    assert baseline(*ALONE, "--gate", "main.baseline", "-k", "no_case").ret == 5
    assert baseline(*ALONE, "-m", "claims").ret == 0


def test_a_selection_is_compared_alone(baseline: Run) -> None:
    result = baseline(*ALONE, "--gate", "main.baseline", "-m", "fog and int8", DAMAGED="digits-vgg6-original")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["Left out: 8 cells of the baseline that this run did not select."])


@pytest.mark.parametrize("workers", WORKERS)
def test_a_baseline_of_other_settings_is_refused_before_any_case_runs(baseline: Run, workers) -> None:
    result = baseline(*workers, "--gate", "main.baseline", "--set", "seed=99")
    assert result.ret == 4
    assert "passed" not in str(result.stdout)
    result.stderr.fnmatch_lines(
        ["ERROR: --gate main.baseline: expected the images of the baseline*the seed is 99 *"]
    )


def test_other_images_are_refused_afterwards_with_the_reason(
    baseline: Run, pytester: pytest.Pytester
) -> None:
    baseline(*ALONE, "--gate", "main.baseline")
    assert (pytester.path / "report" / "gate.md").exists()
    result = baseline(*ALONE, "--gate", "main.baseline", REVISION="2")
    assert result.ret == 4
    result.stdout.fnmatch_lines(["*the revision of the corruption's code is 2 in this run and 1 in the*"])
    assert not (pytester.path / "report" / "gate.md").exists()
    page = (pytester.path / "report" / "index.html").read_text()
    assert "There is no comparison with the baseline: expected the images of the baseline, got others" in page


def test_a_baseline_of_another_suite_is_refused(baseline: Run) -> None:
    result = baseline(*ALONE, "--gate", "main.baseline", "--set", 'model.names=["vgg19"]')
    assert result.ret == 4
    result.stderr.fnmatch_lines(
        ["ERROR: *digits-vgg19*, got one of suite quick with none of them (digits-vgg6)*"]
    )


@pytest.mark.parametrize("content", [None, b"something else\n"], ids=["no file", "another file"])
def test_a_baseline_that_cannot_be_read_is_refused_before_any_case_runs(
    run: Run, pytester: pytest.Pytester, content: bytes | None
) -> None:
    if content:
        (pytester.path / "main.baseline").write_bytes(content)
    result = run(*ALONE, "--gate", "main.baseline")
    assert result.ret == 4
    assert "passed" not in str(result.stdout)
    result.stderr.fnmatch_lines(["ERROR: --gate: expected a baseline at main.baseline, got *"])


def test_a_regression_does_not_replace_the_baseline_that_shows_it(baseline: Run) -> None:
    result = baseline(*ALONE, "--gate", "main.baseline", "--save-baseline", "./main.baseline")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["ERROR: --save-baseline: expected another file than --gate*"])


def test_a_baseline_with_missing_cells_is_kept_and_says_so(run: Run, pytester: pytest.Pytester) -> None:
    result = run(*ALONE, "--save-baseline", "main.baseline", RAISED="digits-vgg6-int8-fog")
    assert result.ret == 6
    result.stdout.fnmatch_lines(
        ["*2 of the 10 selected cells are missing from it*", "Written to .: main.baseline"]
    )
    assert read_baseline(pytester.path / "main.baseline").measured.sum() == CELLS - 2


def test_a_baseline_of_nothing_is_not_kept(run: Run, pytester: pytest.Pytester) -> None:
    assert run(*ALONE, "--save-baseline", "main.baseline", "-m", "claims").ret == 5
    assert not (pytester.path / "main.baseline").exists()


def test_a_figure_that_is_no_number_is_an_error_of_its_case(baseline: Run) -> None:
    result = baseline(*ALONE, "--gate", "main.baseline", ACCURACY="nan")
    assert result.ret == 6
    result.stdout.fnmatch_lines(["*expected accuracy to be a finite number, got nan*"])


def test_collecting_alone_compares_and_keeps_nothing(baseline: Run, pytester: pytest.Pytester) -> None:
    options = ("--gate", "main.baseline", "--save-baseline", "new.baseline")
    assert baseline(*ALONE, "--collect-only", "-q", *options).ret == 0
    assert not (pytester.path / "new.baseline").exists()


def test_listing_thresholds_compares_and_keeps_nothing(baseline: Run, pytester: pytest.Pytester) -> None:
    options = ("--gate", "main.baseline", "--save-baseline", "new.baseline")
    assert baseline(*ALONE, "--explain-thresholds", *options).ret == 0
    assert not (pytester.path / "new.baseline").exists()


@pytest.mark.parametrize("option", ["--gate", "--save-baseline"])
def test_a_sequential_evaluation_is_not_compared(baseline: Run, option: str) -> None:
    result = baseline(*ALONE, "--set", "evaluation=sequential", option, "main.baseline")
    assert result.ret == 4
    result.stderr.fnmatch_lines([f'*{option}: expected evaluation = "full", got "sequential"*'])


@pytest.mark.parametrize("told", [{}, {"DAMAGED": "digits-vgg6-int8"}, {"RAISED": "digits-vgg6-int8-fog"}])
def test_the_verdict_from_files_is_the_sessions(
    baseline: Run, pytester: pytest.Pytester, capsys: pytest.CaptureFixture[str], told: dict[str, str]
) -> None:
    result = baseline(*ALONE, "--gate", "main.baseline", "--save-baseline", "new.baseline", **told)
    session = (pytester.path / "report" / "gate.csv").read_text()
    for current in ("report", "report/records.jsonl", "new.baseline"):
        out = pytester.path / "again"
        capsys.readouterr()
        assert main(["compare", "main.baseline", current, "--out", str(out)]) == result.ret
        assert (out / "gate.csv").read_text() == session
        assert capsys.readouterr().out.partition("\nWritten")[0].strip() in str(result.stdout)
