"""The published corrupted test sets: which there are, and CIFAR-10-C in its official layout, but small."""

from __future__ import annotations

import hashlib
import os
import pickle
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fixtures.corruptions import CORRUPTIONS
from fixtures.datasets import DatasetError, Split
from fixtures.published import PUBLISHED, PublishedSource, cifar_c, published_source
from fixtures.published.cifar_c import CIFAR10_C, CIFAR100_C

COUNT = 20
CORRUPTED = ("brightness", "fog")


@pytest.fixture
def clean() -> Split:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 200, (COUNT, 32, 32, 3), np.uint8)
    return Split(images, rng.integers(0, 10, COUNT))


def corrupted(clean: Split, corruption: str, severity: int) -> np.ndarray:
    """Return images that tell where they are from: brighter by a number of their own."""
    return clean.images + np.uint8(10 * CORRUPTED.index(corruption) + severity)


@pytest.fixture
def folder(clean, tmp_path) -> Path:
    """The folder ``CIFAR-10-C`` of the small test set."""
    folder = tmp_path / "CIFAR-10-C"
    folder.mkdir()
    for corruption in CORRUPTED:
        blocks = [corrupted(clean, corruption, severity) for severity in range(1, 6)]
        np.save(folder / f"{corruption}.npy", np.concatenate(blocks))
    np.save(folder / "labels.npy", np.tile(clean.labels.astype(np.uint8), 5))
    return folder


@pytest.fixture
def opened(folder, clean) -> Callable[[], PublishedSource]:
    return lambda: published_source("cifar10", folder.parent, clean)


# Which sets there are


@pytest.mark.parametrize("dataset", ["digits", "image_folder"])
def test_a_data_set_without_a_published_set_is_told_what_to_do(dataset, clean, tmp_path):
    message = (
        rf"\(cifar10, cifar100, tiny_imagenet\), got '{dataset}'; try corruptions_source = \"generated\""
    )
    with pytest.raises(DatasetError, match=message):
        published_source(dataset, tmp_path, clean)
    assert dataset not in PUBLISHED


def test_cifar100_has_a_folder_of_its_own(folder, clean):
    folder.rename(folder.with_name("CIFAR-100-C"))
    assert published_source("cifar100", folder.parent, clean).title == "CIFAR-100-C"


@pytest.mark.parametrize("archive", [CIFAR10_C, CIFAR100_C])
def test_the_official_sizes_add_up(archive):
    images, labels = 50_000 * 32 * 32 * 3, 50_000
    content = len(CORRUPTIONS) * images + labels
    assert content < archive.size < content * 1.00002


# Where a set comes from


def test_the_archive_is_unpacked_where_the_folder_is_absent(folder, clean, tmp_path):
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    packed = data_dir / "CIFAR-10-C.tar"
    with tarfile.open(packed, "w") as tar:
        tar.add(folder, "CIFAR-10-C")
    source = cifar_c.open_cifar_c(describe(packed), data_dir, clean)
    assert source.folder == data_dir / "CIFAR-10-C"
    np.testing.assert_array_equal(source.read("fog", 2, np.array([3])), corrupted(clean, "fog", 2)[[3]])


def describe(packed: Path) -> cifar_c.Archive:
    """Return ``packed`` as an archive published where nobody answers."""
    digest = f"md5:{hashlib.md5(packed.read_bytes()).hexdigest()}"
    url = f"http://127.0.0.1:1/{packed.name}"
    return cifar_c.Archive(url, packed.stat().st_size, digest, "CIFAR-10-C")


def test_without_a_connection_the_address_and_the_place_for_the_file_are_named(clean, tmp_path, monkeypatch):
    monkeypatch.setattr("fixtures.datasets.archive.RETRIES", 0)
    nowhere = cifar_c.Archive("http://127.0.0.1:1/CIFAR-10-C.tar", 100, "md5:0", "CIFAR-10-C")
    with pytest.raises(DatasetError) as caught:
        cifar_c.open_cifar_c(nowhere, tmp_path, clean)
    assert "expected to download http://127.0.0.1:1/CIFAR-10-C.tar" in str(caught.value)
    assert f"put it at {tmp_path / 'CIFAR-10-C.tar'}" in str(caught.value)


