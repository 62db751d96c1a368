"""What compression forgot, from the records of a run: where, of which classes, for which others, and on what.

Images that the original classifies rightly and a compressed network does not are *forgotten*, after S. Hooker
et al., What Do Compressed Deep Neural Networks Forget? (arXiv:1911.05248).  What is counted are pairs of an
image and a severity.  A case tells them in its record's ``details["forgotten"]``, whose form
``fixtures/forgetting.py`` describes; those that do not, as those of older code, are left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.cases import Variant
from benchmarks.results import Record
from reporting.frames import CLEAN

#: How many examples a variant has at most, and how many of them may be of one corruption, or of one class,
#: while there are others.
EXAMPLES, OF_ONE = 12, 2

#: The corruption of a case, and one of the examples that it tells.
_Told = tuple[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Counts:
    """Of ``right`` pairs that the original classifies rightly, the variant forgot ``count``."""

    right: int
    count: int

    @property
    def share(self) -> float | None:
        """The part forgotten, 0 to 1; ``None`` where the original knows nothing that could be."""
        return self.count / self.right if self.right else None


@dataclass(frozen=True)
class Part(Counts):
    """The counts of one corruption (``"clean"`` for the clean images) or of one class."""

    name: str


@dataclass(frozen=True)
class Confusion:
    """How often what the original knew as ``label`` was ``predicted`` to be another class, at least.

    Of each case its most frequent confusions alone are known.
    """

    label: str
    predicted: str
    count: int


@dataclass(frozen=True)
class Example:
    """A forgotten image: the original predicts its true class, ``label``, the variant ``predicted`` another.

    ``image`` is its index in the test set; the clean images are corruption ``"clean"`` at severity 0.
    ``picture`` is the image as the networks got it, a WebP file in Base64.
    """

    corruption: str
    severity: int
    image: int
    label: str
    predicted: str
    picture: str


@dataclass(frozen=True)
class Forgotten(Counts):
    """What one variant forgot, and how many pairs it ``gained``, which the original classifies wrongly.

    ``by_corruption`` and ``by_class`` begin with the largest share, ``confusions`` with the most frequent,
    ``examples`` with the most affected class and in it with the most affected corruption.
    """

    variant: Variant
    gained: int
    by_corruption: tuple[Part, ...]
    by_class: tuple[Part, ...]
    confusions: tuple[Confusion, ...]
    examples: tuple[Example, ...]


def forgotten_of(records: Iterable[Record]) -> tuple[Forgotten, ...]:
    """Return what each variant forgot of which at least one record tells, in the order of variants.

    Of two records of a case the later counts.  Equal pictures of several variants are one string.
    """
    by_variant: dict[Variant, dict[str, Mapping[str, Any]]] = {}
    for record in records:
        if "forgotten" in record.details:
            told = by_variant.setdefault(record.case.variant, {})
            told[record.case.corruption or CLEAN] = record.details["forgotten"]
    pictures: dict[str, str] = {}
    return tuple(_forgotten(variant, told, pictures) for variant, told in sorted(by_variant.items()))


def _forgotten(
    variant: Variant, told: Mapping[str, Mapping[str, Any]], pictures: dict[str, str]
) -> Forgotten:
    """Return what a variant forgot, from what its cases tell, by corruption."""
    values = told.values()
    names = {label: name for value in values for label, name in value["classes"].items()}
    by_corruption = _ranked({name: (value["right"], value["count"]) for name, value in told.items()})
    by_class = _ranked(_by_class(values))
    shown = _spread(
        [(name, example) for name, value in told.items() for example in value["examples"]],
        [int(label) for label in by_class],
        list(by_corruption),
    )
    return Forgotten(
        right=sum(value["right"] for value in values),
        count=sum(value["count"] for value in values),
        variant=variant,
        gained=sum(value["gained"] for value in values),
        by_corruption=tuple(Part(*counts, name) for name, counts in by_corruption.items()),
        by_class=tuple(Part(*counts, names[label]) for label, counts in by_class.items()),
        confusions=tuple(
            Confusion(names[str(label)], names[str(predicted)], count)
            for (label, predicted), count in _confusions(values)
        ),
        examples=tuple(
            Example(
                corruption,
                example["severity"],
                example["image"],
                names[str(example["label"])],
                names[str(example["predicted"])],
                pictures.setdefault(example["picture"], example["picture"]),
            )
            for corruption, example in shown
        ),
    )


def _ranked(counts: Mapping[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
    """Return (right, count) by name, the largest share first."""

    def rank(item: tuple[str, tuple[int, int]]) -> tuple[float, int, str]:
        name, (right, count) = item
        return -(Counts(right, count).share or 0), -count, name

    return dict(sorted(counts.items(), key=rank))


def _by_class(told: Iterable[Mapping[str, Any]]) -> dict[str, tuple[int, int]]:
    """Return (right, count) over all cases by the label, as text, of each class that was forgotten at all."""
    right: Counter[str] = Counter()
    count: Counter[str] = Counter()
    for value in told:
        for label, some, known in value["by_class"]:
            count[str(label)] += some
            right[str(label)] += known
        for label, known in value["kept"]:
            right[str(label)] += known
    return {label: (right[label], some) for label, some in count.items()}


def _confusions(told: Iterable[Mapping[str, Any]]) -> list[tuple[tuple[int, int], int]]:
    """Return ((label, predicted), count) over all cases, the most frequent first."""
    counts: Counter[tuple[int, int]] = Counter()
    for value in told:
        counts.update({(label, predicted): count for label, predicted, count in value["confusions"]})
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _spread(examples: Iterable[_Told], labels: Sequence[int], corruptions: Sequence[str]) -> list[_Told]:
    """Return the examples to show, in the order of ``labels`` and then of ``corruptions``.

    No more than :data:`OF_ONE` are of one class or of one corruption; where that does not fill the room, one
    more, and so on.
    """

    def rank(told: _Told) -> tuple[int, int]:
        corruption, example = told
        return labels.index(example["label"]), corruptions.index(corruption)

    ranked = sorted(examples, key=rank)
    seen: Counter[str | int] = Counter()
    chosen: set[int] = set()
    for allowed in range(OF_ONE, OF_ONE + len(ranked)):
        for place, (corruption, example) in enumerate(ranked):
            both = corruption, example["label"]
            free = place not in chosen and all(seen[one] < allowed for one in both)
            if free and len(chosen) < EXAMPLES:
                seen.update(both)
                chosen.add(place)
    return [ranked[place] for place in sorted(chosen)]
