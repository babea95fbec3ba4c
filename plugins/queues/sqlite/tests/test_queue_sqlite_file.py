"""The file: private, known by its marks, whole after kill -9; what cannot be used says why."""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing

import attrs
import pytest

from rtfs_framework.api import ItemFilter, QueueError, QueueItem, QueueSettings
from rtfs_framework.testing import FakeClock
from rtfs_framework.testing.queue_crash import crashes, flood, frozen
from rtfs_queue_sqlite.plugin import SqliteSettings, rtfs_queues

PLUGIN = "rtfs_queue_sqlite.plugin"


def made(folder, **own):
    (entry,) = rtfs_queues()
    return entry.factory(QueueSettings(clock=FakeClock(), own=SqliteSettings(**own), directory=str(folder)))


def test_it_is_private_and_lies_in_the_hosts_folder(tmp_path):
    with closing(made(tmp_path)) as queue:
        queue.put(QueueItem(id="a", topic="runs", payload=b""))
    assert stat.S_IMODE((tmp_path / "queue.sqlite").stat().st_mode) == 0o600


def test_a_path_is_relative_to_the_configuration(tmp_path):
    (entry,) = rtfs_queues()
    settings = QueueSettings(clock=FakeClock(), own=SqliteSettings(path="mine.sqlite"), base=str(tmp_path))
    with closing(entry.factory(settings)) as queue:
        assert queue.counts() == []
    assert (tmp_path / "mine.sqlite").is_file()


def test_without_any_place_it_says_so():
    (entry,) = rtfs_queues()
    with pytest.raises(QueueError, match="add `path`"):
        entry.factory(QueueSettings(clock=FakeClock()))


@pytest.mark.parametrize("text", [b"no database at all, but a letter to somebody" * 20, None], ids=["text", "other"])
def test_a_file_of_another_program_is_left_alone(tmp_path, text):
    path = tmp_path / "queue.sqlite"
    if text is None:
        with closing(sqlite3.connect(path)) as db:
            db.execute("create table mine (a)")
    else:
        path.write_bytes(text)
    before = path.read_bytes()
    with closing(made(tmp_path)) as queue, pytest.raises(QueueError, match=r"queue\.sqlite"):
        queue.put(QueueItem(id="a", topic="runs", payload=b""))
    assert path.read_bytes() == before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks are POSIX's")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_that_is_forked_off_opens_the_file_anew(tmp_path):
    with closing(made(tmp_path)) as queue:
        queue.put(QueueItem(id="a", topic="runs", payload=b""))
        child = os.fork()
        if not child:
            os._exit(0 if queue.put(QueueItem(id="b", topic="runs", payload=b"")).new else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert [each.id for each in queue.items(ItemFilter())] == ["a", "b"]


def test_full_sync_writes_as_it_says(tmp_path):
    with closing(made(tmp_path, sync="full")) as queue:
        queue.put(QueueItem(id="a", topic="runs", payload=b""))
        assert queue._file.do(lambda db: db.execute("pragma synchronous").fetchone()) == (2,)


def test_counts_hold_whatever_happens_to_items(tmp_path):
    """What the triggers count is what is there."""
    queue = made(tmp_path)
    for place in range(12):
        queue.put(QueueItem(id=f"{place}", topic="runs", payload=b"12345", tenant=f"{place % 2}"))
    first, second, third, fourth = queue.lease("runs", "w", 60, most=4)
    queue.ack(first)
    queue.nack(second, delay=60)
    queue.nack(third, final=True)
    queue.release(fourth)
    queue.cancel("9")
    queue.requeue(third.item.id)
    queue.purge(2e9)

    def counted(db):
        ready = db.execute("select tenant, ready from turns order by tenant").fetchall()
        there = db.execute("select tenant, sum(state = 'queued') from items group by tenant order by tenant").fetchall()
        waiting = db.execute("select count(*), sum(size) from items where ended = 0").fetchone()
        return ready == there, waiting == db.execute("select items, bytes from totals").fetchone(), waiting

    assert queue._file.do(counted) == (True, True, (10, 50))
    queue.close()


def test_killed_while_it_writes_nothing_acknowledged_is_lost(tmp_path):
    assert crashes(PLUGIN, {"path": str(tmp_path / "queue.sqlite")}, kills=2, puts=100) >= 100


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_many_times_while_it_writes_nothing_acknowledged_is_lost(tmp_path):
    assert crashes(PLUGIN, {"path": str(tmp_path / "queue.sqlite")}, kills=40, puts=4_000) >= 4_000


@pytest.mark.parametrize(
    ("items", "kills"),
    [(300, 3), pytest.param(10_000, 40, marks=[pytest.mark.slow, pytest.mark.timeout(900)])],
    ids=["300", "10000"],
)
def test_producers_and_consumers_that_are_killed_lose_nothing(tmp_path, items, kills):
    report = flood(PLUGIN, {"path": str(tmp_path / "queue.sqlite")}, items=items, kills=kills)
    assert attrs.asdict(report) == {"done": items, "lost": 0, "late": 0, "killed": kills}


def test_a_frozen_holders_late_ack_is_refused(tmp_path):
    assert frozen(PLUGIN, {"path": str(tmp_path / "queue.sqlite")}) == ("lost", b"of the one awake")
