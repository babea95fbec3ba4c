"""The fake distributions: committed folders with a .dist-info each, found by the real importlib.metadata."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from rtfs_framework.registry import load_catalog

FAKES = Path(__file__).with_name("fakes")


@pytest.fixture
def install(monkeypatch):
    """Return a function that installs fake distributions for this test and returns the catalog of those alone."""

    def installed(*distributions, only=None, extra_plugins=()):
        for name in distributions:
            assert (FAKES / name).is_dir(), name
            monkeypatch.syspath_prepend(str(FAKES / name))
        wanted = ",".join(distributions) if only is None else only
        return load_catalog({"RTFS_PLUGINS": wanted}, extra_plugins=extra_plugins)

    yield installed
    for module in [name for name in sys.modules if name.startswith("acme_")]:
        del sys.modules[module]


@pytest.fixture
def problem():
    """Return a function that gives a catalog's only problem, to be read as people see it."""

    def only(catalog):
        assert len(catalog.problems) == 1, catalog.problems
        return catalog.problems[0]

    return only
