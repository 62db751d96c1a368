"""What a report cannot say, and why: cells that were expected and did not come, metrics that are absent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from benchmarks.cases import STANDARD_CORRUPTIONS, Case
from reporting.frames import CLEAN, EXPECTED, VARIANT, frame, identity
from reporting.metrics import BASELINE


def cells_of(case: Case, severities: Sequence[int]) -> list[tuple[str, int]]:
    """Return (corruption, severity) of each cell that ``case`` measures; there are none of some kinds."""
    if case.kind == "accuracy":
        return [(CLEAN, 0)]
    return [(case.corruption, level) for level in severities] if case.corruption else []


def expected_cells(cases: Iterable[Case], severities: Sequence[int]) -> pd.DataFrame:
    """Return the cells that ``cases`` measure when each corruption has these ``severities``."""
    rows = [
        identity(case.variant) | {"corruption": corruption, "severity": level}
        for case in cases
        for corruption, level in cells_of(case, severities)
    ]
    return frame(rows, EXPECTED).drop_duplicates(ignore_index=True)


def full_grid(cells: pd.DataFrame) -> pd.DataFrame:
    """Return every image set that any variant of a data set was measured on, for each of its variants.

    This is what can be expected of recorded results that do not tell which cases the run consisted of.
    """
    variants = cells[VARIANT].drop_duplicates()
    image_sets = cells[["dataset", "corruption", "severity"]].drop_duplicates()
    return variants.merge(image_sets, on="dataset")[list(EXPECTED)].reset_index(drop=True)


def missing_cells(cells: pd.DataFrame, expected: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of ``expected`` (types ``EXPECTED``) that ``cells`` has no error rate for."""
    keys = list(EXPECTED)
    measured = pd.MultiIndex.from_frame(cells.loc[cells["error"].notna(), keys])
    wanted = pd.MultiIndex.from_frame(expected[keys])
    return expected.loc[~wanted.isin(measured), keys].reset_index(drop=True)


def absent_metrics(cells: pd.DataFrame, summary: pd.DataFrame) -> pd.DataFrame:
    """Return why accuracy, mCE or compression ratio of a variant are absent from ``summary``.

    ``cells`` and ``summary`` are what :func:`reporting.metrics.summarise` took and gave.  Columns: dataset,
    model, technique, metric (as people write it), reason.
    """
    severities = _severities(cells)
    zipped = summary.set_index(VARIANT)["zipped_bytes"].dropna()
    rows = []
    for row in summary.to_dict("records"):
        variant = (row["dataset"], row["model"], row["technique"])
        original = (row["dataset"], row["model"], BASELINE)
        reasons = {}
        if pd.isna(row["accuracy"]):
            reasons["accuracy"] = "the clean images were not recorded"
        if pd.isna(row["mce"]):
            reasons["mCE"] = _why_no_mce(severities.get(variant, {}), severities.get(original, {}))
        if pd.isna(row["compression_ratio"]):
            whose = "its size" if variant not in zipped.index else "the size of its original"
            reasons["compression ratio"] = f"{whose} was not recorded"
        identity_ = dict(zip(VARIANT, variant, strict=True))
        rows += [identity_ | {"metric": metric, "reason": reason} for metric, reason in reasons.items()]
    return pd.DataFrame(rows, columns=[*VARIANT, "metric", "reason"])


_Severities = dict[str, set[int]]


def _severities(cells: pd.DataFrame) -> dict[tuple[str, ...], _Severities]:
    """Return the measured severities of each standard corruption, by variant."""
    measured: dict[tuple[str, ...], _Severities] = {}
    standard = cells[cells["corruption"].isin(STANDARD_CORRUPTIONS) & cells["error"].notna()]
    for cell in standard.to_dict("records"):
        variant = (cell["dataset"], cell["model"], cell["technique"])
        measured.setdefault(variant, {}).setdefault(cell["corruption"], set()).add(cell["severity"])
    return measured


def _why_no_mce(own: _Severities, original: _Severities) -> str:
    if len(own) < len(STANDARD_CORRUPTIONS):
        return f"{len(own)} of the {len(STANDARD_CORRUPTIONS)} standard corruptions were recorded"
    if not original:
        return "its original was not recorded"
    unlike = [name for name in STANDARD_CORRUPTIONS if own[name] != original.get(name)]
    if unlike:
        return f"its severities differ from its original's on {', '.join(unlike)}"
    if any(levels != own[STANDARD_CORRUPTIONS[0]] for levels in own.values()):
        return "the severities differ from corruption to corruption"
    return "its original makes no errors on some corruption"
