"""Attacks go on where they were killed, and are told as the deployed file takes their images."""

from __future__ import annotations

import base64
from collections.abc import Collection, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from benchmarks.cases import Case, Variant
from benchmarks.suite import load_suite
from fixtures.apart import Apart
from fixtures.attacked import AttackedImages
from fixtures.attacks import batches as batches_module
from fixtures.attacks.attacking import Attacked
from fixtures.attacks.batches import attack_batches
from fixtures.gradients import Gradients
from fixtures.known import known_names
from fixtures.measuring import MEASUREMENTS
from fixtures.measuring_sequentially import measurement_of
from fixtures.store import Store
from fixtures.suite_data import SuiteData
from fixtures.workshop import Workshop

ORIGINAL, INT8, QAT, QAT_INT8 = (
    Variant("digits", "vgg6", technique) for technique in ("original", "int8", "qat", "qat_int8")
)
IMAGES, BATCH = 25, 10


class Killed(BaseException):
    """What ends an attack in its midst."""


class Place:
    """A workshop whose attacks make images lighter by an amount that depends on the variant attacked.

    A file takes an image for its own label unless it is lighter than it was by as much as it stands;
    every attack is written down in ``attacks`` as the variant and how many images.
    """

    dims: Mapping[Variant, int] = {ORIGINAL: 20, INT8: 10, QAT: 30, QAT_INT8: 40}

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch, *overrides: str) -> None:
        self.suite = load_suite(
            "quick",
            known_names(),
            [
                f"attacks.images={IMAGES}",
                f"attacks.batch_size={BATCH}",
                "attacks.by_name.fast.method=fgsm",
                *overrides,
            ],
        )
        self.store = Store(root)
        self.attacks: list[tuple[Variant, int]] = []
        self.stands = dict.fromkeys(self.dims, 15)
        self.errs_at_first: dict[Variant, int] = {}
        self.killed_after: int | None = None
        self.still_to_be_made: list[Variant] = []
        self.lines: list[str] = []
        self.data = SuiteData(self.suite, root)
        monkeypatch.setattr(Apart, "do", self._work)
        monkeypatch.setattr(batches_module, "attack", self._attack)
        self.workshop = Workshop(self.suite, self.store, root, self.lines.append)
        self.workshop.attacks = self.attacked()

    def attacked(self, wanted: Collection[Case] = ()) -> AttackedImages:
        gradients = Gradients(
            self.suite,
            self.store,
            self.data,
            self.lines.append,
            Apart(self.suite, self.store.root, self.store.root, self.lines.append),
            wanted=wanted,
            has_file=lambda variant: variant not in self.still_to_be_made,
        )
        return AttackedImages(gradients, self._file)

    def _work(self, tasks: Any, _what: str) -> None:
        for task in tasks:
            assert task["work"] == "attack"
            self._variant = Variant(**task["variant"])
            plan = self.workshop.attacks.plan(self._variant, task["attack"])
            attack_batches(plan, task["batches"], None, self.store, self.lines.append)

    def _attack(self, _logits: Any, _settings: Any, images: np.ndarray, labels: np.ndarray) -> Attacked:
        if self.killed_after is not None and len(self.attacks) == self.killed_after:
            raise Killed
        self.attacks.append((self._variant, len(images)))
        changed = np.clip(images.astype(int) + self.dims[self._variant], 0, 255).astype(np.uint8)
        clean = labels.copy()
        clean[:1] = (clean[:1] + 1) % 10  # a network's first image of a batch is wrong already
        return Attacked(changed.astype(np.float32), changed, (labels + 1) % 10, clean, seconds=0.5)

    def _file(self, variant: Variant) -> Any:
        """A file that errs where an image is lighter than it was by as much as it stands."""

        def scores(images: np.ndarray) -> np.ndarray:
            dark = images.min(axis=(1, 2, 3)) < self.stands[variant]
            found = np.full((len(images), 10), 0.05, np.float32)
            labels = self._labels(images)
            found[np.arange(len(images)), np.where(dark, labels, (labels + 1) % 10)] = 0.55
            return found

        return SimpleNamespace(scores=scores)

    def _labels(self, images: np.ndarray) -> np.ndarray:
        """Return the labels of images, however much lighter they have become."""
        split = self.workshop.test("digits")
        labels = []
        for image in images.astype(int):
            lighter = np.clip(split.images.astype(int) + image.min(), 0, 255)
            labels.append(split.labels[(lighter == image).all(axis=(1, 2, 3)).argmax()])
        return np.array(labels)

    def measured(self, variant: Variant, remeasure: bool = False) -> Any:
        case = Case(variant, "adversarial", method="fast")
        return MEASUREMENTS["adversarial"](self.workshop, case, remeasure)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return Place(tmp_path, monkeypatch)


def wrong(way: Mapping[str, Any]) -> np.ndarray:
    bits = np.frombuffer(base64.b64decode(way["wrong"]), np.uint8)
    return np.unpackbits(bits, count=IMAGES).astype(bool)


def test_an_attack_that_was_killed_goes_on_with_the_batch_that_it_lost(place: Place) -> None:
    place.killed_after = 2
    with pytest.raises(Killed):
        place.workshop.attacks.make(ORIGINAL, "fast")
    place.killed_after = None
    place.workshop.attacks.make(ORIGINAL, "fast")
    assert place.attacks == [(ORIGINAL, 10), (ORIGINAL, 10), (ORIGINAL, 5)]
    place.workshop.attacks.make(ORIGINAL, "fast")
    assert len(place.attacks) == 3


