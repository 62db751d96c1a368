"""The original study's suites: full-size networks go through every step, up to where only time is missing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.schema import Suite
from benchmarks.suite import load_suite
from benchmarks.techniques import ORIGINAL_STUDY, TECHNIQUES, Technique
from fixtures.known import known_names
from fixtures.models import MODELS, ModelError, NetworkSpec
from fixtures.recipes import weights_recipe

ROOT = Path(__file__).resolve().parents[1]
PAPER = ("paper-cifar10", "paper-cifar100")
WHY_NOT = "takes up to a quarter of an hour and 6 GB; set ROBUSTLITE_FULL=1 to have it"


def paper(name: str, *overrides: str) -> Suite:
    return load_suite(name, known_names(), overrides)


def float_techniques() -> list[Technique]:
    return [TECHNIQUES[name] for name in ORIGINAL_STUDY if not TECHNIQUES[name].converted]


@pytest.mark.parametrize("name", PAPER)
def test_suite_is_table_3_of_the_study(name: str) -> None:
    suite = paper(name)
    assert suite.model.names == ["resnet50", "vgg19", "mobilenet_v2"]
    assert len(list(suite.variants())) == 48
    for model in suite.model.names:
        network = suite.network(model)
        assert (network.upsampling, network.dense_units, network.width) == (7, 1024, 1.0)
        assert network.initial_weights == "imagenet"
        for technique in float_techniques():
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
    assert f"{48 * (15 + 4)} tests collected" in done.stdout


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


def image_folder(root: Path) -> Path:
    """Make a folder of 32x32 images of ten classes: four of each to train on and two to test on."""
    import cv2

    rng = np.random.default_rng(0)
    for split, count in (("train", 4), ("test", 2)):
        for label in range(10):
            folder = root / split / f"class{label}"
            folder.mkdir(parents=True)
            for number in range(count):
                image = rng.integers(0, 256, (32, 32, 3)).astype(np.uint8)
                image[..., label % 3] = 25 * label
                cv2.imwrite(str(folder / f"{number}.png"), image)
    return root


def weights_file(name: str, path: Path) -> Path:
    """Write weights for the whole application of a network, as one who has no network would have them."""
    from fixtures.tensorflow import load

    application = {"resnet50": "ResNet50", "vgg19": "VGG19", "mobilenet_v2": "MobileNetV2"}[name]
    build = getattr(load().keras.applications, application)
    build(include_top=False, weights=None, input_shape=(224, 224, 3)).save_weights(path)
    return path


def test_a_missing_file_of_weights_is_named_before_anything_is_made() -> None:
    suite = paper("paper-cifar10", "model.initial_weights=/nowhere/weights.h5")
    with pytest.raises(ModelError, match=r"expected a file of weights at /nowhere/weights\.h5"):
        weights_recipe(suite, next(suite.variants()), "train")


#: The study's networks at full size, and the up-sampling of their input: one without any in every run of the
#: tests, the others and the study's own up-sampling where they are asked for.
NETWORKS = [
    ("paper-cifar10", "mobilenet_v2", 1),
    *(
        pytest.param(
            *network, marks=pytest.mark.skipif(not os.environ.get("ROBUSTLITE_FULL"), reason=WHY_NOT)
        )
        for network in (
            ("paper-cifar10", "resnet50", 1),
            ("paper-cifar10", "vgg19", 1),
            ("paper-cifar100", "mobilenet_v2", 1),
            *(("paper-cifar10", name, 7) for name in ("mobilenet_v2", "resnet50", "vgg19")),
        )
    ),
]


@pytest.mark.parametrize(("suite_name", "name", "upsampling"), NETWORKS)
def test_a_full_size_network_goes_through_the_whole_study(
    suite_name: str, name: str, upsampling: int, tmp_path: Path
) -> None:
    """Weights from a file, one step of each training run, sixteen files, one corruption."""
    from fixtures.maker import Maker
    from fixtures.store import Store
    from fixtures.suite_data import SuiteData
    from fixtures.workshop import Workshop

    suite = paper(
        suite_name,
        "data.datasets=['image_folder']",
        f"data.options.path='{image_folder(tmp_path / 'images')}'",
        f"model.names=['{name}']",
        f"model.upsampling={upsampling}",
        f"model.initial_weights='{weights_file(name, tmp_path / 'weights.h5')}'",
        "training.epochs=1",
        "fine_tuning.epochs=1",
        "compression.calibration_images=2",
        "corruptions.names=['fog']",
        "corruptions.severities=[3]",
    )
    # Every training run is one step: its batches are larger than the training split.
    assert min(suite.budget(technique.step, name).batch_size for technique in float_techniques()) >= 36
    store = Store(tmp_path / "store")
    maker = Maker(suite, store, SuiteData(suite, tmp_path), lambda _: None)
    workshop = Workshop(suite, store, tmp_path, print)
    sizes = {}
    for variant in suite.variants():
        facts = maker.make(variant).facts
        sizes[variant.technique] = facts["file_bytes"]
        assert workshop.predictions(variant, "fog").classes.shape == (1, 20)
    assert list(sizes) == list(ORIGINAL_STUDY)
    parameters = MODELS[name].build(NetworkSpec((32, 32, 3), 10)).count_params()
    assert sizes["original"] > 4 * parameters * 0.95
    assert all(
        size < sizes["original"] / 3 for technique, size in sizes.items() if technique.endswith("int8")
    )
