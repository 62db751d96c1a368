"""Which variants no other variant beats.

A variant is Pareto-optimal when no other variant of the same data set, of whatever architecture, is at least
as good in accuracy, mCE and compression ratio and better in one of them.

The three objectives are those that explain the original study's front: on its recorded CIFAR-10 results they
leave five variants when mCE is rounded as the study does (ResNet-50 #13, #14, #16; VGG-19 #8, #16) and six
when it is not (ResNet-50 #3 too, whose lead the rounding hides).  Compression ratio and mCE alone leave three
and five, so accuracy, the colour of the plot, is an objective as well.  The uncompressed originals compete
like every other variant, because not to compress is a choice too; there, none of them is optimal.
"""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
import pandas as pd

#: The objectives, and whether more is better.
OBJECTIVES = MappingProxyType({"accuracy": True, "mce": False, "compression_ratio": True})

#: What a set of variants is measured from: nothing right, twice the original's error, no compression.  It is
#: the same for every run, so that their volumes can be compared.
REFERENCE = MappingProxyType({"accuracy": 0.0, "mce": 200.0, "compression_ratio": 1.0})


def pareto_optimal(
    summary: pd.DataFrame, objectives: MappingProxyType[str, bool] = OBJECTIVES
) -> pd.Series[bool]:
    """Return for each row of ``summary`` whether it is Pareto-optimal in its data set (type ``boolean``).

    ``summary`` has the columns ``dataset`` and those of ``objectives``.  Rows that lack an objective are not
    ranked: theirs is ``<NA>``, and they dominate nothing.  Equal rows do not dominate each other.
    """
    import moocore  # noqa: PLC0415  (costs a second that a report without ratios need not pay)

    optimal = pd.Series(pd.NA, index=summary.index, dtype="boolean", name="pareto")
    complete = summary.dropna(subset=list(objectives))
    for _, rows in complete.groupby("dataset"):
        points = rows[list(objectives)].to_numpy(dtype=float)
        optimal[rows.index] = moocore.is_nondominated(
            points, maximise=list(objectives.values()), keep_weakly=True
        )
    return optimal


def hypervolumes(summary: pd.DataFrame) -> pd.DataFrame:
    """Return how much of the objectives' space the variants of each model dominate.

    Columns: dataset, model, and hypervolume, the volume between the model's variants and :data:`REFERENCE`,
    with accuracy as a fraction, mCE as a multiple of the original's error, and the compression ratio: more is
    better.  Variants that lack an objective, and those that are beyond the reference, add nothing; a model of
    which no variant has all objectives is left out.
    """
    import moocore  # noqa: PLC0415  (costs a second that a report without ratios need not pay)

    names = list(OBJECTIVES)
    scale = np.array([0.01 if name == "mce" else 1.0 for name in names])
    reference = scale * [REFERENCE[name] for name in names]
    rows = [
        (
            dataset,
            model,
            moocore.hypervolume(
                scale * variants[names].to_numpy(dtype=float),
                ref=reference,
                maximise=list(OBJECTIVES.values()),
            ),
        )
        for (dataset, model), variants in summary.dropna(subset=names).groupby(["dataset", "model"])
    ]
    return pd.DataFrame(rows, columns=["dataset", "model", "hypervolume"])
