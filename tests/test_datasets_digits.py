"""The digits, read from the file inside scikit-learn."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fixtures.datasets import Dataset, DatasetError, load_dataset

ROOT = Path(__file__).resolve().parents[1]
DIGITS_TEST = "04733bd5a27e47f7fe7da880fca74395fadbec1817b5a089ba441e1dcf11bcad"
DIGITS_TRAIN = "c078093ccb82a67f2b3dca215125286e7855c2bcfed1821ad795529b5e0212e7"


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load_dataset("digits", data_dir=Path("no-such-directory"))


def test_the_digits_are_divided_into_four_fifths_and_one(digits):
    assert digits.train.images.shape == (1438, 32, 32, 3)
    assert digits.test.images.shape == (359, 32, 32, 3)


def test_the_digits_are_always_divided_in_the_same_way(digits):
    assert digits.test.fingerprint == DIGITS_TEST
    assert digits.train.fingerprint == DIGITS_TRAIN


def test_every_digit_is_tested_about_equally_often(digits):
    counts = np.bincount(digits.test.labels, minlength=10)
    assert set(counts.tolist()) <= {35, 36, 37}


def test_the_digits_use_the_whole_range_of_gray_values(digits):
    assert (digits.train.images.min(), digits.train.images.max()) == (0, 255)


def test_the_digits_are_those_of_scikit_learn(digits):
    sklearn_datasets = pytest.importorskip("sklearn.datasets")
    _, labels = sklearn_datasets.load_digits(return_X_y=True)
    both = [*digits.train.labels, *digits.test.labels]
    np.testing.assert_array_equal(np.bincount(both), np.bincount(labels))


def test_an_enlarged_digit_averages_to_the_original_one(digits):
    sklearn_datasets = pytest.importorskip("sklearn.datasets")
    originals, _ = sklearn_datasets.load_digits(return_X_y=True)
    small = digits.test.images[0, :, :, 0].reshape(8, 4, 8, 4).mean(axis=(1, 3)).ravel() * (16 / 255)
    assert np.abs(originals - small).mean(axis=1).min() < 1


def test_loading_the_digits_does_not_import_scikit_learn():
    code = (
        "import sys; from pathlib import Path; from fixtures.datasets import load_dataset;"
        "load_dataset('digits', data_dir=Path()); sys.exit('sklearn' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_digits_that_are_not_where_they_should_be_are_explained(monkeypatch):
    monkeypatch.setattr("fixtures.datasets.digits.find_spec", lambda _: None)
    with pytest.raises(DatasetError, match="expected the digits in the package scikit-learn"):
        load_dataset("digits", data_dir=Path())
