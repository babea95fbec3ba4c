"""The journal's column of branches: older files get it, and it is part of what is proved."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
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
        connection.execute("DROP TABLE drafts")
        connection.execute("PRAGMA user_version=1")
        connection.commit()
    with pytest.raises(JournalError, match="run a program"):
        query.list_runs(path)
    with closing(Journal(path, FakeClock())) as journal:
        journal.begin("run-2", "digest", "b.rtfs", "policy", "0.1")
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


PROGRAM = """
import asyncio, os, sys
from pathlib import Path
from rtfs_framework.api import CapabilityEntry
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.session import Session
from rtfs_framework.registry.catalog import Catalog
from rtfs_framework.registry.problems import Provenance

async def ask(request):
    n = request.args[0]
    if n == 0:
        await asyncio.sleep(2.5)
        os._exit(9)
    await asyncio.sleep(1.2 if n == 3 else 0)
    return n

entry = CapabilityEntry(id="ask", summary="Dies.", handler=ask)
catalog = Catalog(capabilities={"ask": (entry, Provenance("t", "0", "t"))})
home = sys.argv[1]
Path(home, "delegation.toml").write_text('[security]\\ngrant = ["ask"]\\n')
session = Session.open(config_path=Path(home, "delegation.toml"), environ={"RTFS_HOME": home}, catalog=catalog)
session.run(Source("a.rtfs", "(pmap (fn [x] (call :ask x)) (range 4))"))
"""


def test_what_was_done_is_not_lost_when_the_process_dies(tmp_path, path):
    """Branch 0 still waits, so the chain is empty; the others' calls are in the file all the same."""
    died = subprocess.run([sys.executable, "-c", PROGRAM, str(tmp_path)], timeout=50, check=False)
    assert died.returncode == 9
    run = query.find_run(path, "last")
    row, entries = query.show_run(path, run)
    assert (row.status, list(entries)) == ("unfinished", [])
    assert [(each["branch"], each["reply_digest"] != "") for each in query.drafts_of(path, run)] == [
        ("0.1", True), ("0.2", True), ("0.3", True),
    ]  # fmt: skip
    assert query.verify(path, run).ok


def test_drafts_are_gone_when_the_chain_has_them(path):
    clock = FakeClock()
    journal = Journal(path, clock)
    chain = journal.begin("run-1", "digest", "a.rtfs", "policy", "0.1")
    made = [CallRecord(index=0, branch=(0, n), kind="capability", symbol="f", target="t") for n in range(3)]
    for record in made[1:]:
        clock.advance(5)
        chain.hold(record)
    assert [each["branch"] for each in query.drafts_of(path, "run-1")] == ["0.1", "0.2"]
    for record in made:
        chain.add(record)
    chain.end("complete")
    journal.close()
    assert query.drafts_of(path, "run-1") == []
    assert query.verify(path, "run-1").entries == 3
