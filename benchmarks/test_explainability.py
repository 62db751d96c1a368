"""Explanations: whether a compressed network still sees in images what the original sees."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.explainability
def test_explainability(measured: Any, limits: Any) -> None:
    """The map keeps classes apart, or activation maps stay those of the original, well enough."""
    limits.check(measured)
