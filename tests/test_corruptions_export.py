"""``python -m fixtures.corruptions`` writes a corrupted copy of a data set in the layout of CIFAR-10-C."""

from __future__ import annotations

import errno
import io
import json
import mmap
import os
import pty
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fixtures.corruptions import CORRUPTIONS, corrupt, export, export_inputs
from fixtures.corruptions.__main__ import _parser, main
from fixtures.corruptions.export_inputs import CleanImages, ExportError, Settings
from fixtures.datasets import DatasetError, load_dataset
from fixtures.datasets.decoded import ImageFiles
from fixtures.datasets.notes import NOTES

ROOT = Path(__file__).resolve().parents[1]
SIZE = (9, 12)
ALL = (1, 2, 3, 4, 5)
THREE = ("contrast", "brightness", "pixelate")


def write_image(file: Path, seed: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """Write an image of ``size`` (height, width) and return its pixels."""
    pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(file)
    return pixels


def write_pets(folder: Path) -> np.ndarray:
    """Write five images in two classes and return them in the order in which they should be read."""
    names = ["cat/1.png", "cat/2.bmp", "dog/1.png", "dog/10.png", "dog/2.png"]
    return np.stack([write_image(folder / name, seed) for seed, name in enumerate(names)])


def clean_images(count: int, *, labels: np.ndarray | None = None) -> CleanImages:
    pixels = np.random.default_rng(0).integers(0, 256, (count, *SIZE, 3), np.uint8)
    return CleanImages("some", None, pixels, labels, ())


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def files_of(folder: Path) -> dict[str, bytes]:
    """Return the content of the files below ``folder``, but for the lock."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.name != ".lock")
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def forbid_work(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError("an image was corrupted")

    monkeypatch.setattr(export, "corrupt", refuse)


def observe_work(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int, int]]:
    """Return a list that is going to have (corruption, severity, index) of each image that is corrupted."""
    made: list[tuple[str, int, int]] = []

    def observed(name, images, severity, *, indices, **options):
        made.extend((name, severity, int(index)) for index in indices)
        return corrupt(name, images, severity, indices=indices, **options)

    monkeypatch.setattr(export, "corrupt", observed)
    return made


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    write_pets(tmp_path / "pets")
    return tmp_path / "pets"


@pytest.fixture
def parts_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work through two images of :data:`SIZE` at once."""
    monkeypatch.setattr(export_inputs, "_PART_BYTES", 2 * 3 * SIZE[0] * SIZE[1])


# What is written


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[np.ndarray, Path]:
    """The clean images, and the folder with all corruptions of them at all severities."""
    folder = tmp_path_factory.mktemp("whole")
    images = write_pets(folder / "pets")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(export_inputs, "_PART_BYTES", 2 * images[0].nbytes)
        assert run(folder / "pets", "--out", folder / "out", "--seed", 7) == 0
    return images, folder / "out"


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_file_has_the_corrupted_images_severity_after_severity(whole, name):
    images, folder = whole
    indices = np.arange(len(images))
    expected = np.concatenate([corrupt(name, images, level, seed=7, indices=indices) for level in ALL])
    stream = io.BytesIO()
    np.save(stream, expected)
    assert (folder / f"{name}.npy").read_bytes() == stream.getvalue()


def test_a_file_can_be_mapped_instead_of_read(whole):
    images, folder = whole
    mapped = np.load(folder / "fog.npy", mmap_mode="r")
    assert isinstance(mapped, np.memmap)
    assert (mapped.dtype, mapped.shape) == (np.uint8, (25, *SIZE, 3))
    expected = corrupt("fog", images[4:], 3, seed=7, indices=np.array([4]))
    np.testing.assert_array_equal(mapped[14:15], expected)


def test_labels_are_repeated_for_each_severity(whole):
    labels = np.load(whole[1] / "labels.npy")
    assert labels.dtype == np.uint8
    assert labels.tolist() == [0, 0, 1, 1, 1] * 5


def test_nothing_else_is_written(whole):
    assert set(files_of(whole[1])) == {f"{name}.npy" for name in CORRUPTIONS} | {
        "labels.npy",
        "corruptions.json",
    }


def test_the_record_says_how_the_copy_was_made(whole):
    record = json.loads((whole[1] / "corruptions.json").read_text())
    assert re.fullmatch("[0-9a-f]{64}", record["dataset"].pop("fingerprint"))
    assert record["dataset"] == {
        "name": "pets",
        "split": None,
        "images": 5,
        "height": 9,
        "width": 12,
        "classes": ["cat", "dog"],
    }
    assert (record["seed"], record["scale"], record["severities"]) == (7, "cifar", list(ALL))
    assert set(record["corruptions"]) == set(CORRUPTIONS)
    fog, frost = record["corruptions"]["fog"], record["corruptions"]["frost"]
    assert fog == {"revision": 1, "libraries": {"numpy": np.__version__}, "rows": 25}
    assert frost["textures"] == "shipped"


def test_severities_are_written_in_ascending_order_each_once(pets, out):
    images = write_pets(pets)
    assert (
        run(pets, "--out", out, "--corruptions", "fog", "--severities", 4, 2, 4, "--scale", "imagenet") == 0
    )
    expected = [
        corrupt("fog", images, level, seed=0, indices=np.arange(5), scale="imagenet") for level in (2, 4)
    ]
    np.testing.assert_array_equal(np.load(out / "fog.npy"), np.concatenate(expected))
    assert len(np.load(out / "labels.npy")) == 10


@pytest.mark.parametrize(
    ("largest", "dtype"),
    [(255, np.uint8), (256, np.uint16), (65_535, np.uint16), (65_536, np.int64)],
)
def test_labels_are_as_wide_as_they_need_to_be(out, largest, dtype):
    labels = np.array([0, largest])
    export.export(lambda: clean_images(2, labels=labels), out, Settings(("contrast",), (1,)))
    written = np.load(out / "labels.npy")
    assert written.dtype == dtype
    np.testing.assert_array_equal(written, labels)


def test_the_original_frost_photographs_can_be_used(pets, out, tmp_path):
    photographs = tmp_path / "photographs"
    for seed, name in enumerate(("frost1.png", "frost2.png", "frost3.png", "frost4.jpg", "frost5.jpg")):
        write_image(photographs / name, seed, (100, 120))
    assert run(pets, "--out", out, "--corruptions", "frost", "--frost-textures", photographs) == 0
    images = write_pets(pets)
    expected = corrupt("frost", images, 1, seed=0, indices=np.arange(5), frost_textures=photographs)
    np.testing.assert_array_equal(np.load(out / "frost.npy")[:5], expected)
    textures = json.loads((out / "corruptions.json").read_text())["corruptions"]["frost"]["textures"]
    assert set(textures) == {path.name for path in photographs.iterdir()}


# What is read


@pytest.mark.parametrize("split", ["test", "train"])
def test_a_data_set_is_named(out, split):
    assert run("digits", "--out", out, "--split", split, "--corruptions", "contrast", "--severities", 3) == 0
    digits = getattr(load_dataset("digits", data_dir=Path()), split)
    written = np.load(out / "contrast.npy", mmap_mode="r")
    expected = corrupt("contrast", digits.images[-9:], 3, seed=0, indices=np.arange(len(digits))[-9:])
    np.testing.assert_array_equal(written[-9:], expected)
    np.testing.assert_array_equal(np.load(out / "labels.npy"), digits.labels)
    assert json.loads((out / "corruptions.json").read_text())["dataset"]["fingerprint"] == digits.fingerprint


@pytest.mark.parametrize(
    ("options", "classes"), [((), 3), (("--split", "test"), 3), (("--split", "train"), 1)]
)
def test_one_split_of_a_folder_is_corrupted(out, tmp_path, options, classes):
    for number in range(4):
        write_image(tmp_path / "two" / ("train" if number == 0 else "test") / "a" / f"{number}.png", number)
    assert run(tmp_path / "two", "--out", out, "--corruptions", "contrast", *options) == 0
    assert len(np.load(out / "labels.npy")) == 5 * classes


def test_images_without_classes_are_ordered_by_name_and_have_no_labels(out, tmp_path):
    images = [write_image(tmp_path / "flat" / f"{name}.png", int(name)) for name in ("1", "10", "2")]
    assert run(tmp_path / "flat", "--out", out, "--corruptions", "contrast") == 0
    expected = corrupt("contrast", np.stack(images), 1, seed=0, indices=np.arange(3))
    np.testing.assert_array_equal(np.load(out / "contrast.npy")[:3], expected)
    assert set(files_of(out)) == {"contrast.npy", "corruptions.json"}


def test_the_folder_of_images_is_only_read(pets, out):
    before = files_of(pets)
    assert run(pets, "--out", out, "--corruptions", "contrast") == 0
    assert files_of(pets) == before


# Going on


def uninterrupted(out: Path) -> dict[str, bytes]:
    """Return what the export of :func:`killed_export` writes if nobody stops it."""
    assert run(out.parent / "pets", "--out", out, "--corruptions", *THREE) == 0
    return files_of(out)


def killed_export(pets: Path, out: Path, event: str, number: int) -> None:
    """Export in a process of its own that is killed at the ``number``-th ``event``, before it happens."""
    script = f"""
import os, pathlib, signal, sys
from fixtures.corruptions import export, export_inputs
from fixtures.corruptions.__main__ import main

export_inputs._PART_BYTES = {2 * 3 * SIZE[0] * SIZE[1]}

def deadly(owner, name, left=[{number}]):
    act = getattr(owner, name)
    def counted(*arguments, **options):
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        return act(*arguments, **options)
    setattr(owner, name, counted)

events = {{"corrupt": (export, "corrupt"), "flush": (os, "fsync"), "rename": (pathlib.Path, "replace")}}
deadly(*events[{event!r}])
main({[str(pets), "--out", str(out), "--corruptions", *THREE]!r})
"""
    killed = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, check=False, capture_output=True, text=True, timeout=120
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr


@pytest.mark.parametrize(
    "kill",
    [
        ("corrupt", 1),
        ("corrupt", 8),  # in the first file
        ("corrupt", 20),  # in the second file
        ("flush", 2),  # the record is there, the labels are not
        ("flush", 5),  # a part is written, but not yet safe
        ("flush", 6),  # a part is safe, but not yet noted
        ("rename", 4),
        ("rename", 19),  # the first file is complete, but does not have its name yet
    ],
)
def test_what_was_killed_goes_on_and_ends_the_same(pets, out, parts_of_two, monkeypatch, kill):
    expected = uninterrupted(out.with_name("uninterrupted"))
    killed_export(pets, out, *kill)
    record = out / "corruptions.json"
    noted = json.loads(record.read_text())["corruptions"] if record.exists() else {}
    made = observe_work(monkeypatch)
    assert run(pets, "--out", out, "--corruptions", *THREE) == 0
    assert files_of(out) == expected
    done = {name: noted.get(name, {"rows": 0})["rows"] for name in THREE}
    rows = [(name, row // 5 + 1, row % 5) for name, first in done.items() for row in range(first, 25)]
    assert made == rows


def test_kills_happen_where_the_test_means_them(pets, out):
    """The numbers above mean what their comments say."""
    killed_export(pets, out, "rename", 19)
    assert (out / "contrast.npy.part").exists()
    assert not (out / "contrast.npy").exists()
    assert json.loads((out / "corruptions.json").read_text())["corruptions"]["contrast"]["rows"] == 25


def test_a_second_run_makes_nothing(pets, out, monkeypatch, capsys):
    assert run(pets, "--out", out, "--corruptions", "contrast") == 0
    before = files_of(out)
    forbid_work(monkeypatch)
    assert run(pets, "--out", out, "--corruptions", "contrast") == 0
    assert files_of(out) == before
    assert "contrast: is there already" in capsys.readouterr().err


def test_corruptions_can_be_added(pets, out, monkeypatch):
    assert run(pets, "--out", out, "--corruptions", "contrast") == 0
    made = observe_work(monkeypatch)
    assert run(pets, "--out", out, "--corruptions", "contrast", "fog") == 0
    assert {name for name, _, _ in made} == {"fog"}
    assert list(json.loads((out / "corruptions.json").read_text())["corruptions"]) == ["contrast", "fog"]


def test_a_part_that_has_been_removed_is_made_again(pets, out, parts_of_two, tmp_path):
    expected = uninterrupted(tmp_path / "uninterrupted")
    killed_export(pets, out, "corrupt", 8)
    (out / "contrast.npy.part").unlink()
    uninterrupted(out)
    assert files_of(out) == expected


def test_an_interruption_from_the_keyboard_keeps_all_that_was_made(pets, out, parts_of_two, monkeypatch):
    made = []

    def interrupt_the_third(name, images, severity, *, indices, **options):
        if len(made) == 2:
            raise KeyboardInterrupt
        made.append(indices)
        return corrupt(name, images, severity, indices=indices, **options)

    monkeypatch.setattr(export, "corrupt", interrupt_the_third)
    assert run(pets, "--out", out, "--corruptions", "contrast") == 130
    assert json.loads((out / "corruptions.json").read_text())["corruptions"]["contrast"]["rows"] == 4


def test_an_interruption_from_the_keyboard_is_no_traceback(pets, out, monkeypatch, capsys):
    def interrupt(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(export, "corrupt", interrupt)
    assert run(pets, "--out", out, "--corruptions", "contrast") == 130
    assert "the same command goes on" in capsys.readouterr().err


# Other settings


def assert_refused(capsys: pytest.CaptureFixture[str], code: int, *words: str) -> None:
    """Assert that there was one clear error that has ``words``."""
    shown = capsys.readouterr()
    assert code == 2
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    assert shown.err.startswith("python -m fixtures.corruptions: expected ")
    for word in words:
        assert word in shown.err


@pytest.mark.parametrize(
    ("options", "difference"),
    [
        (("--seed", 1), "seed is 0 there and 1 here"),
        (("--scale", "imagenet"), "scale is 'cifar' there and 'imagenet' here"),
        (("--severities", 1, 2), "severities is [1, 2, 3, 4, 5] there and [1, 2] here"),
    ],
)
def test_other_settings_are_not_mixed_in(pets, out, capsys, options, difference):
    run(pets, "--out", out, "--corruptions", "contrast")
    before = files_of(out)
    capsys.readouterr()
    code = run(pets, "--out", out, "--corruptions", "contrast", "fog", *options)
    assert_refused(capsys, code, difference, "another --out", "remove")
    assert {name: files_of(out)[name] for name in before} == before
    assert not (out / "fog.npy").exists()


def test_other_images_are_not_mixed_in(pets, out, capsys):
    run(pets, "--out", out, "--corruptions", "contrast")
    write_image(pets / "cat" / "1.png", 99)
    capsys.readouterr()
    assert_refused(capsys, run(pets, "--out", out, "--corruptions", "fog"), "dataset.fingerprint is")


def test_other_versions_are_not_mixed_into_a_file(pets, out, capsys, monkeypatch):
    run(pets, "--out", out, "--corruptions", "contrast")
    monkeypatch.setattr(export_inputs, "library_versions", lambda _: {"numpy": "9.9"})
    capsys.readouterr()
    code = run(pets, "--out", out, "--corruptions", "contrast")
    assert_refused(capsys, code, "corruptions.contrast.libraries.numpy is", "'9.9' here")
    assert run(pets, "--out", out, "--corruptions", "brightness") == 0


# Wrong input


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--corruptions", "fgo"), ("'fgo'", "try 'fog'")),
        (("--severities", "0"), ("1 to 5", "got 0")),
        (("--severities", "1", "6"), ("1 to 5", "got 6")),
        (("--split", "train"), ("--split train", "leave --split out")),
        (("--frost-textures", "nowhere"), ("frost photograph", "nowhere")),
    ],
)
def test_a_wrong_option_is_explained(pets, out, capsys, options, words):
    assert_refused(capsys, run(pets, "--out", out, *options), *words)
    assert not out.exists()


def test_an_unknown_data_set_is_explained(out, capsys, tmp_path):
    assert_refused(capsys, run("cifar01", "--out", out), "'cifar01'", "did you mean 'cifar10'?")
    assert_refused(capsys, run("image_folder", "--out", out), "the path of a folder")
    (tmp_path / "file").touch()
    assert_refused(capsys, run(tmp_path / "file", "--out", out), "no folder")
    assert not out.exists()


def spoil_by_size(folder: Path) -> None:
    write_image(folder / "dog" / "3.png", 0, (9, 13))


def spoil_by_text(folder: Path) -> None:
    (folder / "cat" / "notes.txt").touch()


def spoil_by_a_file_beside_the_classes(folder: Path) -> None:
    write_image(folder / "3.png", 0)


def spoil_by_an_empty_class(folder: Path) -> None:
    (folder / "fish").mkdir()


def spoil_by_half_an_image(folder: Path) -> None:
    file = folder / "cat" / "2.bmp"
    file.write_bytes(file.read_bytes()[:60])


def spoil_by_a_lonely_split(folder: Path) -> None:
    shutil.copytree(folder, folder / "test")
    for name in ("cat", "dog"):
        shutil.rmtree(folder / name)


def spoil_by_a_class_in_one_split(folder: Path) -> None:
    spoil_by_a_lonely_split(folder)
    write_image(folder / "train" / "cat" / "1.png", 0)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (spoil_by_size, ("3.png to be 9x12", "got 9x13", "resized")),
        (spoil_by_text, ("only images", "notes.txt")),
        (spoil_by_a_file_beside_the_classes, ("got both", "3.png", "cat")),
        (spoil_by_an_empty_class, ("images in", "fish", "got none")),
        (spoil_by_half_an_image, ("2.bmp", "whole image")),
        (spoil_by_a_lonely_split, ("only images", "test", "got cat")),
        (spoil_by_a_class_in_one_split, ("same classes", "'dog'")),
    ],
)
def test_a_folder_that_cannot_be_read_is_explained(pets, out, capsys, spoil, words):
    spoil(pets)
    assert_refused(capsys, run(pets, "--out", out), *words)
    assert [name for name in files_of(out) if not name.startswith(".")] == []


