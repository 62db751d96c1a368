"""Applying corruptions: the laws that all obey, bad input, and one's own."""

from __future__ import annotations

import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.corruptions import CORRUPTIONS, Corruption, corrupt, library_versions, register, registry
from fixtures.corruptions.constants import CONSTANTS, FIELDS, SCALES

ROOT = Path(__file__).resolve().parents[1]
PUBLISHED = [corruption.name for corruption in CORRUPTIONS.values() if corruption.function is None]
RANDOM_ONES = sorted(
    set(PUBLISHED)
    - {"defocus_blur", "zoom_blur", "brightness", "contrast", "pixelate", "jpeg_compression"}
    - {"gaussian_blur", "saturate"}
)


def noise_images(count, height=32, width=32, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, height, width, 3), np.uint8)


@pytest.fixture
def own_corruptions(monkeypatch):
    """Let a test register corruptions that are gone after it."""
    monkeypatch.setattr(registry, "_corruptions", dict(registry._corruptions))
    monkeypatch.setattr(registry, "CORRUPTIONS", registry._corruptions)


@given(
    name=st.sampled_from(PUBLISHED),
    severity=st.integers(1, 5),
    scale=st.sampled_from(sorted(SCALES)),
    shape=st.tuples(st.integers(0, 3), st.integers(1, 40), st.integers(1, 40)),
    seed=st.integers(0, 2**40),
)
@settings(max_examples=150, deadline=None)
def test_any_images_keep_their_shape_and_type(name, severity, scale, shape, seed):
    images = noise_images(*shape)
    made = corrupt(name, images, severity, seed=seed, indices=np.arange(shape[0]), scale=scale)
    assert made.shape == images.shape
    assert made.dtype == np.uint8


@given(
    name=st.sampled_from(PUBLISHED),
    severity=st.integers(1, 5),
    scale=st.sampled_from(sorted(SCALES)),
    side=st.integers(1, 24),
    order=st.permutations(range(11)),
    split=st.integers(0, 11),
)
@settings(max_examples=100, deadline=None)
def test_any_split_and_order_of_the_images_gives_the_same_pixels(
    name, severity, scale, *, side, order, split
):
    images, indices = noise_images(11, side, side + 3), np.arange(100, 111)
    together = corrupt(name, images, severity, seed=5, indices=indices, scale=scale)
    for part in (order[:split], order[split:]):
        alone = corrupt(name, images[list(part)], severity, seed=5, indices=indices[list(part)], scale=scale)
        np.testing.assert_array_equal(alone, together[list(part)])


@pytest.mark.parametrize("name", PUBLISHED)
def test_many_images_at_once_give_the_pixels_of_one_by_one(name):
    images, indices = noise_images(70), np.arange(70)
    together = corrupt(name, images, 3, seed=1, indices=indices)
    alone = [corrupt(name, images[i : i + 1], 3, seed=1, indices=indices[i : i + 1])[0] for i in range(70)]
    np.testing.assert_array_equal(together, np.stack(alone))


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_images_given_are_left_as_they_were(name):
    images = noise_images(3)
    before = images.copy()
    corrupt(name, images, 5, seed=0, indices=np.arange(3))
    np.testing.assert_array_equal(images, before)


@pytest.mark.parametrize("name", PUBLISHED)
def test_images_in_any_memory_order_give_the_same_pixels(name):
    images = noise_images(4, 20, 20)
    expected = corrupt(name, images, 2, seed=0, indices=np.arange(4))
    np.testing.assert_array_equal(
        corrupt(name, np.asfortranarray(images), 2, seed=0, indices=np.arange(4)), expected
    )
    views = np.concatenate([images, images])[::-1][4:]
    np.testing.assert_array_equal(
        corrupt(name, views, 2, seed=0, indices=np.arange(4)[::-1].copy()), expected[::-1]
    )


@pytest.mark.parametrize("name", RANDOM_ONES)
@pytest.mark.parametrize("other", [{"seed": 1}, {"indices": np.array([7])}])
def test_another_seed_or_index_gives_other_pixels(name, other):
    image = noise_images(1)
    one = corrupt(name, image, 3, **{"seed": 0, "indices": np.array([0])})
    assert (one != corrupt(name, image, 3, **{"seed": 0, "indices": np.array([0]), **other})).any()


