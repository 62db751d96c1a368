"""ImageNet from small trees of the layouts that people have."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from benchmarks.suite import load_suite
from fixtures.corruptions.export_inputs import find_images
from fixtures.datasets import Dataset, DatasetError, lazy, load_dataset
from fixtures.known import known_names
from fixtures.suite_data import SuiteData

WNIDS = ["n01440764", "n02012849", "n03126707", "n04355338"]

#: The class of each validation image, from 1.
VALIDATION = ["n03126707", "n01440764", "n04355338", "n02012849", "n01440764"]

#: The numbers of the development kit, which are not in order of name; 5 is a group of classes.
NUMBERS = {"n03126707": 1, "n04355338": 2, "n01440764": 3, "n02012849": 4}


def write_image(file: Path, seed: int) -> None:
    """Write an image of a single colour, which is its seed."""
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (20 + seed, 24), (seed, 2 * seed, 3 * seed)).save(file, "JPEG", quality=100)


def colours(split: object) -> list[int]:
    """Return the seeds of the images of a split."""
    return [round(float(image[..., 2].mean()) / 3) for image in split.images]


def validation_name(number: int) -> str:
    return f"ILSVRC2012_val_{number:08d}.JPEG"


def write_training_images(train: Path) -> None:
    for label, wnid in enumerate(WNIDS):
        for place, number in enumerate([7, 10]):
            write_image(train / wnid / f"{wnid}_{number}.JPEG", 30 + 2 * label + place)


def write_validation_images(val: Path) -> None:
    for number in range(1, 6):
        write_image(val / validation_name(number), number)


def write_solution(file: Path) -> None:
    """Write Kaggle's list: not in order, and with several boxes in an image."""
    lines = [
        f"{validation_name(number)[:-5]},{' '.join([f'{wnid} 1 2 30 40'] * (number % 3 + 1))} "
        for number, wnid in enumerate(VALIDATION, 1)
    ]
    file.write_text("\n".join(["ImageId,PredictionString", *reversed(lines)]) + "\n")


def write_devkit(folder: Path, **fields: object) -> None:
    """Write the two files of the development kit that count, as MATLAB would."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"{NUMBERS[wnid]}\n" for wnid in VALIDATION]
    (folder / "ILSVRC2012_validation_ground_truth.txt").write_text("".join(lines))
    rows = [
        (number, wnid, "words", "gloss", 0, np.array([]))
        for wnid, number in sorted(NUMBERS.items(), key=lambda item: item[1])
    ]
    rows.append((5, "n00001740", "entity", "gloss", 2, np.array([1, 2])))
    names = ["ILSVRC2012_ID", "WNID", "words", "gloss", "num_children", "children"]
    synsets = np.array(rows, dtype=[(name, object) for name in names])[:, None]
    savemat(folder / "meta.mat", {"synsets": synsets} | fields, do_compression=True)


def folders(root: Path) -> None:
    """The layout of those who ran the usual script; its traces are still there."""
    write_training_images(root / "train")
    for number, wnid in enumerate(VALIDATION, 1):
        write_image(root / "val" / wnid / validation_name(number), number)
    (root / "val" / "valprep.sh").write_text("mkdir -p n01440764\n")
    (root / "train" / "n01440764.tar").write_bytes(b"")
    (root / "train" / ".DS_Store").write_bytes(b"")
    (root / "train" / "n01440764" / "._n01440764_7.JPEG").write_bytes(b"of another system")


def flat_with_solution(root: Path) -> None:
    write_training_images(root / "train")
    write_validation_images(root / "val")
    write_solution(root / "LOC_val_solution.csv")


def flat_with_devkit(root: Path) -> None:
    write_training_images(root / "train")
    write_validation_images(root / "val")
    write_devkit(root / "ILSVRC2012_devkit_t12" / "data")


def flat_with_devkit_files_beside(root: Path) -> None:
    write_training_images(root / "train")
    write_validation_images(root / "val")
    write_devkit(root)


def kaggle(root: Path) -> None:
    images = root / "ILSVRC" / "Data" / "CLS-LOC"
    write_training_images(images / "train")
    write_validation_images(images / "val")
    write_image(images / "test" / "ILSVRC2012_test_00000001.JPEG", 99)
    write_solution(root / "LOC_val_solution.csv")


LAYOUTS = [folders, flat_with_solution, flat_with_devkit, flat_with_devkit_files_beside, kaggle]


def load(data_dir: Path, **options: object) -> Dataset:
    return load_dataset("imagenet", data_dir=data_dir, options={"side": 16, **options})


@pytest.fixture
def root(tmp_path) -> Path:
    """An ImageNet in class folders."""
    folders(tmp_path / "imagenet")
    return tmp_path / "imagenet"


@pytest.fixture
def flat(tmp_path) -> Path:
    """An ImageNet with its validation images in one folder and Kaggle's list."""
    flat_with_solution(tmp_path / "imagenet")
    return tmp_path / "imagenet"


