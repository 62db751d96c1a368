"""What the tests of this software share."""

pytest_plugins = ["pytester"]
