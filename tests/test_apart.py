"""A process apart is asked again while it is small, told of its failures, and gone when nobody asks."""

from __future__ import annotations

import gc
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from benchmarks.cases import Variant
from benchmarks.suite import load_suite
from fixtures import apart as module
from fixtures.apart import Apart, MakingError
from fixtures.compression.claims import ClaimError
from fixtures.known import known_names
from fixtures.maker import WEIGHTS_FILE
from fixtures.recipes import weights_recipe
from fixtures.store import Store
from fixtures.suite_data import SuiteData

ORIGINAL, PRUNED = (Variant("digits", "vgg6", technique) for technique in ("original", "pruned"))

#: Work that needs no TensorFlow, in a module that a suite can name.
WORK = """
import os, sys, time
import __main__ as making
from fixtures.compression.claims import ClaimError

def say(maker, task):
    maker._progress(f"{os.getpid()} {task['text']}")

def refuse(maker, task):
    raise ClaimError(task["text"])

def break_down(maker, task):
    print("what it said before", file=sys.stderr)
    raise RuntimeError("broken")

def wait(maker, task):
    maker._progress(str(os.getpid()))
    time.sleep(600)

making.WORK = {"say": say, "refuse": refuse, "break": break_down, "wait": wait}
"""


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def place(tmp_path: Path) -> Callable[..., Apart]:
    """Makes what asks for :data:`WORK`."""
    work = tmp_path / "work.py"
    work.write_text(WORK)
    suite = load_suite("quick", known_names()).model_copy(update={"module": str(work)})
    return lambda tell: Apart(suite, tmp_path / "store", tmp_path, tell)


def said(apart: Apart, lines: list[str], *texts: str) -> int:
    """Return the process that says ``texts``."""
    lines.clear()
    apart.do([{"work": "say", "text": text} for text in texts], "saying")
    pids, heard = zip(*(line.split(maxsplit=1) for line in lines), strict=True)
    assert heard == texts
    assert len(set(pids)) == 1
    return int(pids[0])


def test_a_small_process_is_kept_for_more_work(place: Any, lines: list[str]) -> None:
    apart = place(lines.append)
    assert said(apart, lines, "one", "two") == said(apart, lines, "three") != os.getpid()


def test_a_large_one_is_not(place: Any, lines: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT_BYTES", 1_000_000)
    apart = place(lines.append)
    first = said(apart, lines, "one")
    assert not psutil.pid_exists(first)
    assert said(apart, lines, "two") != first


def test_one_that_was_killed_while_idle_is_replaced(place: Any, lines: list[str]) -> None:
    apart = place(lines.append)
    first = said(apart, lines, "one")
    os.kill(first, signal.SIGKILL)
    psutil.Process(first).wait(60)
    assert said(apart, lines, "two") != first


def test_a_known_failure_is_raised_here_and_work_goes_on(place: Any, lines: list[str]) -> None:
    apart = place(lines.append)
    tasks = [{"work": "refuse", "text": "not what it claims"}, {"work": "say", "text": "never"}]
    with pytest.raises(ClaimError, match=r"^not what it claims$"):
        apart.do(tasks, "refusing")
    assert lines == []
    said(apart, lines, "again")


def test_a_crash_is_explained_by_its_last_words(place: Any, lines: list[str]) -> None:
    apart = place(lines.append)
    with pytest.raises(MakingError, match=r"(?s)\(breaking\).*exit code 1.*before.*RuntimeError: broken"):
        apart.do([{"work": "break"}], "breaking")
    said(apart, lines, "again")


def test_one_killed_at_work_is_told_by_its_signal(place: Any) -> None:
    def kill(line: str) -> None:
        os.kill(int(line), signal.SIGKILL)

    with pytest.raises(MakingError, match="exit code -9"):
        place(kill).do([{"work": "wait"}], "waiting")


def test_it_ends_when_who_asks_is_interrupted(place: Any) -> None:
    pids: list[int] = []

    def interrupt(line: str) -> None:
        pids.append(int(line))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        place(interrupt).do([{"work": "wait"}], "waiting")
    assert not psutil.pid_exists(pids[0])


def test_it_ends_with_who_asks(place: Any, lines: list[str]) -> None:
    apart = place(lines.append)
    process = said(apart, lines, "one")
    assert psutil.pid_exists(process)
    del apart
    gc.collect()
    assert not psutil.pid_exists(process)


def test_a_network_trained_after_another_in_one_process_is_the_one_trained_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KEPT_BYTES", 1 << 40)
    settings = ["data.train_images=64", "training.epochs=1", "fine_tuning.epochs=1", "model.width=0.1"]
    suite = load_suite("quick", known_names(), settings)
    fingerprint = SuiteData(suite, tmp_path).dataset("digits").train.fingerprint

    def weights(store: Store) -> list[np.ndarray]:
        artifact = store.get(weights_recipe(suite, PRUNED, fingerprint))
        assert artifact is not None
        with np.load(artifact.path / WEIGHTS_FILE) as arrays:
            return [arrays[name] for name in sorted(arrays.files)]

    after, alone = Store(tmp_path / "after"), Store(tmp_path / "alone")
    apart = Apart(suite, after.root, tmp_path, lambda _: None)
    apart.train(ORIGINAL)
    shutil.copytree(after.root, alone.root)
    apart.train(PRUNED)
    Apart(suite, alone.root, tmp_path, lambda _: None).train(PRUNED)
    for one, other in zip(weights(after), weights(alone), strict=True):
        np.testing.assert_array_equal(one, other)
