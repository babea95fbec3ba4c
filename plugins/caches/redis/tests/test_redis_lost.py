"""A node that loses its server goes on with its own memory, says so once, and brings both together when it is back."""

from __future__ import annotations

import itertools
import signal
import time

import pytest

from rtfs_cache_redis.link import FIRST_PAUSE, LONGEST_PAUSE
from rtfs_framework.api import PluginError
from rtfs_framework.testing.fakes import cache_key

NOBODY = "redis://127.0.0.1:1/0"
EVENTS = ("--loading-process-events-interval-bytes", "1024")


def later(layer, seconds=LONGEST_PAUSE):
    """Let the pause between two tries pass."""
    layer._now.at += seconds


def test_a_server_that_is_not_there_costs_misses_and_is_told_once(node):
    said = []
    layer = node(NOBODY, said=said)
    assert layer.get(cache_key(1)) is None
    layer.put(cache_key(1), "mine")
    assert layer.get(cache_key(1)).value == "mine"
    assert list(layer.scan()) == []
    stats = layer.stats()
    assert (stats.hits, stats.misses, stats.puts, stats.size) == (1, 1, 1, 1)
    assert len(said) == 1
    assert NOBODY in said[0]
    assert "it cannot be reached" in said[0]


def test_while_it_is_lost_only_one_call_a_pause_tries(node, monkeypatch):
    layer = node(NOBODY)
    tries = []
    connect = layer._link.client.connection_pool.get_connection
    monkeypatch.setattr(
        layer._link.client.connection_pool, "get_connection", lambda *a, **k: tries.append(1) or connect(*a, **k)
    )
    for _ in range(20):
        layer.get(cache_key(1))
    assert len(tries) == 1
    pauses = []
    for _ in range(10):
        before = layer._now.at
        while len(tries) == len(pauses) + 1:
            layer._now.at += FIRST_PAUSE / 4
            layer.get(cache_key(1))
        pauses.append(layer._now.at - before)
    assert pauses[0] < 2 * FIRST_PAUSE
    assert all(first < second or first > 0.9 * LONGEST_PAUSE for first, second in itertools.pairwise(pauses))
    assert pauses[-1] == pytest.approx(LONGEST_PAUSE, rel=0.1)


def test_what_is_made_alone_is_served_only_so_long(node):
    layer = node(NOBODY, alone=30.0)
    layer.put(cache_key(1), "mine", 10.0)
    layer.put(cache_key(2), "mine")
    layer._clock.advance(10.0)
    assert layer.get(cache_key(1)) is None
    later(layer, 29.9)
    assert layer.get(cache_key(2)) is not None
    later(layer, 0.1)
    assert layer.get(cache_key(2)) is None
    nothing = node(NOBODY, alone=0.0)
    nothing.put(cache_key(1), "mine")
    assert nothing.get(cache_key(1)) is None


@pytest.mark.parametrize("kind", ["valkey", "redis"])
def test_killed_and_started_again(own_server, node, kind):
    server, said = own_server(kind=kind), []
    layer = node(server, said=said, lease=1.0)
    layer.put(cache_key(1), "before")
    assert layer.get(cache_key(1)) is not None
    server.kill()
    later(layer)
    assert layer.get(cache_key(1)) is None, "a copy of before is served for its lease only"
    layer.put(cache_key(2), "alone")
    assert layer.get(cache_key(2)).value == "alone"
    server.start()
    later(layer)
    assert layer.get(cache_key(2)) is None, "a server that began anew does not know what was invalidated meanwhile"
    layer.put(cache_key(3), "after")
    assert node(server).get(cache_key(3)).value == "after"
    assert len(said) == 1
    server.kill()
    later(layer)
    layer.get(cache_key(3))
    assert len(said) == 2, "another loss is told again"


def test_a_restored_snapshot_brings_nothing_back(own_server, node):
    server = own_server("--dbfilename", "old.rdb")
    layer = node(server)
    layer.put(cache_key(1), "old")
    with server.client() as client:
        client.save()
    layer.invalidate(cache_key(1))
    server.kill()
    server.start()
    with server.client() as client:
        assert client.exists(layer._terms.base + "used"), "the snapshot was restored"
    later(layer)
    layer.get(cache_key(2))
    later(layer)
    assert layer.get(cache_key(1)) is None
    assert node(server).get(cache_key(1)) is None
    assert layer.stats().size == 0


def test_a_cut_connection_is_one_miss(own_server, node):
    server = own_server()
    layer, other = node(server), node(server)
    layer.put(cache_key(1), "x")
    other.put(cache_key(2), "of another")
    with server.client() as client:
        client.client_kill_filter(_type="normal", skipme=True)
    later(layer)
    found = [layer.get(cache_key(2)), later(layer), layer.get(cache_key(2))]
    assert found[-1].value == "of another"


