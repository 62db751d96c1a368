"""The paper's tables say what the suite and the measurements say, as far as there is something to say."""

from __future__ import annotations

import csv
import statistics
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmarks.schema import Suite
from benchmarks.sections import Known
from benchmarks.techniques import ORIGINAL_STUDY, PRETRAINED_STUDY, TECHNIQUES, TRAITS
from reporting.metrics import SUMMARY
from reporting.paper import hyperparameters
from reporting.paper.examples import Examples
from reporting.paper.hyperparameters import hyperparameters_table
from reporting.paper.measured import extremes_table, originals_table, per_technique_table
from reporting.paper.techniques_table import techniques_table
from reporting.paper.writing import Paper

#: accuracy, mCE, compression ratio by model and technique; VGG's pruned network has no size.
MEASURED = {
    ("resnet", "original"): (0.90, 100.0, 1.0),
    ("resnet", "pruned"): (0.92, 80.0, 1.5),
    ("resnet", "int8"): (0.88, 110.0, 4.0),
    ("vgg", "original"): (0.70, 100.0, 1.0),
    ("vgg", "pruned"): (0.76, 95.0, None),
    ("vgg", "int8"): (0.60, 130.0, 4.0),
}


def summary_of(measured: dict = MEASURED, dataset: str = "cifar10") -> pd.DataFrame:
    rows = [
        {
            "dataset": dataset,
            "model": model,
            "code": TECHNIQUES[technique].code,
            "technique": technique,
            "accuracy": accuracy,
            "mce": mce,
            "relative_mce": mce,
            "compression_ratio": np.nan if ratio is None else ratio,
            "zipped_bytes": 1_500_000,
            "file_bytes": 2_000_000,
            "pareto": pd.NA,
        }
        for (model, technique), (accuracy, mce, ratio) in measured.items()
    ]
    types = {"code": "Int64", "zipped_bytes": "Int64", "file_bytes": "Int64", "pareto": "boolean"}
    return pd.DataFrame(rows, columns=SUMMARY).astype(types)


def suite_of(**changes: Any) -> Suite:
    training = {"epochs": 10, "batch_size": 128, "learning_rate": 1e-3}
    raw = {
        "name": "own",
        "description": "",
        "data": {"datasets": ["d"]},
        "model": {"names": ["resnet", "vgg"]},
        "training": training,
        "fine_tuning": training | {"epochs": 2},
        "corruptions": {"names": ["fog"]},
    }
    known = Known(datasets=["d"], models=["resnet", "vgg"], corruptions={"fog": "weather"})
    return Suite.model_validate(raw | changes, context={"known": known})


def settings(suite: Suite) -> dict[str, set[tuple[str, str, str]]]:
    """Return what is shown of each setting: its value, the steps, the models."""
    found: dict[str, set[tuple[str, str, str]]] = {}
    for _, name, *rest in hyperparameters_table(suite).shown.rows.itertuples():
        found.setdefault(name, set()).add(tuple(rest))
    return found


def test_table_2_has_every_technique_with_its_path() -> None:
    table = techniques_table()
    assert list(table.figures["technique"]) == list(ORIGINAL_STUDY)
    paths = dict(zip(table.shown.rows["#"], table.shown.rows["Path"], strict=True))
    assert paths["16"] == "1 → 3 → 7 → 15 → 16"
    assert dict(table.figures[["technique", "path"]].to_numpy())["cqat"] == "original > clustered > cqat"


def test_table_2_is_of_the_studies_that_were_measured() -> None:
    rows = techniques_table({"original", "ablated"}).shown.rows
    assert list(rows["Name"]) == list(PRETRAINED_STUDY)
    assert list(rows.columns[4:]) == ["filter_pruned", "weight_quantized", "ablated"]
    assert "filter_pruned" not in techniques_table({"original", "qat"}).shown.rows.columns


def test_table_2_marks_what_a_technique_makes_of_a_network() -> None:
    rows = techniques_table(TECHNIQUES).shown.rows.set_index("Name")
    for name, technique in TECHNIQUES.items():
        marked = {trait for trait in TRAITS if trait != "float" and rows.loc[name, trait] == "•"}
        assert marked == technique.traits - {"float"}


