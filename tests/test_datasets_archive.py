"""Getting the files of a published data set, over a good, a bad and no connection."""

from __future__ import annotations

import gc
import hashlib
import io
import os
import signal
import socket
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from fixtures.datasets import DatasetError
from fixtures.datasets import archive as archives
from fixtures.datasets.archive import Archive, unpacked

ROOT = Path(__file__).resolve().parents[1]
# After a connection that broke, the client library leaves closing its socket to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

CONTENT = bytes(range(256)) * 2000


def tarball() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=0) as tar:
        member = tarfile.TarInfo("things/data.bin")
        member.size = len(CONTENT)
        tar.addfile(member, io.BytesIO(CONTENT))
    return buffer.getvalue()


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("things/data.bin", CONTENT)
    return buffer.getvalue()


def describe(packed: bytes, url: str) -> Archive:
    return Archive(
        url=url, size=len(packed), digest=f"md5:{hashlib.md5(packed).hexdigest()}", folder="things"
    )


class Publisher:
    """A web server on this machine whose answers a test decides on."""

    def __init__(self) -> None:
        self.requests = 0
        self.ranges: list[str | None] = []
        self.answer: Callable[[BaseHTTPRequestHandler], None] = self.whole
        self.body = tarball()
        publisher = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                publisher.requests += 1
                publisher.ranges.append(self.headers["Range"])
                publisher.answer(self)

            def log_message(self, *args: object) -> None:
                """Keep the output of the tests clean."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def archive(self) -> Archive:
        return describe(self.body, f"http://127.0.0.1:{self.server.server_port}/things.tar.gz")

    def head(self, to: BaseHTTPRequestHandler, length: int, status: int = 200) -> None:
        to.send_response(status)
        to.send_header("Content-Length", str(length))
        to.end_headers()

    def whole(self, to: BaseHTTPRequestHandler) -> None:
        self.head(to, len(self.body))
        to.wfile.write(self.body)

    def half(self, to: BaseHTTPRequestHandler) -> None:
        self.head(to, len(self.body))
        to.wfile.write(self.body[: len(self.body) // 2])

    def half_then_whole(self, to: BaseHTTPRequestHandler) -> None:
        (self.half if self.requests == 1 else self.whole)(to)

    def half_then_silence(self, to: BaseHTTPRequestHandler) -> None:
        self.half(to)
        to.wfile.flush()
        time.sleep(60)

    def rest(self, to: BaseHTTPRequestHandler) -> None:
        """Answer with what was asked for, as a server does that can go on where a download broke off."""
        asked = to.headers["Range"]
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        self.head(to, len(self.body) - start, status=206 if asked else 200)
        to.wfile.write(self.body[start:])

    def rest_in_pieces(self, to: BaseHTTPRequestHandler) -> None:
        """Break off after a sixth of the file, each time."""
        whole, write = len(self.body), to.wfile.write
        to.wfile.write = lambda content: write(content[: whole // 6 + 1])  # type: ignore[method-assign]
        self.rest(to)

    def slow(self, to: BaseHTTPRequestHandler) -> None:
        time.sleep(2)
        self.whole(to)

    def html(self, to: BaseHTTPRequestHandler) -> None:
        page = b"<!DOCTYPE html>\n<HTML><body>Please come back later</body></HTML>"
        self.head(to, len(page))
        to.wfile.write(page)

    def altered(self, to: BaseHTTPRequestHandler) -> None:
        self.head(to, len(self.body))
        to.wfile.write(self.body[:-1] + b"?")

    def missing(self, to: BaseHTTPRequestHandler) -> None:
        self.head(to, 0, status=404)


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    publisher = Publisher()
    yield publisher
    publisher.server.shutdown()
    publisher.server.server_close()
    gc.collect()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(archives, "PAUSE_S", 0)


@pytest.fixture
def once(monkeypatch):
    """Try a download only once, so that a failure does not wait."""
    monkeypatch.setattr(archives, "RETRIES", 0)


def visible(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir() if not entry.name.endswith(".lock"))


def assert_complete(folder: Path) -> None:
    assert (folder / "data.bin").read_bytes() == CONTENT


def test_what_is_unpacked_already_is_used_as_it_is(tmp_path):
    (tmp_path / "things").mkdir()
    archive = Archive("http://127.0.0.1:1/things.tar.gz", 0, "md5:", "things")
    assert unpacked(archive, tmp_path) == tmp_path / "things"
    assert [entry.name for entry in tmp_path.iterdir()] == ["things"]


@pytest.mark.parametrize(("file_name", "make"), [("things.tar.gz", tarball), ("things.zip", zipped)])
def test_an_archive_that_is_there_is_unpacked_without_a_connection(file_name, make, tmp_path):
    packed = make()
    (tmp_path / file_name).write_bytes(packed)
    assert_complete(unpacked(describe(packed, f"http://127.0.0.1:1/{file_name}"), tmp_path))
    assert visible(tmp_path) == ["things", file_name]


def test_an_archive_that_is_absent_is_downloaded_and_kept(publisher, tmp_path):
    data_dir = tmp_path / "not" / "there" / "yet"
    assert_complete(unpacked(publisher.archive, data_dir))
    assert visible(data_dir) == ["things", "things.tar.gz"]


def test_a_download_shows_its_progress(publisher, tmp_path, capsys):
    unpacked(publisher.archive, tmp_path)
    assert "100%" in capsys.readouterr().err


def test_a_download_that_broke_off_is_begun_again_if_the_server_cannot_go_on(publisher, tmp_path):
    publisher.answer = publisher.half_then_whole
    assert_complete(unpacked(publisher.archive, tmp_path))
    assert publisher.requests == 2


def test_a_download_goes_on_where_it_broke_off_as_long_as_it_gets_further(publisher, tmp_path):
    publisher.answer = publisher.rest_in_pieces
    assert_complete(unpacked(publisher.archive, tmp_path))
    assert publisher.requests > 1 + archives.RETRIES
    first, *starts = publisher.ranges
    assert first is None
    assert [int(start[6:-1]) for start in starts] == sorted({int(start[6:-1]) for start in starts})
    assert visible(tmp_path) == ["things", "things.tar.gz"]


@pytest.mark.usefixtures("once")
def test_what_arrived_before_a_download_failed_is_kept_and_used_by_the_next_run(publisher, tmp_path):
    part = tmp_path / "things.tar.gz.part"
    publisher.answer = publisher.half
    with pytest.raises(DatasetError, match="IncompleteRead") as caught:
        unpacked(publisher.archive, tmp_path)
    assert f"what has arrived is kept in {part}" in str(caught.value)
    kept = part.read_bytes()
    assert 0 < len(kept) <= len(publisher.body) // 2
    assert publisher.body.startswith(kept)

    publisher.answer = publisher.rest
    assert_complete(unpacked(publisher.archive, tmp_path))
    assert publisher.ranges[-1] == f"bytes={len(kept)}-"
    assert visible(tmp_path) == ["things", "things.tar.gz"]


def test_a_whole_file_that_was_kept_needs_no_connection(publisher, tmp_path):
    (tmp_path / "things.tar.gz.part").write_bytes(publisher.body)
    assert_complete(unpacked(publisher.archive, tmp_path))
    assert publisher.requests == 0


@pytest.mark.parametrize("kept", [b"something else", CONTENT * 3])
def test_what_was_kept_of_another_file_is_dropped(kept, publisher, tmp_path):
    (tmp_path / "things.tar.gz.part").write_bytes(kept)
    publisher.answer = publisher.rest
    assert_complete(unpacked(publisher.archive, tmp_path))
    assert publisher.ranges[-1] is None


@pytest.mark.usefixtures("once")
@pytest.mark.parametrize("answer", ["html", "missing"])
def test_an_error_page_does_not_cost_what_has_arrived(answer, publisher, tmp_path):
    part = tmp_path / "things.tar.gz.part"
    part.write_bytes(publisher.body[:1000])
    publisher.answer = getattr(publisher, answer)
    with pytest.raises(DatasetError, match=r"64 bytes where|404 Client Error"):
        unpacked(publisher.archive, tmp_path)
    assert part.read_bytes() == publisher.body[:1000]


@pytest.mark.usefixtures("once")
@pytest.mark.parametrize(
    ("answer", "got"),
    [
        ("html", r"an HTML page \(an error page\?\) of 64 bytes where the published file has \d+"),
        ("altered", "got md5:[0-9a-f]{32} where the published file has md5:[0-9a-f]{32}"),
        ("missing", "404 Client Error"),
    ],
)
def test_an_answer_that_is_not_the_file_is_explained_and_leaves_nothing_behind(
    answer, got, publisher, tmp_path
):
    publisher.answer = getattr(publisher, answer)
    archive = publisher.archive
    with pytest.raises(DatasetError, match=got) as caught:
        unpacked(archive, tmp_path)
    assert visible(tmp_path) == []
    for fact in (archive.url, str(tmp_path / "things.tar.gz"), str(archive.size), archive.digest):
        assert fact in str(caught.value)


@pytest.mark.usefixtures("once")
def test_no_network_is_explained_with_the_address_and_the_place_for_the_file(tmp_path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/things.tar.gz"
    with pytest.raises(DatasetError, match="refused") as caught:
        unpacked(describe(b"", url), tmp_path)
    assert f"expected to download {url} to {tmp_path / 'things.tar.gz'}" in str(caught.value)
    assert f"put it at {tmp_path / 'things.tar.gz'}" in str(caught.value)


@pytest.mark.usefixtures("once")
def test_after_a_failed_download_the_next_one_can_succeed(publisher, tmp_path):
    publisher.answer = publisher.half
    with pytest.raises(DatasetError):
        unpacked(publisher.archive, tmp_path)
    publisher.answer = publisher.whole
    assert_complete(unpacked(publisher.archive, tmp_path))


@pytest.mark.parametrize(
    ("content", "got"),
    [
        (tarball()[:-10], rf"got {len(tarball()) - 10} bytes where the published file has {len(tarball())}"),
        (b"<html>Not found</html>", "an HTML page"),
        (tarball()[:-1] + b"?", "got md5:"),
    ],
)
def test_a_wrong_archive_is_neither_parsed_nor_replaced_nor_removed(content, got, publisher, tmp_path):
    packed = tmp_path / "things.tar.gz"
    packed.write_bytes(content)
    with pytest.raises(DatasetError, match=got) as caught:
        unpacked(publisher.archive, tmp_path)
    assert str(packed) in str(caught.value)
    assert packed.read_bytes() == content
    assert publisher.requests == 0
    assert visible(tmp_path) == ["things.tar.gz"]


def test_an_archive_cannot_write_outside_its_folder(tmp_path):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        tar.addfile(tarfile.TarInfo("../../escaped"), io.BytesIO())
    packed = buffer.getvalue()
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    (data_dir / "things.tar.gz").write_bytes(packed)
    with pytest.raises(tarfile.OutsideDestinationError):
        unpacked(describe(packed, "http://127.0.0.1:1/things.tar.gz"), data_dir)
    assert [entry.name for entry in tmp_path.iterdir()] == ["data"]


def start(archive: Archive, data_dir: Path) -> subprocess.Popen[bytes]:
    """Start another process that gets ``archive``."""
    code = (
        "from pathlib import Path; from fixtures.datasets.archive import Archive, unpacked;"
        f"unpacked(Archive({archive.url!r}, {archive.size}, {archive.digest!r}, {archive.folder!r}),"
        f" Path({str(data_dir)!r}))"
    )
    return subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.DEVNULL)


def test_of_two_processes_one_downloads_and_the_other_waits(publisher, tmp_path):
    publisher.answer = publisher.slow
    processes = [start(publisher.archive, tmp_path) for _ in range(2)]
    assert [process.wait(60) for process in processes] == [0, 0]
    assert publisher.requests == 1
    assert_complete(tmp_path / "things")


def test_what_a_killed_download_left_is_not_taken_for_the_file_but_used(publisher, tmp_path):
    publisher.answer = publisher.half_then_silence
    process = start(publisher.archive, tmp_path)
    part = tmp_path / "things.tar.gz.part"
    deadline = time.monotonic() + 60
    while not (part.exists() and part.stat().st_size):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    kept = part.stat().st_size
    assert not (tmp_path / "things.tar.gz").exists()

    publisher.answer = publisher.rest
    assert_complete(unpacked(publisher.archive, tmp_path))
    assert publisher.ranges == [None, f"bytes={kept}-"]
    assert visible(tmp_path) == ["things", "things.tar.gz"]


def test_what_a_killed_unpacking_left_is_not_taken_for_the_folder(publisher, tmp_path):
    (tmp_path / "things.tar.gz").write_bytes(publisher.body)
    half = tmp_path / ".things.tar.gz.incoming" / "things"
    half.mkdir(parents=True)
    (half / "data.bin").write_bytes(CONTENT[:10])
    assert_complete(unpacked(publisher.archive, tmp_path))


def test_a_full_disk_while_unpacking_leaves_no_half_folder(publisher, tmp_path, monkeypatch):
    def write_some_and_fail(self, path, **_):
        (Path(path) / "things").mkdir()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tarfile.TarFile, "extractall", write_some_and_fail)
    with pytest.raises(DatasetError, match="No space left on device"):
        unpacked(publisher.archive, tmp_path)
    assert visible(tmp_path) == ["things.tar.gz"]


def test_a_data_directory_that_cannot_be_made_is_explained(publisher, tmp_path):
    (tmp_path / "file").write_text("not a directory")
    with pytest.raises(DatasetError, match="expected to be able to read and write in"):
        unpacked(publisher.archive, tmp_path / "file" / "data")


def test_an_archive_without_its_folder_is_explained(publisher, tmp_path):
    with pytest.raises(DatasetError, match="No such file"):
        unpacked(replace(publisher.archive, folder="others"), tmp_path)
