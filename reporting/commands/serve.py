"""``python -m reporting serve``: a report in the browser, also while its run is going on."""

from __future__ import annotations

import argparse
import signal
from pathlib import Path

from reporting.commands.command import Command
from reporting.serving import HOST, server_of

_DESCRIPTION = """\
Show the report in the folder REPORT in a browser: its page index.html and every file in it, at an
address that this machine alone reaches.  The address is printed; nothing is opened by itself.

While a run is going on (its records.jsonl.part is in the folder) the page shows what has been
measured so far, as often as it is loaded again.  Nothing is written into the folder.
"""

_EPILOG = """\
examples:
  python -m reporting serve
      the report of the last run, in report/, at http://127.0.0.1:8000/

  pytest benchmarks -n auto --report night &
  python -m reporting serve night
      watch a run: load the page again to see what has come in

  python -m reporting serve docs/results/cifar10-cpu --port 0
      another report, at any port that is free

  ssh -L 8000:127.0.0.1:8000 machine
      look from here at what is served on another machine
"""

_MOST = 65535


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "report",
        type=Path,
        nargs="?",
        default=Path("report"),
        metavar="REPORT",
        help="folder of a report (default: report)",
    )
    parser.add_argument(
        "--port", type=_port, default=8000, help="where to listen; 0 is any port that is free (default: 8000)"
    )


def _port(text: str) -> int:
    if not (text.isdecimal() and int(text) <= _MOST):
        raise argparse.ArgumentTypeError(f"expected a whole number from 0 to {_MOST}, got {text!r}")
    return int(text)


def _run(options: argparse.Namespace) -> int:
    # What a shell starts in the background ignores it, and then only a kill would end the server.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with server_of(options.report, options.port) as server:
        print(f"Serving {options.report} at http://{HOST}:{server.server_port}/ (Ctrl+C ends it)", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()
    return 0


SERVE = Command(
    "serve", "show a report in a browser, or watch a run", _DESCRIPTION, _EPILOG, _add_arguments, _run
)
