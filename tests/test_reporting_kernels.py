"""The table of kernels: what claims records say of each file, and what is said of depthwise kernels."""

from __future__ import annotations

from typing import Any

from benchmarks.cases import Case, Variant
from benchmarks.results import Record
from reporting.kernels import KERNELS, depthwise_sentences, kernels_of


def kernel(name: str, *shape: int, **changes: Any) -> dict[str, Any]:
    figures = {"sparsity": 0.5, "distinct": 8, "distinct_whole": 16, "empty": 1, "int8": True}
    return {"name": name, "shape": list(shape), "depthwise": False, **figures, **changes}


def record(*kernels: dict[str, Any], technique: str = "pcqat_int8") -> Record:
    case = Case(Variant("digits", "mobilenet_v2", technique), "claims")
    return Record(case, details={"kernels": list(kernels)})


def test_each_kernel_is_a_row_with_its_figures() -> None:
    table = kernels_of([record(kernel("conv", 8, 3, 3, 4), kernel("dense", 10, 8))])
    assert list(table.columns) == list(KERNELS)
    assert table.loc[0, ["technique", "kernel", "shape", "weights"]].tolist() == [
        *("pcqat_int8", "conv", "8x3x3x4", 288)
    ]
    assert table.loc[1, ["sparsity", "distinct", "distinct_whole", "empty", "int8"]].tolist() == [
        *(0.5, 8, 16, 1, True)
    ]


def test_only_records_of_claims_have_kernels() -> None:
    other = Record(Case(Variant("digits", "vgg6", "qat"), "accuracy"))
    assert kernels_of([other]).empty


def test_depthwise_kernels_are_told_of_once_a_network() -> None:
    files = [
        record(kernel("a", 1, 3, 3, 10, depthwise=True), kernel("b", 9, 10), technique=technique)
        for technique in ("clustered", "clustered_int8")
    ]
    (sentence,) = depthwise_sentences(kernels_of(files))
    assert sentence.startswith("digits-mobilenet_v2: 1 of 2 kernels are depthwise (50.0% of the weights).")


def test_a_network_without_depthwise_kernels_needs_no_word() -> None:
    assert not list(depthwise_sentences(kernels_of([record(kernel("conv", 8, 3, 3, 4))])))
