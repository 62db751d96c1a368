"""Where the techniques stand in the drawing of their graph, and what is written on them.

Lengths are in points; y goes down.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.techniques import Technique
from reporting.drawing import COLUMN, wrapped

MARGIN = 1.0
GAP = 11.0  # between columns, where the edges are
WIDTH = (72 * COLUMN - 2 * MARGIN + GAP) / 4 - GAP  # of a box: four stand in a column of text
ROW_GAP = 11.0
TAG_GAP = 6.0  # above a tag
PAD = 3.0  # above and below what is written in a box
TITLE, STEP = 6.8, 6.2  # font sizes
LEADING = 1.25  # from line to line, in font sizes


@dataclass(frozen=True)
class Box:
    """A technique and the lines in its box: number and title, and the step if it is not a tag's."""

    technique: Technique
    title: tuple[str, ...]
    step: tuple[str, ...] = ()

    @property
    def height(self) -> float:
        """What the lines need."""
        return 2 * PAD + LEADING * (TITLE * len(self.title) + STEP * len(self.step))


@dataclass(frozen=True)
class Node:
    """A box at its place in the grid, with the tags of the files that are its network converted otherwise."""

    box: Box
    column: int
    row: int
    tags: tuple[Box, ...]

    @property
    def left(self) -> float:
        """The left edge of the box."""
        return MARGIN + self.column * (WIDTH + GAP)

    @property
    def tags_height(self) -> float:
        """What the tags need below the box."""
        return sum(TAG_GAP + tag.height for tag in self.tags)


@dataclass(frozen=True)
class Row:
    """Where the boxes of a row begin, how high they are, and where their tags end."""

    top: float
    height: float
    bottom: float

    @property
    def middle(self) -> float:
        """Half-way down the boxes."""
        return self.top + self.height / 2


def grid(techniques: Mapping[str, Technique]) -> dict[str, Node]:
    """Return the nodes by name: a column a generation, the first child in the row of its parent.

    A file converted from its parent's network is a tag of it, everything else a node.
    """
    tags = {name for name, technique in techniques.items() if technique.converted}
    nodes: dict[str, Node] = {}

    def place(technique: Technique, column: int, row: int) -> int:
        """Place a technique and what is made from it; return the next free row."""
        children = [child for child in techniques.values() if child.parent == technique.name]
        title = _lines(f"{technique.code} {technique.title}", TITLE)
        box = Box(technique, title, _lines(technique.step, STEP))
        own = tuple(_tag(child, technique) for child in children if child.name in tags)
        nodes[technique.name] = Node(box, column, row, own)
        free = row
        for child in children:
            if child.name not in tags:
                free = place(child, column + 1, free)
        return max(free, row + 1)

    row = 0
    for root in [technique for technique in techniques.values() if technique.parent is None]:
        row = place(root, 0, row)
    return nodes


def rows_of(nodes: Sequence[Node]) -> list[Row]:
    """Return the rows of the grid, each as high as its highest node."""
    rows: list[Row] = []
    for number in range(1 + max(node.row for node in nodes)):
        here = [node for node in nodes if node.row == number]
        top = rows[-1].bottom + ROW_GAP if rows else MARGIN
        height = max(node.box.height for node in here)
        rows.append(Row(top, height, top + height + max(node.tags_height for node in here)))
    return rows


def _tag(technique: Technique, parent: Technique) -> Box:
    """Return the tag of a file, which need not repeat the title of the box above it."""
    title = technique.title.removeprefix(parent.title).strip()
    return Box(technique, _lines(f"{technique.code} {title}", TITLE))


def _lines(text: str, size: float) -> tuple[str, ...]:
    """Return ``text`` in lines that fit into a box if its words do."""
    return tuple(wrapped(text, size, WIDTH - PAD))
