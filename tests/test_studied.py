"""The tables of the study of explanations and attacks: costs, attacks, and the figures of explanations."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest
from made_reports import records_of, report_of, variants_of
from made_studies import attack_record, embedding_record, maps_record, usual_attack, way_of
from test_attacked import first

from benchmarks.cases import Case, Variant
from benchmarks.results import Record
from reporting import contents, studied
from reporting.explained import MAPS
from reporting.report import Report, render_markdown, render_terminal, write_report
from reporting.sheets import Sheet
from reporting.studied import cost_sheets, costs_of, map_sheets
from reporting.verdict import verdict_of

VARIANTS = variants_of(techniques=("original", "int8", "pruned"))
INT8 = Variant("d", "m", "int8")


@pytest.fixture(scope="module")
def report() -> Report:
    return report_of(records_of(VARIANTS, corruptions=("fog",)))


def sheet(report: Report, name: str) -> Sheet:
    [found] = [one for one in report.sheets() if one.name == name]
    return found


def timed(rounds: int) -> Record:
    seconds = [0.001] * (rounds - 1) + [0.003]
    metrics = {"latency_median_s": 0.001, "latency_p90_s": 0.001}
    return Record(Case(INT8, "latency"), metrics=metrics, details={"seconds": seconds})


def costs_with(rounds: int) -> Sheet:
    report = report_of([*(one for one in records_of([INT8]) if one.case.kind != "latency"), timed(rounds)])
    [found] = cost_sheets(report.summary, report.sizes, report.latency_samples)
    return found


def test_costs_are_accuracy_size_and_the_time_of_ten_thousand_inferences(report: Report) -> None:
    costs = sheet(report, "costs-d").figures.set_index("technique")
    summary = report.summary.set_index("technique")
    samples = report.latency_samples.groupby("technique")["seconds"]
    for name in ("original", "int8", "pruned"):
        assert costs.loc[name, "accuracy"] == summary.loc[name, "accuracy"]
        assert costs.loc[name, "seconds"] == pytest.approx(10_000 * samples.mean()[name])
    assert (
        costs["file_bytes"].to_list()
        == report.sizes.set_index("technique").loc[costs.index, "file_bytes"].to_list()
    )


def test_costs_say_that_they_are_extrapolated_from_the_mean() -> None:
    found = costs_with(4)
    assert found.figures["seconds"].to_list() == [pytest.approx(15.0)]
    assert found.shown.note.endswith("extrapolated from the mean of 4.")
    assert list(found.shown.rows.iloc[0])[-1] == "15.0"


def test_costs_say_that_every_inference_was_timed() -> None:
    assert costs_with(10_000).shown.note.endswith("all 10,000 were timed.")
    assert costs_with(9_999).shown.note.endswith("extrapolated from the mean of 9,999.")


def test_costs_are_of_what_was_timed(report: Report) -> None:
    assert costs_of(report.summary, report.sizes, report.latency_samples.iloc[:0]).empty
    assert list(cost_sheets(report.summary, report.sizes, report.latency_samples.iloc[:0])) == []


def test_an_attack_has_a_row_for_each_way_of_each_technique(report: Report) -> None:
    rows = sheet(report, "attacks-d-m-cw").shown.rows
    assert rows[["#", "Technique", "Way"]].to_numpy().tolist() == [
        ["1", "Original", "own"],
        *(["2", "Quantization Int8", "own"], ["", "", "twin"], ["", "", "transfer"]),
        *(["3", "Pruning", "own"], ["", "", "transfer"]),
    ]
    assert rows["Masked"].to_list() == ["", "", "yes", "yes", "", ""]


def test_an_attack_is_shown_with_its_interval_and_kept_without_rounding() -> None:
    record = attack_record(INT8, first(10), way_of("own", None), way_of("twin", first(70)))
    found = sheet(report_of([record], statistics={"about": "such-images"}), "attacks-d-m-cw")
    own, twin = found.shown.rows.to_dict("records")
    assert (own["Accuracy"], own["Fooled"], own["s"]) == ("90.0 → –", "–", "–")
    row = found.figures.iloc[1]
    wide = 100 * max(
        row["accuracy_after"] - row["accuracy_after_low"], row["accuracy_after_high"] - row["accuracy_after"]
    )
    assert twin["Accuracy"] == f"90.0 → 30.0 ±{wide:.1f}"
    assert twin["Confidence"] == "93.0 → 71.0"
    assert twin["s"] == "0.430"
    assert row["success"] == 60 / 90


def test_explanations_have_their_figures(report: Report) -> None:
    embedding = sheet(report, "embedding-d-m").shown.rows
    assert embedding.iloc[1].to_list() == ["2", "Quantization Int8", "83.0", "0.210", "0.970", "99.0"]
    maps = sheet(report, "activation-maps-d-m").shown.rows
    assert maps.iloc[1].to_list() == ["2", "Quantization Int8", "0.800", "0.400", "0.310", "0.740", "99.5"]


def test_figures_of_an_explanation_that_are_absent_are_a_dash() -> None:
    record = maps_record(INT8)
    bare = replace(record, metrics={"deletion_auc": 0.3})
    assert sheet(report_of([bare]), "activation-maps-d-m").shown.rows.iloc[0].to_list() == [
        *("2", "Quantization Int8", "–", "–", "0.300", "–", "–")
    ]


def test_tables_are_written_in_every_kind_and_removed_with_what_they_are_of(
    tmp_path: Path, report: Report
) -> None:
    write_report(report, tmp_path)
    names = {path.name for path in (tmp_path / "tables").iterdir()}
    for stem in ("costs-d", "attacks-d-m-cw", "embedding-d-m", "activation-maps-d-m"):
        assert {f"{stem}.csv", f"{stem}.md", f"{stem}.tex"} <= names
    read = pd.read_csv(StringIO((tmp_path / "tables" / "attacks-d-m-cw.csv").read_text()))
    assert read["masked"].to_list() == [False, True, True, True, False, False]
    figures = {path.name for path in (tmp_path / "figures").iterdir()}
    assert {
        f"{stem}-d-m.{kind}" for stem in ("embedding", "activation-maps") for kind in ("png", "svg")
    } <= figures
    write_report(report_of([one for one in records_of(VARIANTS) if one.case.kind == "claims"]), tmp_path)
    left = [path.name for folder in ("tables", "figures") for path in (tmp_path / folder).iterdir()]
    assert not [name for name in left if name.startswith(studied.STEMS)]


def test_names_of_these_tables_and_of_the_others_are_distinct() -> None:
    assert not set(studied.STEMS) & set(contents.STEMS)


def test_the_terminal_says_what_came_of_it_last_and_has_the_tables_where_more_is_asked_for(
    report: Report,
) -> None:
    brief, whole = render_terminal(report), render_terminal(report, brief=False)
    said = list(report.outcomes())
    assert [one.partition(":")[0] for one in said] == ["Attacks", "Explanations", "Embeddings"]
    for text in (brief, whole):
        ending = " ".join(text[text.index("Attacks: ") :].split())
        assert ending == " ".join(said)
    for title in ("attacked by cw", "activation maps", "seconds for 10,000 inferences"):
        assert title not in brief
        assert title in whole
        assert title in render_markdown(report)


def test_no_line_is_wider_than_a_terminal_whatever_the_technique() -> None:
    variants = variants_of(models=("resnet50",), techniques=("original", "sparse_clustered_int8"))
    records = [make(one) for one in variants for make in (embedding_record, maps_record)]
    records += [usual_attack(one, place) for place, one in enumerate(variants)]
    text = render_terminal(report_of(records), brief=False)
    assert "Sparsity-preserving clustering + Int8" in text
    assert max(map(len, text.splitlines())) <= 120


def test_the_verdict_is_none_of_theirs(report: Report) -> None:
    assert report.attacked["masked"].any()
    assert verdict_of(report).standing == "kept"


def test_a_journal_gives_the_same_tables_when_it_is_read_again(report: Report) -> None:
    again = [Record.from_json(one.to_json()) for one in records_of(VARIANTS, corruptions=("fog",))]
    for one, other in zip(report.sheets(), report_of(again).sheets(), strict=True):
        assert dict(one.files()) == dict(other.files())


def test_maps_without_ranks_are_counted_in_the_note() -> None:
    rows = [("d", "m", name, "c", 20, constant) for name, constant in (("original", 3), ("int8", 12))]
    columns = ["dataset", "model", "technique", "layer", "images", "constant"]
    known = pd.DataFrame(rows, columns=columns).assign(**dict.fromkeys(set(MAPS) - set(columns), 0.5))
    [sheet] = map_sheets(known)
    assert "Up to 12 Grad-CAM maps of a variant have one value throughout" in sheet.shown.note
    [sheet] = map_sheets(known.assign(constant=0))
    assert "one value throughout" not in sheet.shown.note
