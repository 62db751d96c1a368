"""The graph of compression techniques, declared as data.

A technique is a path in this graph: it starts at the trained ``original`` network, each float node is
one step further than its parent, and what is only converted otherwise is a leaf on its float node.  Naming,
marking, running, checking and drawing a technique all read this one declaration; to add one, add a node here
and (for a new kind of step) its function in ``fixtures/compression/steps.py``.

The first sixteen techniques, their numbers and their names are Table II of Castro et al., "Evaluating the
Impact of Compression Techniques on the Robustness of CNNs under Natural Corruptions" (2025).  Those from 17
on are of "Towards Understanding the Behaviors of Pretrained Compressed Convolutional Models".
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from types import MappingProxyType


@dataclass(frozen=True)
class Claims:
    """What a technique promises of its artifact, checked after it has been made.

    ``sparse``: at least the suite's target sparsity over the prunable kernels.
    ``clustered``: at most the suite's number of centroids as distinct values in each clustered kernel.
    ``int8``: a full-integer file, without one float operator, uint8 in and uint8 out.
    ``channels_off``: at least the suite's share of the output channels of each convolution but the first, and
    of the weights of each dense layer, are zero (depthwise kernels excepted); or the channels are gone.
    ``int8_weights``: every kernel of at least :data:`INT8_WEIGHTS_FROM` weights is stored as int8.
    ``ablated``: one convolution less than the original.
    """

    sparse: bool = False
    clustered: bool = False
    int8: bool = False
    channels_off: bool = False
    int8_weights: bool = False
    ablated: bool = False


#: LiteRT's dynamic range leaves smaller kernels as they are.
INT8_WEIGHTS_FROM = 1024


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


def _of_first_study() -> Iterator[Technique]:
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


def _of_second_study() -> Iterator[Technique]:
    off, small = Claims(channels_off=True), Claims(int8_weights=True)
    filters, weights = "L1 filter pruning", "weight quantization"
    prune, convert = "l1_prune", "convert_weights_int8"
    nodes = (
        # code, name, title, parent, step, claims, traits
        (17, "l1_pruned", filters, "original", prune, off, "filter_pruned float"),
        (18, "weight_quantized", weights.capitalize(), "original", convert, small, "weight_quantized"),
        (19, "ablated", "Layer ablation", "original", "ablate", Claims(ablated=True), "ablated float"),
        (
            20,
            "l1_pruned_weight_quantized",
            f"{filters} + {weights}",
            "l1_pruned",
            convert,
            replace(off, int8_weights=True),
            "filter_pruned weight_quantized",
        ),
    )
    for code, name, title, parent, step, claims, traits in nodes:
        yield Technique(code, name, title, parent, step, claims, frozenset(traits.split()))


#: The techniques of the study by Castro et al.
ORIGINAL_STUDY: tuple[str, ...] = tuple(technique.name for technique in _of_first_study())

#: The techniques of the study of pretrained models, its uncompressed network first.
PRETRAINED_STUDY: tuple[str, ...] = ("original", *(technique.name for technique in _of_second_study()))

#: Every known technique by name, parents before children.
TECHNIQUES: MappingProxyType[str, Technique] = MappingProxyType(
    {technique.name: technique for technique in (*_of_first_study(), *_of_second_study())}
)

#: Every trait that a technique can have, with what it means (used to describe markers).
TRAITS = MappingProxyType(
    {
        "float": "weights and activations in floating point",
        "int8": "converted to a full-integer file",
        "pruned": "sparse kernels",
        "clustered": "kernels with few distinct values",
        "qat": "trained with fake quantization",
        "filter_pruned": "output channels of convolutions set to zero",
        "weight_quantized": "weights in 8 bits, activations in floating point",
        "ablated": "the last convolution taken out",
    }
)


def of_studies(measured: Collection[str]) -> MappingProxyType[str, Technique]:
    """Return the part of the graph that a run is about, by name: the techniques of each study of which it
    ``measured`` one beside the original; of the first where that is none.
    """
    studies = [
        study
        for study in (ORIGINAL_STUDY, PRETRAINED_STUDY)
        if set(study).intersection(measured) - {"original"}
    ]
    names = {name for study in studies or [ORIGINAL_STUDY] for name in study}
    return MappingProxyType({name: node for name, node in TECHNIQUES.items() if name in names})


def off_count(count: int, ratio: float) -> int:
    """Return how many of ``count`` channels or weights a ``ratio`` of them is, rounded down."""
    return int(ratio * count + 1e-9)  # 0.29 * 100 is less than 29


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
