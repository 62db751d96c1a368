"""Which thresholds each case is held against, and which rule of the suite set each of them.

A rule is the section ``[thresholds]``, which is for every case, or one of ``[thresholds.where."PATTERN"]``.
A pattern is ``model/technique/what`` or ``dataset/model/technique/what``, each part a shell pattern.  What
is looked at is ``clean`` in an accuracy case, in a robustness case its corruption or the family of that, the
name of its attack or explanation where it has one, and else the kind of the case.

Each threshold is set by the most specific rule that has it.  Of two patterns that is, the first that decides,

    the one with more parts without a wildcard
    the one that names the corruption and not its family
    the one with more literal characters
    the later one in the file

and any pattern is more specific than the plain section.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import chain
from types import MappingProxyType
from typing import NamedTuple

from benchmarks.cases import KINDS, STANDARD_CORRUPTIONS, Case
from benchmarks.schema import Suite
from benchmarks.sections import Bounds, Thresholds, suggestion

#: The thresholds that each way of explaining is held against.
_EXPLAINED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "activation_maps": ("explanation_correlation_min",),
        "embedding": ("neighbour_accuracy_min", "silhouette_min"),
    }
)

#: The thresholds that the cases of each kind are held against.
HELD_AGAINST: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "accuracy": ("accuracy_min", "accuracy_drop_max"),
        "robustness": ("ce_max",),
        "mce": ("mce_max", "mce_rise_max", "relative_mce_max"),
        "claims": ("compression_ratio_min", "zipped_mb_max"),
        "latency": ("latency_ms_max",),
        "adversarial": ("post_attack_accuracy_min",),
        "explainability": tuple(chain.from_iterable(_EXPLAINED.values())),
    }
)

#: What the plain section is called where a rule is named.
PLAIN = "thresholds"

#: The forms of a pattern.
_FORMS = "model/technique/what or dataset/model/technique/what"

_WILDCARD = re.compile(r"\[[^]]+\]|[*?]")
_NOT_LITERAL = re.compile(rf"{_WILDCARD.pattern}|/")


class Limit(NamedTuple):
    """The ``value`` of a threshold, and the ``rule`` that set it: a pattern as written, or :data:`PLAIN`."""

    value: float
    rule: str


def limits_of(case: Case, thresholds: Thresholds) -> dict[str, Limit]:
    """Return what ``case`` is held against, by the key of the threshold."""
    ranked = [
        (rank, place, pattern)
        for place, pattern in enumerate(thresholds.where)
        if (rank := _specificity(pattern, case)) is not None
    ]
    rules: list[tuple[str, Bounds]] = [(PLAIN, thresholds)]
    rules += [(pattern, thresholds.where[pattern]) for _, _, pattern in sorted(ranked)]
    limits = {}
    for key in _held_against(case):
        for rule, bounds in reversed(rules):
            value = getattr(bounds, key)
            if value is not None:
                limits[key] = Limit(value, rule)
                break
    return limits


def faults_of(suite: Suite, families: Mapping[str, str]) -> Iterator[str]:
    """Yield what is wrong with the rules of a suite, each with its key: none of them may say nothing.

    ``families`` maps each corruption to its family.
    """
    thresholds = suite.thresholds
    cases = [case for kind in KINDS for case in suite.cases(kind, families)]
    yield from _idle_keys(suite, PLAIN, thresholds, cases)
    for pattern, bounds in thresholds.where.items():
        key = f"{PLAIN}.where.{pattern}"
        if not re.fullmatch(r"[^/]+(/[^/]+){2,3}", pattern):
            yield f"{key}: expected a pattern {_FORMS}, got {pattern!r}"
            continue
        matched = [case for case in cases if _specificity(pattern, case) is not None]
        if matched:
            yield from _idle_keys(suite, key, bounds, matched)
        else:
            yield (
                f"{key}: expected a pattern that matches a case of the suite, got one that matches none, "
                f"because {'; '.join(_unmatched_parts(pattern, cases))}"
            )


def _held_against(case: Case) -> tuple[str, ...]:
    if case.kind == "explainability" and case.method is not None:
        return _EXPLAINED[case.method]
    return HELD_AGAINST[case.kind]


def _specificity(pattern: str, case: Case) -> tuple[int, bool, int] | None:
    """Return how specific a pattern is where it matches ``case``, and ``None`` where it does not."""
    *scope, what = pattern.split("/")
    if not all(map(fnmatchcase, _scope(case)[-len(scope) :], scope)):
        return None
    by_name = fnmatchcase(case.what, what)
    if not (by_name or (case.family and fnmatchcase(case.family, what))):
        return None
    plain_parts = sum(not _WILDCARD.search(part) for part in (*scope, what))
    return plain_parts, by_name, len(_NOT_LITERAL.sub("", pattern))


def _scope(case: Case) -> tuple[str, str, str]:
    return case.variant.dataset, case.variant.model, case.variant.technique


def _idle_keys(suite: Suite, section: str, bounds: Bounds, cases: Sequence[Case]) -> Iterator[str]:
    """Yield the keys of a rule that none of the ``cases`` it matches is held against."""
    known = list(dict.fromkeys(key for case in cases for key in _held_against(case)))
    for key in Bounds.model_fields:
        if getattr(bounds, key) is None or key in known:
            continue
        if key in HELD_AGAINST["mce"] and suite.evaluation == "sequential":
            yield (
                f'{section}.{key}: expected evaluation = "full", got "sequential", because each corruption '
                "stops at other images, and so their mean is no mCE; try ce_max"
            )
            continue
        lacking = [name for name in STANDARD_CORRUPTIONS if name not in suite.corruptions.names]
        if key in HELD_AGAINST["mce"] and lacking:
            yield (
                f"{section}.{key}: expected a suite with the fifteen standard corruptions, got one without "
                f"{', '.join(lacking)}, because mCE is the mean over all of them; try ce_max"
            )
        else:
            yield (
                f"{section}.{key}: expected a threshold of the cases that the pattern matches "
                f"({', '.join(known)}), got one of others"
            )


def _unmatched_parts(pattern: str, cases: Sequence[Case]) -> Iterator[str]:
    """Yield which parts match no name.  As every variant has the same cases, one that does fits the rest."""
    *scope, what = pattern.split("/")
    names = [dict.fromkeys(column) for column in zip(*map(_scope, cases), strict=True)]
    looked_at = dict.fromkeys(name for case in cases for name in (case.what, case.family) if name)
    titles = ("data set", "model", "technique")
    for title, part, known in zip(
        (*titles[-len(scope) :], "image set or kind"),
        (*scope, what),
        (*names[-len(scope) :], looked_at),
        strict=True,
    ):
        if not any(fnmatchcase(name, part) for name in known):
            yield f"no {title} of the suite ({', '.join(known)}) is {part!r}{suggestion(part, known)}"
