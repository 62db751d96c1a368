"""A journal keeps what each case came to, whenever the run ends."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from made_runs import header_of, record_of

from benchmarks.cases import Case, Variant
from reporting.gate import Check
from reporting.journal import Entry, Journal, JournalError, read_journal

VARIANT = Variant("d", "m", "original")
CASES = [Case(VARIANT, "accuracy"), Case(VARIANT, "robustness", "fog", "weather")]
HEADER = header_of(CASES, (1, 2))
CHECK = Check("accuracy_min", "*/original/*", 0.9, 0.8, 0.7, 0.85, "broken")
CLEAN = Entry(str(CASES[0]), "failed", "no", record_of(CASES[0], np.array([[True, False, True]])), (CHECK,))
FOG = Entry(str(CASES[1]), "passed", "", record_of(CASES[1], np.array([[True] * 9, [False] * 9])))


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    journal = Journal(tmp_path, HEADER)
    journal.add(CLEAN)
    journal.add(FOG)
    assert journal.close() == tmp_path / "records.jsonl"
    read = read_journal(tmp_path)
    assert read.finished
    assert read.header == HEADER
    assert list(read.entries.values()) == [CLEAN, FOG]
    assert [entry.name for entry in tmp_path.iterdir()] == ["records.jsonl"]


def test_when_a_run_ended_is_read_where_it_was_written(tmp_path: Path) -> None:
    Journal(tmp_path, HEADER).close("2026-01-02T03:04:05+00:00")
    assert read_journal(tmp_path).ended == "2026-01-02T03:04:05+00:00"


def test_a_journal_that_does_not_tell_when_its_run_ended_is_whole(tmp_path: Path) -> None:
    path = Journal(tmp_path, HEADER).close()
    assert path.read_text().endswith('{"finished":true}\n')
    read = read_journal(tmp_path)
    assert read.finished
    assert read.ended is None


def test_header_says_every_case_of_its_suite(tmp_path: Path) -> None:
    Journal(tmp_path, HEADER).close()
    assert {str(case) for case in read_journal(tmp_path).header.cases} >= set(HEADER.selected)


def test_of_two_entries_of_a_case_the_last_counts(tmp_path: Path) -> None:
    journal = Journal(tmp_path, HEADER)
    journal.add(Entry(FOG.case, "error", "crashed"))
    journal.add(FOG)
    journal.close()
    assert read_journal(tmp_path).entries == {FOG.case: FOG}


@pytest.mark.parametrize("torn", ["", '{"entry":{"case":"d-m-orig'], ids=["between lines", "within a line"])
def test_run_that_was_killed_is_gone_on_with(tmp_path: Path, torn: str) -> None:
    killed = Journal(tmp_path, HEADER)
    killed.add(CLEAN)
    part = tmp_path / "records.jsonl.part"
    killed._lock.release()  # as the operating system does
    with part.open("a") as file:
        file.write(torn)
    assert not read_journal(part).finished
    journal = Journal(tmp_path, HEADER)
    assert journal.taken_over == {CLEAN.case: CLEAN}
    journal.add(FOG)
    journal.close()
    assert list(read_journal(tmp_path).entries) == [CLEAN.case, FOG.case]


def test_journal_of_another_suite_is_set_aside_not_lost(tmp_path: Path) -> None:
    killed = Journal(tmp_path, header_of(CASES, (1, 2), seed=1))
    killed.add(CLEAN)
    killed._lock.release()
    journal = Journal(tmp_path, HEADER)
    assert journal.taken_over == {}
    journal.close()
    (aside,) = tmp_path.glob("records-*.jsonl.part")
    assert list(read_journal(aside).entries) == [CLEAN.case]


def test_whole_run_stays_until_the_next_one_is_whole(tmp_path: Path) -> None:
    first = Journal(tmp_path, HEADER)
    first.add(CLEAN)
    first.close()
    Journal(tmp_path, HEADER).add(FOG)
    assert list(read_journal(tmp_path).entries) == [CLEAN.case]


def test_two_runs_do_not_write_to_one_folder(tmp_path: Path) -> None:
    first = Journal(tmp_path, HEADER)
    with pytest.raises(JournalError, match=r"another run that is writing there.*--report DIR"):
        Journal(tmp_path, HEADER)
    first.close()
    Journal(tmp_path, HEADER).close()


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "an empty file"),
        (b"dataset,model\n", "another line 1"),
        (b"\xff\xfe\n", "no text in UTF-8"),
        (json.dumps({"header": HEADER.to_json() | {"format": 99}}).encode() + b"\n", "this is format 99"),
        (json.dumps({"header": HEADER.to_json() | {"suite": {}}}).encode() + b"\n", "another line 1"),
        (json.dumps({"header": HEADER.to_json()}).encode() + b'\n{"entry":{}}\n', "another line 2"),
    ],
    ids=["empty", "a table", "no text", "another format", "no suite", "no case"],
)
def test_file_that_is_no_journal_is_named_with_its_line(
    tmp_path: Path, content: bytes, complaint: str
) -> None:
    path = tmp_path / "records.jsonl"
    path.write_bytes(content)
    with pytest.raises(JournalError, match=complaint) as caught:
        read_journal(path)
    assert str(path) in str(caught.value)
