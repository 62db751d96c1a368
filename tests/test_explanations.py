"""What is made of features and maps without TensorFlow: figures that a plain computation gives too."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from sklearn.metrics import auc

from benchmarks.cases import Variant
from benchmarks.suite import load_suite
from fixtures.explanations import ExplanationError
from fixtures.explanations.comparing import constant, correlations
from fixtures.explanations.embedding import embed, judged
from fixtures.explanations.perturbing import STEPS, curves
from fixtures.explanations.pictures import grey, overlay
from fixtures.explanations.plan import Plan, balanced
from fixtures.known import known_names
from fixtures.suite_data import SuiteData


def clouds(spread: float, classes: int = 4, each: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """Return features, float32 (n, 8), around a centre for each class, and their labels."""
    rng = np.random.default_rng(3)
    labels = np.repeat(np.arange(classes), each)
    features = 10 * np.eye(8)[labels] + spread * rng.normal(size=(len(labels), 8))
    return features.astype(np.float32), labels


def test_classes_far_apart_stay_apart_on_the_map() -> None:
    embedding = embed(*clouds(spread=0.3, each=12), neighbours=5, seed=1)
    assert embedding.neighbour_accuracy == 1
    assert embedding.silhouette > 0.6
    assert embedding.trustworthiness > 0.9


def test_a_map_of_noise_tells_no_classes_apart() -> None:
    features = np.random.default_rng(5).normal(size=(120, 16)).astype(np.float32)
    labels = np.random.default_rng(6).integers(0, 4, 120)
    embedding = embed(features, labels, neighbours=9, seed=1)
    assert 0.1 < embedding.neighbour_accuracy < 0.4
    assert embedding.silhouette < 0.05


def test_a_map_follows_from_its_seed() -> None:
    features, labels = clouds(spread=2.0, each=10)
    first, again = (embed(features, labels, neighbours=5, seed=1).points for _ in range(2))
    np.testing.assert_array_equal(first, again)


def test_figures_of_a_map_are_those_of_their_definitions() -> None:
    rng = np.random.default_rng(8)
    points, features = rng.normal(size=(24, 2)).astype(np.float32), rng.normal(size=(24, 5)).astype("f4")
    labels = np.arange(24) % 3
    points[labels == 1] += 1
    found = judged(points, features, labels, neighbours=3)

    near = cdist(points, points)
    np.fill_diagonal(near, np.inf)
    nearest = near.argsort(axis=1)[:, :3]
    votes = [Counter(labels[row].tolist()) for row in nearest]
    # Of classes with as many votes, the first.
    voted = [min(vote, key=lambda label, vote=vote: (-vote[label], label)) for vote in votes]
    assert found.neighbour_accuracy == pytest.approx(np.mean(np.array(voted) == labels))

    def plain_silhouette() -> float:
        values = []
        for at in range(24):
            distance = np.delete(cdist(points[at : at + 1], points)[0], at)
            others = np.delete(labels, at)
            own = distance[others == labels[at]].mean()
            next_best = min(distance[others == label].mean() for label in range(3) if label != labels[at])
            values.append((next_best - own) / max(own, next_best))
        return float(np.mean(values))

    assert found.silhouette == pytest.approx(plain_silhouette(), abs=1e-5)

    # Venna and Kaski (2001): how far those who are neighbours on the map alone are among the features.
    far = cdist(features, features)
    np.fill_diagonal(far, np.inf)
    rank = far.argsort(axis=1).argsort(axis=1) + 1
    penalty = sum(max(0, rank[at, other] - 3) for at in range(24) for other in nearest[at])
    assert found.trustworthiness == pytest.approx(1 - 2 / (24 * 3 * (2 * 24 - 3 * 3 - 1)) * penalty)


@pytest.mark.parametrize(
    ("features", "labels", "message"),
    [
        (np.eye(30, dtype="f4"), np.arange(30) % 2, "expected at least 31 test images to embed, got 30"),
        (np.eye(40, dtype="f4"), np.zeros(40, int), "expected images of two classes or more"),
        (np.ones((40, 3), "f4"), np.arange(40) % 2, "expected finite features that differ"),
        (np.full((40, 3), np.nan, "f4"), np.arange(40) % 2, "expected finite features that differ"),
    ],
    ids=["few", "one-class", "collapsed", "nan"],
)
def test_what_cannot_be_embedded_is_refused(features: np.ndarray, labels: np.ndarray, message: str) -> None:
    with pytest.raises(ExplanationError, match=message):
        embed(features, labels, neighbours=5, seed=0)


def test_points_that_are_fewer_than_twice_the_neighbours_are_refused() -> None:
    with pytest.raises(ExplanationError, match="expected at least 61 test images"):
        embed(np.eye(50, dtype="f4"), np.arange(50) % 2, neighbours=30, seed=0)


MAPS = np.random.default_rng(1).permuted(np.tile(np.arange(64.0), (3, 1)), axis=1).reshape(3, 8, 8)


def test_a_map_agrees_with_itself_and_not_with_its_reverse() -> None:
    np.testing.assert_allclose(correlations(MAPS, MAPS), 1)
    np.testing.assert_allclose(correlations(MAPS, np.exp(-MAPS)), -1)


def test_a_constant_map_counts_as_no_agreement() -> None:
    maps = MAPS.copy()
    maps[1] = 0
    assert correlations(maps, MAPS).tolist() == pytest.approx([1, 0, 1])
    assert correlations(MAPS, maps).tolist() == pytest.approx([1, 0, 1])
    assert constant(maps).tolist() == [False, True, False]


IMAGE = np.full((1, 8, 8, 3), 100, np.uint8)
IMAGE[0, 0, 0] = 200


def corner(images: np.ndarray) -> np.ndarray:
    """Return scores of two classes: the second one's is how bright the first pixel is."""
    bright = images[:, 0, 0, 0] / np.float32(255)
    return np.stack([1 - bright, bright], axis=1).astype(np.float32)


