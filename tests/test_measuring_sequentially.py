"""A sequential measurement looks at images only until its thresholds are decided."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks.cases import Case, Variant
from benchmarks.suite import load_suite
from fixtures.known import known_names
from fixtures.measuring_sequentially import measure_until_certain
from fixtures.store import Recipe, Store
from fixtures.workshop import SEQUENTIAL_BATCH, Workshop

ORIGINAL, INT8 = (Variant("digits", "vgg6", technique) for technique in ("original", "int8"))
FOG, CLEAN = (Case(INT8, "robustness", "fog", "weather"), Case(INT8, "accuracy"))

#: The test images of the data set.
IMAGES = 359


class Pretending(Workshop):
    """A workshop whose networks err at a given rate, an image being wrong or not whoever asks."""

    def __init__(self, root: Path, rates: dict[Variant, float], *overrides: str) -> None:
        suite = load_suite("quick", known_names(), ["data.test_images=all", *overrides])
        self.details: list[str] = []
        super().__init__(suite, Store(root), Path(), lambda _: None, detail=self.details.append)
        self.rates = rates
        self.classified: list[tuple[Variant, list[int]]] = []

    def _model_recipe(self, variant: Variant) -> Recipe:
        return Recipe("model", {"variant": str(variant), "rate": self.rates[variant]})

    def _classified(
        self, variant: Variant, corruption: str | None, places: np.ndarray, seen: Callable[[int], None]
    ) -> np.ndarray:
        self.classified.append((variant, places.tolist()))
        split = self.test(variant.dataset)
        hardness = np.random.default_rng(1).random((5 if corruption else 1, len(split.labels)))
        wrong = hardness[:, places] < self.rates[variant]
        seen(wrong.size)
        return (split.labels[places] + wrong) % 10

    def looked_at(self, variant: Variant) -> int:
        return sum(len(places) for other, places in self.classified if other == variant)


def rates(original: float, int8: float) -> dict[Variant, float]:
    return {ORIGINAL: original, INT8: int8}


@pytest.mark.parametrize(
    ("int8", "limit", "decision"), [(0.3, 200, "below"), (0.6, 120, "above")], ids=["fine", "far beyond"]
)
def test_clear_case_is_decided_from_few_images(
    tmp_path: Path, int8: float, limit: int, decision: str
) -> None:
    workshop = Pretending(tmp_path, rates(0.3, int8), f"thresholds.ce_max={limit}")
    record = measure_until_certain(workshop, FOG, False)
    assert record.details["decisions"] == {"ce_max": decision}
    assert record.details["looked_at"] == workshop.looked_at(INT8) < IMAGES / 2
    assert record.details["of"] == IMAGES
    assert {cell.images for cell in record.cells} == {workshop.looked_at(INT8)}
    assert [cell.severity for cell in record.cells] == [1, 2, 3, 4, 5]


def test_an_evaluation_is_told_to_begin_and_to_end_with_what_it_looked_at(tmp_path: Path) -> None:
    workshop = Pretending(tmp_path, rates(0.3, 0.3), "thresholds.ce_max=200")
    for _ in range(2):  # of which the second finds it in the store
        workshop.predictions(INT8, "fog")
    begins, ends = workshop.details
    assert begins == f"{INT8} fog: {5 * IMAGES:,} images to evaluate"
    assert ends.startswith(f"{INT8} fog: {5 * IMAGES:,} images evaluated in ")


def test_an_evaluation_until_it_is_certain_is_told_with_what_it_took(tmp_path: Path) -> None:
    workshop = Pretending(tmp_path, rates(0.3, 0.3), "thresholds.ce_max=200")
    measure_until_certain(workshop, FOG, False)
    seen = 5 * workshop.looked_at(INT8)
    assert workshop.details[-1].startswith(f"{INT8} fog, until it is certain: {seen:,} images evaluated in ")


def test_images_are_counted_by_whole_batches(tmp_path: Path) -> None:
    workshop = Pretending(tmp_path, rates(0.3, 0.3), "thresholds.ce_max=200")
    assert measure_until_certain(workshop, FOG, False).details["looked_at"] % SEQUENTIAL_BATCH == 0


def test_case_at_its_threshold_looks_at_all_images_and_then_knows(tmp_path: Path) -> None:
    workshop = Pretending(tmp_path, rates(0.3, 0.3), "thresholds.ce_max=100")
    record = measure_until_certain(workshop, FOG, False)
    assert record.details["looked_at"] == IMAGES
    assert record.details["decisions"] == {"ce_max": "below"}


def test_sample_that_does_not_decide_leaves_the_question_open(tmp_path: Path) -> None:
    workshop = Pretending(tmp_path, rates(0.3, 0.3), "thresholds.ce_max=101", "data.test_images=100")
    record = measure_until_certain(workshop, FOG, False)
    assert record.details["looked_at"] == record.details["of"] == 100
    assert record.details["decisions"] == {"ce_max": None}


def test_case_goes_on_until_each_of_its_thresholds_is_decided(tmp_path: Path) -> None:
    one = Pretending(tmp_path / "1", rates(0.1, 0.12), "thresholds.accuracy_min=0.5")
    both = Pretending(
        tmp_path / "2", rates(0.1, 0.12), "thresholds.accuracy_min=0.5", "thresholds.accuracy_drop_max=0.1"
    )
    record = measure_until_certain(both, CLEAN, False)
    assert record.details["decisions"] == {"accuracy_min": "below", "accuracy_drop_max": "below"}
    assert record.details["looked_at"] > measure_until_certain(one, CLEAN, False).details["looked_at"]


@pytest.mark.parametrize(
    ("case", "overrides"),
    [
        (Case(ORIGINAL, "robustness", "fog", "weather"), ["thresholds.ce_max=500"]),
        (Case(INT8, "robustness", "snow", "weather"), ["thresholds.accuracy_min=0.1"]),
    ],
    ids=["an original", "a case without thresholds"],
)
def test_what_asks_nothing_is_measured_on_every_image(
    tmp_path: Path, case: Case, overrides: list[str]
) -> None:
    record = measure_until_certain(Pretending(tmp_path, rates(0.3, 0.3), *overrides), case, False)
    assert {cell.images for cell in record.cells} == {IMAGES}
    assert "decisions" not in record.details


def test_second_run_finds_the_same_without_looking_again(tmp_path: Path) -> None:
    first = Pretending(tmp_path, rates(0.3, 0.35), "thresholds.ce_max=200")
    record = measure_until_certain(first, FOG, False)
    again = Pretending(tmp_path, rates(0.3, 0.35), "thresholds.ce_max=200")
    same = measure_until_certain(again, FOG, False)
    assert again.classified == []
    assert same.cells == record.cells
    assert same.details == {**record.details, "from_store": True}


def test_predictions_of_a_full_run_are_used(tmp_path: Path) -> None:
    full = Pretending(tmp_path, rates(0.3, 0.35), "thresholds.ce_max=200")
    full.predictions(INT8, "fog")
    full.predictions(ORIGINAL, "fog")
    sequential = Pretending(tmp_path, rates(0.3, 0.35), "thresholds.ce_max=200")
    measure_until_certain(sequential, FOG, False)
    assert sequential.classified == []


def test_another_threshold_is_another_question(tmp_path: Path) -> None:
    for limit, decision in ((200, "below"), (80, "above")):
        workshop = Pretending(tmp_path, rates(0.3, 0.36), f"thresholds.ce_max={limit}")
        assert measure_until_certain(workshop, FOG, False).details["decisions"] == {"ce_max": decision}


def test_every_case_looks_at_the_images_in_the_same_random_order(tmp_path: Path) -> None:
    workshop = Pretending(tmp_path, rates(0.3, 0.31), "thresholds.ce_max=200", "thresholds.accuracy_min=0.1")
    orders = []
    for case in (FOG, CLEAN):
        workshop.classified.clear()
        measure_until_certain(workshop, case, True)
        orders.append(
            [place for variant, places in workshop.classified if variant == INT8 for place in places]
        )
    shorter = min(map(len, orders))
    assert orders[0][:shorter] == orders[1][:shorter]
    assert orders[0] != sorted(orders[0])
