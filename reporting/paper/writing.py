"""The tables and figures of the paper as files, made from any run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

import pandas as pd

from benchmarks.schema import Suite
from reporting.files import write_bytes, write_text
from reporting.paper.examples import Examples
from reporting.paper.hyperparameters import hyperparameters_table
from reporting.paper.measured import extremes_table, originals_table, per_technique_table
from reporting.paper.techniques_table import techniques_table
from reporting.sheets import Sheet

#: Why a table or figure may be left out, by the name of its files.
_REASONS = MappingProxyType(
    {
        "table-3-hyperparameters": "no suite was given",
        "table-4-originals": "no uncompressed network was measured",
        "table-5-extremes": "no compressed variant was measured",
        "table-6-per-technique": "nothing was measured",
        "figure-1-corruptions": "no example images were recorded",
    }
)

#: Dots per inch; finer than other pictures, since these are only as wide as a column of text.
_DPI = 300


@dataclass(frozen=True, eq=False)
class Paper:
    """What the tables and figures are made from: a run's summary, its suite and its example images."""

    summary: pd.DataFrame
    suite: Suite | None = None
    examples: tuple[Examples, ...] = ()

    @cached_property
    def tables(self) -> list[Sheet]:
        """Tables II to VI, as far as there is anything to say in them."""
        tables = [techniques_table(set(self.summary["technique"]))]
        if self.suite:
            tables.append(hyperparameters_table(self.suite))
        tables += [make(self.summary) for make in (originals_table, extremes_table, per_technique_table)]
        return [table for table in tables if len(table.figures)]

    def left_out(self) -> Iterator[str]:
        """Yield the names of the tables and figures that there is nothing for."""
        made = {table.name for table in self.tables} | ({"figure-1-corruptions"} if self.examples else set())
        yield from (name for name in _REASONS if name not in made)

    def sentences(self) -> Iterator[str]:
        """Yield what is left out, and why."""
        missing = [f"{name}, because {_REASONS[name]}" for name in self.left_out()]
        if missing:
            yield f"Left out of paper/: {'; '.join(missing)}."

    def write(self, out: Path, pareto: Mapping[str, bytes]) -> list[Path]:
        """Write the files into ``out`` and return them; ``pareto`` is Figure 3 by kind of file.

        Files that an earlier run has left there and this one has nothing for are removed.
        """
        for name in self.left_out():
            for old in out.glob(f"{name}.*"):
                old.unlink()
        written = [write_text(out / name, text) for table in self.tables for name, text in table.files()]
        pictures = {**self._drawn(tuple(pareto)), "figure-3-pareto": pareto}
        for name, kinds in pictures.items():
            written += [write_bytes(out / f"{name}.{kind}", content) for kind, content in kinds.items()]
        return written

    def _drawn(self, kinds: tuple[str, ...]) -> dict[str, Mapping[str, bytes]]:
        """Return Figures 1 and 2, as far as there are any, by name and kind of file."""
        from reporting.drawing import save  # noqa: PLC0415 - matplotlib, which a terminal does not need
        from reporting.paper.corruptions_figure import draw_corruptions  # noqa: PLC0415
        from reporting.paper.techniques_figure import draw_techniques  # noqa: PLC0415

        figures = {"figure-1-corruptions": draw_corruptions(self.examples)} if self.examples else {}
        figures["figure-2-techniques"] = draw_techniques(set(self.summary["technique"]))
        return {name: {kind: save(figure, kind, _DPI) for kind in kinds} for name, figure in figures.items()}
