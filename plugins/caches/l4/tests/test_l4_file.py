"""The file: bounded in bytes, shared by processes, and never in the way when it cannot be had."""

from __future__ import annotations

import hashlib
import logging
import os
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from rtfs_cache_l4.layer import ArtifactCache
from rtfs_cache_l4.plugin import L4Settings, rtfs_caches
from rtfs_framework.api import CacheInfo, CacheSettings, PluginError
from rtfs_framework.testing import FakeClock
from rtfs_framework.testing.fakes import cache_key

WRITER = """
import sys
from rtfs_cache_l4.layer import ArtifactCache
from rtfs_framework.testing import FakeClock
from rtfs_framework.testing.fakes import cache_key
layer = ArtifactCache(sys.argv[1], capacity=1000, most_bytes=10**6, ttl=None, clock=FakeClock())
for i in range(40):
    layer.put(cache_key(sys.argv[2], i), b"x" * 100)
    assert layer.get(cache_key(sys.argv[2], i)) is not None
layer.close()
"""


@pytest.fixture
def opened(tmp_path):
    made = []

    def again(**options):
        settings = {"capacity": 100, "most_bytes": 1_000, "ttl": None, "clock": FakeClock(), **options}
        made.append(ArtifactCache(str(tmp_path / "cache"), **settings))
        return made[-1]

    yield again
    for layer in made:
        layer.close()


def test_entries_are_bounded_by_their_size_together(opened):
    layer = opened()
    for i in range(5):
        layer.put(cache_key(i), bytes(300))
    assert [i for i in range(5) if layer.get(cache_key(i)) is not None] == [2, 3, 4]
    assert layer.stats().evictions == 2


def test_what_is_larger_than_the_layer_is_not_kept(opened):
    layer = opened()
    layer.put(cache_key(1), bytes(300))
    layer.put(cache_key(2), bytes(1_001))
    assert layer.get(cache_key(2)) is None
    assert layer.get(cache_key(1)) is not None


def test_only_bytes_are_kept(opened):
    with pytest.raises(TypeError, match="keeps bytes, not str"):
        opened().put(cache_key(1), "text")


def test_a_layer_that_is_not_asked_makes_no_file(opened, tmp_path):
    opened().close()
    assert not (tmp_path / "cache").exists()


def test_looking_up_alone_writes_nothing_within_the_hour(opened, tmp_path):
    clock = FakeClock()
    first = opened(clock=clock)
    first.put(cache_key(1), b"x")
    first.close()
    file = tmp_path / "cache" / "l4.sqlite"
    before = file.stat().st_mtime_ns, file.read_bytes()
    second = opened(clock=clock)
    assert second.get(cache_key(1)).value == b"x"
    second.close()
    assert (file.stat().st_mtime_ns, file.read_bytes()) == before
    clock.advance(3_601)
    third = opened(clock=clock)
    assert third.get(cache_key(1)).value == b"x"
    third.close()
    assert file.read_bytes() != before[1]


def test_processes_share_the_file(opened, tmp_path):
    command = [sys.executable, "-c", WRITER, str(tmp_path / "cache")]
    writers = [subprocess.Popen([*command, name]) for name in ("a", "b", "c")]
    assert [writer.wait(50) for writer in writers] == [0, 0, 0]
    layer = opened(capacity=1_000, most_bytes=10**6)
    assert layer.stats().size == 120
    assert layer.get(cache_key("b", 39)).value == b"x" * 100


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="no such folders here")
def test_a_folder_that_cannot_be_made_means_no_layer(tmp_path, caplog):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    layer = ArtifactCache(str(tmp_path / "file" / "x"), capacity=1, most_bytes=1_000, ttl=None, clock=FakeClock())
    with caplog.at_level(logging.DEBUG):
        layer.put(cache_key(1), b"x")
        assert layer.get(cache_key(1)) is None
    assert [record.levelname for record in caplog.records] == ["DEBUG"]
    assert "are not kept" in caplog.text
    layer.clear()
    assert layer.invalidate(cache_key(1)) is False
    assert layer.stats().size == 0


@pytest.mark.parametrize("content", [b"no database at all, but long enough to be taken for one" * 20, b""])
def test_a_file_of_something_else(opened, tmp_path, content):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "l4.sqlite").write_bytes(content)
    layer = opened()
    if not content:  # an empty file is a new one
        layer.put(cache_key(1), b"x")
        assert layer.get(cache_key(1)).value == b"x"
        return
    with pytest.raises(PluginError, match="delete it"):
        layer.get(cache_key(1))


def test_the_offer(tmp_path):
    (entry,) = rtfs_caches()
    settings = CacheSettings(clock=FakeClock(), directory=str(tmp_path), own=L4Settings(capacity=1), ttl=5.0)
    layer = entry.factory(settings)
    layer.put(cache_key(1), b"x")
    layer.put(cache_key(2), b"y")
    settings.clock.advance(10_000.0)
    assert layer.get(cache_key(1)) is None
    assert layer.get(cache_key(2)).value == b"y"  # the ttl of replies is not that of programs
    layer.close()


class _Seal:
    """Puts a digest of the purpose before the data."""

    def close(self, purpose, data):
        return hashlib.sha256(purpose + data).digest() + data

    def open(self, purpose, sealed):
        if hashlib.sha256(purpose + sealed[32:]).digest() != sealed[:32]:
            raise ValueError("not sealed by this layer for this purpose")
        return memoryview(sealed)[32:]


def _change(tmp_path, statement):
    with closing(sqlite3.connect(tmp_path / "cache" / "l4.sqlite")) as db, db:
        db.execute(statement)


@pytest.mark.parametrize(
    "change",
    ["cast('{}' as blob)", "'text'", "substr(info, 2)", "(select info from entries where info is not null limit 1)"],
)
def test_what_is_known_of_an_entry_is_sealed_for_its_place(opened, tmp_path, change):
    layer = opened(seal=_Seal)
    for i in (1, 2):
        layer.put(cache_key(i), b"x", None, CacheInfo(symbol=f"f{i}"))
    assert layer.get(cache_key(2)).info == CacheInfo(symbol="f2")
    layer.close()
    _change(tmp_path, f"update entries set info = {change} where digest = '{cache_key(2).digest}'")
    again = opened(seal=_Seal)
    assert [item.key for item in again.scan() if item.key == cache_key(2)] == []
    assert again.get(cache_key(2)) is None
    stats = again.stats()
    assert (stats.errors, stats.misses, stats.size) == (1, 1, 1)
    assert again.get(cache_key(1)).info == CacheInfo(symbol="f1")


def test_without_a_key_nothing_is_said_of_an_entry(opened):
    def none():
        raise ValueError("the key may be read by others")

    layer = opened(seal=none)
    layer.put(cache_key(1), b"x", None, CacheInfo(symbol="f"))
    record = layer.get(cache_key(1))
    assert (record.value, record.info) == (b"x", CacheInfo())


@pytest.mark.skipif(sqlite3.sqlite_version_info < (3, 35), reason="this SQLite cannot drop a column")
def test_a_file_of_before_is_used_on(opened, tmp_path):
    layer = opened()
    layer.put(cache_key(1), b"x")
    layer.close()
    _change(tmp_path, "alter table entries drop column info")
    again = opened()
    assert again.get(cache_key(1)).value == b"x"
    again.put(cache_key(2), b"y", None, CacheInfo(symbol="f"))
    assert again.get(cache_key(2)).info == CacheInfo(symbol="f")
