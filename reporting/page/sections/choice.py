"""Which variant to ship: what each saves against what it costs."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from reporting.metrics import BASELINE
from reporting.page.section import Section
from reporting.page.view import View
from reporting.pareto import REFERENCE, hypervolumes

#: What is drawn at first, of what is known.
_X, _Y, _COLOUR = ("compression_ratio", "zipped"), ("mce", "accuracy"), ("accuracy", "latency")

#: What is asked for at first where the suite asks for nothing: at most this mCE, and at most this loss of
#: accuracy against the most accurate original.
_MCE, _LOSS = 105.0, 0.02

#: The step of a limit, in per cent.
_STEP = 0.5


def section(view: View) -> Section:
    """Return the choice among all variants."""
    title = "Which one to ship"
    if len(view.known) < 2:
        only = f"only {view.metrics[view.known[0]].title} is known" if view.known else "neither is known"
        return Section("choice", title, "Choice", absent=f"a choice weighs two figures, and {only}")
    x = _first(_X, view.known, set())
    y = _first(_Y, view.known, {x})
    colour = _first(_COLOUR, view.known, {x, y}) if len(view.known) > 2 else ""
    limits = {dataset: _limits(view, dataset) for dataset in view.datasets}
    volumes = hypervolumes(view.report.summary).to_dict("records")
    return Section(
        "choice",
        title,
        "Choice",
        {
            "datasets": view.datasets,
            "metrics": [view.metrics[key] for key in view.known],
            "chosen": {"x": x, "y": y, "colour": colour},
            "limited": [view.metrics[key] for key in ("mce", "accuracy") if key in view.known],
            "objective": _objective(view),
            "intervals": bool(view.figures[["accuracy_low", "mce_low"]].notna().any().any()),
            "sure": bool(view.figures["pareto_probability"].notna().any()),
            "volumes": volumes,
            "reference": REFERENCE,
        },
        {"limits": limits},
    )


def _first(wanted: tuple[str, ...], known: list[str], taken: set[str]) -> str:
    """Return the first of the wanted metrics that is known, or else the first known, that is not taken."""
    return next(key for key in (*wanted, *known) if key in known and key not in taken)


def _objective(view: View) -> str:
    """Return what is asked for in words: the smallest, or what else can be told."""
    if "zipped" in view.known:
        return "Smallest"
    return "Most robust" if "mce" in view.known else "Most accurate"


def _limits(view: View, dataset: str) -> dict[str, Any]:
    """Return by metric the range of its limit, and where it stands at first, all in the metric's unit."""
    rows = view.figures[view.figures["dataset"] == dataset]
    asked = view.report.suite.thresholds if view.report.suite else None
    limits = {}
    if rows["mce"].notna().any():
        rise = None if asked is None or asked.mce_rise_max is None else 100 + asked.mce_rise_max
        wanted = (None if asked is None else asked.mce_max, rise, _MCE)
        most = next(one for one in wanted if one is not None)
        limits["mce"] = _range(rows["mce"], most)
    if rows["accuracy"].notna().any():
        originals = rows.loc[rows["technique"] == BASELINE, "accuracy"].dropna()
        best = originals.max() if len(originals) else rows["accuracy"].max()
        least = best - _LOSS if asked is None or asked.accuracy_min is None else asked.accuracy_min
        limits["accuracy"] = _range(100 * rows["accuracy"], math.floor(100 * least / _STEP) * _STEP)
    return limits


def _range(values: pd.Series[float], start: float) -> dict[str, float]:
    """Return the range of a limit, which takes in all ``values`` and where it starts."""
    low, high = min(values.min(), start), max(values.max(), start)
    return {
        "min": math.floor(low / _STEP) * _STEP,
        "max": math.ceil(high / _STEP) * _STEP,
        "step": _STEP,
        "start": start,
    }
