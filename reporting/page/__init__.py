"""The page that people open after a run: one HTML file that holds all it needs.

The page is a list of sections in order.  Each is a module in ``sections/`` with a function
``section(view) -> Section``, a template of its name in ``templates/`` and, where it is interactive, a script
of its name in ``static/``.  Whoever measures something new adds these and a line in :data:`SECTIONS`.

Nothing of a run is ever taken for HTML: templates escape what they are given, and scripts get their data as
JSON and put it on the page as text.  The page's own policy lets it run no other script than those that are
written here, and load nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from reporting.page import assembly
from reporting.page.section import Section
from reporting.page.sections import (
    attacks,
    choice,
    claims,
    explanations,
    forgotten,
    images,
    latency,
    table,
    techniques,
    verdict,
    weather,
)
from reporting.page.view import View

if TYPE_CHECKING:
    from reporting.report import Report

#: The sections in the order of the page.
SECTIONS: tuple[Callable[[View], Section], ...] = (
    verdict.section,
    choice.section,
    table.section,
    weather.section,
    forgotten.section,
    images.section,
    attacks.section,
    explanations.section,
    techniques.section,
    claims.section,
    latency.section,
)


def render_page(report: Report) -> str:
    """Return the page of a report as HTML; the same report gives the same page."""
    view = View(report)
    return assembly.assembled(view, [section(view) for section in SECTIONS])
