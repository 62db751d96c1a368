"""Image files as an array that is decoded when it is indexed."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from fixtures.datasets import DatasetError, DeferredSplit, Split, lazy, validation_split
from fixtures.datasets.lazy import LazyImages

SIDE = 28  # so that the shorter side is resized to 32


def photograph(seed: int, height: int, width: int) -> np.ndarray:
    """Return something smooth, uint8 (height, width, 3), as the colours of neighbouring pixels are alike."""
    coarse = np.random.default_rng(seed).integers(0, 256, (5, 5, 3), np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def write(
    file: Path, seed: int = 0, size: tuple[int, int] = (60, 80), mode: str = "RGB", **how: object
) -> None:
    """Write a JPEG file."""
    Image.fromarray(photograph(seed, *size)).convert(mode).save(file, "JPEG", quality=95, **how)


def images(folder: Path, count: int = 6, side: int = SIDE) -> LazyImages:
    names = [f"{number}.JPEG" for number in range(count)]
    for number, name in enumerate(names):
        write(folder / name, number, (60 + number, 80))
    return LazyImages(folder, np.array([os.fsencode(name) for name in names]), side)


def alone(folder: Path, side: int = SIDE) -> np.ndarray:
    """Return the pixels of the file ``x.JPEG``."""
    return LazyImages(folder, np.array([b"x.JPEG"]), side)[0]


@pytest.fixture
def decodes(monkeypatch) -> list[str]:
    """The names of the files that have been decoded so far, in order."""
    done: list[str] = []
    decode = lazy.decoded

    def counted(file: str, side: int) -> np.ndarray:
        done.append(Path(file).name)
        return decode(file, side)

    monkeypatch.setattr(lazy, "decoded", counted)
    return done


# Laziness


def test_nothing_is_decoded_before_an_image_is_indexed(tmp_path, decodes):
    split = Split(images(tmp_path), np.array([0, 0, 0, 1, 1, 1]))
    train, validation = validation_split(split, 0.3, seed=0)
    facts = len(train), train.images.shape, train.images.nbytes, train.images.dtype, repr(validation)
    assert facts == (4, (4, SIDE, SIDE, 3), 4 * SIDE * SIDE * 3, np.uint8, "Split(2 images of 28x28)")
    assert len(split.fingerprint) == 64
    assert decodes == []


def test_only_what_is_indexed_is_decoded_and_each_time_anew(tmp_path, decodes):
    split = Split(images(tmp_path), np.zeros(6, np.int64)).take(np.array([5, 3, 1]))
    assert decodes == []
    split.images[np.array([2, 0])]
    split.images[:1]
    assert decodes == ["1.JPEG", "5.JPEG", "5.JPEG"]


def test_an_image_is_the_same_alone_and_in_every_batch(tmp_path):
    lazily = images(tmp_path)
    whole = lazily[:]
    assert (whole.dtype, whole.shape) == (np.uint8, lazily.shape)
    np.testing.assert_array_equal([lazily[place] for place in range(6)], whole)
    np.testing.assert_array_equal(lazily[np.array([4, 1, 4])], whole[[4, 1, 4]])
    np.testing.assert_array_equal(lazily[-2:], whole[-2:])
    np.testing.assert_array_equal(lazily[np.arange(6) % 2 == 0], whole[::2])
    np.testing.assert_array_equal(lazily.take(np.array([3, 2]), axis=0)[1], whole[2])
    assert lazily[2:2].shape == (0, SIDE, SIDE, 3)


def test_memory_is_that_of_a_batch_whatever_the_number_of_images(tmp_path):
    lazily = images(tmp_path, count=12, side=224)
    batch = 2 * 224 * 224 * 3
    lazily[:2]  # imports OpenCV
    tracemalloc.start()
    for start in range(0, 12, 2):
        assert lazily[start : start + 2].nbytes == batch
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * batch < lazily.nbytes


def test_a_deferred_split_of_streamed_images_finds_its_fingerprint_without_decoding(tmp_path, decodes):
    deferred = DeferredSplit(lambda: Split(images(tmp_path), np.zeros(6, np.int64)))
    assert deferred.fingerprint == Split(images(tmp_path), np.zeros(6, np.int64)).fingerprint
    assert decodes == []


# The fingerprint


def fingerprint(of: LazyImages) -> str:
    return Split(of, np.zeros(len(of), np.int64)).fingerprint


def test_the_fingerprint_is_of_names_and_sizes_in_their_order(tmp_path):
    lazily = images(tmp_path)
    before = fingerprint(lazily)
    os.utime(tmp_path / "3.JPEG", (0, 0))
    assert fingerprint(LazyImages(tmp_path, lazily.names, SIDE)) == before
    assert fingerprint(lazily.take(np.array([1, 0, 2, 3, 4, 5]), axis=0)) != before
    assert fingerprint(LazyImages(tmp_path, lazily.names, SIDE + 1)) != before
    with (tmp_path / "3.JPEG").open("ab") as stream:
        stream.write(b"\0")
    assert fingerprint(LazyImages(tmp_path, lazily.names, SIDE)) != before


def test_the_fingerprint_is_that_of_whoever_decodes(tmp_path, monkeypatch):
    lazily = images(tmp_path)
    before = fingerprint(lazily)
    monkeypatch.setattr(cv2, "__version__", "99")
    assert fingerprint(LazyImages(tmp_path, lazily.names, SIDE)) != before


def test_the_folder_of_a_file_is_no_part_of_the_fingerprint(tmp_path):
    before = fingerprint(images(tmp_path))
    (tmp_path / "sub").mkdir()
    names = []
    for number in range(6):
        (tmp_path / f"{number}.JPEG").rename(tmp_path / "sub" / f"{number}.JPEG")
        names.append(f"sub/{number}.JPEG".encode())
    assert fingerprint(LazyImages(tmp_path, np.array(names), SIDE)) == before


# Pixels


@pytest.mark.parametrize("size", [(300, 400), (400, 300), (301, 256), (256, 777), (64, 90), (500, 333)])
@pytest.mark.parametrize(("side", "target"), [(224, 256), (160, 183)])
def test_the_image_is_the_centre_after_resizing_the_shorter_side_to_8_7(size, side, target, tmp_path):
    write(tmp_path / "x.JPEG", size=size)
    with Image.open(tmp_path / "x.JPEG") as image:
        width, height = image.width * target // min(size), image.height * target // min(size)
        resized = image.resize((width, height), Image.Resampling.BILINEAR)
        left, top = round((width - side) / 2), round((height - side) / 2)
        expected = np.asarray(resized.crop((left, top, left + side, top + side)), int)
    # Pillow's resampling is another one, so the photograph is the same and its pixels nearly are.
    difference = np.abs(alone(tmp_path, side) - expected)
    assert difference.mean() < 0.8
    assert difference.max() < 8


def test_an_image_of_the_right_size_is_only_cropped(tmp_path):
    write(tmp_path / "x.JPEG", size=(32, 41))
    with Image.open(tmp_path / "x.JPEG") as image:
        pixels = np.asarray(image)
    np.testing.assert_array_equal(alone(tmp_path), pixels[2:30, 6:34])


def test_shrinking_averages_over_areas(tmp_path):
    checkered = np.indices((64, 64)).sum(axis=0) % 2 * 255
    Image.fromarray(checkered.astype(np.uint8)).convert("RGB").save(tmp_path / "x.JPEG", "PNG")
    assert set(np.unique(alone(tmp_path))) <= {127, 128}


def test_grey_files_become_rgb(tmp_path):
    write(tmp_path / "x.JPEG", size=(32, 32), mode="L")
    with Image.open(tmp_path / "x.JPEG") as image:
        assert image.mode == "L"
        grey = np.asarray(image)[2:30, 2:30]
    np.testing.assert_array_equal(alone(tmp_path), np.stack([grey] * 3, axis=-1))


def test_cmyk_files_become_rgb(tmp_path):
    write(tmp_path / "x.JPEG", size=(32, 32), mode="CMYK")
    with Image.open(tmp_path / "x.JPEG") as image:
        assert image.mode == "CMYK"
        rgb = np.asarray(image.convert("RGB"), int)[2:30, 2:30]
    assert np.abs(alone(tmp_path) - rgb).max() <= 1


def test_a_png_file_named_jpeg_is_read(tmp_path):
    pixels = photograph(0, 32, 32)
    Image.fromarray(pixels).save(tmp_path / "x.JPEG", "PNG")
    np.testing.assert_array_equal(alone(tmp_path), pixels[2:30, 2:30])


def test_the_orientation_in_exif_data_is_ignored(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    write(tmp_path / "x.JPEG", size=(32, 60))
    plain = alone(tmp_path)
    write(tmp_path / "x.JPEG", size=(32, 60), exif=exif)
    np.testing.assert_array_equal(alone(tmp_path), plain)


# What is refused


@pytest.mark.parametrize("keep", [0, 10, 300, 0.5, -1])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_file_that_was_cut_off_is_named(keep, progressive, tmp_path):
    lazily = images(tmp_path)
    write(tmp_path / "3.JPEG", 3, progressive=progressive)
    content = (tmp_path / "3.JPEG").read_bytes()
    kept = content[: int(keep * len(content)) if isinstance(keep, float) else keep]
    (tmp_path / "3.JPEG").write_bytes(kept)
    with pytest.raises(
        DatasetError, match=rf"expected .*/3\.JPEG to be a whole image, got {len(kept)} bytes"
    ):
        lazily[:]


def test_a_file_that_is_gone_is_named(tmp_path):
    lazily = images(tmp_path)
    (tmp_path / "3.JPEG").unlink()
    for use in (lambda: lazily[3], lambda: fingerprint(lazily)):
        with pytest.raises(DatasetError, match=r"expected .*/3\.JPEG to be a whole image, got No such file"):
            use()
