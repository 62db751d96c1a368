"""A table of text and its three renderings: for a terminal, as Markdown, and as LaTeX."""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from types import MappingProxyType

import pandas as pd

#: Longer words are wrapped in a terminal.
WORDS_WIDTH = 72

#: Longer notes are wrapped in a terminal.
_NOTE_WIDTH = 100

#: A column of a paper in two columns has room for so many letters at the usual size of 10 points.
_COLUMN_LETTERS = 46

#: Longer words are wrapped in LaTeX.
_LATEX_WORDS = 40

#: What LaTeX would not print as it is; a bracket or star that begins a line would belong to the line before.
_LATEX = MappingProxyType(
    {character: f"\\{character}" for character in "&%$#_{}"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    | {"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", "[": "{[}", "]": "{]}", "*": "{*}"}
    | {"–": "--", "−": "$-$", "±": r"$\pm$", "×": r"$\times$", "→": r"$\to$", "•": r"$\bullet$"}
)


@dataclass(frozen=True, eq=False)
class Table:
    """Rows of text under a title; the first ``words`` columns are words, the others are figures.

    Neighbouring columns named ``"group\\nname"`` share the heading ``group``.  The ``note`` says below it
    how to read it.
    """

    title: str
    rows: pd.DataFrame
    words: int = 1
    note: str = ""

    def to_text(self) -> str:
        """Return the table for a terminal."""
        table = self._render(self.rows.map(one_line), "simple", self._headers())
        note = textwrap.fill(self.note, _NOTE_WIDTH)
        return "\n\n".join(filter(None, [self.title, table, note])) + "\n"

    def to_markdown(self) -> str:
        """Return the table for a Markdown document; nothing in a name can break out of its cell."""
        headers = [escape(header) for header in self._headers()]
        table = self._render(self.rows.map(escape), "pipe", headers)
        return "\n\n".join(filter(None, [f"## {escape(self.title)}", table, escape(self.note)])) + "\n"

    def to_latex(self, label: str) -> str:
        """Return the table for LaTeX with the package ``booktabs``, to be referred to by ``label``.

        Nothing in a name is taken for a command.  A table that is too wide for one column of a paper is set
        small and stands across both.
        """
        names = [column.rpartition("\n")[2] for column in self.rows.columns]
        lines = [
            r"\toprule",
            *self._latex_groups(),
            _latex_row(names),
            r"\midrule",
            *map(_latex_row, self.rows.itertuples(index=False)),
            r"\bottomrule",
        ]
        widths = [max(map(len, [name, *self.rows.iloc[:, at]])) for at, name in enumerate(names)]
        words = ("l" if width <= _LATEX_WORDS else r"p{0.4\linewidth}" for width in widths[: self.words])
        alignment = "".join(words) + "r" * (len(names) - self.words)
        wide = sum(widths) + 2 * len(widths) > _COLUMN_LETTERS
        environment = "table*" if wide else "table"
        note = [r"\par\smallskip", rf"{{\footnotesize {escape_latex(self.note)}}}"] if self.note else []
        floating = [
            r"\centering",
            rf"\caption{{{escape_latex(self.title)}}}",
            rf"\label{{{label}}}",
            *([r"\footnotesize\setlength{\tabcolsep}{3pt}"] if wide else []),
            rf"\begin{{tabular}}{{{alignment}}}",
            *(f"  {line}" for line in lines),
            r"\end{tabular}",
            *note,
        ]
        begin, end = rf"\begin{{{environment}}}", rf"\end{{{environment}}}"
        return "\n".join([begin, *(f"  {line}" for line in floating), end, ""])

    def _latex_groups(self) -> list[str]:
        """Return the line of the shared headings and the rules below them, or nothing if none are shared."""
        cells, rules, first = [], [], 1
        for group, columns in groupby(self.rows.columns, key=lambda column: column.rpartition("\n")[0]):
            last = first + len(list(columns)) - 1
            if group:
                cells.append(rf"\multicolumn{{{last - first + 1}}}{{c}}{{{escape_latex(group)}}}")
                rules.append(rf"\cmidrule(lr){{{first}-{last}}}")
            else:
                cells += [""] * (last - first + 1)
            first = last + 1
        return [" & ".join(cells) + r" \\", " ".join(rules)] if rules else []

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


def escape_latex(text: str) -> str:
    """Return ``text`` so that LaTeX prints it as it is, on one line."""
    return "".join(_LATEX.get(character, character) for character in one_line(text))


def one_line(text: str) -> str:
    """Return ``text`` with every run of white space as one space."""
    return " ".join(text.split())


def _latex_row(cells: Iterable[str]) -> str:
    return " & ".join(map(escape_latex, cells)) + r" \\"
