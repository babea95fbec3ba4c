"""What the tests of the suites share."""

from __future__ import annotations

import pytest


@pytest.fixture
def failing(tmp_path):
    """Return a function that runs a suite and returns the names of its tests that fail, `also` by these errors."""

    def names(suite, also=()):
        failed = set()
        for name in dir(suite):
            if name.startswith("test_"):
                test = getattr(suite, name)
                wants_folder = "tmp_path" in test.__code__.co_varnames[: test.__code__.co_argcount]
                try:
                    test(tmp_path) if wants_folder else test()
                except (AssertionError, *also):
                    failed.add(name)
        return failed

    return names