@pytest.mark.parametrize("severity", range(1, 6))
@pytest.mark.parametrize("level", [0, 77, 255])
@pytest.mark.parametrize("name", PUBLISHED)
def test_flat_images_work_without_a_warning(name, level, severity, recwarn):
    images = np.full((2, 32, 32, 3), level, np.uint8)
    assert corrupt(name, images, severity, seed=0, indices=np.arange(2)).shape == images.shape
    assert not recwarn.list


@pytest.mark.parametrize("name", ["defocus_blur", "glass_blur", "motion_blur", "zoom_blur", "gaussian_blur"])
def test_blur_leaves_a_flat_image_flat(name):
    images = np.full((1, 32, 32, 3), (0, 128, 255), np.uint8)
    made = corrupt(name, images, 3, seed=0, indices=np.arange(1))
    assert np.abs(made.astype(int) - images).max() <= 1  # truncation


def test_spatter_without_a_drop_leaves_the_image():
    images = noise_images(50, 2, 2)
    made = corrupt("spatter", images, 1, seed=0, indices=np.arange(50))
    untouched = (np.abs(made.astype(int) - images) == 0).all(axis=(1, 2, 3))
    assert untouched.sum() > 10
    assert not (made == 0).all(axis=(1, 2, 3)).any()


def test_impulses_replace_the_stated_share_of_values_by_black_and_white_alike():
    images = np.full((200, 32, 32, 3), 100, np.uint8)
    made = corrupt("impulse_noise", images, 5, seed=0, indices=np.arange(200))
    for level in (0, 255):
        assert (made == level).mean() == pytest.approx(0.035, rel=0.02)


def test_the_fifteen_of_the_mean_corruption_error_come_in_four_families():
    standard = [corruption for corruption in CORRUPTIONS.values() if corruption.standard]
    counts = {f: sum(c.family == f for c in standard) for f in ("noise", "blur", "weather", "digital")}
    assert counts == {"noise": 3, "blur": 4, "weather": 4, "digital": 4}
    assert len(PUBLISHED) == 19


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_published_corruption_has_five_severities_at_each_scale(name):
    corruption = CORRUPTIONS[name]
    assert corruption.constants is CONSTANTS[name]
    assert set(corruption.constants) == set(SCALES)
    for severities in corruption.constants.values():
        assert [len(constants) for constants in severities] == 5 * [len(FIELDS[name])]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"name": "gausian_noise"}, ValueError, "try 'gaussian_noise'"),
        ({"images": np.zeros((2, 8, 8, 3), np.float32)}, TypeError, "expected uint8 images, got float32"),
        ({"images": [[0]]}, TypeError, "expected uint8 images, got list"),
        ({"images": np.zeros((2, 8, 8, 1), np.uint8)}, ValueError, r"got \(2, 8, 8, 1\)"),
        ({"images": np.zeros((8, 8, 3), np.uint8)}, ValueError, r"got \(8, 8, 3\)"),
        ({"images": np.zeros((2, 0, 8, 3), np.uint8)}, ValueError, "at least one pixel"),
        ({"severity": 0}, ValueError, "expected a severity of 1 to 5, got 0"),
        ({"severity": 6}, ValueError, "expected a severity of 1 to 5, got 6"),
        ({"indices": np.arange(3)}, ValueError, "expected 2 integer indices"),
        ({"indices": np.array([0.0, 1.0])}, ValueError, "expected 2 integer indices"),
        ({"indices": np.array([-1, 0])}, ValueError, "indices of at least 0, got -1"),
        (
            {"scale": "cifar10"},
            ValueError,
            "expected a scale of cifar, tiny-imagenet, imagenet, got 'cifar10'",
        ),
    ],
)
def test_bad_input_is_refused_with_what_to_try(change, error, message):
    arguments = {"name": "fog", "images": np.zeros((2, 8, 8, 3), np.uint8), "severity": 1, **change}
    with pytest.raises(error, match=message) as caught:
        corrupt(**{"seed": 0, "indices": np.arange(2), **arguments})
    assert "; try " in str(caught.value)


