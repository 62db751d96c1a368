"""Which variants no other variant beats."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reporting.pareto import hypervolumes, pareto_optimal

COLUMNS = ["dataset", "accuracy", "mce", "compression_ratio"]


def table(*rows: tuple[str, float | None, float | None, float | None]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=COLUMNS).astype(dict.fromkeys(COLUMNS[1:], "float64"))


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.integers(0, 4), st.integers(0, 4), st.integers(1, 4)), max_size=12
    )
)
def test_optimal_is_what_no_row_of_the_data_set_beats(rows: list[tuple[str, int, int, int]]) -> None:
    def beats(one: tuple[str, int, int, int], other: tuple[str, int, int, int]) -> bool:
        at_least = one[1] >= other[1] and one[2] <= other[2] and one[3] >= other[3]
        return one[0] == other[0] and at_least and one != other

    expected = [not any(beats(other, row) for other in rows) for row in rows]
    assert pareto_optimal(table(*rows)).tolist() == expected


def test_a_row_without_an_objective_is_not_ranked_and_beats_nothing() -> None:
    ranks = pareto_optimal(table(("d", 0.9, 80, 4), ("d", 0.99, None, 9), ("d", 0.8, 90, 3)))
    assert ranks.isna().tolist() == [False, True, False]
    assert ranks.dropna().tolist() == [True, False]


def test_equal_rows_are_both_optimal() -> None:
    assert pareto_optimal(table(("d", 0.9, 80, 4), ("d", 0.9, 80, 4))).tolist() == [True, True]


def brute_force_volume(points: list[tuple[float, float, float]], steps: int) -> float:
    """Count small boxes that some point dominates; accuracy 0 to 1, mCE/100 0 to 2, ratio 1 to 3."""
    at = (np.arange(steps) + 0.5) / steps
    accuracy, mce, ratio = np.meshgrid(at, 2 * at, 1 + 2 * at, indexing="ij")
    dominated = np.zeros(accuracy.shape, bool)
    for a, m, r in points:
        dominated |= (accuracy < a) & (mce > m) & (ratio < r)
    return 1 * 2 * 2 * float(dominated.mean())


def test_hypervolume_is_what_the_variants_of_a_model_dominate() -> None:
    points = [(0.7, 1.0, 1.0), (0.6, 1.1, 2.5), (0.65, 0.9, 1.5), (0.5, 1.2, 2.0)]
    rows = [
        {"dataset": "d", "model": "m", "accuracy": a, "mce": 100 * m, "compression_ratio": r}
        for a, m, r in points
    ]
    worse = {"dataset": "d", "model": "m", "accuracy": 0.9, "mce": 230.0, "compression_ratio": 2.0}
    unknown = {"dataset": "d", "model": "m", "accuracy": 0.9, "mce": None, "compression_ratio": 2.0}
    other = {"dataset": "d", "model": "n", "accuracy": 0.5, "mce": 100.0, "compression_ratio": 2.0}
    volumes = hypervolumes(pd.DataFrame([*rows, worse, unknown, other]))
    assert volumes[["dataset", "model"]].to_numpy().tolist() == [["d", "m"], ["d", "n"]]
    assert volumes["hypervolume"].tolist() == pytest.approx([brute_force_volume(points, 200), 0.5], rel=0.01)


def test_models_that_lack_an_objective_have_no_hypervolume() -> None:
    rows = {
        "dataset": "d",
        "model": "m",
        "accuracy": [0.9],
        "mce": [float("nan")],
        "compression_ratio": [2.0],
    }
    assert hypervolumes(pd.DataFrame(rows)).empty
