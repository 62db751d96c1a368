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
    shown = [section for section in sections if not section.absent]
    data = {section.name: section.data for section in shown if section.data is not None}
    scripts = [_asset(f"{name}.js") for name in (_FIRST, *data, _LAST)]
    plotly, digest = _plotly()
    return (
        _templates()
        .get_template("page.html.j2")
        .render(
            name=view.report.suite.name if view.report.suite else "recorded results",
            sections=[(section, _rendered(section)) for section in shown],
            absent=[section for section in sections if section.absent],
            style=Markup(_asset("page.css")),  # noqa: S704 - our own
            scripts=[Markup(script) for script in scripts],  # noqa: S704 - our own
            data={"shared": view.to_json(), **data},
            plotly=plotly,
            policy=" ".join(f"'{one}'" for one in [*map(_digest, scripts), digest]),
        )
    )


def _rendered(section: Section) -> Markup:
    text = _templates().get_template(f"{section.name}.html.j2").render(section.context)
    return Markup(text)  # noqa: S704 - in which everything is escaped


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
def _plotly() -> tuple[str, str]:
    """Return Plotly as it stands on the page, compressed, and what a policy calls it by."""
    script = (files("plotly") / "package_data" / "plotly.min.js").read_text("utf-8")
    packed = gzip.compress(script.encode("utf-8"), mtime=0)  # without the time, which would differ each time
    return base64.b64encode(packed).decode("ascii"), _digest(script)


def _digest(script: str) -> str:
    """Return what a policy calls a script by, which may then stand on the page."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
