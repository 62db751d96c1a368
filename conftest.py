"""The benchmark as pytest sees it: plugins, in the direction that a value travels."""

from __future__ import annotations

pytest_plugins = [
    "benchmarks.plugin",
    "fixtures.plugin",
    "reporting.recording",
    "reporting.sharding",
    "reporting.scheduling",
    "reporting.plugin",
    "reporting.foretelling",
    "reporting.regression.plugin",
]
