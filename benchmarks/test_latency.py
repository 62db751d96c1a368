"""Latency: how long one inference takes with the machine to itself."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.latency
def test_latency(timed: Any, limits: Any) -> None:
    """The median time of one inference is short enough."""
    limits.check(timed)
