"""Data sets made of image files: a user's own folder, and Tiny ImageNet."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fixtures.datasets import Dataset, DatasetError, Split, decoded, load_dataset

ROOT = Path(__file__).resolve().parents[1]
NOTES = ".robustlite"


def write_image(file: Path, seed: int, size: tuple[int, int] = (6, 8)) -> np.ndarray:
    """Write an image of ``size`` (height, width) and return its pixels."""
    pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(file)
    return pixels


def digest_of(split: Split) -> str:
    """Return the fingerprint of the arrays themselves, whatever is remembered about them."""
    return split.take(np.arange(len(split))).fingerprint


@pytest.fixture
def pets(tmp_path) -> dict[str, np.ndarray]:
    """The pixels of an image folder ``pets`` by file, in the order in which they should be read."""
    names = ["train/cat/a.png", "train/cat/b.bmp", "train/dog/c.PNG", "test/cat/d.png", "test/dog/e.png"]
    return {name: write_image(tmp_path / "pets" / name, seed) for seed, name in reversed([*enumerate(names)])}


def load_pets(data_dir: Path, **options: object) -> Dataset:
    return load_dataset("image_folder", data_dir=data_dir, options={"path": "pets", **options})


# image_folder: what is read


def test_images_are_read_in_order_of_class_and_name(pets, tmp_path):
    dataset = load_pets(tmp_path)
    for split in ("train", "test"):
        expected = [pets[name] for name in sorted(pets) if name.startswith(split)]
        np.testing.assert_array_equal(getattr(dataset, split).images, expected)


def test_classes_are_numbered_in_order_of_name(pets, tmp_path):
    dataset = load_pets(tmp_path)
    assert dataset.class_names == ("cat", "dog")
    assert dataset.train.labels.tolist() == [0, 0, 1]
    assert dataset.test.labels.tolist() == [0, 1]


def test_the_path_may_be_absolute(pets, tmp_path):
    options = {"path": str(tmp_path / "pets")}
    assert len(load_dataset("image_folder", data_dir=Path("elsewhere"), options=options).train) == 3


def test_names_that_begin_with_a_dot_are_passed_over(pets, tmp_path):
    (tmp_path / "pets" / "train" / ".checkpoints").mkdir()
    (tmp_path / "pets" / "train" / "cat" / ".DS_Store").write_text("")
    assert len(load_pets(tmp_path).train) == 3


def test_gray_images_become_rgb(pets, tmp_path):
    Image.fromarray(np.full((6, 8), 77, np.uint8)).save(tmp_path / "pets" / "test" / "cat" / "d.png")
    np.testing.assert_array_equal(load_pets(tmp_path).test.images[0], np.full((6, 8, 3), 77))


def test_a_jpeg_file_is_read(pets, tmp_path):
    pixels = np.full((6, 8, 3), 99, np.uint8)
    Image.fromarray(pixels).save(tmp_path / "pets" / "test" / "cat" / "d.jpg", quality=95)
    np.testing.assert_allclose(load_pets(tmp_path).test.images[0], pixels, atol=2)


def test_images_are_resized_to_the_height_and_width_that_are_asked_for(pets, tmp_path):
    write_image(tmp_path / "pets" / "train" / "cat" / "b.bmp", 0, size=(20, 3))
    assert load_pets(tmp_path, image_size=[10, 12]).train.images.shape == (3, 10, 12, 3)


# image_folder: what is kept


def test_decoded_images_are_kept_for_the_next_time(pets, tmp_path, monkeypatch):
    first = digest_of(load_pets(tmp_path).test)
    monkeypatch.setattr(decoded, "_decoded", None)
    assert digest_of(load_pets(tmp_path).test) == first


def test_a_known_fingerprint_needs_no_decoding(pets, tmp_path, monkeypatch):
    first = load_pets(tmp_path).train.fingerprint
    monkeypatch.setattr(decoded, "_arrays", None)
    assert load_pets(tmp_path).train.fingerprint == first


def test_an_image_that_changed_is_decoded_again(pets, tmp_path):
    before = load_pets(tmp_path).test.fingerprint
    changed = write_image(tmp_path / "pets" / "test" / "cat" / "d.png", 99)
    os.utime(tmp_path / "pets" / "test" / "cat" / "d.png", (0, 0))  # the clock of files may be coarse
    after = load_pets(tmp_path).test
    np.testing.assert_array_equal(after.images[0], changed)
    assert after.fingerprint != before


def test_an_added_image_is_decoded_and_the_former_copy_removed(pets, tmp_path):
    len(load_pets(tmp_path).test)
    write_image(tmp_path / "pets" / "test" / "dog" / "f.png", 99)
    assert len(load_pets(tmp_path).test.images) == 3
    assert len([*(tmp_path / "pets" / NOTES).glob("test-*.npy")]) == 1


def test_splits_and_sizes_are_kept_apart(pets, tmp_path):
    as_they_are, resized = load_pets(tmp_path), load_pets(tmp_path, image_size=[6, 8])
    larger = load_pets(tmp_path, image_size=[12, 16])
    for dataset in (as_they_are, resized, larger):
        assert len(dataset.test.images) == 2
        assert len(dataset.train.images) == 3
    assert len([*(tmp_path / "pets" / NOTES).glob("*.npy")]) == 6


def test_two_processes_decode_the_same_images_at_once(pets, tmp_path):
    code = (
        "from pathlib import Path; from fixtures.datasets import load_dataset;"
        f"data = load_dataset('image_folder', data_dir=Path({str(tmp_path)!r}), options=dict(path='pets'));"
        "print(data.train.fingerprint)"
    )
    command = [sys.executable, "-c", code]
    processes = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    printed = {process.communicate(timeout=60)[0].strip() for process in processes}
    assert printed == {digest_of(load_pets(tmp_path).train)}
    assert len([*(tmp_path / "pets" / NOTES).glob("train-*")]) == 3  # images, fingerprint and lock


def test_a_moved_folder_is_not_decoded_again(pets, tmp_path, monkeypatch):
    len(load_pets(tmp_path).test)
    (tmp_path / "pets").rename(tmp_path / "animals")
    monkeypatch.setattr(decoded, "_decoded", None)
    assert len(load_pets(tmp_path, path="animals").test) == 2


def test_images_that_cannot_be_kept_are_mapped_with_a_warning(pets, tmp_path):
    (tmp_path / "pets" / NOTES).write_text("in the way of the folder")
    with pytest.warns(UserWarning, match=r"cannot be kept beside them .*every run decodes them again"):
        images = load_pets(tmp_path).test.images
    np.testing.assert_array_equal(images[0], pets["test/cat/d.png"])


def test_a_failed_decoding_leaves_no_half_file(pets, tmp_path):
    (tmp_path / "pets" / "test" / "dog" / "e.png").write_bytes(b"not an image")
    with pytest.raises(DatasetError):
        len(load_pets(tmp_path).test)
    kept = [file.name for file in (tmp_path / "pets" / NOTES).iterdir()]
    assert [name for name in kept if not name.endswith(".lock")] == []


# image_folder: what is refused


@pytest.mark.parametrize("path", [None, 3])
def test_the_path_is_needed(path, tmp_path):
    with pytest.raises(DatasetError, match=f"option path .* to name a folder, got {path}"):
        load_dataset("image_folder", data_dir=tmp_path, options={"path": path})


@pytest.mark.parametrize("size", [32, [32], [0, 8], [8.0, 8.0], "8x8", [8, 8, 3]])
def test_an_image_size_that_is_not_one_is_refused(size, pets, tmp_path):
    with pytest.raises(DatasetError, match=r"image_size to be \[height, width\] in pixels, got"):
        load_pets(tmp_path, image_size=size)


def test_an_absent_folder_is_named_with_the_layout(tmp_path):
    with pytest.raises(DatasetError, match=r"expected a folder .*pets/train, got none; put .*<class>/<file>"):
        load_pets(tmp_path)


def test_a_folder_without_classes_is_named(pets, tmp_path):
    (tmp_path / "pets" / "test").rename(tmp_path / "gone")
    (tmp_path / "pets" / "test").mkdir()
    with pytest.raises(DatasetError, match=r"folder for each class in .*pets/test, got none"):
        load_pets(tmp_path)


def test_an_empty_class_folder_is_named(pets, tmp_path):
    (tmp_path / "pets" / "test" / "fish").mkdir()
    with pytest.raises(DatasetError, match=r"expected images in .*test/fish, got none"):
        load_pets(tmp_path)


@pytest.mark.parametrize(("split", "other"), [("train", "test"), ("test", "train")])
def test_a_class_in_one_split_alone_is_named(split, other, pets, tmp_path):
    write_image(tmp_path / "pets" / split / "fish" / "x.png", 0)
    with pytest.raises(DatasetError, match=f"got 'fish' in {split} alone; add it to {other}"):
        load_pets(tmp_path)


def test_a_file_of_another_kind_is_named(pets, tmp_path):
    (tmp_path / "pets" / "train" / "cat" / "notes.txt").write_text("")
    with pytest.raises(DatasetError, match=r"only images \(.*\) in .*train/cat, got notes.txt"):
        load_pets(tmp_path)


@pytest.mark.parametrize("keep", [0, 60])
def test_a_file_that_is_not_a_whole_image_is_named(keep, pets, tmp_path):
    file = tmp_path / "pets" / "test" / "dog" / "e.png"
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(DatasetError, match=r"expected .*test/dog/e.png to be a whole image"):
        len(load_pets(tmp_path).test)


@pytest.mark.parametrize("name", ["train/cat/b.bmp", "test/cat/d.png"])
def test_the_first_image_of_another_size_is_named_with_the_way_out(name, pets, tmp_path):
    write_image(tmp_path / "pets" / name, 0, size=(9, 4))
    dataset = load_pets(tmp_path)
    with pytest.raises(DatasetError, match=rf"{name} to be 6x8 .* got 9x4; .*image_size = \[6, 8\]"):
        len(getattr(dataset, name.split("/")[0]))


def test_a_resized_copy_does_not_hide_images_of_different_sizes(pets, tmp_path):
    write_image(tmp_path / "pets" / "train" / "cat" / "b.bmp", 0, size=(9, 4))
    assert len(load_pets(tmp_path, image_size=[6, 8]).train) == 3
    with pytest.raises(DatasetError, match="got 9x4"):
        len(load_pets(tmp_path).train)


def test_an_image_with_more_than_8_bits_per_channel_is_refused(pets, tmp_path):
    Image.fromarray(np.zeros((6, 8), np.uint16)).save(tmp_path / "pets" / "test" / "cat" / "d.png")
    with pytest.raises(DatasetError, match=r"8 bits per channel in .*d.png"):
        len(load_pets(tmp_path).test)


# tiny_imagenet


@pytest.fixture
def tiny(tmp_path) -> Path:
    """A Tiny ImageNet of two classes with two training images and one and two validation images."""
    folder = tmp_path / "tiny-imagenet-200"
    for number, identifier in enumerate(["n02", "n01"]):
        for image in range(2):
            file = folder / "train" / identifier / "images" / f"{identifier}_{image}.JPEG"
            write_image(file, 10 * number + image, size=(64, 64))
    for number in range(3):
        write_image(folder / "val" / "images" / f"val_{number}.JPEG", number, size=(64, 64))
    lines = [
        f"val_{number}.JPEG\t{name}\t0\t0\t9\t9\n" for number, name in [(2, "n01"), (0, "n02"), (1, "n01")]
    ]
    (folder / "val" / "val_annotations.txt").write_text("".join(lines))
    (folder / "wnids.txt").write_text("n02\nn01\n")
    (folder / "words.txt").write_text("n01\tgoldfish, Carassius auratus\nn03\tunused\n")
    return folder


def load_tiny(folder: Path) -> Dataset:
    return load_dataset("tiny_imagenet", data_dir=folder.parent)


def test_classes_are_in_order_of_identifier_and_have_their_first_name(tiny):
    assert load_tiny(tiny).class_names == ("goldfish", "n02")


def test_training_images_are_in_order_of_class_and_name(tiny):
    train = load_tiny(tiny).train
    assert train.labels.tolist() == [0, 0, 1, 1]
    with Image.open(tiny / "train" / "n01" / "images" / "n01_1.JPEG") as image:
        np.testing.assert_array_equal(train.images[1], np.asarray(image))


def test_test_images_are_in_the_order_of_the_annotations(tiny):
    test = load_tiny(tiny).test
    assert test.labels.tolist() == [0, 1, 0]
    with Image.open(tiny / "val" / "images" / "val_2.JPEG") as image:
        np.testing.assert_array_equal(test.images[0], np.asarray(image))


def test_an_annotation_that_changed_changes_the_fingerprint(tiny):
    before = load_tiny(tiny).test.fingerprint
    annotations = tiny / "val" / "val_annotations.txt"
    annotations.write_text(annotations.read_text().replace("val_0.JPEG\tn02", "val_0.JPEG\tn01"))
    assert load_tiny(tiny).test.fingerprint != before


@pytest.fixture
def five(tiny: Path) -> Path:
    """The same with five classes, each with two training and one validation image."""
    identifiers = [f"n0{number}" for number in range(1, 6)]
    for number, identifier in enumerate(identifiers):
        for image in range(2):
            file = tiny / "train" / identifier / "images" / f"{identifier}_{image}.JPEG"
            write_image(file, 10 * number + image, size=(64, 64))
        write_image(tiny / "val" / "images" / f"val_{number}.JPEG", number, size=(64, 64))
    lines = [f"val_{number}.JPEG\t{name}\t0\t0\t9\t9\n" for number, name in enumerate(identifiers)]
    (tiny / "val" / "val_annotations.txt").write_text("".join(lines))
    (tiny / "wnids.txt").write_text("\n".join(identifiers))
    return tiny


def test_a_part_of_the_classes_is_evenly_spaced_and_said_in_the_provenance(five):
    part = load_dataset("tiny_imagenet", data_dir=five.parent, options={"classes": 2})
    assert part.class_names == ("goldfish", "unused")
    assert part.train.labels.tolist() == [0, 0, 1, 1]
    assert part.test.labels.tolist() == [0, 1]
    assert "2 of its 5 classes" in part.provenance
    with Image.open(five / "val" / "images" / "val_2.JPEG") as image:
        np.testing.assert_array_equal(part.test.images[1], np.asarray(image))


def test_a_part_of_the_classes_is_kept_apart_from_all_of_them(five):
    part = load_dataset("tiny_imagenet", data_dir=five.parent, options={"classes": 2})
    assert len(part.train) == 4
    assert len(load_tiny(five).train) == 10
    assert part.test.fingerprint != load_tiny(five).test.fingerprint


def test_all_classes_by_number_are_all_classes(five):
    every = load_dataset("tiny_imagenet", data_dir=five.parent, options={"classes": 5})
    assert every.train.fingerprint == load_tiny(five).train.fingerprint
    assert every.provenance == load_tiny(five).provenance


@pytest.mark.parametrize("classes", [1, 6, "2", True, 2.0])
def test_another_number_of_classes_is_refused(classes, five):
    with pytest.raises(DatasetError, match=r"data\.options\.classes to be a whole number from 2 to 5, got"):
        load_dataset("tiny_imagenet", data_dir=five.parent, options={"classes": classes})


@pytest.mark.parametrize("name", ["wnids.txt", "words.txt", "val/val_annotations.txt"])
def test_a_missing_list_is_named(name, tiny):
    (tiny / name).unlink()
    with pytest.raises(DatasetError, match=f"expected a file at .*{name}"):
        load_tiny(tiny)


def test_a_class_without_training_images_is_named(tiny):
    for file in (tiny / "train" / "n01" / "images").iterdir():
        file.unlink()
    with pytest.raises(DatasetError, match=r"expected images .* at .*train/n01/images"):
        load_tiny(tiny)


@pytest.mark.parametrize("line", ["val_9.JPEG\tn99\t0\t0\t1\t1", "val_9.JPEG"])
def test_an_annotation_of_no_known_class_is_named(line, tiny):
    with (tiny / "val" / "val_annotations.txt").open("a") as stream:
        stream.write(line + "\n")
    with pytest.raises(DatasetError, match="one of 2 classes in 'val_9"):
        load_tiny(tiny)


def test_a_missing_validation_image_is_named(tiny):
    (tiny / "val" / "images" / "val_1.JPEG").unlink()
    with pytest.raises(DatasetError, match=r"expected a file .*val_1.JPEG, got none"):
        len(load_tiny(tiny).test)


def test_an_image_of_another_size_is_refused(tiny):
    write_image(tiny / "val" / "images" / "val_1.JPEG", 0, size=(32, 32))
    with pytest.raises(DatasetError, match=r"val_1.JPEG to be 64x64 .* got 32x32"):
        len(load_tiny(tiny).test)
