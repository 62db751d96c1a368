"""What the sections of the page below the verdict show of a report."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import PIL.Image
import pytest
from made_reports import records_of, report_of, variants_of, whole_report
from parsed_page import Node, data_of, parsed

from benchmarks.cases import STANDARD_CORRUPTIONS, Case, Variant
from benchmarks.results import Record
from benchmarks.sections import Compression, L1Pruning
from benchmarks.techniques import ORIGINAL_STUDY, TECHNIQUES
from reporting.forgotten import Example, Forgotten
from reporting.kernels import Held, Kernel, held_claims
from reporting.metrics import error_rises
from reporting.page import render_page
from reporting.page.metrics import metrics_of
from reporting.page.sections import forgotten as forgotten_section
from reporting.page.sections.latency import WIDTH
from reporting.page.view import View
from reporting.report import Report


@pytest.fixture(scope="module")
def report() -> Report:
    return whole_report()


@pytest.fixture(scope="module")
def page(report: Report) -> Node:
    return parsed(render_page(report))


def page_of(*techniques: str, **options: Any) -> Node:
    return parsed(render_page(report_of(records_of(variants_of(techniques=techniques), **options))))


# The choice


def limits_of(report: Report) -> dict[str, Any]:
    return data_of(parsed(render_page(report)), "choice")["limits"]["d"]


def test_question_begins_with_what_the_suite_asks_for() -> None:
    records = records_of(variants_of(), side=0)
    asked = {"mce_max": 103.0, "accuracy_min": 0.7}
    limits = limits_of(report_of(records, thresholds=asked))
    assert (limits["mce"]["start"], limits["accuracy"]["start"]) == (103, 70)
    rise = limits_of(report_of(records, thresholds={"mce_rise_max": 10.0}))
    assert rise["mce"]["start"] == 110


def test_question_begins_near_the_most_accurate_original_otherwise(report: Report) -> None:
    limits = limits_of(report)
    summary = report.summary
    best = summary.loc[summary["technique"] == "original", "accuracy"].max()
    assert 100 * best - 2.5 <= limits["accuracy"]["start"] <= 100 * best - 2
    assert limits["mce"]["start"] == 105


def test_limits_reach_over_all_variants(report: Report) -> None:
    limits = limits_of(report)
    for name, factor in (("mce", 1), ("accuracy", 100)):
        assert limits[name]["min"] <= factor * report.summary[name].min()
        assert limits[name]["max"] >= factor * report.summary[name].max()


@pytest.mark.parametrize(
    ("without", "asked", "limited"),
    [
        ((), "Smallest model with", ["mce", "accuracy"]),
        (("claims",), "Most robust model with", ["mce", "accuracy"]),
        (("robustness",), "Smallest model with", ["accuracy"]),
        (("accuracy", "robustness"), "Smallest model", []),
    ],
)
def test_question_is_of_what_is_known(without: tuple[str, ...], asked: str, limited: list[str]) -> None:
    records = [record for record in records_of(variants_of()) if record.case.kind not in without]
    choice = parsed(render_page(report_of(records))).one("section", id="choice")
    assert choice.one("p", class_="ask").text == asked
    assert [one["name"] for one in choice.every("input", type="range")] == limited


def test_axes_are_the_metrics_that_are_known(page: Node) -> None:
    options = [option["value"] for option in page.one("select", id="choice-x").every("option")]
    assert options == ["accuracy", "mce", "relative_mce", "compression_ratio", "zipped", "latency"]
    chosen = {
        axis: next(
            one["value"]
            for one in page.one("select", id=f"choice-{axis}").every("option")
            if "selected" in one.attributes
        )
        for axis in ("x", "y", "colour")
    }
    assert chosen == {"x": "compression_ratio", "y": "mce", "colour": "accuracy"}


def test_several_data_sets_can_be_chosen_from() -> None:
    records = records_of(variants_of(("c", "d")), side=0)
    page = parsed(render_page(report_of(records)))
    assert [option.text for option in page.one("select", id="choice-dataset").every("option")] == ["c", "d"]
    assert "c · m · Original (#1)" in [
        option.text.partition(":")[0] for option in page.one("select", id="claims-variant").every("option")
    ]


def test_hypervolume_is_shown_with_its_reference(page: Node) -> None:
    choice = page.one("section", id="choice")
    assert "accuracy (from 0 %), mCE (from 200) and compression ratio (from 1)" in choice.text
    assert [node.text for node in choice.every("dt")] == ["a", "b"]


# The table


def test_table_has_a_row_a_variant_with_its_figures(report: Report, page: Node) -> None:
    table = page.one("table", id="table-variants")
    rows = table.one("tbody").every("tr")
    assert [row["data-variant"] for row in rows] == [variant.id for variant in View(report).variants]
    row = report.summary.iloc[1]
    texts = [cell.text for cell in rows[1].children if isinstance(cell, Node)]
    assert texts[1:4] == ["a", "2", "Quantization Int8"]
    wide = 100 * max(row["accuracy"] - row["accuracy_low"], row["accuracy_high"] - row["accuracy"])
    assert texts[4] == f"{100 * row['accuracy']:.1f} ±{wide:.1f}"
    assert texts[7] == f"{row['compression_ratio']:.2f}"


def test_table_can_be_sorted_by_every_column(page: Node) -> None:
    heads = page.one("table", id="table-variants").one("thead").every("th", aria_sort="none")
    assert len(heads) == 3 + 6 + 1
    assert all(len(head.every("button")) == 1 for head in heads)
    values = [
        cell["data-value"]
        for cell in page.one("table", id="table-variants").one("tbody").every("td", class_="figure")
    ]
    assert all(re.fullmatch(r"-?[\d.]+(e-?\d+)?", str(value)) for value in values)


def test_figure_that_is_absent_is_a_dash_and_no_value() -> None:
    records = [
        record
        for record in records_of(variants_of(), side=0)
        if not (record.case.kind == "claims" and record.case.variant.technique == "int8")
    ]
    page = parsed(render_page(report_of(records)))
    row = page.one("table", id="table-variants").one("tbody").every("tr")[1]
    assert [cell["data-value"] for cell in row.every("td") if cell.text == "–"] == ["", ""]


def test_figures_that_images_do_not_bound_say_so() -> None:
    metric = metrics_of(pd.DataFrame({"zipped": [1.0], "latency": [1.0]}))["mce"]
    assert metric.interval(104.2, 101.0, 106.3, sampled=True) == "±3.2"
    assert metric.interval(104.2, float("nan"), float("nan"), sampled=True) == "±?"
    assert metric.interval(104.2, float("nan"), float("nan"), sampled=False) == ""
    assert metric.interval(100.0, 100.0, 100.0, sampled=True) == ""


@pytest.mark.parametrize(
    ("zipped", "unit", "text"), [(130_000, "KiB", "127"), (5_200, "KiB", "5.08"), (95_132_457, "MiB", "90.7")]
)
def test_sizes_are_in_the_unit_that_suits_them(zipped: int, unit: str, text: str) -> None:
    metric = metrics_of(pd.DataFrame({"zipped": [float(zipped)], "latency": [float("nan")]}))["zipped"]
    assert (metric.unit, metric.text(zipped)) == (unit, text)


# The weather map


def cells_of(page: Node, model: str = "m") -> dict[str, list[Node]]:
    """Return the cells of a map by technique number."""
    [table] = [one for one in page.every("table", class_="map") if one.one("caption").text == model]
    return {
        f"#{row.one('th').one('small').text}": row.every("td", class_="cell")
        for row in table.one("tbody").every("tr")
    }


def test_map_shows_ce_and_the_difference_of_the_error(report: Report, page: Node) -> None:
    ce = report.corruption_errors.loc[("d", "a", "pruned")]
    rises = error_rises(report.cells).query("model == 'a' and technique == 'pruned' and corruption == 'fog'")[
        "rise"
    ]
    place = STANDARD_CORRUPTIONS.index("fog")
    button = cells_of(page, "a")["#3"][place].one("button")
    assert button.text == f"{ce['fog']:.0f}"
    assert str(button["data-rise"]).split(",")[0] == f"{100 * rises.mean():+.1f}".replace("-", "−")


def test_map_has_a_column_a_corruption_by_family(page: Node) -> None:
    table = page.every("table", class_="map")[0]
    groups = {head.text: head["colspan"] for head in table.every("th", scope="colgroup")}
    assert groups == {"noise": "3", "blur": "4", "weather": "4", "digital": "4"}
    names = [head.text for head in table.every("th", class_="turned")]
    assert names == [name.replace("_", " ") for name in STANDARD_CORRUPTIONS]


def test_cells_are_coloured_by_their_side_of_100(page: Node) -> None:
    for button in page.every("button"):
        if "data-ce" in button.attributes:
            text, tone, _ = str(button["data-ce"]).split(",")
            assert {"worse": int(text) >= 100, "better": int(text) <= 100, "": text == "100"}[tone]


def test_cell_that_was_not_measured_is_no_button() -> None:
    records = [
        record
        for record in records_of(variants_of(), corruptions=("fog", "snow"))
        if (record.case.corruption, record.case.variant.technique) != ("fog", "int8")
    ]
    snow, fog = cells_of(parsed(render_page(report_of(records))))["#2"]
    assert snow.every("button")
    assert (fog.text, fog.every("button"), fog["title"]) == ("–", [], "not measured")


def test_cell_without_an_original_has_its_errors_and_no_ce() -> None:
    page = page_of("int8", corruptions=("fog",))
    [cell] = cells_of(page)["#2"]
    assert cell.one("button").text == "–"
    data = data_of(page, "weather")
    assert data["ce"] == [[[None, None, None]]]
    assert [severity for severity, *_ in data["errors"][0][0]] == [1, 2, 3, 4, 5]


def test_script_gets_the_errors_of_every_severity(report: Report, page: Node) -> None:
    data = data_of(page, "weather")
    column = data["corruptions"]["d"].index("frost")
    rows = report.results.query("model == 'b' and technique == 'qat' and corruption == 'frost'")
    place = [variant.key for variant in View(report).variants].index(("d", "b", "qat"))
    assert data["errors"][place][column] == [
        [
            row["severity"],
            pytest.approx(row["error"], rel=1e-4),
            pytest.approx(row["error_low"], rel=1e-4),
            pytest.approx(row["error_high"], rel=1e-4),
            row["images"],
        ]
        for row in rows.to_dict("records")
    ]


# What compression forgot


def test_script_gets_what_each_variant_forgot(report: Report, page: Node) -> None:
    data = data_of(page, "forgotten")
    assert len(data["variants"]) == len(report.forgotten) == 30
    places = {variant.key: str(place) for place, variant in enumerate(View(report).variants)}
    one = report.forgotten[5]
    told = data["variants"][places[one.variant.dataset, one.variant.model, one.variant.technique]]
    assert (told["right"], told["count"], told["gained"]) == (one.right, one.count, one.gained)
    assert [part[:2] for part in told["corruptions"]] == [
        [part.name, part.count] for part in one.by_corruption
    ]
    for shown, example in zip(told["examples"], one.examples, strict=True):
        *words, picture = shown
        assert words == [
            example.corruption,
            example.severity,
            example.image,
            example.label,
            example.predicted,
        ]
        assert data["pictures"][picture] == example.picture


def test_picture_of_several_variants_is_embedded_once(report: Report) -> None:
    same = [
        replace(one, examples=tuple(replace(example, picture="UklGRg") for example in one.examples))
        for one in report.forgotten
    ]
    text = render_page(replace(report, forgotten=tuple(same)))
    assert text.count("UklGRg") == 1


def test_as_many_pictures_are_shown_as_there_is_room_for(
    report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    def examples(count: int) -> tuple[Example, ...]:
        return tuple(
            Example("fog", 1, number, "cat", "dog", str(number).zfill(100)) for number in range(count)
        )

    found = replace(report, forgotten=tuple(replace(one, examples=examples(4)) for one in report.forgotten))
    monkeypatch.setattr(forgotten_section, "ROOM", 250)
    page = parsed(render_page(found))
    data = data_of(page, "forgotten")
    assert len(data["pictures"]) == 2
    assert all(len(told["examples"]) == 2 for told in data["variants"].values())
    assert "2 images of each variant are shown" in page.one("section", id="forgotten").text


def test_variant_that_forgot_most_is_shown_first(report: Report) -> None:
    def found(variant: Variant, count: int) -> Forgotten:
        return Forgotten(100, count, variant, 0, (), (), (), ())

    names = [("d", "a", "int8"), ("d", "a", "pruned"), ("d", "b", "int8")]
    forgot = tuple(found(Variant(*name), count) for name, count in zip(names, (3, 9, 5), strict=True))
    page = parsed(render_page(replace(report, forgotten=forgot)))
    [option] = [
        one
        for one in page.one("select", id="forgotten-variant").every("option")
        if "selected" in one.attributes
    ]
    assert option.text == "a · Pruning (#3): 9.0 %"


# Images and techniques


def test_every_corruption_and_severity_has_its_image(page: Node) -> None:
    table = page.one("table", class_="images")
    alts = [image["alt"] for image in table.every("img")]
    assert alts[0] == "clean"
    assert alts[1:] == [
        f"{name.replace('_', ' ')} {severity}" for severity in range(1, 6) for name in STANDARD_CORRUPTIONS
    ]


def test_graph_is_of_the_studies_that_were_measured() -> None:
    section = page_of("original", "weight_quantized", side=0).one("section", id="techniques")
    boxes = section.one("svg", class_="graph").every("g")
    assert [box.text.partition(" ")[0] for box in boxes] == ["1", "18", "17", "20", "19"]
    assert "2 of 5 were measured" in section.text


def test_large_images_are_made_small(report: Report) -> None:
    large = np.zeros((300, 200, 3), np.uint8)
    examples = tuple(replace(one, images=dict.fromkeys(one.images, large)) for one in report.examples)
    page = parsed(render_page(replace(report, examples=examples)))
    source = str(page.one("table", class_="images").every("img")[0]["src"]).partition(",")[2]
    assert PIL.Image.open(io.BytesIO(base64.b64decode(source))).size == (64, 96)


def test_graph_has_every_technique_and_dashes_those_not_measured() -> None:
    graph = (
        page_of("original", "int8", "cqat", side=0).one("section", id="techniques").one("svg", class_="graph")
    )
    boxes = graph.every("g")
    assert len(boxes) == len(ORIGINAL_STUDY)
    solid = [box.text for box in boxes if "not" not in str(box["class"]).split()]
    assert solid == ["1 Original train", "2 Quantization Int8", "11 CQAT cqat"]


# Claims


def kernel_of(**figures: Any) -> Kernel:
    usual = {"kernel": "k", "shape": "8x3x3x4", "weights": 288, "distinct": 16, "distinct_whole": 16}
    return Kernel(**{**usual, "empty": 0, "sparsity": 0.5, "int8": True, "depthwise": False, **figures})


@pytest.mark.parametrize(
    ("technique", "kernel", "missed"),
    [
        ("pcqat_int8", {}, []),
        ("pcqat_int8", {"int8": False}, ["int8"]),
        ("pcqat_int8", {"sparsity": 0.49}, ["sparse"]),
        ("pcqat_int8", {"weights": 27, "sparsity": 13 / 27}, []),  # of an odd number one may be too few
        ("pcqat_int8", {"sparsity": 1.0}, ["sparse", "clustered"]),
        ("pcqat_int8", {"distinct_whole": 17}, ["clustered"]),
        ("clustered_int8", {"distinct_whole": 60}, []),  # each channel has a scale of its own
        ("clustered", {"distinct": 17}, ["clustered"]),
        ("pcqat_int8", {"depthwise": True, "sparsity": 0.0, "distinct_whole": 200}, []),
        ("original", {"int8": False, "sparsity": 0.0, "distinct": 900}, []),
        ("l1_pruned", {"int8": False, "sparsity": 0.1, "empty": 1}, []),
        ("l1_pruned", {"empty": 0}, ["channels_off"]),
        ("l1_pruned", {"shape": "10x40", "weights": 400, "sparsity": 0.19}, ["channels_off"]),
        ("l1_pruned", {"shape": "10x40", "weights": 400, "sparsity": 0.2}, []),
        ("weight_quantized", {"weights": 1024, "int8": False}, ["int8_weights"]),
        ("weight_quantized", {"weights": 1023, "int8": False}, []),
        ("ablated", {"int8": False}, []),
    ],
)
def test_claims_are_held_against_every_kernel(
    technique: str, kernel: dict[str, Any], missed: list[str]
) -> None:
    held = held_claims([kernel_of(), kernel_of(**kernel)], TECHNIQUES[technique], Compression())
    assert [one.claim for one in held if one.miss] == missed
    assert all(one.miss <= 1 for one in held)


def test_claims_say_of_how_many_kernels_they_are() -> None:
    kernels = [kernel_of(), kernel_of(depthwise=True), kernel_of(int8=False)]
    held = held_claims(kernels, TECHNIQUES["pruned_int8"], Compression())
    assert held == [Held("sparse", 0, 2), Held("int8", 1, 3)]


def test_channels_that_were_taken_out_need_not_be_empty() -> None:
    kernels = [kernel_of(), kernel_of(), kernel_of(shape="10x40", weights=400, sparsity=0.1)]
    section = {"ratio": 0.4, "structural": True}
    taken_out = Compression(l1_pruning=L1Pruning(**section))
    assert held_claims(kernels, TECHNIQUES["l1_pruned"], taken_out) == [Held("channels_off", 1, 2)]
    switched_off = Compression(l1_pruning=L1Pruning(**{**section, "structural": False}))
    assert held_claims(kernels, TECHNIQUES["l1_pruned"], switched_off) == [Held("channels_off", 2, 2)]


def test_claims_that_hold_and_that_do_not_are_told_in_words() -> None:
    records = records_of(variants_of(techniques=("original", "pruned", "pruned_int8")), side=0)
    good = parsed(render_page(report_of(records))).one("section", id="claims")
    assert "✓ Every file is what its technique claims." in good.text
    assert [row[2] for row in good.rows()] == ["nothing", "✓ 50 % zeros", "✓ 50 % zeros ✓ int8"]

    def dense(record: Record) -> Record:
        kernels = [{**kernel, "sparsity": 0.1} for kernel in record.details["kernels"]]
        return replace(record, details={"kernels": kernels})

    changed = [
        dense(record) if record.case == Case(Variant("d", "m", "pruned"), "claims") else record
        for record in records
    ]
    bad = parsed(render_page(report_of(changed))).one("section", id="claims")
    assert "✗ 1 file is not what was claimed." in bad.text
    assert bad.rows()[1][2] == "✗ 50 % zeros: 2 of 2 kernels miss it"


def test_files_have_their_figures(page: Node) -> None:
    row = page.one("table", id="claims-table").rows()[3]
    assert row[0:3] == ["a", "4", "Pruning + Int8"]
    assert row[4:] == ["50.0 %", "70", "100 %", "0 of 32", "2"]


def test_layers_are_data_that_no_row_is_made_of_beforehand(report: Report, page: Node) -> None:
    data = data_of(page, "claims")
    assert [len(layers) for layers in data["layers"].values()] == [2] * 32
    assert page.one("div", id="claims-shown").children == []
    name, shape, int8, weights, sparsity, *_ = data["layers"]["3"][1]
    assert (data["names"][name].partition(";")[0], shape) == ("a/conv1/Conv2D", "16x3x3x8")
    assert (int8, weights, sparsity) == (1, 1152, 0.5)


# Latency


def test_latency_has_its_figures_and_every_sample(report: Report, page: Node) -> None:
    section = page.one("section", id="latency")
    row = section.one("tbody").every("tr")[0]
    median = report.latency.query("model == 'a' and technique == 'original'")["median_s"].item()
    assert row.every("td")[2].text == f"{1000 * median:.2f}"
    assert str(row.one("path", class_="samples")["d"]).count("M") == 50
    assert "100 times after 10 that do not count" in section.text


def test_all_times_are_within_the_drawing(page: Node) -> None:
    for path in page.one("section", id="latency").one("tbody").every("path"):
        assert all(0 <= float(at) <= WIDTH for at in re.findall(r"M([\d.]+)", str(path["d"])))


@pytest.mark.parametrize(("slowest", "ticks"), [(1.2, "linear"), (30.0, "log")])
def test_axis_is_logarithmic_where_times_differ_widely(slowest: float, ticks: str) -> None:
    records = records_of(variants_of(), side=0)
    latency = pd.DataFrame(
        {"dataset": "d", "model": "m", "technique": ["original", "int8"], "median_s": [0.001, slowest / 1000]}
    ).assign(p90_s=lambda rows: rows["median_s"])
    report = replace(report_of(records), latency=latency, latency_samples=report_of([]).latency_samples)
    axis = parsed(render_page(report)).one("section", id="latency").one("span", class_="axis")
    values = [float(tick.text) for tick in axis.every("span")]
    assert len(values) >= 2
    steps = np.diff(values)
    assert (np.allclose(steps, steps[0])) == (ticks == "linear")
    assert not parsed(render_page(report)).one("section", id="latency").every("path", class_="samples")
