"""The file: what a crash leaves, two processes at once, and what a file that cannot be used says."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import textwrap

import pytest

from rtfs_cache_l2.layer import BATCH, PAUSE, ReplyCache
from rtfs_cache_l2.plugin import L2Settings
from rtfs_cache_l2.store import FILE, Store
from rtfs_framework.api import CacheKey, CacheLevel, CacheSettings, PluginError
from rtfs_framework.registry import load_catalog
from rtfs_framework.testing import FakeClock
from rtfs_framework.testing.fakes import cache_key

PRELUDE = """
    import os, sys
    from rtfs_cache_l2.layer import ReplyCache
    from rtfs_cache_l2.store import Store
    from rtfs_framework.testing import FakeClock
    from rtfs_framework.testing.fakes import cache_key
    layer = ReplyCache(Store(sys.argv[1]), capacity=1_000, ttl=None, clock=FakeClock())
"""


def start(program, *args):
    text = textwrap.dedent(PRELUDE) + textwrap.dedent(program)
    return subprocess.Popen([sys.executable, "-c", text, *map(str, args)], stderr=subprocess.PIPE, text=True)


def finish(process):
    _, errors = process.communicate(timeout=50)
    assert not errors
    return process.returncode


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def opened(tmp_path, clock):
    """Return a function that opens the layer again; all are closed at the end."""
    made = []

    def again(capacity=1_000, ttl=None):
        made.append(ReplyCache(Store(str(tmp_path)), capacity=capacity, ttl=ttl, clock=clock))
        return made[-1]

    yield again
    for layer in made:
        layer.close()


def test_a_killed_process_loses_no_reply_that_took_its_time(tmp_path, opened):
    program = """
        clock = layer._clock
        for i in range(5):
            layer.put(cache_key(i), f"reply {i}")
            clock.advance(1.0)
        os._exit(7)
    """
    assert finish(start(program, tmp_path)) == 7
    layer = opened()
    assert [layer.get(cache_key(i)).value for i in range(5)] == [f"reply {i}" for i in range(5)]


def test_a_process_killed_in_a_burst_leaves_whole_batches(tmp_path, opened):
    program = f"""
        for i in range({BATCH} * 2 + 10):
            layer.put(cache_key(i), f"reply {{i}}")
        os._exit(7)
    """
    assert finish(start(program, tmp_path)) == 7
    layer = opened()
    assert layer.stats().size == BATCH * 2 + 1  # the first goes at once
    assert layer.get(cache_key(BATCH)).value == f"reply {BATCH}"


def test_two_processes_share_the_file(tmp_path, opened):
    program = """
        for i in range(3_000):
            layer.put(cache_key(sys.argv[2], i % 300), f"{sys.argv[2]} {i % 300}")
            layer.get(cache_key("b" if sys.argv[2] == "a" else "a", i % 300))
            layer._clock.advance(0.01)
        layer.close()
    """
    processes = [start(program, tmp_path, name) for name in "ab"]
    assert [finish(each) for each in processes] == [0, 0]
    layer = opened()
    assert layer.stats().size == 600
    assert all(layer.get(cache_key(name, i)).value == f"{name} {i}" for name in "ab" for i in range(300))


def test_another_process_sees_what_is_written(opened, clock):
    one, two = opened(), opened()
    one.put(cache_key(1), "first")
    assert two.get(cache_key(1)).value == "first"
    one.put(cache_key(2), "waits for its batch")
    assert two.get(cache_key(2)) is None
    clock.advance(PAUSE)
    one.put(cache_key(3), "takes the batch along")
    assert two.get(cache_key(2)).value == "waits for its batch"


def test_the_bound_holds_for_both(opened):
    one, two = opened(capacity=10), opened(capacity=10)
    for i in range(50):
        (one if i % 2 else two).put(cache_key(i), "x")
        assert one.stats().size <= 10
    assert two.stats().size <= 10


def test_reads_of_an_earlier_run_count_as_uses(opened, clock):
    first = opened(capacity=3)
    for i in (1, 2, 3):
        first.put(cache_key(i), "x")
    first.get(cache_key(1))
    first.close()
    second = opened(capacity=3)
    second.put(cache_key(4), "x")
    assert [i for i in (1, 2, 3, 4) if second.get(cache_key(i))] == [1, 3, 4]


def test_what_is_past_its_time_makes_room_first(opened, clock):
    layer = opened(capacity=3)
    layer.put(cache_key(1), "old but good")
    layer.put(cache_key(2), "brief", 5.0)
    layer.put(cache_key(3), "brief", 5.0)
    clock.advance(6.0)
    layer.put(cache_key(4), "new")
    stats = layer.stats()
    assert (stats.size, stats.expiries, stats.evictions) == (2, 2, 0)
    assert layer.get(cache_key(1)).value == "old but good"


def test_a_full_cache_frees_a_share_at_once(opened):
    layer = opened(capacity=640)
    for i in range(641):
        layer.put(cache_key(i), "x")
    assert layer.stats().size == 630


@pytest.mark.parametrize("text", ["", "\0", "a\0b", "\ud800", "snow \N{SNOWMAN}", "x" * 1_000_000])
def test_any_text_comes_back(opened, text):
    opened().put(cache_key(1), text)
    assert opened().get(cache_key(1)).value == text


def test_only_text_is_kept(opened):
    with pytest.raises(TypeError, match="keeps text, not dict"):
        opened().put(cache_key(1), {})


def test_sql_in_a_key_is_only_a_key(opened):
    key = CacheKey("'; drop table replies; --", '"')
    layer = opened()
    layer.put(key, "x")
    assert layer.get(key).value == "x"
    assert layer.stats().size == 1


def refusal(folder):
    with pytest.raises(PluginError) as raised:
        Store(str(folder))
    error = raised.value
    assert (error.distribution, error.code) == ("rtfs-cache-l2", "E0811")
    assert "enabled = false" in str(error)
    return str(error)


def test_a_file_that_is_no_database(tmp_path):
    (tmp_path / FILE).write_bytes(b"not a database, but long enough to be looked at" * 50)
    said = refusal(tmp_path)
    assert str(tmp_path / FILE) in said
    assert "not a database" in said
    assert "delete it" in said


def test_a_damaged_database(tmp_path, opened):
    layer = opened()
    for i in range(500):
        layer.put(cache_key(i), "x" * 500)
    layer.close()
    file = tmp_path / FILE
    damaged = bytearray(file.read_bytes())
    damaged[4096:] = b"\xff" * (len(damaged) - 4096)
    file.write_bytes(bytes(damaged))
    assert "delete it" in refusal(tmp_path)


def test_damage_that_shows_later_is_the_same_error_and_ends_the_use(tmp_path, opened, clock):
    layer = opened()
    layer.put(cache_key(1), "x")
    other = sqlite3.connect(tmp_path / FILE)
    other.execute("drop table replies")
    other.close()
    for _ in range(2):
        with pytest.raises(PluginError, match="cannot be used"):
            layer.get(cache_key(1))
    with pytest.raises(PluginError, match="cannot be used"):
        layer.stats()
    (tmp_path / FILE).unlink()


def test_another_programs_database(tmp_path):
    other = sqlite3.connect(tmp_path / FILE)
    other.execute("create table addresses (name text)")
    other.close()
    assert "not of this version" in refusal(tmp_path)
    check = sqlite3.connect(tmp_path / FILE)
    assert check.execute("select name from sqlite_master").fetchall() == [("addresses",)]
    check.close()


def test_a_later_versions_database(tmp_path, opened):
    opened().close()
    other = sqlite3.connect(tmp_path / FILE)
    other.execute("pragma user_version = 2")
    other.close()
    assert "move it away" in refusal(tmp_path)


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    assert "see that its folder exists" in refusal(tmp_path / "file" / "folder")


def test_a_file_that_is_a_folder(tmp_path):
    (tmp_path / FILE).mkdir()
    assert "unable to open" in refusal(tmp_path)


def test_a_closed_layer_says_so(opened):
    layer = opened()
    layer.close()
    layer.close()
    with pytest.raises(PluginError, match="closed by its host"):
        layer.get(cache_key(1))


def test_an_empty_file_is_a_new_one(tmp_path, opened):
    (tmp_path / FILE).touch()
    assert opened().stats().size == 0


def test_the_catalog_makes_it(tmp_path, clock):
    catalog = load_catalog({"RTFS_PLUGINS": "l2"})
    assert not catalog.problems
    entry = catalog.cache("l2")
    assert (entry.level, entry.persistent, entry.settings) == (CacheLevel.L2, True, L2Settings)
    layer = entry.factory(CacheSettings(clock=clock, ttl=5.0, directory=str(tmp_path / "new" / "folder")))
    layer.put(cache_key(1), "x")
    assert layer.stats().capacity == 100_000
    layer.close()
    assert (tmp_path / "new" / "folder" / FILE).is_file()
    memory = entry.factory(CacheSettings(clock=clock, own=L2Settings(capacity=2, ttl=1.0)))
    memory.put(cache_key(1), "x")
    clock.advance(1.0)
    assert memory.get(cache_key(1)) is None
    memory.close()


@pytest.mark.slow
def test_a_hundred_thousand_in_seconds(tmp_path, opened):
    import time

    layer = opened(capacity=50_000)
    started = time.perf_counter()
    for i in range(100_000):
        layer.put(CacheKey("l2", f"{i:064x}"), "x" * 300)
    puts = time.perf_counter() - started
    for i in range(100_000):
        layer.get(CacheKey("l2", f"{i:064x}"))
    gets = time.perf_counter() - started - puts
    print(f"100,000 puts {puts:.2f} s, 100,000 gets {gets:.2f} s")
    assert layer.stats().size <= 50_000
    assert puts + gets < 30
