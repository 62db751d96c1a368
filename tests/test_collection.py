"""What ``pytest`` collects from a suite: the cases, their ids, their markers, and nothing heavy imported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from benchmarks.cases import KINDS
from benchmarks.methods import EXPLANATIONS
from benchmarks.plugin import marker_names
from benchmarks.schema import Suite
from benchmarks.suite import load_suite
from benchmarks.techniques import ORIGINAL_STUDY, TECHNIQUES, TRAITS, lineage
from fixtures.corruptions import CORRUPTIONS
from fixtures.known import known_names

ROOT = Path(__file__).resolve().parents[1]

# Collects once for each list of arguments and tells what came of it, and what has been imported by the end.
DRIVER = """
import json, sys
import pytest

class Watch:
    def pytest_collection_finish(self, session):
        self.items = {item.nodeid: [mark.name for mark in item.iter_markers()] for item in session.items}

runs = []
for arguments in json.loads(sys.argv[1]):
    watch = Watch()
    status = pytest.main(["benchmarks", "--collect-only", "-p", "no:cacheprovider", *arguments], [watch])
    runs.append([int(status), getattr(watch, "items", {})])
print()
print(json.dumps([runs, sorted(sys.modules)]))
"""


@dataclass(frozen=True)
class Collected:
    """What a run collected: the markers of each item by its node id, in the order of running."""

    status: int
    items: Mapping[str, Sequence[str]]

    @property
    def cases(self) -> set[str]:
        return {nodeid.partition("[")[2].removesuffix("]") for nodeid in self.items}


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the root of the checkout as a user would, whatever pytest runs this test."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def refused(*arguments: str) -> str:
    """Return what a run that must be refused as wrongly used says."""
    done = run("-m", "pytest", "benchmarks", "--collect-only", "-p", "no:cacheprovider", *arguments)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR, done.stdout + done.stderr
    return done.stderr


EXPRESSIONS = (
    *KINDS,
    "int8 and weather and not qat",
    "technique-pcqat_int8",
    "jpeg_compression",
    "robustness and not (noise or blur or weather or digital)",
)


@cache
def collections() -> tuple[dict[str, Collected], set[str]]:
    """Return what the suite ``quick`` collects, for each expression after ``-m``, and what was imported."""
    runs = [["-m", expression] if expression else [] for expression in ("", *EXPRESSIONS)]
    done = run("-c", DRIVER, json.dumps(runs))
    results, modules = json.loads(done.stdout.splitlines()[-1])
    found = [Collected(status, items) for status, items in results]
    return dict(zip(("", *EXPRESSIONS), found, strict=True)), set(modules)


def collected(expression: str = "") -> Collected:
    return collections()[0][expression]


@pytest.fixture(scope="module")
def quick() -> Suite:
    return load_suite("quick", known_names())


def looked_at_by(suite: Suite) -> list[str]:
    own = [*suite.attacks.by_name, *suite.explanations.names]
    return [*suite.corruptions.names, "mce", "clean", "claims", "latency", *own]


# Cases and their ids


def test_quick_suite_has_twenty_one_cases_for_each_of_sixteen_techniques() -> None:
    assert collected().status == pytest.ExitCode.OK
    assert len(collected().items) == 16 * (15 + 6) == 336


def test_cases_are_named_after_data_set_model_technique_and_what_is_looked_at(quick: Suite) -> None:
    looked_at = looked_at_by(quick)
    assert collected().cases == {
        f"digits-vgg6-{name}-{what}" for name in ORIGINAL_STUDY for what in looked_at
    }


def test_case_has_a_node_id_to_run_it_by() -> None:
    nodeid = "benchmarks/test_robustness.py::test_robustness[digits-vgg6-pcqat_int8-fog]"
    assert nodeid in collected().items


# Markers


@pytest.mark.parametrize("kind", KINDS)
def test_kind_selects_the_cases_of_its_function(kind: str) -> None:
    everything = collected().items
    expected = {nodeid for nodeid in everything if f"::test_{kind}[" in nodeid}
    assert set(collected(kind).items) == expected
    assert len(expected) == (240 if kind == "robustness" else 16)


def test_int8_weather_and_not_qat_selects_plain_int8_files_under_weather(quick: Suite) -> None:
    fake_quantized = {"qat", "cqat", "pqat", "pcqat"}
    techniques = [
        name
        for name in ORIGINAL_STUDY
        if lineage(name)[-1].step == "convert_int8"
        and not fake_quantized & {technique.name for technique in lineage(name)}
    ]
    weather = [name for name in quick.corruptions.names if CORRUPTIONS[name].family == "weather"]
    assert (len(techniques), sorted(weather)) == (4, ["brightness", "fog", "frost", "snow"])
    assert collected("int8 and weather and not qat").cases == {
        f"digits-vgg6-{technique}-{corruption}" for technique in techniques for corruption in weather
    }


def test_technique_selects_the_cases_of_its_own_file_alone(quick: Suite) -> None:
    looked_at = looked_at_by(quick)
    assert collected("technique-pcqat_int8").cases == {f"digits-vgg6-pcqat_int8-{what}" for what in looked_at}


def test_corruption_selects_its_cases() -> None:
    assert collected("jpeg_compression").cases == {
        f"digits-vgg6-{name}-jpeg_compression" for name in ORIGINAL_STUDY
    }


def test_every_corruption_is_of_one_of_the_four_families() -> None:
    nothing = collected("robustness and not (noise or blur or weather or digital)")
    assert (nothing.status, nothing.items) == (pytest.ExitCode.NO_TESTS_COLLECTED, {})


def test_every_case_carries_the_markers_of_its_identity_and_kind(quick: Suite) -> None:
    for kind in KINDS:
        for case in quick.cases(kind, known_names().corruptions):
            markers = collected().items[f"benchmarks/test_{kind}.py::test_{kind}[{case}]"]
            assert sorted(set(markers) - {"parametrize"}) == sorted([kind, *marker_names(case)])


def test_markers_are_listed_with_their_meaning(quick: Suite) -> None:
    listed = run("-m", "pytest", "--markers", "-p", "no:cacheprovider").stdout
    known = known_names()
    names = [*KINDS, *known.datasets, *known.models, *TRAITS, *known.corruptions, *known.corruptions.values()]
    names += [f"technique-{name}" for name in TECHNIQUES]
    names += [f"attack-{name}" for name in quick.attacks.by_name]
    names += [f"explanation-{name}" for name in EXPLANATIONS]
    assert [name for name in names if f"@pytest.mark.{name}: " not in listed] == []


@pytest.mark.parametrize(
    ("expression", "wrong", "near"),
    [
        ("wether", "wether", "weather"),
        ("int8 and (fog or forst)", "forst", "frost"),
        ("not technique-pqat_int", "technique-pqat_int", "technique-pqat_int8"),
    ],
)
def test_unknown_marker_is_refused_with_the_nearest(expression: str, wrong: str, near: str) -> None:
    assert f"-m: expected the name of a marker, got {wrong!r}; did you mean {near!r}?" in refused(
        "-m", expression
    )


# Options


def test_unknown_suite_is_refused_with_the_nearest() -> None:
    assert "got 'quikc'; did you mean 'quick'?" in refused("--suite", "quikc")


def test_bad_override_is_refused_with_file_and_key() -> None:
    message = refused("--set", "corruptions.severities=[6]")
    assert "quick.toml: corruptions.severities.0: expected less than or equal to 5, got 6" in message


def test_suite_may_lie_anywhere(tmp_path: Path) -> None:
    suite = (ROOT / "benchmarks" / "suites" / "quick.toml").read_text(encoding="utf-8")
    path = tmp_path / "mine.toml"
    path.write_text(suite.replace('names = ["vgg6"]', 'names = ["vgg7"]'), encoding="utf-8")
    assert f"{path}: model.names: expected a known model" in refused("--suite", str(path))


def test_overrides_and_the_ini_option_say_what_is_collected() -> None:
    narrow = ["--set", 'compression.techniques=["qat"]', "--set", 'corruptions.names=["fog"]']
    done = run("-c", DRIVER, json.dumps([["-o", "suite=cifar10-vgg6", *narrow]]))
    [[_, items]], _ = json.loads(done.stdout.splitlines()[-1])
    looked_at = ("fog", "clean", "claims", "latency")
    assert Collected(0, items).cases == {f"cifar10-vgg6-qat-{what}" for what in looked_at}


def test_options_have_a_group_of_their_own_in_the_help() -> None:
    text = run("-m", "pytest", "--help", "-p", "no:cacheprovider").stdout
    _, heading, rest = text.partition("\nRobustLite: ")
    group = rest.partition("\n\n")[0]
    assert heading
    options = ["--suite", "--set", "--data", "--artifacts", "--remeasure", "--report", "--shard"]
    assert [option for option in options if f"\n  {option}" not in group] == []


# What collecting costs


@pytest.mark.parametrize(
    "heavy",
    ["tensorflow", "keras", "tf_keras", "ai_edge_litert", "pandas", "matplotlib", "scipy", "sklearn", "cv2"],
)
def test_collecting_imports_nothing_heavy(heavy: str) -> None:
    _, modules = collections()
    assert "benchmarks.plugin" in modules
    assert heavy not in modules
