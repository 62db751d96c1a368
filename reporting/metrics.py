"""What the numbers of a report mean: every metric is defined here, once.

With ``E[f, c, s]`` the top-1 error of model ``f`` on corruption ``c`` at severity ``s``, and ``o`` the
uncompressed (original) model of the same architecture on the same data set:

    accuracy[f]          = 1 - E[f, clean]
    CE[f, c]             = 100 * sum_s E[f, c, s] / sum_s E[o, c, s]
    mCE[f]               = mean of CE[f, c] over the fifteen standard corruptions
    relative CE[f, c]    = 100 * sum_s (E[f, c, s] - E[f, clean]) / sum_s (E[o, c, s] - E[o, clean])
    relative mCE[f]      = mean of relative CE[f, c] over the fifteen standard corruptions
    compression ratio[f] = zipped bytes of o / zipped bytes of f

after Hendrycks and Dietterich, "Benchmarking Neural Network Robustness to Common Corruptions and
Perturbations" (2019), with the original in the place of AlexNet, as Castro et al. (2025) have it.

A metric that its data do not define is absent (``NaN``), never zero:

- CE needs the same severities of the variant and of its original, and an original that makes errors;
- relative CE also needs both clean errors, and a corruption that makes the original worse (a ratio to no
  loss, or to a gain, says nothing);
- the means need all fifteen corruptions, each with its CE and all at the same severities.  A mean over fewer
  corruptions is another number and has no name here; the CE per corruption says what is known.
"""

from __future__ import annotations

from typing import Literal

import pandas as pd

from benchmarks.cases import STANDARD_CORRUPTIONS
from benchmarks.techniques import TECHNIQUES
from reporting.frames import CLEAN, VARIANT
from reporting.pareto import pareto_optimal

#: The technique that every other one is compared with.
BASELINE = "original"

#: ``"unrounded"``, or ``"rounded"`` as the original study has it: each CE is rounded to an integer, and the
#: mean of these to one decimal.  Halves go to the even neighbour.
Convention = Literal["unrounded", "rounded"]

#: The columns of a summary.
SUMMARY = [
    "dataset",
    "model",
    "code",
    "technique",
    "accuracy",
    "mce",
    "relative_mce",
    "compression_ratio",
    "zipped_bytes",
    "file_bytes",
    "pareto",
]

#: An error rate is a whole number of images over at most millions of them; a smaller sum of differences of
#: error rates is zero, give or take the rounding of floating point.
_ZERO = 1e-9


def summarise(cells: pd.DataFrame, sizes: pd.DataFrame, convention: Convention = "unrounded") -> pd.DataFrame:
    """Return one row per variant, in the order of data set, model and technique number.

    ``cells`` and ``sizes`` are those of :mod:`reporting.frames`.  Columns: dataset, model, code, technique,
    accuracy (fraction), mce and relative_mce (per cent), compression_ratio, zipped_bytes, file_bytes, pareto
    (``boolean``, ``<NA>`` where not ranked).
    """
    errors = error_table(cells)
    comparable = same_severities(errors)
    metrics = {
        "accuracy": 1 - _clean(errors),
        "mce": _mean(corruption_errors(cells, convention), convention).where(comparable),
        "relative_mce": _mean(relative_corruption_errors(cells, convention), convention).where(comparable),
        "compression_ratio": compression_ratios(sizes),
        "zipped_bytes": sizes.set_index(VARIANT)["zipped_bytes"],
        "file_bytes": sizes.set_index(VARIANT)["file_bytes"],
    }
    variants = pd.concat([cells[VARIANT], sizes[VARIANT]]).drop_duplicates(ignore_index=True)
    index = pd.MultiIndex.from_frame(variants)
    codes = [TECHNIQUES[name].code if name in TECHNIQUES else pd.NA for name in variants["technique"]]
    variants["code"] = pd.array(codes, dtype="Int64")
    for name, values in metrics.items():
        variants[name] = values.reindex(index).array
    variants = variants.sort_values(["dataset", "model", "code", "technique"], ignore_index=True)
    return variants.assign(pareto=pareto_optimal(variants))[SUMMARY]


def corruption_errors(cells: pd.DataFrame, convention: Convention = "unrounded") -> pd.DataFrame:
    """Return CE in per cent of the original's error: a row per variant, a column per corruption."""
    return _percent_of_original(corrupted(error_table(cells)), convention)


