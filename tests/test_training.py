"""Training: the random changes of images, and what early stopping looks at."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.datasets import Split
from fixtures.models import MODELS, NetworkSpec
from fixtures.models.scaling import Scaling
from fixtures.models.training import Budget, Images, augmented, fit
from fixtures.seeds import derive_seed
from fixtures.tensorflow import load


def gradient(count: int, height: int, width: int) -> np.ndarray:
    """Images in which every pixel of a row or column tells where it comes from."""
    rows, columns = np.indices((height, width), dtype=np.uint8)
    return np.broadcast_to(np.stack([rows, columns, rows], axis=-1), (count, height, width, 3)).copy()


@given(seed=st.integers(0, 2**32 - 1), height=st.integers(8, 20), width=st.integers(8, 20))
def test_a_flip_mirrors_an_image_or_leaves_it(seed: int, height: int, width: int) -> None:
    images = gradient(16, height, width)
    changed = augmented(images, ["flip"], np.random.default_rng(seed))
    for image, original in zip(changed, images, strict=True):
        assert np.array_equal(image, original) or np.array_equal(image, original[:, ::-1])


def test_about_half_of_the_images_are_flipped() -> None:
    images = gradient(2000, 8, 8)
    changed = augmented(images, ["flip"], np.random.default_rng(0))
    assert 0.45 < np.mean((changed != images).any(axis=(1, 2, 3))) < 0.55


@given(seed=st.integers(0, 2**32 - 1), height=st.integers(8, 24), width=st.integers(8, 24))
def test_a_shift_moves_by_an_eighth_at_most_and_repeats_the_edge(seed: int, height: int, width: int) -> None:
    images = gradient(8, height, width)
    changed = augmented(images, ["shift"], np.random.default_rng(seed)).astype(int)
    moved_rows = changed[..., 0] - images[..., 0]
    moved_columns = changed[..., 1] - images[..., 1]
    assert np.abs(moved_rows).max() <= height // 8
    assert np.abs(moved_columns).max() <= width // 8
    # Within the image all pixels move alike.
    inner = (slice(None), slice(height // 8, height - height // 8), slice(width // 8, width - width // 8))
    assert (np.ptp(moved_rows[inner], axis=(1, 2)) == 0).all()
    assert (np.ptp(moved_columns[inner], axis=(1, 2)) == 0).all()


def test_without_changes_the_images_stay() -> None:
    images = gradient(4, 9, 9)
    np.testing.assert_array_equal(augmented(images, [], np.random.default_rng(0)), images)


def test_seeds_differ_by_purpose_and_stay_the_same() -> None:
    assert derive_seed(1, "a", "b") == derive_seed(1, "a", "b")
    assert len({derive_seed(seed, name) for seed in (1, 2) for name in ("a", "b", "a/b")}) == 6
    assert 0 <= derive_seed(2025, "digits") < 2**31


def test_vgg6_is_the_network_of_the_study() -> None:
    model = MODELS["vgg6"].build(NetworkSpec((32, 32, 3), 10))
    names = [type(layer).__name__ for layer in model.layers]
    assert names.count("Conv2D") == names.count("BatchNormalization") == 6
    assert names.count("MaxPooling2D") == 3
    kernels = [layer.kernel.shape for layer in model.layers if hasattr(layer, "kernel")]
    assert [shape[-1] for shape in kernels] == [32, 32, 64, 64, 128, 128, 2048, 1024, 512, 10]
    assert all(tuple(shape[:2]) == (3, 3) for shape in kernels[:6])


def test_initial_weights_depend_on_the_seed_alone() -> None:
    def kernel(seed: int) -> np.ndarray:
        return (
            MODELS["vgg6"]
            .build(NetworkSpec((32, 32, 3), 10, width=0.1, seed=seed))
            .get_layer("conv1")
            .kernel.numpy()
        )

    np.testing.assert_array_equal(kernel(1), kernel(1))
    assert not np.array_equal(kernel(1), kernel(2))


def test_early_stopping_keeps_the_epoch_that_is_best_on_the_validation_split() -> None:
    """Labels of the validation split contradict the training split, so each epoch is worse on it."""
    rng = np.random.default_rng(0)
    labels = np.arange(64) % 2
    pixels = np.where(labels[:, None, None, None] == 1, 200, 50).astype(np.uint8)
    pixels = np.broadcast_to(pixels, (64, 8, 8, 3)) + rng.integers(0, 40, (64, 8, 8, 3), dtype=np.uint8)
    images = Images(Split(pixels, labels), Split(pixels, 1 - labels))
    losses: list[float] = []
    told: list[str] = []
    watch = load().keras.callbacks.LambdaCallback(
        on_epoch_end=lambda _, logs: losses.append(logs["val_loss"])
    )
    model = MODELS["vgg6"].build(NetworkSpec((8, 8, 3), 2, width=0.1))
    budget = Budget(epochs=20, batch_size=16, learning_rate=1e-3, patience=2)
    scaling = Scaling(1 / 255)
    fit(model, images, budget, scaling=scaling, seed=0, progress=told.append, callbacks=[watch])
    assert len(losses) < budget.epochs
    assert told[-1].startswith(f"epoch {len(losses)}/20: loss ")
    kept = model.evaluate(pixels.astype(np.float32) / 255, 1 - labels, verbose=0)[0]
    assert kept == pytest.approx(min(losses), abs=1e-3)
