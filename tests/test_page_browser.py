"""The page in a real browser: what a reader does with it, by mouse and by keyboard."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browsers import Page, browser
from made_reports import records_of, report_of, variants_of
from made_runs import entries_of, header_of, record_of

from benchmarks.cases import STANDARD_CORRUPTIONS, STANDARD_FAMILIES, Case, Variant
from benchmarks.results import Record
from benchmarks.techniques import ORIGINAL_STUDY
from reporting.page import render_page
from reporting.report import Report

FAMILIES = dict(
    zip(STANDARD_CORRUPTIONS, ["noise"] * 3 + ["blur"] * 4 + ["weather"] * 4 + ["digital"] * 4, strict=True)
)
IMAGES = 200
MODELS = ["resnet50", "vgg19", "mobilenet_v2"]

#: The figures of a column of the table, and the variants of the rows that are seen.
COLUMN = """return [...document.querySelectorAll("#table-variants tbody tr")]
    .map((row) => Number(row.cells[arguments[0]].dataset.value))"""
SHOWN = """return [...document.querySelectorAll("#table-variants tbody tr")]
    .filter((row) => !row.hidden).map((row) => row.dataset.variant)"""

#: The colours of text, of the ground that it stands on, and of text that stands back.
COLOURS = """const of = (element, name) => getComputedStyle(element)[name];
    return [of(document.body, "color"), of(document.body, "backgroundColor"),
            of(document.querySelector(".soft"), "color")]"""

#: Names that would do something if a page took them for more than text.
HOSTILE = "<script>globalThis.caught = true</script>"
QUOTED = "\"quoted\" 'and' & <b>bold</b> 🌧️"
LONG = "a_name_of_eighty_characters_" + "x" * 52


def run_of(
    models: list[str], techniques: list[str], corruptions: tuple[str, ...], dataset: str = "photos"
) -> Report:
    """Return the report on a made-up run in which later techniques are smaller and err more."""
    rng = np.random.default_rng(0)
    records, cases = [], []
    for model in models:
        for place, technique in enumerate(techniques):
            variant = Variant(dataset, model, technique)
            rates = [("accuracy", None, 0.2), *(("robustness", name, 0.4) for name in corruptions)]
            for kind, name, rate in rates:
                case = Case(variant, kind, name, STANDARD_FAMILIES[name] if name else None)
                severities = 5 if name else 1
                more = 0.005 * place + 0.02 * (len(model) % 3)
                records.append(record_of(case, rng.random((severities, IMAGES)) < rate + more))
                cases.append(case)
            size = Case(variant, "claims")
            zipped = 1_000_000 // (1 + place)
            records.append(Record(size, metrics={"zipped_bytes": zipped, "file_bytes": 2 * zipped}))
            cases.append(size)
    return Report.of_run(header_of(cases, range(1, 6)), entries_of(records))


@pytest.fixture(scope="module")
def driver() -> Iterator[Any]:
    with browser() as driver:
        yield driver


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a run of three networks and sixteen techniques."""
    report = run_of(MODELS, list(ORIGINAL_STUDY), STANDARD_CORRUPTIONS)
    path = tmp_path_factory.mktemp("page") / "index.html"
    path.write_text(render_page(report), encoding="utf-8")
    return path


@pytest.fixture
def page(driver: Any, study: Path) -> Page:
    return Page(driver, study)


@pytest.mark.parametrize("width", [390, 1440])
def test_it_opens_quietly_from_the_disk_and_fits_its_window(
    driver: Any, study: Path, width: int, record_property: Any
) -> None:
    page = Page(driver, study, width)
    record_property("milliseconds until everything is there", page.run("return performance.now()"))
    assert page.overflow == 0
    page.run(
        "location.hash = `variant=${document.querySelector('#table-variants tbody tr').dataset.variant}`"
    )
    page.until("return document.getElementById('panel').open")
    assert page.overflow == 0
    assert page.complaints() == []
    assert page.outside() == []


def test_sliders_answer_which_variant_is_smallest(page: Page) -> None:
    from selenium.webdriver.common.keys import Keys

    before = page.find("#choice-answer").get_attribute("data-variant")
    slider = page.find("#choice-mce-limit")
    slider.send_keys(Keys.END)
    page.find("#choice-accuracy-limit").send_keys(Keys.HOME)
    loosest = page.find("#choice-answer").get_attribute("data-variant")
    variants = json.loads(page.text("#data-shared"))["variants"]
    assert loosest == min(variants, key=lambda one: one["figures"]["zipped"][0])["id"]
    page.find("#choice-accuracy-limit").send_keys(Keys.END)
    slider.send_keys(Keys.HOME)
    assert "None qualifies" in page.text("#choice-answer")
    assert before is not None


