"""What is written beside the rows of a figure that has one for each technique."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from matplotlib.axes import Axes

from benchmarks.techniques import TECHNIQUES
from reporting.drawing import shortened, text_width, wrapped, write

_LINES = 2  # most of one row
_LEADING = 1.08  # from line to line, in font sizes


@dataclass(frozen=True)
class RowNames:
    """Number and title of each of ``techniques``, at a font ``size`` and at most ``most`` points wide."""

    techniques: Sequence[str]
    size: float
    most: float

    @cached_property
    def lines(self) -> list[list[str]]:
        """What is written beside each row, one line or two.

        What a title has in common with that of the row above, from which it is made, is left out: below
        ``Pruning`` is ``+ Int8``.  Where a title does not fit, the name stands in its place.
        """
        return [
            self._fitted(name, above)
            for name, above in zip(self.techniques, ["", *self.techniques], strict=False)
        ]

    @cached_property
    def width(self) -> float:
        """What the widest row needs, in points."""
        return self._number + max(text_width(line, self.size) for lines in self.lines for line in lines)

    def write(self, axes: Axes, left: float, middles: Sequence[float]) -> None:
        """Write the names from ``left`` on, around the ``middles`` of the rows."""
        for name, lines, y in zip(self.techniques, self.lines, middles, strict=True):
            if name in TECHNIQUES:
                x = left + self._number - 0.45 * self.size
                write(axes, x, y, str(TECHNIQUES[name].code), self.size, ha="right")
            for place, line in enumerate(lines):
                offset = (place - (len(lines) - 1) / 2) * _LEADING * self.size
                write(axes, left + self._number, y + offset, line, self.size, ha="left")

    @property
    def _number(self) -> float:
        return text_width("00", self.size) + 0.55 * self.size

    def _fitted(self, name: str, above: str) -> list[str]:
        room = self.most - self._number
        technique = TECHNIQUES.get(name)
        lines = [name]
        if technique:
            made_from = TECHNIQUES[above].title if technique.parent == above else ""
            lines = wrapped(technique.title.removeprefix(made_from).strip(), self.size, room)
        if len(lines) > _LINES or max(text_width(line, self.size) for line in lines) > room:
            lines = wrapped(name.replace("_", " "), self.size, room)
        lines = [*lines[: _LINES - 1], " ".join(lines[_LINES - 1 :])] if len(lines) > _LINES else lines
        return [shortened(line, self.size, room) for line in lines]
