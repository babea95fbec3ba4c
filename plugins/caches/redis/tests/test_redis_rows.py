"""What lies at the server: sealed for its place, in the words of nobody's request, and bounded in time there, too."""

from __future__ import annotations

import pytest

from rtfs_cache_redis.plugin import RedisSettings, _make
from rtfs_cache_redis.scripts import LARGEST
from rtfs_cache_redis.sealing import SharedSeal, slot_of
from rtfs_framework.api import CacheInfo, CacheKey, CacheSettings, PluginError
from rtfs_framework.testing import FakeClock
from rtfs_framework.testing.fakes import cache_key

INFO = CacheInfo(
    symbol="f", tenant="acme", labels=("pii",), tags=("a", "b"), reply="r:0.1", sources=("r:0.0",), cost=7, seconds=0.5
)
OTHER = SharedSeal(b"another key, which some other user has")


def row(layer, key=None):
    return layer._records + slot_of(key or cache_key(1))


def test_what_is_known_beside_a_value_comes_back_with_it(server, node):
    first, second = node(server), node(server)
    first.put(cache_key(1), "a \N{SNOWMAN} \udc80", info=INFO)
    assert second.get(cache_key(1)).info == INFO
    assert second.get(cache_key(1)).value == "a \N{SNOWMAN} \udc80"


def test_no_key_at_the_server_says_what_was_asked(valkey, node):
    layer = node(valkey)
    layer.put(CacheKey("namespace-x", "digest-x", (("arguments", "secret words"),)), "the answer")
    with valkey.client() as client:
        names = [each for each in client.keys("*") if layer._terms.base.encode() in each]
        held = b" ".join(names) + b"".join(b"".join(client.hvals(each)) for each in names if b":r:" in each)
    assert len(names) == 3, names
    assert b"secret words" not in held
    assert b"the answer" in held, "a seal is no cipher: the docs say so"


@pytest.mark.parametrize(
    "change",
    [
        lambda client, at, other: client.hset(at, "blob", client.hget(at, "blob")[:-1] + b"!"),
        lambda client, at, other: client.hset(at, "blob", b""),
        lambda client, at, other: client.hset(at, "expires", "99999999999.0"),
        lambda client, at, other: client.hset(at, "stored", "nan"),
        lambda client, at, other: client.hset(at, "stored", b"\xff"),
        lambda client, at, other: client.hset(at, mapping=client.hgetall(other)),
    ],
    ids=["changed", "empty", "another time", "no time", "no text", "moved"],
)
def test_what_was_changed_is_a_miss_and_told_and_taken_out(server, node, change):
    said = []
    layer = node(server, said=said, ttl=60.0)
    layer.put(cache_key(1), "true")
    layer.put(cache_key(2), "another's")
    with server.client() as client:
        change(client, row(layer), row(layer, cache_key(2)))
    assert layer.get(cache_key(1)) is None
    assert [each for each in layer.scan() if each.record.value == "true"] == []
    assert layer.stats().errors == 1
    assert len(said) == 1
    assert "changed, moved or planted" in said[0]
    assert layer.stats().size == 1
    assert layer.get(cache_key(2)).value == "another's"


@pytest.mark.parametrize("field", ["blob", "stamp", "stored", "expires"])
def test_a_huge_record_that_somebody_planted_is_a_miss_and_is_not_sent(server, node, field):
    layer = node(server)
    for i in (1, 2):
        layer.put(cache_key(i), "x")
    with server.client() as client:
        client.hset(row(layer), field, b"0" * (LARGEST + 1 if field == "blob" else 129))
        sent = received(client)
        assert layer.get(cache_key(1)) is None
        assert received(client) - sent < LARGEST // 16
        assert (layer.stats().errors, layer.stats().size) == (1, 1)
        client.hset(row(layer, cache_key(2)), field, b"0" * (LARGEST + 1 if field == "blob" else 129))
        client.zadd(layer._terms.base + "used", {b"n" * LARGEST: 1})
        sent = received(client)
        assert list(layer.scan()) == []
        assert received(client) - sent < LARGEST // 16


def received(client):
    """Return how many bytes the server has sent to all its clients."""
    return client.info("stats")["total_net_output_bytes"]


def test_what_is_too_large_is_not_kept_and_neither_is_what_was_there_before(valkey, node):
    layer = node(valkey)
    layer.put(cache_key(1), "x")
    layer.put(cache_key(1), "y" * (LARGEST + 1))
    assert layer.get(cache_key(1)) is None
    assert (layer.stats().evictions, layer.stats().size) == (1, 0)


