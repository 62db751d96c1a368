"""What the tests of this software share."""

import os

from hypothesis import settings

pytest_plugins = ["pytester"]

# What the tests run must not show up in the summary of the job that they themselves run in.
os.environ.pop("GITHUB_STEP_SUMMARY", None)

# No test asserts a time: it would fail on a machine that is busy.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")