def test_more_images_than_before_leave_whole_batches_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Place(tmp_path, monkeypatch).workshop.attacks.make(ORIGINAL, "fast")
    more = Place(tmp_path, monkeypatch, "attacks.images=40")
    more.workshop.attacks.make(ORIGINAL, "fast")
    assert more.attacks == [(ORIGINAL, 10), (ORIGINAL, 10)]


def test_other_settings_are_another_attack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Place(tmp_path, monkeypatch).workshop.attacks.make(ORIGINAL, "fast")
    other = Place(tmp_path, monkeypatch, "attacks.by_name.fast.epsilon=0.01")
    other.workshop.attacks.make(ORIGINAL, "fast")
    assert len(other.attacks) == 3


def test_every_variant_is_attacked_on_the_same_images_whichever_they_are(place: Place) -> None:
    plans = [place.workshop.attacks.plan(variant, "fast") for variant in (ORIGINAL, QAT_INT8)]
    np.testing.assert_array_equal(plans[0].places, plans[1].places)
    assert len(set(plans[0].places.tolist())) == IMAGES
    assert plans[0].places.tolist() != sorted(plans[0].places.tolist())


def test_a_suite_with_fewer_test_images_has_all_of_them_attacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(tmp_path, monkeypatch, "attacks.images=1000", "data.test_images=12")
    details = place.measured(ORIGINAL).details
    assert details["images"] == 12
    assert place.attacks == [(ORIGINAL, 10), (ORIGINAL, 2)]


@pytest.mark.parametrize(
    ("variant", "ways"),
    [
        (ORIGINAL, [("own", True)]),
        (QAT, [("own", True), ("transferred", True)]),
        (INT8, [("own", False), ("twin", True), ("transferred", True)]),
        (QAT_INT8, [("own", False), ("twin", True), ("transferred", True)]),
    ],
    ids=lambda value: getattr(value, "technique", None),
)
def test_each_variant_is_attacked_in_the_ways_that_there_are(
    variant: Variant, ways: list[tuple[str, bool]], place: Place
) -> None:
    told = place.measured(variant).details["ways"]
    assert [(way["way"], way["gradients"]) for way in told] == ways


def test_what_gives_no_gradients_says_why_and_nothing_else(place: Place) -> None:
    own = place.measured(INT8).details["ways"][0]
    assert own.keys() == {"way", "gradients", "why"}
    assert "no gradients" in own["why"]


def test_the_worst_way_is_what_counts(place: Place) -> None:
    """The twin's images, 10 lighter, do nothing to a file that stands 15; the original's, 20 lighter, do."""
    record = place.measured(INT8)
    _, twin, transferred = record.details["ways"]
    assert not wrong(twin).any()
    assert wrong(transferred).all()
    assert record.metrics["clean_accuracy"] == 1
    assert record.metrics["post_attack_accuracy"] == 0
    assert twin["l2_mean"] is twin["l2_median"] is None
    assert 0 < transferred["l2_median"] <= np.sqrt(32 * 32 * 3) * 20 / 255
    assert record.metrics["clean_confidence"] == pytest.approx(0.55)
    assert twin["attacked_wrong"] == 1
    assert twin["seconds_per_image"] == pytest.approx(0.5)


def test_agreement_counts_the_images_that_network_and_file_take_for_the_same(place: Place) -> None:
    """The networks are wrong on the first image of each of three batches, the files on none."""
    assert place.measured(INT8).details["agreement"] == {"images": IMAGES, "same": IMAGES - 3}


def test_at_most_three_images_of_as_many_classes_are_shown(place: Place) -> None:
    examples = place.measured(ORIGINAL).details["examples"]
    assert len(examples) == 3
    assert len({example["label"] for example in examples}) == 3
    for example in examples:
        assert example["before"] == example["label"] != example["after"]
        assert example["way"] == "own"
        assert example["clean"] != example["adversarial"]


def test_a_record_says_whether_its_scores_were_in_the_store(place: Place) -> None:
    assert place.measured(INT8).details["from_store"] is False
    again = place.measured(INT8)
    assert again.details["from_store"] is True
    measured_again = place.measured(INT8, remeasure=True)
    assert measured_again.details["from_store"] is False
    assert {**measured_again.details, "from_store": True} == again.details
    assert len(place.attacks) == 6


def test_a_record_survives_its_journey_as_json(place: Place) -> None:
    record = place.measured(INT8)
    assert type(record).from_json(record.to_json()) == record


def test_what_is_wanted_of_a_family_is_attacked_in_one_process(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    processes: list[list[str]] = []

    def work(_: Apart, tasks: Any, what: str) -> None:
        processes.append([task["variant"]["technique"] for task in tasks])
        place._work(tasks, what)

    monkeypatch.setattr(Apart, "do", work)
    wanted = [Case(variant, "adversarial", method="fast") for variant in (ORIGINAL, QAT, QAT_INT8)]
    attacks = place.attacked(wanted)
    attacks.make(QAT_INT8, "fast")
    attacks.make(QAT, "fast")
    assert processes == [["qat", "qat_int8"]]


def test_what_has_no_file_yet_is_attacked_in_its_own_time(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    processes: list[list[str]] = []
    monkeypatch.setattr(
        Apart,
        "do",
        lambda _self, tasks, _what: processes.append([task["variant"]["technique"] for task in tasks]),
    )
    place.still_to_be_made = [QAT]
    wanted = [Case(variant, "adversarial", method="fast") for variant in (QAT, QAT_INT8)]
    place.attacked(wanted).make(QAT_INT8, "fast")
    assert processes == [["qat_int8"]]


def test_a_sequential_evaluation_attacks_every_image(place: Place) -> None:
    suite = place.suite.model_copy(update={"evaluation": "sequential"})
    assert measurement_of(suite, "adversarial") is MEASUREMENTS["adversarial"]