def test_crosses_look_out_from_behind_every_point_that_does_not_qualify(page: Page) -> None:
    traces = page.run(
        "return document.getElementById('choice-plot').data.map((one) => [one.name, one.marker?.size ?? 0])"
    )
    sizes = dict(traces)
    # The arms of this symbol reach to the corners of a square of its size.
    reach = sizes["does not qualify"] * 2**0.5
    assert all(reach > sizes[model] + 6 for model in ("resnet50", "vgg19", "mobilenet_v2"))


def test_axes_can_be_chosen(page: Page) -> None:
    page.find("#choice-x").send_keys("accuracy")
    page.until("return document.getElementById('choice-plot').layout.xaxis.title.text.includes('accuracy')")
    assert page.complaints() == []


def test_headings_sort_the_table(page: Page) -> None:
    head = page.find("#table-variants th[data-metric='mce']")
    cell = head.get_property("cellIndex")
    head.find_element("tag name", "button").click()
    values = page.run(COLUMN, cell)
    assert head.get_attribute("aria-sort") == "ascending"
    assert values == sorted(values)
    head.find_element("tag name", "button").click()
    assert page.run(COLUMN, cell) == sorted(values, reverse=True)
    assert head.get_attribute("aria-sort") == "descending"


def test_text_and_chips_filter_the_table(page: Page) -> None:
    page.find("#table-text").send_keys("pcqat")
    assert sorted(page.run(SHOWN)) == sorted(
        f"photos/{model}/{name}"
        for model in ("resnet50", "vgg19", "mobilenet_v2")
        for name in ("pcqat", "pcqat_int8")
    )
    page.find("#table-filters [data-model='vgg19']").click()
    page.find("#table-filters [data-trait='int8']").click()
    assert page.run(SHOWN) == ["photos/vgg19/pcqat_int8"]
    assert "1 of 48" in page.text("#table-count")


def test_a_cell_opens_its_curve_and_escape_gives_the_focus_back(page: Page) -> None:
    from selenium.webdriver.common.keys import Keys

    cell = page.find("#weather button[data-cell='17,9']")
    page.run("arguments[0].scrollIntoView({block: 'center'})", cell)
    cell.click()
    page.until("return document.querySelector('#cell-plot .plotly')")
    assert "fog" in page.text("#cell-title")
    assert len(page.all("#cell-numbers tbody tr")) == 5
    page.press(Keys.ESCAPE)
    page.until("return !document.getElementById('cell').open")
    assert page.focused.get_attribute("data-cell") == "17,9"


def test_arrow_keys_move_between_cells_and_enter_opens_one(page: Page) -> None:
    from selenium.webdriver.common.keys import Keys

    first = page.find("#weather button[data-cell][tabindex='0']")
    page.run("arguments[0].focus()", first)
    row, column = map(int, first.get_attribute("data-cell").split(","))
    page.press(Keys.ARROW_RIGHT, Keys.ARROW_DOWN)
    assert page.focused.get_attribute("data-cell") == f"{row + 1},{column + 1}"
    page.press(Keys.ENTER)
    page.until("return document.getElementById('cell').open")
    page.press(Keys.ESCAPE)


def test_the_map_shows_differences_too(page: Page) -> None:
    cell = page.find("#weather button[data-cell='16,0']")
    before = cell.text
    page.find("#weather [data-show='rise']").click()
    assert cell.get_property("textContent") == cell.get_attribute("data-rise").split(",")[0]
    page.find("#weather [data-show='ce']").click()
    assert cell.text == before


def test_a_row_opens_its_variant_under_an_address_and_back_leaves_it(page: Page) -> None:
    row = page.find("#table-variants tr[data-variant='photos/vgg19/qat_int8'] td:nth-child(2)")
    page.run("arguments[0].scrollIntoView({block: 'center'})", row)
    row.click()
    page.until("return document.getElementById('panel').open")
    assert page.driver.current_url.endswith("#variant=photos/vgg19/qat_int8")
    assert "QAT + Int8" in page.text("#panel-title")
    page.find("#panel-next").click()
    assert page.driver.current_url.endswith("#variant=photos/vgg19/cqat")
    page.driver.back()
    page.until("return !document.getElementById('panel').open")


