"""A report says what was measured, what failed and what is missing, on screen and in files."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from made_runs import entries_of, header_of

from benchmarks.cases import STANDARD_CORRUPTIONS, Case, Variant
from benchmarks.results import Cell, Record
from benchmarks.techniques import TECHNIQUES
from reporting import files
from reporting.contents import UNDECIDED_SHOWN
from reporting.frames import CLEAN, from_records, samples_of
from reporting.gate import Check
from reporting.journal import Entry
from reporting.layout import Table
from reporting.missing import expected_cells, missing_cells
from reporting.report import Report, render_markdown, render_terminal, write_report
from reporting.tables import WORST_CELLS, WORST_CELLS_PER_VARIANT, numbers, runs

SEVERITIES = (1, 2, 3)
IMAGES = 200


def records_of(variant: Variant, errors: int, zipped: int, corruptions=STANDARD_CORRUPTIONS) -> list[Record]:
    """Every kind of record; the error rises with the severity."""
    return [
        Record(Case(variant, "accuracy"), (Cell(CLEAN, 0, IMAGES, errors),)),
        *(
            Record(
                Case(variant, "robustness", name, "any"),
                tuple(Cell(name, level, IMAGES, errors + 10 * level) for level in SEVERITIES),
            )
            for name in corruptions
        ),
        Record(Case(variant, "claims"), metrics={"zipped_bytes": zipped, "file_bytes": zipped + 100}),
        Record(Case(variant, "latency"), metrics={"latency_median_s": 0.0123, "latency_p90_s": 0.02}),
    ]


def run(corruptions=STANDARD_CORRUPTIONS, models=("m",)) -> list[Record]:
    return [
        record
        for model in models
        for technique, errors, zipped in (("original", 20, 900), ("int8", 26, 300), ("pqat_int8", 15, 200))
        for record in records_of(Variant("d", model, technique), errors, zipped, corruptions)
    ]


def report_of(
    records: list[Record], cases: list[Case] | None = None, others: tuple[Entry, ...] = (), **options
) -> Report:
    every = [record.case for record in records] if cases is None else cases
    every = sorted(every, key=str)  # as the suite has them, whoever came in first
    return Report.of_run(header_of(every, SEVERITIES), [*entries_of(records), *others], **options)


def squeezed(report: Report, render=render_terminal) -> str:
    """Return the report's text without the padding of its columns."""
    return re.sub(" +", " ", render(report))


def test_records_become_cells_sizes_and_latency() -> None:
    cells, sizes, latency = from_records(records_of(Variant("d", "m", "int8"), 20, 300, ("fog",)))
    assert cells[["corruption", "severity", "error"]].to_numpy().tolist() == [
        ["clean", 0, 0.1],
        ["fog", 1, 0.15],
        ["fog", 2, 0.2],
        ["fog", 3, 0.25],
    ]
    assert sizes.to_dict("records") == [
        {"dataset": "d", "model": "m", "technique": "int8", "zipped_bytes": 300, "file_bytes": 400}
    ]
    assert latency[["median_s", "p90_s"]].to_numpy().tolist() == [[0.0123, 0.02]]


def test_every_timed_inference_is_a_row_of_the_samples() -> None:
    cases = [Case(Variant("d", "m", technique), "latency") for technique in ("original", "int8", "pruned")]
    told = [{"seconds": [0.002, 0.001]}, {"seconds": [0.003]}, {}]
    records = [Record(case, details=details) for case, details in zip(cases, told, strict=True)]
    samples = samples_of(records)
    assert samples[["technique", "seconds"]].to_numpy().tolist() == [
        ["original", 0.002],
        ["original", 0.001],
        ["int8", 0.003],
    ]
    assert report_of(records).latency_samples["seconds"].tolist() == [0.003, 0.002, 0.001]