def test_table_3_tells_budgets_by_step_and_model() -> None:
    training = {"epochs": 10, "batch_size": 128, "learning_rate": 1e-3}
    suite = suite_of(
        training=training | {"by_model": {"vgg": {"learning_rate": 3e-4}}},
        fine_tuning=training | {"epochs": 2, "by_step": {"qat": {"batch_size": 64}}, "augment": ["flip"]},
    )
    shown = settings(suite)
    assert shown["epochs"] == {("10", "train", "all"), ("2", "all but train", "all")}
    assert shown["batch size"] == {("128", "all but qat", "all"), ("64", "qat", "all")}
    assert shown["learning rate"] == {
        ("0.001", "all", "resnet"),
        ("0.0003", "train", "vgg"),
        ("0.001", "all but train", "vgg"),
    }
    assert shown["augment"] == {("none", "train", "all"), ("flip", "all but train", "all")}


def test_table_3_has_every_value_of_the_suites_budgets() -> None:
    suite = suite_of(fine_tuning={"epochs": "as-original", "batch_size": 64, "learning_rate": 1e-5})
    figures = hyperparameters_table(suite).figures.set_index(["setting", "step", "model"])["value"]
    for step in ("train", "prune", "cluster", "sparse_cluster", "qat", "cqat", "pqat", "pcqat"):
        for model in ("resnet", "vgg"):
            budget = suite.budget(step, model)
            assert figures["epochs", step, model] == str(budget.epochs)
            assert float(figures["learning_rate", step, model]) == budget.learning_rate
            assert figures["optimizer", step, model] == "Adam"


def test_table_3_has_only_the_steps_that_lead_to_the_suites_techniques() -> None:
    shown = settings(suite_of(compression={"techniques": ["pqat_int8"], "sparsity": 0.6}))
    assert shown["epochs"] == {("10", "train", "all"), ("2", "all but train", "all")}
    assert shown["patience"] == {("5", "all but prune", "all"), ("no early stopping", "prune", "all")}
    assert shown["sparsity"] == {("0.6", "prune", "")}
    assert shown["calibration images"] == {("200", "convert_int8", "")}
    assert "centroid initialisation" not in shown


def test_table_3_tells_how_channels_are_pruned_where_they_are() -> None:
    compression = {"techniques": ["l1_pruned_weight_quantized"], "l1_pruning": {"ratio": 0.4}}
    shown = settings(suite_of(compression=compression))
    assert shown["l1 ratio"] == {("0.4", "l1_prune", "")}
    assert shown["l1 structural"] == {("False", "l1_prune", "")}
    assert not {"sparsity", "calibration images"} & shown.keys()
    assert "l1 ratio" not in settings(suite_of())


def test_table_3_tells_how_the_networks_are_built() -> None:
    model = {"names": ["resnet", "vgg"], "upsampling": 7, "initial_weights": "imagenet"}
    model["by_model"] = {"vgg": {"initial_weights": "/home/me/own.h5"}}
    shown = settings(suite_of(model=model))
    assert shown["upsampling"] == {("7", "", "all")}
    assert shown["initial weights"] == {("imagenet", "", "resnet"), ("own.h5", "", "vgg")}


@pytest.mark.parametrize(
    ("protocol", "stopping"), [("sound", "0.1 of the training images"), ("paper", "the test set")]
)
def test_table_3_tells_by_what_training_stops(protocol: str, stopping: str) -> None:
    suite = suite_of(protocol=protocol)
    assert settings(suite)["early stopping by"] == {(stopping, "", "")}
    assert ("original study" in hyperparameters_table(suite).shown.note) == (protocol == "paper")


def test_what_no_suite_can_change_is_what_the_steps_do() -> None:
    fixtures = Path(__file__).resolve().parents[1] / "fixtures"
    training = (fixtures / "models/training.py").read_text()
    steps = (fixtures / "compression/steps.py").read_text()
    assert f"keras.optimizers.{hyperparameters.OPTIMIZER})" in training
    assert "keras.losses.SparseCategoricalCrossentropy()" in training
    assert "CentroidInitialization.KMEANS_PLUS_PLUS" in steps
    for function in steps.split("\ndef ")[1:]:
        stopped_never = "early_stopping=False" in function
        assert stopped_never == (function.partition("(")[0] in hyperparameters.NEVER_STOPPED_EARLY)


def test_table_4_is_of_the_originals() -> None:
    table = originals_table(summary_of())
    assert table.shown.rows.to_numpy().tolist() == [
        ["cifar10", "resnet", "90.00", "1.500", "2.000"],
        ["cifar10", "vgg", "70.00", "1.500", "2.000"],
    ]
    assert table.figures["accuracy"].tolist() == [0.90, 0.70]


