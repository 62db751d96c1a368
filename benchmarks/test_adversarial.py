"""Attacks: what images that are made to mislead a network do to its deployed file."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.adversarial
def test_adversarial(measured: Any, limits: Any) -> None:
    """Accuracy after the worst of the ways of attacking is high enough."""
    limits.check(measured)