def test_of_two_records_of_a_case_the_later_counts() -> None:
    case = Case(Variant("d", "m", "int8"), "accuracy")
    records = [Record(case, (Cell(CLEAN, 0, 10, errors),)) for errors in (5, 1)]
    assert from_records(records).cells["error"].tolist() == [0.1]


def test_a_cell_without_images_has_no_error_rate() -> None:
    record = Record(Case(Variant("d", "m", "int8"), "accuracy"), (Cell(CLEAN, 0, 0, 0),))
    assert from_records([record]).cells.empty


def test_what_was_expected_and_did_not_come_is_missing() -> None:
    variant = Variant("d", "m", "int8")
    cases = [
        Case(variant, "accuracy"),
        Case(variant, "robustness", "fog", "weather"),
        Case(variant, "claims"),
    ]
    expected = expected_cells(cases, (1, 2))
    records = [Record(cases[1], (Cell("fog", 1, 10, 3),))]
    missing = missing_cells(from_records(records).cells, expected)
    assert missing[["corruption", "severity"]].to_numpy().tolist() == [["clean", 0], ["fog", 2]]


def test_a_whole_run_misses_nothing() -> None:
    report = report_of(run())
    assert report.missing.empty
    assert "Missing" not in render_terminal(report)


def test_the_terminal_shows_metrics_front_and_worst_cells() -> None:
    text = squeezed(report_of(run()))
    assert "d: 1 of 2 compressed variants have an mCE of 100 or less." in text
    # CE of int8 is 100 * (36 + 46 + 56) / (30 + 40 + 50).
    assert "2 Quantization Int8 115.0 3.00 87.00" in text
    assert "Pareto-optimal" in text
    assert "d-m #2 brightness 1 18.00 15.00 3.00 115" in text
    assert "12.30" in text


def test_failures_say_by_how_much() -> None:
    check = Check("ce_max", "thresholds", 125, 137.5, 130, 140, "broken")
    failed = (
        Entry("d-m-int8-fog", "failed", "above its limit", None, (check,)),
        Entry("d-m-qat-clean", "error", "RuntimeError: no\nmodel"),
    )
    table = squeezed(report_of(run(), others=failed)).partition("Failed")[2]
    assert table.startswith(": ce_max at most 125 (rule thresholds)\n")
    assert "d-m-int8-fog 137.5 130 to 140 12.5" in table
    assert "d-m-qat-clean RuntimeError: no model" in table


def test_figure_that_is_undefined_fails_with_its_reason_once_for_all_cases() -> None:
    check = Check("ce_max", "*/*/fog", 125, None, None, None, "broken", "its original makes no errors")
    failed = tuple(
        Entry(f"d-m-{name}-fog", "failed", "no figure", None, (check,)) for name in ("qat", "int8")
    )
    table = squeezed(report_of(run(), others=failed)).partition("\nFailed\n")[2]
    assert "d-m-int8-fog and 1 more ce_max at most 125 (rule */*/fog): no figure, because its" in table


def undecided(count: int) -> tuple[Entry, ...]:
    """Return cases that straddle a threshold, each further than the one before it."""
    return tuple(
        Entry(
            f"tiny_imagenet-mobilenet_v2-sparse_clustered_int8-gaussian_noise{place}",
            "passed",
            checks=(Check("ce_max", "*/*/noise", 125, 123.456 + place, 110, 1140.123, "undecided"),),
        )
        for place in range(count)
    )


def test_undecided_cases_are_shown_with_interval_limit_and_rule() -> None:
    text = render_terminal(report_of(run(), others=undecided(1)))
    table = re.sub(" +", " ", text).partition("\nUndecided: ce_max at most 125 (rule */*/noise)\n")[2]
    assert "gaussian_noise0 123.5 110 to 1140 -1.544" in table
    assert max(map(len, text.splitlines())) <= 120


