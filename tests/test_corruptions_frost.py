"""The frost textures: those shipped and the original photographs."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from fixtures.corruptions import corrupt, grow_frost
from fixtures.corruptions.frost import PHOTOGRAPHS, SHIPPED, TEXTURES, frost_textures


def write_photographs(directory, level=200, side=400):
    for name in PHOTOGRAPHS:
        cv2.imwrite(str(directory / name), np.full((side, side, 3), level, np.uint8))


def test_the_shipped_textures_are_grown_by_the_script():
    for number, texture in enumerate(TEXTURES):
        shipped = cv2.imread(str(SHIPPED / texture.file), cv2.IMREAD_GRAYSCALE)
        grown = grow_frost.grow(number)
        assert grown.shape == shipped.shape
        assert (grown != shipped).mean() < 0.01  # rounding of other versions of the libraries


def test_the_shipped_textures_are_small():
    assert sum(file.stat().st_size for file in SHIPPED.iterdir()) < 1_000_000


@pytest.mark.parametrize("scale", ["cifar", "tiny-imagenet", "imagenet"])
@pytest.mark.parametrize("shape", [(1, 1), (32, 32), (224, 224), (500, 900)])
def test_textures_are_larger_than_any_image(scale, shape):
    for texture in frost_textures(scale, *shape, None):
        assert texture.shape[0] > shape[0]
        assert texture.shape[1] > shape[1]
        assert texture.shape[2] == 3


def test_photographs_take_the_place_of_the_shipped_textures(tmp_path):
    write_photographs(tmp_path)
    images = np.full((4, 32, 32, 3), 10, np.uint8)
    made = corrupt("frost", images, 1, seed=0, indices=np.arange(4), frost_textures=tmp_path)
    assert set(np.unique(made)) <= {49, 50, 51}  # 10 + 0.2 * 200, JPEG aside


def test_a_missing_photograph_is_named(tmp_path):
    write_photographs(tmp_path)
    (tmp_path / "frost4.jpg").unlink()
    with pytest.raises(ValueError, match=r"expected a frost photograph at .*frost4\.jpg, got no file"):
        corrupt(
            "frost",
            np.zeros((1, 8, 8, 3), np.uint8),
            1,
            seed=0,
            indices=np.arange(1),
            frost_textures=tmp_path,
        )


def test_an_odd_photograph_is_named(tmp_path):
    write_photographs(tmp_path)
    (tmp_path / "frost2.png").write_bytes(b"<html>")
    with pytest.raises(ValueError, match=r"frost2\.png, got an unreadable file"):
        corrupt(
            "frost",
            np.zeros((1, 8, 8, 3), np.uint8),
            1,
            seed=0,
            indices=np.arange(1),
            frost_textures=tmp_path,
        )