def test_a_target_among_the_images_is_explained(pets, capsys):
    assert_refused(capsys, run(pets, "--out", pets / "corrupted"), "outside of the folder")
    assert not (pets / "corrupted").exists()


@pytest.mark.parametrize("name", ["contrast.npy", "labels.npy"])
def test_a_file_of_somebody_else_is_not_replaced(pets, out, capsys, name):
    out.mkdir()
    (out / name).write_bytes(b"precious")
    assert_refused(capsys, run(pets, "--out", out, "--corruptions", "contrast"), name)
    assert (out / name).read_bytes() == b"precious"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"corruptions": {"fog": {"rows": "all"}}}'])
def test_a_damaged_record_is_explained(pets, out, capsys, content):
    out.mkdir()
    (out / "corruptions.json").write_text(content)
    assert_refused(capsys, run(pets, "--out", out), "corruptions.json", "damaged")


# Targets


def test_a_target_that_is_a_file_is_explained(pets, out, capsys):
    out.touch()
    assert_refused(capsys, run(pets, "--out", out), "to write to", "exists")
    assert_refused(capsys, run(pets, "--out", out / "below"), "to write to", "Not a directory")


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.ENOSPC], ids=errno.errorcode.get)
def test_a_target_that_cannot_be_written_is_explained(pets, out, capsys, monkeypatch, number):
    def fail(*arguments: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(export, "_put", fail)
    code = run(pets, "--out", out, "--corruptions", "contrast")
    assert_refused(capsys, code, os.strerror(number), "another --out")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write to every folder")
def test_a_folder_without_the_right_to_write_is_explained(pets, out, capsys):
    out.mkdir(mode=0o500)
    assert_refused(capsys, run(pets, "--out", out), "to write to", "Permission denied")


def test_a_disk_without_room_is_noticed_before_work(pets, out, capsys, monkeypatch):
    class Usage:
        free = 10_000

    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage)
    forbid_work(monkeypatch)
    assert_refused(capsys, run(pets, "--out", out, "--corruptions", "contrast", "fog"), "MB of free space")


