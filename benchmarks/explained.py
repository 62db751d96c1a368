"""The thresholds of cases in words: which limit each is held against, and which rule set it."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence
from textwrap import wrap
from typing import TypeVar

from tabulate import tabulate

from benchmarks.cases import Case
from benchmarks.rules import Limit, limits_of
from benchmarks.schema import Suite

_WIDTH = 100

#: Names that stand together, and the pattern of a rule, are wrapped to this many characters.
_NAMES_WIDTH, _RULE_WIDTH = 48, 40

#: What several cases of a variant, by what they look at, are held against alike.
_Alike = tuple[tuple[str, ...], tuple[tuple[str, Limit], ...]]

Group = TypeVar("Group", bound=Hashable)
Member = TypeVar("Member")


def explained(cases: Sequence[Case], suite: Suite) -> str:
    """Return the thresholds of ``cases``: a paragraph for the variants whose cases have the same.

    In a paragraph, cases with the same thresholds share a line for each of these, which names the rule.
    """
    straddled = "fails too" if suite.thresholds.strict else "passes with a warning"
    lines = [
        f"Thresholds of suite {suite.name} for {len(cases)} selected cases.  A case fails when its interval",
        f"(at {100 * suite.statistics.level:g} %) lies beyond a threshold; when it straddles one, the case "
        f"{straddled}.",
    ]
    places = {variant: place for place, variant in enumerate(suite.variants())}
    by_variant = _grouped(
        (case.variant, case) for case in sorted(cases, key=lambda case: places[case.variant])
    )
    techniques = _grouped(
        ((variant.dataset, variant.model, tuple(_alike(own, suite))), variant.technique)
        for variant, own in by_variant.items()
    )
    models = _grouped(
        ((dataset, tuple(names), alike), model) for (dataset, model, alike), names in techniques.items()
    )
    datasets = _grouped(
        ((tuple(names), of_techniques, alike), dataset)
        for (dataset, of_techniques, alike), names in models.items()
    )
    for (of_models, of_techniques, alike), of_datasets in datasets.items():
        compressed = _names(of_techniques, suite.compression.techniques, "technique")
        variants = " / ".join([", ".join(of_datasets), ", ".join(of_models), compressed])
        lines += ["", *wrap(variants, _WIDTH, subsequent_indent="    ", break_on_hyphens=False)]
        rows = [row for group in alike for row in _rows(*group, suite.corruptions.names)]
        table = tabulate(rows, tablefmt="plain", maxcolwidths=[_NAMES_WIDTH, None, _RULE_WIDTH])
        lines += [f"  {line}".rstrip() for line in table.splitlines()]
    return "\n".join(lines)


def _alike(cases: Iterable[Case], suite: Suite) -> Iterator[_Alike]:
    """Yield the cases of a variant that have the same thresholds, with these."""
    groups = _grouped((tuple(limits_of(case, suite.thresholds).items()), case.what) for case in cases)
    for limits, looked_at in groups.items():
        yield tuple(looked_at), limits


def _rows(
    looked_at: Sequence[str], limits: Sequence[tuple[str, Limit]], corruptions: Collection[str]
) -> Iterator[tuple[str, str, str]]:
    """Yield a line for each threshold: whose it is (said once), the threshold, and the rule."""
    of_them = [name for name in looked_at if name in corruptions]
    others = [name for name in looked_at if name not in corruptions]
    names = ", ".join(filter(None, [*others, _names(of_them, corruptions, "corruption")]))
    if not limits:
        yield names, "none", ""
    for place, (threshold, limit) in enumerate(limits):
        yield "" if place else names, f"{threshold} = {limit.value:g}", limit.rule


def _names(some: Collection[str], every: Collection[str], title: str) -> str:
    """Return ``some`` names joined, or those that are left out of ``every`` where these are much fewer."""
    others = [name for name in every if name not in some]
    if 2 * len(others) >= len(some):
        return ", ".join(some)
    return f"every {title}" + (f" but {', '.join(others)}" if others else "")


def _grouped(pairs: Iterable[tuple[Group, Member]]) -> dict[Group, list[Member]]:
    """Return the members of each group, both in the order in which they come."""
    groups: dict[Group, list[Member]] = {}
    for group, member in pairs:
        groups.setdefault(group, []).append(member)
    return groups
