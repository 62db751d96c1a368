"""What the workshop has made, in which processes, before it hands on what is in the store."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.cases import Case, Variant
from benchmarks.suite import load_suite
from fixtures import workshop as module
from fixtures.apart import Apart, MakingError
from fixtures.known import known_names
from fixtures.recipes import weights_recipe
from fixtures.store import Store
from fixtures.suite_data import SuiteData
from fixtures.workshop import Workshop

VARIANT = Variant("digits", "vgg6", "pcqat_int8")


@pytest.mark.parametrize(
    ("there", "trained"),
    [
        ((), ["original", "pruned", "sparse_clustered", "pcqat"]),
        (("original", "pruned"), ["sparse_clustered", "pcqat"]),
        (("pcqat",), []),
    ],
)
def test_each_network_that_is_missing_is_trained_by_itself_before_any_is_converted(
    there: Sequence[str], trained: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite = load_suite("quick", known_names())
    store = Store(tmp_path)
    fingerprint = SuiteData(suite, tmp_path).dataset("digits").train.fingerprint
    for technique in there:
        recipe = weights_recipe(suite, Variant("digits", "vgg6", technique), fingerprint)
        store.get_or_make(recipe, lambda _: {})
    asked: list[tuple[str, list[str]]] = []

    def make(_: Apart, variants: Sequence[Variant]) -> None:
        asked.append(("make", [variant.technique for variant in variants]))
        raise MakingError("made nothing")

    monkeypatch.setattr(Apart, "train", lambda _, variant: asked.append(("train", [variant.technique])))
    monkeypatch.setattr(Apart, "make", make)
    float_node = Variant("digits", "vgg6", "pcqat")
    wanted = [Case(float_node, "claims"), Case(VARIANT, "claims")]
    with pytest.raises(MakingError):
        Workshop(suite, store, tmp_path, print, wanted=wanted).model(VARIANT)
    assert asked == [*(("train", [name]) for name in trained), ("make", ["pcqat_int8", "pcqat"])]


@pytest.mark.parametrize("corruption", [None, "fog"])
def test_images_are_read_in_parts_that_fit_and_classified_in_their_order(
    corruption: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts: list[np.ndarray] = []

    class Evaluator:
        def predict(self, images: np.ndarray, _: Any) -> np.ndarray:
            parts.append(images)
            return images.sum(axis=(1, 2, 3), dtype=np.int64)

    suite = load_suite("quick", known_names())
    workshop = Workshop(suite, Store(tmp_path), tmp_path, print)
    monkeypatch.setattr(workshop, "_evaluator", lambda _: Evaluator())
    monkeypatch.setattr(module, "_CHUNK_BYTES", 40 * 32 * 32 * 3)
    classes = workshop.predictions(VARIANT, corruption, remeasure=True).classes
    rows = 1 if corruption is None else 5
    assert [len(part) for part in parts] == [40, 40, 20] * rows
    assert classes.tolist() == np.concatenate(parts).sum(axis=(1, 2, 3)).reshape(rows, 100).tolist()
    if corruption is None:
        np.testing.assert_array_equal(np.concatenate(parts), workshop.test("digits").images)
