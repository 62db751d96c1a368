"""Lengths of time in words, as lines of progress say them."""

from __future__ import annotations


def in_words(seconds: float) -> str:
    """Return ``seconds`` as people say them, such as ``45 s``, ``12 min`` or ``2 h 5 min``."""
    whole = round(seconds)
    if whole < 100:
        return f"{whole} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"
