"""What holds for every test: no setting or state of the machine leaks in, and a missing plugin is a visible skip."""

from __future__ import annotations

import os
import signal
from importlib.metadata import PackageNotFoundError, distribution

import pytest

try:
    import hypothesis
except ModuleNotFoundError:  # an env that only checks the tree or the docs
    hypothesis = None  # type: ignore[assignment]

_LEAKS = ("RTFS_", "OPENAI_")


def pytest_configure() -> None:
    """Drop the developer's own settings before any module of ours is imported."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A background job of a shell ignores Ctrl-C, and its children inherit that: tests of Ctrl-C need it back.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in list(os.environ):
        if name.startswith(_LEAKS):
            del os.environ[name]
    if hypothesis is not None:
        # Everything random has a seed, and a busy machine is no failure.
        hypothesis.settings.register_profile(
            "house", deadline=None, derandomize=True, print_blob=True, database=None, max_examples=_examples()
        )
        hypothesis.settings.load_profile("house")


def _examples() -> int:
    try:
        from rtfs_framework.testing.effort import effort
    except ModuleNotFoundError:  # an env that only checks the tree
        return 100
    return effort(100)


@pytest.fixture(autouse=True, scope="session")
def _own_folders(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep what a run remembers (configuration, causal chain, caches) out of the developer's home."""
    home = tmp_path_factory.mktemp("home")
    for kind in ("CONFIG", "DATA", "STATE", "CACHE"):
        os.environ[f"XDG_{kind}_HOME"] = str(home / kind.lower())


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give tests as much longer as they are asked to look (TEST_EFFORT); those with a timeout of their own keep it."""
    usual = float(config.getini("timeout") or 0)
    longer = usual * _examples() / 100
    if config.getoption("timeout") is None and longer > usual:
        for item in items:
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(longer))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test that needs a plugin which is not here; tests/packaging sees to it that none is missing by mistake."""
    for mark in item.iter_markers("needs"):
        missing = [name for name in mark.args if not _installed(name)]
        if missing:
            pytest.skip(f"needs {', '.join(missing)}")


def _installed(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True
