"""What a section of the page is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Section:
    """A part of the page under a heading of its own.

    ``name`` is its id on the page, the stem of its template and, where it has ``data``, of its script, which
    finds them as JSON values under that name.  ``short`` stands in the table of contents, after the sign
    ``badge`` if there is one.  ``context`` is what the template shows.  ``absent`` says why there is nothing
    to show: such a section has neither template nor script, the page only names it at its end.
    """

    name: str
    title: str
    short: str
    context: Mapping[str, Any] = field(default_factory=dict)
    data: Any = None
    badge: str = ""
    absent: str = ""
