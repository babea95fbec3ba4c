"""Targets that answer later, and a process that is killed: what its items were answered is not asked for again."""

from __future__ import annotations

import os
from importlib import import_module

import attrs
import pytest

from rtfs_framework.api import ItemFilter, QueueEntry, QueueSettings
from rtfs_framework.orchestrator.concurrency.clock import SystemClock
from rtfs_framework.orchestrator.performing import later
from rtfs_framework.orchestrator.performing.later import Later
from rtfs_framework.orchestrator.recording.journal import query

pytestmark = pytest.mark.needs("rtfs-queue-sqlite")
PROGRAM = """
(defn ask ^:delegation :remote "m" [x : :string] : :string "own")
(defn main [x]
  (let [a (ticket (ask x)) b (ticket (ask "b")) c (call :put "c")]
    [c (await b) (ask (await a))]))
"""
CONFIG = """[delegation.remote_providers.m]
provider = "m"
later = true
"""


@pytest.fixture
def queued(world, monkeypatch):
    """Return the world with a queue in a file of its own."""
    factory = import_module("rtfs_queue_sqlite.plugin").rtfs_queues()[0].factory
    catalog = world.catalog()
    entry = QueueEntry(name="sqlite", summary="", factory=factory)
    catalog = attrs.evolve(catalog, queues={"sqlite": (entry, catalog.providers["m"][1])})
    world.config = CONFIG
    monkeypatch.setattr(type(world), "catalog", lambda _self: catalog)
    return world


def forgotten(status):
    """Return a status as a queue tells it that forgets what is done."""
    return attrs.evolve(status, payload=None) if status is not None and status.state == "done" else status


def items(world):
    factory = import_module("rtfs_queue_sqlite.plugin").rtfs_queues()[0].factory
    queue = factory(QueueSettings(clock=SystemClock(), directory=str(world.kit.home)))
    try:
        return queue.items(ItemFilter(topic="tickets"))
    finally:
        queue.close()


def test_killed_at_some_moments_and_gone_on_with(queued, source):
    def work():  # in the child: who is killed holds an item for a moment only
        later.LEASE = 0.3
        with queued.open() as session:
            session.run(source(PROGRAM), ("x",))

    with queued.open() as session:
        value = session.run(source(PROGRAM), ("x",)).value
    assert {each.state for each in items(queued)} == {"done"}
    for moment in range(2, 60, 6):
        (queued.kit.home / "effects.txt").unlink()
        (queued.kit.home / "effects.txt").touch()
        if queued.die_at(moment, work):
            break
        row = query.list_runs(queued.kit.journal)[0]
        if row.status == "complete":
            continue
        assert queued.settle(row.id).value == value
        assert {each.state for each in items(queued) if each.id.startswith(row.id)} <= {"done"}
    else:
        pytest.fail("it never came to its end")


@pytest.mark.parametrize("forgets", [False, True], ids=["keeps-payloads", "forgets-payloads"])
def test_killed_right_after_the_answer_was_kept(queued, source, monkeypatch, forgets):
    """The item has its answer, the journal none: it is told from the item, and no model is asked a fourth time."""
    if forgets:
        kind = import_module("rtfs_queue_sqlite.queue").SqliteQueue
        get = kind.get
        monkeypatch.setattr(kind, "get", lambda self, id_: forgotten(get(self, id_)))
    acknowledged, left = Later._keep, [2]

    async def killed(self, *given):
        await acknowledged(self, *given)
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), 9)

    def work():
        later.LEASE = 1.5
        Later._keep = killed
        with queued.open() as session:
            session.run(source(PROGRAM), ("x",))

    assert not queued.die_at(10_000, work)
    row = query.list_runs(queued.kit.journal)[0]
    assert row.status == "unfinished"
    assert queued.settle(row.id).value == ("put c", "said b", "said said x")
    asked = [arg for name, _, arg in queued.effects if name == "model"]
    assert sorted(asked) == ["b", "said x", "x"]


def test_killed_right_after_the_item_was_placed(queued, source):
    """Somebody can go on with its run: an item whose run nobody knows would be done for nobody."""
    place = Later._placed

    async def killed(self, own):
        await place(self, own)
        os.kill(os.getpid(), 9)

    def work():
        Later._placed = killed
        with queued.open() as session:
            session.run(source('(defn ask ^:delegation :remote "m" [x] "own") (ask "x")'))

    assert not queued.die_at(10_000, work)
    (item,) = items(queued)
    assert item.id.startswith(queued.run)
    assert queued.settle(queued.run).value == "said x"
