"""What times something has the machine to itself, whatever its neighbours do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from fixtures import exclusive as machine

ROOT = Path(__file__).resolve().parents[1]

# Says by files how far it got, and leaves when a file says so.  The idle thread stands for those that workers
# have: in a process of several threads the lock underneath waits less fairly.
NEIGHBOUR = """
import sys, threading, time
from pathlib import Path
from fixtures import exclusive as machine

how, lock, name = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
threading.Thread(target=time.sleep, args=(3600,), daemon=True).start()
name.with_suffix(".asks").touch()
with getattr(machine, how)(lock):
    name.with_suffix(".in").touch()
    while not name.with_suffix(".leave").exists():
        time.sleep(0.02)
"""

FORK = """
    import os
    if child := os.fork():
        name.with_suffix(".child").write_text(str(child))
"""


class Neighbour:
    """A process that holds the machine, or waits for it, until told to leave."""

    started: ClassVar[list[Neighbour]] = []

    def __init__(self, how: str, lock: Path, program: str = NEIGHBOUR) -> None:
        self.name = lock.parent.parent / f"{how}{len(self.started)}"
        self.started.append(self)
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-c", program, how, str(lock), str(self.name)]
        self.process = subprocess.Popen(command, env=environment)
        wait_for(self.name.with_suffix(".asks").exists)

    @property
    def is_in(self) -> bool:
        return self.name.with_suffix(".in").exists()

    def comes_in(self) -> bool:
        wait_for(lambda: self.is_in)
        return True

    def leaves(self) -> None:
        self.name.with_suffix(".leave").touch()
        assert self.process.wait(10) == 0


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def stay_out(*neighbours: Neighbour) -> bool:
    time.sleep(0.6)
    return not any(neighbour.is_in for neighbour in neighbours)


@pytest.fixture
def lock(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "locks" / "machine.db"
    while Neighbour.started:
        Neighbour.started.pop().process.kill()


def test_computing_processes_hold_the_machine_together(lock: Path) -> None:
    assert all(neighbour.comes_in() for neighbour in (Neighbour("shared", lock), Neighbour("shared", lock)))


def test_timing_process_waits_for_computing_ones(lock: Path) -> None:
    computing = Neighbour("shared", lock)
    assert computing.comes_in()
    timing = Neighbour("exclusive", lock)
    assert stay_out(timing)
    computing.leaves()
    assert timing.comes_in()


def test_timing_process_keeps_out_everybody_else(lock: Path) -> None:
    timing = Neighbour("exclusive", lock)
    assert timing.comes_in()
    others = Neighbour("shared", lock), Neighbour("exclusive", lock)
    assert stay_out(*others)
    timing.leaves()
    wait_for(lambda: any(other.is_in for other in others))


def test_timing_process_gets_in_although_computing_ones_keep_coming(lock: Path) -> None:
    first = Neighbour("shared", lock)
    assert first.comes_in()
    timing = Neighbour("exclusive", lock)
    later = [Neighbour("shared", lock) for _ in range(4)]
    assert stay_out(timing, *later)
    first.leaves()
    assert timing.comes_in()
    assert stay_out(*later)
    timing.leaves()
    assert all(neighbour.comes_in() for neighbour in later)


@pytest.mark.parametrize("how", ["shared", "exclusive"])
def test_killed_holder_lets_go(lock: Path, how: str) -> None:
    holder = Neighbour(how, lock)
    assert holder.comes_in()
    holder.process.kill()
    assert Neighbour("exclusive", lock).comes_in()


def test_killed_waiter_lets_others_in(lock: Path) -> None:
    holder = Neighbour("shared", lock)
    assert holder.comes_in()
    waiter = Neighbour("exclusive", lock)
    assert stay_out(waiter)
    waiter.process.kill()
    assert Neighbour("shared", lock).comes_in()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("how", ["shared", "exclusive"])
def test_forked_child_does_not_hold_on_for_a_killed_parent(lock: Path, how: str) -> None:
    holder = Neighbour(how, lock, NEIGHBOUR.replace("    while", FORK + "    while"))
    child = holder.name.with_suffix(".child")
    wait_for(lambda: child.exists() and bool(child.read_text()))
    try:
        holder.process.kill()
        assert Neighbour("exclusive", lock).comes_in()
    finally:
        os.kill(int(child.read_text()), signal.SIGKILL)


def test_asking_for_the_machine_alone_while_sharing_it_is_an_error(lock: Path) -> None:
    with (
        machine.shared(lock),
        pytest.raises(RuntimeError, match="expected a process that holds nothing"),
        machine.exclusive(lock),
    ):
        pass


@pytest.mark.parametrize("inner", [machine.shared, machine.exclusive])
def test_block_within_an_exclusive_one_leaves_it_exclusive(lock: Path, inner: Callable) -> None:
    with machine.exclusive(lock):
        with inner(lock):
            pass
        assert stay_out(Neighbour("shared", lock))


def test_block_within_a_shared_one_leaves_it_shared_although_somebody_waits(lock: Path) -> None:
    with machine.shared(lock):
        timing = Neighbour("exclusive", lock)
        assert stay_out(timing)
        with machine.shared(lock):
            pass
        assert stay_out(timing)
    assert timing.comes_in()


@pytest.mark.parametrize("hold", [machine.shared, machine.exclusive])
def test_failure_within_a_block_lets_go(lock: Path, hold: Callable) -> None:
    with pytest.raises(ZeroDivisionError), hold(lock):
        raise ZeroDivisionError
    assert Neighbour("exclusive", lock).comes_in()


def test_default_lock_file_is_in_a_directory_of_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with machine.shared():
        assert machine.lock_file().parent.parent == tmp_path
        assert machine.lock_file().exists()
        assert machine.lock_file().parent.stat().st_mode & 0o077 == 0 or os.name == "nt"


@pytest.mark.parametrize(("how", "by"), [("shared", "exclusive"), ("exclusive", "shared")])
def test_long_wait_is_told(lock: Path, monkeypatch: pytest.MonkeyPatch, how: str, by: str) -> None:
    monkeypatch.setattr(machine, "PATIENCE", 0.05)
    neighbour = Neighbour(by, lock)
    wait_for(lambda: neighbour.is_in)
    told: list[str] = []

    def tell(line: str) -> None:
        told.append(line)
        neighbour.name.with_suffix(".leave").touch()

    with getattr(machine, how)(lock, tell):
        assert len(told) == 1
        assert "waits" in told[0]


def test_short_wait_is_not_told(lock: Path) -> None:
    told: list[str] = []
    with machine.shared(lock, told.append):
        assert told == []
