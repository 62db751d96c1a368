"""A page of HTML as a tree to ask questions of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


class Node:
    """An element: its ``tag``, ``attributes``, and ``children``, elements and texts."""

    def __init__(self, tag: str, attributes: dict[str, str | None]) -> None:
        self.tag = tag
        self.attributes = attributes
        self.children: list[Node | str] = []

    def __getitem__(self, name: str) -> str | None:
        return self.attributes[name]

    @property
    def text(self) -> str:
        """What is written in it, with single spaces."""
        return " ".join("".join(self._texts()).split())

    def every(self, tag: str | None = None, **attributes: str) -> list[Node]:
        """Return the elements in it with a tag and attributes; ``class_`` and ``data_x`` are as in HTML, and
        a class may be one of several.
        """
        return [node for node in self._nodes() if node._is(tag, attributes)]

    def one(self, tag: str | None = None, **attributes: str) -> Node:
        """Return the only element in it with a tag and attributes."""
        found = self.every(tag, **attributes)
        assert len(found) == 1, f"{len(found)} of {tag} {attributes}"
        return found[0]

    def rows(self) -> list[list[str]]:
        """Return the texts of the cells of the bodies of the tables in it."""
        return [
            [cell.text for cell in row.children if isinstance(cell, Node)]
            for body in self.every("tbody")
            for row in body.every("tr")
        ]

    def _is(self, tag: str | None, attributes: dict[str, str]) -> bool:
        if tag not in (None, self.tag):
            return False
        for name, value in attributes.items():
            own = self.attributes.get(name.rstrip("_").replace("_", "-"))
            if value != own and not (name == "class_" and value in (own or "").split()):
                return False
        return True

    def _nodes(self) -> Iterator[Node]:
        for child in self.children:
            if isinstance(child, Node):
                yield child
                yield from child._nodes()

    def _texts(self) -> Iterator[str]:
        for child in self.children:
            if isinstance(child, str):
                yield child
            elif child.tag not in ("script", "style"):
                yield from child._texts()


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Node("", {})
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, dict(attrs))
        assert len(attrs) == len(node.attributes), f"<{tag}> has an attribute twice: {attrs}"
        self._open[-1].children.append(node)
        if tag not in VOID:
            self._open.append(node)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open[-1].children.append(Node(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        node = self._open.pop()
        assert node.tag == tag, f"<{node.tag}> is closed by </{tag}>"

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)

    def close(self) -> None:
        super().close()
        assert self._open == [self.root], f"not closed: {[node.tag for node in self._open]}"


def parsed(page: str) -> Node:
    """Return a page as a tree; fails for one whose elements are not properly nested."""
    builder = _Builder()
    builder.feed(page)
    builder.close()
    return builder.root


def data_of(page: Node, name: str) -> Any:
    """Return the JSON data that a script of the page gets."""
    [text] = page.one("script", id=f"data-{name}").children
    assert isinstance(text, str)
    return json.loads(text)
