"""A report's figures are written for the services that track benchmarks, in the forms that they read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_runs import entries_of, header_of, record_of
from made_studies import maps_record, usual_attack

from benchmarks.cases import STANDARD_CORRUPTIONS, Case, Variant
from benchmarks.results import Record
from reporting.report import Report, write_report

ORIGINAL, INT8 = Variant("d", "m", "original"), Variant("d", "m", "int8")


def records(corruptions: tuple[str, ...] = STANDARD_CORRUPTIONS) -> list[Record]:
    rng = np.random.default_rng(0)
    made = []
    for variant, zipped, rate in ((ORIGINAL, 900, 0.2), (INT8, 300, 0.3)):
        made += [record_of(Case(variant, "accuracy"), rng.random((1, 100)) < rate)]
        for name in corruptions:
            made.append(
                record_of(Case(variant, "robustness", name, "any"), rng.random((2, 100)) < rate + 0.1)
            )
        made.append(Record(Case(variant, "claims"), metrics={"zipped_bytes": zipped}))
    metrics = {"latency_median_s": 0.012, "latency_p90_s": 0.02}
    return [*made, Record(Case(INT8, "latency"), metrics=metrics)]


def report_of(records: list[Record], **sections: Any) -> Report:
    return Report.of_run(
        header_of([record.case for record in records], (1, 2), **sections), entries_of(records)
    )


@pytest.fixture
def written(tmp_path: Path) -> dict[str, Any]:
    write_report(report_of(records()), tmp_path)
    names = ("bencher", "github-bigger", "github-smaller")
    return {name: json.loads((tmp_path / f"{name}.json").read_text()) for name in names}


def test_bencher_has_a_benchmark_per_variant_with_each_measure_and_its_bounds(written) -> None:
    report = report_of(records())
    row = report.summary.set_index("technique").loc["int8"]
    measures = written["bencher"]["d-m-int8"]
    assert measures["accuracy"] == {
        "value": row["accuracy"],
        "lower_value": row["accuracy_low"],
        "upper_value": row["accuracy_high"],
    }
    assert measures["mce"]["lower_value"] < measures["mce"]["value"] < measures["mce"]["upper_value"]
    assert measures["compression-ratio"] == {"value": 3.0}
    assert measures["zipped-size"] == {"value": 300.0}


def test_bencher_has_latency_in_the_unit_of_its_own_measure(written) -> None:
    assert written["bencher"]["d-m-int8"]["latency"] == {"value": pytest.approx(12e6)}
    assert "latency" not in written["bencher"]["d-m-original"]


def test_bencher_has_a_benchmark_per_corruption_error(written) -> None:
    ce = written["bencher"]["d-m-int8-fog"]["ce"]
    assert ce["lower_value"] < ce["value"] < ce["upper_value"]


def test_what_attacks_leave_and_explanations_keep_is_tracked() -> None:
    attack = usual_attack(INT8, 1)
    report = report_of([attack, maps_record(INT8, 0.6)])
    figures = {(one.benchmark, one.measure.name): one for one in report.figures()}
    after = figures[f"d-m-int8-{attack.case.method}", "accuracy-after-attack"]
    worst = report.attacked.sort_values("accuracy_after").iloc[0]
    assert after.value == worst["accuracy_after"] == attack.metrics["post_attack_accuracy"]
    assert after.interval == (worst["accuracy_after_low"], worst["accuracy_after_high"])
    kept = figures["d-m-int8", "grad-cam-correlation"]
    assert (kept.value, kept.interval) == (0.6, pytest.approx((0.6, 0.6)))
    assert figures["d-m-int8", "guided-correlation"].value == 0.3


def test_form_of_bencher_is_kept(written) -> None:
    for name, measures in written["bencher"].items():
        assert 0 < len(name) <= 1024
        for measure, metric in measures.items():
            assert 0 < len(measure) <= 64
            assert {"value"} <= metric.keys() <= {"value", "lower_value", "upper_value"}
            assert all(type(value) is float for value in metric.values())


def test_form_of_github_action_benchmark_is_kept(written) -> None:
    for way in ("bigger", "smaller"):
        entries = written[f"github-{way}"]
        assert len({entry["name"] for entry in entries}) == len(entries) > 0
        for entry in entries:
            assert {"name", "unit", "value"} <= entry.keys() <= {"name", "unit", "value", "range", "extra"}
            assert type(entry.pop("value")) is float
            assert all(type(text) is str for text in entry.values())


def test_each_figure_stands_where_its_better_way_is(written) -> None:
    bigger, smaller = (
        {entry["name"].split()[1] for entry in written[f"github-{way}"]} for way in ("bigger", "smaller")
    )
    assert bigger == {"accuracy", "compression-ratio"}
    assert smaller == {"mce", "relative-mce", "zipped-size", "latency", "ce"}


def test_intervals_are_the_range_with_their_level(written) -> None:
    (entry,) = [entry for entry in written["github-bigger"] if entry["name"] == "d-m-int8 accuracy"]
    low, high = map(float, entry["range"].split(" to "))
    assert low < entry["value"] < high
    assert entry["extra"] == "range: 95 % interval"


def test_figures_that_are_not_defined_are_left_out(tmp_path: Path) -> None:
    few = [record for record in records(("fog",)) if record.case.variant == INT8]
    write_report(report_of(few), tmp_path)
    bencher = json.loads((tmp_path / "bencher.json").read_text())
    assert bencher.keys() == {"d-m-int8"}
    assert bencher["d-m-int8"].keys() == {"accuracy", "zipped-size", "latency"}


def test_nothing_measured_gives_empty_files(tmp_path: Path) -> None:
    write_report(report_of([]), tmp_path)
    assert json.loads((tmp_path / "bencher.json").read_text()) == {}
    assert json.loads((tmp_path / "github-bigger.json").read_text()) == []
