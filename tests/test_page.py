"""The page of a report is one file that holds all it needs, says what the report says, and trusts no name."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from pathlib import Path

import pandas as pd
import pytest
from made_reports import records_of, report_of, variants_of, whole_report
from parsed_page import Node, data_of, parsed

from benchmarks.cases import STANDARD_CORRUPTIONS
from benchmarks.techniques import ORIGINAL_STUDY
from reporting.page import SECTIONS, render_page
from reporting.page.view import View
from reporting.report import Report, write_report

HOSTILE = "<script>alert(\"x\")</script> 'q' </td> &amp; {{ 7 * 7 }} 🦊 " + "w" * 80

#: What the sections are called on the page of a report that has something for each.
NAMES = [
    *("verdict", "choice", "table", "weather", "forgotten", "images"),
    *("attacks", "explanations", "techniques", "claims", "latency"),
]


@pytest.fixture(scope="module")
def report() -> Report:
    return whole_report()


@pytest.fixture(scope="module")
def text(report: Report) -> str:
    return render_page(report)


@pytest.fixture(scope="module")
def page(text: str) -> Node:
    return parsed(text)


def sections_of(page: Node) -> list[str]:
    return [str(section["id"]) for section in page.every("section")]


def kept(report: Report, *kinds: str) -> Report:
    """Return the report of the records of these kinds alone."""
    return report_of([record for record in records_of(variants_of()) if record.case.kind in kinds])


# One file


def test_sections_are_in_the_order_of_the_list_and_in_the_table_of_contents(page: Node) -> None:
    assert len(SECTIONS) == len(NAMES)
    assert sections_of(page) == NAMES
    links = [link["href"] for link in page.one("nav").every("a")]
    assert links == [f"#{name}" for name in NAMES]


def test_every_section_has_a_heading_that_names_it(page: Node) -> None:
    for section in page.every("section"):
        assert section.one(id=str(section["aria-labelledby"])).text


def test_ids_are_unique(page: Node) -> None:
    ids = [node["id"] for node in page.every() if "id" in node.attributes]
    assert len(ids) == len(set(ids))


def test_labels_are_of_controls_that_are_there(page: Node) -> None:
    ids = {node.attributes.get("id") for node in page.every()}
    assert {label["for"] for label in page.every("label") if "for" in label.attributes} <= ids


def test_page_loads_nothing(page: Node) -> None:
    assert not page.every("iframe")
    assert [link["href"] for link in page.every("link")] == ["data:,"]
    assert not [script for script in page.every("script") if "src" in script.attributes]
    assert all(str(image["src"]).startswith("data:image/webp;base64,") for image in page.every("img"))
    policy = str(page.one("meta", http_equiv="Content-Security-Policy")["content"])
    assert "default-src 'none'" in policy
    assert "http" not in policy


def test_policy_lets_only_the_scripts_of_the_page_and_plotly_run(page: Node) -> None:
    policy = str(page.one("meta", http_equiv="Content-Security-Policy")["content"])
    allowed = re.search(r"script-src ([^;]*)", policy)
    assert allowed
    [packed] = page.one("script", id="plotly").children
    scripts = [str(script.children[0]) for script in page.every("script", type="module")]
    scripts.append(gzip.decompress(base64.b64decode(str(packed))).decode())
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    assert allowed[1].split() == [f"'sha256-{digest}'" for digest in digests]


def test_scripts_never_take_data_for_html() -> None:
    static = Path(__file__).resolve().parents[1] / "reporting" / "page" / "static"
    for script in static.glob("*.js"):
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b", script.read_text()
        )


def test_page_is_the_same_for_the_same_report(text: str) -> None:
    assert render_page(whole_report()) == text


def test_page_is_the_first_file_of_a_report(report: Report, text: str, tmp_path: Path) -> None:
    written = write_report(report, tmp_path)
    assert written[0] == tmp_path / "index.html"
    assert written[0].read_text("utf-8") == text


def test_page_of_six_networks_fits_into_six_megabytes() -> None:
    variants = variants_of(("c", "d"), ("k", "l", "m"), ORIGINAL_STUDY)
    report = report_of(records_of(variants, images=50, kernels=55, side=64))
    report.__dict__["uncertainty"] = kept(report, "claims").uncertainty  # which takes long, and little room
    assert len(variants) == 96
    assert len(render_page(report).encode()) < 6_000_000


# What it says


def test_scripts_get_the_figures_of_the_report(report: Report, page: Node) -> None:
    shared = data_of(page, "shared")
    assert [variant["technique"] for variant in shared["variants"]] == list(report.summary["technique"])
    latency = report.latency.set_index(["dataset", "model", "technique"])["median_s"]
    for variant, row in zip(shared["variants"], report.summary.to_dict("records"), strict=True):
        figures = variant["figures"]
        for name in ("accuracy", "mce", "relative_mce"):
            ends = [row[name], row[f"{name}_low"], row[f"{name}_high"]]
            assert figures[name] == [None if pd.isna(end) else pytest.approx(end, rel=1e-6) for end in ends]
        assert figures["compression_ratio"][0] == pytest.approx(row["compression_ratio"], rel=1e-6)
        assert figures["zipped"][0] == row["zipped_bytes"]
        key = (row["dataset"], row["model"], row["technique"])
        assert figures["latency"][0] == pytest.approx(latency[key], rel=1e-6)
        assert variant["front"] == pytest.approx(row["pareto_probability"], rel=1e-6)
        assert variant["optimal"] == row["pareto"]


def test_variant_has_an_address_that_its_links_lead_to(page: Node) -> None:
    ids = [variant["id"] for variant in data_of(page, "shared")["variants"]]
    assert ids[0] == "d/a/original"
    links = {link["href"] for link in page.every("a") if "data-variant" in link.attributes}
    assert links == {f"#variant={name}" for name in ids}


def test_names_are_part_of_an_address_whatever_is_in_them() -> None:
    report = report_of(records_of(variants_of(models=("a/b c#",)), side=0))
    assert [variant.id for variant in View(report).variants] == [
        "d/a%2Fb%20c%23/original",
        "d/a%2Fb%20c%23/int8",
    ]


def test_hostile_names_are_text_everywhere() -> None:
    names = (HOSTILE, f"{HOSTILE} too")
    variants = variants_of((HOSTILE,), names)
    corruptions = (*STANDARD_CORRUPTIONS, HOSTILE)
    text = render_page(report_of(records_of(variants, corruptions=corruptions)))
    page = parsed(text)
    assert sections_of(page) == NAMES
    assert "<script>alert" not in text
    assert "{{" in page.one("section", id="table").text  # and not the 49 of a template
    scripts = {script["type"] for script in page.every("script")}
    assert scripts == {"application/json", "text/plain", "module"}
    shared = data_of(page, "shared")
    assert {variant["model"] for variant in shared["variants"]} == set(names)
    cells = page.one("section", id="table").every("tr", data_model=HOSTILE)
    assert len(cells) == 2
    assert cells[0].every("td")[1].text == " ".join(HOSTILE.split())


def test_techniques_that_are_not_known_here_have_no_number_but_everything_else() -> None:
    report = report_of(records_of(variants_of(), side=0))
    renamed = {
        name: getattr(report, name).replace({"technique": {"int8": "my_own"}})
        for name in ("cells", "sizes", "latency", "expected", "kernels")
    }
    page = parsed(render_page(Report(**renamed)))
    shown = {variant["technique"]: variant for variant in data_of(page, "shared")["variants"]}["my_own"]
    assert (shown["number"], shown["title"]) == ("", "my_own")
    assert "my_own" in page.one("section", id="techniques").text
    assert page.one("section", id="claims").rows()[1][1:3] == ["my_own", "nothing"]


# What is left out


@pytest.mark.parametrize(
    ("kinds", "shown"),
    [
        (("accuracy",), ["verdict", "table", "forgotten", "techniques"]),
        (("accuracy", "claims"), ["verdict", "choice", "table", "forgotten", "techniques", "claims"]),
        (("robustness",), ["verdict", "table", "weather", "forgotten", "images", "techniques"]),
        (("claims",), ["verdict", "choice", "table", "techniques", "claims"]),
        (("adversarial",), ["verdict", "attacks", "techniques"]),
        (("explainability",), ["verdict", "explanations", "techniques"]),
        ((), ["verdict", "techniques"]),
    ],
)
def test_section_with_nothing_to_show_says_why_at_the_end(kinds: tuple[str, ...], shown: list[str]) -> None:
    page = parsed(render_page(report_of([r for r in records_of(variants_of()) if r.case.kind in kinds])))
    assert sections_of(page) == [*shown, "absent"]
    told = page.one("section", id="absent").every("li")
    assert len(told) == len(NAMES) - len(shown)
    assert all(": " in one.text for one in told)


def test_page_of_tables_alone_leaves_out_what_needs_records(report: Report) -> None:
    page = parsed(render_page(Report.of_recorded(report.cells, report.sizes, report.latency)))
    assert sections_of(page) == ["verdict", "choice", "table", "weather", "techniques", "latency", "absent"]
    told = page.one("section", id="absent").text
    assert "What compression forgot: the predictions of single images were not recorded" in told


@pytest.mark.parametrize(
    "options",
    [
        {"corruptions": ("fog",), "severities": (3,)},
        {"corruptions": ()},
        {"kernels": 1, "side": 0},
    ],
)
def test_small_runs_have_a_page(options: dict) -> None:
    for techniques in (("original",), ("int8",), ("original", "int8")):
        report = report_of(records_of(variants_of(techniques=techniques), **options))
        page = parsed(render_page(report))
        assert "nan" not in page.text.lower()
        assert len(data_of(page, "shared")["variants"]) == len(techniques)