def test_an_address_of_a_variant_opens_it_at_once(driver: Any, study: Path) -> None:
    page = Page(driver, study)
    driver.get(f"{study.as_uri()}#variant=photos/resnet50/int8")
    page.until("return document.getElementById('panel').open")
    assert "Quantization Int8" in page.text("#panel-title")


def test_the_keyboard_alone_reaches_the_contents_and_shows_where_it_is(page: Page) -> None:
    from selenium.webdriver.common.keys import Keys

    page.press(Keys.TAB)
    assert page.focused.get_attribute("class") == "skip"
    reached = set()
    for _ in range(60):
        page.press(Keys.TAB)
        reached.add(page.focused.get_attribute("id"))
        assert page.run("return document.activeElement.matches(':focus-visible')")
    assert {"choice-x", "choice-mce-limit", "table-text"} <= reached


@pytest.mark.parametrize("width", [390, 1440])
def test_attacks_and_explanations_fit_the_window_and_stand_in_the_panel(
    driver: Any, tmp_path: Path, width: int
) -> None:
    path = tmp_path / "index.html"
    variants = variants_of(techniques=("original", "sparse_clustered_int8"))
    path.write_text(render_page(report_of(records_of(variants, corruptions=()))), encoding="utf-8")
    page = Page(driver, path, width)
    page.run("for (const one of document.querySelectorAll('#attacks details')) one.open = true")
    assert page.overflow == 0
    assert page.run("return document.querySelector('.maps svg').getBoundingClientRect().width") > 150
    page.run("location.hash = 'variant=d/m/sparse_clustered_int8'")
    page.until("return document.getElementById('panel').open")
    panel = page.find("#panel-body")
    titles = [one.text for one in panel.find_elements("tag name", "h3")]
    assert {"Attacks", "Explanations"} <= set(titles)
    assert "through its twin" in page.text("#panel-body")
    assert len(panel.find_elements("css selector", ".maps svg")) == 1
    assert len(panel.find_elements("css selector", ".seen img")) == 4
    assert page.run("const e = arguments[0]; return e.scrollWidth - e.clientWidth", panel) == 0
    assert page.complaints() == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground_in_both_themes(driver: Any, study: Path, scheme: str) -> None:
    """WCAG 2.2, 1.4.3: a contrast of 4.5."""
    feature = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", feature)
    try:
        page = Page(driver, study)
        colours = page.run(COLOURS)
    finally:
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    ink, paper, soft = (luminance(colour) for colour in colours)
    assert (paper > ink) == (scheme == "light")
    for text in (ink, soft):
        low, high = sorted([text, paper])
        assert (high + 0.05) / (low + 0.05) >= 4.5


def luminance(colour: str) -> float:
    """Return the relative luminance of ``rgb(r, g, b)`` (WCAG 2.2)."""
    values = np.array([float(value) for value in colour.strip("rgba()").split(",")[:3]]) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize(
    "parts",
    [
        (["m"], ["original"], ("fog",)),
        (["m"], ["original", "int8"], ("fog",)),
        ([HOSTILE], ["original", "int8"], STANDARD_CORRUPTIONS),
        ([QUOTED, LONG], ["original", "int8"], STANDARD_CORRUPTIONS),
        (["m"], ["int8"], STANDARD_CORRUPTIONS),
    ],
    ids=["one of each", "one corruption", "script", "quotes, emoji, 80 characters", "without the original"],
)
@pytest.mark.parametrize("width", [390, 1440])
def test_small_and_hostile_runs_give_a_correct_page(
    driver: Any,
    tmp_path: Path,
    parts: tuple[list[str], list[str], tuple[str, ...]],
    width: int,
) -> None:
    models, techniques, corruptions = parts
    report = run_of(models, techniques, corruptions, dataset=models[0] if models[0] == HOSTILE else "photos")
    path = tmp_path / "index.html"
    path.write_text(render_page(report), encoding="utf-8")
    page = Page(driver, path, width)
    assert len(page.all("#table-variants tbody tr")) == len(models) * len(techniques)
    for model in models:
        assert model in page.text("#table-variants")
    page.run("document.querySelector('#table-variants tbody a[data-variant]').click()")
    page.until("return document.getElementById('panel').open")
    assert models[0] in page.text("#panel-title") or models[-1] in page.text("#panel-title")
    assert page.run("return globalThis.caught") is None
    assert page.overflow == 0
    assert page.complaints() == []
    assert page.outside() == []
