"""Table II, the techniques, as the graph declares them."""

from __future__ import annotations

import pandas as pd

from benchmarks.techniques import TECHNIQUES, TRAITS, lineage
from reporting.layout import Table
from reporting.sheets import Sheet


def techniques_table() -> Sheet:
    """Return every technique with the path that leads to it and what it makes of a network."""
    traits = [trait for trait in TRAITS if trait != "float"]  # which is what the others are not
    rows, shown = [], []
    for name, technique in TECHNIQUES.items():
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
