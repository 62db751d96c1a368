"""A table in LaTeX prints what it holds, whatever the names in it."""

from __future__ import annotations

import re

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporting.layout import Table, escape_latex, one_line

HOSTILE = r"50 % of {a_b} & $x^2$ \input{evil} #1 ~ [opt] <b> | *"

#: What each command of an escaped text prints.
PRINTED = {
    r"\textbackslash{}": "\\",
    r"\textasciitilde{}": "~",
    r"\textasciicircum{}": "^",
    r"\textless{}": "<",
    r"\textgreater{}": ">",
    r"\textbar{}": "|",
    "{[}": "[",
    "{]}": "]",
    "{*}": "*",
    "--": "–",
    "$-$": "−",
    r"$\pm$": "±",
    r"$\times$": "×",
    r"$\to$": "→",
    r"$\bullet$": "•",
} | {f"\\{character}": character for character in "&%$#_{}"}


def printed(text: str) -> str:
    """Return what LaTeX prints; fails on a special character that is no part of a known command."""
    commands = "|".join(map(re.escape, sorted(PRINTED, key=len, reverse=True)))
    tokens = re.findall(rf"({commands})|([^&%$#_{{}}\\~^])|(.)", text)
    assert [special for _, _, special in tokens if special] == []
    return "".join(PRINTED[command] if command else plain for command, plain, _ in tokens)


def grouped(name: str = "resnet50") -> Table:
    rows = pd.DataFrame({"#": ["1"], "Technique": ["QAT"], f"{name}\nmCE": ["99.5"], f"{name}\nCR": ["1.00"]})
    return Table("mCE and CR", rows, words=2, note="CR is a ratio.")


# Two hyphens of a name are printed as a dash, which breaks nothing.
@given(st.text(alphabet=st.characters(exclude_categories=("C",))).filter(lambda text: "--" not in text))
def test_latex_prints_every_text_as_it_is(text: str) -> None:
    assert printed(escape_latex(text)) == one_line(text)


def test_latex_has_booktabs_caption_and_label() -> None:
    assert grouped().to_latex("tab:x").splitlines() == [
        r"\begin{table}",
        r"  \centering",
        r"  \caption{mCE and CR}",
        r"  \label{tab:x}",
        r"  \begin{tabular}{llrr}",
        r"    \toprule",
        r"     &  & \multicolumn{2}{c}{resnet50} \\",
        r"    \cmidrule(lr){3-4}",
        r"    \# & Technique & mCE & CR \\",
        r"    \midrule",
        r"    1 & QAT & 99.5 & 1.00 \\",
        r"    \bottomrule",
        r"  \end{tabular}",
        r"  \par\smallskip",
        r"  {\footnotesize CR is a ratio.}",
        r"\end{table}",
    ]


def test_two_groups_have_a_rule_each() -> None:
    rows = pd.DataFrame([["x", "1", "2", "3"]], columns=["Of", "a\np", "a\nq", "b\np"])
    lines = Table("t", rows).to_latex("tab:t").splitlines()
    assert r"     & \multicolumn{2}{c}{a} & \multicolumn{1}{c}{b} \\" in lines
    assert r"    \cmidrule(lr){2-3} \cmidrule(lr){4-4}" in lines


def test_a_hostile_name_stays_in_its_cell() -> None:
    rows = pd.DataFrame({"Model": [HOSTILE, "[x]", "* y"], f"{HOSTILE}\nmCE": ["1", "2", "3"]})
    text = Table(HOSTILE, rows, note=HOSTILE).to_latex("tab:x")
    stack: list[str] = []
    for what, name in re.findall(r"\\(begin|end)\{(\w+)\}", text):
        if what == "begin":
            stack.append(name)
        else:
            assert stack.pop() == name
    assert stack == []
    bare = re.sub(r"\\[&%$#_{}\\]", "", text)
    assert bare.count("{") == bare.count("}")
    assert "%" not in bare
    assert "\\input" not in text
    body = text.partition(r"\midrule")[2].partition(r"\bottomrule")[0]
    assert [len(re.findall(r"(?<!\\)&", line)) for line in body.strip().splitlines()] == [1, 1, 1]
    # A line that began with either of these would be taken for an option of the end of the line before it.
    assert not re.search(r"\\\\\s*[\[*]", text)


def test_a_table_too_wide_for_a_column_is_small_and_stands_across_both() -> None:
    columns = {f"model\n{number}": ["100.0 ±2.1"] for number in range(5)}
    text = Table("t", pd.DataFrame({"Technique": ["QAT"], **columns})).to_latex("tab:t")
    assert text.startswith("\\begin{table*}\n")
    assert text.endswith("\\end{table*}\n")
    assert r"\footnotesize" in text
    assert r"\footnotesize" not in Table("t", pd.DataFrame({"Technique": ["QAT"]})).to_latex("tab:t")


def test_a_long_sentence_in_latex_has_a_column_that_wraps() -> None:
    rows = pd.DataFrame({"Case": ["d-m-int8-fog"], "Why": ["because " * 20], "CE": ["1"]})
    assert r"\begin{tabular}{lp{0.4\linewidth}r}" in Table("t", rows, words=2).to_latex("tab:t")


@pytest.mark.parametrize("render", [Table.to_text, Table.to_markdown])
def test_a_note_stands_below_the_table(render) -> None:
    assert render(grouped()).endswith("\n\nCR is a ratio.\n")
