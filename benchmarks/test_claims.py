"""Claims: whether a compressed file is what its technique promises, and how small it is."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.claims
def test_claims(measured: Any, original: Any, limits: Any) -> None:
    """The file was made, keeps its technique's claims, and is small enough."""
    limits.check(measured, original)
