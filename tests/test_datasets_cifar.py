"""CIFAR-10 and CIFAR-100 from small files of the official layout."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fixtures.datasets import DatasetError, cifar, load_dataset
from fixtures.datasets.cifar import CIFAR10, CIFAR100, Layout, load_cifar

RECORDS = 7


def small(layout: Layout) -> Layout:
    """Return ``layout`` with a few records in each file."""
    train, test = (dict.fromkeys(files, RECORDS) for files in (layout.train, layout.test))
    return replace(layout, train=train, test=test)


def write(layout: Layout, data_dir: Path) -> Mapping[str, np.ndarray]:
    """Write random files of ``layout`` and return their records, each uint8 (RECORDS, record_bytes)."""
    rng = np.random.default_rng(0)
    folder = data_dir / layout.archive.folder
    folder.mkdir()
    written = {}
    for name in (*layout.train, *layout.test):
        records = rng.integers(0, 256, (RECORDS, layout.record_bytes), np.uint8)
        records[:, : layout.label_bytes] %= 10
        records.tofile(folder / name)
        written[name] = records
    return written


@pytest.fixture(params=[CIFAR10, CIFAR100], ids=lambda layout: layout.name)
def layout(request) -> Layout:
    return small(request.param)


def test_the_training_images_are_those_of_all_files_in_order(tmp_path):
    layout = small(CIFAR10)
    written = write(layout, tmp_path)
    train = load_cifar(layout, tmp_path, {}).train
    expected = [label for number in range(1, 6) for label in written[f"data_batch_{number}.bin"][:, 0]]
    assert train.labels.tolist() == expected


def test_each_colour_plane_is_one_channel(layout, tmp_path):
    (test_file,) = layout.test
    planes = write(layout, tmp_path)[test_file][:, layout.label_bytes :].reshape(RECORDS, 3, 32, 32)
    test = load_cifar(layout, tmp_path, {}).test
    for channel in range(3):
        np.testing.assert_array_equal(test.images[..., channel], planes[:, channel])


def test_records_are_read_in_pieces_that_need_not_fit(layout, tmp_path, monkeypatch):
    written = write(layout, tmp_path)
    monkeypatch.setattr(cifar, "_RECORDS_AT_ONCE", 3)
    train = load_cifar(layout, tmp_path, {}).train
    records = np.concatenate([written[name] for name in layout.train])
    assert train.labels.tolist() == records[:, layout.label_bytes - 1].tolist()
    np.testing.assert_array_equal(train.images[..., 0].reshape(len(records), -1), records[:, -3072:-2048])


def test_the_label_of_cifar100_is_the_fine_one(tmp_path):
    layout = small(CIFAR100)
    records = write(layout, tmp_path)["test.bin"]
    assert load_cifar(layout, tmp_path, {}).test.labels.tolist() == records[:, 1].tolist()


def test_evaluation_does_not_read_the_training_files(layout, tmp_path):
    write(layout, tmp_path)
    dataset = load_cifar(layout, tmp_path, {})
    for name in layout.train:
        (tmp_path / layout.archive.folder / name).unlink()
    assert len(dataset.test) == RECORDS


def test_a_known_training_fingerprint_does_not_read_the_training_files_again(layout, tmp_path):
    write(layout, tmp_path)
    first = load_cifar(layout, tmp_path, {}).train.fingerprint
    again = load_cifar(layout, tmp_path, {}).train
    assert again.fingerprint == first
    assert "not loaded" in repr(again)


def test_the_remembered_fingerprint_is_that_of_the_images(layout, tmp_path):
    write(layout, tmp_path)
    remembered = load_cifar(layout, tmp_path, {}).train.fingerprint
    loaded = load_cifar(layout, tmp_path, {}).train
    assert loaded.take(np.arange(len(loaded))).fingerprint == remembered


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_file_with_other_content_and_the_same_size_changes_the_fingerprint(split, layout, tmp_path):
    write(layout, tmp_path)
    before = getattr(load_cifar(layout, tmp_path, {}), split).fingerprint
    file = tmp_path / layout.archive.folder / next(iter(getattr(layout, split)))
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    os.utime(file, (0, 0))  # the clock of files may be too coarse to tell this from the first writing
    assert getattr(load_cifar(layout, tmp_path, {}), split).fingerprint != before


def test_data_that_cannot_be_written_beside_are_fingerprinted_all_the_same(layout, tmp_path):
    write(layout, tmp_path)
    (tmp_path / layout.archive.folder / ".robustlite").write_text("in the way of the folder for notes")
    first, again = (load_cifar(layout, tmp_path, {}).train.fingerprint for _ in range(2))
    assert first == again


def test_a_damaged_note_is_not_believed(layout, tmp_path):
    write(layout, tmp_path)
    before = load_cifar(layout, tmp_path, {}).train.fingerprint
    (note,) = (tmp_path / layout.archive.folder / ".robustlite").iterdir()
    note.write_text(note.read_text()[:10])
    assert load_cifar(layout, tmp_path, {}).train.fingerprint == before


@pytest.mark.parametrize("size", [0, 100, -1])
def test_a_file_of_another_size_is_named_with_both_sizes(size, layout, tmp_path):
    write(layout, tmp_path)
    (test_file,) = layout.test
    file = tmp_path / layout.archive.folder / test_file
    expected = file.stat().st_size
    os.truncate(file, size % (expected + 2))  # -1 stands for one byte more than expected
    with pytest.raises(
        DatasetError, match=rf"{test_file} to have {expected} bytes, got {size % (expected + 2)};"
    ):
        load_cifar(layout, tmp_path, {})


def test_a_missing_training_file_is_found_before_any_work(tmp_path):
    layout = small(CIFAR10)
    write(layout, tmp_path)
    (tmp_path / "cifar-10-batches-bin" / "data_batch_4.bin").unlink()
    with pytest.raises(DatasetError, match=r"data_batch_4\.bin to have 21511 bytes, got no such file"):
        load_cifar(layout, tmp_path, {})


def test_a_label_out_of_range_is_named_with_its_record(tmp_path):
    layout = small(CIFAR10)
    records = write(layout, tmp_path)["test_batch.bin"]
    records[3, 0] = 10
    records.tofile(tmp_path / "cifar-10-batches-bin" / "test_batch.bin")
    dataset = load_cifar(layout, tmp_path, {})
    with pytest.raises(DatasetError, match=r"labels below 10 in .*test_batch\.bin, got 10 in record 3"):
        len(dataset.test)


def test_class_names_come_from_the_file_beside_the_data(tmp_path):
    layout = small(CIFAR10)
    write(layout, tmp_path)
    names = [f"class_{number}" for number in range(10)]
    (tmp_path / "cifar-10-batches-bin" / "batches.meta.txt").write_text("\n".join(names) + "\n\n")
    assert load_cifar(layout, tmp_path, {}).class_names == tuple(names)


def test_without_that_file_the_class_names_are_the_usual_ones(layout, tmp_path):
    write(layout, tmp_path)
    assert load_cifar(layout, tmp_path, {}).class_names == layout.class_names


def test_too_few_class_names_are_refused(tmp_path):
    layout = small(CIFAR10)
    write(layout, tmp_path)
    (tmp_path / "cifar-10-batches-bin" / "batches.meta.txt").write_text("cat\ndog\n")
    with pytest.raises(DatasetError, match=r"10 class names in .*batches\.meta\.txt, got 2"):
        load_cifar(layout, tmp_path, {})


def test_the_hundred_usual_names_are_different_and_in_order():
    assert len(set(CIFAR100.class_names)) == 100
    assert list(CIFAR100.class_names) == sorted(CIFAR100.class_names)


def test_official_test_images_are_recognized(layout, tmp_path):
    (test_file,) = layout.test
    digest = "sha1:" + hashlib.sha1(write(layout, tmp_path)[test_file]).hexdigest()
    dataset = load_cifar(replace(layout, test_digest=digest), tmp_path, {})
    assert dataset.provenance == f"{layout.title}, official test images"


def test_another_copy_is_accepted_and_said_to_be_one(layout, tmp_path):
    (test_file,) = layout.test
    write(layout, tmp_path)
    provenance = load_cifar(layout, tmp_path, {}).provenance
    assert provenance.startswith(f"{layout.title}, another copy: {test_file} is not the official file")


def test_the_archive_is_unpacked_where_the_folder_is_absent(layout, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    write(layout, elsewhere)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        tar.add(elsewhere / layout.archive.folder, layout.archive.folder)
    packed = buffer.getvalue()
    (tmp_path / layout.archive.file_name).write_bytes(packed)
    digest = f"md5:{hashlib.md5(packed).hexdigest()}"
    archive = replace(layout.archive, url=f"http://127.0.0.1:1/{layout.archive.file_name}", size=len(packed))
    dataset = load_cifar(replace(layout, archive=replace(archive, digest=digest)), tmp_path, {})
    assert len(dataset.test) == RECORDS


@pytest.mark.parametrize("layout", [CIFAR10, CIFAR100], ids=lambda layout: layout.name)
def test_the_official_sizes_add_up(layout):
    assert sum(layout.train.values()) == 50_000
    assert sum(layout.test.values()) == 10_000
    assert layout.record_bytes in {3073, 3074}


@pytest.mark.parametrize("layout", [CIFAR10, CIFAR100], ids=lambda layout: layout.name)
def test_the_registry_knows_the_official_layouts(layout, tmp_path):
    folder = tmp_path / layout.archive.folder
    folder.mkdir()
    first = next(iter(layout.train))
    size = layout.train[first] * layout.record_bytes
    with pytest.raises(DatasetError, match=f"{first} to have {size} bytes, got no such file"):
        load_dataset(layout.name, data_dir=tmp_path)
