"""A server that is killed, frozen or lost, and workers that are: nothing acknowledged is lost or ended twice."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress

import attrs
import pytest
from nats import errors

from rtfs_framework.api import ItemFilter, QueueError, QueueItem, QueueSettings
from rtfs_framework.testing import FakeClock
from rtfs_framework.testing.queue_crash import crashes, flood, frozen
from rtfs_queue_nats import steps
from rtfs_queue_nats.plugin import NatsSettings, rtfs_queues

PLUGIN = "rtfs_queue_nats.plugin"
ITEM = QueueItem(id="a", topic="runs", payload=b"x")


def made(url, environ=None, **own):
    (entry,) = rtfs_queues()
    settings = NatsSettings(url=url, **{"timeout": 2.0, **own})
    return entry.factory(QueueSettings(clock=FakeClock(), own=settings, environ=environ or {}))


def test_a_server_that_is_not_there_is_an_error(own_server):
    server = own_server()
    server.kill()
    with closing(made(server.url, timeout=0.2)) as queue:
        with pytest.raises(QueueError, match=f"NATS at {server.url}"):
            queue.put(ITEM)
        server.start()
        assert queue.put(ITEM).new  # it is looked for again


def test_a_server_that_is_killed_has_all_when_it_is_back(own_server):
    server = own_server()
    with closing(made(server.url, timeout=1.0)) as queue:
        queue.put(ITEM)
        (lease,) = queue.lease("runs", "w", 600.0)
        queue.put(attrs.evolve(ITEM, id="b"))
        server.kill()
        with pytest.raises(QueueError):
            queue.ack(lease, b"lost?")
        server.start()
        queue.ack(lease, b"done")
        assert {each.id: each.state for each in queue.items(ItemFilter())} == {"a": "done", "b": "queued"}
        (other,) = queue.lease("runs", "w", 600.0)
        assert other.item.id == "b"


@pytest.mark.parametrize("hangs", [False, True], ids=["fails", "hangs"])
def test_what_was_leased_before_the_server_failed_is_returned_and_the_rest_given_back(
    server, prefix, monkeypatch, hangs
):
    """Each has one try: none is lost by a lease that nobody was told of."""
    right = steps.write

    async def write(server, record, entry):
        written = await right(server, record, entry)
        if record.id == "c" and record.state == "leased":
            if hangs:
                await asyncio.sleep(3600)
            raise errors.TimeoutError
        return written

    with closing(made(server.url, prefix=prefix, timeout=0.7)) as queue:
        for name in "abc":
            queue.put(attrs.evolve(ITEM, id=name, most_tries=1))
        with monkeypatch.context() as broken:
            broken.setattr(steps, "write", write)
            assert [each.item.id for each in queue.lease("runs", "w", 600.0, most=3)] == ["a", "b"]
        assert queue.get("c").state == "leased"
        found = []
        while not found:
            found = queue.lease("runs", "w", 600.0)
        assert [(each.item.id, each.tries) for each in found] == [("c", 1)]


def test_one_look_takes_no_more_than_it_can_return_in_time(server, prefix, monkeypatch):
    monkeypatch.setattr("rtfs_queue_nats.leases._TAKING", 0.0)
    with closing(made(server.url, prefix=prefix)) as queue:
        for name in "ab":
            queue.put(attrs.evolve(ITEM, id=name))
        assert [[each.item.id for each in queue.lease("runs", "w", 600.0, most=2)] for _ in "ab"] == [["a"], ["b"]]


@pytest.mark.parametrize("seconds", [1_000.0, 1e12], ids=["minutes", "ages"])
def test_what_is_delayed_hides_nothing_behind_it(server, prefix, seconds):
    with closing(made(server.url, prefix=prefix)) as queue:
        for place in range(5):
            queue.put(attrs.evolve(ITEM, id=f"later{place}", not_before=queue._settings.clock.now() + seconds))
        queue.put(attrs.evolve(ITEM, id="now"))
        assert [each.item.id for each in queue.lease("runs", "w", 600.0)] == ["now"]


def test_a_server_that_hangs_is_an_error_after_the_timeout(own_server):
    server = own_server()
    with closing(made(server.url, timeout=0.3)) as queue:
        queue.put(ITEM)
        os.kill(server.process.pid, signal.SIGSTOP)
        with pytest.raises(QueueError):
            queue.get("a")
        os.kill(server.process.pid, signal.SIGCONT)
        assert queue.get("a").state == "queued"


def test_passwords_come_from_the_environment(own_server):
    server = own_server("--user", "rtfs", "--pass", "s3cret")
    with closing(made(server.url, {"P": "s3cret"}, user="rtfs", password_env="P")) as queue:
        assert queue.put(ITEM).new
    with (
        closing(made(server.url, {"P": "wrong"}, user="rtfs", password_env="P", timeout=0.5)) as queue,
        pytest.raises(QueueError) as refused,
    ):
        queue.put(ITEM)
    assert "wrong" not in str(refused.value)


@pytest.mark.parametrize("url", ["nats://u:p@host:4222", "http://host", "host:4222"])
def test_an_address_holds_no_password_and_has_its_scheme(url):
    with pytest.raises(ValueError, match="holds no password"):
        NatsSettings(url=url)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_that_is_forked_off_connects_anew(server, prefix):
    with closing(made(server.url, prefix=prefix)) as queue:
        queue.put(ITEM)
        child = os.fork()
        if not child:
            os._exit(0 if queue.put(attrs.evolve(ITEM, id="b")).new else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert [each.id for each in queue.items(ItemFilter())] == ["a", "b"]


def test_a_frozen_holders_late_ack_is_refused(server, prefix):
    assert frozen(PLUGIN, {"url": server.url, "prefix": prefix}) == ("lost", b"of the one awake")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_while_it_writes_nothing_acknowledged_is_lost(server, prefix):
    assert crashes(PLUGIN, {"url": server.url, "prefix": prefix}, kills=20, puts=1_000) >= 1_000


@pytest.mark.parametrize(
    ("items", "kills"),
    [(300, 3), pytest.param(10_000, 40, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])],
    ids=["300", "10000"],
)
def test_processes_and_the_server_are_killed_and_nothing_is_lost(own_server, items, kills):
    """The server is killed and started again after every second kill of a producer or consumer."""
    server = own_server()

    def meanwhile(kill):
        if kill % 2:
            server.kill()
            server.start()

    report = flood(PLUGIN, {"url": server.url, "timeout": 2.0}, items=items, kills=kills, meanwhile=meanwhile)
    assert attrs.asdict(report) == {"done": items, "lost": 0, "late": 0, "killed": kills}


def test_what_waits_when_the_queue_is_closed_is_told(own_server):
    server = own_server()
    queue = made(server.url, timeout=30.0)
    queue.put(ITEM)
    os.kill(server.process.pid, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(queue.get, "a")
        while not queue._link._under_way:
            time.sleep(0.01)
        os.kill(server.process.pid, signal.SIGCONT)
        queue.close()
        with suppress(QueueError):  # its answer may have come just before
            assert asked.result(20).id == "a"
