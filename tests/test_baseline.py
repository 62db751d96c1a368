"""A baseline keeps the outcome of every image in one file, and a file that is not whole is not read."""

from __future__ import annotations

import dataclasses
import hashlib
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_runs import entries_of, header_of, record_of

from benchmarks.cases import Case, Variant
from benchmarks.results import Cell, Record
from reporting.journal import Entry, Journal, JournalError, Recording
from reporting.regression.baseline import (
    BaselineError,
    CellId,
    read_baseline,
    read_run,
    snapshot_of,
    write_baseline,
)

VARIANT = Variant("d", "m", "original")
CLEAN, FOG = Case(VARIANT, "accuracy"), Case(VARIANT, "robustness", "fog", "weather")
RNG = np.random.default_rng(0)
RECORDS = [record_of(CLEAN, RNG.random((1, 100)) < 0.2), record_of(FOG, RNG.random((2, 30)) < 0.4)]
RECORDING = Recording(
    header_of([CLEAN, FOG], (1, 2), seed=3), {entry.case: entry for entry in entries_of(RECORDS)}, True
)
SNAPSHOT = snapshot_of(RECORDING)
CELLS = (CellId(VARIANT, "clean", 0), CellId(VARIANT, "fog", 1), CellId(VARIANT, "fog", 2))


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return write_baseline(SNAPSHOT, tmp_path_factory.mktemp("baseline") / "a.baseline").read_bytes()


