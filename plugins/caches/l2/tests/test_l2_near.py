"""Rows at hand in memory: not read again, and never served as they were before another process changed them."""

from __future__ import annotations

import random

import pytest

from rtfs_cache_l2.layer import SECONDS
from rtfs_framework.api import CacheInfo
from rtfs_framework.testing.fakes import cache_key


@pytest.fixture
def reads():
    """Return the statements that any layer runs to read a row."""
    seen = []

    def watch(layer):
        layer._store._db.set_trace_callback(lambda text: seen.append(text) if text.startswith("select value") else None)
        return layer

    return watch, seen


def test_a_row_is_read_once_until_something_changes(opened, reads):
    watch, seen = reads
    one, other = watch(opened()), opened()
    one.put(cache_key(1), "a")
    for _ in range(5):
        assert one.get(cache_key(1)).value == "a"
    assert len(seen) == 1
    other.put(cache_key(2), "b")
    assert one.get(cache_key(1)).value == "a"
    assert len(seen) == 2


CHANGES = {
    "put": (lambda other: other.put(cache_key(1), "new", None, CacheInfo(symbol="g")), "new"),
    "taken out": (lambda other: other.invalidate(cache_key(1)), None),
    "cleared": (lambda other: other.clear(), None),
    "evicted": (lambda other: [other.put(cache_key(i), "x") for i in range(2, 9)], None),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("same", [True, False], ids=["by itself", "by another"])
def test_what_was_changed_is_seen_at_once(opened, change, same):
    one = opened(4)
    other = one if same else opened(4)
    one.put(cache_key(1), "old")
    assert one.get(cache_key(1)).value == "old"
    work, left = CHANGES[change]
    if change == "evicted":
        one.get(cache_key(1))
        one._used.clear()  # a use that nobody knows of does not keep it
    work(other)
    found = one.get(cache_key(1))
    assert (found and found.value) == left


def test_uses_are_counted_on_though_the_row_is_not_read_again(opened, clock):
    layer = opened()
    layer.put(cache_key(1), "a")
    for expected in range(1, 8):
        clock.advance(SECONDS / 3)
        assert layer.get(cache_key(1)).uses == expected
    layer.close()
    assert opened().get(cache_key(1)).uses == 8


def test_a_long_row_is_not_held(opened, reads):
    watch, seen = reads
    layer = watch(opened())
    layer.put(cache_key(1), "a" * 10_000)
    for _ in range(3):
        assert len(layer.get(cache_key(1)).value) == 10_000
    assert len(seen) == 3


def test_two_that_change_one_file_in_turn_agree(opened):
    pair, model, chance = [opened(), opened()], {}, random.Random(7)
    for step in range(600):
        layer, key = chance.choice(pair), cache_key(chance.randrange(6))
        doing = chance.random()
        if doing < 0.3:
            layer.put(key, f"v{step}")
            model[key] = f"v{step}"
        elif doing < 0.4:
            layer.invalidate(key)
            model.pop(key, None)
        else:
            found = layer.get(key)
            assert (found and found.value) == model.get(key), step