@pytest.fixture
def official(tmp_path) -> Path:
    """An ImageNet with its validation images in one folder and the development kit."""
    flat_with_devkit(tmp_path / "imagenet")
    return tmp_path / "imagenet"


# Layouts


@pytest.mark.parametrize("write", LAYOUTS, ids=lambda write: write.__name__)
def test_each_layout_has_the_same_images_labels_and_fingerprints(write: Callable[[Path], None], tmp_path):
    write(tmp_path / "imagenet")
    folders(tmp_path / "reference" / "imagenet")
    dataset, reference = load(tmp_path), load(tmp_path / "reference")
    assert dataset.class_names == tuple(WNIDS)
    assert dataset.train.labels.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert dataset.test.labels.tolist() == [2, 0, 3, 1, 0]
    # Files in order of name: 10 before 7.
    assert colours(dataset.train) == [31, 30, 33, 32, 35, 34, 37, 36]
    assert colours(dataset.test) == [1, 2, 3, 4, 5]
    assert dataset.train.fingerprint == reference.train.fingerprint
    assert dataset.test.fingerprint == reference.test.fingerprint


def test_loading_and_choosing_images_decodes_nothing(root, monkeypatch):
    monkeypatch.setattr(lazy, "decoded", None)
    dataset = load(root.parent)
    assert dataset.train.take(np.array([1, 5])).images.shape == (2, 16, 16, 3)
    assert dataset.train.fingerprint != dataset.test.fingerprint


def test_the_choices_of_a_suite_decode_nothing_but_what_calibration_looks_at(root, monkeypatch):
    settings = ["data.datasets=['imagenet']", "data.options={side=16}", "data.validation_fraction=0.5"]
    counts = ["data.test_images=3", "compression.calibration_images=2"]
    data = SuiteData(load_suite("quick", known_names(), [*settings, *counts]), root.parent)
    files: list[str] = []
    decode = lazy.decoded
    monkeypatch.setattr(lazy, "decoded", lambda file, side: files.append(file) or decode(file, side))
    indices, test = data.test("imagenet")
    train, validation = data.training("imagenet")
    assert (len(test), len(train), len(validation)) == (3, 4, 4)
    assert files == []
    assert data.calibration("imagenet").shape == (2, 16, 16, 3)
    assert len(files) == 2
    assert colours(test) == (indices + 1).tolist()


def test_a_corrupted_copy_is_made_of_the_streamed_images(root, tmp_path):
    clean = find_images("imagenet", "test", data_dir=root.parent, out=tmp_path / "out")()
    dataset = load_dataset("imagenet", data_dir=root.parent)
    assert clean.fingerprint == dataset.test.fingerprint
    np.testing.assert_array_equal(clean.part(1, 3), dataset.test.images[1:3])


def test_images_are_224_pixels_wide_unless_the_option_says_otherwise(root):
    dataset = load_dataset("imagenet", data_dir=root.parent)
    assert dataset.test.images[np.array([3])].shape == (1, 224, 224, 3)
    assert load(root.parent, side=32).test.images.shape == (5, 32, 32, 3)
    assert load(root.parent, side=32).test.fingerprint != dataset.test.fingerprint


def test_the_path_may_be_another_one_and_absolute(root):
    moved = root.rename(root.with_name("ILSVRC2012"))
    assert len(load(root.parent, path="ILSVRC2012").test) == 5
    assert len(load(Path("elsewhere"), path=str(moved)).test) == 5


def test_the_provenance_says_what_the_images_are(root):
    expected = "ImageNet (ILSVRC2012), 4 classes, its validation set as test set, the central 16x16 pixels"
    assert load(root.parent).provenance == expected
    assert "2 of 4 classes" in load(root.parent, classes=2).provenance


@pytest.mark.parametrize("write", [folders, flat_with_solution, flat_with_devkit])
def test_a_part_of_the_classes_is_evenly_spaced(write, tmp_path):
    write(tmp_path / "imagenet")
    dataset = load(tmp_path, classes=2)
    assert dataset.class_names == ("n01440764", "n03126707")
    assert dataset.train.labels.tolist() == [0, 0, 1, 1]
    assert dataset.test.labels.tolist() == [1, 0, 0]
    assert colours(dataset.test) == [1, 2, 5]


# Names


MAPPING = """\
n01440764 tench, Tinca tinca
n02012849 crane
n03126707 crane
n04008634 projectile, missile
"""


def test_classes_have_their_first_name_and_more_where_it_is_not_enough(root):
    (root / "LOC_synset_mapping.txt").write_text(MAPPING)
    names = ("tench", "crane (n02012849)", "crane (n03126707)", "n04355338")
    assert load(root.parent).class_names == names


