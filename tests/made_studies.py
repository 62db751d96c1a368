"""Made-up records of attacks and explanations, as the second study measures them."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import PIL.Image

from benchmarks.cases import Case, Variant
from benchmarks.results import ImageSet, Record

CLASSES = ("cat", "dog", "ship", "frog", "deer", "bird", "car", "truck", "horse", "plane")


def packed(wrong: np.ndarray) -> str:
    """Return bool (images,) as a record has it."""
    return base64.b64encode(np.packbits(wrong).tobytes()).decode("ascii")


def way_of(way: str, wrong: np.ndarray | None, **figures: Any) -> dict[str, Any]:
    """Return what a record tells of a way; ``wrong`` is bool (images,), or ``None`` for no gradients."""
    if wrong is None:
        return {"way": way, "gradients": False, "why": "the operators of the file have no gradients"}
    usual = {"confidence": 0.71, "seconds_per_image": 0.43, "l2_mean": 0.62, "l2_median": 0.55}
    return {"way": way, "gradients": True, "wrong": packed(wrong), **usual, "attacked_wrong": 0.97} | figures


def attack_record(
    variant: Variant,
    before: np.ndarray,
    *ways: dict[str, Any],
    attack: str = "cw",
    population: int | None = 10_000,
    examples: int = 0,
    side: int = 8,
) -> Record:
    """Return the record of an attack on images of which those of ``before``, bool (images,), were wrong."""
    after = [
        np.unpackbits(np.frombuffer(base64.b64decode(way["wrong"]), np.uint8), count=len(before))
        for way in ways
        if way["gradients"]
    ]
    rng = np.random.default_rng(len(variant.technique))
    details = {
        "attack": {"method": "carlini_wagner", "learning_rate": 5e-5, "iterations": 40},
        "images": len(before),
        "wrong_before": packed(before),
        "ways": list(ways),
        "agreement": {"images": 200, "same": 198},
        "examples": [
            {"label": CLASSES[place], "before": CLASSES[place], "after": CLASSES[place + 1], "way": "own"}
            | {name: blob(rng, side) for name in ("clean", "adversarial", "change")}
            for place in range(examples)
        ],
        "from_store": False,
    }
    metrics = {
        "clean_accuracy": float(1 - before.mean()),
        "post_attack_accuracy": float(1 - max([before.mean(), *(wrong.mean() for wrong in after)])),
        "clean_confidence": 0.93,
    }
    images = population and ImageSet(population, {"test": "abc", "test_images": len(before), "seed": 1})
    return Record(Case(variant, "adversarial", method=attack), (), metrics, details, images or None)


def usual_attack(variant: Variant, place: int, images: int = 200, **options: Any) -> Record:
    """Return an attack that fools a float network, and that an int8 file seems to withstand."""
    rng = np.random.default_rng(place)
    before = rng.random(images) < 0.1 + 0.01 * place
    fooled, moved = (before | (rng.random(images) < rate) for rate in (0.9, 0.6))
    if variant.technique.endswith("int8"):
        ways = [way_of("own", None), way_of("twin", fooled), way_of("transferred", moved)]
    else:
        ways = [way_of("own", fooled)]
        if variant.technique != "original":
            ways.append(way_of("transferred", moved))
    return attack_record(variant, before, *ways, **options)


def embedding_record(variant: Variant, images: int = 60, spread: float = 8.0, **changes: Any) -> Record:
    """Return the record of a map with a cloud of points for each class."""
    rng = np.random.default_rng(len(variant.technique))
    labels = np.arange(images) % len(CLASSES)
    angles = 2 * np.pi * labels / len(CLASSES)
    places = 40 * np.stack([np.cos(angles), np.sin(angles)], axis=1) + rng.normal(0, spread, (images, 2))
    metrics = {"neighbour_accuracy": 0.83, "silhouette": 0.21, "trustworthiness": 0.97, "agreement": 0.99}
    details = {
        "layer": "dense",
        "points": places.round(2).tolist(),
        "labels": labels.tolist(),
        "class_names": list(CLASSES),
        "neighbours": 10,
        "agreement": {"images": images, "same": images - 1},
        "from_store": False,
    }
    case = Case(variant, "explainability", method="embedding")
    return Record(case, metrics=metrics, details=details | changes)


def maps_record(variant: Variant, correlation: float = 0.8, samples: int = 2, side: int = 8) -> Record:
    """Return the record of activation maps; each sample is the same image for every variant."""
    own = np.random.default_rng(len(variant.technique))
    images = [blob(np.random.default_rng(place), side) for place in range(samples)]
    metrics = {"gradcam_correlation": correlation, "guided_correlation": correlation / 2}
    metrics |= {"deletion_auc": 0.31, "insertion_auc": 0.74, "agreement": 0.995}
    details = {
        "layer": "conv6",
        "correlations": [correlation] * 4,
        "guided_correlations": [correlation / 2] * 4,
        "deletion": [[0.0, 0.9], [0.5, 0.3], [1.0, 0.1]],
        "insertion": [[0.0, 0.1], [0.5, 0.7], [1.0, 0.9]],
        "samples": [
            {
                "label": CLASSES[place],
                "predicted": CLASSES[place + (place == 1)],
                "confidence": 0.9 - 0.1 * place,
                "image": image,
                "gradcam": blob(own, side),
                "guided": blob(own, side),
            }
            for place, image in enumerate(images)
        ],
        "agreement": {"images": 200, "same": 199},
        "from_store": False,
    }
    return Record(Case(variant, "explainability", method="activation_maps"), metrics=metrics, details=details)


def blob(rng: np.random.Generator, side: int) -> str:
    """Return a picture of a bright spot on a ground of some colour, a WebP file in Base64."""
    y, x = np.mgrid[:side, :side] / side
    bright = np.exp(-((x - rng.random()) ** 2 + (y - rng.random()) ** 2) / 0.05)
    image = 255 * (0.6 * rng.random(3) + 0.4 * bright[..., None])
    buffer = io.BytesIO()
    PIL.Image.fromarray(image.astype(np.uint8)).save(buffer, "WEBP", quality=90)
    return base64.b64encode(buffer.getvalue()).decode("ascii")
