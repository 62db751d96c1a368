"""Clean accuracy: what a network is worth before any corruption."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.accuracy
def test_accuracy(measured: Any, original: Any, limits: Any) -> None:
    """Top-1 accuracy on clean test images is high enough, and close enough to the original's."""
    limits.check(measured, original)
