"""The record of an explanation: of features and maps that the store has, judged on the deployed file."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from sklearn.metrics import auc

from benchmarks.cases import Case, Variant
from benchmarks.results import Record
from benchmarks.suite import load_suite
from fixtures.apart import Apart, MakingError
from fixtures.explanations import ExplanationError
from fixtures.explanations.keeping import _FILE
from fixtures.explanations.plan import Plan
from fixtures.known import known_names
from fixtures.measuring import MEASUREMENTS
from fixtures.store import Store
from fixtures.workshop import Workshop

ORIGINAL, INT8 = (Variant("digits", "vgg6", technique) for technique in ("original", "int8"))
SETTINGS = ("explanations.map_images=12", "explanations.embedding_images=60", "explanations.samples=3")


class Deployed:
    """A deployed file that is ever surer of the class of an image the brighter its upper half is."""

    def scores(self, images: np.ndarray) -> np.ndarray:
        bright = images[:, :16].mean(axis=(1, 2, 3)) / np.float32(255)
        scores = np.full((len(images), 10), 0.01, np.float32)
        scores[:, 3] = bright
        return scores


class Process:
    """Stands for the process that has TensorFlow: notes what it is asked for and puts it into the store."""

    def __init__(self, plan: Callable[[Variant, str], Plan], store: Store) -> None:
        self._plan, self._store = plan, store
        self.asked: list[list[tuple[str, str]]] = []

    def __call__(self, tasks: list[Mapping[str, Any]], what: str) -> None:
        assert {task["work"] for task in tasks} == {"explain"}
        assert what
        self.asked.append([(task["variant"]["technique"], task["method"]) for task in tasks])
        for task in tasks:
            plan = self._plan(Variant(**task["variant"]), task["method"])
            self._store.get_or_make(plan.recipe, lambda draft, plan=plan: made(plan, draft))


def made(plan: Plan, draft: Path) -> dict[str, Any]:
    rng = np.random.default_rng(3)
    # A twin that takes every image but the first for what the file does.
    classes = np.full(len(plan.places), 3, np.uint16)
    classes[0] = 7
    if plan.method == "embedding":
        features = np.eye(10, dtype=np.float32)[plan.labels] + 0.05 * rng.normal(size=(len(classes), 10))
        np.savez(draft / _FILE, features=features.astype(np.float32), classes=classes)
    else:
        gradcam = np.tile(np.linspace(1, 0, 32, dtype=np.float32)[:, np.newaxis], (len(classes), 1, 32))
        guided = rng.random(gradcam.shape, np.float32)
        if plan.variant == INT8:
            gradcam, guided = gradcam.copy(), -guided
            gradcam[0] = 0
        np.savez(draft / _FILE, gradcam=gradcam, guided=guided, classes=classes)
    return {"layer": "tapped"}


@pytest.fixture
def process(workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Process:
    process = Process(workshop.explanations.plan, Store(tmp_path))
    monkeypatch.setattr(Apart, "do", process)
    return process


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    monkeypatch.setattr(Workshop, "_open_evaluator", lambda *_: Deployed())
    return Workshop(load_suite("quick", known_names(), SETTINGS), Store(tmp_path), tmp_path, lambda _: None)


def measure(workshop: Workshop, variant: Variant, method: str, *, remeasure: bool = False) -> Record:
    case = Case(variant, "explainability", method=method)
    return MEASUREMENTS["explainability"](workshop, case, remeasure)


def test_embedding_is_told_with_its_points_and_figures(workshop: Workshop, process: Process) -> None:
    record = measure(workshop, INT8, "embedding")
    details = record.details
    assert process.asked == [[("int8", "embedding")]]
    assert set(record.metrics) == {"neighbour_accuracy", "silhouette", "trustworthiness", "agreement"}
    assert record.metrics["agreement"] == pytest.approx(59 / 60)
    assert details["agreement"] == {"images": 60, "same": 59}
    assert record.metrics["neighbour_accuracy"] > 0.5
    assert details["layer"] == "tapped"
    assert details["class_names"] == list("0123456789")
    assert details["neighbours"] == 10
    assert sorted(details["labels"]) == sorted(list(range(10)) * 6)
    assert np.array(details["points"]).shape == (60, 2)
    assert not details["from_store"]
    assert record.images == workshop.image_set("digits", None)
    assert Record.from_json(json.loads(json.dumps(record.to_json()))) == record


def test_activation_maps_are_compared_with_the_originals(workshop: Workshop, process: Process) -> None:
    record = measure(workshop, INT8, "activation_maps")
    metrics, details = record.metrics, record.details
    assert process.asked == [[("int8", "activation_maps")], [("original", "activation_maps")]]
    # One of its maps is constant; guided ones are the reverse of the original's.
    assert details["correlations"] == pytest.approx([0, *[1] * 11])
    assert metrics["gradcam_correlation"] == pytest.approx(11 / 12)
    assert details["constant"] == 1
    assert details["guided_correlations"] == pytest.approx([-1] * 12)
    assert metrics["guided_correlation"] == pytest.approx(-1)
    assert details["agreement"] == {"images": 12, "same": 11}
    for figure in ("deletion", "insertion"):
        areas, curve = details[f"{figure}_areas"], np.array(details[figure])
        assert len(areas) == 12
        assert metrics[f"{figure}_auc"] == pytest.approx(np.mean(areas), abs=1e-4)
        assert metrics[f"{figure}_auc"] == pytest.approx(auc(*curve.T))
    assert [fraction for fraction, _ in details["deletion"]] == [step / 16 for step in range(17)]
    assert Record.from_json(json.loads(json.dumps(record.to_json()))) == record


def test_originals_maps_are_those_that_others_are_compared_with(workshop: Workshop, process: Process) -> None:
    metrics = measure(workshop, ORIGINAL, "activation_maps").metrics
    assert process.asked == [[("original", "activation_maps")]]
    assert metrics["gradcam_correlation"] == pytest.approx(1)
    assert metrics["guided_correlation"] == pytest.approx(1)


def test_samples_are_images_of_classes_in_turn_with_their_maps(workshop: Workshop, process: Process) -> None:
    samples = measure(workshop, INT8, "activation_maps").details["samples"]
    plan = workshop.explanations.plan(INT8, "activation_maps")
    assert process.asked
    assert len({sample["label"] for sample in samples}) == len(samples) == 3
    first = samples[0]
    assert first["label"] == plan.labels[0]
    assert first["predicted"] == 3
    assert 0 < first["confidence"] < 1
    shown = {
        name: cv2.imdecode(np.frombuffer(base64.b64decode(first[name]), np.uint8), cv2.IMREAD_COLOR)
        for name in ("image", "gradcam", "guided")
    }
    np.testing.assert_array_equal(shown["image"][..., ::-1], plan.images[0])
    assert shown["gradcam"].shape == shown["guided"].shape == (32, 32, 3)


@pytest.mark.parametrize("method", ["embedding", "activation_maps"])
def test_second_measurement_takes_everything_from_the_store(
    method: str, workshop: Workshop, process: Process, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = measure(workshop, INT8, method)
    assert process.asked

    def fail(*_: Any, **__: Any) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr(Apart, "do", fail)
    monkeypatch.setattr(Workshop, "_open_evaluator", fail)
    again = Workshop(workshop.suite, Store(tmp_path), tmp_path, lambda _: None)
    second = measure(again, INT8, method)
    assert second.details["from_store"]
    assert second.metrics == first.metrics
    assert {**second.details, "from_store": False} == first.details


def test_remeasuring_judges_again_what_was_taken_once(workshop: Workshop, process: Process) -> None:
    first = measure(workshop, INT8, "activation_maps")
    again = measure(workshop, INT8, "activation_maps", remeasure=True)
    assert len(process.asked) == 2  # its own and its original's
    assert not again.details["from_store"]
    assert again.metrics == first.metrics


def test_other_neighbours_make_other_figures_of_the_same_features(
    workshop: Workshop, process: Process, tmp_path: Path
) -> None:
    measure(workshop, INT8, "embedding")
    suite = load_suite("quick", known_names(), (*SETTINGS, "explanations.neighbours=3"))
    other = measure(Workshop(suite, Store(tmp_path), tmp_path, lambda _: None), INT8, "embedding")
    assert len(process.asked) == 1
    assert not other.details["from_store"]
    assert other.details["neighbours"] == 3


def test_a_process_that_made_nothing_is_an_error(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Apart, "do", lambda *_: None)
    with pytest.raises(MakingError, match="expected embedding of digits-vgg6-int8 in the store, got none"):
        measure(workshop, INT8, "embedding")


def test_too_few_images_to_embed_are_an_error_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite = load_suite("quick", known_names(), ["explanations.embedding_classes=2"])
    workshop = Workshop(suite, Store(tmp_path), tmp_path, lambda _: None)
    process = Process(workshop.explanations.plan, Store(tmp_path))
    monkeypatch.setattr(Apart, "do", process)
    with pytest.raises(ExplanationError, match="expected at least 31 test images to embed"):
        measure(workshop, ORIGINAL, "embedding")
    assert process.asked == []
