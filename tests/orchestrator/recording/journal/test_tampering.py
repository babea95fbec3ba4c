"""Every way in which somebody who can write the journal, but not read its key, may try to change what it says."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from hashlib import blake2b

import pytest

from rtfs_framework.orchestrator.recording.journal import query
from rtfs_framework.orchestrator.recording.journal.chain import Head, Keys, Row
from rtfs_framework.orchestrator.recording.journal.fault import JournalError
from rtfs_framework.orchestrator.recording.journal.schema import COLUMNS, INSERT_ROW
from rtfs_framework.orchestrator.recording.journal.verify import head_of

GUESSED = bytes(32)
"""A key that is not the user's."""


@pytest.fixture
def three(desk):
    """Three runs of some calls, with kept texts; returns the desk."""
    for n in range(3):
        desk.run(f"run-{n}", 8, paid=True, keep_args=True)
    assert desk.verify_all().ok
    assert desk.verify("run-2").ok
    return desk


def newest(db):
    return db.execute("SELECT max(position) FROM log WHERE what = 'run'").fetchone()[0]


def forge(db, since):
    """Give all rows from a position on new hashes, as if the key were known."""
    journal = db.execute("SELECT id FROM log WHERE position = 1").fetchone()[0]
    keys = Keys.of(GUESSED, journal)
    before = db.execute("SELECT hash FROM log WHERE position < ? ORDER BY position DESC LIMIT 1", (since,)).fetchone()
    parent = before[0] if before else b""
    for *row, _ in db.execute(f"SELECT {', '.join(COLUMNS)} FROM log WHERE position >= ?", (since,)).fetchall():
        parent = keys.row(Row(*row), parent)
        db.execute("UPDATE log SET hash = ? WHERE position = ?", (parent, row[0]))


def sql(*statements):
    return lambda db: [db.execute(statement, {"run": newest(db)}) for statement in statements]


def edit_and_hash(db):
    place = (newest(db) + 3,)
    db.execute("UPDATE log SET body = replace(body, 'local-model m', 'remote evil') WHERE position = ?", place)
    row = db.execute(f"SELECT {', '.join(COLUMNS)} FROM log WHERE position = ?", place).fetchone()
    text = "\0".join(map(str, row[:-1])).encode()
    db.execute("UPDATE log SET hash = ? WHERE position = ?", (blake2b(text, digest_size=32).digest(), *place))


def rewrite(db):
    first = newest(db)
    db.execute("UPDATE log SET body = replace(body, '\"cost\":0', '\"cost\":9') WHERE run = ?", (first,))
    forge(db, first)


def cut_and_end(db):
    last = db.execute("SELECT max(position) FROM log").fetchone()[0]
    *row, hash_ = db.execute(f"SELECT {', '.join(COLUMNS)} FROM log WHERE position = ?", (last,)).fetchone()
    db.execute("DELETE FROM log WHERE position > ?", (last - 5,))
    body = json.loads(row[6]) | {"calls": 6}
    db.execute(INSERT_ROW, (last - 4, *row[1:6], json.dumps(body), hash_))
    forge(db, last - 4)


def forged_decision(db):
    digest, body = db.execute("SELECT digest, body FROM plans").fetchone()
    db.execute("INSERT INTO plans VALUES (?, ?)", ("f" * 32, body.replace("hint", "route")))
    db.execute("UPDATE log SET body = replace(body, ?, ?)", (digest, "f" * 32))
    forge(db, 1)


def swapped(db):
    """Let two runs of equal shape change their places."""
    runs = [row[0] for row in db.execute("SELECT position FROM log WHERE what = 'run' ORDER BY position")]
    length = runs[1] - runs[0]
    db.execute("UPDATE log SET position = position + 1000 WHERE position >= ? AND position < ?", (runs[0], runs[1]))
    db.execute(
        f"UPDATE log SET position = position - {length} WHERE position >= ? AND position < ?", (runs[1], runs[2])
    )
    db.execute(f"UPDATE log SET position = position - {1000 - length} WHERE position > 1000")