def test_a_frozen_server_delays_nobody_for_longer_than_a_few_timeouts(own_server, node):
    server, said = own_server(), []
    layer = node(server, said=said, timeout=0.2, lease=1.0)
    layer.put(cache_key(1), "x")
    later(layer)
    server.signal(signal.SIGSTOP)
    began = time.monotonic()
    try:
        assert layer.get(cache_key(1)) is None
        for i in range(200):
            layer.put(cache_key(i), "y")
            assert layer.get(cache_key(i)).value == "y"
        took = time.monotonic() - began
    finally:
        server.signal(signal.SIGCONT)
    assert "does not answer in time" in said[0]
    assert took < 60, "not two hundred timeouts"
    later(layer)
    assert layer.get(cache_key(7)).value == "y", "what was made meanwhile is the server's now"
    assert node(server).get(cache_key(7)).value == "y"


def test_what_was_invalidated_meanwhile_is_not_brought_back(own_server, node):
    server = own_server()
    cut, other = node(server, timeout=0.3, lease=1.0), node(server)
    for i in (1, 2):
        assert cut.get(cache_key(i)) is None
    port, cut._link.client.connection_pool.connection_kwargs["port"] = server.port, 1
    cut._link.client.connection_pool.disconnect()
    for i in (1, 2):
        cut.put(cache_key(i), "made alone")
    assert cut.get(cache_key(1)).value == "made alone"
    other.invalidate(cache_key(1))
    cut._link.client.connection_pool.connection_kwargs["port"] = port
    cut._link.client.connection_pool.reset()
    later(cut)
    assert cut.get(cache_key(1)) is None
    assert cut.get(cache_key(2)).value == "made alone"
    assert other.get(cache_key(1)) is None
    assert other.get(cache_key(2)).value == "made alone"


@pytest.mark.parametrize("how", ["one", "all", "very many"])
def test_an_invalidation_that_nobody_hears_raises_and_is_carried_out_later(own_server, node, how):
    server = own_server()
    cut, other = node(server, timeout=0.3), node(server)
    other.put(cache_key(1), "x")
    pool = cut._link.client.connection_pool
    pool.connection_kwargs["port"] = 1
    keys = [cache_key(i) for i in range(5_000 if how == "very many" else 3)]
    with pytest.raises(PluginError, match="nothing was invalidated") as raised:
        _ = cut.clear() if how == "all" else cut.invalidate_all(keys)
    assert "others may serve it" in str(raised.value)
    later(other, 20.0)
    assert other.get(cache_key(1)) is not None, "which is why it was not acknowledged"
    pool.connection_kwargs["port"] = server.port
    pool.reset()
    later(cut)
    cut.get(cache_key(9))
    later(other, 20.0)
    assert other.get(cache_key(1)) is None


def test_a_wrong_password_is_told_and_a_right_one_works(own_server, node):
    server, said = own_server("--requirepass", "s3cret-word"), []
    for password, why in (("wrong", "does not accept"), (None, "wants a password")):
        layer = node(server, said=said, password=password)
        assert layer.get(cache_key(1)) is None
        assert why in said[-1]
        assert "password_env" in said[-1]
    layer = node(server, said=said, password="s3cret-word")
    layer.put(cache_key(1), "x")
    assert layer.get(cache_key(1)).value == "x"
    assert "s3cret" not in "".join(said)
    assert len(said) == 2


def test_keys_of_somebody_else_are_left_alone_and_told(server, node):
    said = []
    layer = node(server, said=said)
    with server.client() as client:
        client.set(layer._terms.base + "state", "somebody else's")
        assert layer.get(cache_key(1)) is None
        assert client.get(layer._terms.base + "state") == b"somebody else's"
    assert "choose another prefix" in said[0]


def test_a_server_without_memory_is_told(own_server, node):
    server, said = own_server(), []
    layer = node(server, said=said)
    layer.put(cache_key(1), "x")
    with server.client() as client:
        client.config_set("maxmemory", 1)
        for i in (2, 3):
            layer.put(cache_key(i), "y")
            assert layer.get(cache_key(i)) is None
        assert layer.get(cache_key(1)).value == "x", "reads go on"
        assert layer.stats().errors == 2
        assert "keeps nothing new: it has no memory left" in said[0]
        assert layer.invalidate(cache_key(1)), "and so do invalidations"
        client.config_set("maxmemory", 0)
    layer.put(cache_key(2), "y")
    assert node(server).get(cache_key(2)).value == "y"
    assert len(said) == 1


def test_a_server_that_is_loading_is_told(own_server, node, tmp_path):
    server, said = own_server("--dbfilename", "large.rdb", "--key-load-delay", "60", *EVENTS), []
    with server.client() as client:
        pipe = client.pipeline()
        for i in range(60_000):
            pipe.set(i, i)
        pipe.execute()
        client.save()
    server.kill()
    server.start_at_once()
    layer = node(server, said=said)
    for _ in range(500):
        layer.get(cache_key(1))
        if said and "loading" in said[-1]:
            break
        later(layer)
        layer._apart = False
        time.sleep(0.02)
    assert any("still loading" in each for each in said), said
    server.kill()
