"""How the parts of the page become one file: templates, style, scripts, data, and Plotly."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup

from reporting.page.section import Section
from reporting.page.view import View, label

#: Scripts that every page has: the first before those of the sections, the second after them.
_FIRST, _LAST = "page", "panel"


def assembled(view: View, sections: Sequence[Section]) -> str:
    """Return the page: the sections that have something to show, and why the others have not."""
    templates = _templates()
    shown = [section for section in sections if not section.absent]
    scripts = [_asset(f"{name}.js") for name in (_FIRST, *(one.name for one in shown if one.data), _LAST)]
    plotly = _plotly()
    return templates.get_template("page.html.j2").render(
        name=view.report.suite.name if view.report.suite else "recorded results",
        sections=[
            (section, Markup(templates.get_template(f"{section.name}.html.j2").render(section.context)))  # noqa: S704 - rendered with escaping
            for section in shown
        ],
        absent=[section for section in sections if section.absent],
        style=Markup(_asset("page.css")),  # noqa: S704 - our own
        scripts=[Markup(script) for script in scripts],  # noqa: S704 - our own
        data={"shared": view.to_json()} | {section.name: section.data for section in shown if section.data},
        plotly=base64.b64encode(gzip.compress(plotly, mtime=0)).decode("ascii"),
        policy=" ".join(f"'{_digest(script)}'" for script in [*scripts, plotly.decode("utf-8")]),
    )


@cache
def _templates() -> jinja2.Environment:
    templates = jinja2.Environment(
        loader=jinja2.PackageLoader("reporting.page"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.policies["json.dumps_function"] = _dumps
    templates.globals["label"] = label
    return templates


def _dumps(value: Any, **_: Any) -> str:
    """Return ``value`` as JSON in as few characters as it takes, in the order in which it was made."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


@cache
def _asset(name: str) -> str:
    return (files("reporting.page") / "static" / name).read_text("utf-8")


@cache
def _plotly() -> bytes:
    return (files("plotly") / "package_data" / "plotly.min.js").read_bytes()


def _digest(script: str) -> str:
    """Return what a policy calls a script by, which may then stand on the page."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
