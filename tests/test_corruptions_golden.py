"""The corruptions against images that the published generator made."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from corruption_draws import kernel_of, options_of, replayed

from fixtures.corruptions import CORRUPTIONS

REFERENCE = Path(__file__).resolve().parents[1].parent / "shared" / "reference" / "corruptions"

pytestmark = pytest.mark.skipif(
    not (REFERENCE / "golden_dev.npz").is_file(), reason=f"no golden images at {REFERENCE}"
)

PUBLISHED = [corruption.name for corruption in CORRUPTIONS.values() if corruption.function is None]

#: Share of values that may differ, by one grey level: where the order of a sum decides about truncation.
TOLERATED = {"defocus_blur": 0.01, "elastic_transform": 0.01, "snow": 0.001}


@pytest.fixture(scope="module")
def golden():
    with np.load(REFERENCE / "golden_dev.npz", allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


@pytest.mark.parametrize("severity", range(1, 6))
@pytest.mark.parametrize("name", PUBLISHED)
def test_a_corruption_makes_the_published_pixels_from_the_published_random_numbers(golden, name, severity):
    constants = CORRUPTIONS[name].constants["cifar"][severity - 1]
    draws = replayed(name, golden["clean"], constants, REFERENCE / "frost")
    options = options_of(name, "cifar", REFERENCE / "frost")
    made = kernel_of(name).apply(golden["clean"], draws, constants, **options)
    difference = np.abs(made.astype(int) - golden[name][severity - 1])
    assert difference.max() <= (1 if name in TOLERATED else 0)
    assert (difference > 0).mean() <= TOLERATED.get(name, 0)


@pytest.mark.parametrize(
    "name", ["gaussian_noise", "speckle_noise", "fog", "spatter", "snow", "elastic_transform"]
)
def test_draws_in_single_precision_change_a_grey_level_by_one_at_most_and_rarely(golden, name):
    constants = CORRUPTIONS[name].constants["cifar"][2]
    doubles = replayed(name, golden["clean"], constants, None)
    singles = _as_singles(doubles)
    apply = kernel_of(name).apply
    exact, single = (apply(golden["clean"], d, constants).astype(int) for d in (doubles, singles))
    difference = np.abs(exact - single)
    assert difference.max() <= 1
    assert (difference > 0).mean() < 1e-3


def _as_singles(draws):
    if not isinstance(draws, tuple):
        return draws.astype(np.float32)
    return type(draws)(
        *(part.astype(np.float32) if part.ndim > 2 and part.shape[1:] != (3, 2) else part for part in draws)
    )
