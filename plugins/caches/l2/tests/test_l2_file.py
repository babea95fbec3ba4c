"""The file: what a crash leaves, two processes at once, what makes room, and that any text comes back."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from functools import partial

import pytest

from rtfs_cache_l2.plugin import L2Settings
from rtfs_cache_l2.store import FILE
from rtfs_framework.api import CacheKey, CacheLevel, CacheSettings
from rtfs_framework.orchestrator.remembering.keyring import Keyring
from rtfs_framework.registry import load_catalog
from rtfs_framework.testing.fakes import cache_key

PRELUDE = """
    import os, sys
    from rtfs_cache_l2.layer import Keeping, ReplyCache
    from rtfs_cache_l2.store import Store
    from rtfs_framework.testing import FakeClock
    from rtfs_framework.testing.fakes import cache_key
    layer = ReplyCache(Store(sys.argv[1]), Keeping(capacity=1_000), clock=FakeClock())
"""


def start(program, *args):
    text = textwrap.dedent(PRELUDE) + textwrap.dedent(program)
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-c", text, *map(str, args)], stdin=pipe, stderr=pipe, text=True)


def finish(process):
    _, errors = process.communicate(timeout=50)
    assert not errors
    return process.returncode


def test_a_process_killed_in_a_burst_loses_no_reply_that_was_put(tmp_path, opened):
    program = """
        for i in range(300):
            layer.put(cache_key(i), f"reply {i}")
        os._exit(7)
    """
    assert finish(start(program, tmp_path)) == 7
    layer = opened()
    assert layer.stats().size == 300
    assert [layer.get(cache_key(i)).value for i in range(300)] == [f"reply {i}" for i in range(300)]


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


def test_processes_that_make_the_file_at_once_all_get_it(tmp_path):
    program = """
        sys.stdin.readline()
        for n in range(20):
            Store(f"{sys.argv[1]}/{n}").close()
    """
    processes = [start(program, tmp_path) for _ in range(4)]
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [finish(each) for each in processes] == [0] * 4


def test_another_process_sees_what_is_put_at_once(opened):
    one, two = opened(), opened()
    for i in range(3):
        one.put(cache_key(i), f"reply {i}")
        assert two.get(cache_key(i)).value == f"reply {i}"


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


def test_an_empty_file_is_a_new_one(tmp_path, opened):
    (tmp_path / FILE).touch()
    assert opened().stats().size == 0


def test_the_catalog_makes_it(tmp_path, clock):
    catalog = load_catalog({"RTFS_PLUGINS": "l2"})
    assert not catalog.problems
    entry = catalog.cache("l2")
    assert (entry.level, entry.persistent, entry.settings) == (CacheLevel.L2, True, L2Settings)
    folder = str(tmp_path / "new" / "folder")
    seal = partial(Keyring(lambda: folder).seal, "cache")
    layer = entry.factory(CacheSettings(clock=clock, ttl=5.0, directory=folder, seal=seal))
    layer.put(cache_key(1), "x")
    assert layer.stats().capacity == 2_000
    layer.close()
    assert (tmp_path / "new" / "folder" / FILE).is_file()
    memory = entry.factory(CacheSettings(clock=clock, own=L2Settings(capacity=2, ttl=1.0)))
    memory.put(cache_key(1), "x")
    clock.advance(1.0)
    assert memory.get(cache_key(1)) is None
    memory.close()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_twenty_thousand_puts_keep_the_bound(opened):
    import time

    layer, count = opened(capacity=10_000), 20_000
    started = time.perf_counter()
    for i in range(count):
        layer.put(CacheKey("l2", f"{i:064x}"), "x" * 300)
    puts = time.perf_counter() - started
    found = sum(layer.get(CacheKey("l2", f"{i:064x}")) is not None for i in range(count))
    gets = time.perf_counter() - started - puts
    print(f"{count:,} puts {puts:.2f} s, {count:,} gets {gets:.2f} s")
    assert found == layer.stats().size <= 10_000
