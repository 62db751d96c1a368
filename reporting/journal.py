"""The journal of a run: what each case came to, on disk as soon as it is known.

A journal is a file of JSON lines: a header that describes the run, a line for each case that ended, and a
last line when the run ended.  While a run goes on it is called ``records.jsonl.part``, so that what stands
under ``records.jsonl`` is the whole of a run.  A run that was killed leaves the former behind, complete to
the last case; the next run of the same suite in that folder takes its lines over and goes on from there.

From a journal every report can be made again, runs can be compared, and the parts of a run be joined.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

from filelock import FileLock, Timeout
from pydantic import ValidationError

from benchmarks.cases import KINDS, Case
from benchmarks.results import Record
from benchmarks.schema import Suite
from benchmarks.sections import ANY_NAME, Known
from reporting.files import write_text
from reporting.gate import Check

#: Raised when what a line holds changes its meaning.
FORMAT = 1

NAME = "records.jsonl"


class JournalError(ValueError):
    """A journal cannot be read or written: which file, which line, what was expected, what came."""


@dataclass(frozen=True)
class Header:
    """What a run is: its ``suite``, the family of each corruption, the ids of the cases ``selected`` of the
    suite's, and what is told ``about`` it (the command, versions, the machine, when it started), which of a
    merged run is a list of the same for each (:func:`runs_of`).
    """

    suite: Suite
    families: Mapping[str, str]
    selected: tuple[str, ...]
    about: Mapping[str, Any] = field(default_factory=dict)

    def about_until(self, ended: str | None) -> dict[str, Any]:
        """Return what is told about the run, and when it ``ended``, where that is known."""
        return dict(self.about) | ({} if ended is None else {"ended": ended})

    @property
    def cases(self) -> list[Case]:
        """Every case of the suite, selected or not."""
        return [case for kind in KINDS for case in self.suite.cases(kind, self.families)]

    def to_json(self) -> dict[str, Any]:
        """Return the header as JSON values."""
        return {
            "format": FORMAT,
            "suite": self.suite.model_dump(mode="json"),
            "families": dict(self.families),
            "selected": list(self.selected),
            "about": dict(self.about),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Header:
        """Return the header of :meth:`to_json`; ``KeyError``, ``TypeError`` or ``ValueError`` for another."""
        if value["format"] != FORMAT:
            raise ValueError(f"format {FORMAT} is read here, this is format {value['format']}")
        known = Known(ANY_NAME, ANY_NAME, ANY_NAME)
        suite = Suite.model_validate(value["suite"], context={"known": known})
        return cls(suite, dict(value["families"]), tuple(value["selected"]), dict(value["about"]))


#: How a case ended: it kept its thresholds, broke one, or could not be measured.
Ending = Literal["passed", "failed", "error"]


@dataclass(frozen=True)
class Entry:
    """What one case came to: its id, how it ended, why if it did not pass, what it measured, and the
    thresholds that this was held against.
    """

    case: str
    ending: Ending
    message: str = ""
    record: Record | None = None
    checks: tuple[Check, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the entry as JSON values."""
        return {
            "case": self.case,
            "ending": self.ending,
            "message": self.message,
            "record": self.record.to_json() if self.record else None,
            "checks": [asdict(check) for check in self.checks],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Entry:
        """Return the entry of :meth:`to_json`; ``KeyError``, ``TypeError`` or ``ValueError`` for another."""
        return cls(
            case=value["case"],
            ending=value["ending"],
            message=value["message"],
            record=Record.from_json(value["record"]) if value["record"] else None,
            checks=tuple(Check(**check) for check in value["checks"]),
        )


@dataclass(frozen=True)
class Recording:
    """A journal as it was read: ``entries`` by case, the last of each; ``finished`` unless it was cut off;
    when it ``ended`` (ISO 8601, UTC), which journals of older code and merged ones do not tell.
    """

    header: Header
    entries: Mapping[str, Entry]
    finished: bool
    ended: str | None = None

    @property
    def records(self) -> list[Record]:
        """What was measured, in the order of the cases' ids."""
        entries = (self.entries[case] for case in sorted(self.entries))
        return [entry.record for entry in entries if entry.record]


class Journal:
    """The journal that a run writes.  ``close`` ends it; one that is not closed can be gone on with."""

    def __init__(self, folder: Path, header: Header) -> None:
        """Begin in ``folder``, made where needed, or go on where a killed run of the same suite was.

        Raises :class:`JournalError` if another run is writing there, ``OSError`` if nothing can be written.
        """
        self._part, self._whole = folder / f"{NAME}.part", folder / NAME
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(f"{self._part}.lock")
        try:
            self._lock.acquire(blocking=False)
        except Timeout:
            raise JournalError(
                f"expected to write a report below {folder}, got another run that is writing there; "
                "wait for it, or pass another folder with --report DIR"
            ) from None
        self.taken_over = _left_behind(self._part, header)
        write_text(self._part, "".join(map(_line, _lines_of(header, self.taken_over.values()))))
        self._file: IO[str] = self._part.open("a", encoding="utf-8")

    def add(self, entry: Entry) -> None:
        """Write what a case came to; when this returns, the death of the process does not lose it."""
        self._write({"entry": entry.to_json()})

    def close(self, ended: str | None = None) -> Path:
        """End the journal, with when the run ``ended`` (ISO 8601, UTC) if given, and return where it is."""
        self._write({"finished": True} | ({} if ended is None else {"ended": ended}))
        os.fsync(self._file.fileno())
        self._file.close()
        self._part.replace(self._whole)
        self._release()
        return self._whole

    def _write(self, line: Mapping[str, Any]) -> None:
        self._file.write(_line(line))
        self._file.flush()

    def _release(self) -> None:
        Path(self._lock.lock_file).unlink(missing_ok=True)
        self._lock.release()


def runs_of(about: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return what is told about each run: those that a journal was merged from, or the one that it is of."""
    return about.get("merged", [about])


def write_journal(folder: Path, header: Header, entries: Iterable[Entry]) -> Path:
    """Write a whole journal into ``folder``, made where needed, and return where it is.

    What a run that was killed left there stays.  Raises ``OSError``.
    """
    lines = [*_lines_of(header, entries), {"finished": True}]
    return write_text(folder / NAME, "".join(map(_line, lines)))


def _lines_of(header: Header, entries: Iterable[Entry]) -> list[dict[str, Any]]:
    return [{"header": header.to_json()}, *({"entry": entry.to_json()} for entry in entries)]


def _line(value: Mapping[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False) + "\n"


def _left_behind(part: Path, header: Header) -> Mapping[str, Entry]:
    """Return the entries of a run of the same suite that was cut off; what is not one is set aside."""
    try:
        left = read_journal(part)
    except FileNotFoundError:
        return {}
    except JournalError:
        left = None
    if left is not None and left.header.suite == header.suite:
        return left.entries
    aside = part.with_name(f"records-{part.stat().st_mtime_ns}.jsonl.part")
    part.replace(aside)
    return {}


def read_journal(path: Path) -> Recording:
    """Return the run that the journal at ``path`` is of; a folder stands for the journal in it.

    A last line that was cut off is left out.  Raises :class:`JournalError`, or ``OSError``.
    """
    path = path / NAME if path.is_dir() else path
    header: Header | None = None
    entries: dict[str, Entry] = {}
    finished, ended = False, None
    for number, line in _lines(path):
        try:
            value = json.loads(line)
            if header is None:
                header = Header.from_json(value["header"])
            elif "entry" in value:
                entry = Entry.from_json(value["entry"])
                entries[entry.case] = entry
            else:
                finished, ended = value["finished"] is True, value.get("ended")
        except (ValueError, KeyError, TypeError, ValidationError) as error:
            raise JournalError(
                f"expected the journal of a run (format {FORMAT}) at {path}, got another line {number}, "
                f"because {type(error).__name__}: {str(error).splitlines()[0]}; try the records.jsonl of a "
                "report"
            ) from None
    if header is None:
        raise JournalError(f"expected the journal of a run at {path}, got an empty file")
    return Recording(header, entries, finished, ended)


def _lines(path: Path) -> Iterable[tuple[int, str]]:
    """Yield the number and the text of each whole line."""
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                if line.endswith("\n"):
                    yield number, line
    except UnicodeDecodeError as error:
        raise JournalError(
            f"expected the journal of a run at {path}, got no text in UTF-8 ({error})"
        ) from None
