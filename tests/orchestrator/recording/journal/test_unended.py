"""A run that is read back, and one that waits, cost what they are, however long the journal is."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from rtfs_framework.orchestrator.recording.journal import outside, unended, walk
from rtfs_framework.orchestrator.recording.journal.fault import JournalError
from rtfs_framework.orchestrator.recording.journal.redact import redact

MANY = 600


@pytest.fixture
def walked(monkeypatch):
    """Note how many rows each walk has looked at."""
    seen = []
    go = walk.Walk.go

    def noted(self):
        go(self)
        seen.append(self.rows)

    monkeypatch.setattr(walk.Walk, "go", noted)
    return seen


@pytest.fixture
def busy(desk):
    """A journal with a run that waits, and many rows of another before and behind its own."""
    with closing(desk.journal()) as journal:
        other = journal.begin("run-other", "digest", "a.rtfs", "policy", "0.1")
        for number in range(MANY // 2):
            other.add(desk.record(number))
        journal.commit()
        chain = journal.begin("run-1", "digest", "a.rtfs", "policy", "0.1")
        record = desk.record(0)
        chain.answered(record, "words", None)
        chain.add(record)
        chain.note("waiting", {"call": "1:0"})
        journal.commit()
        for number in range(MANY):
            other.add(desk.record(number))
    return desk


@pytest.fixture
def steps(monkeypatch):
    """Return what counts the instructions of SQLite's machine, by tens, that reading takes."""
    made = []
    opened = outside.open_for_reading

    def counted(path):
        connection = opened(path)
        connection.set_progress_handler(lambda: made.append(1), 10)
        return connection

    monkeypatch.setattr(outside, "open_for_reading", counted)
    return made


def first(desk):
    return desk.rows("SELECT position FROM log WHERE what = 'run' AND id = 'run-1'")[0][0]


def old(desk):
    """Make a file as it was before it had its indexes."""
    desk.sql("DROP INDEX log_of_run", "DROP INDEX log_told", "PRAGMA user_version = 3")


def test_rows_of_others_behind_its_own_are_not_walked(busy, walked):
    found = unended.unended(busy.path, "run-1", busy.home)
    assert len(found.calls) == 1
    assert found.last("waiting") is not None
    assert walked == [4], "its own, and the one behind them"


def test_it_is_ended_from_outside_without_that_too(busy, walked):
    with closing(busy.journal()) as journal:
        outside.ended(journal, "run-1", "enough")
    assert walked == [4]
    assert busy.verify_all().ok


def test_a_text_that_was_removed_on_purpose_further_on_is_no_fault(busy, walked):
    with closing(busy.journal()) as journal:
        redact(journal, "run-1")
    found = unended.unended(busy.path, "run-1", busy.home)
    assert [each.reply for each in found.calls.values()] == [None]
    assert len(found.notes) == 1, "nothing is counted twice"
    assert walked == [4, MANY + 4]


@pytest.mark.parametrize("back", [1, 2])
def test_a_row_of_its_that_was_removed_is_found_missing(busy, back):
    busy.sql(f"DELETE FROM log WHERE position = (SELECT max(position) + 1 - {back} FROM log WHERE run = {first(busy)})")
    with pytest.raises(JournalError, match="missing"):
        unended.unended(busy.path, "run-1", busy.home)


def test_who_waits_looks_at_no_rows_but_those_that_are_for_it(busy, steps):
    with closing(busy.journal()) as journal:
        outside.tell(journal, "run-1", "signalled", {"name": "go"}, "1")
        outside.tell(journal, "run-1", "control", {"ask": "pause"})
    for _ in range(3):
        assert [word.name for word in outside.words_for(busy.path, first(busy))] == ["go"]
        assert outside.asked_of(busy.path, first(busy), 0) == {"ask": "pause"}
    assert len(steps) < MANY // 4


def test_a_file_of_before_gets_its_indexes_when_somebody_writes(busy, walked):
    old(busy)
    assert unended.unended(busy.path, "run-1", busy.home).ended_calls == 1, "it can be read as it is"
    busy.run("run-2", 1)
    with closing(sqlite3.connect(busy.path)) as db:
        names = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'index'")}
    assert {"log_of_run", "log_told", "log_resumed"} <= names
    assert busy.verify_all().ok


def test_the_list_of_runs_uses_the_small_indexes(busy):
    from rtfs_framework.orchestrator.recording.journal.schema import SPAN

    plan = " ".join(row[3] for row in busy.rows(f"EXPLAIN QUERY PLAN {SPAN}", 1, "run-1"))
    assert "log_of_run" not in plan
    assert "log_ends" in plan
    assert "log_resumed" in plan
