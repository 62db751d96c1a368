"""A table of text and its two renderings: for a terminal, and as Markdown."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

import pandas as pd

#: Longer words are wrapped in a terminal.
WORDS_WIDTH = 72


@dataclass(frozen=True, eq=False)
class Table:
    """Rows of text under a title; the first ``words`` columns are words, the others are figures.

    Neighbouring columns named ``"group\\nname"`` share the heading ``group``.
    """

    title: str
    rows: pd.DataFrame
    words: int = 1

    def to_text(self) -> str:
        """Return the table for a terminal."""
        return f"{self.title}\n\n{self._render(self.rows.map(one_line), 'simple', self._headers())}\n"

    def to_markdown(self) -> str:
        """Return the table for a Markdown document; nothing in a name can break out of its cell."""
        headers = [escape(header) for header in self._headers()]
        return f"## {escape(self.title)}\n\n{self._render(self.rows.map(escape), 'pipe', headers)}\n"

    def _headers(self) -> list[str]:
        """Return the columns' names with each group named once, all as high as the highest."""
        names = [column.rpartition("\n") for column in self.rows.columns]
        grouped = any(group for group, _, _ in names)
        headers, last = [], ""
        for group, _, name in names:
            shown = "" if group == last else group
            headers.append(f"{shown}\n{name}" if grouped else name)
            last = group
        return headers

    def _render(self, rows: pd.DataFrame, style: str, headers: list[str]) -> str:
        figures = rows.shape[1] - self.words
        widths = [WORDS_WIDTH] * self.words + [None] * figures
        return rows.to_markdown(
            index=False,
            tablefmt=style,
            headers=headers,
            colalign=["left"] * self.words + ["right"] * figures,
            maxcolwidths=widths if style == "simple" and len(rows) else None,
            disable_numparse=True,
        )


def escape(text: str) -> str:
    """Return ``text`` so that Markdown shows it as it is, on one line."""
    return re.sub(r"([\\`*\[\]|])", r"\\\1", html.escape(one_line(text), quote=False))


def one_line(text: str) -> str:
    """Return ``text`` with every run of white space as one space."""
    return " ".join(text.split())
