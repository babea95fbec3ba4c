"""A child that is forked off finds locks free that other threads of its parent use all the time, and SQLite, too."""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import closing, contextmanager

import pytest

from rtfs_framework.api import forks
from rtfs_framework.api.forks import free_at_forks
from rtfs_framework.api.sqlite_file import SqliteTables
from rtfs_framework.api.sqlite_held import HeldFile

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork"),
    pytest.mark.filterwarnings("ignore:This process:DeprecationWarning"),  # it has threads, and that is what is tested
]


def in_child(work):
    """Return what some code of a child gives: an exit code."""
    child = os.fork()
    if child == 0:
        code = 99
        try:
            code = work()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@contextmanager
def busy(work, count=3):
    """Let other threads do something over and over meanwhile."""
    stop = threading.Event()

    def again():
        while not stop.is_set():
            work()

    threads = [threading.Thread(target=again) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@pytest.mark.parametrize("make", [threading.Lock, threading.RLock])
def test_locks_are_free_in_the_child_and_afterwards_in_the_parent(make):
    first, second = free_at_forks(make()), free_at_forks(make())

    def one_in_the_other():
        with first, second:
            pass

    with busy(one_in_the_other):
        for _ in range(20):
            assert in_child(lambda: 0 if first.acquire(timeout=0) and second.acquire(timeout=0) else 1) == 0
    assert first.acquire(timeout=20)
    first.release()


def test_a_lock_of_the_thread_that_forks_does_not_stop_it(monkeypatch):
    monkeypatch.setattr(forks, "PATIENCE", 0.01)
    lock = free_at_forks(threading.Lock())
    with lock:
        assert in_child(lambda: 0 if lock.locked() else 1) == 0
        assert lock.locked()
    assert not lock.locked()


def test_a_file_can_be_used_in_a_child_while_other_threads_use_it(tmp_path):
    tables = SqliteTables(application=7, version=1, statements=("create table t (x)",))
    with closing(HeldFile(tmp_path / "held.sqlite", tables, RuntimeError)) as held:

        def add(db):
            db.execute("insert into t values (1)")

        held.do(add)
        with busy(lambda: held.do(add)):
            for _ in range(20):
                assert in_child(lambda: held.do(add) or 0) == 0
    with closing(sqlite3.connect(tmp_path / "held.sqlite")) as db:
        assert db.execute("select count(*) from t").fetchone()[0] > 20