def test_of_many_undecided_cases_the_terminal_shows_those_nearest_to_failing() -> None:
    report = report_of(run(), others=undecided(UNDECIDED_SHOWN + 2))
    table = render_terminal(report).partition("\nUndecided:")[2]
    shown = re.findall(r"gaussian_noise(\d+)", table)
    assert shown == [str(place) for place in range(UNDECIDED_SHOWN + 1, 1, -1)]
    assert "and 2 more, listed in summary.md" in table
    assert "gaussian_noise0" in render_markdown(report)


def test_strict_suite_has_failures_in_the_place_of_what_is_undecided() -> None:
    header = header_of([record.case for record in run()], SEVERITIES, thresholds={"strict": True})
    failed = [replace(entry, ending="failed") for entry in undecided(1)]
    text = render_terminal(Report.of_run(header, [*entries_of(run()), *failed]))
    assert "\nFailed: ce_max at most 125 (rule */*/noise)\n" in text
    assert "Undecided" not in text


def test_a_part_of_the_corruptions_has_ces_and_says_why_it_has_no_mce() -> None:
    text = squeezed(report_of(run(("fog", "snow"))))
    assert "d, m: CE in % of the original's error" in text
    assert "d-m #1–2, 14 mCE 2 of the 15 standard corruptions were recorded" in text
    assert "nan" not in text.lower()


def test_a_case_that_gave_no_record_is_listed_with_what_it_costs() -> None:
    records = run()
    lost = [
        record
        for record in records
        if record.case.corruption != "fog" or record.case.variant.technique != "int8"
    ]
    text = squeezed(report_of(lost, [record.case for record in records]))
    assert "d-m #2 cells not recorded: fog 1–3" in text
    assert "d-m #2 mCE 14 of the 15 standard corruptions were recorded" in text


@pytest.mark.parametrize(
    ("without", "reason"),
    [
        ("original", "mCE its original was not recorded"),
        ("original", "compression ratio the size of its original was not recorded"),
    ],
)
def test_what_needs_the_original_says_so(without: str, reason: str) -> None:
    records = [record for record in run() if record.case.variant.technique != without]
    text = squeezed(report_of(records))
    assert reason in text


def test_nothing_recorded_is_said() -> None:
    assert "No accuracy, error or size was recorded.\n" in render_terminal(report_of([]))


def test_worst_cells_are_few_and_not_all_of_one_variant() -> None:
    techniques = ["original", *(name for name in TECHNIQUES if name != "original")]
    records = [
        record
        for place, technique in enumerate(techniques)
        for record in records_of(Variant("d", "m", technique), 20 + place, 100)
    ]
    report = report_of(records)
    worst = next(table for table in report.contents(brief=True) if table.title.startswith("Worst")).rows
    assert len(worst) == WORST_CELLS
    assert worst["Variant"].value_counts().max() == WORST_CELLS_PER_VARIANT
    assert worst["Rise"].astype(float).is_monotonic_decreasing


@pytest.mark.parametrize(
    "models", [("mobilenet_v2",), ("mobilenet_v2", "resnet50", "vgg19"), tuple("abcdefg")]
)
def test_lines_fit_into_a_terminal(models: tuple[str, ...]) -> None:
    records = [
        record
        for model in models
        for technique in TECHNIQUES
        for record in records_of(Variant("cifar10", model, technique), 20, 100)
    ]
    assert max(map(len, render_terminal(report_of(records)).splitlines())) <= 120


def test_markdown_has_the_same_figures_and_ce_per_corruption() -> None:
    text = squeezed(report_of(run()), render_markdown)
    assert "| 2 | Quantization Int8 | 115.0 | 3.00 | 87.00 |" in text
    assert "| jpeg_compression | 100 | 115 | 88 |" in text


def test_names_cannot_break_out_of_a_markdown_cell() -> None:
    hostile = "a|b <script> & *c*\n## d `e` \\"
    text = Table(hostile, pd.DataFrame({"Model": [hostile]})).to_markdown()
    heading, _, _, _, row = text.rstrip("\n").split("\n")
    escaped = r"a\|b &lt;script&gt; &amp; \*c\* ## d \`e\` " + "\\\\"
    assert heading == f"## {escaped}"
    assert row.strip("| ") == escaped


