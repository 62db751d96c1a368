"""Drawing from a split: for validation while training, for a shorter evaluation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.datasets import DatasetError, Split, sample_indices, validation_split

# validation_split

LABELS = st.lists(st.integers(0, 4), min_size=1, max_size=30).map(lambda labels: sorted(labels * 2))


def split_of(labels: list[int]) -> Split:
    """Return a split whose images are all different."""
    images = np.arange(len(labels), dtype=np.uint8)[:, None, None, None].repeat(3, axis=-1)
    return Split(images, np.array(labels, np.int64))


@given(labels=LABELS, fraction=st.floats(0.01, 0.99), seed=st.integers(0, 99))
def test_training_and_validation_images_are_disjoint_and_together_all(labels, fraction, seed):
    train, validation = validation_split(split_of(labels), fraction, seed)
    both = [*train.images[:, 0, 0, 0], *validation.images[:, 0, 0, 0]]
    assert sorted(both) == list(range(len(labels)))


@given(labels=LABELS, fraction=st.floats(0.01, 0.99), seed=st.integers(0, 99))
def test_every_class_is_in_both_parts_in_proportion(labels, fraction, seed):
    train, validation = validation_split(split_of(labels), fraction, seed)
    for label in set(labels):
        kept, held_out = np.sum(train.labels == label), np.sum(validation.labels == label)
        assert kept >= 1
        assert held_out >= 1
        assert abs(held_out - fraction * (kept + held_out)) <= 1


def test_the_validation_images_are_those_of_the_seed():
    split = split_of([0] * 50 + [1] * 50)
    first, again, other = (validation_split(split, 0.2, seed)[1].fingerprint for seed in (1, 1, 2))
    assert first == again != other


@pytest.mark.parametrize("fraction", [0, 1, -0.1, 20, float("nan")])
def test_a_fraction_that_leaves_one_part_empty_is_refused(fraction):
    with pytest.raises(DatasetError, match=f"between 0 and 1, got {fraction}"):
        validation_split(split_of([0, 0, 1, 1]), fraction, 0)


def test_a_class_with_one_image_cannot_be_divided():
    with pytest.raises(DatasetError, match="got one of class 1"):
        validation_split(split_of([0, 0, 1]), 0.5, 0)


# sample_indices


@given(total=st.integers(1, 200), seed=st.integers(0, 99), data=st.data())
def test_a_larger_sample_begins_with_the_smaller(total, seed, data):
    larger = data.draw(st.integers(1, total))
    smaller = data.draw(st.integers(1, larger))
    sample = sample_indices(total, larger, seed)
    np.testing.assert_array_equal(sample[:smaller], sample_indices(total, smaller, seed))


@given(total=st.integers(1, 200), seed=st.integers(0, 99), data=st.data())
def test_a_sample_has_different_indices_of_images_that_there_are(total, seed, data):
    count = data.draw(st.integers(1, total))
    sample = sample_indices(total, count, seed)
    assert sample.dtype == np.int64
    assert len(set(sample.tolist())) == count
    assert set(sample.tolist()) <= set(range(total))


def test_another_seed_draws_other_images():
    assert set(sample_indices(1000, 100, 1)) != set(sample_indices(1000, 100, 2))


def test_no_count_means_all_images_in_order():
    assert sample_indices(4, None, seed=7).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("count", [0, -1, 11])
def test_a_sample_of_more_images_than_there_are_is_refused(count):
    with pytest.raises(DatasetError, match=f"1 to 10 images, got {count}"):
        sample_indices(10, count, 0)


def test_labels_are_not_taken_for_a_number_of_images():
    with pytest.raises(TypeError):
        sample_indices(np.array([0, 1, 1]), 2, 0)
