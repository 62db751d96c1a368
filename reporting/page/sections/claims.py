"""Whether each file is what its technique claims: sparsity, clusters, int8, and what is in each layer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks.sections import Compression
from benchmarks.techniques import TECHNIQUES
from reporting.kernels import Held, Kernel, by_variant, distinct_values, held_claims
from reporting.page.section import Section
from reporting.page.view import Shown, View, number_or_none


def section(view: View) -> Section:
    """Return what the files hold beside what was claimed of them."""
    title = "Do the claims hold"
    report = view.report
    if report.kernels.empty:
        return Section("claims", title, "Claims", absent="the files of the variants were not inspected")
    compression = report.suite.compression if report.suite else Compression()
    kernels = by_variant(report.kernels)
    shown = [variant for variant in view.variants if variant.key in kernels]
    rows = [_row(variant, kernels[variant.key], compression) for variant in shown]
    names: dict[str, int] = {}
    return Section(
        "claims",
        title,
        "Claims",
        {
            "rows": rows,
            "datasets": view.datasets,
            "models": view.models,
            "broken": sum(any(claim["miss"] for claim in row["claims"]) for row in rows),
            "compression": compression,
            "variants": [(variant, view.places[variant.key]) for variant in shown],
        },
        {
            "layers": {
                str(view.places[variant.key]): [_layer(kernel, names) for kernel in kernels[variant.key]]
                for variant in shown
            },
            "names": list(names),
        },
    )


def _row(variant: Shown, kernels: Sequence[Kernel], compression: Compression) -> dict[str, Any]:
    """Return the figures of a variant's file, and how they stand to what its technique claims."""
    technique = TECHNIQUES.get(variant.technique)
    compressible = [kernel for kernel in kernels if not kernel.depthwise]
    claims = held_claims(kernels, technique, compression) if technique else []
    return {
        "variant": variant,
        "claims": [_claim(held, compression) for held in claims],
        "zeros": _share((kernel.sparsity, kernel.weights) for kernel in compressible),
        "distinct": max((distinct_values(kernel, technique) for kernel in compressible), default=None),
        "int8": _share((kernel.int8, kernel.weights) for kernel in kernels),
        "empty": sum(kernel.empty for kernel in kernels),
        "channels": sum(map(_channels, kernels)),
        "kernels": len(kernels),
    }


def _share(parts: Iterable[tuple[float, int]]) -> float | None:
    """Return the mean of shares by their weights, ``None`` of none."""
    known = list(parts)
    total = sum(weight for _, weight in known)
    return sum(share * weight for share, weight in known) / total if total else None


def _claim(held: Held, compression: Compression) -> dict[str, Any]:
    ratio = compression.l1_pruning.least_ratio
    what = {
        "channels_off": f"{100 * ratio:g} % or more of the channels {_off(compression)}",
        "int8_weights": "int8 weights",
        "sparse": f"{100 * compression.sparsity:g} % zeros",
        "clustered": f"{compression.clusters} clusters",
        "int8": "int8",
    }[held.claim]
    return {"what": what, "miss": held.miss, "of": held.of}


def _off(compression: Compression) -> str:
    return "taken out" if compression.l1_pruning.structural else "off"


def _channels(kernel: Kernel) -> int:
    """Return how many output channels a kernel has: the first of its sizes, the last of a depthwise one."""
    return int(kernel.shape.split("x")[-1 if kernel.depthwise else 0])


def _layer(kernel: Kernel, names: dict[str, int]) -> list[Any]:
    """Return what is shown of a kernel; ``names`` gets that of its layer, once."""
    return [
        names.setdefault(kernel.kernel, len(names)),
        kernel.shape,
        int(kernel.int8),
        kernel.weights,
        number_or_none(kernel.sparsity),
        kernel.distinct,
        kernel.distinct_whole,
        kernel.empty,
        int(kernel.depthwise),
    ]
