"""A case is a plain value that says what is measured on which variant, and what it is selected by."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.cases import KINDS, Case, Variant
from benchmarks.plugin import known_names, marker_names
from benchmarks.results import Cell, ImageSet, Record
from benchmarks.techniques import TECHNIQUES

VARIANT = Variant("digits", "vgg6", "pcqat_int8")

NAMES = st.text(min_size=1, max_size=8)
COUNTS = st.integers(0, 10_000)
OUTCOMES = st.lists(st.booleans(), min_size=1, max_size=20)
CELLS = st.builds(Cell, NAMES, st.integers(0, 5), st.just(10_000), COUNTS) | st.builds(
    lambda name, wrong: Cell(name, 1, len(wrong), sum(wrong), np.packbits(wrong).tobytes()), NAMES, OUTCOMES
)
RECORDS = st.builds(
    Record,
    case=st.builds(
        Case, st.builds(Variant, NAMES, NAMES, NAMES), st.sampled_from(list(KINDS)), st.none() | NAMES
    ),
    cells=st.lists(CELLS, max_size=6).map(tuple),
    metrics=st.dictionaries(NAMES, st.floats(allow_nan=False, allow_infinity=False)),
    details=st.dictionaries(NAMES, st.lists(COUNTS)),
    images=st.none() | st.builds(ImageSet, COUNTS, st.dictionaries(NAMES, COUNTS)),
)


def test_variant_is_written_data_set_model_technique() -> None:
    assert str(VARIANT) == "digits-vgg6-pcqat_int8"


def test_variant_is_compared_with_the_original_of_its_model_and_data_set() -> None:
    assert VARIANT.original == Variant("digits", "vgg6", "original")
    assert VARIANT.original.original == VARIANT.original


@pytest.mark.parametrize(
    ("case", "text"),
    [
        (Case(VARIANT, "robustness", "fog", "weather"), "digits-vgg6-pcqat_int8-fog"),
        (Case(VARIANT, "accuracy"), "digits-vgg6-pcqat_int8-clean"),
        (Case(VARIANT, "claims"), "digits-vgg6-pcqat_int8-claims"),
        (Case(VARIANT, "latency"), "digits-vgg6-pcqat_int8-latency"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_case_is_written_as_its_variant_and_what_is_looked_at(case: Case, text: str) -> None:
    assert str(case) == text


def test_case_is_selected_by_each_of_its_parts_and_by_the_traits_of_its_technique() -> None:
    assert sorted(marker_names(Case(VARIANT, "robustness", "fog", "weather"))) == sorted(
        ["digits", "vgg6", "technique-pcqat_int8", "pruned", "clustered", "qat", "int8", "fog", "weather"]
    )


def test_case_without_corruption_is_selected_by_no_corruption() -> None:
    corruptions = known_names().corruptions
    assert not {*corruptions, *corruptions.values()} & set(marker_names(Case(VARIANT, "claims")))


@pytest.mark.parametrize("technique", TECHNIQUES)
def test_case_is_selected_by_the_technique_it_is_of_and_by_no_other(technique: str) -> None:
    names = marker_names(Case(Variant("digits", "vgg6", technique), "accuracy"))
    assert [name for name in names if name.startswith("technique-")] == [f"technique-{technique}"]


def test_names_that_a_suite_may_use_are_all_that_is_registered() -> None:
    from fixtures.corruptions import CORRUPTIONS
    from fixtures.datasets import DATASETS
    from fixtures.models import MODELS

    known = known_names()
    assert list(known.datasets) == list(DATASETS)
    assert list(known.models) == list(MODELS)
    assert known.corruptions == {name: corruption.family for name, corruption in CORRUPTIONS.items()}


@given(RECORDS)
def test_record_comes_back_from_json_as_it_was(record: Record) -> None:
    assert Record.from_json(json.loads(json.dumps(record.to_json()))) == record


@pytest.mark.parametrize("missing", ["case", "cells", "metrics", "details"])
def test_record_without_one_of_its_parts_is_refused(missing: str) -> None:
    value = Record(Case(VARIANT, "claims")).to_json()
    del value[missing]
    with pytest.raises(KeyError, match=missing):
        Record.from_json(value)


def test_record_with_a_part_too_many_is_refused() -> None:
    value = Record(Case(VARIANT, "accuracy"), (Cell("clean", 0, 10, 1),)).to_json()
    value["cells"][0]["skipped"] = 3
    with pytest.raises(TypeError, match="skipped"):
        Record.from_json(value)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_record_with_a_figure_that_is_no_number_is_refused_by_its_name(value: float) -> None:
    told = r"sparsity to be a finite number, got (nan|inf) \(digits-.*-claims\)"
    record = Record(Case(VARIANT, "claims"), metrics={"sparsity": value})
    with pytest.raises(ValueError, match=told):
        record.to_json()
    whole = Record(record.case).to_json()
    with pytest.raises(ValueError, match=told):
        Record.from_json({**whole, "metrics": {"sparsity": value}})


@pytest.mark.parametrize(
    ("images", "errors", "wrong"),
    [(10, 11, b""), (10, -1, b""), (10, math.nan, b""), (10, 1, b"\x80"), (10, 1, b"\xc0\x00")],
    ids=["more errors than images", "less than none", "no number", "too few bits", "other bits"],
)
def test_cell_whose_figures_do_not_fit_together_is_refused(images: int, errors: int, wrong: bytes) -> None:
    with pytest.raises(ValueError, match="fog at severity 3"):
        Cell("fog", 3, images, errors, wrong)