# What is read


def test_the_corruptions_are_those_that_have_a_file(opened):
    assert opened().corruptions == CORRUPTED


@pytest.mark.parametrize("corruption", CORRUPTED)
@pytest.mark.parametrize("severity", [1, 2, 3, 4, 5])
def test_an_image_is_that_of_its_corruption_severity_and_index(corruption, severity, opened, clean):
    indices = np.array([7, 0, COUNT - 1, 7])
    expected = corrupted(clean, corruption, severity)[indices]
    images = opened().read(corruption, severity, indices)
    np.testing.assert_array_equal(images, expected)
    assert images.dtype == np.uint8


def test_an_image_shows_the_clean_image_of_its_index(opened):
    assert opened().paired


def test_no_image_is_read_where_none_is_asked_for(opened):
    assert opened().read("fog", 1, np.array([], np.int64)).shape == (0, 32, 32, 3)


def test_what_is_read_belongs_to_the_caller(opened):
    source, indices = opened(), np.arange(3)
    before = source.read("fog", 1, indices)
    source.read("fog", 1, indices)[:] = 0
    np.testing.assert_array_equal(source.read("fog", 1, indices), before)


@pytest.mark.parametrize("index", [-1, COUNT])
def test_an_index_of_no_clean_image_is_refused(index, opened):
    with pytest.raises(DatasetError, match=f"from 0 to {COUNT - 1}, got {index}"):
        opened().read("fog", 1, np.array([0, index]))


@pytest.mark.parametrize("severity", [0, 6])
def test_a_severity_that_there_is_not_is_refused(severity, opened):
    with pytest.raises(DatasetError, match=f"severity from 1 to 5, got {severity}"):
        opened().read("fog", severity, np.array([0]))


@pytest.mark.parametrize(
    "ask",
    [lambda source: source.fingerprint("frog"), lambda source: source.read("frog", 1, np.array([0]))],
    ids=["fingerprint", "read"],
)
def test_a_corruption_without_a_file_is_refused_with_the_nearest(ask, opened):
    with pytest.raises(DatasetError, match=r"got 'frog'.* did you mean 'fog'\?"):
        ask(opened())


def test_labels_are_no_corruption(opened):
    with pytest.raises(DatasetError, match="got 'labels', which has no file"):
        opened().fingerprint("labels")


# Whether it belongs to the clean test set


@pytest.mark.parametrize("severity", [1, 5])
def test_labels_in_another_order_are_found_at_every_severity(severity, opened, folder, clean):
    labels = np.load(folder / "labels.npy")
    first = COUNT * (severity - 1) + 4
    labels[first] = (labels[first] + 1) % 10
    np.save(folder / "labels.npy", labels)
    message = (
        rf"labels\.npy .*, got {labels[first]} instead of {clean.labels[4]} "
        rf"for image 4 of severity {severity} \(1 of {COUNT} differ\)"
    )
    with pytest.raises(DatasetError, match=message):
        opened()


def test_images_in_another_order_are_found_where_the_labels_agree(folder, clean):
    same = Split(clean.images, np.zeros(COUNT, np.int64))
    np.save(folder / "labels.npy", np.zeros(5 * COUNT, np.uint8))
    images = np.load(folder / "brightness.npy")
    np.save(folder / "brightness.npy", np.roll(images, 1, axis=0))
    with pytest.raises(
        DatasetError, match=r"brightness\.npy to show those of the clean test set, got a median"
    ):
        published_source("cifar10", folder.parent, same)


def test_images_of_a_single_colour_say_nothing_about_the_order(folder):
    flat = Split(np.full((COUNT, 32, 32, 3), 9, np.uint8), np.zeros(COUNT, np.int64))
    np.save(folder / "labels.npy", np.zeros(5 * COUNT, np.uint8))
    assert published_source("cifar10", folder.parent, flat).corruptions == CORRUPTED


def test_labels_of_any_integer_type_are_read(opened, folder):
    np.save(folder / "labels.npy", np.load(folder / "labels.npy").astype(np.int64))
    assert opened().count == COUNT