def test_a_disk_that_fills_up_is_explained_and_work_goes_on_with_room(pets, out, tmp_path, parts_of_two):
    expected = uninterrupted(tmp_path / "uninterrupted")
    script = f"""
import resource
from fixtures.corruptions import export_inputs
from fixtures.corruptions.__main__ import main

export_inputs._PART_BYTES = {2 * 3 * SIZE[0] * SIZE[1]}
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, resource.RLIM_INFINITY))
raise SystemExit(main({[str(pets), "--out", str(out), "--corruptions", *THREE]!r}))
"""
    stopped = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, check=False, capture_output=True, text=True, timeout=120
    )
    assert stopped.returncode == 2
    assert "File too large" in stopped.stderr
    assert "Traceback" not in stopped.stderr
    assert 0 < json.loads((out / "corruptions.json").read_text())["corruptions"]["contrast"]["rows"] < 25
    uninterrupted(out)
    assert files_of(out) == expected


def test_two_exports_do_not_share_a_target(pets, out):
    seconds: list[subprocess.CompletedProcess[str]] = []

    def read_while_another_begins() -> CleanImages:
        command = [sys.executable, "-m", "fixtures.corruptions", str(pets), "--out", str(out)]
        seconds.append(
            subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=120)
        )
        return clean_images(2)

    export.export(read_while_another_begins, out, Settings(("contrast",), (1,)))
    (second,) = seconds
    assert second.returncode == 2
    assert "another export that is writing there" in second.stderr
    assert "Traceback" not in second.stderr


