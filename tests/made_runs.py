"""Runs for tests, made from records: a suite that has their cases, a journal's header, its entries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from benchmarks.cases import Case
from benchmarks.results import Cell, ImageSet, Record
from benchmarks.schema import Suite
from benchmarks.sections import ANY_NAME, Known
from benchmarks.techniques import TECHNIQUES
from reporting.journal import Entry, Header

BUDGET = {"epochs": 1, "batch_size": 10, "learning_rate": 1e-3}


def suite_of(cases: Sequence[Case], severities: Sequence[int], **sections: Any) -> Suite:
    """Return a suite that has ``cases``, and perhaps others beside them."""

    def names(values: Iterable[str | None], otherwise: str) -> list[str]:
        return list(dict.fromkeys(value for value in values if value)) or [otherwise]

    def methods(kind: str) -> list[str]:
        return list(dict.fromkeys(case.method for case in cases if case.kind == kind and case.method))

    variants = [case.variant for case in cases]
    techniques = {variant.technique for variant in variants} or {"original"}
    value = {
        "name": "made",
        "description": "made for a test",
        "data": {"datasets": names((variant.dataset for variant in variants), "d")},
        "model": {"names": names((variant.model for variant in variants), "m")},
        "training": BUDGET,
        "fine_tuning": BUDGET,
        "compression": {"techniques": [name for name in TECHNIQUES if name in techniques]},
        "corruptions": {
            "names": names((case.corruption for case in cases), "fog"),
            "severities": list(severities),
        },
        "attacks": {"by_name": {name: {"method": "carlini_wagner"} for name in methods("adversarial")}},
        "explanations": {"names": methods("explainability")},
        **sections,
    }
    return Suite.model_validate(value, context={"known": Known(ANY_NAME, ANY_NAME, ANY_NAME)})


def header_of(cases: Sequence[Case], severities: Sequence[int], **sections: Any) -> Header:
    """Return the header of a run of just ``cases``."""
    families = {case.corruption: case.family for case in cases if case.corruption and case.family}
    suite = suite_of(cases, severities, **sections)
    return Header(
        suite,
        {name: families.get(name, "any") for name in suite.corruptions.names},
        tuple(str(case) for case in cases),
    )


def entries_of(records: Iterable[Record]) -> list[Entry]:
    """Return the entries of cases that passed with ``records``."""
    return [Entry(str(record.case), "passed", "", record) for record in records]


def record_of(case: Case, wrong: np.ndarray, *, population: int = 10_000, **identity: object) -> Record:
    """Return the record of a case whose variant was ``wrong``, bool (severities, images), on its images."""
    name = case.corruption or "clean"
    severities = range(1, len(wrong) + 1) if case.corruption else [0]
    cells = tuple(
        Cell(name, severity, len(row), int(row.sum()), np.packbits(row).tobytes())
        for severity, row in zip(severities, wrong, strict=True)
    )
    known = {"test": "abc", "test_images": wrong.shape[1], "seed": 1, **identity}
    if case.corruption:
        known.setdefault("corruption", {"name": name, "revision": 1, "scale": "cifar"})
    return Record(case, cells, images=ImageSet(population, known))
