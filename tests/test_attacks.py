"""An attack finds what it looks for: the nearest image that is taken for something else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmarks.methods import Attack, CarliniWagner, FastGradientSign, ProjectedGradient
from fixtures.attacks.attacking import Attacked, attack
from fixtures.compression.convert import freeze
from fixtures.compression.quantization_aware import calibrate_ranges, fake_quantized
from fixtures.datasets import Split
from fixtures.datasets.digits import load_digits
from fixtures.logits import Logits
from fixtures.models import MODELS
from fixtures.models.scaling import Scaling
from fixtures.models.spec import NetworkSpec
from fixtures.models.training import Budget, Images, fit
from fixtures.tensorflow import load

SCALING = Scaling(1 / 255)


def carlini_wagner(**settings: Any) -> CarliniWagner:
    """The attack with settings under which nothing hides a gradient from it: steps that are long enough, and
    a misclassification that counts as much as the change."""
    usual = {"learning_rate": 5e-3, "iterations": 10, "binary_search_steps": 2, "initial_weight": 1.0}
    return CarliniWagner(method="carlini_wagner", **(usual | settings))


FGSM = FastGradientSign(method="fgsm", epsilon=8.5 / 255)
PGD = ProjectedGradient(method="pgd", epsilon=8.5 / 255, step_size=2 / 255, iterations=5)


@pytest.fixture(scope="module")
def network() -> Any:
    """A narrow VGG-6 that knows the digits."""
    digits = load_digits(None, {})
    train, validation = digits.train.take(np.arange(800)), digits.train.take(np.arange(800, 850))
    made = MODELS["vgg6"].build(NetworkSpec((32, 32, 3), 10, width=0.1, seed=1))
    budget = Budget(epochs=4, batch_size=32, learning_rate=3e-3)
    fit(made, Images(train, validation), budget, scaling=SCALING, seed=1, progress=print)
    return made


@pytest.fixture(scope="module")
def logits(network: Any) -> Logits:
    return Logits(freeze(network, SCALING))


@pytest.fixture(scope="module")
def digits() -> Split:
    return load_digits(None, {}).test.take(np.arange(20))


def success(attacked: Attacked, labels: np.ndarray) -> np.ndarray:
    return (attacked.clean == labels) & (attacked.classes != labels)


def norms(attacked: Attacked, images: np.ndarray) -> np.ndarray:
    return np.sqrt((((attacked.made - images) / 255) ** 2).sum(axis=(1, 2, 3)))


def test_on_a_linear_model_carlini_wagner_finds_the_distance_to_the_boundary() -> None:
    keras = load().keras
    rng = np.random.default_rng(3)
    inputs = keras.Input((4, 4, 3))
    outputs = keras.layers.Dense(2, activation="softmax")(keras.layers.Flatten()(inputs))
    model = keras.Model(inputs, outputs)
    weights, bias = rng.normal(size=(48, 2)), np.zeros(2)
    normal = weights[:, 0] - weights[:, 1]
    images = rng.integers(100, 156, (12, 4, 4, 3), dtype=np.uint8)  # away from black and white
    bias[0] = -(images.reshape(12, -1) / 255 @ normal).mean()
    model.layers[-1].set_weights([weights, bias])
    margins = images.reshape(12, -1) / 255 @ normal + bias[0]
    labels = np.where(margins > 0, 0, 1)
    settings = carlini_wagner(
        learning_rate=1e-2, iterations=30, binary_search_steps=6, initial_weight=0.05, confidence=0.01
    )
    attacked = attack(Logits(freeze(model, SCALING)), settings, images, labels)
    assert success(attacked, labels).all()
    expected = np.abs(margins) / np.linalg.norm(normal)
    np.testing.assert_allclose(norms(attacked, images), expected, rtol=0.1)


def test_an_attack_reduces_accuracy_by_at_least_half(logits: Logits, digits: Split) -> None:
    attacked = attack(logits, carlini_wagner(), digits.images, digits.labels)
    before = (attacked.clean == digits.labels).mean()
    assert before > 0.8
    assert (attacked.classes == digits.labels).mean() <= before / 2
    deployed = logits(attacked.deployed.astype(np.float32) / 255).argmax(axis=1)
    assert (deployed == digits.labels).mean() <= before / 2


def test_success_grows_with_iterations(logits: Logits, digits: Split) -> None:
    found = [
        success(
            attack(
                logits,
                carlini_wagner(learning_rate=1e-4, iterations=iterations, binary_search_steps=1),
                digits.images,
                digits.labels,
            ),
            digits.labels,
        ).sum()
        for iterations in (1, 4, 12)
    ]
    assert found[0] < found[1] <= found[2]


def test_the_change_gets_smaller_with_more_binary_search_steps(logits: Logits, digits: Split) -> None:
    found = []
    for steps in (1, 3, 5):
        settings = carlini_wagner(binary_search_steps=steps, initial_weight=100.0)
        attacked = attack(logits, settings, digits.images, digits.labels)
        found.append((success(attacked, digits.labels), norms(attacked, digits.images)))
    by_all = np.logical_and.reduce([succeeded for succeeded, _ in found])
    assert by_all.sum() >= 5
    means = [lengths[by_all].mean() for _, lengths in found]
    assert means[0] > means[1] > means[2]


def test_images_that_are_wrong_already_are_left_as_they_are(logits: Logits, digits: Split) -> None:
    wrong = (logits(digits.images.astype(np.float32) / 255).argmax(axis=1) + 1) % 10
    attacked = attack(logits, carlini_wagner(), digits.images, wrong)
    np.testing.assert_array_equal(attacked.deployed, digits.images)


@pytest.mark.parametrize("settings", [FGSM, PGD], ids=["fgsm", "pgd"])
def test_no_pixel_goes_further_than_epsilon_or_out_of_its_range(
    settings: Attack, logits: Logits, digits: Split
) -> None:
    attacked = attack(logits, settings, digits.images, digits.labels)
    assert attacked.made.min() >= 0
    assert attacked.made.max() <= 255
    assert np.abs(attacked.made - digits.images).max() <= 8.5 + 1e-3
    assert np.abs(attacked.deployed.astype(int) - digits.images).max() == 8
    assert success(attacked, digits.labels).any()


@pytest.mark.parametrize("settings", [carlini_wagner(), FGSM, PGD], ids=["cw", "fgsm", "pgd"])
def test_the_same_inputs_give_the_same_bytes(settings: Attack, logits: Logits, digits: Split) -> None:
    first, second = (attack(logits, settings, digits.images, digits.labels) for _ in range(2))
    assert first.made.tobytes() == second.made.tobytes()
    assert first.deployed.tobytes() == second.deployed.tobytes()


def test_logits_are_those_whose_softmax_the_network_gives(
    network: Any, logits: Logits, digits: Split
) -> None:
    pixels = digits.images.astype(np.float32) / 255
    exponentials = np.exp(logits(pixels).astype(np.float64))
    scores = exponentials / exponentials.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(network(pixels, training=False).numpy(), scores, atol=1e-5)


def test_a_gradient_tells_how_a_logit_changes(logits: Logits, digits: Split) -> None:
    pixels = digits.images[:4].astype(np.float32) / 255
    chosen = np.eye(10, dtype=np.float32)[[3, 1, 4, 1]]
    gradient = logits.gradient(pixels, chosen)
    step = 1e-3 * gradient / np.sqrt((gradient**2).sum(axis=(1, 2, 3), keepdims=True))
    change = ((logits(pixels + step) - logits(pixels - step)) * chosen).sum(axis=1) / 2e-3
    np.testing.assert_allclose(change, np.sqrt((gradient**2).sum(axis=(1, 2, 3))), rtol=0.05)


def test_a_fake_quantized_network_has_gradients_that_point_where_its_float_network_s_do(
    network: Any, logits: Logits, digits: Split
) -> None:
    twin = fake_quantized(network)
    calibrate_ranges(twin, digits.images[:10], SCALING)  # so that logits of others are beyond their range
    quantized = Logits(freeze(twin, SCALING))
    pixels = digits.images.astype(np.float32) / 255
    chosen = np.eye(10, dtype=np.float32)[digits.labels]
    own, float_s = (one.gradient(pixels, chosen).reshape(20, -1) for one in (quantized, logits))
    lengths = np.linalg.norm(own, axis=1)
    assert (lengths > 0).all()
    cosines = (own * float_s).sum(axis=1) / (lengths * np.linalg.norm(float_s, axis=1))
    assert np.median(cosines) > 0.3


def test_one_pass_gives_the_gradient_that_the_library_takes_two_for(logits: Logits, digits: Split) -> None:
    from art.attacks.evasion import CarliniL2Method

    from fixtures.attacks.toolbox import CarliniWagnerL2, Target

    target = Target(logits)
    pixels = digits.images.astype(np.float32) / 255
    one_hot = np.eye(10)[digits.labels]
    changed = np.clip(pixels + 0.01, 0, 1)
    given = (
        logits(pixels),
        one_hot,
        pixels,
        changed,
        np.arctanh(1.98 * changed - 0.99),
        np.arange(20.0),
        0,
        1,
    )
    ours = CarliniWagnerL2(target, verbose=False)._loss_gradient(*given)
    library = CarliniL2Method(target, verbose=False)._loss_gradient(*given)
    np.testing.assert_allclose(ours, library, rtol=1e-4, atol=1e-5)


def test_a_network_that_ends_in_no_softmax_is_refused() -> None:
    keras = load().keras
    inputs = keras.Input((4, 4, 3))
    outputs = keras.layers.Dense(2, activation="sigmoid")(keras.layers.Flatten()(inputs))
    frozen = freeze(keras.Model(inputs, outputs), SCALING)
    with pytest.raises(ValueError, match="ends in a softmax, got Sigmoid"):
        Logits(frozen)