# Cost and looks


def peak_memory(script: str, *arguments: object) -> int:
    """Return the largest resident memory, in MB, of a process of its own that runs ``script``."""
    report = """
from pathlib import Path
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(int(status["VmHWM"].split()[0]) // 1024)
"""
    done = subprocess.run(
        [sys.executable, "-c", script + report, *map(str, arguments)],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout.splitlines()[-1])


def test_memory_does_not_grow_with_the_images(tmp_path):
    script = """
import sys
import numpy as np
from pathlib import Path
from fixtures.corruptions.export import export
from fixtures.corruptions.export_inputs import CleanImages, Settings

folder = Path(sys.argv[1])
shape = (200, 512, 512, 3)
np.lib.format.open_memmap(folder / "clean.npy", mode="w+", dtype=np.uint8, shape=shape)
images = np.load(folder / "clean.npy", mmap_mode="r")
export(lambda: CleanImages("big", None, images, None, ()), folder / "out", Settings(("contrast",), (1,)))
"""
    assert peak_memory(script, tmp_path) < 190  # MB; without care the images' 157 come on top of 100
    shutil.rmtree(tmp_path / "out")


def test_the_largest_data_set_that_is_held_stays_below_300_megabytes(tmp_path):
    folder = tmp_path / "cifar-100-binary"
    folder.mkdir()
    for name, records in (("train.bin", 50_000), ("test.bin", 10_000)):
        with (folder / name).open("wb") as stream:
            stream.truncate(records * 3074)
    script = "import sys\nfrom fixtures.corruptions.__main__ import main\nassert main(sys.argv[1:]) == 0\n"
    which = ["cifar100", "--split", "train", "--corruptions", "contrast", "--severities", 1]
    assert peak_memory(script, *which, "--data", tmp_path, "--out", tmp_path / "out") < 300
    shutil.rmtree(tmp_path / "out")


