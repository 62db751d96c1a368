"""Random numbers for the kernels of the corruptions: their own, and those of the published generator."""

from __future__ import annotations

from importlib import import_module

import numpy as np

from fixtures.corruptions import CORRUPTIONS
from fixtures.corruptions.elastic import ElasticDraws
from fixtures.corruptions.frost import Crops, frost_textures
from fixtures.corruptions.noise import Impulses
from fixtures.corruptions.streams import Streams
from fixtures.corruptions.weather import SnowDraws

GOLDEN_SEED = 0


def kernel_of(name):
    return import_module(f"fixtures.corruptions.{CORRUPTIONS[name].family}").KERNELS[name]


def options_of(name, scale, directory=None):
    return {"scale": scale, "directory": directory} if name == "frost" else {}


def draw(name, images, severity, scale, seed=0):
    """Return constants and draws of a corruption, floating-point draws as 64-bit numbers."""
    constants = CORRUPTIONS[name].constants[scale][severity - 1]
    streams = Streams(seed, name, severity, np.arange(len(images)))
    draws = kernel_of(name).draw(streams, images, constants, **options_of(name, scale))
    return constants, _as_doubles(draws)


def _as_doubles(draws):
    if isinstance(draws, tuple):
        return type(draws)(*(_as_doubles(part) for part in draws))
    return draws.astype(np.float64) if getattr(draws, "dtype", None) == np.float32 else draws


def of_image(name, draws, place, scale, shape):
    """Return the draws of one image, as the plain loop takes them."""
    if name == "frost":
        texture, row, column = (part[place] for part in draws)
        return frost_textures(scale, *shape, None)[texture][row : row + shape[0], column : column + shape[1]]
    if draws is None:
        return None
    return tuple(part[place] for part in draws) if isinstance(draws, tuple) else draws[place]


def replayed(name, images, constants, directory):
    """Return what the published generator draws for each image when it is seeded anew for each.

    ``numpy.random.RandomState`` in its order and with its distributions; the images are 32×32 pixels.
    """
    rng = np.random.RandomState(GOLDEN_SEED)
    values, pixels = images.shape[1:], images.shape[1:3]

    def for_all(numbers):
        return np.repeat(np.asarray(numbers)[None], len(images), axis=0)

    draws = None
    if name in ("gaussian_noise", "speckle_noise"):
        draws = for_all(rng.normal(size=values))
    elif name == "shot_noise":
        seeded = (np.random.RandomState(GOLDEN_SEED) for _ in images)
        rates = images / 255.0 * constants[0]
        draws = np.stack([one.poisson(rate) for one, rate in zip(seeded, rates, strict=True)])
    elif name == "impulse_noise":
        flipped, salted = rng.random_sample(values) < constants[0], rng.random_sample(values) < 0.5
        draws = Impulses(for_all(flipped), for_all(salted))
    elif name == "glass_blur":
        draws = for_all([rng.randint(-1, 1, (30, 30, 2)) for _ in range(constants[2])])
    elif name == "motion_blur":
        draws = for_all(rng.random_sample())
    elif name == "snow":
        draws = SnowDraws(for_all(rng.normal(size=pixels)), for_all(rng.random_sample()))
    elif name == "frost":
        texture = rng.randint(5)
        height, width = frost_textures("cifar", *pixels, directory)[texture].shape[:2]
        corner = rng.randint(0, height - 32), rng.randint(0, width - 32)
        draws = Crops(for_all(texture), for_all(corner[0]), for_all(corner[1]))
    elif name == "fog":
        draws = for_all(rng.random_sample(32 * 32 - 1))
    elif name == "elastic_transform":
        draws = ElasticDraws(for_all(rng.random_sample((3, 2))), for_all(rng.random_sample((2, *pixels))))
    elif name == "spatter":
        draws = for_all(rng.normal(size=pixels))
    return draws
