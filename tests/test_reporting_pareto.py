"""Which variants no other variant beats."""

from __future__ import annotations

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from reporting.pareto import pareto_optimal

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
