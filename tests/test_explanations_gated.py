"""Thresholds and costs of explanations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from made_runs import suite_of

from benchmarks.cases import Case, Variant
from benchmarks.results import ImageSet, Record
from benchmarks.sections import Statistics
from reporting.figures import Figure, figures_of
from reporting.gate import Limits, UndecidedWarning
from reporting.sharding import load, units_of

ORIGINAL, INT8 = Variant("d", "m", "original"), Variant("d", "m", "int8")
MAPS, EMBEDDING = (Case(INT8, "explainability", method=method) for method in ("activation_maps", "embedding"))
CORRELATIONS = np.random.default_rng(7).uniform(0.2, 1, 100)


def maps(correlations: Sequence[float] = tuple(CORRELATIONS), population: int = 10_000) -> Record:
    details = {"correlations": list(correlations)}
    return Record(MAPS, details=details, images=ImageSet(population, {"test": "abc"}))


def correlation(record: Record, statistics: Statistics = Statistics(), seed: int = 1) -> Figure:  # noqa: B008
    return figures_of(record, None, statistics, seed)["explanation_correlation_min"]


def test_mean_correlation_has_the_interval_of_images_drawn_again() -> None:
    figure = correlation(maps(), Statistics(about="such-images"))
    assert figure.value == pytest.approx(CORRELATIONS.mean())
    # As many images are close to normal.
    half = 1.96 * CORRELATIONS.std() / np.sqrt(100)
    assert figure.low == pytest.approx(figure.value - half, abs=half / 5)
    assert figure.high == pytest.approx(figure.value + half, abs=half / 5)
    assert correlation(maps(), Statistics(about="such-images")) == figure
    assert correlation(maps(), Statistics(about="such-images"), seed=2) != figure


def test_interval_narrows_as_the_images_become_the_whole_test_set() -> None:
    widths = [
        figure.high - figure.low
        for figure in (correlation(maps(population=size)) for size in (10_000, 200, 100))
    ]
    assert widths[0] > widths[1] > widths[2] == 0
    assert widths[1] / widths[0] == pytest.approx(np.sqrt((1 - 0.5) / (1 - 0.01)))


def test_one_image_does_not_bound_the_mean_and_none_does_not_give_one() -> None:
    one = correlation(maps([0.5]))
    assert (one.value, np.isnan(one.low), np.isnan(one.high)) == (0.5, True, True)
    none = correlation(maps([]))
    assert np.isnan(none.value)
    assert none.why == "it was not measured"


def test_equal_correlations_are_their_own_interval() -> None:
    assert correlation(maps([1.0] * 20)) == Figure(1.0, 1.0, 1.0)


def test_figures_of_an_embedding_are_exact() -> None:
    record = Record(EMBEDDING, metrics={"neighbour_accuracy": 0.9, "silhouette": 0.3})
    assert figures_of(record, None, Statistics(), 1) == {
        "neighbour_accuracy_min": Figure(0.9, 0.9, 0.9),
        "silhouette_min": Figure(0.3, 0.3, 0.3),
    }


def test_an_embedding_below_its_limit_fails_and_one_above_passes() -> None:
    limits = Limits(suite_of([EMBEDDING], (1,), thresholds={"silhouette_min": 0.4}))
    limits.check(Record(EMBEDDING, metrics={"neighbour_accuracy": 0.1, "silhouette": 0.5}))
    with pytest.raises(
        AssertionError, match=r"d-m-int8-embedding: expected silhouette_min at least 0.4 .*got 0.3"
    ):
        limits.check(Record(EMBEDDING, metrics={"neighbour_accuracy": 0.9, "silhouette": 0.3}))


@pytest.mark.parametrize(("limit", "standing"), [(0.4, "kept"), (0.8, "broken"), (0.61, "undecided")])
def test_mean_correlation_is_held_against_its_limit(limit: float, standing: str) -> None:
    limits = Limits(suite_of([MAPS], (1,), thresholds={"explanation_correlation_min": limit}))
    shifted = maps(CORRELATIONS - CORRELATIONS.mean() + 0.6)
    if standing == "broken":
        with pytest.raises(AssertionError, match="d-m-int8-activation_maps: expected"):
            limits.check(shifted)
    elif standing == "undecided":
        with pytest.warns(UndecidedWarning):
            limits.check(shifted)
    else:
        limits.check(shifted)
    assert limits.checks[0].standing == standing


def test_maps_cost_those_of_the_original_too_and_no_more_images_than_there_are() -> None:
    suite = suite_of([MAPS], (1,), data={"datasets": ["d"], "test_images": 30})
    model = load(units_of(suite, [Case(INT8, "claims")]))

    def cost(case: Case, **settings: int) -> float:
        changed = suite_of([case], (1,), data={"datasets": ["d"], "test_images": 30}, explanations=settings)
        return load(units_of(changed, [case])) - model

    assert cost(MAPS, map_images=10) == cost(MAPS, map_images=20) / 2 > 0
    assert cost(MAPS, map_images=30) == cost(MAPS, map_images=500)
    original = Case(ORIGINAL, "explainability", method="activation_maps")
    assert load(units_of(suite, [MAPS, original])) - model == cost(MAPS)
    assert 0 < cost(EMBEDDING) == 30 * 5
