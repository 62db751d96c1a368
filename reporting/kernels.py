"""What the deployed files hold, kernel by kernel: whether each technique did what its name says."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

import pandas as pd

from benchmarks.results import Record
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
