"""The pictures of records on a page."""

from __future__ import annotations

from collections.abc import Callable, Iterable

#: How PNG files begin in Base64; the other pictures of a record are WebP.
_PNG = "iVBOR"


def address(picture: str) -> str:
    """Return a picture, PNG or WebP in Base64, as the address of an image that holds it."""
    return f"data:image/{'png' if picture.startswith(_PNG) else 'webp'};base64,{picture}"


def fitting(most: int, room: int, pictures: Callable[[int], Iterable[str]]) -> int:
    """Return the largest number up to ``most`` of which ``pictures(number)`` take no more than ``room``, in
    bytes of the page.
    """
    return next((number for number in range(most, 0, -1) if sum(map(len, pictures(number))) <= room), 0)