def test_the_name_of_a_class_does_not_depend_on_which_others_are_chosen(root):
    (root / "LOC_synset_mapping.txt").write_text(MAPPING)
    assert load(root.parent, classes=2).class_names == ("tench", "crane (n03126707)")


# What is refused: folders


def test_without_the_data_the_error_says_which_layout_and_where_to_get_them(tmp_path):
    with pytest.raises(DatasetError) as caught:
        load(tmp_path)
    for fact in (
        str(tmp_path / "imagenet"),
        "train/<wnid>/*.JPEG",
        "LOC_val_solution.csv",
        "terms of access",
        "https://image-net.org/download.php",
        "data.options.path",
    ):
        assert fact in str(caught.value)


@pytest.mark.parametrize("split", ["train", "val"])
def test_a_missing_folder_is_answered_with_the_layout(split, root):
    shutil.rmtree(root / split)
    with pytest.raises(
        DatasetError, match=r"folders train and val\) in .*imagenet, got no such folders; put"
    ):
        load(root.parent)


@pytest.mark.parametrize("split", ["train", "val"])
def test_a_folder_without_images_is_answered_with_the_layout(split, root):
    shutil.rmtree(root / split)
    (root / split).mkdir()
    with pytest.raises(DatasetError, match=rf"in .*imagenet/{split}, got (0|neither); put the images at"):
        load(root.parent)


@pytest.mark.parametrize("split", ["train", "val"])
def test_a_class_folder_of_another_kind_of_name_is_refused(split, root):
    write_image(root / split / "tench" / "x.JPEG", 9)
    with pytest.raises(
        DatasetError, match=rf"like n01440764 in .*imagenet/{split}, got 'tench'; .*image_folder"
    ):
        load(root.parent)


@pytest.mark.parametrize("split", ["train", "val"])
def test_a_class_folder_in_one_of_the_two_alone_is_named(split, root):
    write_image(root / split / "n09999999" / "x.JPEG", 9)
    with pytest.raises(DatasetError, match=rf"got n09999999 in .*imagenet/{split} alone"):
        load(root.parent)


def test_validation_images_that_are_sorted_half_way_are_refused(root):
    write_image(root / "val" / validation_name(6), 6)
    with pytest.raises(
        DatasetError, match=r"either images or class folders in .*got both \(ILSVRC2012_val_00000006"
    ):
        load(root.parent)


@pytest.mark.parametrize("split", ["train", "val"])
def test_an_empty_class_folder_is_named(split, root):
    for file in (root / split / "n02012849").iterdir():
        file.unlink()
    dataset = load(root.parent)
    with pytest.raises(DatasetError, match=rf"expected images \(\*\.JPEG\) in .*{split}/n02012849, got none"):
        len({"train": dataset.train, "val": dataset.test}[split])


def test_an_image_in_the_folder_of_another_class_is_named(root):
    file = root / "train" / "n02012849" / "n02012849_7.JPEG"
    file.rename(root / "train" / "n01440764" / file.name)
    with pytest.raises(DatasetError, match=r"images of n01440764 in .*n01440764, got n02012849_7\.JPEG"):
        len(load(root.parent).train)


def test_an_image_that_is_cut_off_is_named_when_it_is_indexed(root):
    file = root / "val" / "n04355338" / validation_name(3)
    file.write_bytes(file.read_bytes()[:-20])
    test = load(root.parent).test
    assert test.images[:2].shape == (2, 16, 16, 3)
    with pytest.raises(DatasetError, match=rf"expected .*val/n04355338/{file.name} to be a whole image"):
        test.images[np.array([0, 2])]


# What is refused: lists of labels


def test_validation_images_without_a_list_are_explained(flat):
    (flat / "LOC_val_solution.csv").unlink()
    with pytest.raises(
        DatasetError, match=r"expected LOC_val_solution\.csv or .*_ground_truth\.txt in .*got neither"
    ):
        len(load(flat.parent).test)


def edit(file: Path, changes: Mapping[str, str]) -> None:
    text = file.read_text()
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    file.write_text(text)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"00000002,n01440764": "00000002,n09999999"},
            r"4 classes .* got 'n09999999' for \w+00000002\.JPEG in",
        ),
        (
            {"00000002,": "00000009,"},
            r"one of the 5 images in val, .* got 'ILSVRC2012_val_00000009,n01.* in line 5",
        ),
        ({"00000002,": "00000003,"}, r"each once, .* got 'ILSVRC2012_val_00000003,n01.* in line 5"),
        ({"n04355338 1 2 30 40 ": ""}, r"and its class in .* got 'ILSVRC2012_val_00000003,' in line 4"),
        (
            {"ILSVRC2012_val_00000004,n02012849 1 2 30 40 n02012849 1 2 30 40 \n": ""},
            r"none for \w+_00000004\.JPEG",
        ),
    ],
    ids=["unknown class", "unknown image", "twice", "no class", "missing"],
)
def test_a_list_of_kaggle_that_is_not_of_these_images_is_refused(changes, message, flat):
    edit(flat / "LOC_val_solution.csv", changes)
    with pytest.raises(DatasetError, match=message) as caught:
        len(load(flat.parent).test)
    assert str(flat / "LOC_val_solution.csv") in str(caught.value)


