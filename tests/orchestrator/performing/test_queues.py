"""`[queue]`: which queue a host uses, what it may hold, and what becomes of one that breaks."""

from __future__ import annotations

import attrs
import pytest

from rtfs_framework.api import ConfigError, QueueEntry, QueueError, QueueFullError, QueueItem
from rtfs_framework.orchestrator.performing.queues import open_queue
from rtfs_framework.testing.memory_queue import MemoryQueue

ITEM = QueueItem(id="a", topic="runs", payload=b"12345")


@attrs.frozen
class Own:
    """Settings of a queue."""

    word: str = "usual"
    password_env: str | None = None


@pytest.fixture
def opened(kit):
    """Return a function that opens the queue of a configuration, which a factory makes."""

    def of(config, factory=MemoryQueue, name="mine", **environ):
        catalog = kit.catalog(kit.provider("near", lambda _: None, remote=False))
        who = catalog.providers["near"][1]
        entry = QueueEntry(name=name, summary="", factory=factory, settings=Own)
        catalog = attrs.evolve(catalog, queues={name: (entry, who)})
        with kit.open(catalog, config, environ={**kit.environ, **environ}) as session:
            return open_queue(session.host.config, {**kit.environ, **environ}, session.host.clock, catalog)

    return of


def test_a_plugin_is_told_what_its_table_and_the_hosts_say(opened, kit):
    made = []

    def factory(settings):
        made.append(settings)
        return MemoryQueue(settings)

    config = """
    [queue]
    store = "mine"
    most_items = 7
    most_bytes = "2 MiB"
    weights = {acme = 3}
    [queues.mine]
    word = "other"
    password_env = "P"
    """
    queue = opened(config, factory, P="s3cret", Q="no")
    assert queue.put(ITEM).new
    (told,) = made
    assert (told.own, told.environ) == (Own("other", "P"), {"P": "s3cret"})
    assert (told.most_items, told.most_bytes, told.weights) == (7, 2 << 20, {"acme": 3.0})
    assert told.directory == str(kit.home)
    assert told.base is not None


def test_without_a_word_it_is_the_file_of_this_machine(opened):
    assert opened("", name="sqlite").put(ITEM).new
    assert opened("[queues.sqlite]\n", name="sqlite").put(ITEM).new


def test_its_own_refusals_pass(opened):
    queue = opened('[queue]\nstore = "mine"\nmost_items = 1\n')
    queue.put(ITEM)
    with pytest.raises(QueueFullError, match="at most 1 items"):
        queue.put(attrs.evolve(ITEM, id="b"))


def test_where_nobody_offers_one_each_use_says_so(opened):
    queue = opened("", name="other")
    with pytest.raises(QueueError, match="no plug-in offers the queue 'sqlite'"):
        queue.put(ITEM)
    queue.close()


class Broken:
    """Every method fails in its own way."""

    def __getattr__(self, name):
        def fail(*_given):
            raise ZeroDivisionError("oh")

        return fail


def refuse(_settings):
    raise QueueError("it has no place")


@pytest.mark.parametrize(
    ("factory", "words"),
    [
        (lambda _: Broken(), "the queue 'mine' failed: ZeroDivisionError"),
        (lambda _: 1 // 0, "ZeroDivisionError"),
        (refuse, "it has no place"),
        (lambda _: None, "has no `put`"),
    ],
    ids=["broken", "raises", "refuses", "nothing"],
)
def test_one_that_breaks_raises_one_kind_of_error(opened, factory, words):
    with pytest.raises(QueueError, match=words):
        opened('[queue]\nstore = "mine"\n', factory).put(ITEM)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ('[queue]\nstore = "mien"\n', ("E0706", "no queue is called 'mien'", "delegation.toml:2:9")),
        ("[queues.mien]\n", ("E0706", "no queue is called 'mien'", "delegation.toml:1:9")),
        ("[queues.mine]\nwrod = 1\n", ("E0702", "wrod", "delegation.toml:2:1", "word")),
        ("[queue]\nmost_items = 0\n", ("most_items", "delegation.toml:2:14")),
        ("[queue]\nweights = {acme = 0}\n", ("'acme' must be above 0", "delegation.toml:2")),
        ('[queue]\nkeep = "soon"\n', ("keep", "delegation.toml:2:8")),
    ],
    ids=["store", "table", "key", "items", "weight", "keep"],
)
def test_what_is_wrong_is_told_with_its_place(opened, config, words):
    with pytest.raises(ConfigError) as raised:
        opened(config)
    for word in words:
        assert word in str(raised.value)
