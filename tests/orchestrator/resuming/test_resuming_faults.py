"""What goes wrong around a run that is gone on with: a clear error, and nothing is asked for twice."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing

import pytest

from rtfs_framework.orchestrator.recording.journal import query
from rtfs_framework.orchestrator.recording.journal.fault import JournalError
from rtfs_framework.orchestrator.recording.journal.writer import Journal
from rtfs_framework.orchestrator.running.past_calls import ResumeError
from rtfs_framework.orchestrator.running.resuming import Resuming

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kills processes")
PROGRAM = """
(defn ask ^:delegation :remote "m" [x : :string] : :string "own")
(defn main [x]
  (let [a (ask x) b (call :put (str a 1)) c (call :send (str b 2)) d (call :put (str c 3))] [a b c d]))
"""
VALUE = ("said x", "put said x1", "send put said x12", "put send put said x123")


def work(world, source):
    with world.open() as session:
        session.run(source(PROGRAM), ("x",))


_FOUND = [8]
"""The moment at which it dies: the same for all tests."""


@pytest.fixture
def begun(world, source):
    """A run that died when it had sent something: its model, a put and the send have ended."""
    for moment in range(_FOUND[0], 60):
        (world.kit.home / "effects.txt").unlink(missing_ok=True)
        world.die_at(moment, lambda: work(world, source))
        if world.kit.journal.exists() and query.list_runs(world.kit.journal):
            ended = [each for each in query.entries_of(world.kit.journal, world.run) if each["state"] != "begun"]
            if len(ended) == 3:
                _FOUND[0] = moment
                return world.run
    return pytest.fail("it never died there")


def once(world):
    """Tell whether nothing was done twice."""
    return len(world.effects) == len(set(world.effects))


def sql(world, *statements):
    with closing(sqlite3.connect(world.kit.journal)) as db:
        for statement in statements:
            db.execute(statement)
        db.commit()


def test_rows_that_were_changed_are_not_told_to_a_program(world, begun):
    before = world.effects
    sql(
        world,
        "DROP TRIGGER log_no_update",
        """UPDATE log SET body = replace(body, '"outcome":"value"', '"outcome":"VALUE"') WHERE what = 'ended'""",
    )
    with pytest.raises(JournalError, match="was changed"):
        world.resume(begun)
    assert world.effects == before


@pytest.mark.parametrize("change", ["SET body = replace(body, 'said', 'SAID')", "SET position = position + 1000"])
def test_replies_that_were_changed_are_not_told_to_a_program(world, begun, change):
    before = world.effects
    sql(world, "DROP TRIGGER texts_no_update", f"UPDATE texts {change} WHERE name = 'reply'")
    with pytest.raises(JournalError, match="kept text of row"):
        world.resume(begun)
    assert world.effects == before


def test_replies_that_are_gone_are_not_asked_for_again(world, begun):
    before = world.effects
    sql(world, "DELETE FROM texts WHERE name = 'reply'")
    with pytest.raises(JournalError, match="is missing"):
        world.resume(begun)
    assert world.effects == before


def test_another_journal_in_its_place_does_not_know_it(world, source, begun):
    before = world.effects
    for path in world.kit.home.glob("journal.sqlite*"):
        path.unlink()
    with pytest.raises(JournalError, match="no such file"):
        world.resume(begun)
    assert world.effects == before


def test_a_run_of_another_tenant_is_not_gone_on_with(world, begun):
    before = world.effects
    with world.open(tenant="acme") as session, pytest.raises(ResumeError, match="E0726"):
        session.resume(Resuming(run=begun))
    assert world.effects == before


def test_a_run_is_left_as_it_is_where_a_grant_is_gone(world, begun):
    """What was done stays done, and the rest is for whoever grants again what it needs."""
    before = world.effects
    config = '[security]\ngrant = ["send"]\n'
    with world.kit.open(world.catalog(), config) as session, pytest.raises(ResumeError, match="'put'") as raised:
        session.resume(Resuming(run=begun))
    assert (raised.value.code, world.effects) == ("E0726", before)
    with world.open() as session:
        session.resume(Resuming(run=begun))
    assert world.effects != before


def test_while_a_process_is_at_it_no_other_goes_on_with_it(world, begun):
    """The one that was first holds the run until it dies."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover - it is killed
        session = world.open()
        write = Journal._write

        def held(journal):
            os.write(writer, b"!")
            time.sleep(600)
            return write(journal)

        Journal._write = held
        session.resume(Resuming(run=begun))
        os._exit(1)
    os.close(writer)
    try:
        assert os.read(reader, 1) == b"!"
        with pytest.raises(ResumeError, match="E0724"):
            world.resume(begun)
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)
        os.close(reader)
    assert world.settle(begun).value == VALUE
    assert once(world)


def test_a_child_that_was_forked_holds_no_run_of_its_parent(world, source, begun):
    """It must not go on with what its parent is at, and what it lets go stays the parent's."""
    with world.open() as session:
        reopened = session.reopen(Resuming(run=begun))
        child = os.fork()
        if child == 0:  # pragma: no cover - in the child
            code = 1
            try:
                world.resume(begun)
            except ResumeError as error:
                code = 0 if error.code == "E0724" else 2
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert reopened.program.call("main", ("x",)).value == VALUE
    assert once(world)
