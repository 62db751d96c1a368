"""Mean corruption error: what all fifteen standard corruptions together do to a compressed network."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.mce
def test_mce(measured: Any, original: Any, limits: Any) -> None:
    """Mean corruption error, alone and above what the clean images lose, is low enough."""
    limits.check(measured, original)
