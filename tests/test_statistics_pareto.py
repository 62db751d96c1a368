"""How surely a variant is Pareto-optimal."""

from __future__ import annotations

import numpy as np
import pandas as pd

from reporting.pareto import pareto_optimal
from reporting.statistics.pareto import optimal_probability


def test_the_probability_is_the_share_of_replicates_that_the_report_would_rank_optimal() -> None:
    rng = np.random.default_rng(0)
    accuracy, mce = rng.integers(0, 4, (2, 7, 50)).astype(float)
    mce[2, 10:30] = np.nan
    ratio = rng.integers(1, 4, 7).astype(float)
    expected = np.zeros(7)
    for replicate in range(50):
        columns = {"accuracy": accuracy[:, replicate], "mce": mce[:, replicate], "compression_ratio": ratio}
        summary = pd.DataFrame({"dataset": "d", **columns})
        expected += pareto_optimal(summary).fillna(False).to_numpy(float) / 50
    np.testing.assert_allclose(optimal_probability(accuracy, mce, ratio), expected)
    assert 0 < expected.min() < expected.max() < 1


def test_a_variant_that_is_never_ranked_has_no_probability() -> None:
    accuracy, mce = np.ones((2, 5)), np.array([np.full(5, np.nan), np.full(5, 90.0)])
    result = optimal_probability(accuracy, mce, np.array([9.0, 1.0]))
    np.testing.assert_array_equal(result, [np.nan, 1])


def test_a_variant_without_a_ratio_beats_nothing() -> None:
    accuracy, mce = np.array([[0.9], [0.5]]), np.array([[50.0], [90.0]])
    np.testing.assert_array_equal(optimal_probability(accuracy, mce, np.array([np.nan, 1.0])), [np.nan, 1])