def test_a_missing_validation_image_is_named(flat):
    (flat / "val" / validation_name(2)).unlink()
    with pytest.raises(DatasetError, match="got 'ILSVRC2012_val_00000002,n01440764"):
        len(load(flat.parent).test)


@pytest.mark.parametrize("name", ["ILSVRC2012_validation_ground_truth.txt", "meta.mat"])
def test_a_missing_file_of_the_development_kit_is_named(name, official):
    (official / "ILSVRC2012_devkit_t12" / "data" / name).unlink()
    with pytest.raises(DatasetError, match=rf"expected .*{name}.*, got n"):
        len(load(official.parent).test)


def test_a_number_of_no_class_is_named_with_its_line(official):
    truth = official / "ILSVRC2012_devkit_t12" / "data" / "ILSVRC2012_validation_ground_truth.txt"
    edit(truth, {"2\n": "5\n"})
    with pytest.raises(DatasetError, match=r"4 numbers of classes in .*truth\.txt, got '5' in line 3"):
        len(load(official.parent).test)


@pytest.mark.parametrize("number", [2, 5])
def test_an_image_missing_for_the_development_kit_is_named(number, official):
    (official / "val" / validation_name(number)).unlink()
    with pytest.raises(
        DatasetError, match=r"each of the 5 lines of .* got 4 images, of which ILSVRC2012_val_0000000\d"
    ):
        len(load(official.parent).test)


def test_a_second_file_for_a_validation_image_is_named(official):
    write_image(official / "val" / "ILSVRC2012_val_00000002.jpg", 2)
    with pytest.raises(DatasetError, match="got 6 images, of which ILSVRC2012_val_00000002 is the first"):
        len(load(official.parent).test)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x89HDF\r\n\x1a\n" + bytes(300), r"meta\.mat to be a little-endian MATLAB 5 file, got .*HDF5"),
        (
            b"",
            r"meta\.mat to be a little-endian MATLAB 5 file, got one that begins .*; put that of the dev",
        ),
    ],
)
def test_a_list_of_classes_in_another_format_is_refused(content, message, official):
    (official / "ILSVRC2012_devkit_t12" / "data" / "meta.mat").write_bytes(content)
    with pytest.raises(DatasetError, match=message):
        len(load(official.parent).test)


@pytest.mark.parametrize(
    "synsets",
    [
        np.array([[(1, "n01440764")]], dtype=[("ILSVRC2012_ID", object), ("WNID", object)]),
        np.arange(4.0),
        np.array([["n01440764"]], object),
        np.array(
            [[("one", "n01440764", 0)]], [(n, object) for n in ("ILSVRC2012_ID", "WNID", "num_children")]
        ),
    ],
    ids=["no children", "numbers", "cells", "text"],
)
def test_a_list_of_classes_of_another_structure_is_refused(synsets, official):
    write_devkit(official / "ILSVRC2012_devkit_t12" / "data", synsets=synsets)
    with pytest.raises(
        DatasetError, match=r"expected synsets with ILSVRC2012_ID, WNID and num_children in .*meta"
    ):
        len(load(official.parent).test)


# What is refused: options


@pytest.mark.parametrize("path", [3, None, ["a"]])
def test_a_path_that_is_none_is_refused(path, tmp_path):
    with pytest.raises(DatasetError, match=r"data\.options\.path to name a folder, got"):
        load(tmp_path, path=path)


@pytest.mark.parametrize("side", [0, -1, 224.0, "224", True, [224, 224]])
def test_a_side_that_is_none_is_refused(side, root):
    with pytest.raises(DatasetError, match=r"data\.options\.side to be a whole number of pixels from 1, got"):
        load(root.parent, side=side)


@pytest.mark.parametrize("classes", [1, 5, "2", True])
def test_another_number_of_classes_is_refused(classes, root):
    with pytest.raises(DatasetError, match=r"data\.options\.classes to be a whole number from 2 to 4, got"):
        load(root.parent, classes=classes)


def test_an_unknown_option_is_refused(root):
    with pytest.raises(DatasetError, match=r"'image_size'; .*known are classes, path, side"):
        load(root.parent, image_size=[8, 8])
