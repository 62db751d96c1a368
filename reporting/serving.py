"""The folder of a report on a local address, and the page of a run that is going on.

Nothing is written: the page of a run is made from its journal when it is asked for and the journal has grown.
"""

from __future__ import annotations

import io
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from reporting.journal import NAME, JournalError, read_journal
from reporting.recorded import InputError
from reporting.report import Report

#: Where the server listens: nothing but this machine reaches it.
HOST = "127.0.0.1"

PAGE = "index.html"

_PART = f"{NAME}.part"

_TEXT = "text/plain; charset=utf-8"


def server_of(folder: Path, port: int) -> ThreadingHTTPServer:
    """Return a server of the report in ``folder``, listening at ``port``, or at a free one if that is 0.

    Raises :class:`InputError` where there is no report or the port cannot be had.
    """
    if not any((folder / name).exists() for name in (PAGE, NAME, _PART)):
        other = "a file" if folder.exists() else "none"
        got = f"a folder without {PAGE} and {NAME}" if folder.is_dir() else other
        raise InputError(
            f"expected the folder of a report, got {got} ({folder}); try the folder that a run was given "
            "with --report, or build a report there with 'python -m reporting build'"
        )
    handler = partial(_Handler, page=LivePage(folder), directory=str(folder.resolve()))
    try:
        return ThreadingHTTPServer((HOST, port), handler)
    except OSError as error:
        raise InputError(
            f"expected a free port to listen at, got {error.strerror!r} (--port {port}); try another, or 0 "
            "for any that is free"
        ) from None


class LivePage:
    """The page of a report whose run is going on, or of which there are records alone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = Lock()
        self._state: tuple[Path, int, int] | None = None
        self._content = b""

    def content(self) -> bytes | None:
        """Return the page in UTF-8, ``None`` if the one in the folder is the whole run's.

        Raises :class:`JournalError` or ``OSError`` if the journal cannot be read.
        """
        with self._lock:
            journal = self._journal()
            if journal is None:
                return None
            now = journal.stat()
            state = (journal, now.st_mtime_ns, now.st_size)
            if state != self._state:
                self._content = self._made_from(journal)
                self._state = state
            return self._content

    def _journal(self) -> Path | None:
        part = self._folder / _PART
        if part.exists():
            return part
        return None if (self._folder / PAGE).exists() else self._folder / NAME

    def _made_from(self, journal: Path) -> bytes:
        # No report that has its page needs what makes one.
        from reporting.page import render_page  # noqa: PLC0415

        recording = read_journal(journal)
        with_paper = (self._folder / "paper").is_dir()
        report = Report.of_run(
            recording.header, recording.entries.values(), ended=recording.ended, with_paper=with_paper
        )
        return render_page(report).encode("utf-8")


class _Handler(SimpleHTTPRequestHandler):
    """Answers with the files in a folder, and with the live page, if there is one, in place of its own."""

    extensions_map = SimpleHTTPRequestHandler.extensions_map | dict.fromkeys(
        (".md", ".tex", ".csv", ".jsonl", ".toml"), _TEXT
    )

    def __init__(self, *arguments: Any, page: LivePage, **options: Any) -> None:
        self._page = page
        super().__init__(*arguments, **options)

    def send_head(self) -> io.BytesIO | BinaryIO | None:
        """Send the head of an answer and return its body, ``None`` if there is none to send."""
        # A browser is never told to show what it has already.
        del self.headers["If-Modified-Since"]
        if urlsplit(self.path).path in ("/", f"/{PAGE}"):
            try:
                content = self._page.content()
            except (JournalError, OSError) as error:
                self.send_error(HTTPStatus.INTERNAL_SERVER_ERROR, explain=str(error))
                return None
            if content is not None:
                self.send_response(HTTPStatus.OK)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                return io.BytesIO(content)
        if not self._is_inside():
            self.send_error(HTTPStatus.NOT_FOUND)
            return None
        return super().send_head()

    def _is_inside(self) -> bool:
        """Return whether what is asked for is in the folder: names do not lead out of it, but links may."""
        try:
            return Path(self.translate_path(self.path)).resolve().is_relative_to(self.directory)
        except (ValueError, OSError, RuntimeError):
            return False  # no name that a file can have, or links in a circle

    def end_headers(self) -> None:
        """End the head of an answer that is to be asked for anew each time."""
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing of what is asked for; errors are told."""
