"""Journals of versions 1 and 2, as the releases that had them wrote them: migrated in place, shown, verified."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from rtfs_framework.orchestrator.recording.journal import query
from rtfs_framework.orchestrator.recording.journal.counting import count_runs
from rtfs_framework.orchestrator.recording.journal.fault import JournalError
from rtfs_framework.orchestrator.recording.journal.verify import head_of

HERE = Path(__file__).parent / "old"
SOURCES = ["d.rtfs", "c.rtfs", "b.rtfs", "a.rtfs"]


@pytest.fixture(params=["v1", "v2"])
def old(desk, request):
    """A desk whose journal an older release wrote; four runs, the newest unfinished, one failed."""
    desk.path.parent.mkdir(parents=True)
    shutil.copy(HERE / f"{request.param}.sqlite", desk.path)
    return desk


def look(desk):
    """Return everything that is shown of the old runs."""
    found = [row for row in query.list_runs(desk.path) if row.id != "run-new"]
    return [(row, list(query.entries_of(desk.path, row.id))) for row in found]


def test_they_are_shown_and_verified_before_they_are_migrated(old):
    before = old.path.read_bytes()
    shown = look(old)
    assert [row.source for row, _ in shown] == SOURCES
    assert [row.status for row, _ in shown] == ["unfinished", "complete", "failed", "complete"]
    (row, entries) = shown[3]
    assert [(e["symbol"], e["path"], e["state"]) for e in entries] == [
        ("f", "0", "ended"), ("ask", "1", "ended"), ("ask", "2", "ended"),
    ]  # fmt: skip
    assert (entries[0]["args"], entries[0]["decision"]["source"]) == ('["one"]', "hint")
    assert "no 13" in entries[2]["error"]
    assert (old.verify(row.id).ok, old.verify(row.id).entries) == (True, 3)
    assert "no key" in old.verify(row.id).note
    verdict = old.verify_all()
    assert (verdict.ok, verdict.runs, verdict.unfinished) == (True, 4, 1)
    assert old.path.read_bytes() == before
    with pytest.raises(JournalError, match="has no head"):
        head_of(old.path, old.home)


def test_they_are_migrated_in_place_and_nothing_is_lost(old):
    before = look(old)
    old.run("run-new", 3)
    assert look(old) == before
    assert query.find_run(old.path, "last") == "run-new"
    assert query.find_run(old.path, before[0][0].id[:10]) == before[0][0].id
    assert query.list_runs(old.path, 2)[1].source == "d.rtfs"
    assert (old.verify("run-new").ok, old.verify("run-new").note) == (True, "")
    note = old.verify(before[3][0].id).note
    assert "no key" in note
    assert "unchanged since" in note
    verdict = old.verify_all()
    assert (verdict.ok, verdict.runs, verdict.unfinished) == (True, 5, 1)
    assert "the proof holds since" in verdict.notes[0]
    assert old.verify_all(head_of(old.path, old.home)).ok


def test_pages_of_runs_go_on_from_new_ones_to_old_ones(old):
    old.run("run-newer", 1)
    old.run("run-new", 1)
    seen, before = [], ""
    while page := query.list_runs(old.path, 2, before=before):
        seen += page
        before = page[-1].id
    assert [row.id for row in seen] == [row.id for row in query.list_runs(old.path)]
    assert len(seen) == count_runs(old.path) == 6
    assert query.list_runs(old.path, before="nothing") == []


CHANGES = [
    "UPDATE entries SET symbol = 'x' WHERE seq = 1",
    "DELETE FROM entries WHERE seq = 0",
    "DELETE FROM endings",
    "DELETE FROM runs WHERE source = 'c.rtfs'",
    "UPDATE runs SET source = 'x'",
    "UPDATE endings SET status = 'complete', message = ''",
    "UPDATE decisions SET body = '{}'",
    "INSERT INTO drafts VALUES ('x', 1, '0', '{}')",
    "DROP TABLE drafts",
    "INSERT INTO runs VALUES ('x', 'x', 'x', 1.0, 'x', 'x', 'x')",
]


@pytest.mark.parametrize("change", CHANGES)
def test_from_then_on_every_change_of_them_is_found(old, change):
    old.run("run-new", 1)
    runs = [row.id for row, _ in look(old)]
    if "DROP" not in change:
        with closing(sqlite3.connect(old.path)) as db, pytest.raises(sqlite3.IntegrityError):
            db.execute(change)
    old.sql(change)
    try:
        assert not old.verify_all().ok
        assert not any(old.verify(run).ok for run in runs)
    except (JournalError, sqlite3.Error):
        assert "DROP" in change or "DELETE FROM runs" in change


def test_the_old_rule_finds_what_it_always_found(old):
    old.sql("UPDATE entries SET symbol = 'x' WHERE seq = 1")
    run = query.list_runs(old.path)[3].id
    verdict = old.verify(run)
    assert (verdict.ok, verdict.broken, verdict.reason) == (False, 1, "entry 1 was changed")
    assert not old.verify_all().ok


def test_a_release_that_still_has_it_open_is_refused(old):
    """It says so, instead of writing rows that nobody proves."""
    with closing(sqlite3.connect(old.path)) as db:
        db.execute("SELECT 1 FROM runs").fetchone()
        old.run("run-new", 1)
        with pytest.raises(sqlite3.IntegrityError, match="brought up to date"):
            db.execute("INSERT INTO runs VALUES ('x', 'x', 'x', 1.0, 'x', 'x', 'x')")


def test_processes_that_migrate_it_at_once(old):
    program = """
import sys
from pathlib import Path
from rtfs_framework.orchestrator.concurrency.clock import SystemClock
from rtfs_framework.orchestrator.recording.journal.writer import Journal
print("ready", flush=True)
sys.stdin.readline()
journal = Journal(Path(sys.argv[1]), Path(sys.argv[2]), SystemClock())
journal.begin(sys.argv[3], "d", "s", "p", "v").end("complete")
journal.close()
"""
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", program, str(old.path), str(old.home)]
    started = [
        subprocess.Popen([*command, f"run-{n}"], stdin=pipe, stdout=pipe, stderr=pipe, text=True) for n in range(3)
    ]
    assert [process.stdout.readline() for process in started] == ["ready\n"] * 3
    for process in started:
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [process.communicate(timeout=50)[1] for process in started] == [""] * 3
    verdict = old.verify_all()
    assert (verdict.ok, verdict.runs) == (True, 7)
