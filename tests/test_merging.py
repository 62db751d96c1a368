"""``python -m reporting merge`` joins shards into one run, refuses contradictions, lists what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_runs import header_of, record_of

from benchmarks.cases import Case, Variant
from benchmarks.results import Cell, Record
from reporting.__main__ import main
from reporting.journal import Entry, Header, Journal, Recording, read_journal, write_journal
from reporting.merging import MergeError, Part, grouped, merge, report_of

IMAGES = 200


def cases_of(technique: str) -> list[Case]:
    variant = Variant("d", "m", technique)
    fog = Case(variant, "robustness", "fog", "weather")
    return [Case(variant, "accuracy"), fog, Case(variant, "claims"), Case(variant, "latency")]


ORIGINAL, PRUNED = cases_of("original"), cases_of("pruned")
EVERY = [*ORIGINAL, *PRUNED]


def measured(case: Case) -> Record:
    rng = np.random.default_rng(EVERY.index(case))
    if case.kind == "claims":
        return Record(case, metrics={"zipped_bytes": 1000 + EVERY.index(case)})
    if case.kind == "latency":
        return Record(case, metrics={"latency_median_s": 1e-3, "latency_p90_s": 2e-3})
    return record_of(case, rng.random((2 if case.corruption else 1, IMAGES)) < 0.3)


RECORDS = {str(case): measured(case) for case in EVERY}


def header(cases: Iterable[Case], about: dict[str, Any] | None = None, **sections: Any) -> Header:
    whole = header_of(EVERY, (1, 2), **sections)
    return replace(whole, selected=tuple(map(str, cases)), about=about or {})


def passed(case: Case) -> Entry:
    return Entry(str(case), "passed", "", RECORDS[str(case)])


def part(name: str, entries: Sequence[Entry], finished: bool = True, **header_: Any) -> Part:
    cases = [case for case in EVERY if str(case) in {entry.case for entry in entries}]
    recording = Recording(header(cases, **header_), {entry.case: entry for entry in entries}, finished)
    return Part(Path(name), recording)


@pytest.fixture
def shards(tmp_path: Path) -> tuple[Path, Path]:
    """The folders of two shards of a run."""
    folders = tmp_path / "one", tmp_path / "two"
    for folder, cases in zip(folders, (ORIGINAL, PRUNED), strict=True):
        write_journal(folder, header(cases), map(passed, cases))
    return folders


def run(*arguments: object) -> int:
    return main(["merge", *map(str, arguments)])


# What comes of it


def test_the_report_of_all_shards_is_that_of_one_run(shards, tmp_path: Path, capsys) -> None:
    write_journal(tmp_path / "whole", header(EVERY), map(passed, EVERY))
    assert main(["build", str(tmp_path / "whole"), "--out", str(tmp_path / "alone")]) == 0
    alone = capsys.readouterr().out.partition("Written")[0]
    assert run(*shards, "--out", tmp_path / "out") == 0
    assert capsys.readouterr().out.partition("Written")[0] == alone
    for file in (tmp_path / "alone").iterdir():
        if file.is_file():
            assert (tmp_path / "out" / file.name).read_bytes() == file.read_bytes()


def test_the_joined_journal_is_whole_and_can_be_joined_again(shards, tmp_path: Path) -> None:
    assert run(*shards, "--out", tmp_path / "out") == 0
    joined = read_journal(tmp_path / "out")
    assert joined.finished
    assert {name: entry.record for name, entry in joined.entries.items()} == RECORDS
    assert set(joined.header.selected) == set(RECORDS)
    assert run(tmp_path / "out", shards[0], "--out", tmp_path / "again") == 0


def test_what_is_told_about_each_run_stays_however_often_they_are_joined() -> None:
    first, second, third = (
        {"command": f"pytest --shard {number}", "started": "2026-01-02T03:04:05+00:00"}
        for number in (1, 2, 3)
    )
    one = part("one", [passed(case) for case in ORIGINAL], about=first)
    ended = replace(one, recording=replace(one.recording, ended="2026-01-02T04:00:00+00:00"))
    cut_off = part("two", [passed(PRUNED[0])], finished=False, about=second)
    joined = merge([ended, cut_off])
    both = [{**first, "ended": "2026-01-02T04:00:00+00:00"}, second]
    assert report_of(joined).about == {"merged": both}
    half = Part(Path("half"), Recording(joined.header, joined.entries, finished=True))
    other = part("three", [passed(case) for case in PRUNED], about=third)
    assert report_of(merge([half, other])).about == {"merged": [*both, third]}


def test_a_shard_may_be_named_by_its_file(shards, tmp_path: Path) -> None:
    assert run(shards[0] / "records.jsonl", shards[1], "--out", tmp_path / "out") == 0


def test_out_may_be_the_folder_of_a_shard_and_what_was_cut_off_there_stays_out(
    shards, tmp_path: Path
) -> None:
    killed = Journal(shards[0], header(ORIGINAL))
    killed.add(replace(passed(ORIGINAL[0]), message="of another run"))
    assert run(*shards, "--out", shards[0]) == 0
    assert all(not entry.message for entry in read_journal(shards[0]).entries.values())


@settings(deadline=None, max_examples=30)
@given(st.lists(st.sets(st.sampled_from(EVERY)), min_size=1, max_size=4))
def test_whatever_shards_have_is_there_once_and_the_rest_is_missing(chosen: list[set[Case]]) -> None:
    parts = [
        part(f"p{number}", [passed(c) for c in EVERY if c in cases]) for number, cases in enumerate(chosen)
    ]
    merged = merge(parts)
    there = set().union(*chosen)
    assert set(merged.entries) == set(map(str, there))
    assert set(report_of(merged).unmeasured) == set(EVERY) - there


# What is missing


def test_what_no_shard_has_is_listed_and_the_exit_code_says_so(shards, tmp_path: Path, capsys) -> None:
    assert run(shards[0], "--out", tmp_path / "out") == 6
    shown = capsys.readouterr().out
    assert "Missing: 4 of the suite's 8 cases\nd-m-pruned: clean, fog, claims, latency\n" in shown
    assert "Selected:" not in shown


def test_missing_cases_are_grouped_by_variant() -> None:
    assert grouped([PRUNED[2], *ORIGINAL[:2], PRUNED[0]]) == [
        "d-m-original: clean, fog",
        "d-m-pruned: claims, clean",
    ]


def test_a_severity_that_is_not_there_is_missing(shards, tmp_path: Path, capsys) -> None:
    fog = RECORDS[str(PRUNED[1])]
    entries = [
        *map(passed, [PRUNED[0], *PRUNED[2:]]),
        Entry(str(PRUNED[1]), "passed", "", replace(fog, cells=fog.cells[:1])),
    ]
    write_journal(shards[1], header(PRUNED), entries)
    assert run(*shards, "--out", tmp_path / "out") == 6
    assert "not recorded: fog 2" in capsys.readouterr().out


def test_a_case_that_ended_in_an_error_is_told(shards, tmp_path: Path, capsys) -> None:
    entries = [*map(passed, PRUNED[:3]), Entry(str(PRUNED[3]), "error", "no such device")]
    write_journal(shards[1], header(PRUNED), entries)
    assert run(*shards, "--out", tmp_path / "out") == 6
    shown = capsys.readouterr().out
    assert "no such device" in shown
    assert "d-m-pruned: latency" in shown


@pytest.mark.parametrize("others", [PRUNED[1:3], PRUNED[1:]], ids=["and one is missing", "and all is there"])
def test_a_case_that_broke_a_threshold_fails_the_whole(
    shards, tmp_path: Path, others: list[Case], capsys
) -> None:
    broken = replace(passed(PRUNED[0]), ending="failed", message="expected more")
    write_journal(shards[1], header(PRUNED), [broken, *map(passed, others)])
    assert run(*shards, "--out", tmp_path / "out") == 1


def test_what_one_shard_could_not_measure_may_come_from_another() -> None:
    failed = Entry(str(PRUNED[0]), "error", "out of memory")
    for parts in ([failed], [passed(PRUNED[0])]), ([passed(PRUNED[0])], [failed]):
        merged = merge([part("a", parts[0]), part("b", parts[1])])
        assert merged.entries[str(PRUNED[0])] == passed(PRUNED[0])


# What contradicts


def test_equal_overlap_is_fine(shards, tmp_path: Path) -> None:
    write_journal(shards[1], header(EVERY), map(passed, EVERY))
    assert run(*shards, "--out", tmp_path / "out") == 0


def changed(case: Case, **values: Any) -> Entry:
    return Entry(str(case), "passed", "", replace(RECORDS[str(case)], **values))


def one_wrong_more(case: Case) -> Entry:
    *before, last = RECORDS[str(case)].cells
    return changed(case, cells=(*before, Cell(last.corruption, last.severity, IMAGES, last.errors + 1)))


def others_wrong(case: Case) -> Entry:
    *before, last = RECORDS[str(case)].cells
    return changed(case, cells=(*before, replace(last, wrong=last.wrong[::-1])))


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        (one_wrong_more(PRUNED[1]), r"d-m-pruned-fog, fog at severity 2: \d+ of 200 wrong in a, \d+ of"),
        (others_wrong(PRUNED[0]), r"d-m-pruned-clean, clean at severity 0, which images were wrong"),
        (changed(PRUNED[1], cells=()), r"fog at severity 1: \d+ of 200 wrong in a, nothing in b"),
        (changed(PRUNED[2], metrics={"zipped_bytes": 9}), r"pruned-claims, zipped_bytes: 1006 in a, 9 in b"),
    ],
    ids=["another count", "other images", "a cell less", "another size"],
)  # fmt: skip
def test_contradictory_shards_are_refused_with_both_figures_and_folders(entry: Entry, complaint: str) -> None:
    with pytest.raises(MergeError, match=complaint):
        merge([part("a", list(map(passed, PRUNED))), part("b", [entry])])


def test_nothing_is_written_of_contradictory_shards(shards, tmp_path: Path, capsys) -> None:
    write_journal(shards[1], header(ORIGINAL), [one_wrong_more(ORIGINAL[0])])
    assert run(*shards, "--out", tmp_path / "out") == 2
    message = capsys.readouterr().err
    assert str(shards[0]) in message
    assert str(shards[1]) in message
    assert not (tmp_path / "out").exists()


def test_of_latencies_the_first_named_counts_and_it_is_said(shards, tmp_path: Path, capsys) -> None:
    slower = changed(ORIGINAL[3], metrics={"latency_median_s": 5e-3, "latency_p90_s": 6e-3})
    write_journal(shards[1], header(EVERY), [*map(passed, PRUNED), slower])
    assert run(*shards, "--out", tmp_path / "out") == 0
    said = capsys.readouterr().err
    assert f"latencies that several shards have, those of {shards[0]} count: d-m-original-latency." in said
    assert "d,m,original,0.001," in (tmp_path / "out/latency.csv").read_text()


def test_shards_of_another_suite_are_refused_with_the_settings_that_differ() -> None:
    one = part("a", [passed(ORIGINAL[0])], seed=1)
    other = part("b", [passed(PRUNED[0])], seed=2, statistics={"level": 0.9})
    with pytest.raises(
        MergeError, match=r"seed is 1 in a and 2 in b; statistics.level is 0.95 in a and 0.9 in b"
    ):
        merge([one, other])


def test_where_a_suites_files_lie_is_of_one_machine() -> None:
    one = part("a", [passed(ORIGINAL[0])], module="/here/mine.py")
    merge([one, part("b", [passed(PRUNED[0])], module="/home/there/mine.py")])
    with pytest.raises(MergeError, match=r"module is 'mine.py' in a and 'other.py' in b"):
        merge([one, part("b", [passed(PRUNED[0])], module="/here/other.py")])


def test_shards_of_other_images_are_refused_without_overlap() -> None:
    record = record_of(PRUNED[0], np.zeros((1, IMAGES), bool), test="xyz")
    parts = [part("a", [passed(ORIGINAL[0])]), part("b", [Entry(str(PRUNED[0]), "passed", "", record)])]
    with pytest.raises(MergeError, match=r"d-m-pruned-clean: test is 'abc' in a and 'xyz' in b"):
        merge(parts)


# What is said beside


def test_libraries_that_differ_are_told() -> None:
    versions = (
        {"libraries": {"numpy": "2.2", "pandas": "3"}},
        {"libraries": {"numpy": "2.4", "pandas": "3"}},
    )
    parts = [
        part(name, [passed(case)], about=about)
        for name, case, about in zip("ab", EVERY[:2], versions, strict=True)
    ]
    assert merge(parts).remarks == ("The shards ran with different versions of numpy: 2.2, 2.4.",)


def test_a_run_that_was_cut_off_is_taken_only_when_it_is_named(shards, tmp_path: Path, capsys) -> None:
    (shards[1] / "records.jsonl").unlink()
    killed = Journal(shards[1], header(PRUNED))
    for case in PRUNED:
        killed.add(passed(case))
    killed._lock.release()  # as the operating system does
    assert run(*shards, "--out", tmp_path / "out") == 2
    named = shards[1] / "records.jsonl.part"
    assert f"or name {named} to take what there is" in capsys.readouterr().err
    assert run(shards[0], named, "--out", tmp_path / "out") == 0
    assert f"{named}: this run was cut off" in capsys.readouterr().err


def test_a_run_that_goes_on_beside_a_whole_one_is_told(shards, tmp_path: Path, capsys) -> None:
    Journal(shards[1], header(PRUNED)).add(passed(PRUNED[0]))
    assert run(*shards, "--out", tmp_path / "out") == 0
    assert "records.jsonl.part: not read" in capsys.readouterr().err


def test_a_folder_without_a_journal_is_named(tmp_path: Path, capsys) -> None:
    assert run(tmp_path, "--out", tmp_path / "out") == 2
    assert str(tmp_path / "records.jsonl") in capsys.readouterr().err
