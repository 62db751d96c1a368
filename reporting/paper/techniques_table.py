"""Table II, the techniques, as the graph declares them."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from benchmarks.techniques import TRAITS, lineage, of_studies
from reporting.layout import Table
from reporting.sheets import Sheet


def techniques_table(measured: Collection[str] = ()) -> Sheet:
    """Return every technique of the studies that the ``measured`` ones are of, with the path that leads to it
    and what it makes of a network.
    """
    techniques = of_studies(measured)
    occurring = {trait for technique in techniques.values() for trait in technique.traits}
    # "float" is what the others are not
    traits = [trait for trait in TRAITS if trait in occurring and trait != "float"]
    rows, shown = [], []
    for name, technique in techniques.items():
        path = lineage(name)
        rows.append(
            {
                "code": technique.code,
                "technique": name,
                "title": technique.title,
                "step": technique.step,
                "path": " > ".join(node.name for node in path),
            }
            | {trait: trait in technique.traits for trait in traits}
        )
        shown.append(
            {
                "#": str(technique.code),
                "Technique": technique.title,
                "Name": name,
                "Path": " → ".join(str(node.code) for node in path),
            }
            | {trait: "•" if trait in technique.traits else "" for trait in traits}
        )
    note = "; ".join(f"{trait}: {TRAITS[trait]}" for trait in traits) + "."
    table = Table("Techniques", pd.DataFrame(shown), words=len(shown[0]), note=note)
    return Sheet("table-2-techniques", pd.DataFrame(rows), table)
