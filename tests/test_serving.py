"""``python -m reporting serve`` shows a report, and a run while it is going on, to this machine alone."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import pytest
from made_runs import entries_of, header_of, record_of
from numpy import zeros

from benchmarks.cases import Case, Variant
from reporting.__main__ import main
from reporting.journal import Journal, write_journal
from reporting.report import Report
from reporting.serving import server_of

ROOT = Path(__file__).resolve().parents[1]
CASES = [Case(Variant("d", "m", name), "accuracy") for name in ("original", "int8")]
ENTRIES = entries_of(record_of(case, zeros((1, 8), bool)) for case in CASES)

Ask = Callable[..., http.client.HTTPResponse]


@pytest.fixture(autouse=True)
def made(monkeypatch) -> list[Report]:
    """Return the reports of which a page was made, which only tells what was measured."""
    reports: list[Report] = []

    def render_page(report: Report) -> str:
        reports.append(report)
        return f"measured: {', '.join(report.cells['technique'])}"

    monkeypatch.setitem(sys.modules, "reporting.page", SimpleNamespace(render_page=render_page))
    return reports


@contextmanager
def serving(folder: Path) -> Iterator[Ask]:
    """Serve a folder and yield a function that asks for something in it."""
    server = server_of(folder, 0)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()

    def ask(path: str, method: str = "GET", **headers: str) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=60)
        connection.request(method, path, headers={name.replace("_", "-"): of for name, of in headers.items()})
        return connection.getresponse()

    try:
        yield ask
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """The folder of a report that has its page."""
    folder = tmp_path / "report"
    (folder / "tables").mkdir(parents=True)
    (folder / "index.html").write_text("the page")
    (folder / "tables" / "summary-d.tex").write_text("a table")
    (tmp_path / "secret.txt").write_text("secret")
    return folder


# A report


@pytest.mark.parametrize("path", ["/", "/index.html", "/index.html?a=b"])
def test_the_page_is_shown_and_nothing_is_made(report: Path, made: list[Report], path: str) -> None:
    with serving(report) as ask:
        assert ask(path).read() == b"the page"
    assert made == []


def test_files_below_are_shown_as_text(report: Path) -> None:
    with serving(report) as ask:
        answer = ask("/tables/summary-d.tex")
        assert answer.read() == b"a table"
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize("path", ["/none.csv", "/%00", f"/{'n' * 300}", "/circle"])
def test_what_is_not_there_is_not_found(report: Path, path: str) -> None:
    (report / "circle").symlink_to(report / "circle")
    with serving(report) as ask:
        assert ask(path).status == 404


def test_a_folder_is_listed(report: Path) -> None:
    with serving(report) as ask:
        assert b'href="summary-d.tex"' in ask("/tables/").read()


@pytest.mark.parametrize(
    "path", ["/../secret.txt", "/tables/../../secret.txt", "/%2e%2e/secret.txt", "//../secret.txt"]
)
def test_no_name_leads_out_of_the_folder(report: Path, path: str) -> None:
    with serving(report) as ask:
        answer = ask(path)
        assert answer.status == 404
        assert b"secret\n" not in answer.read()


def test_no_link_leads_out_of_the_folder(report: Path) -> None:
    (report / "link.txt").symlink_to(report.parent / "secret.txt")
    (report / "up").symlink_to(report.parent)
    with serving(report) as ask:
        assert ask("/link.txt").status == 404
        assert ask("/up/secret.txt").status == 404


def test_a_folder_may_itself_be_a_link(report: Path, tmp_path: Path) -> None:
    (tmp_path / "latest").symlink_to(report)
    with serving(tmp_path / "latest") as ask:
        assert ask("/tables/summary-d.tex").status == 200


def test_nothing_is_kept_by_a_browser(report: Path) -> None:
    with serving(report) as ask:
        answer = ask("/index.html", If_Modified_Since="Fri, 01 Jan 2100 00:00:00 GMT")
        assert answer.status == 200
        assert answer.headers["Cache-Control"] == "no-store"


def test_only_this_machine_is_answered(report: Path) -> None:
    with server_of(report, 0) as server:
        assert server.server_address[0] == "127.0.0.1"


def test_nothing_can_be_written(report: Path) -> None:
    with serving(report) as ask:
        assert ask("/index.html", method="PUT").status == 501
        assert ask("/index.html", method="POST").status == 501


# A run that is going on


def test_a_run_can_be_watched_while_it_is_going_on(report: Path, made: list[Report]) -> None:
    journal = Journal(report, header_of(CASES, (1,)))
    with serving(report) as ask:
        assert ask("/").read() == b"measured: "
        journal.add(ENTRIES[0])
        answer = ask("/index.html")
        assert answer.read() == b"measured: original"
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        journal.add(ENTRIES[1])
        assert ask("/").read() == b"measured: int8, original"
        assert len(made) == 3
        journal.close()
        assert ask("/").read() == b"the page"
    assert (report / "index.html").read_text() == "the page"


def test_a_page_is_not_made_again_while_nothing_has_come_in(report: Path, made: list[Report]) -> None:
    Journal(report, header_of(CASES, (1,))).add(ENTRIES[0])
    with serving(report) as ask:
        assert ask("/").read() == ask("/").read() == b"measured: original"
        assert ask("/", method="HEAD").headers["Content-Length"] == str(len(b"measured: original"))
    assert len(made) == 1


def test_records_alone_have_a_page(tmp_path: Path) -> None:
    write_journal(tmp_path, header_of(CASES, (1,)), ENTRIES)
    with serving(tmp_path) as ask:
        assert ask("/").read() == b"measured: int8, original"


def test_a_journal_that_cannot_be_read_is_told_in_the_browser(report: Path) -> None:
    (report / "records.jsonl.part").write_text('{"<b>": 1}\n')
    with serving(report) as ask:
        answer = ask("/")
        assert answer.status == 500
        told = answer.read().decode()
        assert "expected the journal of a run" in told
        assert "<b>" not in told


# The command


def serve(*arguments: object) -> int:
    return main(["serve", *map(str, arguments)])


def test_the_command_serves_until_it_is_interrupted(report: Path) -> None:
    command = [sys.executable, "-m", "reporting", "serve", str(report), "--port", "0"]
    with subprocess.Popen(
        # As a shell starts what is to run in the background.
        ["sh", "-c", 'trap "" INT; exec "$@"', "sh", *command],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            told = process.stdout.readline()
            address = told.partition("http://")[2].partition("/")[0]
            connection = http.client.HTTPConnection(address, timeout=60)
            connection.request("GET", "/")
            assert connection.getresponse().read() == b"the page"
            os.kill(process.pid, signal.SIGINT)
            assert process.wait(60) == 0
            assert process.stderr is not None
            assert process.stderr.read() == ""
        finally:
            process.kill()  # else a failure would wait for its end
    assert told == f"Serving {report} at http://{address}/ (Ctrl+C ends it)\n"


def test_a_port_that_is_taken_is_told(report: Path, capsys) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert serve(report, "--port", port) == 2
    assert (
        f"expected a free port to listen at, got 'Address already in use' (--port {port})"
        in capsys.readouterr().err
    )


@pytest.mark.parametrize("port", ["70000", "-1", "http", "8.5"])
def test_what_is_no_port_is_told(report: Path, port: str, capsys) -> None:
    with pytest.raises(SystemExit, match="2"):
        serve(report, "--port", port)
    assert "from 0 to 65535" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "got"),
    [("none", "none"), ("file", "a file"), ("empty", "a folder without index.html and records.jsonl")],
)
def test_what_is_no_report_is_told(tmp_path: Path, name: str, got: str, capsys) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    assert serve(tmp_path / name) == 2
    told = capsys.readouterr().err
    assert f"expected the folder of a report, got {got} ({tmp_path / name})" in told
    assert "--report" in told
