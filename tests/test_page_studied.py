"""What the sections of the page on attacks and explanations show, by Python alone."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from made_reports import records_of, report_of, variants_of
from made_studies import (
    CLASSES,
    attack_record,
    embedding_record,
    maps_record,
    usual_attack,
    way_of,
)
from parsed_page import Node, data_of, parsed
from test_attacked import first
from test_pictures import contrast

from benchmarks.cases import Variant
from benchmarks.results import Record
from reporting.page import render_page
from reporting.page.pictures import address, fitting
from reporting.page.sections import attacks as attacks_section
from reporting.page.sections import explanations as explanations_section
from reporting.page.sections.explanations import SIDE

VARIANTS = variants_of(techniques=("original", "int8", "pruned"))
ORIGINAL, INT8, PRUNED = VARIANTS
HOSTILE = "<script>alert(\"x\")</script> 'q' </td> &amp; {{ 7 * 7 }}"


def page_of(*records: Record, **sections: Any) -> Node:
    return parsed(render_page(report_of(records, **sections)))


@pytest.fixture(scope="module")
def page() -> Node:
    return page_of(*records_of(VARIANTS, corruptions=("fog",)))


# Attacks


def test_every_variant_and_way_has_a_row_with_its_figures() -> None:
    records = [
        attack_record(ORIGINAL, first(10), way_of("own", first(95))),
        attack_record(INT8, first(20), way_of("own", None), way_of("transferred", first(70))),
    ]
    section = page_of(*records, statistics={"about": "such-images"}).one("section", id="attacks")
    own, none, transferred = section.one("table", class_="attacks").rows()
    assert own[:5] == ["1", "Original agreement 99.0 %", "own gradients", "90.0", "5.0 ±6.2"]
    assert own[6:] == ["94.4 ±6.8", "93.0 → 71.0", "0.62 (0.55)", "97.0", "0.430"]
    assert none[2:] == ["own gradients", "80.0", "no gradients: the operators of the file have no gradients"]
    assert transferred[:3] == ["from the original masked", "80.0", "30.0 ±9.6"]
    assert "100 images, learning rate 5e-05, iterations 40" in section.one("caption").text


def test_masking_is_said_in_words(page: Node) -> None:
    section = page.one("section", id="attacks")
    assert "✗ 1 of 3 variants mask their gradients." in section.text
    [said] = section.one("ul", class_="masked").every("li")
    assert said.text.startswith(
        "m · Quantization Int8 (#2): gradients of the deployed file give nothing, yet"
    )
    assert said.text.endswith("this is gradient masking, not robustness.")


def test_a_run_without_masking_says_so() -> None:
    section = page_of(usual_attack(ORIGINAL, 0), usual_attack(PRUNED, 1)).one("section", id="attacks")
    assert "✓ No variant masks its gradients" in section.text
    assert not section.every("ul", class_="masked")


def test_each_attack_has_a_table_of_its_own() -> None:
    records = [usual_attack(INT8, 0, attack=name) for name in ("cw", "pgd")]
    section = page_of(*records).one("section", id="attacks")
    assert [one.text.split()[0] for one in section.every("caption")] == ["cw", "pgd"]
    assert ["cw" in one.text for one in section.one("ul", class_="masked").every("li")] == [True, False]


def test_accuracies_are_drawn_where_they_are() -> None:
    record = attack_record(ORIGINAL, first(10), way_of("own", first(70)))
    drawing = page_of(record).one("section", id="attacks").one("td", class_="drop")
    assert drawing.one("path", class_="span")["d"] == "M30.0 10H90.0"


def test_rows_span_the_ways_of_a_variant(page: Node) -> None:
    heads = page.one("table", class_="attacks").one("tbody").every("th")
    assert [(head.text.split(" agreement")[0], head["rowspan"]) for head in heads] == [
        ("Original", "1"),
        ("Quantization Int8", "3"),
        ("Pruning", "2"),
    ]


def test_examples_are_shown_as_they_were_attacked_and_changed(page: Node) -> None:
    figures = page.one("section", id="attacks").every("figure")
    assert [one.one("figcaption").text for one in figures] == [
        "cat → dog, m · Original (#1)",
        "cat → dog, m · Quantization Int8 (#2)",
        "cat → dog, m · Pruning (#3)",
    ]
    assert [one["alt"] for one in figures[0].every("img")] == ["cat, before", "cat, after", "cat, the change"]


def test_as_many_examples_are_shown_as_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    record = usual_attack(ORIGINAL, 0, examples=3)
    one = sum(len(record.details["examples"][0][name]) for name in ("clean", "adversarial", "change"))
    for room, shown, said in ((100 * one, 3, False), (1.5 * one, 1, True), (0.5 * one, 0, True)):
        monkeypatch.setattr(attacks_section, "ROOM", room)
        section = page_of(record).one("section", id="attacks")
        assert len(section.every("figure")) == shown
        assert ("To keep this file small" in section.text) == said


def test_the_panel_gets_the_ways_of_its_variant(page: Node) -> None:
    data = data_of(page, "attacks")
    assert [row[:2] for row in data["1"]] == [
        ["cw", "own gradients"],
        ["cw", "through its twin"],
        ["cw", "from the original"],
    ]
    assert [row[-1] for row in data["1"]] == ["", "masked", "masked"]


# Explanations


def test_every_variant_has_a_map_with_its_figures(page: Node) -> None:
    panels = page.one("section", id="explanations").one("div", class_="maps").every("figure")
    assert [one.one("figcaption").text for one in panels] == [
        *("Original #1", "Quantization Int8 #2", "Pruning #3"),
    ]
    figures = {one.one("dt").text: one.one("dd").text for one in panels[1].one("dl").every("div")}
    assert figures == {
        **{"neighbours": "83.0 %", "silhouette": "0.21"},
        **{"trustworthiness": "0.97", "agreement": "99.0 %"},
    }


def test_every_point_is_drawn_within_its_map_in_the_look_of_its_class(page: Node) -> None:
    section = page.one("section", id="explanations")
    [first_map, *_] = section.one("div", class_="maps").every("svg")
    paths = first_map.every("path")
    assert len(paths) == len(CLASSES)
    legend = section.one("ul", class_="legend").every("path")
    assert [one["class"] for one in paths] == [one["class"] for one in legend]
    for path, entry in zip(paths, legend, strict=True):
        drawn = [one.groups() for one in re.finditer(r"M(\d+) (\d+)([^M]*)", str(path["d"]))]
        assert len(drawn) == 6
        assert all(0 < int(x) < SIDE and 0 < int(y) < SIDE for x, y, _ in drawn)
        assert {mark for _, _, mark in drawn} == {str(entry["d"]).removeprefix("M7 7")}


def test_no_two_of_ten_classes_look_alike(page: Node) -> None:
    entries = page.one("section", id="explanations").one("ul", class_="legend").every("li")
    assert [one.text for one in entries] == list(CLASSES)
    assert len({(one.one("path")["class"], one.one("path")["d"]) for one in entries}) == len(CLASSES)


def test_a_map_keeps_its_proportions_and_its_upper_side() -> None:
    record = embedding_record(INT8, 3, points=[[0, 0], [10, 0], [0, 5]], labels=[0, 1, 2])
    drawn = page_of(record).one("div", class_="maps").one("svg")
    [(x0, y0), (x1, y1), (x2, y2)] = (
        tuple(map(int, re.findall(r"\d+", str(path["d"]))[:2])) for path in drawn.every("path")
    )
    assert (y0, x0) == (y1, x2)
    assert x1 - x0 == pytest.approx(2 * (y0 - y2), abs=1)


def test_a_map_whose_points_are_one_is_drawn() -> None:
    record = embedding_record(INT8, 2, points=[[3, 3], [3, 3]], labels=[0, 0])
    path = page_of(record).one("div", class_="maps").one("svg").one("path")
    assert path["d"] == f"M{SIDE // 2} {SIDE // 2}h0" * 2


def test_samples_have_a_column_each_and_variants_a_row(page: Node) -> None:
    table = page.one("table", class_="seen")
    heads = [head.text for head in table.one("thead").every("th")]
    assert heads == ["technique", "correlation", "cat", "dog"]
    original, int8, _ = table.rows()
    assert original == ["Original #1", "0.80", "cat, 90 %", "✗ ship, 80 %"]
    assert int8[0] == "Quantization Int8 #2"
    [cell, _] = table.one("tbody").every("tr")[0].every("td")[1:]
    assert [image["alt"] for image in cell.every("img")] == ["Grad-CAM", "guided backpropagation"]


def test_a_sample_that_a_variant_has_not_is_no_picture() -> None:
    other = maps_record(PRUNED)
    details = {**other.details, "samples": other.details["samples"][1:]}
    rows = page_of(maps_record(ORIGINAL), replace(other, details=details)).one("table", class_="seen").rows()
    assert rows[1][2:] == ["", "✗ ship, 80 %"]


def test_figures_of_activation_maps_stand_in_a_table(page: Node) -> None:
    section = page.one("section", id="explanations")
    assert section.one("table", class_="plain-table").rows()[1] == [
        *("2", "Quantization Int8", "0.800", "0.400", "0.310", "0.740", "99.5")
    ]


def test_as_many_samples_are_shown_as_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    records = [maps_record(ORIGINAL, samples=3), maps_record(INT8, samples=3)]
    shown = [value for one in records for value in one.details["samples"][:2]]
    room = len("".join({one["image"] for one in shown})) + sum(
        len(one["gradcam"] + one["guided"]) for one in shown
    )
    for more, columns in ((0, 2), (-1, 1)):
        monkeypatch.setattr(explanations_section, "ROOM", room + more)
        section = page_of(*records).one("section", id="explanations")
        assert len(section.one("table", class_="seen").one("thead").every("img")) == columns
        assert "To keep this file small" in section.text


@pytest.mark.parametrize("alone", ["embedding", "activation_maps"])
def test_either_way_of_explaining_is_shown_alone(alone: str) -> None:
    record = embedding_record(INT8) if alone == "embedding" else maps_record(INT8)
    section = page_of(record).one("section", id="explanations")
    assert len(section.every("div", class_="maps")) == (alone == "embedding")
    assert len(section.every("table", class_="seen")) == (alone == "activation_maps")


# Both


def test_a_variant_of_which_nothing_else_is_known_is_shown_without_a_link() -> None:
    page = page_of(usual_attack(INT8, 0), embedding_record(INT8), maps_record(INT8))
    for name in ("attacks", "explanations"):
        section = page.one("section", id=name)
        assert "Quantization Int8" in section.text
        assert not section.every("a")


def test_hostile_names_are_text_here_too() -> None:
    variant = Variant("d", HOSTILE, "int8")
    maps = maps_record(variant)
    sample = {**maps.details["samples"][0], "label": HOSTILE, "predicted": HOSTILE}
    attack = attack_record(variant, first(1), way_of("own", None) | {"why": HOSTILE}, examples=1)
    example = {**attack.details["examples"][0], "before": HOSTILE}
    records = [
        embedding_record(variant, class_names=[HOSTILE] * 10, layer=HOSTILE),
        replace(maps, details={**maps.details, "samples": [sample], "layer": HOSTILE}),
        replace(attack, details={**attack.details, "examples": [example]}),
    ]
    text = render_page(report_of(records))
    page = parsed(text)
    assert "<script>alert" not in text
    assert "49" not in page.one("section", id="explanations").text
    shown = " ".join(HOSTILE.split())
    assert shown in page.one("ul", class_="legend").text
    assert shown in page.one("table", class_="attacks").text
    assert shown in page.one("section", id="attacks").one("figure").text


def test_pictures_of_either_kind_have_their_address() -> None:
    assert address("iVBORw0KGgo=").startswith("data:image/png;base64,iVBOR")
    assert address("UklGRg==") == "data:image/webp;base64,UklGRg=="


@pytest.mark.parametrize(("room", "number"), [(9, 0), (10, 1), (29, 2), (1000, 5)])
def test_what_fits_is_counted(room: int, number: int) -> None:
    assert fitting(5, room, lambda number: ["x" * 10] * number) == number


def test_five_variants_of_a_thousand_points_and_five_samples_keep_the_page_small() -> None:
    variants = variants_of(techniques=("original", "int8", "pruned", "pruned_int8", "qat"))
    studied = [
        record
        for place, one in enumerate(variants)
        for record in (
            usual_attack(one, place, 1000, examples=3, side=32),
            embedding_record(one, 1000),
            maps_record(one, 0.9, 5, 32),
        )
    ]
    without, both = (len(render_page(report_of(records)).encode()) for records in ([], studied))
    assert both - without < 200_000


def test_colours_of_classes_stand_out_from_the_ground_in_both_themes() -> None:
    """WCAG 2.2, 1.4.11: a contrast of 3."""
    css = (Path(attacks_section.__file__).parents[1] / "static" / "page.css").read_text()

    def rgb(colour: str) -> tuple[float, ...]:
        return tuple(int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))

    [grounds] = re.findall(r"--paper: light-dark\((#\w+), (#\w+)\)", css)
    found = re.findall(r"\.c\d \{ stroke: light-dark\((#\w+), (#\w+)\)", css)
    assert len(found) == explanations_section.COLOURS
    for colours in found:
        for colour, ground in zip(colours, grounds, strict=True):
            assert contrast(rgb(colour), rgb(ground)) >= 3
