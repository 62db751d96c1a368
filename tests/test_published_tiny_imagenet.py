"""Tiny-ImageNet-C in its official layout, but small."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fixtures.datasets import DatasetError, Split
from fixtures.published import PublishedSource, published_source

CLASSES = ("n01", "n02")
#: The official names are not padded, so that their order as numbers is not that of the alphabet.
NAMES = {"n01": ("test_9", "test_10", "test_200"), "n02": ("test_1", "test_11")}
LABELS = np.array([1, 0, 0, 1, 0])
#: The images beside the clean ones of these labels.
IN_ORDER = [("n02", "test_1"), ("n01", "test_9"), ("n01", "test_10"), ("n02", "test_11"), ("n01", "test_200")]


@pytest.fixture
def clean() -> Split:
    return Split(np.zeros((len(LABELS), 64, 64, 3), np.uint8), LABELS)


@pytest.fixture
def folder(tmp_path) -> Path:
    """The folder ``Tiny-ImageNet-C`` with two corruptions, beside the list of classes of the clean set."""
    (tmp_path / "tiny-imagenet-200").mkdir()
    (tmp_path / "tiny-imagenet-200" / "wnids.txt").write_text("n02\nn01\n")
    rng = np.random.default_rng(0)
    folder = tmp_path / "Tiny-ImageNet-C"
    for corruption in ("fog", "snow"):
        for severity in range(1, 6):
            for name in CLASSES:
                place = folder / corruption / str(severity) / name
                place.mkdir(parents=True)
                for image in NAMES[name]:
                    pixels = rng.integers(0, 256, (64, 64, 3), np.uint8)
                    Image.fromarray(pixels).save(place / f"{image}.JPEG")
    return folder


def opened(folder: Path, clean: Split) -> PublishedSource:
    return published_source("tiny_imagenet", folder.parent, clean)


def decoded(folder: Path, corruption: str, severity: int, index: int) -> np.ndarray:
    identifier, name = IN_ORDER[index]
    with Image.open(folder / corruption / str(severity) / identifier / f"{name}.JPEG") as image:
        return np.asarray(image)


def test_the_corruptions_are_those_that_have_a_folder(folder, clean):
    (folder / ".robustlite" / "1").mkdir(parents=True)
    assert opened(folder, clean).corruptions == ("fog", "snow")


@pytest.mark.parametrize(("corruption", "severity"), [("fog", 1), ("snow", 5)])
def test_beside_each_clean_image_is_the_next_of_its_class_by_number(corruption, severity, folder, clean):
    indices = np.array([4, 0, 2, 1, 3, 0])
    images = opened(folder, clean).read(corruption, severity, indices)
    expected = [decoded(folder, corruption, severity, index) for index in indices]
    np.testing.assert_array_equal(images, expected)


def test_an_image_is_another_one_than_the_clean_image_beside_it(folder, clean):
    assert not opened(folder, clean).paired


def test_only_the_images_that_are_asked_for_are_decoded(folder, clean):
    identifier, name = IN_ORDER[0]
    (folder / "fog" / "1" / identifier / f"{name}.JPEG").write_bytes(b"broken")
    source = opened(folder, clean)
    assert source.read("fog", 1, np.array([1, 2])).shape == (2, 64, 64, 3)
    with pytest.raises(DatasetError, match=rf"{identifier}/{name}\.JPEG to be a whole image"):
        source.read("fog", 1, np.array([0]))


def test_gray_images_become_rgb(folder, clean):
    identifier, name = IN_ORDER[3]
    file = folder / "fog" / "2" / identifier / f"{name}.JPEG"
    Image.fromarray(np.full((64, 64), 77, np.uint8)).save(file)
    image = opened(folder, clean).read("fog", 2, np.array([3]))[0]
    np.testing.assert_array_equal(image, np.full((64, 64, 3), 77))


def test_a_truncated_image_is_named(folder, clean):
    identifier, name = IN_ORDER[2]
    os.truncate(folder / "snow" / "3" / identifier / f"{name}.JPEG", 700)
    with pytest.raises(DatasetError, match=rf"snow/3/{identifier}/{name}\.JPEG to be a whole image"):
        opened(folder, clean).read("snow", 3, np.array([2]))


def test_an_image_of_another_size_is_refused(folder, clean):
    identifier, name = IN_ORDER[2]
    Image.new("RGB", (32, 48)).save(folder / "snow" / "3" / identifier / f"{name}.JPEG")
    with pytest.raises(DatasetError, match="to be 64x64 pixels like the clean images, got 48x32"):
        opened(folder, clean).read("snow", 3, np.array([2]))


@pytest.mark.parametrize("ask", ["read", "fingerprint"])
def test_a_class_with_too_few_images_is_named_before_any_is_decoded(ask, folder, clean):
    (folder / "fog" / "4" / "n01" / "test_200.JPEG").unlink()
    source = opened(folder, clean)
    with pytest.raises(DatasetError, match=r"expected 3 images \(\*\.JPEG\) in .*fog/4/n01.*, got 2"):
        source.fingerprint("fog") if ask == "fingerprint" else source.read("fog", 4, np.array([0]))


def test_a_class_that_is_missing_is_named(folder, clean):
    (folder / "fog" / "4" / "n02").rename(folder / "fog" / "4" / "n03")
    with pytest.raises(DatasetError, match=r"expected 2 images .* in .*fog/4/n02.*, got 0"):
        opened(folder, clean).read("fog", 4, np.array([0]))


def test_classes_that_the_clean_set_lacks_are_passed_over(folder, clean):
    (folder / "fog" / "1" / "n00").mkdir()
    assert len(opened(folder, clean).read("fog", 1, np.arange(5))) == 5


def test_without_the_list_of_classes_the_file_is_named(folder, clean):
    (folder.parent / "tiny-imagenet-200" / "wnids.txt").unlink()
    with pytest.raises(
        DatasetError, match=r"classes of the clean data set in .*wnids\.txt, got no such file"
    ):
        opened(folder, clean)


def test_a_folder_without_corruptions_is_refused(folder, clean):
    folder.rename(folder.with_name("moved"))
    folder.mkdir()
    with pytest.raises(DatasetError, match="expected folders <corruption>/<severity>/<class>"):
        opened(folder, clean)


def test_a_changed_image_changes_the_fingerprint_of_its_corruption_alone(folder, clean):
    before = [opened(folder, clean).fingerprint(name) for name in ("fog", "snow")]
    Image.new("RGB", (64, 64)).save(folder / "fog" / "5" / "n02" / "test_11.JPEG")
    after = [opened(folder, clean).fingerprint(name) for name in ("fog", "snow")]
    assert (before[0] == after[0], before[1] == after[1]) == (False, True)


def test_two_images_that_change_places_change_the_fingerprint(folder, clean):
    before = opened(folder, clean).fingerprint("fog")
    place = folder / "fog" / "1" / "n02"
    (place / "test_1.JPEG").rename(place / "test_12.JPEG")
    assert opened(folder, clean).fingerprint("fog") != before


def test_a_known_fingerprint_reads_no_image_again(folder, clean, monkeypatch):
    first = opened(folder, clean).fingerprint("fog")
    monkeypatch.setattr(Path, "read_bytes", None)
    assert opened(folder, clean).fingerprint("fog") == first


def test_the_fingerprint_names_what_decodes_the_images(folder, clean, monkeypatch):
    monkeypatch.setattr("fixtures.published.tiny_imagenet_c.version", lambda package: f"{package}-9")
    assert opened(folder, clean).fingerprint("fog").endswith("-pillow-pillow-9")


def test_a_part_of_the_classes_is_refused(folder, clean):
    (folder.parent / "tiny-imagenet-200" / "wnids.txt").write_text("n02\nn01\nn03\n")
    with pytest.raises(DatasetError, match=r"clean images of all 3 classes, got those of 2 \(data\.options"):
        opened(folder, clean)
