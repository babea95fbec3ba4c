"""The journal's column of branches: older files get it, and it is part of what is proved."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from rtfs_framework.orchestrator.journal import query
from rtfs_framework.orchestrator.journal.database import JournalError
from rtfs_framework.orchestrator.journal.store import Journal
from rtfs_framework.orchestrator.records import CallRecord
from rtfs_framework.testing import FakeClock


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.sqlite"


def write(path, branches):
    journal = Journal(path, FakeClock())
    chain = journal.begin("run-1", "digest", "a.rtfs", "policy", "0.1")
    for n, branch in enumerate(branches):
        chain.add(CallRecord(index=n, branch=branch, kind="capability", symbol="f", target="capability f"))
    chain.end("complete")
    journal.close()


def test_a_journal_of_version_1_is_brought_up_to_date(path):
    """It had no branches; its chains stay as they were."""
    write(path, [()] * 5)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("ALTER TABLE entries DROP COLUMN branch")
        connection.execute("PRAGMA user_version=1")
        connection.commit()
    with pytest.raises(JournalError, match="run a program"):
        query.list_runs(path)
    Journal(path, FakeClock()).begin("run-2", "digest", "b.rtfs", "policy", "0.1")
    assert query.verify(path, "run-1").ok
    assert [entry["branch"] for entry in query.entries_of(path, "run-1")] == [""] * 5


def test_the_branch_of_an_entry_is_in_its_hash(path):
    write(path, [(3, 0), (3, 1)])
    assert query.verify(path, "run-1").ok
    assert [entry["branch"] for entry in query.entries_of(path, "run-1")] == ["3.0", "3.1"]
    for changed in ("3.0", ""):
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("DROP TRIGGER IF EXISTS entries_no_update")
            connection.execute("UPDATE entries SET branch = ? WHERE seq = 1", (changed,))
            connection.commit()
        assert query.verify(path, "run-1").broken == 1