def test_a_deletion_that_begins_with_the_pixel_that_matters_falls_at_its_first_step() -> None:
    heat = np.zeros((1, 8, 8))
    heat[0, 0, 0] = 1
    found = curves(corner, IMAGE, heat)
    blurred = cv2.GaussianBlur(IMAGE[0], (0, 0), 1.0)[0, 0, 0] / 255
    clear = 200 / 255
    np.testing.assert_allclose(found.fractions, np.arange(17) / 16)
    np.testing.assert_allclose(found.deletion, [clear, *[blurred] * STEPS], rtol=1e-6)
    np.testing.assert_allclose(found.insertion, [blurred, *[clear] * STEPS], rtol=1e-6)
    assert found.deletion_areas == pytest.approx(blurred + (clear - blurred) / 32)
    assert found.insertion_areas == pytest.approx(clear - (clear - blurred) / 32)


def test_equal_pixels_are_deleted_in_the_order_of_their_positions() -> None:
    seen: list[np.ndarray] = []

    def score(images: np.ndarray) -> np.ndarray:
        seen.append(images[0])
        return corner(images)

    image = np.random.default_rng(2).integers(0, 256, (1, 8, 8, 3), np.uint8)
    curves(score, image, np.zeros((1, 8, 8)))
    changed = [(deleted != image[0]).any(axis=-1).ravel() for deleted in seen[1::2]]
    for step, pixels in enumerate(changed):
        assert not pixels[4 * step :].any()
    assert changed[-1].mean() > 0.9


def test_both_curves_run_between_the_image_and_its_blurred_version() -> None:
    images = np.random.default_rng(2).integers(0, 256, (4, 8, 8, 3), np.uint8)
    steps: list[int] = []
    found = curves(corner, images, np.random.default_rng(3).random((4, 8, 8)), steps.append)
    assert found.deletion[0] == found.insertion[-1]
    assert found.deletion[-1] == found.insertion[0]
    assert steps == [4] * (STEPS + 1)
    # Both rules are linear, so that the order of means and areas is free.
    for scores, areas in (
        (found.deletion, found.deletion_areas),
        (found.insertion, found.insertion_areas),
    ):
        assert areas.shape == (4,)
        assert auc(found.fractions, scores) == pytest.approx(areas.mean())


LABELS = st.lists(st.integers(0, 5), min_size=1, max_size=60).map(np.array)


@given(LABELS, st.integers(2, 5), st.integers(1, 40), st.integers(0, 9))
def test_images_are_drawn_as_evenly_as_there_are_of_each_class(
    labels: np.ndarray, classes: int, count: int, seed: int
) -> None:
    order = np.random.default_rng(seed).permutation(len(labels))
    places = balanced(order, labels, classes, count)
    there, drawn = (np.bincount(of, minlength=6)[:classes] for of in (labels, labels[places]))
    assert len(set(places.tolist())) == len(places) == min(count, there.sum())
    assert (labels[places] < classes).all()
    # A class has fewer than another has less one only where it has no more.
    assert all(drawn[at] >= drawn.max() - 1 or drawn[at] == there[at] for at in range(classes))


def test_every_variant_is_explained_on_the_same_images_and_fewer_are_the_first_of_more(
    tmp_path: Path,
) -> None:
    suite = load_suite("quick", known_names())
    data = SuiteData(suite, tmp_path)
    variants = [Variant("digits", "vgg6", technique) for technique in ("original", "pqat_int8")]
    for method in ("embedding", "activation_maps"):
        one, other = (Plan(suite, data, variant, method) for variant in variants)
        np.testing.assert_array_equal(one.places, other.places)
        assert one.recipe.address != other.recipe.address
    fewer = suite.model_copy(update={"explanations": suite.explanations.model_copy(update={"map_images": 7})})
    few = Plan(fewer, data, variants[0], "activation_maps")
    assert few.places.tolist() == Plan(suite, data, variants[0], "activation_maps").places[:7].tolist()


def test_a_map_colours_what_matters_red_and_what_does_not_blue() -> None:
    image = np.full((2, 2, 3), 100, np.uint8)
    shown = overlay(image, np.array([[0.0, 0.1], [0.9, 1.0]])).astype(int)
    assert shown[0, 1, 2] > shown[0, 1, 0]
    assert shown[1, 0, 0] > shown[1, 0, 2]


def test_a_guided_map_is_shown_from_black_to_white() -> None:
    assert grey(np.array([[0.0, 1.0], [2.0, 4.0]]))[..., 0].tolist() == [[0, 64], [128, 255]]
    assert not grey(np.zeros((2, 2))).any()
