"""Whether two runs looked at the same images, and if not, in what they differ.

Outcomes can be paired image by image only if the images are the same.  What determines them is the identity
of an image set (:class:`benchmarks.results.ImageSet`); here two of them are laid beside each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from benchmarks.schema import Suite
from reporting.frames import CLEAN

#: What people call the parts of an identity; another is called by its key.
_WORDS = MappingProxyType(
    {
        "images": "the number of images",
        "test": "the data set (digest of its test images)",
        "test_images": "the sample of images (data.test_images)",
        "seed": "the seed",
        "corruption.revision": "the revision of the corruption's code",
        "corruption.source": "the corruption's code (digest)",
        "corruption.scale": "the severity scale (corruptions.scale)",
        "corruption.frost_textures": "the textures of frost (digests)",
        "corruption.published": "the published files (digest)",
    }
)

_LIBRARY = "corruption.libraries."

#: Digits of a digest that are shown.
_DIGITS = 12


#: An image set of both runs: the data set, the corruption, its identity in the baseline and in this run.
Pair = tuple[str, str, Mapping[str, Any], Mapping[str, Any]]


def differences(pairs: Iterable[Pair], *, partly: bool = False) -> list[str]:
    """Return in words what differs: each part once, with both values and all the image sets it differs for.

    ``partly``: the identity in this run is known in part, and only that is compared.
    """
    where: dict[tuple[str, str, str], dict[str, dict[str, None]]] = {}
    for dataset, corruption, baseline, current in pairs:
        theirs, ours = dict(_flat(baseline)), dict(_flat(current))
        for part in ours if partly else theirs | ours:
            if part not in theirs or part not in ours or theirs[part] != ours[part]:
                values = (part, _shown(theirs.get(part)), _shown(ours.get(part)))
                where.setdefault(values, {}).setdefault(dataset, {})[corruption] = None
    return [
        f"{_word(part)} is {ours} in this run and {theirs} in the baseline ({_places(places)})"
        for (part, theirs, ours), places in where.items()
    ]


def known_beforehand(suite: Suite, corruption: str) -> dict[str, Any]:
    """Return the part of an identity that follows from a suite's settings alone."""
    known: dict[str, Any] = {"test_images": suite.data.test_images, "seed": suite.seed}
    if corruption != CLEAN and suite.corruptions.source == "generated":
        known["corruption"] = {"scale": suite.corruptions.scale}
    return known


def _flat(identity: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in identity.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _word(part: str) -> str:
    if part.startswith(_LIBRARY):
        return f"the version of {part.removeprefix(_LIBRARY)}"
    return _WORDS.get(part, part)


def _shown(value: object) -> str:
    if value is None:
        return "not told"
    text = str(value)
    return text if len(text) <= 2 * _DIGITS else f"{text[:_DIGITS]}..."


def _places(places: Mapping[str, Iterable[str]]) -> str:
    return "; ".join(f"{dataset}: {', '.join(names)}" for dataset, names in places.items())