def test_table_5_has_the_best_and_worst_of_each_objective() -> None:
    figures = extremes_table(summary_of()).figures
    found = figures[["extreme", "objective", "model", "technique"]].to_numpy().tolist()
    assert found == [
        ["best", "accuracy", "resnet", "pruned"],
        ["best", "mce", "resnet", "pruned"],
        ["best", "compression_ratio", "resnet", "int8"],  # both are equally small
        ["best", "compression_ratio", "vgg", "int8"],
        ["worst", "accuracy", "vgg", "int8"],
        ["worst", "mce", "vgg", "int8"],
        ["worst", "compression_ratio", "resnet", "pruned"],
    ]


def test_equal_extremes_are_listed_smallest_first() -> None:
    measured = {
        ("m", "original"): (0.9, 100, 1),
        ("m", "int8"): (0.9, 90, 4),
        ("m", "pqat_int8"): (0.8, 90, 6),
    }
    figures = extremes_table(summary_of(measured)).figures
    assert figures.query("objective == 'mce'")["technique"].tolist() == ["pqat_int8", "int8"] * 2


def test_extremes_are_of_each_data_set() -> None:
    summary = pd.concat([summary_of(), summary_of(dataset="tiny")], ignore_index=True)
    assert extremes_table(summary).figures["dataset"].value_counts().to_dict() == {"cifar10": 7, "tiny": 7}


def test_an_objective_that_nothing_has_has_no_extremes() -> None:
    figures = extremes_table(summary_of().assign(mce=np.nan)).figures
    assert set(figures["objective"]) == {"accuracy", "compression_ratio"}


def test_table_6_has_mean_and_sample_deviation_over_the_models() -> None:
    figures = per_technique_table(summary_of()).figures.set_index("technique")
    accuracies, mces = (0.88, 0.60), (110.0, 130.0)
    assert figures.loc["int8", "accuracy_mean"] == pytest.approx(statistics.mean(accuracies))
    assert figures.loc["int8", "accuracy_sd"] == pytest.approx(statistics.stdev(accuracies))
    assert figures.loc["int8", "mce_sd"] == pytest.approx(statistics.stdev(mces))
    assert list(figures.index) == ["original", "int8", "pruned"]


def test_table_6_tells_over_how_many_models_a_mean_is() -> None:
    rows = per_technique_table(summary_of()).shown.rows.set_index("Technique")
    assert rows.loc["Quantization Int8", "Models"] == "2"
    assert rows.loc["Pruning", "Models"] == "Acc 2, mCE 2, CR 1"
    assert rows.loc["Pruning", ["CR\nmean", "CR\nsd"]].tolist() == ["1.50", "–"]


def test_every_table_is_written_as_csv_markdown_and_latex(tmp_path: Path) -> None:
    written = Paper(summary_of(), suite_of()).write(tmp_path, {"png": b"pareto"})
    for name in ("2-techniques", "3-hyperparameters", "4-originals", "5-extremes", "6-per-technique"):
        for kind in ("csv", "md", "tex"):
            assert tmp_path / f"table-{name}.{kind}" in written
    assert (tmp_path / "figure-3-pareto.png").read_bytes() == b"pareto"
    with (tmp_path / "table-4-originals.csv").open() as file:
        assert [row["accuracy"] for row in csv.DictReader(file)] == ["0.9", "0.7"]
    assert r"\label{tab:originals}" in (tmp_path / "table-4-originals.tex").read_text()


def test_what_there_is_nothing_for_is_left_out_with_the_reason(tmp_path: Path) -> None:
    paper = Paper(summary_of({("m", "int8"): (0.9, 90, 4)}))
    [sentence] = paper.sentences()
    assert "table-3-hyperparameters, because no suite was given" in sentence
    assert "table-4-originals, because no uncompressed network was measured" in sentence
    assert "figure-1-corruptions, because no example images were recorded" in sentence
    names = {path.stem for path in paper.write(tmp_path, {"svg": b""})}
    assert names.isdisjoint(paper.left_out())
    assert "table-5-extremes" in names


def test_what_an_earlier_run_left_and_this_one_has_not_is_removed(tmp_path: Path) -> None:
    image = np.zeros((4, 4, 3), np.uint8)
    examples = (Examples("d", {("fog", 1): image}),)
    Paper(summary_of(), suite_of(), examples).write(tmp_path, {"svg": b""})
    assert (tmp_path / "figure-1-corruptions.svg").exists()
    Paper(summary_of(), suite_of()).write(tmp_path, {"svg": b""})
    assert not (tmp_path / "figure-1-corruptions.svg").exists()
    assert (tmp_path / "table-3-hyperparameters.md").exists()


def test_a_whole_paper_has_nothing_left_out() -> None:
    examples = (Examples("d", {("fog", 1): np.zeros((4, 4, 3), np.uint8)}),)
    assert list(Paper(summary_of(), suite_of(), examples).sentences()) == []
