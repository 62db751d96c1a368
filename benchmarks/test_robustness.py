"""Robustness: what a corruption does to a compressed network, and what it did to the original."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.robustness
def test_robustness(measured: Any, original: Any, limits: Any) -> None:
    """Corruption error over the suite's severities, in percent of the original's, is low enough."""
    limits.check(measured, original)
