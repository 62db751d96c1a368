"""How a report words what its tables hold: figures, techniques, cells, and what became of a threshold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

import pandas as pd

from benchmarks.cases import STANDARD_CORRUPTIONS, STANDARD_FAMILIES, Variant
from benchmarks.techniques import TECHNIQUES
from reporting.frames import CLEAN
from reporting.gate import Check
from reporting.journal import Entry

ABSENT = "–"

#: How many of the worst cells are shown, and how many of them at most of one variant.
WORST_CELLS = 10
WORST_CELLS_PER_VARIANT = 3

#: How many corruptions are named of those that a variant was not measured on.
IMAGE_SETS_NAMED = 4


@dataclass(frozen=True)
class Failure:
    """A case that did not pass and has no figure to show for it: what it says.

    ``undefined`` where that is because the figure of a threshold is not defined.
    """

    case: str
    message: str
    undefined: bool = False


@dataclass(frozen=True)
class Held:
    """A case with a figure that was held against a threshold."""

    case: str
    check: Check


def failures_of(entry: Entry, strict: bool) -> Iterator[Failure | Held]:
    """Yield why a case did not pass: each threshold that it fails by, or what went wrong."""
    failing = [check for check in entry.checks if check.fails(strict)]
    for check in failing:
        if check.value is None:
            yield Failure(entry.case, f"{check.bound}: no figure, because {check.why}", undefined=True)
        else:
            yield Held(entry.case, check)
    if entry.ending != "passed" and not failing:
        yield Failure(entry.case, entry.message)


def undecided_of(entry: Entry, strict: bool) -> Iterator[Held]:
    """Yield the thresholds that a case neither keeps nor fails by."""
    for check in entry.checks:
        if check.standing == "undecided" and not check.fails(strict):
            yield Held(entry.case, check)


def figures(values: Iterable[float], decimals: int) -> list[str]:
    """Return ``values`` as text with ``decimals`` places, ``–`` where one is absent."""
    return [ABSENT if pd.isna(value) else f"{value:.{decimals}f}" for value in values]


def margins(summary: pd.DataFrame, metric: str, decimals: int, factor: float = 1) -> list[str]:
    """Return a metric of a summary, times ``factor``, with the larger side of its interval: ``104.2 ±2.1``.

    The figure stands alone where its interval is a point, or where no outcomes by image are known; ``±?``
    says that these were too few to bound it.
    """
    value, low, high = (summary[name] for name in (metric, f"{metric}_low", f"{metric}_high"))
    widths = figures(factor * pd.concat([value - low, high - value], axis=1).max(axis=1), decimals)
    unbounded = value.notna() & low.isna() & summary["accuracy_drop"].notna()
    signs = [
        f" ±{width}" if wide else " ±?" if endless else ""
        for width, wide, endless in zip(widths, low < high, unbounded, strict=True)
    ]
    return [text + sign for text, sign in zip(figures(factor * value, decimals), signs, strict=True)]


def number(technique: str) -> str:
    """Return how a report refers to a technique: ``#13``, or its name where it has no number."""
    return f"#{TECHNIQUES[technique].code}" if technique in TECHNIQUES else technique


def numbers(techniques: Iterable[str]) -> str:
    """Return how a report refers to several techniques: ``#1–4, 7``, then the names of those without one."""
    names = in_order(techniques)
    known = runs(TECHNIQUES[name].code for name in names if name in TECHNIQUES)
    return ", ".join(([f"#{known}"] if known else []) + [name for name in names if name not in TECHNIQUES])


def runs(values: Iterable[int]) -> str:
    """Return whole numbers as text, neighbours joined: ``1–4, 7``."""
    text = []
    for _, run in groupby(enumerate(sorted(values)), key=lambda place: place[1] - place[0]):
        members = [value for _, value in run]
        text.append(str(members[0]) if len(members) == 1 else f"{members[0]}–{members[-1]}")
    return ", ".join(text)


def in_order(techniques: Iterable[str]) -> list[str]:
    """Return ``techniques`` without repetition by number, those without one last."""
    return sorted(set(techniques), key=technique_place)


def technique_place(name: str) -> tuple[int, str]:
    """Return what techniques are sorted by: their number, and behind those that have one their name."""
    return (TECHNIQUES[name].code if name in TECHNIQUES else len(TECHNIQUES) + 1), name


def variant_place(variant: Variant) -> tuple[str, str, tuple[int, str]]:
    """Return what variants are sorted by: data set, model, and the place of the technique."""
    return variant.dataset, variant.model, technique_place(variant.technique)


def corruptions_in_order(names: Iterable[str], families: Mapping[str, str] = STANDARD_FAMILIES) -> list[str]:
    """Return corruptions without repetition by family, the standard ones in their order, others after them.

    ``families`` are by corruption; those of none are last.
    """
    known = list(dict.fromkeys([*STANDARD_FAMILIES.values(), *sorted(families.values())]))

    def order(name: str) -> tuple[int, int, str]:
        family = known.index(families[name]) if name in families else len(known)
        standard = (
            STANDARD_CORRUPTIONS.index(name) if name in STANDARD_FAMILIES else len(STANDARD_CORRUPTIONS)
        )
        return family, standard, name

    return sorted(set(names), key=order)


def codes(techniques: Iterable[str]) -> list[str]:
    """Return the numbers of ``techniques`` as text, blank where one has none."""
    return [str(TECHNIQUES[name].code) if name in TECHNIQUES else "" for name in techniques]


def titles(techniques: Iterable[str]) -> list[str]:
    """Return ``techniques`` as people write them."""
    return [TECHNIQUES[name].title if name in TECHNIQUES else name for name in techniques]


def image_sets(cells: pd.DataFrame) -> str:
    """Return the corruptions of ``cells`` with their severities, of many the first few."""
    named = [
        CLEAN if name == CLEAN else f"{name} {runs(rows['severity'])}"
        for name, rows in cells.groupby("corruption")
    ]
    more = len(named) - IMAGE_SETS_NAMED
    return ", ".join(named[:IMAGE_SETS_NAMED]) + (f" and {more} more" if more > 0 else "")


def digits(value: float | None) -> str:
    """Return a figure as text with four significant digits, ``–`` where it is absent."""
    return ABSENT if value is None else f"{value:.4g}"


def class_name(told: object, names: Mapping[str, str]) -> str:
    """Return how a report calls a class that a record tells by its name or, as a number, by its label.

    ``names`` are by label as text, as far as the record has them.
    """
    return names.get(str(told), f"class {told}") if isinstance(told, int) else str(told)
