"""The graph of techniques, with those that were measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks.techniques import TECHNIQUES, of_studies
from reporting.page.section import Section
from reporting.page.view import View
from reporting.paper import graph


def section(view: View) -> Section:
    """Return the graph."""
    measured = {variant.technique for variant in view.variants}
    techniques = of_studies(measured)
    nodes = graph.grid(techniques)
    rows = graph.rows_of(list(nodes.values()))
    boxes = [box for node in nodes.values() for box in _placed(node, rows[node.row])]
    return Section(
        "techniques",
        "The techniques",
        "Techniques",
        {
            "width": max(box["left"] for box in boxes) + graph.WIDTH + graph.MARGIN,
            "height": rows[-1].bottom + graph.MARGIN,
            "boxes": [box | {"measured": box["name"] in measured} for box in boxes],
            "edges": list(_edges(nodes, rows)),
            "sizes": {"title": graph.TITLE, "step": graph.STEP},
            "unknown": sorted(measured - set(TECHNIQUES)),
            "known": len(measured & set(TECHNIQUES)),
            "of": len(techniques),
        },
    )


def _placed(node: graph.Node, row: graph.Row) -> Iterator[dict[str, Any]]:
    """Yield the box of a network and those of the int8 files made from it, each with its lines of text."""
    yield _box(node.box, node.left, row.top, row.height)
    top = row.top + row.height
    for tag in node.tags:
        top += graph.TAG_GAP
        yield _box(tag, node.left, top, tag.height)
        top += tag.height


def _box(box: graph.Box, left: float, top: float, height: float) -> dict[str, Any]:
    """Return a box with the base line of each line of its text; the step is in italics."""
    technique, base, lines = box.technique, top + (height - box.height) / 2 + graph.PAD, []
    for size, style, texts in ((graph.TITLE, "title", box.title), (graph.STEP, "step", box.step)):
        for text in texts:
            base += graph.LEADING * size
            lines.append((style, round(base - 0.3 * size, 2), text))
    return {
        "name": technique.name,
        "int8": technique.converted,
        "left": left,
        "top": round(top, 2),
        "width": graph.WIDTH,
        "height": round(height, 2),
        "lines": lines,
    }


def _edges(nodes: Mapping[str, graph.Node], rows: Sequence[graph.Row]) -> Iterator[str]:
    """Yield the way from each network to each thing that is made from it, as the path of an SVG."""
    for name, node in nodes.items():
        row, right = rows[node.row], node.left + graph.WIDTH
        for child in nodes.values():
            if child.box.technique.parent == name:
                turn, end = right + 0.4 * graph.GAP, rows[child.row].middle
                yield f"M{right:.2f} {row.middle:.2f}H{turn:.2f}V{end:.2f}H{child.left - 1:.2f}"
        top, middle = row.top + row.height, node.left + graph.WIDTH / 2
        for tag in node.tags:
            yield f"M{middle:.2f} {top:.2f}v{graph.TAG_GAP - 1:.2f}"
            top += graph.TAG_GAP + tag.height
