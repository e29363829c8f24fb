"""Fixtures every suite may use live in plugin modules beside this file."""

from importlib.util import find_spec

PLUGINS = ("tests.postgres", "tests.feedserver", "tests.service")
pytest_plugins = [name for name in PLUGINS if find_spec(name)]