def relative_corruption_errors(cells: pd.DataFrame, convention: Convention = "unrounded") -> pd.DataFrame:
    """Return relative CE, shaped as :func:`corruption_errors` does; negative where a corruption helped."""
    errors = error_table(cells)
    return _percent_of_original(corrupted(errors).sub(_clean(errors), axis="index"), convention)


def compression_ratios(sizes: pd.DataFrame) -> pd.Series[float]:
    """Return the compression ratio per variant."""
    zipped = sizes.set_index(VARIANT)[["zipped_bytes"]].astype("float64")
    return (of_original(zipped) / zipped)["zipped_bytes"].rename("compression_ratio")


def error_rises(cells: pd.DataFrame) -> pd.DataFrame:
    """Return what compression changed, image set by image set.

    One row per cell that the original was measured on too: dataset, model, technique, corruption, severity,
    error, original_error and rise (their difference; all three are fractions).
    """
    keys = ["dataset", "model", "corruption", "severity"]
    originals = cells[cells["technique"] == BASELINE].set_index(keys)["error"]
    table = cells.join(originals.rename("original_error"), on=keys)
    # Without the rounding errors of floating point, which would rank equal rises.
    table["rise"] = (table["error"] - table["original_error"]).round(9)
    columns = [*VARIANT, "corruption", "severity", "error", "original_error", "rise"]
    return table[columns].dropna().reset_index(drop=True)


def error_table(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the error rates with a row per variant and a column per (corruption, severity).

    Raises ``ValueError`` when ``cells`` has two rows for one image set of a variant.
    """
    keys = [*VARIANT, "corruption", "severity"]
    repeated = cells[cells.duplicated(keys)]
    if len(repeated):
        where = " ".join(str(repeated.iloc[0][key]) for key in keys)
        raise ValueError(
            f"expected one row per variant, corruption and severity, got several (cells: {where}), "
            f"because results were joined that overlap; try dropping all but one of each"
        )
    return cells.pivot(index=VARIANT, columns=["corruption", "severity"], values="error")


def corrupted(errors: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of :func:`error_table` that are not the clean images."""
    return errors.loc[:, errors.columns.get_level_values("corruption") != CLEAN]


def of_original(table: pd.DataFrame) -> pd.DataFrame:
    """Return ``table`` (indexed by variant) with each row replaced by that of the variant's original.

    Rows whose original is not in ``table`` are ``NaN``.
    """
    originals = table[table.index.get_level_values("technique") == BASELINE].droplevel("technique")
    pairs = pd.MultiIndex.from_arrays([table.index.get_level_values(name) for name in ("dataset", "model")])
    return originals.reindex(pairs).set_axis(table.index)


def same_severities(errors: pd.DataFrame) -> pd.Series[bool]:
    """Return for each variant whether it has all fifteen corruptions, at the same severities."""
    measured = corrupted(errors).notna().T.groupby(level=["corruption", "severity"]).any()
    standard = measured[measured.index.get_level_values("corruption").isin(STANDARD_CORRUPTIONS)]
    corruptions_at_severity = standard.groupby(level="severity").sum()
    return corruptions_at_severity.isin([0, len(STANDARD_CORRUPTIONS)]).all() & standard.any()


def _clean(errors: pd.DataFrame) -> pd.Series[float]:
    return errors.reindex(columns=pd.MultiIndex.from_tuples([(CLEAN, 0)])).iloc[:, 0]


def _percent_of_original(errors: pd.DataFrame, convention: Convention) -> pd.DataFrame:
    """Return ``100 * sum_s errors / sum_s errors of the original`` per variant and corruption."""
    originals = of_original(errors)
    comparable = _by_corruption(errors.notna() == originals.notna()).all().T
    total = _by_corruption(errors).sum(min_count=1).T
    original_total = _by_corruption(originals).sum(min_count=1).T
    percent = 100 * (total / original_total.where(original_total > _ZERO)).where(comparable)
    return percent.round() if convention == "rounded" else percent


def _by_corruption(table: pd.DataFrame) -> pd.api.typing.DataFrameGroupBy:
    return table.T.groupby(level="corruption")


def _mean(percent: pd.DataFrame, convention: Convention) -> pd.Series[float]:
    """Return the mean over the fifteen standard corruptions per variant."""
    means = percent.reindex(columns=list(STANDARD_CORRUPTIONS)).mean(axis=1, skipna=False)
    return means.round(1) if convention == "rounded" else means
