"""A host with a layer of level L4 in a dict, so that a test can look into it and tamper with it."""

from __future__ import annotations

import pytest

from rtfs_framework.api import CacheEntry, CacheLevel, CacheRecord, CacheStats
from rtfs_framework.kernel import loader
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.session import Session
from rtfs_framework.registry.catalog import Catalog
from rtfs_framework.registry.problems import Provenance


class Shelf:
    """A layer of level L4: a dict."""

    def __init__(self):
        self.entries = {}

    def get(self, key):
        value = self.entries.get(key.digest)
        return None if value is None else CacheRecord(value=value, stored_at=0.0)

    def put(self, key, value, ttl=None, info=None):
        self.entries[key.digest] = value

    def invalidate(self, key):
        return self.entries.pop(key.digest, None) is not None

    def scan(self):
        return iter(())

    def clear(self):
        self.entries.clear()

    def stats(self):
        return CacheStats(size=len(self.entries))

    def close(self):
        pass


@pytest.fixture
def shelf():
    return Shelf()


@pytest.fixture
def opened(shelf, tmp_path, monkeypatch):
    """Return a function that opens a session with the shelf; the current folder is the test's own."""
    monkeypatch.chdir(tmp_path)
    entry = CacheEntry(name="l4", summary="A dict.", level=CacheLevel.L4, factory=lambda _settings: shelf)
    caches = {"l4": (entry, Provenance("acme", "1", "acme"))}

    def session(config=None, **options):
        catalog = options.pop("catalog", Catalog(caches=caches))
        path = None
        if config is not None:
            path = tmp_path / "asked.toml"
            path.write_text(config, encoding="utf-8")
        return Session.open(catalog=catalog, config_path=path, environ={"RTFS_HOME": str(tmp_path / "home")}, **options)

    return session


@pytest.fixture
def compiled(monkeypatch):
    """Return the list of the names of all programs that are compiled from now on."""
    names = []
    ordinary = loader.compile_program

    def counted(source, around):
        names.append(source.name)
        return ordinary(source, around)

    monkeypatch.setattr(loader, "compile_program", counted)
    return names


@pytest.fixture
def value(opened):
    """Return a function that runs a text in a session of its own and returns its value."""

    def run(text, name="<test>", **options):
        with opened(**options) as session:
            return session.run(Source(name, text)).value

    return run
