"""The example workflow uses options and a suite that there are, and takes no more rights than it needs."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.suite import built_in_suites
from reporting.__main__ import main

ROOT = Path(__file__).resolve().parents[1]

WORKFLOW: dict[Any, Any] = yaml.safe_load((ROOT / ".github/workflows/robustness.yml").read_text())
JOBS: dict[str, dict[str, Any]] = WORKFLOW["jobs"]
STEPS = [step for job in JOBS.values() for step in job["steps"]]


def commands(program: str) -> Iterator[list[str]]:
    """Yield the arguments of each call of ``program``, expressions of the workflow replaced by ``1``."""
    for step in STEPS:
        for line in step.get("run", "").splitlines():
            words = shlex.split(re.sub(r"\$\{\{.*?\}\}", "1", line))
            text = " ".join(words)
            if program in text:
                yield text.partition(program)[2].split()


def test_every_option_of_pytest_is_there() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    shown = subprocess.run(
        [sys.executable, "-m", "pytest", "--help", "-p", "no:cacheprovider"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    ).stdout
    calls = list(commands("pytest benchmarks"))
    options = [word for words in calls for word in words if word.startswith("-")]
    assert "--shard" in options
    assert [option for option in options if not re.search(rf"^  .*(?<!\S){option}(?!\w)", shown, re.M)] == []


def test_every_command_of_reporting_is_there(capsys) -> None:
    calls = list(commands("python -m reporting"))
    assert "merge" in {command for command, *_ in calls}
    for command, *words in calls:
        with pytest.raises(SystemExit, match="0"):
            main([command, "--help"])
        shown = capsys.readouterr().out
        assert [word for word in words if word.startswith("--") and word not in shown] == []


def test_suite_is_there_and_determines_the_key_of_the_cache() -> None:
    ((suite,),) = [
        [words[place + 1] for place, word in enumerate(words) if word == "--suite"]
        for words in commands("pytest benchmarks")
    ]
    assert suite in built_in_suites()
    (restore,) = [step for step in STEPS if step.get("id") == "artifacts"]
    assert f"hashFiles('benchmarks/suites/{suite}.toml', 'requirements.txt')" in restore["with"]["key"]
    assert restore["with"]["key"].startswith(restore["with"]["restore-keys"])


def test_shards_are_counted_from_one_without_a_gap() -> None:
    shards = JOBS["shard"]["strategy"]["matrix"]["shard"]
    assert shards == list(range(1, len(shards) + 1))


def test_actions_are_pinned_to_a_major_version() -> None:
    uses = [step["uses"] for step in STEPS if "uses" in step]
    assert [name for name in uses if not re.fullmatch(r"actions/[a-z/-]+@v\d+", name)] == []


def test_only_the_job_that_comments_may_write_and_only_that() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}
    rights = {name: job.get("permissions", {"contents": "read"}) for name, job in JOBS.items()}
    assert rights == {
        "shard": {"contents": "read"},
        "report": {"contents": "read", "pull-requests": "write"},
    }


def test_nothing_that_others_can_write_gets_into_a_shell() -> None:
    expressions = {text for step in STEPS for text in re.findall(r"\$\{\{(.*?)\}\}", step.get("run", ""))}
    assert {text.strip() for text in expressions} <= {"matrix.shard", "strategy.job-total"}
