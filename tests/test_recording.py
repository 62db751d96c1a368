"""pytest-benchmark's records arrive under ``-n N`` as they do without workers."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]

CONFTEST = """
    pytest_plugins = ["reporting.recording"]

    def pytest_benchmark_generate_machine_info(config):
        return {"node": "the one of the tests"}  # asking for the processor takes a second
"""

# Times something with a clock that goes on by a fixed amount at each look, so that records can be compared.
CLOCK = """
    import itertools, os

    STEP = float(os.environ.get("CLOCK_STEP", "0.5"))
    _looks = itertools.count()

    def clock():
        return next(_looks) * STEP
"""

CASES = """
    import decimal, pathlib, time
    import pytest

    def measure(benchmark, rounds):
        benchmark.pedantic(lambda: None, rounds=rounds, iterations=2)

    def test_slow_to_come_in(benchmark):
        time.sleep(0.3)
        measure(benchmark, 3)

    @pytest.mark.parametrize("size", [(32, 32, 3), (8, 8, 1)], ids=["large", "small"])
    @pytest.mark.parametrize("path", [pathlib.PurePosixPath("a/b")], ids=["ab"])
    def test_parameters(benchmark, size, path):
        measure(benchmark, 2)

    @pytest.fixture
    def told_late(benchmark):
        yield
        benchmark.extra_info["late"] = decimal.Decimal("1.5")

    @pytest.mark.benchmark(group="told", max_time=7)
    def test_extra(benchmark, told_late):
        benchmark.extra_info.update({"cells": [1, (2, None)], 3: True, "nan": float("nan")})
        measure(benchmark, 4)

    def test_not_timed():
        pass
