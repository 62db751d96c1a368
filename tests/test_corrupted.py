"""The two sources of a suite's corrupted images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.suite import load_suite
from fixtures.corrupted import Generated, Published, corrupted_images
from fixtures.corruptions import corrupt
from fixtures.datasets import DatasetError
from fixtures.known import known_names
from fixtures.recipes import generated_images
from fixtures.suite_data import SuiteData

FROST = Path(__file__).resolve().parents[1].parent / "shared" / "reference" / "corruptions" / "frost"


def source(tmp_path: Path, *overrides: str):
    suite = load_suite("quick", known_names(), overrides)
    data = SuiteData(suite, tmp_path)
    return suite, data, corrupted_images(suite, data)


def test_generated_images_are_those_of_the_corruption_with_the_suites_seed(tmp_path: Path) -> None:
    suite, data, images = source(tmp_path)
    assert isinstance(images, Generated)
    indices = np.array([7, 3, 11])
    expected = corrupt(
        "fog", data.dataset("digits").test.images[indices], 3, seed=suite.seed, indices=indices, scale="cifar"
    )
    np.testing.assert_array_equal(images.read("digits", "fog", 3, indices), expected)


def test_published_files_that_do_not_exist_are_an_error_and_never_generated(tmp_path: Path) -> None:
    _, _, images = source(tmp_path, "corruptions.source=published")
    assert isinstance(images, Published)
    with pytest.raises(DatasetError, match="generated"):
        images.recipe("digits", "fog")


def test_the_scale_the_revision_and_the_libraries_are_part_of_a_recipe(tmp_path: Path) -> None:
    suite, _, images = source(tmp_path)
    other, _, other_images = source(tmp_path, "corruptions.scale=imagenet")
    assert images.recipe("digits", "snow") != other_images.recipe("digits", "snow")
    assert {"revision", "libraries", "severities"} <= generated_images(suite.corruptions, "snow").keys()
    assert "imagenet scale" in other.corruptions.describe()


@pytest.mark.skipif(not FROST.is_dir(), reason=f"the original frost photographs are not at {FROST}")
def test_frost_photographs_change_the_pixels_the_recipe_and_what_the_report_says(tmp_path: Path) -> None:
    suite, _, own = source(tmp_path)
    photographed, _, theirs = source(tmp_path, f'corruptions.frost_textures="{FROST}"')
    indices = np.arange(4)
    assert not np.array_equal(
        own.read("digits", "frost", 3, indices), theirs.read("digits", "frost", 3, indices)
    )
    np.testing.assert_array_equal(
        own.read("digits", "fog", 3, indices), theirs.read("digits", "fog", 3, indices)
    )
    assert own.recipe("digits", "frost") != theirs.recipe("digits", "frost")
    assert own.recipe("digits", "fog") == theirs.recipe("digits", "fog")
    assert "our own textures" in suite.corruptions.describe()
    assert str(FROST) in photographed.corruptions.describe()


def test_more_calibration_images_than_there_are_is_an_error(tmp_path: Path) -> None:
    _, data, _ = source(tmp_path, "data.train_images=100", "compression.calibration_images=200")
    with pytest.raises(DatasetError, match="expected a sample of 1 to"):
        data.calibration("digits")
