"""The original study's suites: full-size networks go through every step, up to where only time is missing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.schema import Suite
from benchmarks.suite import load_suite
from benchmarks.techniques import TECHNIQUES
from fixtures.known import known_names

ROOT = Path(__file__).resolve().parents[1]
PAPER = ("paper-cifar10", "paper-cifar100")


def paper(name: str, *overrides: str) -> Suite:
    return load_suite(name, known_names(), overrides)


@pytest.mark.parametrize("name", PAPER)
def test_suite_is_table_3_of_the_study(name: str) -> None:
    suite = paper(name)
    assert suite.model.names == ["resnet50", "vgg19", "mobilenet_v2"]
    assert len(list(suite.variants())) == 48
    for model in suite.model.names:
        network = suite.network(model)
        assert (network.upsampling, network.dense_units, network.width) == (7, 1024, 1.0)
        assert network.initial_weights == "imagenet"
        for technique in TECHNIQUES.values():
            if not technique.claims.int8:
                budget = suite.budget(technique.step, model)
                assert (budget.learning_rate, budget.patience, budget.schedule) == (1e-5, 5, "constant")
                assert budget.epochs == ("as-original" if technique.step == "prune" else 30)
    steps = ("train", "prune", "cluster", "qat", "cqat")
    batches = {step: suite.budget(step, "vgg19").batch_size for step in steps}
    assert batches == {"train": 256, "prune": 256, "cluster": 256, "qat": 128, "cqat": 64}
    assert (suite.compression.sparsity, suite.compression.clusters) == (0.5, 16)
    assert suite.compression.calibration_images == 200


@pytest.mark.parametrize("name", PAPER)
def test_the_whole_study_is_listed(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "benchmarks", "--suite", name, "--collect-only", "-q"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    # 48 variants: 15 corruptions, clean accuracy, claims and latency of each.
    assert f"{48 * (15 + 3)} tests collected" in done.stdout


def test_the_studys_own_protocol_validates_on_the_test_set_and_trains_on_everything() -> None:
    from fixtures.suite_data import SuiteData

    names = ("data.datasets=['digits']", "model.names=['vgg19']")
    sound = SuiteData(paper("paper-cifar10", *names), Path())
    theirs = SuiteData(paper("paper-cifar10", *names, "protocol=paper"), Path())
    everything = sound.dataset("digits")
    train, validation = theirs.training("digits")
    assert len(train.labels) == len(everything.train.labels)
    assert np.array_equal(validation.images, everything.test.images)
    train, validation = sound.training("digits")
    assert len(train.labels) + len(validation.labels) == len(everything.train.labels)