def holder_of(array: np.ndarray) -> object:
    """Return what holds the memory of ``array``."""
    owner: object = array
    while isinstance(owner, np.ndarray):
        owner = owner.base
    return owner


@pytest.fixture
def unkept(tmp_path: Path) -> tuple[ImageFiles, np.ndarray]:
    """Image files beside which nothing can be kept, and their pixels."""
    pixels = [write_image(tmp_path / "images" / f"{seed}.png", seed) for seed in range(3)]
    (tmp_path / "images" / NOTES).write_text("in the way of the folder")
    files = tuple(tmp_path / "images" / f"{seed}.png" for seed in range(3))
    return ImageFiles("some", tmp_path / "images", files, np.zeros(3, np.int64), SIZE), np.stack(pixels)


@pytest.mark.filterwarnings("ignore:the decoded images")
def test_images_that_cannot_be_kept_beside_are_mapped_all_the_same(unkept, tmp_path, monkeypatch):
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    files, pixels = unkept
    images = files.as_split().images
    np.testing.assert_array_equal(images, pixels)
    assert isinstance(holder_of(images), mmap.mmap)
    assert list((tmp_path / "temporary").iterdir()) == []


@pytest.mark.filterwarnings("ignore:the decoded images")
def test_no_room_for_decoded_images_anywhere_is_explained(unkept, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(DatasetError, match=r"0\.0 MB of decoded images .*No such file.*TMPDIR"):
        len(unkept[0].as_split())


def test_a_part_is_written_while_the_next_one_is_made(pets, out, parts_of_two, monkeypatch):
    next_is_begun = threading.Semaphore(0)
    append = export._append

    def corrupt_and_tell(name, images, severity, *, indices, **options):
        if indices[0] > 0:
            next_is_begun.release()
        return corrupt(name, images, severity, indices=indices, **options)

    def wait_and_append(images, stream, *, rows, **options):
        assert rows == 5 or next_is_begun.acquire(timeout=60)
        append(images, stream, rows=rows, **options)

    monkeypatch.setattr(export, "corrupt", corrupt_and_tell)
    monkeypatch.setattr(export, "_append", wait_and_append)
    assert run(pets, "--out", out, "--corruptions", "contrast", "--severities", 1) == 0


def test_without_a_terminal_there_is_a_line_for_each_corruption(pets, out, capsys):
    run(pets, "--out", out, "--corruptions", "contrast", "brightness")
    shown = capsys.readouterr()
    lines = [re.sub(r"[0-9.]+ s", "T", line) for line in shown.err.splitlines()]
    assert lines == ["contrast: 25 images in T", "brightness: 25 images in T"]
    assert shown.out == f"Written to {out}: 2 corruptions x 5 severities x 5 images\n"


def test_on_a_terminal_there_is_a_bar_for_each_corruption(pets, out):
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 100))
    target = ["--out", str(out), "--corruptions", *THREE]
    command = [sys.executable, "-m", "fixtures.corruptions", str(pets), *target]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, stderr=theirs, timeout=120)
    shown = os.read(ours, 1 << 16).decode()
    os.close(ours)
    os.close(theirs)
    for name in THREE:
        assert re.search(rf"{name}: 100%.*25/25", shown)
    assert "25 images in" not in shown


def test_the_examples_of_the_help_are_right(capsys):
    with pytest.raises(SystemExit):
        run("--help")
    shown = capsys.readouterr().out
    examples = re.findall("python -m fixtures.corruptions (.*--out.*)", shown)
    assert len(examples) >= 2
    for example in examples:
        options = _parser().parse_args(shlex.split(example))
        Settings(tuple(options.corruptions), tuple(options.severities), options.scale)
    assert all(name in shown for name in CORRUPTIONS)


def test_settings_that_cannot_be_applied_are_refused_at_once():
    with pytest.raises(ExportError, match="scale"):
        Settings(("fog",), (1,), scale="mnist")
