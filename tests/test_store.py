"""What stands in the store is whole and made once, whatever happens to processes, disks and files."""

from __future__ import annotations

import errno
import json
import math
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fixtures import store as module
from fixtures.store import MANIFEST, Artifact, DamagedArtifactWarning, Recipe, Store, StoreError

ROOT = Path(__file__).resolve().parents[1]
RECIPE = Recipe("predictions", {"seed": 1, "severities": [1, 2]}, (Recipe("model", {"int8": True}),))
OTHER = Recipe("predictions", {"seed": 2, "severities": [1, 2]}, RECIPE.parents)
CONTENT = b"0123456789" * 100

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(), values, max_size=3),
    max_leaves=6,
)
SETTINGS = st.dictionaries(st.text(), JSON, max_size=4)


class Maker:
    """Makes an artifact of one file, and counts how often."""

    def __init__(self, content: bytes = CONTENT) -> None:
        self.content = content
        self.times = 0

    def __call__(self, draft: Path) -> dict[str, Any]:
        self.times += 1
        (draft / "content.bin").write_bytes(self.content)
        return {"bytes": len(self.content), "name": "content"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


def content_of(artifact: Artifact | None) -> bytes:
    assert artifact is not None
    return (artifact.path / "content.bin").read_bytes()


def entries(directory: Path) -> list[Path]:
    return list(directory.iterdir()) if directory.exists() else []


# Made once, then reused


def test_store_that_has_nothing_gives_nothing(root: Path) -> None:
    assert Store(root).get(RECIPE) is None
    assert not root.exists()


def test_artifact_is_made_once_and_then_reused(root: Path) -> None:
    store, make = Store(root), Maker()
    first, second = store.get_or_make(RECIPE, make), store.get_or_make(RECIPE, make)
    assert make.times == 1
    assert first == second
    assert content_of(first) == CONTENT


def test_artifact_is_reused_by_another_process_later(root: Path) -> None:
    made = Store(root).get_or_make(RECIPE, Maker())
    again = Maker()
    assert Store(root).get_or_make(RECIPE, again) == made
    assert again.times == 0


def test_facts_come_back_with_the_time_that_making_took(root: Path) -> None:
    Store(root).get_or_make(RECIPE, Maker())
    artifact = Store(root).get(RECIPE)
    assert artifact is not None
    facts = dict(artifact.facts)
    assert facts.pop("seconds_to_make") >= 0
    assert facts == {"bytes": len(CONTENT), "name": "content"}


def test_each_recipe_has_an_artifact_of_its_own(root: Path) -> None:
    store = Store(root)
    store.get_or_make(RECIPE, Maker(b"one"))
    store.get_or_make(OTHER, Maker(b"two"))
    assert (content_of(store.get(RECIPE)), content_of(store.get(OTHER))) == (b"one", b"two")


def test_nothing_is_left_of_the_making_but_the_artifact(root: Path) -> None:
    Store(root).get_or_make(RECIPE, Maker())
    assert entries(root / "drafts") == []


# Several processes

PROCESS = """
import json, sys, time
from pathlib import Path
from fixtures.store import Recipe, Store

root, log = Path(sys.argv[1]), Path(sys.argv[2])

def make(draft):
    with log.open("a") as file:
        file.write("made\\n")
    (draft / "content.bin").write_bytes(b"half of")
    while len(sys.argv) > 3:
        time.sleep(60)
    time.sleep(0.5)
    (draft / "content.bin").write_bytes(b"the whole")
    return {}

print(Store(root).get_or_make(Recipe("predictions", {"seed": 1}), make).facts)
"""
IN_PROCESS = Recipe("predictions", {"seed": 1})


def process(root: Path, log: Path, *more: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", PROCESS, str(root), str(log), *more]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def test_processes_that_want_the_same_artifact_make_it_once(root: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    processes = [process(root, log) for _ in range(3)]
    outputs = {one.communicate(timeout=60)[0] for one in processes}
    assert [one.returncode for one in processes] == [0, 0, 0]
    assert len(outputs) == 1
    assert log.read_text().splitlines() == ["made"]


def test_process_killed_while_making_leaves_nothing_that_counts(root: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    killed = process(root, log, "for ever")
    deadline = time.monotonic() + 30
    while not (log.exists() and any(path.is_file() for path in (root / "drafts").rglob("*"))):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
    killed.kill()
    killed.communicate()
    assert len(entries(root / "drafts")) == 1
    assert Store(root).get(IN_PROCESS) is None
    make = Maker()
    assert content_of(Store(root).get_or_make(IN_PROCESS, make)) == CONTENT
    assert make.times == 1


def test_artifact_that_appears_while_the_same_is_being_made_stays(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Store, "_lock", lambda *_: nullcontext())  # such as where locks do nothing
    late = Maker(b"late")

    def make(draft: Path) -> Mapping[str, Any]:
        Store(root).get_or_make(RECIPE, Maker(b"early"))
        return late(draft)

    assert content_of(Store(root).get_or_make(RECIPE, make)) == b"early"
    assert late.times == 1
    assert entries(root / "drafts") == []
    assert content_of(Store(root).get(RECIPE)) == b"early"


# Damage


def flip_a_bit(artifact: Path) -> None:
    content = bytearray((artifact / "content.bin").read_bytes())
    content[500] ^= 0x10
    (artifact / "content.bin").write_bytes(content)


def truncate(artifact: Path) -> None:
    os.truncate(artifact / "content.bin", 999)


def lose_the_file(artifact: Path) -> None:
    (artifact / "content.bin").unlink()


def lose_the_manifest(artifact: Path) -> None:
    (artifact / MANIFEST).unlink()


def truncate_the_manifest(artifact: Path) -> None:
    os.truncate(artifact / MANIFEST, 40)


def empty_the_manifest(artifact: Path) -> None:
    os.truncate(artifact / MANIFEST, 0)


def put_noise_in_the_manifest(artifact: Path) -> None:
    (artifact / MANIFEST).write_bytes(bytes(range(128, 256)))


def put_a_list_in_the_manifest(artifact: Path) -> None:
    (artifact / MANIFEST).write_text("[1, 2]")


def change_manifest(artifact: Path, change: Callable[[dict[str, Any]], object]) -> None:
    manifest = json.loads((artifact / MANIFEST).read_text())
    change(manifest)
    (artifact / MANIFEST).write_text(json.dumps(manifest))


def put_another_recipe_in_the_manifest(artifact: Path) -> None:
    change_manifest(artifact, lambda manifest: manifest["recipe"]["settings"].update(seed=2))


def alter_a_fact(artifact: Path) -> None:
    change_manifest(artifact, lambda manifest: manifest["facts"].update(bytes=7))


def strike_the_file_off_the_manifest(artifact: Path) -> None:
    change_manifest(artifact, lambda manifest: manifest["files"].clear())


DAMAGES = [
    flip_a_bit,
    truncate,
    lose_the_file,
    lose_the_manifest,
    truncate_the_manifest,
    empty_the_manifest,
    put_noise_in_the_manifest,
    put_a_list_in_the_manifest,
    put_another_recipe_in_the_manifest,
    alter_a_fact,
    strike_the_file_off_the_manifest,
]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_damaged_artifact_is_set_aside_and_made_anew(root: Path, damage: Callable[[Path], None]) -> None:
    damage(Store(root).get_or_make(RECIPE, Maker()).path)
    again = Maker(b"made anew")
    with pytest.warns(DamagedArtifactWarning, match="expected a whole artifact at") as warned:
        artifact = Store(root).get_or_make(RECIPE, again)
    assert again.times == 1
    assert content_of(artifact) == b"made anew"
    [aside] = entries(root / "damaged")
    assert str(aside) in str(warned[0].message)


def test_damaged_artifact_is_no_artifact(root: Path) -> None:
    flip_a_bit(Store(root).get_or_make(RECIPE, Maker()).path)
    with pytest.warns(DamagedArtifactWarning, match=r"content\.bin with another digest than its manifest"):
        assert Store(root).get(RECIPE) is None


def test_damage_to_one_artifact_leaves_the_others(root: Path) -> None:
    other = Store(root).get_or_make(OTHER, Maker())
    flip_a_bit(Store(root).get_or_make(RECIPE, Maker()).path)
    with pytest.warns(DamagedArtifactWarning):
        Store(root).get_or_make(RECIPE, Maker())
    assert Store(root).get(OTHER) == other


def test_damaged_artifact_that_cannot_be_set_aside_is_an_error(root: Path) -> None:
    flip_a_bit(Store(root).get_or_make(RECIPE, Maker()).path)
    (root / "damaged").touch()
    with (
        pytest.warns(DamagedArtifactWarning),
        pytest.raises(StoreError, match=r"expected to set the damaged artifact .* --artifacts DIR"),
    ):
        Store(root).get_or_make(RECIPE, Maker())


def test_disk_that_does_not_keep_what_is_written_is_an_error(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(directory: Path) -> None:
        for path in directory.rglob("content.bin"):
            path.write_bytes(b"")

    monkeypatch.setattr(module, "_sync_directory", lose)
    with (
        pytest.warns(DamagedArtifactWarning),
        pytest.raises(StoreError, match="does not keep what is written"),
    ):
        Store(root).get_or_make(RECIPE, Maker())


# What goes wrong while making


def fail_half_way(draft: Path) -> Mapping[str, Any]:
    (draft / "content.bin").write_bytes(b"half of")
    raise ZeroDivisionError


def test_failure_to_make_is_passed_on_and_leaves_nothing(root: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        Store(root).get_or_make(RECIPE, fail_half_way)
    assert entries(root / "drafts") == []
    assert Store(root).get(RECIPE) is None


def test_what_failed_can_be_made_later(root: Path) -> None:
    store = Store(root)
    with pytest.raises(ZeroDivisionError):
        store.get_or_make(RECIPE, fail_half_way)
    assert content_of(store.get_or_make(RECIPE, Maker())) == CONTENT


def test_fact_that_json_does_not_know_is_refused_and_leaves_nothing(root: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        Store(root).get_or_make(RECIPE, lambda _: {"sparsity": math.nan})
    assert entries(root / "drafts") == []
    assert Store(root).get(RECIPE) is None


@pytest.mark.parametrize(
    "number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EPERM, errno.EDQUOT], ids=errno.errorcode.get
)
def test_store_that_cannot_be_written_names_the_option_and_loses_nothing(
    root: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    kept = Store(root).get_or_make(OTHER, Maker())

    def refuse(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", refuse)
        with pytest.raises(StoreError, match="--artifacts DIR") as caught:
            Store(root).get_or_make(RECIPE, Maker())
    assert os.strerror(number) in str(caught.value)
    assert str(root) in str(caught.value)
    assert entries(root / "drafts") == []
    assert Store(root).get(RECIPE) is None
    assert Store(root).get(OTHER) == kept


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("save", [np.save, np.savez], ids=["npy", "npz"])
def test_disk_that_is_full_while_an_array_is_saved_names_the_option(
    root: Path, save: Callable[..., None]
) -> None:
    def make(draft: Path) -> Mapping[str, Any]:
        full = draft / f"array.{'npy' if save is np.save else 'npz'}"
        full.symlink_to("/dev/full")
        save(full, np.zeros(100_000))
        return {}

    with pytest.raises(StoreError, match=r"No space left on device.*--artifacts DIR"):
        Store(root).get_or_make(RECIPE, make)
    assert entries(root / "drafts") == []


def test_file_in_the_place_of_the_store_names_the_option(root: Path) -> None:
    root.touch()
    with pytest.raises(StoreError, match=re.escape(f"below {root}, got 'Not a directory'")):
        Store(root).get_or_make(RECIPE, Maker())


def test_store_that_cannot_even_be_begun_names_the_option(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, *_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(root.parent))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(StoreError, match=r"Read-only file system.*--artifacts DIR"):
        Store(root).get_or_make(RECIPE, Maker())


@pytest.mark.parametrize(
    "failure",
    [
        ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"),
        PermissionError(errno.EACCES, "Permission denied", "/elsewhere/train.png"),
        OSError("cannot identify image file"),
    ],
    ids=["download", "file elsewhere", "no number"],
)
def test_failure_that_is_not_the_stores_is_passed_on(root: Path, failure: OSError) -> None:
    def make(draft: Path) -> Mapping[str, Any]:
        raise failure

    with pytest.raises(OSError, match=re.escape(str(failure))) as caught:
        Store(root).get_or_make(RECIPE, make)
    assert caught.value is failure


# Recipes and their addresses


def turned_round(value: Any) -> Any:
    """Return a JSON value with the keys of every object in the opposite order."""
    if isinstance(value, dict):
        return {key: turned_round(member) for key, member in reversed(value.items())}
    return [turned_round(member) for member in value] if isinstance(value, list) else value


def test_address_of_a_recipe_is_the_same_for_ever() -> None:
    model = sha256(b'{"kind":"model","parents":[],"settings":{"int8":true}}').hexdigest()
    settings = '{"seed":1,"severities":[1,2]}'
    recipe = f'{{"kind":"predictions","parents":["{model}"],"settings":{settings}}}'
    assert RECIPE.address == sha256(recipe.encode()).hexdigest()


@given(SETTINGS)
def test_order_of_keys_does_not_change_an_address(settings: dict[str, Any]) -> None:
    assert Recipe("model", turned_round(settings)).address == Recipe("model", settings).address


@given(SETTINGS, SETTINGS)
def test_other_settings_have_another_address(one: dict[str, Any], other: dict[str, Any]) -> None:
    assume(one != other)
    assert Recipe("model", one).address != Recipe("model", other).address


@given(SETTINGS, st.data())
def test_any_changed_setting_changes_the_address(settings: dict[str, Any], data: st.DataObject) -> None:
    assume(settings)
    key = data.draw(st.sampled_from(sorted(settings)))
    changed = {**settings, key: data.draw(JSON.filter(lambda value: value != settings[key]))}
    assert Recipe("model", changed).address != Recipe("model", settings).address


@given(SETTINGS, SETTINGS)
def test_other_parent_or_grandparent_changes_the_address(one: dict[str, Any], other: dict[str, Any]) -> None:
    assume(one != other)
    for generations in (1, 2):
        children = []
        for settings in (one, other):
            recipe = Recipe("weights", settings)
            for _ in range(generations):
                recipe = Recipe("weights", {}, (recipe,))
            children.append(recipe.address)
        assert children[0] != children[1]


def test_kind_number_and_order_of_parents_change_the_address() -> None:
    one, other = Recipe("weights", {"seed": 1}), Recipe("weights", {"seed": 2})
    recipes = [
        Recipe("model", {}),
        Recipe("weights", {}),
        Recipe("model", {}, (one,)),
        Recipe("model", {}, (one, one)),
        Recipe("model", {}, (one, other)),
        Recipe("model", {}, (other, one)),
    ]
    assert len({recipe.address for recipe in recipes}) == len(recipes)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_number_that_json_does_not_know_has_no_address(value: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        _ = Recipe("model", {"learning_rate": value}).address


def test_value_that_json_does_not_know_has_no_address() -> None:
    with pytest.raises(TypeError, match="not JSON serializable"):
        _ = Recipe("model", {"path": Path("weights.npz")}).address
