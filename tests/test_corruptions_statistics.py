"""The random corruptions, with random numbers of their own, against statistics of the published generator."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

from fixtures.corruptions import corrupt

REFERENCE = Path(__file__).resolve().parents[1].parent / "shared" / "reference" / "corruptions"

pytestmark = pytest.mark.skipif(
    not (REFERENCE / "stats_dev.csv").is_file(),
    reason=f"no statistics of the published generator at {REFERENCE}",
)

RANDOM = [
    "gaussian_noise",
    "shot_noise",
    "impulse_noise",
    "glass_blur",
    "motion_blur",
    "snow",
    "fog",
    "elastic_transform",
    "speckle_noise",
    "spatter",
]
COLUMNS = ("pix_mean", "pix_std", "mad", "mse", "psnr", "ssim")


@pytest.fixture(scope="module")
def images():
    with np.load(REFERENCE / "stats_dev_images.npz", allow_pickle=False) as file:
        return file["images"]


@pytest.fixture(scope="module")
def published():
    """Return the means and standard errors of the statistics by corruption and severity."""
    with (REFERENCE / "stats_dev.csv").open(newline="") as file:
        return {(row["corruption"], int(row["severity"])): row for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def published_per_image():
    """Return the statistics of each image: column to float32 (corruption, severity, image)."""
    with np.load(REFERENCE / "stats_dev_perimage.npz", allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def local_mean(x):
    """Return the mean over 7×7 pixels of images (n, h, w, 3), without the rim where these do not fit."""
    stacked = cv2.blur(x.reshape(-1, *x.shape[2:]), (7, 7))
    return stacked.reshape(x.shape)[:, 3:-3, 3:-3]


def structural_similarity(clean, other):
    """Return each image's structural similarity (Wang et al. 2004; 7×7 pixels a time, per channel): (n,)."""
    x, y = clean.astype(np.float64), other.astype(np.float64)
    sample = 49 / 48
    mean_x, mean_y = local_mean(x), local_mean(y)
    var_x = sample * (local_mean(x * x) - mean_x**2)
    var_y = sample * (local_mean(y * y) - mean_y**2)
    covariance = sample * (local_mean(x * y) - mean_x * mean_y)
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    similarity = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    return (similarity / ((mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2))).mean(axis=(1, 2, 3))


def statistics_of(clean, other):
    """Return the statistics of each corrupted image: column to (n,)."""
    difference = other.astype(np.float64) - clean
    mse = (difference**2).mean(axis=(1, 2, 3))
    return {
        "pix_mean": other.mean(axis=(1, 2, 3)),
        "pix_std": other.std(axis=(1, 2, 3)),
        "mad": np.abs(difference).mean(axis=(1, 2, 3)),
        "mse": mse,
        "psnr": 10 * np.log10(255**2 / mse),
        "ssim": structural_similarity(clean, other),
    }


def assert_alike(statistics, row, per_image):
    """Assert that all means agree within four standard errors: of the means, and of the differences."""
    for column in COLUMNS:
        ours = statistics[column]
        assert abs(ours.mean() - float(row[column])) <= 4 * float(row[f"{column}_se"]), column
        difference = ours - per_image[column]
        assert abs(difference.mean()) <= 4 * difference.std(ddof=1) / np.sqrt(len(ours)), column


@pytest.mark.parametrize("severity", range(1, 6))
@pytest.mark.parametrize("name", RANDOM)
def test_a_random_corruption_has_the_published_statistics(
    images, published, published_per_image, name, severity
):
    made = corrupt(name, images, severity, seed=0, indices=np.arange(len(images)))
    place = list(published_per_image["corruptions"]).index(name)
    per_image = {column: published_per_image[column][place, severity - 1] for column in COLUMNS}
    assert_alike(statistics_of(images, made), published[name, severity], per_image)


@pytest.mark.parametrize("severity", range(1, 6))
def test_frost_of_the_photographs_has_the_published_statistics(
    images, published, published_per_image, severity
):
    made = corrupt(
        "frost", images, severity, seed=0, indices=np.arange(len(images)), frost_textures=REFERENCE / "frost"
    )
    place = list(published_per_image["corruptions"]).index("frost")
    per_image = {column: published_per_image[column][place, severity - 1] for column in COLUMNS}
    assert_alike(statistics_of(images, made), published["frost", severity], per_image)


@pytest.mark.parametrize("severity", range(1, 6))
def test_frost_of_the_shipped_textures_is_like_that_of_the_photographs(images, published, severity):
    made = corrupt("frost", images, severity, seed=0, indices=np.arange(len(images)))
    ours, theirs = statistics_of(images, made), published["frost", severity]
    for column in ("pix_std", "mse", "ssim"):
        assert ours[column].mean() == pytest.approx(float(theirs[column]), rel=0.1), column
    added = float(theirs["pix_mean"]) - images.mean()
    assert ours["pix_mean"].mean() - images.mean() == pytest.approx(added, rel=0.1)


def test_gaussian_noise_has_the_published_spread_and_bias(images, published):
    middle = (images > 100) & (images < 155)  # far from where clipping starts
    for severity in range(1, 6):
        made = corrupt("gaussian_noise", images, severity, seed=1, indices=np.arange(len(images)))
        noise = (made.astype(int) - images)[middle]
        row = published["gaussian_noise", severity]
        assert noise.std() == pytest.approx(float(row["noise_std"]), rel=0.005)
        assert noise.mean() == pytest.approx(-0.5, abs=0.1)  # truncation