def doubled(db):
    last = db.execute("SELECT max(position) FROM log").fetchone()[0]
    row = db.execute(f"SELECT {', '.join(COLUMNS)} FROM log WHERE position = ?", (last - 1,)).fetchone()
    db.execute(INSERT_ROW, (last + 1, *row[1:]))


ATTACKS = {
    "edit a field": sql(
        "UPDATE log SET body = replace(body, 'local-model m', 'remote evil') WHERE position = :run + 3"
    ),
    "edit a row and hash it without a key": edit_and_hash,
    "swap two rows": sql(
        "UPDATE log SET position = -1 WHERE position = :run + 3",
        "UPDATE log SET position = :run + 3 WHERE position = :run + 4",
        "UPDATE log SET position = :run + 4 WHERE position = -1",
    ),
    "swap two runs": swapped,
    "cut the tail, keep the ending": sql("DELETE FROM log WHERE position > :run + 9 AND what <> 'end'"),
    "cut the tail and the ending": sql("DELETE FROM log WHERE position > :run + 9"),
    "cut the ending": sql("DELETE FROM log WHERE run = :run AND what = 'end'"),
    "cut the tail, write another ending": cut_and_end,
    "write a run anew": rewrite,
    "delete the newest run": sql("DELETE FROM log WHERE run = :run"),
    "delete all runs but the first": sql(
        "DELETE FROM log WHERE position > (SELECT max(position) FROM log WHERE run = 2)"
    ),
    "add a row": doubled,
    "copy a row to a place between": sql(
        "INSERT INTO log SELECT 0, run, what, entry, record, id, body, hash FROM log WHERE position = :run + 2"
    ),
    "delete a row in the middle": sql("DELETE FROM log WHERE position = :run + 4"),
    "delete an old run": sql("DELETE FROM log WHERE run = 2"),
    "change a decision": sql("UPDATE plans SET body = replace(body, 'hint', 'route')"),
    "delete the decisions": sql("DELETE FROM plans"),
    "forge a decision": forged_decision,
    "move a run in time": sql(
        "UPDATE log SET body = replace(body, '\"started\":', '\"started\":1') WHERE position = :run"
    ),
    "give a call another id": sql("UPDATE log SET id = '99' WHERE position = :run + 3"),
    "give a call another entry": sql("UPDATE log SET entry = 5 WHERE position = :run + 3"),
    "give a call a record": sql("UPDATE log SET record = 5 WHERE position = :run + 3"),
    "move a call to another run": sql("UPDATE log SET run = 2 WHERE position = :run + 3"),
    "turn an end into a beginning": sql("UPDATE log SET what = 'begun' WHERE position = :run + 4"),
    "change the type of a number": sql("UPDATE log SET entry = CAST('0' AS BLOB) WHERE position = :run + 3"),
    "change the type of a text": sql("UPDATE log SET body = CAST(body AS BLOB) WHERE position = :run + 3"),
    "change the type of a hash": sql("UPDATE log SET hash = CAST(hash AS TEXT) WHERE position = :run + 3"),
    "empty a hash": sql("UPDATE log SET hash = x'' WHERE position = :run + 3"),
    "change a kept text": sql("UPDATE texts SET body = 'nothing' WHERE position > :run"),
    "delete a kept text": sql("DELETE FROM texts WHERE position > :run"),
    "swap kept texts": sql("UPDATE texts SET name = CASE name WHEN 'args' THEN 'error' ELSE 'args' END"),
    "plant a kept text": sql("INSERT INTO texts VALUES (:run + 3, 'error', 'all is well')"),
    "edit the last row": sql("UPDATE log SET body = replace(body, 'complete', 'failed') WHERE what = 'end'"),
    "edit the first row": sql("UPDATE log SET body = replace(body, 'when', 'wann') WHERE position = 1"),
    "name another journal": sql("UPDATE log SET id = hex(randomblob(16)) WHERE position = 1"),
    "add tables of an older version": sql(
        "CREATE TABLE runs (id TEXT, program TEXT, source TEXT, started REAL, policy TEXT, version TEXT, hash TEXT)",
        "CREATE TABLE entries (run TEXT)", "CREATE TABLE endings (run TEXT, status, ended, entries, message)",
        "CREATE TABLE decisions (digest TEXT, body TEXT)", "CREATE TABLE drafts (run, record, path, body)",
    ),
    "empty the log": sql("DELETE FROM log"),
}  # fmt: skip

