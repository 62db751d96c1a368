"""Reports for tests, made from records of every kind: errors by image, claims, latency, pictures."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import PIL.Image
from made_runs import entries_of, header_of, record_of
from made_studies import CLASSES, embedding_record, maps_record, usual_attack

from benchmarks.cases import STANDARD_CORRUPTIONS, STANDARD_FAMILIES, Case, Variant
from benchmarks.results import Record
from benchmarks.techniques import ORIGINAL_STUDY, TECHNIQUES
from reporting.journal import Entry
from reporting.report import Report

SEVERITIES = (1, 2, 3, 4, 5)

ABOUT = {
    "command": "pytest benchmarks -n auto --suite made",
    "started": "2026-03-01T10:00:00+00:00",
    "ended": "2026-03-01T11:02:03+00:00",
    "python": "3.12.1",
    "libraries": {"numpy": "2.3.0"},
    "machine": "2 cores, x86_64, Linux",
}


def records_of(
    variants: Sequence[Variant],
    *,
    corruptions: Sequence[str] = STANDARD_CORRUPTIONS,
    severities: Sequence[int] = SEVERITIES,
    images: int = 200,
    kernels: int = 2,
    side: int = 8,
) -> list[Record]:
    """Return records of every kind of each variant; ``side`` is that of its pictures, 0 for none."""
    rng = np.random.default_rng(7)
    difficulty = rng.random(images)
    return [
        record
        for place, variant in enumerate(variants)
        for record in (
            *_predicted(
                variant,
                place,
                rng,
                corruptions=corruptions,
                severities=severities,
                difficulty=difficulty,
                side=side,
            ),
            _claims(variant, place, kernels),
            _latency(variant, place, rng),
            usual_attack(variant, place, examples=1 if side else 0, side=side),
            embedding_record(variant),
            *([maps_record(variant, side=side)] if side else []),
        )
    ]


def variants_of(
    datasets: Sequence[str] = ("d",),
    models: Sequence[str] = ("m",),
    techniques: Sequence[str] = ("original", "int8"),
) -> list[Variant]:
    return [
        Variant(dataset, model, technique)
        for dataset in datasets
        for model in models
        for technique in techniques
    ]


def report_of(records: Sequence[Record], others: Sequence[Entry] = (), **sections: Any) -> Report:
    """Return the report of a run of just ``records``, and of ``others``, which had none or did not pass."""
    severities = sorted({cell.severity for record in records for cell in record.cells} - {0}) or SEVERITIES
    sections.setdefault("statistics", {"replicates": 100})  # which is quick
    header = header_of([record.case for record in records], severities, **sections)
    return Report.of_run(
        type(header)(header.suite, header.families, header.selected, ABOUT),
        [*entries_of(records), *others],
        with_paper=False,
    )


def whole_report(**options: Any) -> Report:
    """Return a report that has something for every section; the options are those of :func:`records_of`."""
    return report_of(records_of(variants_of(models=("a", "b"), techniques=ORIGINAL_STUDY), **options))


def picture(rng: np.random.Generator, side: int, kind: str) -> str:
    """Return a picture of noise in Base64."""
    buffer = io.BytesIO()
    noise = rng.integers(0, 256, (side, side, 3), dtype=np.uint8)
    PIL.Image.fromarray(noise).save(buffer, kind, quality=90)
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def _predicted(
    variant: Variant,
    place: int,
    rng: np.random.Generator,
    *,
    corruptions: Sequence[str],
    severities: Sequence[int],
    difficulty: np.ndarray,
    side: int,
) -> Iterator[Record]:
    """Yield the accuracy and robustness cases: an image is wrong if it is too difficult."""
    for number, corruption in enumerate((None, *corruptions)):
        levels = severities if corruption else (0,)
        skill = np.array([0.75 - 0.01 * place - 0.01 * (number % 5) - 0.08 * level for level in levels])
        wrong = difficulty + rng.normal(0, 0.05, (len(levels), len(difficulty))) > skill[:, np.newaxis]
        case = (
            Case(variant, "robustness", corruption, STANDARD_FAMILIES.get(corruption, "noise"))
            if corruption
            else Case(variant, "accuracy")
        )
        record = record_of(case, wrong)
        details = dict(record.details)
        if side and variant == variant.original:
            details["example"] = [picture(rng, side, "PNG") for _ in levels]
        elif side:
            details["forgotten"] = _forgotten(place + number, levels, side, rng)
        yield Record(case, record.cells, details=details, images=record.images)


def _forgotten(number: int, levels: Sequence[int], side: int, rng: np.random.Generator) -> dict[str, Any]:
    first, second = number % len(CLASSES), (number + 3) % len(CLASSES)
    return {
        "right": 60,
        "count": 7,
        "gained": 2,
        "by_class": [[first, 5, 20], [second, 2, 20]],
        "kept": [[(number + 1) % len(CLASSES), 20]],
        "confusions": [[first, second, 4], [second, first, 2]],
        "examples": [
            {
                "image": 10 * number + label,
                "severity": levels[-1],
                "label": label,
                "predicted": other,
                "picture": picture(rng, side, "WEBP"),
            }
            for label, other in ((first, second), (second, first))
        ],
        "classes": {str(label): name for label, name in enumerate(CLASSES)},
    }


def _claims(variant: Variant, place: int, kernels: int) -> Record:
    """Return the record of a file that is what its technique claims, as far as that is known."""
    claims = TECHNIQUES[variant.technique].claims if variant.technique in TECHNIQUES else None
    found = [
        {
            "name": f"{variant.model}/conv{number}/Conv2D;{variant.model}/conv{number}/BiasAdd",
            "shape": [16, 3, 3, 8],
            "sparsity": 0.5 if claims and claims.sparse else 0.0,
            "distinct": 16 if claims and claims.clustered else 70,
            "distinct_whole": 16 if claims and claims.clustered else 900,
            "empty": 0,
            "int8": bool(claims and claims.int8),
            "depthwise": False,
        }
        for number in range(kernels)
    ]
    small = 1 + (2 if claims and claims.int8 else 0) + (1 if claims and claims.sparse else 0)
    zipped = 900_000 // small + 1000 * place
    return Record(
        Case(variant, "claims"),
        metrics={"zipped_bytes": zipped, "file_bytes": 2 * zipped},
        details={"kernels": found},
    )


def _latency(variant: Variant, place: int, rng: np.random.Generator) -> Record:
    seconds = 0.001 * (1 + 0.1 * place) * (1 + rng.gamma(2, 0.05, 50))
    metrics = {
        "latency_median_s": float(np.median(seconds)),
        "latency_p90_s": float(np.quantile(seconds, 0.9)),
    }
    return Record(
        Case(variant, "latency"),
        metrics=metrics,
        details={"seconds": [round(time, 7) for time in seconds.tolist()]},
    )
