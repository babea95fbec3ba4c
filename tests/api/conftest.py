"""What the tests of hooks share: a plugin of a few lines, and the catalog that comes of it."""

from __future__ import annotations

import pytest

from rtfs_framework.api import hookimpl
from rtfs_framework.registry import load_catalog


@pytest.fixture
def offering():
    """Return a function that gives the catalog of one plugin whose hook `name` returns `records`."""

    def catalog(name, *records):
        def hook(self):
            return records

        kind = type("Tiny", (), {"rtfs_api_version": 2, "rtfs_distribution": "acme-tiny", name: hookimpl(hook)})
        return load_catalog({"RTFS_PLUGINS": ""}, extra_plugins=[kind()])

    return catalog


@pytest.fixture
def refused():
    """Return a function that sees to it that a catalog has one problem, of the plugin's, with these words."""

    def check(catalog, words):
        (problem,) = catalog.problems
        assert (problem.code, problem.distributions) == ("E0805", ("acme-tiny",))
        assert words in problem.message

    return check