HARMLESS_TO_THE_NEWEST = {"delete an old run", "swap two runs", "edit the first row", "add tables of an older version",
                          "copy a row to a place between"}  # fmt: skip
"""What changes nothing that the verdict of the newest run speaks of; `verify --all` finds it."""


def found(act):
    """Tell whether a verdict is a bad one, or there can be none."""
    try:
        return not act().ok
    except JournalError:
        return True


@pytest.mark.parametrize("attack", ATTACKS)
def test_every_attack_is_found(three, attack):
    three.sql()
    with closing(sqlite3.connect(three.path)) as db:
        ATTACKS[attack](db)
        db.commit()
    assert found(three.verify_all)
    if attack not in HARMLESS_TO_THE_NEWEST:
        assert found(lambda: three.verify(query.find_run(three.path, "last")))


@pytest.mark.parametrize("attack", [attack for attack in ATTACKS if attack != "delete the decisions"])
def test_it_stays_found_when_the_journal_is_written_to_again(three, attack):
    """What an attacker did is not covered by rows that come later. (An equal decision comes back with them.)"""
    three.sql()
    with closing(sqlite3.connect(three.path)) as db:
        ATTACKS[attack](db)
        db.commit()
    try:
        three.run("run-later", 3)
    except JournalError:
        return  # it is refused: the file is not what the key speaks of
    assert found(three.verify_all)


@pytest.mark.parametrize("attack", ["cut the tail and the ending", "delete the newest run", "empty the log"])
def test_a_head_that_was_taken_elsewhere_finds_what_was_put_back_with_the_head_file(three, attack):
    """Here the attacker can write the folder of the key, too, but not read the key."""
    head = head_of(three.path, three.home)
    assert three.verify_all(head).ok
    three.run("run-3", 2)
    assert three.verify_all(head).ok, "a journal that went on still holds"
    (anchor,) = three.home.glob("*.head")
    anchor.unlink()
    with closing(sqlite3.connect(three.path)) as db:
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            db.execute(f"DROP TRIGGER {name}")
        db.execute("DELETE FROM log WHERE position > ?", (0 if attack == "empty the log" else head.position - 3,))
        db.commit()
    assert found(lambda: three.verify_all(head))


def test_an_older_copy_is_found_before_and_after_it_is_written_to(three, tmp_path):
    for suffix in ("", "-wal"):
        if (old := three.path.with_name(three.path.name + suffix)).exists():
            shutil.copy(old, tmp_path / f"copy{suffix}")
    three.run("run-3", 4)
    shutil.copy(tmp_path / "copy", three.path)
    assert "older copy" in three.verify_all().problems[0]
    assert not three.verify("run-2").ok, "what came after it is missing"
    three.run("run-4", 1)
    assert [problem for problem in three.verify_all().problems if "are missing" in problem]
    assert three.verify("run-4").ok, "what was written since is whole"
    assert not three.verify("run-2").ok
    positions = [position for (position,) in three.rows("SELECT position FROM log ORDER BY position")]
    assert len(set(positions)) == len(positions)


def test_an_older_copy_put_back_while_the_journal_is_open_is_found(desk, tmp_path):
    with closing(desk.journal()) as journal:
        chain = journal.begin("run-1", "d", "s", "p", "v")
        chain.begin(desk.record(0))
        with closing(sqlite3.connect(desk.path)) as db, closing(sqlite3.connect(tmp_path / "copy")) as copy:
            db.backup(copy)
        chain.add(desk.record(0))
        chain.begin(desk.record(1))
        with closing(sqlite3.connect(desk.path)) as db, closing(sqlite3.connect(tmp_path / "copy")) as copy:
            copy.backup(db)  # through SQLite, into the same file
        chain.add(desk.record(1))
        chain.end("complete")
    assert found(desk.verify_all)