"""
NAMES = ["test_slow_to_come_in", "test_parameters[ab-large]", "test_parameters[ab-small]", "test_extra"]

DISTRIBUTED = pytest.mark.parametrize("workers", [("-n0",), ("-n2",)], ids=["alone", "workers"])
EVERYWHERE = pytest.mark.parametrize(
    "workers", [("-p", "no:xdist"), ("-n0",), ("-n2",)], ids=["no xdist", "alone", "workers"]
)


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makeini("[pytest]")
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(clock=CLOCK, test_cases=CASES)

    def run(*args: str) -> pytest.RunResult:
        # Loading the plugin of hypothesis takes longer than everything else in these runs.
        quick = ("-p", "no:hypothesispytest")
        return pytester.runpytest_subprocess(*quick, "--benchmark-timer=clock.clock", *args)

    return run


def benchmarks(path: Path) -> list[dict[str, Any]]:
    return json.loads(path.read_text(encoding="utf-8"))["benchmarks"]


def output(result: pytest.RunResult) -> str:
    return f"{result.stdout}\n{result.stderr}"


@EVERYWHERE
def test_json_holds_every_record_with_its_data_in_the_order_of_collection(
    run: Any, pytester: pytest.Pytester, workers: tuple[str, ...]
) -> None:
    result = run(*workers, "--benchmark-json=out.json")
    result.assert_outcomes(passed=5)
    records = benchmarks(pytester.path / "out.json")
    assert [record["name"] for record in records] == NAMES
    assert [record["stats"]["data"] for record in records] == [[0.25] * rounds for rounds in (3, 2, 2, 4)]


def test_records_of_workers_are_those_of_a_single_process(run: Any, pytester: pytest.Pytester) -> None:
    run("-n0", "--benchmark-json=alone.json")
    run("-n2", "--benchmark-json=workers.json")
    alone, workers = (
        (pytester.path / f"{name}.json").read_text(encoding="utf-8").replace("NaN", '"not a number"')
        for name in ("alone", "workers")
    )
    assert json.loads(alone)["benchmarks"] == json.loads(workers)["benchmarks"]


@DISTRIBUTED
def test_one_table_is_printed_and_one_file_written(run: Any, workers: tuple[str, ...]) -> None:
    run("--benchmark-autosave")
    said = output(run(*workers, "--benchmark-compare", "--benchmark-json=out.json"))
    assert said.count("benchmark 'told': 2 tests") == 1  # now and before
    assert said.count("Wrote benchmark data in") == 1
    assert "Not saving anything" not in said


def test_workers_print_nothing(run: Any, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_cases="def test_case(benchmark): benchmark(lambda: None)")
    options = ("--benchmark-verbose", "--benchmark-timer=time.perf_counter", "--benchmark-max-time=0.01")
    run(*options, "--benchmark-autosave")
    alone, workers = (str(run(n, *options, "--benchmark-compare").stderr) for n in ("-n0", "-n2"))
    assert "Calibrating" in alone
    assert "Calibrating" not in workers
    assert alone.count("Comparing against") == workers.count("Comparing against") == 1


@DISTRIBUTED
def test_parameters_name_groups_as_they_print(run: Any, workers: tuple[str, ...]) -> None:
    result = run(*workers, "-k", "parameters", "--benchmark-group-by=param:size,param:path")
    result.stdout.fnmatch_lines(
        ["*benchmark 'size=(32, 32, 3) path=a/b': 1 tests*", "*benchmark 'size=(8, 8, 1) path=a/b': 1 tests*"]
    )


@DISTRIBUTED
def test_profiles_are_shown(run: Any, workers: tuple[str, ...]) -> None:
    result = run(*workers, "-k", "extra", "--benchmark-cprofile=ncalls")
    result.stdout.fnmatch_lines(
        ["*cProfile (time in s)*", "test_cases.py::test_extra", "ncalls*", "1*<lambda>*"]
    )


@pytest.mark.parametrize("include_data", [True, False], ids=["data", "statistics"])
def test_saved_runs_hold_the_data_where_asked(
    run: Any, pytester: pytest.Pytester, include_data: bool
) -> None:
    run("-n2", "--benchmark-save=run", "--benchmark-storage=runs", *["--benchmark-save-data"] * include_data)
    (saved,) = pytester.path.glob("runs/*/0001_run.json")
    assert ["data" in record["stats"] for record in benchmarks(saved)] == [include_data] * len(NAMES)


def test_regression_fails_the_run(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    run("-n2", "--benchmark-autosave")
    assert run("-n2", "--benchmark-compare", "--benchmark-compare-fail=mean:5%").ret == pytest.ExitCode.OK
    monkeypatch.setenv("CLOCK_STEP", "0.6")
    result = run("-n2", "--benchmark-compare", "--benchmark-compare-fail=mean:5%")
    assert result.ret != pytest.ExitCode.OK
    result.stderr.fnmatch_lines(["*Performance has regressed:*", "*test_slow_to_come_in*20.0*"])


def test_own_command_of_the_plugin_reads_the_file(run: Any, pytester: pytest.Pytester) -> None:
    run("-n2", "--benchmark-json=out.json")
    result = pytester.run(sys.executable, "-m", "pytest_benchmark", "compare", "out.json")
    result.stdout.fnmatch_lines(["*benchmark 'told': 1 tests*", "test_extra*"])


@DISTRIBUTED
def test_nothing_is_measured_when_disabled(
    run: Any, pytester: pytest.Pytester, workers: tuple[str, ...]
) -> None:
    result = run(*workers, "--benchmark-disable", "--benchmark-json=out.json")
    result.assert_outcomes(passed=5)
    assert not (pytester.path / "out.json").exists()
    result.stdout.no_fnmatch_line("*Benchmark*disabled*")


@DISTRIBUTED
@pytest.mark.parametrize(
    ("option", "passed", "skipped"), [("--benchmark-skip", 1, 4), ("--benchmark-only", 4, 1)]
)
def test_selection_skips_the_others(
    run: Any, workers: tuple[str, ...], option: str, passed: int, skipped: int
) -> None:
    run(*workers, option).assert_outcomes(passed=passed, skipped=skipped)


@DISTRIBUTED
def test_only_and_disable_are_rejected_together(run: Any, workers: tuple[str, ...]) -> None:
    result = run(*workers, "--benchmark-only", "--benchmark-disable")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*Can't have both --benchmark-only and --benchmark-disable*"])


def test_no_warning_tells_that_workers_disable_benchmarks(run: Any) -> None:
    assert "automatically disabled" not in output(run("-n2"))


@DISTRIBUTED
def test_record_of_a_test_that_fails_later_is_kept_and_of_a_failed_measurement_not(
    run: Any, pytester: pytest.Pytester, workers: tuple[str, ...]
) -> None:
    pytester.makepyfile(
        test_cases="""
            def test_fails_later(benchmark):
                benchmark.pedantic(lambda: None, rounds=2)
                assert False

            def test_fails_while_timed(benchmark):
                rounds = iter([1, 2])
                benchmark.pedantic(lambda: next(rounds), rounds=5)
        """
    )
    result = run(*workers, "--benchmark-json=out.json")
    result.assert_outcomes(failed=2)
    assert [record["name"] for record in benchmarks(pytester.path / "out.json")] == ["test_fails_later"]


def test_crash_of_a_worker_loses_only_the_record_in_hand(run: Any, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        test_cases="""
            import os
            import pytest

            @pytest.mark.parametrize("number", range(6))
            def test_case(benchmark, number):
                benchmark.pedantic(lambda: None, rounds=2)
                if number == 3:
                    os._exit(1)
        """
    )
    result = run("-n2", "--benchmark-json=out.json")
    result.assert_outcomes(passed=5, failed=1)
    records = benchmarks(pytester.path / "out.json")
    assert [record["params"]["number"] for record in records] == [0, 1, 2, 4, 5]


def test_registering_too_late_is_an_error(run: Any, pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
            def pytest_sessionstart(session):
                session.config.pluginmanager.import_plugin("reporting.recording")
        """
    )
    assert "expected reporting.recording to be registered before" in output(run())


@DISTRIBUTED
def test_plugin_that_disables_itself_all_the_same_is_an_error(
    run: Any, pytester: pytest.Pytester, workers: tuple[str, ...]
) -> None:
    pytester.makeconftest(CONFTEST + "\n    import pytest_benchmark.session as s; s.statistics = None")
    result = run(*workers)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*expected pytest-benchmark to measure, got it disabled*"])
