"""What the tests of this software share."""

import os

pytest_plugins = ["pytester"]

# What the tests run must not show up in the summary of the job that they themselves run in.
os.environ.pop("GITHUB_STEP_SUMMARY", None)
