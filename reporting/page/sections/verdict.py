"""How the run came out, against what, and what it was."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from benchmarks.rules import PLAIN
from benchmarks.schema import Suite
from benchmarks.sections import Bounds
from reporting.contents import missing_sheets
from reporting.frames import CLEAN
from reporting.gate import Check
from reporting.journal import runs_of
from reporting.page.section import Section
from reporting.page.view import View
from reporting.tables import Failure, Held, digits, runs
from reporting.verdict import Standing, verdict_of

#: The word and the sign of each standing; the last is of a run that was held against nothing.
_WORDS = MappingProxyType(
    {
        "kept": ("Passed", "✓"),
        "broken": ("Failed", "✗"),
        "unknown": ("Could not tell", "?"),
        "unjudged": ("Measured", "•"),
    }
)

#: A threshold in words: what is held, the factor of its figure, and the unit that this is then in.
_THRESHOLDS: Mapping[str, tuple[str, float, str]] = MappingProxyType(
    {
        "accuracy_min": ("accuracy", 100, " %"),
        "accuracy_drop_max": ("loss of accuracy against the original", 100, " points"),
        "ce_max": ("CE under a corruption", 1, " % of the original’s error"),
        "mce_max": ("mCE", 1, " % of the original’s error"),
        "mce_rise_max": ("rise of mCE above the original’s", 1, " points"),
        "relative_mce_max": ("relative mCE", 1, " % of the original’s loss"),
        "compression_ratio_min": ("compression ratio", 1, " ×"),
        "zipped_mb_max": ("zipped size", 1, " MB"),
        "latency_ms_max": ("median latency", 1, " ms"),
        "post_attack_accuracy_min": ("accuracy after an attack", 100, " %"),
        "explanation_correlation_min": ("correlation of Grad-CAM maps with the original’s", 1, ""),
        "neighbour_accuracy_min": ("nearest neighbours of the embedding that tell the class", 100, " %"),
        "silhouette_min": ("silhouette of the embedding", 1, ""),
    }
)


@dataclass(frozen=True)
class Threshold:
    """A threshold in words, the rule that set it, and the cases that broke it or straddle it, worst first."""

    told: str
    rule: str
    broken: tuple[Held, ...] = ()
    undecided: tuple[Held, ...] = ()

    @property
    def rows(self) -> list[tuple[str, str, str, str, str]]:
        """Those cases, how they stand, their figure, its interval, and how far it is beyond the limit."""
        return [
            (one.case, word, digits(check.value), check.interval or "exact", digits(check.excess))
            for word, held in (("broken", self.broken), ("undecided", self.undecided))
            for one in held
            for check in [_scaled(one.check)]
        ]


def section(view: View) -> Section:
    """Return the verdict."""
    report = view.report
    thresholds = list(_thresholds(report.suite, report.failures, report.undecided))
    others: dict[str, list[str]] = {}
    for failure in report.failures:
        if isinstance(failure, Failure):
            others.setdefault(failure.message, []).append(failure.case)
    verdict, gated = verdict_of(report), report.gated
    standing = _standing(verdict.standing, gated.standing if gated else None, judged=bool(thresholds))
    word, sign = _WORDS[standing]
    return Section(
        "verdict",
        "Verdict",
        "Verdict",
        {
            "standing": standing,
            "word": word,
            "sign": sign,
            "told": verdict.told,
            "undecided": sum(len(one.undecided) for one in thresholds),
            "strict": report.suite is not None and report.suite.thresholds.strict,
            "gated": gated,
            "thresholds": thresholds,
            "failing": [one for one in thresholds if one.broken],
            "others": others,
            "counts": _counts(view),
            "facts": list(_facts(view)),
            "sentences": list(report.sentences()),
            "missing": [sheet.shown for sheet in missing_sheets(report.missing, report.absent)],
            "level": f"{100 * report.statistics.level:g} %",
        },
        badge=sign,
    )


def _standing(run: Standing, gate: Standing | None, *, judged: bool) -> str:
    """Return the worse of both; a run that nothing was held against and that lacks nothing has none."""
    if "broken" in (run, gate):
        return "broken"
    if "unknown" in (run, gate):
        return "unknown"
    return "kept" if judged or gate else "unjudged"


def _thresholds(
    suite: Suite | None, failures: Iterable[Failure | Held], undecided: Iterable[Held]
) -> Iterator[Threshold]:
    """Yield the suite's thresholds, rule by rule, and what was held against another suite's."""
    broken, open_ = _by_bound(failures), _by_bound(undecided)
    for rule, bounds in _rules(suite):
        for key in type(bounds).model_fields:
            limit = getattr(bounds, key)
            if key in Bounds.model_fields and limit is not None:
                bound = Check(key, rule, limit, None, None, None, "kept").bound
                yield Threshold(_told(key, limit), rule, broken.pop(bound, ()), open_.pop(bound, ()))
    for bound in dict.fromkeys([*broken, *open_]):
        held = (*broken.get(bound, ()), *open_.get(bound, ()))[0].check
        yield Threshold(
            _told(held.threshold, held.limit), held.rule, broken.get(bound, ()), open_.get(bound, ())
        )


def _rules(suite: Suite | None) -> Iterator[tuple[str, Bounds]]:
    if suite:
        yield PLAIN, suite.thresholds
        yield from suite.thresholds.where.items()


def _by_bound(held: Iterable[Failure | Held]) -> dict[str, tuple[Held, ...]]:
    """Return the cases that were held against each threshold, the worst first."""
    bounds: dict[str, list[Held]] = {}
    for one in held:
        if isinstance(one, Held):
            bounds.setdefault(one.check.bound, []).append(one)
    return {
        bound: tuple(sorted(alike, key=lambda one: -(one.check.excess or 0)))
        for bound, alike in bounds.items()
    }


def _scaled(check: Check) -> Check:
    """Return a check with its figures in the unit of the words for its threshold."""
    factor = _THRESHOLDS.get(check.threshold, ("", 1, ""))[1]
    value, low, high = (None if end is None else factor * end for end in (check.value, check.low, check.high))
    return replace(check, limit=factor * check.limit, value=value, low=low, high=high)


def _told(key: str, limit: float) -> str:
    """Return a threshold in words; one that is not known here by its key."""
    what, factor, unit = _THRESHOLDS.get(key, (key, 1, ""))
    sense = "at least" if key.endswith("_min") else "at most"
    return f"{what} {sense} {factor * limit:g}{unit}"


def _counts(view: View) -> list[tuple[str, str]]:
    """Return the figures that say how large the run was, each with its name."""
    report = view.report
    models = {(variant.dataset, variant.model) for variant in view.variants}
    measured = len(report.expected) - len(report.missing)
    counts = [
        (f"{len(view.variants):,}", "variants" if len(view.variants) != 1 else "variant"),
        (f"{len(models):,}", "networks" if len(models) != 1 else "network"),
        (f"{measured:,}" if report.missing.empty else f"{measured:,} of {len(report.expected):,}", "cells"),
    ]
    images = sorted(set(report.cells["images"].dropna()))
    if images:
        few = f"{images[0]:,}" if len(images) == 1 else f"{images[0]:,}–{images[-1]:,}"
        counts.append((few, "images a cell"))
    return counts


def _facts(view: View) -> Iterator[tuple[str, str]]:
    """Yield what is known of the run, each fact with its name."""
    report, suite = view.report, view.report.suite
    if suite:
        yield "Suite", f"{suite.name}: {suite.description}"
    yield "Data sets", ", ".join(view.datasets)
    yield "Networks", ", ".join(view.models)
    yield "Images behind a cell", _images(view)
    corrupted = report.cells[report.cells["corruption"] != CLEAN]
    if len(corrupted):
        kinds = corrupted["corruption"].nunique()
        levels = runs(corrupted["severity"].unique())
        yield "Corruptions", f"{kinds} {'kind' if kinds == 1 else 'kinds'}, severity {levels}"
    if suite:
        yield "Protocol", {"sound": "sound", "paper": "the original study’s own"}[suite.protocol]
    merged = runs_of(report.about)
    for place, run in enumerate(merged, start=1):
        of = f" ({place} of {len(merged)})" if len(merged) > 1 else ""
        yield from ((f"{name}{of}", text) for name, text in _about(run))


def _images(view: View) -> str:
    cells = view.report.cells
    known = cells.dropna(subset=["images"])
    if known.empty:
        return "not recorded"
    few, many = known["images"].min(), known["images"].max()
    images = f"{few:,}" if few == many else f"{few:,} to {many:,}"
    populations = known["population"].dropna()
    return images if populations.empty else f"{images} of a test set of {populations.max():,}"


def _about(run: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what a journal tells about a run, as far as it does."""
    if "command" in run:
        yield "Command", str(run["command"])
    started, ended = (_moment(run.get(name)) for name in ("started", "ended"))
    if started:
        yield "Started", f"{started:%d %B %Y, %H:%M} UTC".lstrip("0")
    if started and ended:
        yield "Took", _duration(ended - started)
    if "machine" in run:
        yield "Machine", str(run["machine"])
    versions = {"python": run["python"]} if "python" in run else {}
    versions |= run.get("libraries", {})
    if versions:
        yield "Versions", ", ".join(f"{name} {version}" for name, version in versions.items())


def _moment(text: Any) -> datetime | None:
    """Return the moment that a journal tells in ISO 8601, ``None`` if it tells none."""
    try:
        return datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None


def _duration(time: timedelta) -> str:
    minutes, seconds = divmod(max(0, round(time.total_seconds())), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