def test_a_clean_test_set_of_another_size_is_refused(folder, clean):
    smaller = clean.take(np.arange(10))
    with pytest.raises(
        DatasetError, match=r"labels\.npy to be a \.npy file of integers \(50,\), got uint8 \(100,\)"
    ):
        published_source("cifar10", folder.parent, smaller)


# Broken files


@pytest.mark.parametrize(
    ("array", "got"),
    [
        (np.zeros((5 * COUNT - 1, 32, 32, 3), np.uint8), r"uint8 \(99, 32, 32, 3\)"),
        (np.zeros((5 * COUNT, 3, 32, 32), np.uint8), r"uint8 \(100, 3, 32, 32\)"),
        (np.zeros((5 * COUNT, 32, 32, 3), np.float32), r"float32 \(100, 32, 32, 3\)"),
        (np.array([{}, {}], dtype=object), "Python objects"),
    ],
)
def test_an_array_of_another_kind_is_refused_before_any_work(array, got, opened, folder):
    np.save(folder / "fog.npy", array)
    message = rf"fog\.npy to be a \.npy file of uint8 \(100, 32, 32, 3\), got .*{got}.*; put the published"
    with pytest.raises(DatasetError, match=message):
        opened()


def test_a_pickle_is_refused_unread(opened, folder):
    class Trap:
        def __reduce__(self) -> tuple[Callable[..., None], tuple[Path]]:
            return Path.touch, (folder / "sprung",)

    (folder / "fog.npy").write_bytes(pickle.dumps(Trap()))
    with pytest.raises(DatasetError, match=r"fog\.npy to be a \.npy file"):
        opened()
    assert not (folder / "sprung").exists()


@pytest.mark.parametrize("size", [0, 5, 1000, -1])
def test_a_truncated_or_overlong_file_is_refused(size, opened, folder):
    file = folder / "fog.npy"
    os.truncate(file, size % (file.stat().st_size + 2))  # -1 stands for one byte more than there should be
    with pytest.raises(DatasetError, match=r"fog\.npy to be a \.npy file of uint8"):
        opened()


def test_a_missing_file_of_labels_is_named(opened, folder):
    (folder / "labels.npy").unlink()
    with pytest.raises(
        DatasetError, match=r"labels\.npy to be .*, got no such file; .* or remove .*CIFAR-10-C"
    ):
        opened()


def test_an_array_of_labels_that_are_no_integers_is_refused(opened, folder):
    np.save(folder / "labels.npy", np.zeros(5 * COUNT))
    with pytest.raises(
        DatasetError, match=r"labels\.npy to be a \.npy file of integers \(100,\), got float64"
    ):
        opened()


# Fingerprints


def test_the_fingerprint_is_the_same_in_another_place(opened, folder, clean, tmp_path):
    before = opened().fingerprint("fog")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    folder.rename(elsewhere / folder.name)
    assert published_source("cifar10", elsewhere, clean).fingerprint("fog") == before


def test_each_corruption_has_its_own_fingerprint(opened):
    assert len({opened().fingerprint(name) for name in CORRUPTED}) == len(CORRUPTED)


def test_a_changed_pixel_changes_the_fingerprint_of_its_corruption_alone(opened, folder):
    before = [opened().fingerprint(name) for name in CORRUPTED]
    with (folder / "fog.npy").open("r+b") as stream:
        stream.seek(-1, os.SEEK_END)
        last = stream.read(1)[0]
        stream.seek(-1, os.SEEK_END)
        stream.write(bytes([last ^ 1]))
    os.utime(
        folder / "fog.npy", (0, 0)
    )  # the clock of files may be too coarse to tell this from the first writing
    after = [opened().fingerprint(name) for name in CORRUPTED]
    assert (before[0] == after[0], before[1] == after[1]) == (True, False)


def test_a_known_fingerprint_does_not_read_the_file_again(opened, monkeypatch):
    first = opened().fingerprint("fog")
    monkeypatch.setattr(cifar_c, "digest_of", None)
    assert opened().fingerprint("fog") == first
