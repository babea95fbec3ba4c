"""What is kept and for how long: both bounds, every policy, large texts, lives that uses lengthen, unsure replies."""

from __future__ import annotations

import sqlite3
import zlib

import pytest

from rtfs_cache_l2.layer import LONGEST, Keeping, ReplyCache
from rtfs_cache_l2.rows import LARGE, Found, Row, Rows
from rtfs_cache_l2.store import FILE, Store
from rtfs_framework.api import CacheInfo
from rtfs_framework.testing.fakes import cache_key


@pytest.fixture
def keeping(tmp_path, clock):
    """Return a function that opens the layer with other keeping; all are closed at the end."""
    made = []

    def again(**more):
        more.setdefault("capacity", 1_000)
        made.append(ReplyCache(Store(str(tmp_path)), Keeping(**more), clock=clock))
        return made[-1]

    yield again
    for layer in made:
        layer.close()


def live(layer, keys=range(10)):
    return [i for i in keys if any(item.key == cache_key(i) for item in layer.scan())]


@pytest.mark.parametrize(
    ("policy", "left"),
    [("lru", [1, 3, 4]), ("lfu", [1, 2, 4]), ("fifo", [2, 3, 4]), ("ttl", [1, 3, 4])],
)
def test_each_policy_makes_room_as_it_says(keeping, clock, policy, left):
    layer = keeping(capacity=3, policy=policy)
    for i, ttl in ((1, 30.0), (2, 10.0), (3, 20.0)):
        layer.put(cache_key(i), "x", ttl)
        clock.advance(1.0)
    for i in (2, 2, 1, 1, 3):
        layer.get(cache_key(i))
    if policy == "lru":
        layer.get(cache_key(1))
    layer.put(cache_key(4), "x", 40.0)
    assert live(layer) == left


def test_random_takes_whichever_the_source_of_chance_says(keeping):
    draws = iter([0.0, 0.999])
    layer = keeping(capacity=3, policy="random", random=lambda: next(draws))
    for i in range(1, 5):
        layer.put(cache_key(i), "x")
    assert live(layer) == [2, 3, 4]
    layer.put(cache_key(5), "x")
    assert live(layer) == [2, 3, 5]


def test_neither_bound_is_ever_exceeded(keeping, tmp_path):
    layer = keeping(capacity=50, capacity_bytes=20_000)
    for i in range(300):
        layer.put(cache_key(i), "x" * (i * 37 % 2_000))
        stats = layer.stats()
        assert stats.size <= 50
        assert stats.size_bytes <= 20_000
    assert stats.evictions == 300 - stats.size
    db = sqlite3.connect(tmp_path / FILE)
    assert db.execute("select count(*), sum(size) from replies").fetchone() == (stats.size, stats.size_bytes)
    db.close()


def test_a_text_that_is_larger_than_all_room_is_not_kept(keeping):
    layer = keeping(capacity_bytes=3_000)
    for i in (1, 2):
        layer.put(cache_key(i), "x")
    layer.put(cache_key(2), "x" * 4_000)
    assert layer.get(cache_key(2)) is None, "nor what was there before"
    assert layer.get(cache_key(1)).value == "x", "and it takes nobody's room"
    assert layer.stats().evictions == 1


def test_what_is_known_comes_back_and_uses_are_counted(keeping):
    info = CacheInfo(symbol="f", model="m-1", labels=("pii",), sources=("r:0:1",), cost=12, seconds=0.5, confidence=0.9)
    keeping().put(cache_key(1), "x", None, info)
    layer = keeping()
    assert [layer.get(cache_key(1)).uses for _ in range(3)] == [1, 2, 3]
    assert layer.get(cache_key(1)).info == info
    (item,) = layer.scan()
    assert (item.record.info, item.record.uses, item.record.value) == (info, 4, "x")
    layer.close()
    assert keeping().get(cache_key(1)).uses == 5


@pytest.mark.parametrize("text", ["x" * LARGE, "x" * (LARGE + 1), "ab\N{SNOWMAN}" * 100_000, "\ud800" * 5_000])
def test_large_texts_take_less_and_come_back(keeping, text):
    layer = keeping()
    layer.put(cache_key(1), text)
    assert layer.get(cache_key(1)).value == text
    if len(text) > LARGE:
        assert layer.stats().size_bytes < len(text) // 2


@pytest.mark.parametrize(
    "crafted",
    [
        b"z" + (10).to_bytes(8, "big") + zlib.compress(b"\0" * 50_000_000),
        b"z" + (1 << 60).to_bytes(8, "big") + zlib.compress(b"x"),
        b"z" + (100).to_bytes(8, "big") + zlib.compress(b"x"),
        b"z" + (1).to_bytes(8, "big") + b"no stream",
        b"z",
        b"?x",
        b"",
    ],
    ids=["bomb", "endless", "short", "no stream", "no length", "unknown", "empty"],
)
def test_a_crafted_text_is_never_unpacked_beyond_what_it_says(crafted):
    import tracemalloc

    tracemalloc.start()
    assert Rows().opened(("a", "b"), Found(crafted, 1.0, None, None, b"", 0)) is None
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


def test_what_rows_close_they_open():
    row = Row("x" * 10_000, 1.0, None, None, b"{}", 0)
    closed = Rows().closed(("a", "b"), row)
    assert Rows().opened(("a", "b"), Found(closed, *row[1:])) == row


def test_uses_lengthen_a_life_within_bounds(keeping, clock):
    layer = keeping(ttl=10.0, adaptive=True)
    layer.put(cache_key(1), "x")
    layer.put(cache_key(2), "x")
    began = clock.now()
    while clock.now() - began < LONGEST * 10.0 - 4.0:
        clock.advance(4.0)
        assert (layer.get(cache_key(1)) is not None) is (clock.now() - began < LONGEST * 10.0)
    assert keeping().get(cache_key(2)) is None, "what nobody used is gone"
    clock.advance(5.0)
    assert layer.get(cache_key(1)) is None


def test_without_it_uses_lengthen_nothing(keeping, clock):
    layer = keeping(ttl=10.0)
    layer.put(cache_key(1), "x")
    clock.advance(6.0)
    assert layer.get(cache_key(1)).expires_at == clock.now() + 4.0
    clock.advance(4.0)
    assert layer.get(cache_key(1)) is None


@pytest.mark.parametrize(("confidence", "served"), [(0.79, False), (0.8, True), (None, True)])
def test_an_unsure_reply_is_a_miss(keeping, confidence, served):
    layer = keeping(threshold=0.8)
    layer.put(cache_key(1), "x", None, CacheInfo(confidence=confidence))
    assert (layer.get(cache_key(1)) is not None) is served
    stats = layer.stats()
    assert (stats.hits, stats.misses) == ((1, 0) if served else (0, 1))
    assert (layer.claim(cache_key(1), 1.0) is None) is served
