"""The figures of a report say what was measured, legibly in a column of a paper, whatever was measured."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import colormaps, style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from test_reporting_plots import summary_of
from test_reporting_report import report_of, run

from benchmarks.cases import STANDARD_CORRUPTIONS, STANDARD_FAMILIES
from benchmarks.techniques import ORIGINAL_STUDY, TECHNIQUES
from fixtures.corruptions import CORRUPTIONS
from reporting.drawing import COLUMN, KINDS, STYLE, shortened, text_width, wrapped
from reporting.pictures.latency_plot import draw_latency
from reporting.pictures.rows import RowNames
from reporting.pictures.severity_curves import MOST_VARIANTS, draw_severity_curves, worth_drawing
from reporting.pictures.weather_map import LIMITS, draw_weather_map, readable
from reporting.pictures.writing import write_pictures
from reporting.plots import NARROW, draw_pareto
from reporting.report import Report
from reporting.tables import corruptions_in_order

LONG = "a_name_of_eighty_letters_that_nobody_would_want_to_read_in_a_figure_of_any_width"
UNBROKEN = "m" * 80
TITLE = f"{UNBROKEN}, {LONG}"
SMALLEST = 5.5  # font size in points that print still shows


def ce_of(techniques=tuple(TECHNIQUES), corruptions=STANDARD_CORRUPTIONS) -> pd.DataFrame:
    """CEs of which none has the figures of another."""
    values = 80.0 + np.arange(len(techniques) * len(corruptions)).reshape(len(techniques), -1)
    return pd.DataFrame(values, index=list(techniques), columns=list(corruptions))


def map_of(ce: pd.DataFrame, mce: float = 104.25, families=STANDARD_FAMILIES, title: str = "d, m") -> Figure:
    return draw_weather_map(ce, pd.Series(mce, index=ce.index), families, title)


def cells_of(techniques, corruptions=STANDARD_CORRUPTIONS, severities=(1, 2, 3, 4, 5)) -> pd.DataFrame:
    rows = [
        {"technique": technique, "corruption": corruption, "severity": severity, "error": error}
        for place, technique in enumerate(techniques)
        for corruption in corruptions
        for severity in severities
        for error in [0.1 * severity + 0.02 * place]
    ]
    cells = pd.DataFrame(rows)
    return cells.assign(error_low=cells["error"] - 0.03, error_high=cells["error"] + 0.03)


def latency_of(techniques=tuple(TECHNIQUES), models=("m",)) -> pd.DataFrame:
    rows = [
        {"dataset": "d", "model": model, "technique": technique, "median_s": 0.0011 * 1.3**place}
        for model in models
        for place, technique in enumerate(techniques)
    ]
    return pd.DataFrame(rows).assign(p90_s=lambda table: 1.2 * table["median_s"])


def texts_of(figure: Figure) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def hatched(figure: Figure) -> int:
    """Return how many boxes are hatched."""
    polygons = [one for one in figure.axes[0].collections if isinstance(one, PolyCollection)]
    return sum(len(one.get_paths()) for one in polygons if one.get_hatch())


def boxes_of(figure: Figure) -> list[tuple[str, Bbox]]:
    """Return the texts of a figure with where they are."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    with style.context(STYLE):
        figure.draw_without_rendering()
        texts = [text for axes in figure.axes for text in axes.texts]
        for axes in figure.axes:
            low, high = axes.get_xlim()
            labels = axes.get_xticklabels() if axes.axison else []
            texts += [label for label in labels if low <= label.get_position()[0] <= high]
        # Of the text alone: an annotation's own extent has what it points to in it.
        return [
            (text.get_text(), Text.get_window_extent(text, renderer)) for text in texts if text.get_text()
        ]


def assert_legible(figure: Figure) -> None:
    """Assert that no text covers another or leaves the figure, and that none is too small."""
    boxes = boxes_of(figure)
    page = figure.bbox.padded(1)
    assert [text for text, box in boxes if not (page.x0 <= box.x0 and box.x1 <= page.x1)] == []
    assert [text for text, box in boxes if not (page.y0 <= box.y0 and box.y1 <= page.y1)] == []
    overlaps = [
        (one, other)
        for (one, box), (other, another) in combinations(boxes, 2)
        if box.padded(-1.2).overlaps(another.padded(-1.2))
    ]
    assert overlaps == []
    sizes = [text.get_fontsize() for axes in figure.axes for text in axes.texts]
    assert min(sizes) >= SMALLEST


def contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Return the contrast of two colours as WCAG 2.1 defines it."""

    def luminance(colour: tuple[float, ...]) -> float:
        rgb = np.array(colour[:3])
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    darker, lighter = sorted([luminance(one), luminance(other)])
    return (lighter + 0.05) / (darker + 0.05)


# The weather map


def test_every_ce_is_written_in_the_map_and_mce_beside_it() -> None:
    ce = ce_of(("original", "int8"), ("fog", "snow"))
    texts = texts_of(map_of(ce))
    assert [text for text in texts if text.replace(".", "").isdigit() and len(text) > 1] == [
        *("81", "80", "104.2", "83", "82", "104.2"),
    ]


def test_what_is_not_known_is_hatched_and_never_nought() -> None:
    ce = ce_of()
    ce.iloc[2, 3] = np.nan
    ce.iloc[5] = np.nan
    figure = map_of(ce)
    assert texts_of(figure).count("–") == 16
    assert hatched(figure) == 17  # and one in the key
    assert not {"0", "nan"} & set(texts_of(figure))
    assert hatched(map_of(ce_of())) == 0


def test_corruptions_of_a_family_stand_together_under_its_name() -> None:
    families = {**STANDARD_FAMILIES, "mine": "noise"}
    figure = map_of(
        ce_of(("original",), ("mine", "fog", "jpeg_compression", "shot_noise", "other")), 100, families
    )
    heads = [text.get_text() for text in figure.axes[0].texts if text.get_rotation() == 90]
    assert heads == ["shot noise", "mine", "fog", "jpeg compression", "other"]
    assert {"noise", "weather", "digital", "other"} <= set(texts_of(figure))


def test_colours_do_not_change_beyond_their_limits() -> None:
    low, high = LIMITS
    ce = pd.DataFrame([[low - 20, low, 100, high, high + 999]], index=["int8"], columns=list("abcde"))
    filled = map_of(ce, 100, {}).axes[0].collections[0].get_facecolor()
    assert (filled[0] == filled[1]).all()
    assert (filled[3] == filled[4]).all()
    assert min(filled[2][:3]) > 0.95


@given(st.floats(0, 1))
def test_figures_stay_readable_on_every_colour(share: float) -> None:
    colour = colormaps["RdBu_r"](share)
    ink = {"black": (0.0, 0.0, 0.0), "white": (1.0, 1.0, 1.0)}[readable(colour)]
    assert contrast(colour, ink) > 4.5


@pytest.mark.parametrize(
    ("techniques", "corruptions"),
    [
        (tuple(TECHNIQUES), STANDARD_CORRUPTIONS),
        (tuple(TECHNIQUES), (*STANDARD_CORRUPTIONS, "speckle_noise", "saturate", LONG, UNBROKEN)),
        (("pcqat_int8",), ("fog",)),
        (("original", LONG, UNBROKEN), (LONG, UNBROKEN)),
    ],
)
def test_a_map_is_legible(techniques, corruptions) -> None:
    ce = ce_of(techniques, corruptions)
    ce.iloc[0, 0] = np.nan
    assert_legible(map_of(ce, title=TITLE))


def test_a_map_of_the_standard_corruptions_fits_into_a_column() -> None:
    assert map_of(ce_of()).get_size_inches()[0] == pytest.approx(COLUMN)


def test_a_long_figure_is_smaller_so_that_it_stays_in_its_cell() -> None:
    figure = map_of(ce_of(("int8",), ("fog",)) * 1000)
    [text] = [text for text in figure.axes[0].texts if text.get_text() == "80000"]
    assert text_width("80000", text.get_fontsize()) < 11.5


# The severity curves


def test_each_corruption_has_a_panel() -> None:
    figure = draw_severity_curves(cells_of(["original", "int8"]), ["int8"], STANDARD_FAMILIES, "d, m")
    shown = [name.replace("_", " ") for name in STANDARD_CORRUPTIONS]
    assert [text for text in texts_of(figure) if text in shown] == shown


def test_variants_differ_in_more_than_their_colours() -> None:
    few = ["int8", "pruned", "clustered", "qat", "pqat"]
    figure = draw_severity_curves(cells_of(["original", *few], ["fog"]), few, STANDARD_FAMILIES, "d, m")
    curves = figure.axes[0].lines[: len(few) + 1]
    assert len({line.get_color() for line in curves}) == len(curves)
    assert len({line.get_marker() for line in curves}) == len(curves)
    assert len({str(line._dash_pattern) for line in curves}) == len(curves)


def test_curves_and_bands_are_interrupted_where_a_severity_is_missing() -> None:
    cells = cells_of(["original", "int8"], ["fog"])
    gap = (cells["technique"] == "original") & (cells["severity"] == 3)
    figure = draw_severity_curves(cells[~gap], ["int8"], STANDARD_FAMILIES, "d, m")
    curve = figure.axes[0].lines[0]
    assert np.isnan(np.asarray(curve.get_ydata(), float)).tolist() == [False] * 2 + [True] + [False] * 2
    bands = [one for one in figure.axes[0].collections if isinstance(one, PolyCollection)]
    assert [len(one.get_paths()) for one in bands] == [2, 1]


def test_a_severity_between_two_that_are_missing_is_seen() -> None:
    cells = cells_of(["original"], ["fog"], (1, 2, 3))
    few = cells[cells["severity"] != 2]
    other = cells_of(["int8"], ["fog"], (1, 2, 3))
    figure = draw_severity_curves(pd.concat([few, other]), ["int8"], STANDARD_FAMILIES, "d, m")
    assert figure.axes[0].lines[0].get_marker() == "."


@pytest.mark.parametrize(
    ("few", "corruptions", "severities"),
    [
        (["int8", "sparse_clustered_int8"], (*STANDARD_CORRUPTIONS, LONG, UNBROKEN), (1, 2, 3, 4, 5)),
        ([], ("fog",), (3,)),
        ([LONG, UNBROKEN], ("fog", "snow"), (1, 5)),
    ],
)
def test_curves_are_legible(few, corruptions, severities) -> None:
    cells = cells_of(["original", *few], corruptions, severities)
    figure = draw_severity_curves(cells, few, STANDARD_FAMILIES, TITLE)
    assert_legible(figure)
    assert figure.get_size_inches()[0] == pytest.approx(COLUMN)


def test_curves_need_no_intervals() -> None:
    cells = cells_of(["original"], ["fog"]).assign(error_low=np.nan, error_high=np.nan)
    assert_legible(draw_severity_curves(cells, [], STANDARD_FAMILIES, "d, m"))


def test_pareto_optimal_variants_are_worth_drawing_in_their_order() -> None:
    rows = summary_of(16).assign(pareto_probability=np.nan)
    rows["pareto"] = rows["technique"].isin(["original", "pqat", "int8"])
    assert worth_drawing(rows) == ["int8", "pqat"]


def test_of_many_optimal_variants_the_surest_are_worth_drawing() -> None:
    rows = summary_of(16).assign(pareto=True, pareto_probability=np.linspace(0, 1, 16))
    assert worth_drawing(rows) == list(ORIGINAL_STUDY)[-MOST_VARIANTS:]


def test_where_none_is_optimal_the_most_robust_are_worth_drawing() -> None:
    rows = summary_of(16).assign(pareto=pd.NA, pareto_probability=np.nan).astype({"pareto": "boolean"})
    best = rows[rows["technique"] != "original"].nsmallest(MOST_VARIANTS, "mce")
    assert set(worth_drawing(rows)) == set(best["technique"])


# Latency


def test_latencies_are_told_in_milliseconds() -> None:
    texts = texts_of(draw_latency(latency_of(("original", "int8")), "d"))
    assert {"1.10", "1.43", "milliseconds"} <= set(texts)


def test_a_variant_without_latency_has_a_row_without_figures() -> None:
    latency = latency_of(("original", "int8"), ("a", "b")).drop(index=3)
    texts = texts_of(draw_latency(latency, "d"))
    assert texts.count("1.10") == 2
    assert texts.count("1.43") == 1


@pytest.mark.parametrize(
    ("techniques", "models"),
    [
        (tuple(TECHNIQUES), ("mobilenet_v2", "resnet50", "vgg19")),
        (("original", LONG, UNBROKEN), (LONG, UNBROKEN)),
        (("original",), ("m",)),
    ],
)
def test_latencies_are_legible(techniques, models) -> None:
    assert_legible(draw_latency(latency_of(techniques, models), TITLE))


def test_equal_latencies_are_drawn() -> None:
    assert_legible(draw_latency(latency_of(("original", "int8")).assign(median_s=1.0, p90_s=1.0), "d"))


# The Pareto plot in a column


def test_the_pareto_plot_has_a_variant_for_a_column() -> None:
    figure = draw_pareto(summary_of(16, models=3), NARROW)
    assert figure.get_size_inches()[0] == COLUMN
    numbers = [(text, box) for text, box in boxes_of(figure) if text in map(str, range(1, 17))]
    overlaps = [
        (one, other)
        for (one, box), (other, another) in combinations(numbers, 2)
        if box.padded(-1.5).overlaps(another.padded(-1.5))
    ]
    assert overlaps == []


def test_long_names_do_not_push_the_pareto_plot_out_of_its_column() -> None:
    summary = summary_of(3).assign(model=LONG, dataset=UNBROKEN)
    axes = draw_pareto(summary, NARROW).axes[0]
    legend, figure = axes.get_legend(), axes.get_figure()
    assert legend is not None
    assert figure is not None
    assert legend.get_window_extent().x1 < figure.bbox.x1
    assert axes.get_window_extent().width > 0.7 * figure.bbox.width


# What they share


def test_a_title_is_said_once_for_a_network_and_its_int8_file() -> None:
    names = RowNames(["original", "pruned", "pruned_int8", "qat_int8"], 6, 100)
    assert names.lines == [["Original"], ["Pruning"], ["+ Int8"], ["QAT + Int8"]]


def test_where_a_title_does_not_fit_the_name_stands_in_its_place() -> None:
    assert RowNames(["sparse_clustered"], 6, 50).lines == [["sparse", "clustered"]]
    assert RowNames(["sparse_clustered"], 6, 200).lines == [["Sparsity-preserving clustering"]]


def test_shortened_names_keep_their_ends() -> None:
    short = shortened(LONG, 6, 100)
    assert short.startswith("a_name")
    assert short.endswith("width")
    assert text_width(short, 6) <= 100
    assert shortened("fog", 6, 100) == "fog"


@given(st.text("ab -_", max_size=30), st.floats(5, 60))
def test_wrapping_loses_nothing_but_blanks(text: str, width: float) -> None:
    assert "".join(wrapped(text, 6, width)).replace(" ", "") == text.replace(" ", "")


def test_bold_text_is_wider() -> None:
    assert text_width("word", 6, "bold") > text_width("word", 6)


def test_standard_families_are_those_of_the_corruptions() -> None:
    assert {name: CORRUPTIONS[name].family for name in STANDARD_FAMILIES} == dict(STANDARD_FAMILIES)


def test_corruptions_stand_in_the_order_of_the_standard_benchmark_others_after_them() -> None:
    assert corruptions_in_order({"zeta", *STANDARD_CORRUPTIONS}) == [*STANDARD_CORRUPTIONS, "zeta"]
    own = corruptions_in_order(["alpha", "fog", "speckle"], {"speckle": "noise", "fog": "weather"})
    assert own == ["speckle", "fog", "alpha"]


# Files


def write(report: Report, out: Path) -> dict[str, set[str]]:
    """Write the figures of a report with a Pareto plot of no content; return the kinds of each by name."""
    kinds = KINDS if report.with_paper else ("png", "svg")
    written: dict[str, set[str]] = {}
    for path in write_pictures(report, out, dict.fromkeys(kinds, b"pareto")):
        written.setdefault(path.stem, set()).add(path.suffix.removeprefix("."))
    return written


def test_with_the_paper_every_figure_is_written_in_every_kind(tmp_path: Path) -> None:
    written = write(report_of(run(("fog", "snow"))), tmp_path)
    assert set(written) == {"pareto", "weather-map-d-m", "severity-curves-d-m", "latency-d"}
    assert all(kinds == set(KINDS) for kinds in written.values())
    assert (tmp_path / "latency-d.pdf").read_bytes().startswith(b"%PDF")
    assert (tmp_path / "weather-map-d-m.png").read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in (tmp_path / "severity-curves-d-m.svg").read_bytes()


def test_where_there_is_an_mce_there_is_a_pareto_plot_for_a_column(tmp_path: Path) -> None:
    assert "pareto-column" in write(report_of(run()), tmp_path)


def test_without_the_paper_there_are_maps_alone_and_older_files_are_removed(tmp_path: Path) -> None:
    whole = report_of(run(("fog",)))
    write(whole, tmp_path)
    (tmp_path / "mine.pdf").write_text("mine")
    brief = report_of(run(("fog",), models=("a", "b")), with_paper=False)
    written = write(brief, tmp_path)
    assert set(written) == {"pareto", "weather-map-d-a", "weather-map-d-b"}
    assert all(kinds == {"png", "svg"} for kinds in written.values())
    assert {path.name for path in tmp_path.iterdir()} == {
        *(f"{name}.{kind}" for name, kinds in written.items() for kind in kinds),
        "mine.pdf",
    }


def test_what_was_not_measured_has_no_figure(tmp_path: Path) -> None:
    kinds = ("accuracy", "claims")
    few = report_of([record for record in run(("fog",)) if record.case.kind in kinds])
    assert set(write(few, tmp_path)) == {"pareto"}


def test_variants_without_errors_are_not_worth_a_curve(tmp_path: Path) -> None:
    records = run(("fog",))
    few = [
        record
        for record in records
        if record.case.variant.technique == "pqat_int8" or record.case.kind in ("claims", "accuracy")
    ]
    assert "severity-curves-d-m" in write(report_of(few), tmp_path)


def test_a_corruption_that_nothing_was_measured_on_has_its_column(tmp_path: Path, monkeypatch) -> None:
    drawn = {}
    monkeypatch.setattr(
        "reporting.pictures.writing.draw_weather_map",
        lambda ce, *_: drawn.update(ce=ce) or Figure(),
    )
    records = run(("fog", "snow"))
    left = [record for record in records if record.case.corruption != "snow"]
    write(report_of(left, [record.case for record in records], with_paper=False), tmp_path)
    assert drawn["ce"]["snow"].isna().all()
    assert drawn["ce"]["fog"].notna().all()