def test_a_report_is_the_same_files_for_the_same_results(tmp_path: Path) -> None:
    records = run(models=("a", "b"))
    first = write_report(report_of(records), tmp_path / "first")
    second = write_report(report_of(records[::-1]), tmp_path / "second")
    names = ["index.html", "results.csv", "summary.csv", "latency.csv"]
    names += ["summary.md", "pareto.png", "pareto.svg"]
    names += ["bencher.json", "github-bigger.json", "github-smaller.json"]
    assert [path.name for path in first if path.parent.name == "first"] == names
    assert [path.name for path in first] == [path.name for path in second]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_results_csv_has_a_row_per_cell(tmp_path: Path) -> None:
    write_report(report_of(run()), tmp_path)
    lines = (tmp_path / "results.csv").read_text().splitlines()
    assert lines[0] == (
        "dataset,model,technique,corruption,severity,images,errors,error,population,error_low,error_high"
    )
    assert "d,m,int8,fog,2,200,46,0.23,,," in lines
    assert len(lines) == 1 + 3 * (1 + 15 * len(SEVERITIES))


def test_a_metric_that_is_absent_is_blank_in_the_csv(tmp_path: Path) -> None:
    write_report(report_of(run(("fog",))), tmp_path)
    lines = (tmp_path / "summary.csv").read_text().splitlines()
    assert lines[0] == (
        "dataset,model,code,technique,accuracy,mce,relative_mce,compression_ratio,zipped_bytes,file_bytes,pareto,"
        "accuracy_low,accuracy_high,accuracy_drop,accuracy_drop_low,accuracy_drop_high,"
        "mce_low,mce_high,relative_mce_low,relative_mce_high,pareto_probability"
    )
    assert lines[2] == "d,m,2,int8,0.87,,,3.0,300,400,,,,,,,,,,,"


def test_the_rounded_convention_is_named_in_the_report() -> None:
    assert "rounded to an integer" in render_terminal(report_of(run(), convention="rounded"))
    assert "rounded to an integer" not in render_terminal(report_of(run()))


def test_runs_join_neighbours() -> None:
    assert runs([5, 1, 2, 3, 9]) == "1–3, 5, 9"


def test_techniques_without_number_are_named() -> None:
    assert numbers(["my_technique", "int8", "original", "pqat"]) == "#1–2, 13, my_technique"


def test_a_file_that_cannot_be_finished_leaves_the_old_one(tmp_path: Path, monkeypatch) -> None:
    path = files.write_text(tmp_path / "new" / "summary.md", "old")

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        files.write_text(path, "new")
    assert [(entry.name, entry.read_text()) for entry in path.parent.iterdir()] == [("summary.md", "old")]


def sequential(decision: str | None) -> Record:
    case = Case(Variant("d", "m", "int8"), "robustness", "fog", "weather")
    details = {"looked_at": 50, "of": 200, "decisions": {"ce_max": decision}}
    return Record(case, tuple(Cell("fog", level, 50, 12) for level in SEVERITIES), details=details)


def test_sequential_evaluation_says_how_much_was_looked_at_and_has_no_mce() -> None:
    records = [
        record
        for record in run()
        if (record.case.corruption, record.case.variant.technique) != ("fog", "int8")
    ]
    report = report_of([*records, sequential("below")])
    text = squeezed(report)
    assert "1 of 1 cases were decided, from 25.0% of their images" in text
    assert "2 Quantization Int8 1 1 25.0" in text
    assert report.summary["mce"].isna().all()
    assert "corruptions were recorded" not in text


def test_open_question_of_a_sequential_evaluation_is_counted() -> None:
    assert "0 of 1 cases were decided" in squeezed(report_of([*run(("snow",)), sequential(None)]))
