"""The first section says how the run came out, against what, what is missing, and what the run was."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from made_reports import ABOUT, records_of, report_of, variants_of
from parsed_page import Node, parsed

from benchmarks.cases import Case, Variant
from reporting.gate import Check
from reporting.journal import Entry
from reporting.layout import Table
from reporting.page import render_page
from reporting.regression.gated import Gated, refused
from reporting.report import Report

RECORDS = records_of(variants_of(), corruptions=("fog", "snow"), severities=(1, 2), side=0, images=50)

BROKEN = Check("accuracy_drop_max", "*/int8/*", 0.02, 0.053, 0.041, 0.066, "broken")
UNDECIDED = Check("ce_max", "thresholds", 105.0, 104.0, 99.5, 108.5, "undecided")


def entry_of(name: str, ending: str = "passed", message: str = "", *checks: Check) -> Entry:
    record = next(record for record in RECORDS if str(record.case) == name)
    return Entry(name, ending, message, record, checks)


def told(others: tuple[Entry, ...] = (), **sections: Any) -> Report:
    names = {entry.case for entry in others}
    return report_of([record for record in RECORDS if str(record.case) not in names], others, **sections)


def verdict_of(report: Report) -> Node:
    return parsed(render_page(report)).one("section", id="verdict")


def standing_of(report: Report) -> tuple[str, str]:
    """Return the class that colours the verdict, and its sign and word."""
    verdict = verdict_of(report)
    [block] = [
        node for node in verdict.every("div") if "verdict" in (node.attributes.get("class") or "").split()
    ]
    return str(block["class"]).split()[1], verdict.one("h1").text


def facts_of(report: Report) -> dict[str, str]:
    facts = verdict_of(report).one("dl", class_="facts")
    return {name.text: text.text for name, text in zip(facts.every("dt"), facts.every("dd"), strict=True)}


def test_run_that_keeps_its_thresholds_passed() -> None:
    assert standing_of(told(thresholds={"accuracy_min": 0.1})) == ("kept", "✓ Passed")


def test_run_that_breaks_one_failed() -> None:
    assert standing_of(told((entry_of("d-m-int8-clean", "failed", "no", BROKEN),))) == ("broken", "✗ Failed")


def test_run_with_an_error_could_not_be_told() -> None:
    error = Entry("d-m-int8-latency", "error", "RuntimeError: no device")
    assert standing_of(told((error,), thresholds={"accuracy_min": 0.1})) == ("unknown", "? Could not tell")


def test_run_that_was_held_against_nothing_is_neither() -> None:
    report = told()
    assert standing_of(report) == ("unjudged", "• Measured")
    assert "held against no threshold and no baseline" in verdict_of(report).text


@pytest.mark.parametrize(
    ("gated", "standing"),
    [
        (Gated("kept", ("The regression gate passed.",), ()), "kept"),
        (Gated("broken", ("The regression gate failed.",), ()), "broken"),
        (Gated("unknown", ("The regression gate could not be decided.",), ()), "unknown"),
        (refused("it is of other images"), "unknown"),
    ],
)
def test_verdict_is_the_worse_of_thresholds_and_gate(gated: Gated, standing: str) -> None:
    report = replace(told(thresholds={"accuracy_min": 0.1}), gated=gated)
    assert standing_of(report)[0] == standing
    assert verdict_of(report).every("p", class_="told")[1].text == gated.sentences[0]


def test_tables_of_the_gate_are_shown() -> None:
    table = Table(
        "Variants", pd.DataFrame({"Variant": ["d-m #2"], "Verdict": ["<worse>"]}), words=2, note="a note"
    )
    gated = Gated("broken", ("The regression gate failed.", "Baseline: suite made."), (table,))
    gate = verdict_of(replace(told(), gated=gated)).one("details", id="gate")
    assert gate.rows() == [["d-m #2", "<worse>"]]
    assert "Baseline: suite made." in gate.text
    assert "a note" in gate.text


def test_thresholds_are_told_in_words_with_their_rules() -> None:
    thresholds = {"accuracy_min": 0.1, "where": {"*/*/fog": {"ce_max": 900}}}
    shown = verdict_of(told(thresholds=thresholds)).one("details", id="thresholds")
    assert [heading.text for heading in shown.every("h3")] == [
        "accuracy at least 10 % ✓ kept",
        "CE under a corruption at most 900 % of the original’s error, for */*/fog ✓ kept",
    ]


def test_broken_threshold_is_on_top_with_its_worst_case() -> None:
    worse = replace(BROKEN, value=0.08)
    report = told(
        (
            entry_of("d-m-int8-clean", "failed", "no", BROKEN),
            entry_of("d-m-int8-fog", "failed", "no", worse),
        )
    )
    [line] = verdict_of(report).one("ul", id="failing").every("li")
    assert line.text == (
        "✗ loss of accuracy against the original at most 2 points */int8/* is broken by 2 cases, "
        "most by d-m-int8-fog: 8."
    )
    rows = verdict_of(report).one("details", id="thresholds").rows()
    assert rows == [
        ["d-m-int8-fog", "broken", "8", "4.1 to 6.6", "6"],
        ["d-m-int8-clean", "broken", "5.3", "4.1 to 6.6", "3.3"],
    ]


def test_undecided_cases_are_counted_and_listed() -> None:
    report = told((entry_of("d-m-int8-fog", "passed", "", UNDECIDED),), thresholds={"ce_max": 105})
    verdict = verdict_of(report)
    assert standing_of(report)[0] == "kept"
    assert "1 case is undecided: the 95 % interval straddles the threshold." in verdict.text
    shown = verdict.one("details", id="thresholds")
    assert shown.rows() == [["d-m-int8-fog", "undecided", "104", "99.5 to 108.5", "-1"]]
    assert "? 1 undecided" in shown.text


def test_cases_with_the_same_error_share_a_line() -> None:
    errors = tuple(
        Entry(str(Case(Variant("d", "m", name), "latency")), "error", "RuntimeError: <no> device")
        for name in ("int8", "original")
    )
    [line] = verdict_of(told(errors)).one("ul", id="failing").every("li")
    assert line.text == "? d-m-int8-latency and 1 more: RuntimeError: <no> device"


def test_what_is_missing_is_told_with_its_reason() -> None:
    records = [record for record in RECORDS if str(record.case) != "d-m-int8-snow"]
    whole = report_of(RECORDS)
    report = replace(report_of(records), expected=whole.expected)
    verdict = verdict_of(report)
    assert "6 of 8" not in verdict.text
    assert [count.text for count in verdict.every("dd")][2] == "8 of 10"
    assert ["d-m #2", "cells", "not recorded: snow 1–2"] in verdict.one("details", id="missing").rows()


def test_facts_of_the_run() -> None:
    facts = facts_of(told())
    assert facts["Suite"] == "made: made for a test"
    assert facts["Images behind a cell"] == "50 of a test set of 10,000"
    assert facts["Corruptions"] == "2 kinds, severity 1–2"
    assert facts["Protocol"] == "sound"
    assert facts["Command"] == ABOUT["command"]
    assert facts["Started"] == "1 March 2026, 10:00 UTC"
    assert facts["Took"] == "1 h 2 min"
    assert facts["Versions"] == "python 3.12.1, numpy 2.3.0"


@pytest.mark.parametrize(
    "about", [{}, {"started": "yesterday"}, {"libraries": {}}, {"ended": ABOUT["ended"]}]
)
def test_what_is_not_told_about_a_run_is_left_out(about: dict[str, Any]) -> None:
    facts = facts_of(replace(told(), about=about))
    assert not {"Command", "Started", "Took", "Machine", "Versions"} & set(facts)


def test_each_run_of_a_merged_one_is_told() -> None:
    about = {"merged": [ABOUT, {**ABOUT, "machine": "another"}]}
    facts = facts_of(replace(told(), about=about))
    assert facts["Machine (1 of 2)"] == ABOUT["machine"]
    assert facts["Machine (2 of 2)"] == "another"


def test_sentences_of_the_report_say_how_to_read_it() -> None:
    report = told()
    reading = verdict_of(report).one("details", id="reading")
    assert [sentence.text for sentence in reading.every("p")] == list(report.sentences())