def test_large_records_are_scanned_page_by_page(valkey, node):
    layer = node(valkey)
    for i in range(4):
        layer.put(cache_key(i), str(i) * (LARGEST // 2))
    assert sorted(each.record.value[0] for each in layer.scan()) == ["0", "1", "2", "3"]


def test_no_lease_that_somebody_planted_holds_an_invalidation_for_long(valkey, node):
    slept = []
    layer = node(valkey, sleep=slept.append)
    layer.put(cache_key(1), "x")
    with valkey.client() as client:
        client.hset(layer._terms.base + "state", "lease", 10**15)
    assert layer.invalidate(cache_key(1))
    assert slept == [pytest.approx(61.2)]


def test_another_users_record_is_a_miss(valkey, node):
    planted = node(valkey, seal=OTHER)
    planted.put(cache_key(1), "whatever you like")
    assert node(valkey).get(cache_key(1)) is None


def test_another_layers_record_is_a_miss(valkey, node):
    one, other = node(valkey, name="one"), node(valkey, name="other")
    one.put(cache_key(1), "one's")
    other.put(cache_key(1), "other's")
    with valkey.client() as client:
        client.hset(row(other), mapping=client.hgetall(row(one)))
    assert other.get(cache_key(1)) is None


def test_a_record_of_another_type_is_a_miss_and_goes(server, node):
    layer = node(server)
    layer.put(cache_key(1), "x")
    with server.client() as client:
        client.delete(row(layer))
        client.lpush(row(layer), "y")
    assert layer.get(cache_key(1)) is None
    assert (layer.stats().errors, layer.stats().size) == (1, 0)
    with server.client() as client:
        client.lpush(row(layer), "y")
    layer.put(cache_key(1), "z")
    assert node(server).get(cache_key(1)).value == "z"


def test_what_the_server_dropped_for_want_of_room_is_a_miss(server, node):
    layer = node(server)
    layer.put(cache_key(1), "x")
    with server.client() as client:
        client.delete(row(layer))
    assert layer.get(cache_key(1)) is None
    assert (layer.stats().evictions, layer.stats().size) == (1, 0)


def test_the_server_forgets_by_itself_what_nobody_reads_any_more(valkey, node):
    layer = node(valkey)
    layer.put(cache_key(1), "x", 60.0)
    layer.put(cache_key(2), "x")
    layer.put(cache_key(3), "x", 1e300)
    with valkey.client() as client:
        assert 59_000 < client.pttl(row(layer)) <= 60_001
        assert [client.pttl(row(layer, cache_key(i))) for i in (2, 3)] == [-1, -1]
        layer.put(cache_key(1), "x")
        assert client.pttl(row(layer)) == -1


def test_only_text_is_kept(valkey, node):
    with pytest.raises(TypeError, match="keeps text, not int"):
        node(valkey).put(cache_key(1), 7)


def test_a_scan_goes_by_pages_and_is_no_use(server, node):
    clock = FakeClock()
    layer = node(server, clock=clock, capacity=400)
    for i in range(300):
        layer.put(cache_key(i), f"v{i}", 10.0 if i % 2 else 20.0, CacheInfo(symbol=f"f{i}"))
    found = {each.key: each.record for each in layer.scan()}
    assert {each: record.value for each, record in found.items()} == {cache_key(i): f"v{i}" for i in range(300)}
    assert found[cache_key(7)].info.symbol == "f7"
    assert (layer.stats().hits, layer.stats().misses) == (0, 0)
    clock.advance(10.0)
    assert len(list(layer.scan())) == 150


def make(environ, **own):
    settings = CacheSettings(clock=FakeClock(), own=RedisSettings(**own), environ=environ)
    return _make(settings)


@pytest.mark.parametrize(
    ("own", "environ", "says"),
    [
        ({"url": "http://x"}, {}, "write redis://HOST:PORT/0"),
        ({"url": "redis://user:hunter2@x:1/0"}, {}, "put it into a variable"),
        ({"url": "redis://x:1/0?password=hunter2"}, {}, "put it into a variable"),
        ({"url": "reddis://user:hunter2@x:1/0"}, {}, "put it into a variable"),
        ({"url": "redis://user:hunter2/y@x:1/0"}, {}, "put it into a variable"),
        ({"url": "redis://user:1#hunter2@x:1/0"}, {}, "put it into a variable"),
        ({"url": "redis://x:1/0?pass%77ord=hunter2"}, {}, "put it into a variable"),
        ({"url": "redis://user:hunter2@x:1/0", "password_env": "P"}, {}, "$P is not set"),
        ({"url": "redis://[x"}, {}, "write redis://HOST:PORT/0"),
        ({"url": "redis://x:port/0"}, {"K": "k" * 32}, "correct its URL"),
        ({"password_env": "P"}, {}, "$P is not set"),
        ({"key_env": "K"}, {"K": "short"}, "at least 32 characters in $K"),
        ({}, {}, "name a shared key by key_env"),
    ],
)
def test_what_cannot_work_is_refused_with_a_way_out(own, environ, says):
    own = {"key_env": "K", **own} if "K" in environ else own
    with pytest.raises(PluginError) as raised:
        make(environ, **own).close()
    assert says in str(raised.value)
    assert "help:" in str(raised.value)
    assert raised.value.code == "E0811"
    assert "hunter2" not in str(raised.value)


def test_a_user_whose_own_key_cannot_be_read_is_told(valkey):
    def none():
        raise ValueError("artifacts.key may be read by others")

    with pytest.raises(PluginError, match="may be read by others"):
        _make(CacheSettings(clock=FakeClock(), own=RedisSettings(url=valkey.url), seal=none))


def test_nodes_with_one_shared_key_open_each_others_records(server, node):
    environ = {"K": "0123456789abcdef" * 2}
    settings = {"url": server.url, "key_env": "K", "prefix": f"shared-{server.kind}", "timeout": 5}
    first, second = make(environ, **settings), make(environ, **settings)
    first.put(cache_key(1), "x")
    assert second.get(cache_key(1)).value == "x"
    stranger = make({"K": "another key, which is long enough"}, **settings)
    assert stranger.get(cache_key(1)) is None
    for each in (first, second, stranger):
        each.close()
