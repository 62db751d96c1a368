"""SVHN from small MATLAB files, and what is refused of files that only look like them."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import struct
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from scipy.io import savemat

from fixtures.datasets import Dataset, DatasetError, archive, load_dataset, svhn
from fixtures.datasets.archive import PublishedFile
from fixtures.datasets.svhn import load_svhn

CLASSES = [1, 10, 3, 9, 10]
NOWHERE = "http://127.0.0.1:1"


def content(seed: int = 0, **others: object) -> bytes:
    """Return a file of five images; ``others`` replace or add variables, and ``None`` leaves one out."""
    pixels = np.random.default_rng(seed).integers(0, 256, (32, 32, 3, len(CLASSES)), np.uint8)
    variables = {"X": pixels, "y": np.array(CLASSES, np.uint8)[:, None]} | others
    buffer = io.BytesIO()
    # Compressed, as the official files are.
    kept = {name: value for name, value in variables.items() if value is not None}
    savemat(buffer, kept, do_compression=True)
    # Its header tells the time.
    return b"MATLAB 5.0 MAT-file".ljust(116) + buffer.getvalue()[116:]


TRAIN_FILE, TEST_FILE = content(1), content()


def published(name: str, file: bytes) -> PublishedFile:
    return PublishedFile(f"{NOWHERE}/{name}_32x32.mat", len(file), f"md5:{hashlib.md5(file).hexdigest()}")


def load(
    folder: Path, *, train: bytes = content(1), test: bytes = content(), official: bool = True
) -> Dataset:
    """Return the data set of two files written to ``folder``; the published ones, unless not ``official``."""
    files = {"train": train, "test": test}
    for name, file in files.items():
        (folder / f"{name}_32x32.mat").write_bytes(file)
    known: Mapping[str, PublishedFile] = {name: published(name, file) for name, file in files.items()}
    if not official:
        known = {name: replace(file, digest="md5:0") for name, file in known.items()}
    return load_svhn(folder, {}, **known)


def test_the_last_axis_counts_the_images_and_the_first_their_rows(tmp_path):
    pixels = np.zeros((32, 32, 3, len(CLASSES)), np.uint8)
    pixels[7, 20, 1, 3] = 255
    images = load(tmp_path, test=content(X=pixels)).test.images
    assert images.shape == (5, 32, 32, 3)
    assert np.argwhere(images).tolist() == [[3, 7, 20, 1]]


def test_class_10_is_the_digit_0(tmp_path):
    dataset = load(tmp_path)
    assert dataset.test.labels.tolist() == [1, 0, 3, 9, 0]
    assert dataset.class_names == ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")


def test_training_and_test_images_are_those_of_their_files(tmp_path):
    dataset = load(tmp_path)
    for split, seed in ((dataset.train, 1), (dataset.test, 0)):
        pixels = np.random.default_rng(seed).integers(0, 256, (32, 32, 3, 5), np.uint8)
        np.testing.assert_array_equal(split.images, np.moveaxis(pixels, -1, 0))


def test_other_variables_of_a_file_are_not_loaded(tmp_path):
    dataset = load(tmp_path, test=content(note=np.array([{"a": 1}], object)))
    assert len(dataset.test) == 5


def test_a_known_fingerprint_does_not_read_the_file_again(tmp_path, monkeypatch):
    first = load(tmp_path).train.fingerprint
    monkeypatch.setattr(svhn, "read_variables", None)
    again = load_svhn(tmp_path, {}, published("train", TRAIN_FILE), published("test", TEST_FILE)).train
    assert again.fingerprint == first


def test_a_file_with_other_content_changes_the_fingerprint(tmp_path):
    before = load(tmp_path).test.fingerprint
    dataset = load(tmp_path, test=content(2))
    os.utime(tmp_path / "test_32x32.mat", (0, 0))  # the clock of files may be too coarse
    assert dataset.test.fingerprint != before


def test_official_files_are_said_to_be_so(tmp_path):
    assert load(tmp_path).provenance == "SVHN, official images"


def test_official_files_are_not_tried_in_another_process(tmp_path, monkeypatch):
    monkeypatch.setattr(subprocess, "run", None)
    assert len(load(tmp_path).test) == 5


def test_another_copy_is_accepted_and_said_to_be_one(tmp_path):
    dataset = load(tmp_path, official=False)
    assert len(dataset.test) == 5
    assert "another copy: train_32x32.mat is not the official file (md5:" in dataset.provenance
    assert "test_32x32.mat is not the official file (md5:" in dataset.provenance


def test_the_official_files_are_those_that_several_public_loaders_check():
    assert (svhn.TRAIN.file_name, svhn.TEST.file_name) == ("train_32x32.mat", "test_32x32.mat")
    assert svhn.TRAIN.digest == "md5:e26dedcc434d2e4c54c9b2d4a06d8373"
    assert svhn.TEST.digest == "md5:eb5a983be6a315427106f1b164d9cef3"


# Getting the files


def test_files_that_are_absent_are_downloaded_and_checked(tmp_path):
    elsewhere, data = tmp_path / "elsewhere", tmp_path / "data"
    elsewhere.mkdir()
    files = {"train": TRAIN_FILE, "test": TEST_FILE}
    for name, file in files.items():
        (elsewhere / f"{name}_32x32.mat").write_bytes(file)
    handler = type("Quiet", (SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(elsewhere))) as server:
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        known = [
            replace(published(name, file), url=f"{address}/{name}_32x32.mat") for name, file in files.items()
        ]
        dataset = load_svhn(data, {}, *known)
        server.shutdown()
    assert dataset.test.labels.tolist() == [1, 0, 3, 9, 0]
    assert dataset.provenance == "SVHN, official images"
    assert sorted(file.name for file in data.glob("*")) == sorted(
        [".robustlite", ".test_32x32.mat.lock", ".train_32x32.mat.lock", "test_32x32.mat", "train_32x32.mat"]
    )


def test_a_missing_file_without_a_connection_is_named_with_its_address_size_and_digest(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "RETRIES", 0)
    monkeypatch.setattr(archive, "PAUSE_S", 0)
    missing = published("train", TRAIN_FILE)
    with pytest.raises(
        DatasetError, match=r"expected to download http://127.0.0.1:1/train_32x32.mat"
    ) as caught:
        load_svhn(tmp_path, {}, missing, published("test", TEST_FILE))
    assert f"get the file ({missing.size} bytes, {missing.digest})" in str(caught.value)
    assert f"put it at {tmp_path / 'train_32x32.mat'}" in str(caught.value)


# Files that are refused


def big_endian() -> bytes:
    whole = bytearray(TEST_FILE)
    whole[124:128] = b"\x01\x00MI"
    return bytes(whole)


class Trap:
    """What runs code when it is unpickled."""

    def __reduce__(self):
        return exec, ("raise SystemExit('the pickle ran')",)


@pytest.mark.parametrize("official", [True, False])
@pytest.mark.parametrize(
    ("file", "got"),
    [
        (
            b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM" + bytes(400),
            "one of MATLAB 7.3 (HDF5)",
        ),
        (b"\x89HDF\r\n\x1a\n" + bytes(400), "one of MATLAB 7.3 (HDF5)"),
        (big_endian(), "a big-endian one"),
        (pickle.dumps(Trap()), "one that begins with b'\\x80"),
        (b"<!DOCTYPE html><html>Not found</html>", "one that begins with b'<!DOCTYPE html>"),
        (TEST_FILE[:100], "one that begins with b'MATLAB 5.0"),
        (struct.pack("<5i", 0, 1, 1, 0, 2) + b"X\0" + bytes(200), "one that begins with"),
        (b"", "one that begins with b''"),
    ],
    ids=["7.3", "hdf5", "big-endian", "pickle", "page", "half-a-header", "matlab-4", "empty"],
)
def test_a_file_of_another_format_is_refused_unread(file, got, official, tmp_path, monkeypatch):
    monkeypatch.setattr("scipy.io.loadmat", None)
    monkeypatch.setattr(subprocess, "run", None)
    dataset = load(tmp_path, test=file, official=official)
    with pytest.raises(DatasetError) as caught:
        len(dataset.test)
    assert f"test_32x32.mat to be a little-endian MATLAB 5 file, got {got}" in str(caught.value)
    assert f"({len(file)} bytes, md5:" in str(caught.value)


@pytest.mark.parametrize("keep", [128 + 8, 1000, len(TEST_FILE) - 200])
def test_a_file_that_was_cut_off_is_refused_as_not_whole(keep, tmp_path):
    dataset = load(tmp_path, test=TEST_FILE[:keep], official=False)
    with pytest.raises(
        DatasetError, match=r"expected .*test_32x32\.mat to be a whole MATLAB 5 file, got \w+"
    ):
        len(dataset.test)


def test_a_damaged_file_that_crashes_its_reader_does_not_crash_this_process(tmp_path):
    buffer = io.BytesIO()
    savemat(buffer, {"X": np.zeros((32, 32, 3, 5), np.uint8), "y": np.ones((5, 1), np.uint8)})
    damaged = bytearray(buffer.getvalue())
    damaged[184] = 8  # a type of data that the format does not define
    reader = f"import io; from scipy.io import loadmat; loadmat(io.BytesIO({bytes(damaged)!r}))"
    crashed = subprocess.run([sys.executable, "-"], input=reader, text=True, check=False, capture_output=True)
    if crashed.returncode >= 0:
        pytest.skip("this version of scipy does not crash")
    dataset = load(tmp_path, test=bytes(damaged), official=False)
    with pytest.raises(DatasetError, match="whole MATLAB 5 file, got a crash of its reader; remove it"):
        len(dataset.test)


@pytest.mark.parametrize("name", ["X", "y"])
def test_a_missing_variable_is_named(name, tmp_path):
    dataset = load(tmp_path, test=content(**{name: None}))
    with pytest.raises(DatasetError, match=rf"expected an array {name} in .*test_32x32\.mat, got none"):
        len(dataset.test)


@pytest.mark.parametrize(
    ("others", "got"),
    [
        ({"X": np.zeros((32, 32, 3, 5))}, r"X in .* to be uint8 \(32, 32, 3, 5\) .* got float64"),
        ({"X": np.zeros((5, 32, 32, 3), np.uint8)}, r"X in .* to be uint8 .* got uint8 \(5, 32, 32, 3\)"),
        (
            {"X": np.zeros((32, 32, 3, 0), np.uint8)},
            r"X in .* at least one image, got uint8 .* 0\)",
        ),
        ({"X": np.array([[{"a": 1}]], object)}, r"X in .* to be uint8 .* got object"),
        ({"X": "text"}, r"X in .* to be uint8 .* got <U4"),
        ({"y": np.ones((4, 1), np.uint8)}, r"y in .* to be uint8 \(5, 1\) .* got uint8 \(4, 1\)"),
        ({"y": np.ones((1, 5), np.uint8)}, r"y in .* to be uint8 \(5, 1\) .* got uint8 \(1, 5\)"),
        ({"y": np.ones((5, 1))}, r"y in .* to be uint8 \(5, 1\) .* got float64"),
        ({"y": np.array([1, 2, 3, 0, 4], np.uint8)[:, None]}, r"classes from 1 to 10 .* got 0 for image 3"),
        ({"y": np.array([1, 11, 3, 1, 4], np.uint8)[:, None]}, r"classes from 1 to 10 .* got 11 for image 1"),
    ],
)
def test_variables_of_another_shape_dtype_or_range_are_refused(others, got, tmp_path):
    dataset = load(tmp_path, test=content(**others))
    with pytest.raises(DatasetError, match=got):
        len(dataset.test)


def test_an_option_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="option that 'svhn' has, got 'extra'"):
        load_dataset("svhn", data_dir=tmp_path, options={"extra": True})