def refused(tmp_path: Path, content: bytes) -> str:
    path = tmp_path / "damaged.baseline"
    path.write_bytes(content)
    with pytest.raises(BaselineError) as caught:
        read_baseline(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


def with_rest(rest: bytes) -> bytes:
    """Return a file with ``rest`` behind the first line that belongs to it."""
    return f"RobustLite baseline 1 {len(rest)} {hashlib.sha256(rest).hexdigest()}\n".encode() + rest


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    read = read_baseline(write_baseline(SNAPSHOT, tmp_path / "a.baseline"))
    for field in dataclasses.fields(SNAPSHOT):
        ours, theirs = getattr(SNAPSHOT, field.name), getattr(read, field.name)
        np.testing.assert_equal(theirs, ours)


def test_the_same_run_gives_the_same_bytes(content: bytes, tmp_path: Path) -> None:
    assert write_baseline(snapshot_of(RECORDING), tmp_path / "b.baseline").read_bytes() == content


def test_every_cell_of_the_suite_is_there_with_the_outcome_of_every_image() -> None:
    assert SNAPSHOT.cells == CELLS
    assert SNAPSHOT.selected.all()
    assert SNAPSHOT.images.tolist() == [100, 30, 30]
    assert np.bitwise_count(SNAPSHOT.wrong).sum(axis=1).tolist() == [
        cell.errors for record in RECORDS for cell in record.cells
    ]
    assert (SNAPSHOT.seed, SNAPSHOT.suite) == (3, "made")


def test_an_outcome_costs_little_more_than_a_bit(tmp_path: Path) -> None:
    record = record_of(FOG, np.random.default_rng(0).random((5, 40_000)) < 0.5)
    recording = Recording(
        header_of([FOG], range(1, 6)), {str(FOG): Entry(str(FOG), "passed", "", record)}, True
    )
    path = write_baseline(snapshot_of(recording), tmp_path / "a.baseline")
    assert path.stat().st_size < 1.1 * 5 * 40_000 / 8


@pytest.mark.parametrize(
    "entry",
    [
        None,
        Entry(str(FOG), "error", "crashed"),
        Entry(str(FOG), "error", "teardown failed", RECORDS[1]),
        Entry(str(FOG), "passed", "", Record(FOG, images=RECORDS[1].images)),
        Entry(str(FOG), "passed", "", Record(FOG, (Cell("fog", 1, 0, 0),), images=RECORDS[1].images)),
        Entry(str(FOG), "passed", "", Record(FOG, (Cell("fog", 1, 30, 9),), images=RECORDS[1].images)),
        Entry(str(FOG), "passed", "", dataclasses.replace(RECORDS[1], images=None)),
    ],
    ids=["no entry", "error", "error afterwards", "no cells", "no images", "no outcomes", "no identity"],
)
def test_a_case_without_outcomes_is_not_measured(entry: Entry | None) -> None:
    entries = dict(RECORDING.entries)
    del entries[str(FOG)]
    snapshot = snapshot_of(
        Recording(RECORDING.header, {**entries, **({str(FOG): entry} if entry else {})}, True)
    )
    assert snapshot.measured.tolist() == [True, False, False]
    assert snapshot.selected.all()


def test_a_broken_threshold_is_no_reason_not_to_compare() -> None:
    broken = Entry(str(FOG), "failed", "no", RECORDS[1])
    assert snapshot_of(Recording(RECORDING.header, {str(FOG): broken}, True)).measured.tolist() == [
        False,
        True,
        True,
    ]


def test_what_was_not_selected_does_not_count_though_it_is_in_the_journal() -> None:
    header = dataclasses.replace(RECORDING.header, selected=(str(CLEAN),))
    snapshot = snapshot_of(Recording(header, RECORDING.entries, True))
    assert snapshot.selected.tolist() == snapshot.measured.tolist() == [True, False, False]


def test_a_cell_counts_by_the_case_that_it_is_of() -> None:
    """A record may have cells of other image sets than the one that it names."""
    fog = RECORDS[1].cells
    both = dataclasses.replace(RECORDS[0], cells=(*RECORDS[0].cells, *fog))
    snapshot = snapshot_of(
        Recording(RECORDING.header, {str(CLEAN): Entry(str(CLEAN), "passed", "", both)}, True)
    )
    assert snapshot.measured.tolist() == [True, False, False]


def test_a_length_that_was_edited_is_noticed(content: bytes, tmp_path: Path) -> None:
    length = content.split(b" ", 4)[3]
    edited = content.replace(b" " + length + b" ", b" 9" + length + b" ", 1)
    assert "because it was cut off or added to" in refused(tmp_path, edited)


@pytest.fixture(scope="module")
def damaged_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("damaged") / "a.baseline"


@given(st.data())
def test_a_flipped_bit_is_noticed_wherever_it_is(
    content: bytes, damaged_path: Path, data: st.DataObject
) -> None:
    damaged = bytearray(content)
    damaged[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    damaged_path.write_bytes(damaged)
    with pytest.raises(BaselineError):
        read_baseline(damaged_path)


@pytest.mark.parametrize("kept", [0, 10, 60, 99, 200, -1])
def test_a_file_that_was_cut_off_is_refused(content: bytes, tmp_path: Path, kept: int) -> None:
    refused(tmp_path, content[:kept])


def test_what_is_wrong_with_a_file_is_told_apart(content: bytes, tmp_path: Path) -> None:
    flipped = bytearray(content)
    flipped[-40] ^= 4
    assert "because it was cut off" in refused(tmp_path, content[:-10])
    assert "because it was damaged or edited" in refused(tmp_path, bytes(flipped))
    assert "got format 2, because another version" in refused(
        tmp_path, content.replace(b"line 1", b"line 2", 1)
    )
    assert "does not begin with 'RobustLite baseline '" in refused(tmp_path, b"dataset,model\n")
    assert "got 0, because it was cut off" in refused(tmp_path, content[: content.index(b"\n") + 1])


def test_whole_files_with_other_contents_are_refused(tmp_path: Path) -> None:
    def archive(**arrays: np.ndarray) -> bytes:
        file = io.BytesIO()
        np.savez(file, **arrays)
        return with_rest(file.getvalue())

    empty = np.frombuffer(b"{}", np.uint8)
    for content in (with_rest(b"no archive"), archive(header=empty), archive(header=empty, wrong=empty)):
        assert "header and the outcomes of a baseline" in refused(tmp_path, content)


def test_objects_are_not_unpickled(tmp_path: Path) -> None:
    file = io.BytesIO()
    np.savez(file, header=np.array([{}], object), wrong=np.zeros((0, 0), np.uint8))
    assert "header and the outcomes" in refused(tmp_path, with_rest(file.getvalue()))


def test_a_run_is_read_from_a_baseline_a_journal_or_a_report(tmp_path: Path) -> None:
    journal = Journal(tmp_path, RECORDING.header)
    for entry in RECORDING.entries.values():
        journal.add(entry)
    journal.close()
    baseline = write_baseline(SNAPSHOT, tmp_path / "a.baseline")
    for path in (baseline, tmp_path, tmp_path / "records.jsonl"):
        np.testing.assert_array_equal(read_run(path).wrong, SNAPSHOT.wrong)


def test_a_journal_with_a_figure_that_is_no_number_is_refused(tmp_path: Path) -> None:
    journal = Journal(tmp_path, RECORDING.header)
    journal.add(Entry(str(CLEAN), "passed", "", RECORDS[0]))
    path = journal.close()
    path.write_text(path.read_text().replace('"metrics":{}', '"metrics":{"accuracy":NaN}'))
    with pytest.raises(JournalError, match=r"line 2.*finite number, got nan"):
        read_run(path)
