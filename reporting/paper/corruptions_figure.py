"""Figure 1: one image under every corruption and severity.

A row a corruption, a column a severity, the clean image first; data sets stand beside each other.
"""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reporting.drawing import COLUMN, STYLE, canvas, text_width, write
from reporting.frames import CLEAN
from reporting.paper.examples import Examples
from reporting.tables import corruptions_in_order

# Lengths are in points, which are the units of the axes too; y goes down.
_MARGIN = 1.0
_NAMES = 66.0  # width of the names of the corruptions, if none is longer
_LINE = 10.0  # height of a line above the images
_SPACE = 1.5  # between images
_BLOCK_GAP = 9.0  # between data sets
_FONT = 7.0

#: The width of an image with which one data set of five severities fills a column of text.
_SIDE = (72 * COLUMN - 2 * _MARGIN - _NAMES + _SPACE) / 6 - _SPACE


def draw_corruptions(examples: Sequence[Examples]) -> Figure:
    """Return the figure of at least one data set's examples."""
    names = corruptions_in_order(name for example in examples for name in example.corruptions)
    tall = max(_SIDE * _aspect(example) for example in examples)
    head = _LINE * (3 if len(examples) > 1 else 2)
    tops = [head + place * (tall + _SPACE) for place in range(len(names))]
    left = _MARGIN + max([_NAMES, *(text_width(_title(name), _FONT) + 4 for name in names)])
    blocks = sum(_block_width(example) for example in examples) + _BLOCK_GAP * (len(examples) - 1)
    width, height = left + blocks + _MARGIN, tops[-1] + tall + _MARGIN
    with style.context(STYLE):
        figure, axes = canvas(width, height)
        for name, top in zip(names, tops, strict=True):
            write(axes, _MARGIN, top + tall / 2, _title(name), _FONT, ha="left")
        for example in examples:
            if len(examples) > 1:
                write(axes, left, _LINE / 2, example.dataset, _FONT, ha="left", weight="bold")
            _draw_block(axes, example, left, head, dict(zip(names, tops, strict=True)))
            left += _block_width(example) + _BLOCK_GAP
    return figure


def _title(corruption: str) -> str:
    return corruption.replace("_", " ")


def _severities(example: Examples) -> list[int]:
    return sorted({severity for _, severity in example.images})


def _aspect(example: Examples) -> float:
    height, width, _ = next(iter(example.images.values())).shape
    return height / width


def _block_width(example: Examples) -> float:
    return len(_severities(example)) * (_SIDE + _SPACE) - _SPACE


def _draw_block(axes: Axes, example: Examples, left: float, head: float, tops: dict[str, float]) -> None:
    """Draw the images of a data set; ``tops`` says where the row of each corruption begins."""
    severities = _severities(example)
    corrupted = [left + place * (_SIDE + _SPACE) for place, level in enumerate(severities) if level > 0]
    write(axes, (corrupted[0] + corrupted[-1] + _SIDE) / 2, head - 1.5 * _LINE, "severity", _FONT)
    for place, severity in enumerate(severities):
        x = left + place * (_SIDE + _SPACE)
        write(axes, x + _SIDE / 2, head - _LINE / 2, str(severity) if severity else CLEAN, _FONT)
        for name in example.corruptions:
            image = example.images.get((name if severity else CLEAN, severity))
            if image is not None:
                top, bottom = tops[name], tops[name] + _SIDE * _aspect(example)
                axes.imshow(image, extent=(x, x + _SIDE, bottom, top), aspect="auto")
