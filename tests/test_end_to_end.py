"""The benchmark as its users run it: `pytest benchmarks` in a process of its own, on a very small suite."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from benchmarks.cases import STANDARD_CORRUPTIONS
from reporting.__main__ import main
from reporting.journal import Entry, Journal, Recording, read_journal

ROOT = Path(__file__).resolve().parents[1]

SUITE = """
description = "the smallest run that goes the whole way"
seed = 7
[data]
datasets = ["digits"]
test_images = 60
train_images = 300
[model]
names = ["vgg6"]
width = 0.1
[training]
epochs = 2
batch_size = 30
learning_rate = 1e-3
[fine_tuning]
epochs = 1
batch_size = 30
learning_rate = 1e-4
[compression]
techniques = ["original", "int8", "pruned"]
calibration_images = 20
[corruptions]
names = ["fog", "contrast"]
severities = [1, 5]
[latency]
rounds = 5
"""

CASES = 3 * (2 + 3)
LATENCIES = 3

#: Timed calls that take long enough for a run to be killed among them.
SLOW = 20_000


class Place:
    """A directory with a suite, artifacts and reports of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        (path / "small.toml").write_text(SUITE)

    def command(self, *options: str, report: str = "report") -> list[str]:
        return [
            *(sys.executable, "-m", "pytest", "benchmarks"),
            *("-p", "no:cacheprovider", "-p", "no:hypothesispytest"),
            *("--suite", str(self.path / "small.toml"), "--artifacts", str(self.path / "artifacts")),
            *("--report", str(self.path / report), *options),
        ]  # fmt: skip

    def run(self, *options: str, report: str = "report", env: dict[str, str] | None = None):
        return subprocess.run(
            self.command(*options, report=report),
            cwd=ROOT,
            env={**os.environ, **(env or {})},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    def rows(self, name: str, report: str = "report") -> list[dict[str, str]]:
        with (self.path / report / name).open(newline="") as file:
            return list(csv.DictReader(file))

    def artifacts(self) -> list[dict]:
        return [
            json.loads(path.read_text()) for path in self.path.glob("artifacts/objects/*/*/manifest.json")
        ]


@pytest.fixture(scope="module")
def cold(tmp_path_factory):
    """A first run with two workers, and the place where it ran."""
    place = Place(tmp_path_factory.mktemp("cold"))
    finished = place.run("-n", "2", "--benchmark-json", str(place.path / "benchmark.json"))
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return place, finished


@pytest.fixture
def without_tensorflow(tmp_path: Path) -> dict[str, str]:
    """An environment in which importing TensorFlow or Keras fails, in workers too."""
    for name in ("tensorflow", "tf_keras", "tensorflow_model_optimization"):
        (tmp_path / f"{name}.py").write_text("raise ImportError('a warm run imported TensorFlow')\n")
    return {"PYTHONPATH": str(tmp_path)}


def test_a_run_passes_every_case_and_says_so(cold) -> None:
    _, finished = cold
    assert f"{CASES} passed" in finished.stdout
    assert "mCE, compression ratio (CR) and accuracy" in finished.stdout


def test_a_run_tells_of_its_progress_from_the_workers(cold) -> None:
    _, finished = cold
    assert "digits-vgg6-original: epoch 2/2: loss" in finished.stdout


def test_results_hold_every_image_set_once(cold) -> None:
    place, _ = cold
    rows = place.rows("results.csv")
    keys = [(row["technique"], row["corruption"], row["severity"]) for row in rows]
    expected = {
        (technique, *image_set)
        for technique in ("original", "int8", "pruned")
        for image_set in [("clean", "0"), *((c, s) for c in ("fog", "contrast") for s in "15")]
    }
    assert len(keys) == len(set(keys))
    assert set(keys) == expected
    for row in rows:
        assert row["images"] == "60"
        assert float(row["error"]) == pytest.approx(int(row["errors"]) / 60)


def test_what_cannot_be_computed_is_absent_from_the_summary(cold) -> None:
    """Two corruptions make no mCE."""
    place, _ = cold
    rows = place.rows("summary.csv")
    assert [row["technique"] for row in rows] == ["original", "int8", "pruned"]
    assert all(row["mce"] == "" and row["pareto"] == "" for row in rows)
    assert float(rows[0]["compression_ratio"]) == 1
    assert float(rows[1]["compression_ratio"]) > 2


def test_the_report_has_its_pictures_and_tables(cold) -> None:
    place, _ = cold
    for name in ("summary.md", "pareto.png", "pareto.svg"):
        assert (place.path / "report" / name).stat().st_size > 100


def test_pytest_benchmark_keeps_every_case_of_the_workers_with_its_figures(cold) -> None:
    place, _ = cold
    benchmarks = json.loads((place.path / "benchmark.json").read_text())["benchmarks"]
    assert len(benchmarks) == CASES
    latency = [entry for entry in benchmarks if "latency" in entry["name"]]
    assert len(latency) == 3
    for entry in latency:
        assert entry["extra_info"]["details"]["alone_on_the_machine"] is True
        assert entry["stats"]["rounds"] == 5
        assert "seconds" not in entry["extra_info"]["details"]
    (fog,) = [entry for entry in benchmarks if "pruned-fog" in entry["name"]]
    assert fog["extra_info"]["details"] == {"from_store": False}
    assert [cell["severity"] for cell in fog["extra_info"]["cells"]] == [1, 5]


def test_what_was_forgotten_agrees_with_the_outcomes_of_every_image(cold) -> None:
    place, _ = cold
    records = {str(record.case): record for record in read_journal(place.path / "report").records}
    told = {case: one.details["forgotten"] for case, one in records.items() if "forgotten" in one.details}
    assert len(told) == 2 * 3
    for case, value in told.items():
        before = records[re.sub("-(int8|pruned)-", "-original-", case)]
        pairs = list(zip(before.cells, records[case].cells, strict=True))
        outcomes = [[int.from_bytes(cell.wrong) for cell in pair] for pair in pairs]
        assert value["right"] == sum(original.images - original.errors for original, _ in pairs)
        assert value["count"] == sum((wrong & ~known).bit_count() for known, wrong in outcomes)
        assert value["gained"] == sum((known & ~wrong).bit_count() for known, wrong in outcomes)
    assert sum(value["count"] for value in told.values()) > 0


def test_a_report_built_again_has_the_same_files_and_the_figure_of_the_corruptions(
    cold, tmp_path: Path
) -> None:
    place, _ = cold
    for out in ("once", "twice"):
        assert main(["build", str(place.path / "report"), "--out", str(tmp_path / out)]) == 0
    files = [path.relative_to(tmp_path / "once") for path in (tmp_path / "once").rglob("*") if path.is_file()]
    assert Path("paper", "figure-1-corruptions.png") in files
    for name in files:
        assert (tmp_path / "once" / name).read_bytes() == (tmp_path / "twice" / name).read_bytes()


def test_a_warm_run_imports_no_tensorflow_and_finds_the_same(cold, without_tensorflow) -> None:
    place, _ = cold
    finished = place.run("-n", "2", report="warm", env=without_tensorflow)
    assert finished.returncode == 0, finished.stdout
    assert place.rows("results.csv", "warm") == place.rows("results.csv")
    assert place.rows("summary.csv", "warm") == place.rows("summary.csv")


def test_measuring_again_finds_the_same(cold, without_tensorflow) -> None:
    place, _ = cold
    finished = place.run("-n", "0", "--remeasure", "-m", "robustness", report="again", env=without_tensorflow)
    assert finished.returncode == 0, finished.stdout
    robustness = [row for row in place.rows("results.csv") if row["corruption"] != "clean"]
    assert place.rows("results.csv", "again") == robustness


def test_a_verbose_run_tells_what_comes_from_the_store_and_what_is_evaluated(
    cold, without_tensorflow
) -> None:
    place, _ = cold
    options = ["-n", "2", "-v", "-m", "accuracy"]
    kept = place.run(*options, report="told", env=without_tensorflow)
    assert "digits-vgg6-int8: model from the store" in kept.stdout
    assert "digits-vgg6-int8-clean: from the store" in kept.stdout
    assert "images to evaluate" not in kept.stdout
    again = place.run(*options, "--remeasure", report="told", env=without_tensorflow)
    assert "digits-vgg6-int8 clean: 60 images to evaluate" in again.stdout
    assert re.search(r"digits-vgg6-int8 clean: 60 images evaluated in \d+\.\d s", again.stdout)
    assert "digits-vgg6-int8-clean: from the store" not in again.stdout


def test_a_broken_threshold_fails_its_case_and_says_by_how_much(cold, without_tensorflow) -> None:
    place, _ = cold
    options = ["-n", "2", "-m", "claims", "--set", "thresholds.compression_ratio_min=1.5"]
    finished = place.run(*options, report="gated", env=without_tensorflow)
    assert finished.returncode == 1
    failed = finished.stdout.partition("\nFailed: compression_ratio_min at least 1.5 (rule thresholds)\n")[2]
    assert re.search(r"digits-vgg6-original-claims +1 +exact +0\.5\n", failed)
    assert "1 failed, 2 passed" in finished.stdout or "2 failed, 1 passed" in finished.stdout


def test_mce_is_asserted_and_its_image_sets_are_counted_once(cold, without_tensorflow) -> None:
    place, _ = cold
    fifteen = ["--set", f"corruptions.names={json.dumps(STANDARD_CORRUPTIONS)}"]
    options = ["-n", "2", *fifteen, "--set", "corruptions.severities=[5]", "--set", "thresholds.mce_max=1000"]
    finished = place.run(*options, "-m", "not (claims or latency)", report="pooled", env=without_tensorflow)
    assert finished.returncode == 0, finished.stdout
    assert f"{3 * (1 + 15 + 1)} passed" in finished.stdout
    assert len(place.rows("results.csv", "pooled")) == 3 * (1 + 15)
    reported = {row["technique"]: row for row in place.rows("summary.csv", "pooled")}
    lines = (place.path / "pooled" / "records.jsonl").read_text().splitlines()
    pooled = [
        entry for line in lines if "-mce" in (entry := json.loads(line).get("entry") or {}).get("case", "")
    ]
    for entry in pooled:
        assert entry["record"]["cells"] == []
        [check] = entry["checks"]
        row = reported[entry["record"]["case"]["variant"]["technique"]]
        for name, end in (("value", ""), ("low", "_low"), ("high", "_high")):
            assert check[name] == pytest.approx(float(row[f"mce{end}"]))
    assert len(pooled) == 3


def test_a_flipped_bit_in_an_artifact_is_noticed_and_mended(cold, without_tensorflow) -> None:
    place, _ = cold
    before = place.rows("results.csv")
    # The store may hold predictions of other runs too; those of the clean images are of every run.
    (victim, *_) = [
        path.with_name("predictions.npy")
        for path in place.path.glob("artifacts/objects/*/*/manifest.json")
        if json.loads(path.read_text())["facts"].get("corruption") == "clean"
    ]
    content = bytearray(victim.read_bytes())
    content[-1] ^= 1
    victim.write_bytes(content)
    finished = place.run("-n", "0", "-m", "accuracy or robustness", report="mended", env=without_tensorflow)
    assert finished.returncode == 0
    assert "set aside" in finished.stdout
    assert place.rows("results.csv", "mended") == before


def test_a_selection_builds_only_what_it_needs(tmp_path: Path) -> None:
    place = Place(tmp_path)
    finished = place.run("-n", "0", "-m", "technique-original and accuracy")
    assert finished.returncode == 0, finished.stdout
    kinds = sorted(artifact["recipe"]["kind"] for artifact in place.artifacts())
    assert kinds == ["model", "predictions", "weights"]


def test_two_runs_at_once_make_each_artifact_once_and_agree(tmp_path: Path) -> None:
    place = Place(tmp_path)
    runs = [
        subprocess.Popen(
            place.command("-n", "0", "-m", "not latency", report=f"run{number}"),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for number in (1, 2)
    ]
    outputs = [run.communicate(timeout=600)[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], outputs
    assert sum(output.count("digits-vgg6-original: train,") for output in outputs) == 1
    assert place.rows("results.csv", "run1") == place.rows("results.csv", "run2")


def test_a_killed_run_goes_on_where_it_was(tmp_path: Path) -> None:
    place = Place(tmp_path)
    killed = subprocess.Popen(
        place.command("-n", "0", "-m", "accuracy"),
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 300
    while not any(artifact["recipe"]["kind"] == "weights" for artifact in place.artifacts()):
        assert time.monotonic() < deadline
        assert killed.poll() is None
        time.sleep(0.05)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    finished = place.run("-n", "0", "-m", "accuracy")
    assert finished.returncode == 0, finished.stdout
    assert "digits-vgg6-original: train," not in finished.stdout
    assert "digits-vgg6-pruned: prune," in finished.stdout


def test_a_sequential_run_decides_its_cases_from_few_images(cold, without_tensorflow) -> None:
    place, _ = cold
    options = ["--set", "evaluation=sequential", "--set", "thresholds.ce_max=2000", "-m", "robustness"]
    finished = place.run("-n", "2", *options, report="sequential", env=without_tensorflow)
    assert finished.returncode == 0, finished.stdout
    assert "Sequential evaluation: 4 of 4 cases were decided" in finished.stdout
    assert any(int(row["images"]) < 60 for row in place.rows("results.csv", "sequential"))
    assert all(row["mce"] == "" for row in place.rows("summary.csv", "sequential"))


def without_latencies(recording: Recording) -> dict[str, Entry]:
    return {case: entry for case, entry in recording.entries.items() if not case.endswith("latency")}


@pytest.fixture
def killed_with_workers(cold):
    """A warm run of two workers whose controller was killed when all was measured but latencies."""
    place, _ = cold
    options = ["-n", "2", "--set", f"latency.rounds={SLOW}"]
    controller = subprocess.Popen(
        place.command(*options, report="killed"),
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    journal = place.path / "killed" / "records.jsonl.part"
    deadline = time.monotonic() + 120
    while not journal.exists() or len(without_latencies(read_journal(journal))) < CASES - LATENCIES:
        assert time.monotonic() < deadline
        assert controller.poll() is None
        time.sleep(0.01)
    workers = psutil.Process(controller.pid).children(recursive=True)
    controller.kill()
    controller.wait()
    yield place, options, workers
    for worker in psutil.wait_procs(workers, timeout=60)[1]:
        worker.kill()


def test_a_killed_controller_loses_no_case_that_had_ended(killed_with_workers, without_tensorflow) -> None:
    place, options, _ = killed_with_workers
    before = read_journal(place.path / "killed" / "records.jsonl.part")
    assert not before.finished
    artifacts = place.artifacts()
    finished = place.run(*options, "-m", "latency", report="killed", env=without_tensorflow)
    assert finished.returncode == 0, finished.stdout
    assert f"{LATENCIES} passed" in finished.stdout
    after = read_journal(place.path / "killed")
    assert after.finished
    assert len(after.entries) == CASES
    assert place.rows("results.csv", "killed") == place.rows("results.csv")
    assert without_latencies(after) == without_latencies(before)
    assert place.artifacts() == artifacts


def test_the_next_run_evaluates_nothing_again(killed_with_workers, without_tensorflow) -> None:
    place, options, _ = killed_with_workers
    finished = place.run(*options, report="killed", env=without_tensorflow)
    assert finished.returncode == 0, finished.stdout
    records = read_journal(place.path / "killed").records
    assert len(records) == CASES
    assert all(record.details.get("from_store", True) for record in records)


def test_workers_that_outlive_their_controller_do_not_hold_the_journal(killed_with_workers) -> None:
    place, _, workers = killed_with_workers
    for worker in workers:
        with suppress(psutil.NoSuchProcess):
            worker.suspend()  # so that it is there for certain
    try:
        part = place.path / "killed" / "records.jsonl.part"
        assert any(worker.is_running() for worker in workers)
        Journal(part.parent, read_journal(part).header).close()
    finally:
        for worker in workers:
            with suppress(psutil.NoSuchProcess):
                worker.resume()


def test_shards_join_to_the_report_of_one_run(cold, without_tensorflow) -> None:
    place, _ = cold
    for number in (1, 2):
        finished = place.run(
            "-n", "0", "--shard", f"{number}/2", report=f"shard{number}", env=without_tensorflow
        )
        assert finished.returncode == 0, finished.stdout
        assert "deselected" in finished.stdout
    shards = [str(place.path / f"shard{number}") for number in (1, 2)]
    out = place.path / "joined"
    merged = subprocess.run(
        [sys.executable, "-m", "reporting", "merge", *shards, "--out", str(out)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert merged.returncode == 0, merged.stdout + merged.stderr
    assert "Selected:" not in merged.stdout
    for name in ("results.csv", "summary.csv", "kernels.csv"):
        assert place.rows(name, "joined") == place.rows(name)
