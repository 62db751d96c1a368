"""What the deployed files hold, kernel by kernel: whether each technique did what its name says."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import pandas as pd

from benchmarks.results import Record
from benchmarks.sections import Compression, L1Pruning
from benchmarks.techniques import INT8_WEIGHTS_FROM, Technique, off_count
from reporting.frames import VARIANT, frame, identity

#: Column types: ``sparsity`` from 0 to 1; ``distinct`` values in the output channel that has most and
#: ``distinct_whole`` in the whole kernel; ``empty`` output channels, all of zeros; whether it is stored as
#: ``int8``; ``depthwise`` kernels are neither pruned nor clustered.
KERNELS: Mapping[str, str] = MappingProxyType(
    dict.fromkeys([*VARIANT, "kernel", "shape"], "str")
    | dict.fromkeys(["weights", "distinct", "distinct_whole", "empty"], "int64")
    | {"sparsity": "float64", "int8": "bool", "depthwise": "bool"}
)


def kernels_of(records: Iterable[Record]) -> pd.DataFrame:
    """Return a row per variant and kernel, in the order of the file, from the records that checked claims."""
    rows = [
        identity(record.case.variant)
        | {
            **{name: kernel[name] for name in KERNELS if name in kernel},
            "kernel": kernel["name"],
            "shape": "x".join(str(size) for size in kernel["shape"]),
            "weights": math.prod(kernel["shape"]),
        }
        for record in records
        for kernel in record.details.get("kernels", ())
    ]
    return frame(rows, KERNELS)


def depthwise_sentences(kernels: pd.DataFrame) -> Iterator[str]:
    """Yield, for each network that has some, that its depthwise kernels are not compressed by these means."""
    for (dataset, model), rows in kernels.groupby(["dataset", "model"]):
        one = rows[rows["technique"] == rows["technique"].iloc[0]]
        depthwise = one[one["depthwise"]]
        if len(depthwise):
            share = depthwise["weights"].sum() / one["weights"].sum()
            yield (
                f"{dataset}-{model}: {len(depthwise)} of {len(one)} kernels are depthwise ({share:.1%} of "
                "the weights). They are neither pruned nor clustered; sparsity and clusters leave them out."
            )


class Kernel(NamedTuple):
    """A row of the table of kernels, without its variant (:data:`KERNELS`)."""

    kernel: str
    shape: str
    weights: int
    distinct: int
    distinct_whole: int
    empty: int
    sparsity: float
    int8: bool
    depthwise: bool


def by_variant(kernels: pd.DataFrame) -> dict[tuple[str, ...], list[Kernel]]:
    """Return the kernels of each variant, in the order of its file."""
    found: dict[tuple[str, ...], list[Kernel]] = {}
    columns = [*VARIANT, *Kernel._fields]
    for dataset, model, technique, *values in kernels[columns].itertuples(index=False, name=None):
        found.setdefault((dataset, model, technique), []).append(Kernel(*values))
    return found


@dataclass(frozen=True)
class Held:
    """What a technique claims of its files (a field of ``Claims``), and how many of the ``of`` kernels that
    it is about ``miss`` it.
    """

    claim: str
    miss: int
    of: int


def held_claims(kernels: Sequence[Kernel], technique: Technique, compression: Compression) -> list[Held]:
    """Return how the ``kernels`` of one file stand to what its technique claims, by the rules by which they
    were checked when it was made.

    A kernel of an odd number of weights may miss the sparsity by one.  What is all zeros is neither sparse
    nor clustered.  Where the ratio of channels was found by trying, it is known to be the least at least.
    That a layer is missing is not seen in kernels of one file.
    """
    compressible = [kernel for kernel in kernels if not kernel.depthwise]
    kept = {
        "sparse": [compression.sparsity - 1 / one.weights <= one.sparsity < 1 for one in compressible],
        "clustered": [
            distinct_values(one, technique) <= compression.clusters and one.sparsity < 1
            for one in compressible
        ],
        "int8": [kernel.int8 for kernel in kernels],
        "channels_off": list(_channels_off(compressible, compression.l1_pruning)),
        "int8_weights": [kernel.int8 for kernel in kernels if kernel.weights >= INT8_WEIGHTS_FROM],
    }
    return [
        Held(claim, holds.count(False), len(holds))
        for claim, holds in kept.items()
        if getattr(technique.claims, claim)
    ]


def _channels_off(kernels: Sequence[Kernel], section: L1Pruning) -> Iterator[bool]:
    """Yield whether the share that is off of each kernel but the first is as large as was claimed; output
    channels that were taken out can no longer be empty.
    """
    for kernel in kernels[1:]:
        if len(kernel.shape.split("x")) == 4:
            channels = int(kernel.shape.partition("x")[0])
            off = 0 if section.structural else off_count(channels, section.least_ratio)
            yield kernel.empty >= off
        else:
            zeros = round(kernel.sparsity * kernel.weights)
            yield zeros >= off_count(kernel.weights, section.least_ratio)


def distinct_values(kernel: Kernel, technique: Technique | None) -> int:
    """Return how many distinct values a kernel holds, as a technique's clusters are counted.

    That is in the output channel that has most, but in the whole kernel of an int8 file whose network was
    trained with fake quantization.
    """
    whole = technique is not None and technique.claims.int8 and "qat" in technique.traits
    return kernel.distinct_whole if whole else kernel.distinct
