"""A run beside a baseline: which cells are compared, when that is refused, and what comes out."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_runs import entries_of, header_of, record_of

from benchmarks.cases import STANDARD_CORRUPTIONS, Case, Variant
from benchmarks.schema import Suite
from reporting.exit_codes import ExitCode
from reporting.journal import Entry, Recording
from reporting.regression.baseline import Snapshot, snapshot_of
from reporting.regression.comparing import Compared, ComparisonError, check_beforehand, compare
from reporting.regression.shown import render_markdown, render_terminal, worst_cells

ORIGINAL, INT8 = Variant("d", "m", "original"), Variant("d", "m", "int8")
SMALL = ("fog", "snow")
IMAGES = 2000


def cases_of(corruptions: Collection[str], variants: Sequence[Variant] = (ORIGINAL, INT8)) -> list[Case]:
    return [
        case
        for variant in variants
        for case in (
            Case(variant, "accuracy"),
            *(Case(variant, "robustness", name, "any") for name in corruptions),
        )
    ]


def recording_of(
    corruptions: Collection[str] = SMALL,
    *,
    worse: Collection[Variant] = (),
    by: float = 0.05,
    images: int = IMAGES,
    select: Collection[str] | None = None,
    sections: dict[str, Any] | None = None,
    corruption: dict[str, object] | None = None,
    **identity: object,
) -> Recording:
    """Return a run in which the variants ``worse`` err on a further share ``by`` of the images.

    ``corruption`` and ``identity`` are otherwise in the identity of its images.
    """
    rng = np.random.default_rng(0)
    cases = cases_of(corruptions)
    records = []
    for case in cases:
        drawn = rng.random((2 if case.corruption else 1, images))
        rate = 0.3 + (by if case.variant in worse else 0)
        known = {"name": case.corruption, "revision": 1, "scale": "cifar", **(corruption or {})}
        own = {**identity, **({"corruption": known} if case.corruption else {})}
        records.append(record_of(case, drawn < rate, **own))
    header = header_of(cases, (1, 2), **(sections or {}))
    if select is not None:
        header = dataclasses.replace(header, selected=tuple(select))
    return Recording(header, {entry.case: entry for entry in entries_of(records)}, True)


def run_of(corruptions: Collection[str] = SMALL, **options: Any) -> Snapshot:
    return snapshot_of(recording_of(corruptions, **options))


def verdicts(compared: Compared) -> dict[str, str]:
    return dict(zip(compared.variants["technique"], compared.variants["verdict"], strict=True))


@pytest.mark.parametrize(("images", "expected"), [(IMAGES, "same"), (50, "not enough data")])
def test_a_run_compared_with_itself_is_the_same_as_far_as_its_images_show(images: int, expected: str) -> None:
    run = run_of(images=images)
    compared = compare(run, run)
    assert set(compared.cells["verdict"]) == set(compared.variants["verdict"]) == {expected}
    assert compared.verdict == expected
    assert compared.exit_code == ExitCode.KEPT


@settings(max_examples=20)
@given(st.integers(1, 300), st.floats(0, 1), st.integers(0, 2**32 - 1))
def test_a_run_compared_with_itself_never_fails(images: int, rate: float, seed: int) -> None:
    wrong = np.random.default_rng(seed).random((2, images)) < rate
    case = Case(INT8, "robustness", "fog", "any")
    recording = Recording(
        header_of([case], (1, 2)), {e.case: e for e in entries_of([record_of(case, wrong)])}, True
    )
    run = snapshot_of(recording)
    assert compare(run, run).exit_code == ExitCode.KEPT


def test_a_damaged_variant_is_caught_and_the_other_is_not() -> None:
    compared = compare(run_of(), run_of(worse=[INT8]))
    assert verdicts(compared) == {"original": "same", "int8": "worse"}
    assert (compared.verdict, compared.exit_code) == ("worse", ExitCode.BROKEN)
    worst = worst_cells(compared.cells)
    assert set(worst["technique"]) == {"int8"}
    cell = worst.iloc[0]
    assert cell["difference"] == (cell["only_current"] - cell["only_baseline"]) / IMAGES
    assert cell["low"] < cell["difference"] < cell["high"]


def test_a_mended_variant_is_better() -> None:
    compared = compare(run_of(worse=[INT8]), run_of())
    assert verdicts(compared) == {"original": "same", "int8": "better"}
    assert (compared.verdict, compared.exit_code) == ("better", ExitCode.KEPT)


def test_a_rise_that_the_suite_does_not_mind_is_no_regression() -> None:
    patient = run_of(worse=[INT8], sections={"gate": {"least_effect": 10}})
    assert compare(run_of(), patient).exit_code == ExitCode.KEPT


def test_the_correction_is_the_suites() -> None:
    p = {
        correction: compare(
            run_of(), run_of(worse=[INT8], by=0.01, sections={"gate": {"correction": correction}})
        ).cells["p_adjusted"]
        for correction in ("bh", "by")
    }
    assert (p["by"] >= p["bh"]).all()
    assert (p["by"] > p["bh"]).any()


def test_mce_is_compared_where_all_fifteen_corruptions_are_measured() -> None:
    compared = compare(run_of(STANDARD_CORRUPTIONS), run_of(STANDARD_CORRUPTIONS, worse=[INT8], by=0.03))
    original, int8 = compared.variants.to_dict("records")
    assert original["mce_difference"] == 0
    assert int8["mce_difference"] == pytest.approx(10, abs=0.5)
    assert int8["mce_low"] < int8["mce_difference"] < int8["mce_high"]
    assert int8["mce_verdict"] == "worse"
    assert compare(run_of(), run_of()).variants["mce_difference"].isna().all()


def test_an_original_that_got_worse_is_no_excuse_for_its_variants() -> None:
    compared = compare(
        run_of(STANDARD_CORRUPTIONS), run_of(STANDARD_CORRUPTIONS, worse=[ORIGINAL, INT8], by=0.03)
    )
    assert compared.variants["mce_difference"].tolist() == pytest.approx([10, 10], abs=0.5)


def test_a_variant_has_its_mce_though_its_original_was_not_selected() -> None:
    int8 = [str(case) for case in cases_of(STANDARD_CORRUPTIONS, [INT8])]
    compared = compare(run_of(STANDARD_CORRUPTIONS), run_of(STANDARD_CORRUPTIONS, select=int8))
    assert compared.variants["mce_verdict"].tolist() == ["same"]
    assert compared.left_out == 31


def test_only_what_the_run_selected_is_compared_and_the_rest_is_counted() -> None:
    compared = compare(run_of(), run_of(worse=[INT8], select=["d-m-original-fog", "d-m-original-clean"]))
    assert compared.cells["corruption"].tolist() == ["clean", "fog", "fog"]
    assert compared.left_out == 7
    assert compared.exit_code == ExitCode.KEPT
    assert "Left out: 7 cells of the baseline" in render_terminal(compared)


def test_a_cell_that_the_suite_no_longer_has_is_missing() -> None:
    compared = compare(run_of(), run_of(["fog"]))
    gone = compared.cells[compared.cells["corruption"] == "snow"]
    assert set(gone["verdict"]) == {"missing"}
    assert set(gone["reason"]) == {"no longer in the suite"}
    assert compared.exit_code == ExitCode.UNKNOWN
    assert "no longer in the suite: snow 1–2" in render_terminal(compared)


def test_a_cell_that_the_baseline_does_not_have_is_missing() -> None:
    compared = compare(run_of(["fog"]), run_of())
    assert set(compared.cells.loc[compared.cells["verdict"] == "missing", "corruption"]) == {"snow"}
    assert compared.exit_code == ExitCode.UNKNOWN


def test_a_case_that_ended_in_an_error_is_missing_and_never_passes() -> None:
    recording = recording_of()
    crashed = {**recording.entries, "d-m-int8-fog": Entry("d-m-int8-fog", "error", "crashed")}
    compared = compare(run_of(), snapshot_of(dataclasses.replace(recording, entries=crashed)))
    assert verdicts(compared) == {"original": "same", "int8": "missing"}
    assert compared.exit_code == ExitCode.UNKNOWN
    assert "not measured in this run, image by image: fog 1–2" in render_terminal(compared)


def test_a_regression_stays_one_beside_cells_that_are_missing() -> None:
    compared = compare(run_of(), run_of(["fog"], worse=[INT8]))
    assert (compared.verdict, compared.exit_code) == ("worse", ExitCode.BROKEN)


def test_a_run_without_a_cell_is_empty_and_never_passes() -> None:
    compared = compare(run_of(), run_of(select=["d-m-int8-claims"]))
    assert compared.cells.empty
    assert (compared.verdict, compared.exit_code) == ("missing", ExitCode.NOTHING_MEASURED)
    assert "no cell was selected" in render_terminal(compared)


def test_not_enough_data_fails_a_strict_suite_alone() -> None:
    run = run_of(images=50)
    assert compare(run, run).exit_code == ExitCode.KEPT
    strict = dataclasses.replace(run, strict=True)
    assert compare(run, strict).exit_code == ExitCode.BROKEN
    assert "fails the gate (thresholds.strict)" in render_terminal(compare(run, strict))


@pytest.mark.parametrize(
    ("identity", "reason"),
    [
        (
            {"test": "xyz"},
            "the data set (digest of its test images) is xyz in this run and abc in the baseline",
        ),
        ({"test_images": 9}, "the sample of images (data.test_images) is 9 in this run and 2000 in the"),
        ({"seed": 2}, "the seed is 2 in this run and 1 in the baseline (d: clean, fog, snow)"),
        ({"corruption": {"revision": 2}}, "the revision of the corruption's code is 2 in"),
        ({"corruption": {"scale": "imagenet"}}, "(corruptions.scale) is imagenet in this run"),
        ({"corruption": {"libraries": {"numpy": "9"}}}, "the version of numpy is 9 in this run and not told"),
        ({"corruption": {"published": "ab" * 32}}, "the published files (digest) is abababababab... in this"),
    ],
)
def test_other_images_are_refused_with_the_reason(identity: dict[str, object], reason: str) -> None:
    with pytest.raises(ComparisonError) as caught:
        compare(run_of(), run_of(**identity))
    assert reason in str(caught.value)
    assert "--save-baseline" in str(caught.value)


def test_another_number_of_images_is_refused() -> None:
    with pytest.raises(
        ComparisonError, match="the number of images is 60 in this run and 50 in the baseline"
    ):
        compare(run_of(images=50, test_images=1), run_of(images=60, test_images=1))


def test_all_corruptions_that_differ_are_named_together() -> None:
    with pytest.raises(ComparisonError) as caught:
        compare(run_of(), run_of(corruption={"revision": 2}))
    assert str(caught.value).count("the revision of the corruption's code") == 1
    assert "(d: fog, snow)" in str(caught.value)


def test_a_corruption_that_was_not_selected_may_differ() -> None:
    clean = run_of(select=["d-m-original-clean"], corruption={"revision": 2})
    assert compare(run_of(), clean).exit_code == ExitCode.KEPT


def test_a_baseline_of_another_suite_is_refused_by_what_both_have() -> None:
    stranger = dataclasses.replace(
        run_of(),
        suite="other",
        cells=tuple(
            cell._replace(variant=dataclasses.replace(cell.variant, model="n")) for cell in run_of().cells
        ),
    )
    with pytest.raises(ComparisonError, match=r"suite made: d-m\), got one of suite other .* \(d-n\)"):
        compare(stranger, run_of())


def planned(**sections: Any) -> tuple[Snapshot, Suite]:
    header = header_of(cases_of(SMALL), (1, 2), **sections)
    return snapshot_of(Recording(header, {}, False)), header.suite


def test_what_the_settings_show_is_refused_before_the_run() -> None:
    data = {"datasets": ["d"], "test_images": IMAGES}
    check_beforehand(run_of(), *planned(seed=1, data=data))
    with pytest.raises(ComparisonError, match="the seed is 2 in this run and 1 in the baseline"):
        check_beforehand(run_of(), *planned(seed=2, data=data))
    corruptions = {"names": list(SMALL), "severities": [1, 2], "scale": "imagenet"}
    with pytest.raises(ComparisonError, match=r"scale \(corruptions.scale\) is imagenet"):
        check_beforehand(run_of(), *planned(seed=1, data=data, corruptions=corruptions))
    check_beforehand(
        run_of(), *planned(seed=1, data=data, corruptions={**corruptions, "source": "published"})
    )


def test_verdicts_do_not_depend_on_the_order_of_the_variants() -> None:
    def turned(run: Snapshot) -> Snapshot:
        arrays = {
            name: getattr(run, name)[::-1] for name in ("cells", "selected", "image_set", "images", "wrong")
        }
        return dataclasses.replace(run, **arrays)

    before, after = run_of(), run_of(worse=[INT8], by=0.02)
    once, again = compare(before, after), compare(turned(before), turned(after))
    assert verdicts(once) == verdicts(again)
    assert once.cells["p_adjusted"].tolist() == again.cells["p_adjusted"].tolist()[::-1]


def test_the_document_says_the_same_as_the_terminal() -> None:
    compared = compare(run_of(), run_of(worse=[INT8]))
    for text in (render_terminal(compared), render_markdown(compared)):
        assert "Worst cells" in text
        assert "every variant beside the baseline" in text
        assert max(map(len, render_terminal(compared).splitlines())) <= 120
