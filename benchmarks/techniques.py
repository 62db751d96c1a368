"""The graph of compression techniques, declared as data.

A technique is a path in this graph: it starts at the trained ``original`` network, each float node is
one step further than its parent, and an ``int8`` leaf hangs on each float node.  Naming, marking,
running, checking and drawing a technique all read this one declaration; to add one, add a node here and
(for a new kind of step) its function in ``fixtures/compression/steps.py``.

The sixteen techniques, their numbers and their names are Table II of Castro et al., "Evaluating the
Impact of Compression Techniques on the Robustness of CNNs under Natural Corruptions" (2025).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import MappingProxyType


@dataclass(frozen=True)
class Claims:
    """What a technique promises of its artifact, checked after it has been made.

    ``sparse``: at least the suite's target sparsity over the prunable kernels.
    ``clustered``: at most the suite's number of centroids as distinct values in each clustered kernel.
    ``int8``: a full-integer file, without one float operator, uint8 in and uint8 out.
    """

    sparse: bool = False
    clustered: bool = False
    int8: bool = False


@dataclass(frozen=True)
class Technique:
    """One node of the graph.

    ``code`` is its number in reports, ``name`` the identifier in case ids and suites, ``title`` what people
    read, ``parent`` the name of the node it is made from (``None`` for the root), ``step`` the name of the
    function that makes it, ``traits`` the markers that select it beside others.
    """

    code: int
    name: str
    title: str
    parent: str | None
    step: str
    claims: Claims
    traits: frozenset[str]

    @property
    def converted(self) -> bool:
        """Whether it is its parent's network, converted otherwise, and none of its own."""
        return self.step.startswith("convert_")


_KEEPING = "Sparsity-preserving"


def _declare() -> Iterator[Technique]:
    sparse, clustered = Claims(sparse=True), Claims(clustered=True)
    both, neither = Claims(sparse=True, clustered=True), Claims()
    float_nodes = (
        # code, name, title, parent, step, claims, fake-quantized
        (1, "original", "Original", None, "train", neither, False),
        (3, "pruned", "Pruning", "original", "prune", sparse, False),
        (5, "clustered", "Clustering", "original", "cluster", clustered, False),
        (7, "sparse_clustered", f"{_KEEPING} clustering", "pruned", "sparse_cluster", both, False),
        (9, "qat", "QAT", "original", "qat", neither, True),
        (11, "cqat", "CQAT", "clustered", "cqat", clustered, True),
        (13, "pqat", "PQAT", "pruned", "pqat", sparse, True),
        (15, "pcqat", "PCQAT", "sparse_clustered", "pcqat", both, True),
    )
    for code, name, title, parent, step, claims, qat in float_nodes:
        held = {"pruned": claims.sparse, "clustered": claims.clustered, "qat": qat}
        traits = {trait for trait, has in held.items() if has}
        yield Technique(code, name, title, parent, step, claims, frozenset({*traits, "float"}))
        yield Technique(
            code + 1,
            "int8" if parent is None else f"{name}_int8",
            "Quantization Int8" if parent is None else f"{title} + Int8",
            name,
            "convert_int8",
            replace(claims, int8=True),
            frozenset({*traits, "int8"}),
        )


#: Every known technique by name, parents before children.
TECHNIQUES: MappingProxyType[str, Technique] = MappingProxyType({t.name: t for t in _declare()})

#: Every trait that a technique can have, with what it means (used to describe markers).
TRAITS = MappingProxyType(
    {
        "float": "weights and activations in floating point",
        "int8": "converted to a full-integer file",
        "pruned": "sparse kernels",
        "clustered": "kernels with few distinct values",
        "qat": "trained with fake quantization",
    }
)


def float_node(name: str) -> str:
    """Return the name of the float technique that ``name`` is or is converted from."""
    technique = TECHNIQUES[name]
    return technique.parent if technique.converted and technique.parent else name


def lineage(name: str) -> tuple[Technique, ...]:
    """Return the path from the root of the graph to the technique ``name``, both included."""
    path = []
    step: str | None = name
    while step is not None:
        technique = TECHNIQUES[step]
        path.append(technique)
        step = technique.parent
    return tuple(reversed(path))
