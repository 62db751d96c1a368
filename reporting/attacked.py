"""What attacks came to, from the records of a run: a row for each way in which a variant was attacked.

All ways are judged on the deployed file.  ``own`` goes through the gradients of what is deployed, which a
file with integers inside does not give; ``twin`` through a Keras network that stands for the file;
``transferred`` takes the images that were made on the original.  A *success* is an image that was right
before and is wrong after.

**Masking.**  An attack through a network's own gradients sees everything that the other ways see, so it
should fool no fewer images.  Where another way fools more, the gradients are hidden, not the network robust
(A. Athalye et al., Obfuscated Gradients Give a False Sense of Security, arXiv:1802.00420).  A way *beats own*
if it succeeds on more of the same images and McNemar's exact test says so at the suite's level, corrected for
all comparisons of the run by Benjamini and Hochberg.  An attack that gets no gradients changes no image, so
it counts as one that succeeds on none: another way needs more than a handful of successes to beat it.  A case
is ``masked`` if any way beats its own.  Two attacks may change an image by different amounts; the flag does
not look at the norm, which stands beside it.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.cases import Case, Variant
from benchmarks.results import Record
from benchmarks.sections import Statistics
from reporting.frames import VARIANT, frame, identity
from reporting.statistics.intervals import wilson
from reporting.statistics.paired import adjusted, discordant, mcnemar
from reporting.tables import class_name, variant_place
from reporting.uncertainty import drawn_from

#: The ways of attacking, in the order of a report.
WAYS = ("own", "twin", "transferred")

Way = Literal["own", "twin", "transferred"]

#: Column types: a row per case and way.  Rates are fractions of 1; what a way without gradients does not have
#: is ``NaN``, and ``why`` then says why it has none.  ``l2_mean`` and ``l2_median`` are of pixels in [0, 1].
ATTACKED: Mapping[str, str] = MappingProxyType(
    dict.fromkeys([*VARIANT, "attack", "method", "way"], "str")
    | {"gradients": "bool", "why": "str", "images": "int64", "right_before": "int64", "successes": "Int64"}
    | dict.fromkeys(
        (
            *("accuracy_before", "accuracy_after", "accuracy_after_low", "accuracy_after_high"),
            *("confidence_before", "confidence_after", "seconds_per_image", "l2_mean", "l2_median"),
            *("success", "success_low", "success_high", "attacked_wrong", "agreement", "p"),
        ),
        "float64",
    )
    | {"beats_own": "bool", "masked": "bool"}
)


@dataclass(frozen=True)
class Example:
    """An image that an attack changed: its class, what the file made of it before and after, and by what way.

    ``clean``, ``adversarial`` and ``change`` are pictures, PNG or WebP files in Base64.
    """

    label: str
    before: str
    after: str
    way: str
    clean: str
    adversarial: str
    change: str


@dataclass(frozen=True)
class Shown:
    """The examples of one variant under one attack, and the ``settings`` of this, by name."""

    variant: Variant
    attack: str
    settings: Mapping[str, Any]
    examples: tuple[Example, ...]


def attacked_of(records: Iterable[Record], statistics: Statistics) -> pd.DataFrame:
    """Return what the attacks of ``records`` came to, types :data:`ATTACKED`, in the order of their cases.

    Of two records of a case the later counts.  Intervals are about what those of accuracy are.
    """
    rows = [row for record in _cases(records) for row in _rows(record, statistics)]
    found = frame(rows, ATTACKED)
    # No test, as of ``own`` itself, is NaN and stays so.
    p = adjusted(found["p"].to_numpy())
    beats = found["beats_own"] & (p <= 1 - statistics.level)
    masked = found.assign(beats_own=beats).groupby([*VARIANT, "attack"])["beats_own"].transform("any")
    return found.assign(p=p, beats_own=beats, masked=masked.astype("bool"))


def shown_of(records: Iterable[Record]) -> tuple[Shown, ...]:
    """Return the settings and the examples of each case, in the order of :func:`attacked_of`."""
    return tuple(
        Shown(
            record.case.variant,
            str(record.case.method),
            dict(record.details["attack"]),
            tuple(_example(value, record.details.get("classes", {})) for value in record.details["examples"]),
        )
        for record in _cases(records)
    )


def attack_sentences(attacked: pd.DataFrame) -> Iterator[str]:
    """Yield the worst that attacks did, and how many variants mask their gradients; nothing without any."""
    known = attacked.dropna(subset=["accuracy_after"])
    if len(known):
        worst = known.sort_values("accuracy_after", kind="stable").iloc[0]
        named = "-".join(str(worst[name]) for name in VARIANT)
        cases = attacked.drop_duplicates([*VARIANT, "attack"])
        masked = cases[cases["masked"]][VARIANT].drop_duplicates()
        variants = cases[VARIANT].drop_duplicates()
        yield (
            f"Attacks: accuracy falls to {worst['accuracy_after']:.1%} at worst ({named}, {worst['attack']}, "
            f"{PHRASES[worst['way']]}); {len(masked)} of {len(variants)} attacked variants only mask their "
            "gradients."
        )


#: How each way is put in a sentence.
PHRASES: Mapping[str, str] = MappingProxyType(
    {
        "own": "through its own gradients",
        "twin": "through the gradients of its twin",
        "transferred": "with images made on the original",
    }
)


def masking_sentence(rows: pd.DataFrame) -> str:
    """Return in words how a variant masks its gradients; ``rows`` are the ways of one case that does."""
    [own] = rows[rows["way"] == "own"].to_dict("records")
    other = rows[rows["beats_own"]].sort_values("success", ascending=False, kind="stable").iloc[0]
    made = {"twin": "made on its twin", "transferred": "made on the original"}[other["way"]]
    fooled = f"images {made} fool it on {100 * other['success']:.1f} % of the images that it had right"
    if not own["gradients"]:
        return (
            f"gradients of the deployed file give nothing, yet {fooled}: this is gradient masking, not "
            "robustness."
        )
    return (
        f"its own gradients fool it on {100 * own['success']:.1f} % of the images that it had right, yet "
        f"{fooled}: this is gradient masking, not robustness."
    )


def _cases(records: Iterable[Record]) -> list[Record]:
    by_case = {record.case: record for record in records if record.case.kind == "adversarial"}
    return sorted(by_case.values(), key=lambda record: _place(record.case))


def _place(case: Case) -> tuple[str, str, str, tuple[int, str]]:
    """Return what cases are sorted by: the attack goes before the technique."""
    dataset, model, technique = variant_place(case.variant)
    return dataset, model, str(case.method), technique


def _rows(record: Record, statistics: Statistics) -> Iterator[dict[str, Any]]:
    """Yield a row for each way of a case; ``beats_own`` says whether it succeeds more often at all."""
    details = record.details
    images = int(details["images"])
    before = _outcomes(details["wrong_before"], images)
    ways = sorted(details["ways"], key=lambda way: WAYS.index(way["way"]))
    wrong = {way["way"]: _outcomes(way["wrong"], images) for way in ways if way["gradients"]}
    fooled = {name: ~before & after for name, after in wrong.items()}
    of_own = fooled.get("own", np.zeros(images, bool))
    population = drawn_from(record, statistics)
    sure = statistics.about == "such-images" or population is not None
    agreement = details.get("agreement")
    shared = identity(record.case.variant) | {
        "attack": record.case.method,
        "method": details["attack"]["method"],
        "images": images,
        "right_before": int((~before).sum()),
        "accuracy_before": 1 - before.mean(),
        "confidence_before": record.metrics["clean_confidence"],
        "agreement": agreement["same"] / agreement["images"] if agreement else np.nan,
        "beats_own": False,
        "masked": False,
    }
    for way in ways:
        name = way["way"]
        row = shared | {"way": name, "gradients": way["gradients"], "why": way.get("why", "")}
        if name not in wrong:
            yield row | {"successes": pd.NA, "p": np.nan}
            continue
        fewer, more = discordant(of_own, fooled[name])
        yield row | {
            "successes": int(fooled[name].sum()),
            "accuracy_after": 1 - wrong[name].mean(),
            "confidence_after": way["confidence"],
            "seconds_per_image": way["seconds_per_image"],
            "l2_mean": _number(way["l2_mean"]),
            "l2_median": _number(way["l2_median"]),
            "success": fooled[name].sum() / (~before).sum() if (~before).any() else np.nan,
            "attacked_wrong": _number(way["attacked_wrong"]),
            "p": np.nan if name == "own" else float(mcnemar(fewer, more)),
            "beats_own": bool(more > fewer),
            **(_intervals(wrong[name], before, population, statistics.level) if sure else {}),
        }


def _intervals(
    wrong: npt.NDArray[np.bool_], before: npt.NDArray[np.bool_], population: int | None, level: float
) -> dict[str, float]:
    """Return the bounds of accuracy after and of success; both arrays are bool (images,).

    Of a test set of ``population`` images as large a share is right before as of these images.
    """
    images, right = len(before), int((~before).sum())
    low, high = wilson(int(wrong.sum()), images, level=level, population=population)
    success = wilson(
        int((~before & wrong).sum()),
        right,
        level=level,
        population=None if population is None else right * (population / images),
    )
    return {
        "accuracy_after_low": 1 - float(high),
        "accuracy_after_high": 1 - float(low),
        "success_low": float(success[0]),
        "success_high": float(success[1]),
    }


def _outcomes(packed: str, images: int) -> npt.NDArray[np.bool_]:
    """Return bool (images,) of what a record has as packed bits in Base64."""
    content = np.frombuffer(base64.b64decode(packed, validate=True), np.uint8)
    if len(content) != -(-images // 8):
        raise ValueError(
            f"expected outcomes of {images} images, got {len(content)} bytes, because an image has a bit"
        )
    return np.unpackbits(content, count=images).astype(bool)


def _number(value: float | None) -> float:
    return np.nan if value is None else value


def _example(value: Mapping[str, Any], names: Mapping[str, str]) -> Example:
    label, before, after = (class_name(value[name], names) for name in ("label", "before", "after"))
    pictures = {name: value[name] for name in ("clean", "adversarial", "change")}
    return Example(label, before, after, value["way"], **pictures)
