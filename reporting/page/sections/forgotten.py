"""What compression forgot: what the original knew, and which images show it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from reporting.forgotten import EXAMPLES, Forgotten, Part
from reporting.page.section import Section
from reporting.page.view import View

#: How much room the pictures may take, in bytes of the page.
ROOM = 1_600_000

#: How many classes and confusions are shown of a variant, at most.
_CLASSES, _CONFUSIONS = 10, 8


def section(view: View) -> Section:
    """Return what each compressed variant forgot."""
    title = "What compression forgot"
    found = [one for one in view.report.forgotten if one.right]
    if not found:
        why = "the predictions of single images were not recorded, or none that was right became wrong"
        return Section("forgotten", title, "Forgotten", absent=why)
    examples = _fitting(found)
    pictures: dict[str, int] = {}
    by_place = {
        view.places[one.variant.dataset, one.variant.model, one.variant.technique]: _told(
            one, examples, pictures
        )
        for one in found
    }
    order = sorted(by_place)
    return Section(
        "forgotten",
        title,
        "Forgotten",
        {
            "variants": [(view.variants[place], place, by_place[place]["share"]) for place in order],
            "most": max(order, key=lambda place: by_place[place]["share"]),
            "datasets": view.datasets,
            "left_out": examples < max(len(one.examples) for one in found),
            "examples": examples,
        },
        {"variants": {str(place): by_place[place] for place in order}, "pictures": list(pictures)},
    )


def _fitting(found: Sequence[Forgotten]) -> int:
    """Return how many examples of each variant there is room for."""
    for examples in range(EXAMPLES, 0, -1):
        pictures = {example.picture for one in found for example in one.examples[:examples]}
        if sum(map(len, pictures)) <= ROOM:
            return examples
    return 0


def _told(one: Forgotten, examples: int, pictures: dict[str, int]) -> dict[str, Any]:
    """Return what is shown of a variant; ``pictures`` gets those of its examples, each once."""
    return {
        "right": one.right,
        "count": one.count,
        "gained": one.gained,
        "share": one.count / one.right,
        "corruptions": _parts(one.by_corruption),
        "classes": _parts(one.by_class[:_CLASSES]),
        "confusions": [[each.label, each.predicted, each.count] for each in one.confusions[:_CONFUSIONS]],
        "examples": [
            [
                each.corruption,
                each.severity,
                each.image,
                each.label,
                each.predicted,
                pictures.setdefault(each.picture, len(pictures)),
            ]
            for each in one.examples[:examples]
        ],
    }


def _parts(parts: Iterable[Part]) -> list[list[Any]]:
    return [[part.name, part.count, part.right] for part in parts]
