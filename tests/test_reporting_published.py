"""A run beside published results: every difference, the agreement in rank, and what only one side has."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from benchmarks.cases import STANDARD_CORRUPTIONS
from benchmarks.techniques import TECHNIQUES
from reporting.__main__ import main
from reporting.frames import CELLS, LATENCY, SIZES, frame
from reporting.published import Comparison, compare, render_markdown, write_comparison
from reporting.recorded import InputError
from reporting.report import Report

#: Error under every corruption, by technique; the clean error is half of it.
ERRORS = {"original": 0.2, "pruned": 0.25, "clustered": 0.16, "qat": 0.15}
OTHERS = {"original": 0.4, "pruned": 0.44, "clustered": 0.36, "qat": 0.48}


def report_of(models: dict[str, dict[str, float]], severities=(1, 2), images=None, **options) -> Report:
    cells, sizes = [], []
    for model, errors in models.items():
        for technique, error in errors.items():
            variant = {"dataset": "d", "model": model, "technique": technique}
            places = [(name, level) for name in STANDARD_CORRUPTIONS for level in severities]
            cells.append(variant | {"corruption": "clean", "severity": 0, "error": error / 2})
            cells += [variant | {"corruption": c, "severity": level, "error": error} for c, level in places]
            sizes.append(variant | {"zipped_bytes": 1000 // TECHNIQUES[technique].code})
    table = frame(cells, CELLS).assign(images=pd.array([images] * len(cells), dtype="Int64"))
    return Report.of_recorded(table, frame(sizes, SIZES), frame([], LATENCY), **options)


def compared(ours: dict = ERRORS, theirs: dict = OTHERS) -> Comparison:
    return compare(report_of({"m": ours}), report_of({"m": theirs}))


def text_of(comparison: Comparison) -> str:
    return " ".join(render_markdown(comparison).split())


def test_every_figure_has_its_difference() -> None:
    rows = compared().variants.set_index("technique")
    assert list(rows.index) == ["original", "pruned", "clustered", "qat"]
    assert rows["accuracy_difference"].tolist() == pytest.approx([0.1, 0.095, 0.1, 0.165])
    assert rows.loc["pruned", ["mce", "mce_published", "mce_difference"]].tolist() == pytest.approx(
        [125, 110, 15]
    )
    assert rows["compression_ratio_difference"].tolist() == [0] * 4


def test_the_table_shows_both_and_the_signed_difference() -> None:
    text = text_of(compared())
    assert "| 3 | Pruning | 87.50 | 78.00 | +9.50 | 125.0 | 110.0 | +15.0 |" in text
    assert "| 9 | QAT | 92.50 | 76.00 | +16.50 | 75.0 | 120.0 | -45.0 |" in text
    assert "| 1 | Original | 90.00 | 80.00 | +10.00 | 100.0 | 100.0 | 0.0 | 1.00 | 1.00 | 0.00 |" in text


def test_a_figure_that_one_side_has_not_is_absent_from_the_difference() -> None:
    run, published = report_of({"m": ERRORS}), report_of({"m": OTHERS})
    without = Report.of_recorded(published.cells, frame([], SIZES), frame([], LATENCY))
    rows = compare(run, without).variants
    assert rows["compression_ratio_difference"].isna().all()
    assert "| 4" not in text_of(compare(run, without))
    assert "| – | – |" in text_of(compare(run, without))


def test_rank_agreement_is_spearmans_over_the_compressed_techniques() -> None:
    [row] = compared().rank_correlations.to_dict("records")
    # mCE ranks pruned 3, clustered 2, qat 1 in the run; 2, 1, 3 in the published results: 1 - 6 * 6 / (3 * 8)
    assert row["mce"] == pytest.approx(-0.5)
    assert row["compression_ratio"] == pytest.approx(1)


@pytest.mark.parametrize(
    "ours",
    [{"original": 0.2, "pruned": 0.1, "qat": 0.3}, dict.fromkeys(ERRORS, 0.2)],
    ids=["two-techniques", "all-equal"],
)
def test_no_order_has_no_rank_correlation(ours: dict[str, float]) -> None:
    assert compared(ours).rank_correlations["mce"].isna().all()


def test_it_says_which_techniques_are_as_robust_as_the_original_on_which_side() -> None:
    text = text_of(compared())
    assert "d, m: mCE is 100 or less of #5 in both, of #9 in the run alone, of #3 in neither." in text


def test_what_only_one_side_has_is_listed() -> None:
    run = report_of({"m": ERRORS, "mine": {"original": 0.1, "int8": 0.2}})
    theirs = {name: error for name, error in OTHERS.items() if name != "qat"}
    text = text_of(compare(run, report_of({"m": theirs, "vgg19": OTHERS})))
    assert "| d-mine #1–2 | the run |" in text
    assert "| d-m #9 | the run |" in text
    assert "| d-vgg19 #1, 3, 5, 9 | the published results |" in text


def test_nothing_in_common_is_refused_with_the_names_of_both() -> None:
    with pytest.raises(InputError, match=r"in common, got d-vgg6 in the run and d-vgg19 in the published"):
        compare(report_of({"vgg6": ERRORS}), report_of({"vgg19": ERRORS}))


def test_means_are_over_the_models_that_both_have() -> None:
    run = report_of({"a": ERRORS, "b": OTHERS, "mine": ERRORS})
    comparison = compare(run, report_of({"a": OTHERS, "b": OTHERS}))
    rows = comparison.means.set_index("technique")
    assert rows.loc["pruned", "mce"] == pytest.approx((125 + 110) / 2)
    assert rows.loc["pruned", "mce_published"] == pytest.approx(110)
    assert "d: means over a, b" in text_of(comparison)


def test_a_mean_over_fewer_models_than_the_others_is_absent() -> None:
    fewer = {name: error for name, error in ERRORS.items() if name != "qat"}
    comparison = compare(report_of({"a": ERRORS, "b": fewer}), report_of({"a": OTHERS, "b": OTHERS}))
    assert comparison.means.set_index("technique")["mce"].isna().to_dict() == {
        "original": False,
        "pruned": False,
        "clustered": False,
        "qat": True,
    }


def test_one_model_has_no_mean() -> None:
    assert compared().means.empty
    assert "means" not in text_of(compared())


def test_other_severities_are_told() -> None:
    comparison = compare(report_of({"m": ERRORS}, severities=(1, 3, 5)), report_of({"m": OTHERS}))
    assert "d: the run measured severities 1, 3, 5, the published results have 1–2" in text_of(comparison)
    assert "severities" not in text_of(compared())


def test_it_says_how_many_images_were_measured() -> None:
    comparison = compare(report_of({"m": ERRORS}, images=500), report_of({"m": OTHERS}))
    assert "The run measured 500 images a cell." in text_of(comparison)
    assert "images a cell" not in text_of(compared())


def test_a_comparison_is_the_same_files_for_the_same_results(tmp_path: Path) -> None:
    first, second = (write_comparison(compared(), tmp_path / name) for name in "ab")
    assert [path.name for path in first] == ["comparison.md", "comparison.csv"]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_the_command_compares_the_folder_of_a_report(tmp_path: Path, capsys) -> None:
    sides = {"report": report_of({"m": ERRORS}), "published": report_of({"m": OTHERS})}
    for name, report in sides.items():
        (tmp_path / name).mkdir()
        report.cells.to_csv(tmp_path / name / "results.csv", index=False)
        report.summary.to_csv(tmp_path / name / "summary.csv", index=False)
    theirs = tmp_path / "published"
    arguments = [tmp_path / "report", theirs / "results.csv", "--sizes", theirs / "summary.csv"]
    assert main(["published", *map(str, arguments), "--out", str(tmp_path / "out")]) == 0
    assert "Pruning" in capsys.readouterr().out
    written = pd.read_csv(tmp_path / "out" / "comparison.csv").set_index("technique")
    assert written.loc["pruned", "mce_difference"] == pytest.approx(15)


def test_a_folder_that_is_no_report_ends_with_a_message(tmp_path: Path, capsys) -> None:
    arguments = ["published", str(tmp_path), "errors.csv", "--out", str(tmp_path / "out")]
    assert main(arguments) == 2
    assert "results.csv" in capsys.readouterr().err
