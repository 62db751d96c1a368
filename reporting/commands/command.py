"""A sub-command of ``python -m reporting``, and the parser of all of them."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Command:
    """A sub-command: ``help`` is its line among the others, ``description`` and ``epilog`` stay as they are.

    ``add_arguments`` adds what it takes to its parser; ``run`` does it and returns the exit code.
    """

    name: str
    help: str
    description: str
    epilog: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


def parser_of(commands: Iterable[Command], description: str | None) -> argparse.ArgumentParser:
    """Return the parser of ``commands``; what it parses has the ``run`` of the one that was chosen."""
    parser = argparse.ArgumentParser(
        prog="python -m reporting",
        description=description,
        epilog="'python -m reporting COMMAND --help' says more of each, with examples.",
    )
    choices = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command in commands:
        own = choices.add_parser(
            command.name,
            help=command.help,
            description=command.description,
            epilog=command.epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add_arguments(own)
        own.set_defaults(run=command.run)
    return parser
