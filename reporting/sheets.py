"""A table as it is published: as CSV its figures, as Markdown and LaTeX what people read."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from reporting.files import remove_others, write_text
from reporting.layout import Table

#: The kinds of file of a sheet.
KINDS = ("csv", "md", "tex")

#: The name of a file may have 255 letters; some are kept for its ending and a number.
_LONGEST = 200


@dataclass(frozen=True, eq=False)
class Sheet:
    """A table under the ``name`` of its files; the ``figures`` are not rounded, rates are fractions of 1."""

    name: str
    figures: pd.DataFrame
    shown: Table

    def files(self) -> Iterator[tuple[str, str]]:
        """Yield the names of its files and what is in them: CSV, Markdown, LaTeX."""
        label = re.sub(r"^table-\d+-", "", self.name)
        yield f"{self.name}.csv", self.figures.to_csv(index=False, lineterminator="\n")
        yield f"{self.name}.md", self.shown.to_markdown()
        yield f"{self.name}.tex", self.shown.to_latex(f"tab:{label}")


def file_name(*parts: object) -> str:
    """Return ``parts`` joined by ``-``, with ``_`` for what may have a meaning in a path or in LaTeX."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", "-".join(map(str, parts)))[:_LONGEST]


def distinct(names: Iterable[str]) -> list[str]:
    """Return names with a number after those that were there before, whatever the case of their letters."""
    taken: set[str] = set()
    found = []
    for name in names:
        number, one = 1, name
        while one.lower() in taken:
            number += 1
            one = f"{name}-{number}"
        taken.add(one.lower())
        found.append(one)
    return found


def write_sheets(sheets: Iterable[Sheet], out: Path, stems: Collection[str]) -> list[Path]:
    """Write the files of ``sheets``, whose names begin with one of ``stems``, into ``out``; return them.

    Files of such names that an earlier run has left there and this one has nothing for are removed.
    """
    sheets = list(sheets)
    named = [
        replace(sheet, name=name)
        for sheet, name in zip(sheets, distinct(sheet.name for sheet in sheets), strict=True)
    ]
    written = [write_text(out / name, text) for sheet in named for name, text in sheet.files()]
    remove_others(out, written, stems, KINDS)
    return written
