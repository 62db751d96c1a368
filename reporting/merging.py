"""Joining the journals of shards, run on whichever machines, into that of one run.

What is joined must be of one suite and of the same images, and where two journals have the same case they
must have found the same, because a report made of anything else would be of no run that there was.  A
latency is never the same twice: of several the first counts.  What one shard could not measure may come from
another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import Any

from benchmarks.cases import Case
from benchmarks.results import Cell, Record
from benchmarks.schema import Suite
from reporting.journal import NAME, Entry, Header, JournalError, Recording, read_journal, runs_of
from reporting.report import Report


class MergeError(ValueError):
    """Journals do not belong together: which, where they differ, and what each says."""


@dataclass(frozen=True)
class Part:
    """A journal and where it was read from, as the user named it."""

    path: Path
    recording: Recording


@dataclass(frozen=True)
class Merged:
    """A run joined from parts: its ``entries`` by case, and ``remarks`` on how they were joined."""

    header: Header
    entries: Mapping[str, Entry]
    remarks: tuple[str, ...]


def read_parts(paths: Iterable[Path]) -> list[Part]:
    """Return the journals at ``paths``, of which a folder stands for the whole one in it.

    Raises :class:`reporting.journal.JournalError` or ``OSError``.
    """
    parts = []
    for path in paths:
        cut_off = path / f"{NAME}.part"
        if path.is_dir() and not (path / NAME).exists() and cut_off.exists():
            raise JournalError(
                f"expected the journal of a whole run in {path}, got {cut_off.name}, because a run goes on "
                f"there or was killed; try that run again, or name {cut_off} to take what there is"
            )
        parts.append(Part(path, read_journal(path)))
    return parts


def merge(parts: Sequence[Part]) -> Merged:
    """Return the run that ``parts``, at least one, are the shards of; raises :class:`MergeError`."""
    first, *others = parts
    for other in others:
        _check_suite(first, other)
    _check_images(parts)
    entries: dict[str, Entry] = {}
    source: dict[str, Path] = {}
    timed_again = []
    for part in parts:
        for name, entry in part.recording.entries.items():
            known = entries.get(name)
            if known is None or (known.record is None and entry.record is not None):
                entries[name], source[name] = entry, part.path
            elif known.record is not None and entry.record is not None:
                if entry.record.case.kind == "latency":
                    timed_again.append((name, source[name]))
                else:
                    _check_equal(known.record, source[name], entry.record, part.path)
    headers = [part.recording.header for part in parts]
    header = Header(
        headers[0].suite,
        {name: family for header in headers for name, family in header.families.items()},
        tuple(dict.fromkeys(case for header in headers for case in header.selected)),
        {"merged": _runs(parts)},
    )
    return Merged(header, entries, tuple(_remarks(parts, timed_again)))


def report_of(merged: Merged) -> Report:
    """Return the report on a joined run, of which every case of the suite is expected."""
    header = merged.header
    every = tuple(map(str, header.cases))
    return Report.of_run(Header(header.suite, header.families, every, header.about), merged.entries.values())


def grouped(cases: Iterable[Case]) -> list[str]:
    """Return ``cases`` in words, a line a variant: ``digits-vgg6-qat: clean, fog, claims``."""
    in_order = sorted(cases, key=lambda case: case.variant)
    return [
        f"{variant}: " + ", ".join(str(case).removeprefix(f"{variant}-") for case in of_variant)
        for variant, of_variant in groupby(in_order, key=lambda case: case.variant)
    ]


def _runs(parts: Iterable[Part]) -> list[dict[str, Any]]:
    """Return what is told about each run that ``parts`` are of, some of which may be merged themselves."""
    recordings = [part.recording for part in parts]
    told = [recording.header.about_until(recording.ended) for recording in recordings]
    return [dict(run) for about in told for run in runs_of(about)]


def _check_suite(first: Part, other: Part) -> None:
    ours, theirs = (_settings(part.recording.header.suite) for part in (first, other))
    unlike = [
        f"{key} is {ours.get(key)!r} in {first.path} and {theirs.get(key)!r} in {other.path}"
        for key in dict.fromkeys([*ours, *theirs])
        if ours.get(key) != theirs.get(key)
    ]
    if unlike:
        raise MergeError(
            f"expected shards of one suite, got {'; '.join(unlike)}, because figures of different settings "
            "are not of one run; try running the shards with the same --suite and --set"
        )


def _settings(suite: Suite) -> dict[str, Any]:
    """Return every setting by its key; of a path, which is another on each machine, its last part."""
    return {
        key: Path(value).name if isinstance(value, str) and Path(value).is_absolute() else value
        for key, value in _flat(suite.model_dump(mode="json"))
    }


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _check_images(parts: Iterable[Part]) -> None:
    """Check that all looked at the same images, as only then one network can be compared with another."""
    seen: dict[tuple[str, str | None], tuple[Path, dict[str, Any]]] = {}
    for part in parts:
        for record in part.recording.records:
            if record.images is None:
                continue
            case = record.case
            identity = dict(_flat(record.images.identity))
            before, known = seen.setdefault((case.variant.dataset, case.corruption), (part.path, identity))
            unlike = [
                key for key in dict.fromkeys([*known, *identity]) if known.get(key) != identity.get(key)
            ]
            if unlike:
                told = "; ".join(
                    f"{key} is {known.get(key)!r} in {before} and {identity.get(key)!r} in {part.path}"
                    for key in unlike
                )
                raise MergeError(
                    f"expected the same images in every shard, got others for {case}: {told}, because only "
                    "on the same images networks can be compared; try the same data and the locked versions "
                    "of libraries everywhere"
                )


def _check_equal(known: Record, before: Path, record: Record, path: Path) -> None:
    """Check that two measurements of one case found the same."""
    for what, ours, theirs in _figures(known, record):
        if ours != theirs:
            raise MergeError(
                f"expected the same of a case that two shards have, got for {record.case}, {what}: {ours} in "
                f"{before}, {theirs} in {path}, because they ran other networks; try leaving one out, or "
                "running that shard again with the other's artifacts"
            )


def _figures(known: Record, record: Record) -> Iterator[tuple[str, str, str]]:
    """Yield what is measured, cell by cell and metric by metric, with what each record says of it."""
    ours, theirs = ({(c.corruption, c.severity): c for c in one.cells} for one in (known, record))
    for corruption, severity in ours | theirs:
        cells = [cells.get((corruption, severity)) for cells in (ours, theirs)]
        name = f"{corruption} at severity {severity}"
        yield name, _count(cells[0]), _count(cells[1])
        told = [sha256(cell.wrong).hexdigest()[:12] for cell in cells if cell and cell.wrong]
        if len(told) == len(cells):
            yield f"{name}, which images were wrong (digest)", told[0], told[1]
    for metric in dict.fromkeys([*known.metrics, *record.metrics]):
        values = [str(one.metrics.get(metric, "nothing")) for one in (known, record)]
        yield metric, values[0], values[1]


def _count(cell: Cell | None) -> str:
    return f"{cell.errors} of {cell.images} wrong" if cell else "nothing"


def _remarks(parts: Iterable[Part], timed_again: Sequence[tuple[str, Path]]) -> Iterator[str]:
    for path, again in groupby(sorted(timed_again, key=lambda timed: timed[1]), key=lambda timed: timed[1]):
        names = [name for name, _ in again]
        yield f"Of latencies that several shards have, those of {path} count: {', '.join(names)}."
    for part in parts:
        if not part.recording.finished:
            yield f"{part.path}: this run was cut off; what it had measured is taken."
        cut_off = part.path / f"{NAME}.part"
        if cut_off.exists():
            yield f"{cut_off}: not read, because a run goes on there or was killed; name it to take it too."
    libraries = [run.get("libraries", {}) for run in _runs(parts)]
    for name in sorted({name for one in libraries for name in one}):
        versions = {one[name]: None for one in libraries if name in one}
        if len(versions) > 1:
            yield f"The shards ran with different versions of {name}: {', '.join(versions)}."