def test_another_journal_in_its_place_is_found(three, tmp_path):
    other = type(three)(three.home, tmp_path / "other" / "journal.sqlite")
    other.run("run-x", 30)
    for suffix in ("", "-wal", "-shm"):
        three.path.with_name(three.path.name + suffix).unlink(missing_ok=True)
    shutil.copy(other.path, three.path)
    assert "another journal" in three.verify_all().problems[0]
    assert found(lambda: three.verify("run-x"))
    three.run("run-y", 1)
    assert found(three.verify_all), "and it is not forgotten"


def test_rows_of_another_journal_fit_nowhere(three, tmp_path):
    other = type(three)(three.home, tmp_path / "other" / "journal.sqlite")
    for n in range(4):
        other.run(f"run-{n}", 8, paid=True, keep_args=True)
    rows = other.rows(f"SELECT {', '.join(COLUMNS)} FROM log WHERE position > 50")
    three.sql("DELETE FROM log WHERE position > 50", *((INSERT_ROW, row) for row in rows))
    assert found(three.verify_all)


def test_a_deleted_journal_is_not_begun_anew_in_silence(three):
    three.path.unlink()
    three.run("run-new", 2)
    assert "another journal" in three.verify_all().problems[0]
    three.path.unlink()
    for anchor in three.home.glob("*.head"):
        anchor.unlink()
    three.run("run-new", 2)
    assert three.verify_all().ok, "begun anew on purpose: with the head file, as the documentation says"


def test_a_truncated_file_is_an_error_or_found(three):
    copy = three.path.read_bytes()
    size = len(copy)
    # SQLite takes a page that is cut for one that ends in zeros: cut zeros are no loss, and the last byte may be one.
    last = len(copy.rstrip(b"\0")) - 1
    for part in (0, 1, 4096, size // 2, size - 4096, last):
        three.path.write_bytes(copy[:part])
        assert found(three.verify_all), part
        three.path.write_bytes(copy)
    assert three.verify_all().ok


@pytest.mark.parametrize("what", ["replaced", "missing", "short", "open to others", "a folder"])
def test_the_key(three, what):
    key = three.home / "journal.key"
    secret = key.read_bytes()
    key.unlink()
    if what == "replaced":
        key.write_bytes(bytes(32))
        key.chmod(0o600)
    elif what == "short":
        key.write_bytes(secret[:-1])
        key.chmod(0o600)
    elif what == "open to others":
        key.write_bytes(secret)
        key.chmod(0o644)
    elif what == "a folder":
        key.mkdir()
    for use in (three.verify_all, lambda: three.verify("run-1"), lambda: three.run("run-4")):
        with pytest.raises(JournalError, match=r"journal\.key") as caught:
            use()
        assert "put the key back" in str(caught.value)
    key.rmdir() if what == "a folder" else key.unlink(missing_ok=True)
    key.write_bytes(secret)
    key.chmod(0o600)
    assert three.verify_all().ok, "nothing was written under another key"


@pytest.mark.parametrize("version", [0, 1, 2, 5, 99])
def test_changed_marks_are_refused(three, version):
    three.sql(f"PRAGMA user_version = {version}")
    for use in (three.verify_all, lambda: three.verify("run-1"), lambda: three.run("run-4")):
        assert found(use)
    three.sql("PRAGMA user_version = 4")


def test_a_damaged_head_file_is_no_false_alarm_and_is_said(three):
    (anchor,) = three.home.glob("*.head")
    for raw in (b"", b"nonsense", anchor.read_bytes()[:50], b"\xff" * 320):
        anchor.write_bytes(raw)
        verdict = three.verify_all()
        assert verdict.ok
        assert "--against" in verdict.notes[0]
    three.run("run-4", 1)
    assert three.verify_all().notes == ()


def test_a_head_as_text():
    head = Head(12, bytes(range(32)))
    assert Head.parse(f" {head}\n") == head
    for text in ("", "12", "12:", "0:" + "00" * 32, "x:" + "00" * 32, "12:00", "-1:" + "00" * 32):
        with pytest.raises(ValueError):
            Head.parse(text)
