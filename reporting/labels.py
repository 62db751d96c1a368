"""Where to write labels beside points so that they hide neither a point nor each other."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Directions from a point to its label, the preferred ones first, and widths of the gap between them.
_ANGLES = tuple(math.radians(degrees) for degrees in (45, -45, 135, -135, 90, -90, 0, 180, 68, 22, 112, 158))
_GAPS = (0.5, 3.0, 6.0, 10.0, 15.0, 21.0, 28.0)

#: How much wider than a marker the area is in which a label seems to be the marker's.
_NEAR = 2.0

#: How much worse it is to hide something than to be in the surroundings of another's marker.
_HIDDEN = 4.0


@dataclass(frozen=True)
class Box:
    """A rectangle with its middle at (x, y)."""

    x: float
    y: float
    width: float
    height: float

    def overlap(self, other: Box) -> float:
        """Return the area that both cover."""
        across = min(self.x + self.width / 2, other.x + other.width / 2) - max(
            self.x - self.width / 2, other.x - other.width / 2
        )
        along = min(self.y + self.height / 2, other.y + other.height / 2) - max(
            self.y - self.height / 2, other.y - other.height / 2
        )
        return max(across, 0.0) * max(along, 0.0)


def place(
    points: NDArray[np.float64], sizes: Sequence[tuple[float, float]], marker: float, frame: Box
) -> list[Box]:
    """Return where to write the label of each point; all lengths are in one unit.

    ``points`` (n, 2) are the middles of markers of diameter ``marker``, ``sizes`` the labels' widths and
    heights, ``frame`` the area to stay in.  The most crowded points choose first; each takes the place that
    hides least of markers and of labels that have their place, sticks out least, and is least in the
    surroundings of another's marker, which it would seem to belong to; of equal ones the nearest.
    """
    markers = [Box(x, y, marker, marker) for x, y in points.tolist()]
    surroundings = [Box(x, y, _NEAR * marker, _NEAR * marker) for x, y in points.tolist()]
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    placed: dict[int, Box] = {}

    def cost(box: Box, index: int) -> float:
        hidden = sum(map(box.overlap, [*markers, *placed.values()]))
        outside = box.width * box.height - box.overlap(frame)
        ambiguous = sum(map(box.overlap, surroundings)) - box.overlap(surroundings[index])
        # Rounded, so that floating point does not choose between places that are equally good.
        return round(_HIDDEN * (hidden + outside) + ambiguous, 3)

    for index in np.argsort(-(distances < 4 * marker).sum(axis=1), kind="stable").tolist():
        places = _places(markers[index], *sizes[index])
        placed[index] = min(places, key=lambda box: cost(box, index))
    return [placed[index] for index in range(len(points))]


def _places(marker: Box, width: float, height: float) -> Iterator[Box]:
    """Yield boxes around ``marker``, the touching ones first."""
    for gap in _GAPS:
        for angle in _ANGLES:
            right, up = math.cos(angle), math.sin(angle)
            touching = min(
                (marker.width + width) / 2 / max(abs(right), 1e-9),
                (marker.height + height) / 2 / max(abs(up), 1e-9),
            )
            reach = touching + gap
            yield Box(marker.x + reach * right, marker.y + reach * up, width, height)
