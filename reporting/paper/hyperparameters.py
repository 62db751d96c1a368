"""Table III, the hyperparameters, as a suite has them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from benchmarks.schema import Suite
from benchmarks.sections import Compression, L1Pruning, Network, Training
from benchmarks.techniques import TECHNIQUES, Technique, lineage
from reporting.layout import Table
from reporting.sheets import Sheet

# What no suite can change; it is decided in fixtures/models/training.py and fixtures/compression/steps.py.
OPTIMIZER = "Adam"
LOSS = "categorical cross-entropy"
CENTROIDS = "k-means++"
#: To go back to an earlier epoch would be to go back to its pruning mask.
NEVER_STOPPED_EARLY = frozenset({"prune"})

_PAPER_PROTOCOL = (
    'Protocol "paper" is the original study\'s: training stops early by the test set and uses every training '
    "image, and plain QAT fake-quantizes convolutions and dense layers alone."
)


class _Setting(NamedTuple):
    """A value, for one step of training on one model; either is empty where the value is the same for all."""

    setting: str
    step: str
    model: str
    value: str


def hyperparameters_table(suite: Suite) -> Sheet:
    """Return the settings of ``suite``, each with the steps and the models that it holds for.

    The steps are those of the graph that lead to the suite's techniques.
    """
    techniques = _ancestors(suite.compression.techniques)
    steps = _steps(technique for technique in techniques if not technique.converted)
    settings = [*_of_run(suite), *_of_networks(suite), *_of_training(suite, steps)]
    settings += _of_compression(suite.compression, techniques)
    figures = pd.DataFrame(settings, columns=_Setting._fields)
    note = _PAPER_PROTOCOL if suite.protocol == "paper" else ""
    table = Table("Hyperparameters", _grouped(figures, steps, suite.model.names), words=4, note=note)
    return Sheet("table-3-hyperparameters", figures, table)


def _ancestors(names: Collection[str]) -> list[Technique]:
    """Return the techniques that lead to those of ``names``, and these, in the order of the graph."""
    wanted = {technique.name for name in names for technique in lineage(name)}
    return [technique for name, technique in TECHNIQUES.items() if name in wanted]


def _steps(techniques: Iterable[Technique]) -> list[str]:
    return list(dict.fromkeys(technique.step for technique in techniques))


def _of_run(suite: Suite) -> Iterator[_Setting]:
    stopping = "the test set"
    if suite.protocol == "sound":
        stopping = f"{suite.data.validation_fraction:.3g} of the training images"
    values: dict[str, object] = {"protocol": suite.protocol, "seed": suite.seed}
    values |= {"training_images": suite.data.train_images, "early_stopping_by": stopping}
    for name, value in values.items():
        yield _Setting(name, "", "", _text(value))


def _of_networks(suite: Suite) -> Iterator[_Setting]:
    for name in Network.model_fields:
        for model in suite.model.names:
            value = getattr(suite.network(model), name)
            # Of a file of weights the folder says where somebody keeps it, and nothing about the network.
            yield _Setting(name, "", model, Path(value).name if name == "initial_weights" else _text(value))


def _of_training(suite: Suite, steps: Sequence[str]) -> Iterator[_Setting]:
    for name in ("optimizer", "loss", *Training.model_fields):
        for model in suite.model.names:
            for step in steps:
                values = {"optimizer": OPTIMIZER, "loss": LOSS} | dict(suite.budget(step, model))
                if step in NEVER_STOPPED_EARLY:
                    values["patience"] = "no early stopping"
                if (
                    values[name] is not None
                ):  # a seed of its own has a training run only where it is given one
                    yield _Setting(name, step, model, _text(values[name]))


def _of_compression(section: Compression, techniques: Sequence[Technique]) -> Iterator[_Setting]:
    """Yield the targets, each with the steps that bring a network there."""

    def reach(claim: str) -> list[str]:
        """Return the steps to a claim of a technique that what it is made from does not have."""
        return _steps(
            technique
            for technique in techniques
            if getattr(technique.claims, claim)
            and not (technique.parent and getattr(TECHNIQUES[technique.parent].claims, claim))
        )

    targets = {"sparsity": "sparse", "clusters": "clustered", "calibration_images": "int8"}
    for name in Compression.model_fields:
        if name == "l1_pruning":
            for setting in L1Pruning.model_fields if reach("channels_off") else ():
                yield _Setting(f"l1_{setting}", "l1_prune", "", _text(getattr(section.l1_pruning, setting)))
        elif name != "techniques":
            for step in reach(targets[name]) if name in targets else [""]:
                yield _Setting(name, step, "", _text(getattr(section, name)))
    for step in reach("clustered"):
        yield _Setting("centroid_initialisation", step, "", CENTROIDS)


def _grouped(figures: pd.DataFrame, steps: Sequence[str], models: Sequence[str]) -> pd.DataFrame:
    """Return a row for each value of a setting, with the steps and models that it holds for."""
    rows = []
    for (setting, value), same in figures.groupby(["setting", "value"], sort=False):
        of_steps: dict[tuple[str, ...], list[str]] = {}
        for model, own in same.groupby("model", sort=False):
            of_steps.setdefault(tuple(own["step"]), []).append(str(model))
        rows += [
            {
                "Setting": str(setting).replace("_", " "),
                "Value": value,
                "Steps": _some(own, steps),
                "Models": _some(of, models),
            }
            for own, of in of_steps.items()
        ]
    return pd.DataFrame(rows)


def _some(names: Sequence[str], every: Sequence[str]) -> str:
    """Return which of ``every`` name are meant, briefly where it is all of them or all but one."""
    others = [name for name in every if name not in names]
    if len(every) > 1 and not others:
        return "all"
    if len(every) > 2 and len(others) == 1:
        return f"all but {others[0]}"
    return ", ".join(names)


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        return ", ".join(value) or "none"
    return str(value)
