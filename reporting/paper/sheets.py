"""A table of the paper: its figures as they are, and as people read them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from reporting.layout import Table


@dataclass(frozen=True, eq=False)
class Sheet:
    """A table under the ``name`` of its files; the ``figures`` are not rounded, rates are fractions of 1."""

    name: str
    figures: pd.DataFrame
    shown: Table

    def files(self) -> Iterator[tuple[str, str]]:
        """Yield the names of its files and what is in them: CSV, Markdown, LaTeX."""
        yield f"{self.name}.csv", self.figures.to_csv(index=False, lineterminator="\n")
        yield f"{self.name}.md", self.shown.to_markdown()
        yield f"{self.name}.tex", self.shown.to_latex(f"tab:{self.name.split('-', 2)[-1]}")
