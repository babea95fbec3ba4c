"""Fixtures for the tests of a plug-in: a host with this plug-in alone, a clock to turn, a provider that reads a script.

Switch them on in the plug-in's pyproject.toml:

    [tool.pytest.ini_options]
    addopts = ["-p", "rtfs_framework.testing.pytest_plugin"]

`rtfs_host` is a `RecordingHost`; `rtfs_clock` its clock, and `rtfs_provider` makes its provider answer. Whatever a
plug-in that was opened used and does not declare (network, files, subprocess) fails the test at its end.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rtfs_framework.testing.clock import FakeClock

if TYPE_CHECKING:
    from rtfs_framework.api import Event, InferenceReply
    from rtfs_framework.orchestrator.session import Session
    from rtfs_framework.registry import Catalog, Provenance
    from rtfs_framework.testing.fakes import ScriptedProvider

_OURS = "rtfs-framework"


class RecordingHost:
    """Opens sessions with some plug-ins and no others, in a folder of its own, and keeps every event that they tell."""

    def __init__(self, home: Path, clock: FakeClock) -> None:
        """Make one whose files lie in `home`; nothing is loaded yet."""
        self.home = home
        self.clock = clock
        self.events: list[Event] = []
        """What observers were told, in order; all of it once the session is closed."""
        self.provider: ScriptedProvider | None = None
        self._catalog: Catalog | None = None
        self._used: list[set[tuple[str, str]]] = []
        self._declared: dict[str, tuple[Provenance, frozenset[str]]] = {}
        self._open = ExitStack()

    @property
    def catalog(self) -> Catalog:
        """What was loaded last.

        Raises:
            RuntimeError: Nothing was loaded yet.
        """
        if self._catalog is None:
            raise RuntimeError("nothing is loaded yet: call `load` or `open` first")
        return self._catalog

    def answers(self, *answers: str | InferenceReply | Exception) -> ScriptedProvider:
        """Let the provider `scripted` give these answers, one after another; return it, with its `requests`."""
        from rtfs_framework.testing.fakes import ScriptedProvider

        self.provider = ScriptedProvider(answers)
        return self.provider

    def load(self, *plugins: str) -> Catalog:
        """Load plug-ins, by the names of their entry points or distributions.

        Raises:
            LookupError: One of them is not installed.
        """
        from rtfs_framework.registry import load_catalog
        from rtfs_framework.registry.discover import choose, find_plugins
        from rtfs_framework.testing.watched import watched

        wanted = ",".join(plugins)
        chosen, _ = choose(find_plugins(), wanted)
        packages = {each.provenance.module.partition(".")[0] for each in chosen}
        self._used.append(self._open.enter_context(watched(packages)))  # from its import on
        found = load_catalog({"RTFS_PLUGINS": wanted}, extra_plugins=[_Scripted(self), _Listening(self)])
        missing = next((each for each in found.problems if each.code == "E0807"), None)
        if missing is not None:
            raise LookupError(f"{missing.message}; install the plug-in into this environment: pip install --editable .")
        self._catalog = found
        self._declared.update(
            (who.module.partition(".")[0], (who, frozenset(words or ()))) for who, words in found.declared.items()
        )
        return found

    def open(self, *plugins: str, config: str = "", environ: dict[str, str] | None = None) -> Session:
        """Open a session with plug-ins and the text of a `delegation.toml`.

        Raises:
            ConfigError: The configuration has mistakes.
            LookupError: A plug-in is not installed.
        """
        from rtfs_framework.orchestrator.session import Session

        catalog = self.load(*plugins)
        file = self.home / "delegation.toml"
        file.write_text(config, encoding="utf-8")
        file.chmod(0o600)
        around = {"RTFS_HOME": str(self.home / "data"), **(environ or {})}
        return Session.open(config_path=file, environ=around, clock=self.clock, catalog=catalog, journal=False)

    def undeclared(self) -> list[str]:
        """Return what plug-ins used and do not declare, each as a line."""
        return [
            f"{self._declared[package][0]} uses {used} and does not declare it"
            for package, used in sorted(set().union(*self._used))
            if used not in self._declared[package][1]
        ]

    def close(self) -> None:
        """Watch no longer."""
        self._open.close()


class _Extra:
    """A plug-in of the tests' own."""

    rtfs_api_version = 2
    rtfs_distribution = _OURS

    def __init__(self, host: RecordingHost) -> None:
        self.host = host


def _hook(function: Callable[..., Any]) -> Callable[..., Any]:
    from rtfs_framework.api import hookimpl

    marked: Callable[..., Any] = hookimpl(function)
    return marked


class _Scripted(_Extra):
    @_hook
    def rtfs_providers(self) -> list[Any]:
        """Offer the provider `scripted`."""
        from rtfs_framework.api import Locality, ProviderEntry

        made = ProviderEntry(
            name="scripted",
            summary="Answers from a script.",
            locality=Locality.LOCAL,
            factory=lambda _: self.host.provider or self.host.answers(),
            deterministic=True,
        )
        return [made]


class _Listening(_Extra):
    @_hook
    def rtfs_observers(self) -> list[Any]:
        """Offer an observer of everything."""
        from rtfs_framework.api import ObserverEntry

        def keeping() -> Any:
            return self.host.events.append

        return [ObserverEntry(name="recording", summary="Keeps events.", factory=keeping)]


@pytest.fixture
def rtfs_clock() -> FakeClock:
    """A clock that stands still until the test turns it."""
    return FakeClock()


@pytest.fixture
def rtfs_host(tmp_path: Path, rtfs_clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[RecordingHost]:
    """A host for this test; what its plug-ins use and do not declare is an error at the end."""
    home = tmp_path / "rtfs"
    home.mkdir(mode=0o700)
    for name in [each for each in os.environ if each.startswith("RTFS_")]:
        monkeypatch.delenv(name)
    host = RecordingHost(home, rtfs_clock)
    yield host
    host.close()
    wrong = host.undeclared()
    if wrong:
        pytest.fail("; ".join(wrong) + ": see [project.entry-points.rtfs_framework_permissions]", pytrace=False)


@pytest.fixture
def rtfs_provider(rtfs_host: RecordingHost) -> Callable[..., ScriptedProvider]:
    """A function that lets the provider `scripted` of `rtfs_host` answer: texts, replies or errors to raise."""
    return rtfs_host.answers
