"""What the tests of this software share."""

from hypothesis import settings

pytest_plugins = ["pytester"]

# No test asserts a time: it would fail on a machine that is busy.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")
