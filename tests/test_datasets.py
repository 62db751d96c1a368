"""Data sets as values and their registry."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.datasets import (
    DATASETS,
    Dataset,
    DatasetError,
    DeferredSplit,
    Split,
    load_dataset,
    register,
    registry,
)

ROOT = Path(__file__).resolve().parents[1]


def a_split(count: int = 6, classes: int = 2, seed: int = 0) -> Split:
    images = np.random.default_rng(seed).integers(0, 256, (count, 4, 5, 3), np.uint8)
    return Split(images, np.arange(count, dtype=np.int64) % classes)


def in_new_process(code: str) -> object:
    output = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return json.loads(output.stdout)


# Split


def test_a_split_cannot_be_changed_in_place():
    split = a_split()
    with pytest.raises(ValueError, match="read-only"):
        split.images[0] = 0


def test_making_a_split_leaves_the_callers_array_writable():
    images = np.zeros((1, 2, 2, 3), np.uint8)
    Split(images, np.zeros(1, np.int64))
    images[0] = 1


@pytest.mark.parametrize(
    ("images", "labels", "got"),
    [
        (np.zeros((2, 4, 4, 3), np.float32), np.zeros(2, np.int64), "got float32"),
        (np.zeros((2, 3, 4, 4), np.uint8), np.zeros(2, np.int64), r"got uint8 with shape \(2, 3, 4, 4\)"),
        (np.zeros((0, 4, 4, 3), np.uint8), np.zeros(0, np.int64), r"got uint8 with shape \(0, 4, 4, 3\)"),
        (np.zeros((2, 4, 4, 3), np.uint8), np.zeros(2, np.uint8), "got uint8 with shape"),
        (np.zeros((2, 4, 4, 3), np.uint8), np.zeros(3, np.int64), r"got int64 with shape \(3,\)"),
        (np.zeros((2, 4, 4, 3), np.uint8), np.array([0, -1]), "got -1"),
    ],
)
def test_a_split_refuses_other_arrays(images, labels, got):
    with pytest.raises(DatasetError, match=got):
        Split(images, labels)


def test_equal_content_has_an_equal_fingerprint_whatever_its_memory_layout():
    split = a_split()
    fortran = Split(np.asfortranarray(split.images), split.labels)
    assert fortran.fingerprint == split.fingerprint


@given(where=st.tuples(st.integers(0, 5), st.integers(0, 3), st.integers(0, 4), st.integers(0, 2)))
def test_one_other_pixel_changes_the_fingerprint(where):
    split = a_split()
    images = split.images.copy()
    images[where] ^= 1
    assert Split(images, split.labels).fingerprint != split.fingerprint


def test_one_other_label_changes_the_fingerprint():
    split = a_split()
    labels = split.labels.copy()
    labels[-1] = 0
    assert Split(split.images, labels).fingerprint != split.fingerprint


def test_the_shape_is_part_of_the_fingerprint():
    split = a_split()
    turned = Split(split.images.reshape(6, 5, 4, 3), split.labels)
    assert turned.fingerprint != split.fingerprint


def test_taking_all_images_in_order_keeps_the_fingerprint():
    split = a_split()
    assert split.take(np.arange(len(split))).fingerprint == split.fingerprint


def test_a_split_says_how_many_images_of_what_size():
    assert repr(a_split()) == "Split(6 images of 4x5)"


# DeferredSplit


def test_a_deferred_split_loads_once_and_only_when_used():
    calls = []

    def load():
        calls.append(1)
        return a_split()

    split = DeferredSplit(load)
    assert repr(split) == "DeferredSplit(not loaded yet)"
    assert not calls
    np.testing.assert_array_equal(split.images, a_split().images)
    np.testing.assert_array_equal(split.labels, a_split().labels)
    assert len(calls) == 1
    assert repr(split) == "DeferredSplit(6 images of 4x5)"


def test_the_fingerprint_of_a_deferred_split_does_not_keep_its_images():
    split = DeferredSplit(a_split)
    assert split.fingerprint == a_split().fingerprint
    assert "not loaded" in repr(split)


def test_a_cheaper_fingerprint_is_used_before_loading():
    def load():
        raise AssertionError("loaded")

    assert DeferredSplit(load, lambda: "abc").fingerprint == "abc"


def test_the_fingerprint_of_a_loaded_split_is_that_of_its_images():
    split = DeferredSplit(a_split, lambda: "outdated")
    len(split)
    assert split.fingerprint == a_split().fingerprint


# Dataset and registry


def test_labels_need_a_class_name_each():
    with pytest.raises(DatasetError, match=r"expected labels below 2 .* got 2"):
        Dataset("mine", ("a", "b"), train=a_split(), test=a_split(classes=3))


def test_importing_the_package_and_listing_the_names_loads_no_library_of_a_data_set():
    heavy = ("sklearn", "pooch", "cv2", "PIL", "requests", "tqdm", "tensorflow", "scipy", "pandas")
    loaded = in_new_process(
        "import json, sys, fixtures.datasets as d; list(d.DATASETS);"
        f"print(json.dumps([name for name in {heavy} if name in sys.modules]))"
    )
    assert loaded == []


def test_the_built_in_data_sets_are_known():
    assert {"digits", "cifar10", "cifar100", "svhn", "tiny_imagenet", "imagenet", "image_folder"} <= set(
        DATASETS
    )


def test_an_unknown_name_is_answered_with_the_nearest(tmp_path):
    with pytest.raises(DatasetError, match="'cifar-10'; did you mean 'cifar10'"):
        load_dataset("cifar-10", data_dir=tmp_path)


def test_an_unknown_name_is_answered_with_all_names(tmp_path):
    with pytest.raises(DatasetError, match=r"; known are cifar10, .*tiny_imagenet"):
        load_dataset("zzz", data_dir=tmp_path)


@pytest.fixture
def open_registry():
    """Restore the registry at the end of the test."""
    before = dict(DATASETS)
    yield
    registry._LOADERS.clear()
    registry._LOADERS.update(before)


@pytest.mark.usefixtures("open_registry")
def test_a_users_own_data_set_is_loaded_with_its_directory_and_options(tmp_path):
    def load_mine(data_dir, options):
        return Dataset(f"{data_dir.name}-{options['kind']}", ("a", "b"), a_split(), a_split())

    register("mine", load_mine)
    assert "mine" in DATASETS
    assert load_dataset("mine", data_dir=tmp_path, options={"kind": 3}).name == f"{tmp_path.name}-3"


@pytest.mark.usefixtures("open_registry")
def test_a_name_that_is_taken_cannot_be_registered():
    with pytest.raises(DatasetError, match="'digits', which is taken"):
        register("digits", lambda *_: None)


@pytest.mark.usefixtures("open_registry")
def test_a_loader_that_returns_something_else_is_named(tmp_path):
    register("mine", lambda *_: None)
    with pytest.raises(DatasetError, match="loader of 'mine' to return a Dataset, got NoneType"):
        load_dataset("mine", data_dir=tmp_path)


@pytest.mark.parametrize(
    ("name", "advice"),
    [("digits", "leave it out"), ("cifar10", "leave it out"), ("tiny_imagenet", "known are classes")],
)
def test_an_option_that_the_data_set_does_not_have_is_refused(name, advice, tmp_path):
    with pytest.raises(DatasetError, match=f"{name}.*'image_size'; {advice}"):
        load_dataset(name, data_dir=tmp_path, options={"image_size": [8, 8]})


def test_a_misspelt_option_is_answered_with_the_nearest(tmp_path):
    with pytest.raises(DatasetError, match="'imagesize'; did you mean 'image_size'"):
        load_dataset("image_folder", data_dir=tmp_path, options={"imagesize": [8, 8]})
