"""Whether the network that stands for a file sees what it does: what is found through it holds if so."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from benchmarks.cases import Variant
from reporting.frames import VARIANT
from reporting.tables import variant_place

#: From this share of images on that both take for the same class, one stands for the other.
LEAST = 0.95


def disagreement_sentences(*agreements: pd.DataFrame) -> Iterator[str]:
    """Yield of which variants the attacked or explained network is another than the file; nothing if of none.

    Each of ``agreements`` has the columns of a variant and ``agreement``, a fraction of 1.
    """
    found = pd.concat([frame[[*VARIANT, "agreement"]] for frame in agreements])
    least = found.groupby(VARIANT)["agreement"].min()
    low = least[least < LEAST]
    if len(low):
        variants = sorted((Variant(*map(str, key)) for key in low.index), key=variant_place)
        named = ", ".join(f"{one} ({low[one.dataset, one.model, one.technique]:.1%})" for one in variants)
        yield (
            "Twins: the network that was attacked or explained in the place of a file agrees with it on "
            f"fewer than {LEAST:.0%} of the images, so what was found through it says little of the file: "
            f"{named}."
        )