def test_the_library_versions_are_those_that_the_pixels_depend_on():
    assert set(library_versions("jpeg_compression")) == {"numpy", "opencv"}
    assert library_versions("fog") == {"numpy": np.__version__}


def test_importing_the_package_imports_no_library_but_numpy():
    code = (
        "import sys, fixtures.corruptions;"
        "print([m for m in ('scipy', 'cv2', 'PIL', 'tensorflow') if m in sys.modules])"
    )
    output = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert output.stdout.strip() == "[]"


def test_a_registered_function_is_applied_image_by_image_with_the_images_own_generator(own_corruptions):
    @register("dust", "weather", revision=4)
    def dust(images, severity, rng):
        assert images.shape == (1, 8, 8, 3)
        return rng.integers(0, severity * 10, images.shape, dtype=np.uint8)

    corruption = registry.find("dust")
    assert (corruption.family, corruption.standard, corruption.revision) == ("weather", False, 4)
    images = noise_images(5, 8, 8)
    together = corrupt("dust", images, 2, seed=0, indices=np.arange(5))
    reverse = corrupt("dust", images[::-1], 2, seed=0, indices=np.arange(5)[::-1])
    np.testing.assert_array_equal(together, reverse[::-1])
    assert len({image.tobytes() for image in together}) == 5


def test_a_registered_function_cannot_change_the_images_given(own_corruptions):
    @register("black", "digital")
    def black(images, severity, rng):
        images[:] = 0
        return images

    images = noise_images(2)
    assert corrupt("black", images, 1, seed=0, indices=np.arange(2)).max() == 0
    assert images.max() > 0


@pytest.mark.parametrize("wrong", [np.zeros((1, 8, 8, 3)), np.zeros((8, 8, 3), np.uint8)])
def test_what_a_registered_function_returns_is_checked(own_corruptions, wrong):
    register("wrong", "digital")(lambda *_: wrong)
    with pytest.raises(ValueError, match="from the corruption 'wrong'"):
        corrupt("wrong", noise_images(1, 8, 8), 1, seed=0, indices=np.arange(1))


def test_a_name_that_is_taken_is_refused():
    with pytest.raises(ValueError, match="expected a new corruption name, got 'fog'"):
        register("fog", "weather")


def test_an_unknown_family_is_refused():
    with pytest.raises(ValueError, match="expected a family of noise, blur, weather, digital, got 'rain'"):
        register("drizzle", "rain")


def test_a_corruption_is_a_value():
    assert isinstance(CORRUPTIONS["fog"], Corruption)
    with pytest.raises(AttributeError):
        CORRUPTIONS["fog"].name = "mist"
    assert len({CORRUPTIONS["fog"], CORRUPTIONS["fog"]}) == 1


def pixels_digest(name):
    """Return a digest of the pixels of a corruption at all severities, of an image with many colours."""
    image = (np.arange(32 * 32 * 3) * 37 % 256).astype(np.uint8).reshape(1, 32, 32, 3)
    made = [corrupt(name, image, severity, seed=0, indices=np.array([7])) for severity in range(1, 6)]
    return zlib.crc32(np.stack(made).tobytes())


@pytest.mark.parametrize(
    ("name", "revision", "digest"),
    [
        ("impulse_noise", 1, 14791330),
        ("glass_blur", 1, 3368670351),
        ("motion_blur", 1, 280196127),
        ("zoom_blur", 1, 4178420072),
        ("fog", 1, 2212540444),
        ("brightness", 1, 3014864838),
        ("contrast", 1, 3224551780),
        ("gaussian_blur", 1, 4050573726),
        ("saturate", 1, 3251520008),
    ],
)
def test_pixels_that_come_from_arithmetic_alone_change_with_the_revision_only(name, revision, digest):
    assert (CORRUPTIONS[name].revision, pixels_digest(name)) == (revision, digest)
