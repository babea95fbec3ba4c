"""Files of SQLite that processes share: made once, known again, never another program's, and locks end in an error."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from rtfs_framework.api import NotOurFileError, SqliteTables, in_transaction, open_sqlite
from rtfs_framework.api.sqlite_file import connect, write_ahead

TABLES = SqliteTables(0x52544600, 1, ("create table t (x integer)",))


def test_a_new_file_has_its_tables_and_an_old_one_what_it_had(tmp_path):
    path = tmp_path / "f.sqlite"
    with closing(open_sqlite(path, TABLES)) as db:
        db.execute("insert into t values (1)")
        assert db.execute("pragma journal_mode").fetchone() == ("wal",)
    with closing(open_sqlite(path, TABLES)) as db:
        assert db.execute("select x from t").fetchall() == [(1,)]


def test_memory_needs_no_file():
    with closing(open_sqlite(None, TABLES)) as db:
        assert db.execute("select count(*) from t").fetchone() == (0,)


@pytest.mark.parametrize(
    "statement", ["create table other (y)", "pragma user_version = 1", "pragma application_id = 7"]
)
def test_another_programs_file_is_left_alone(tmp_path, statement):
    path = tmp_path / "f.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute(statement)
    before = path.read_bytes()
    with pytest.raises(NotOurFileError):
        open_sqlite(path, TABLES)
    with closing(sqlite3.connect(path)) as db:
        assert not db.execute("select 1 from sqlite_master where name = 't'").fetchall()
    assert before[100:] == path.read_bytes()[100:], "only the header may say that the log is written ahead"


def test_another_version_is_refused(tmp_path):
    path = tmp_path / "f.sqlite"
    open_sqlite(path, TABLES).close()
    with pytest.raises(NotOurFileError, match="2"):
        open_sqlite(path, SqliteTables(TABLES.application, 2, ()))


def test_what_is_no_database_is_an_error_of_sqlites(tmp_path):
    path = tmp_path / "f.sqlite"
    path.write_bytes(b"something else entirely, long enough to be read" * 20)
    with pytest.raises(sqlite3.DatabaseError, match="not a database"):
        open_sqlite(path, TABLES)


def test_a_file_that_stays_locked_is_an_error_not_a_file_in_another_mode(tmp_path):
    path = tmp_path / "f.sqlite"
    path.touch()
    with closing(connect(path)) as reader, closing(connect(path, wait=0.05)) as db:
        reader.execute("create table other (y)")
        reader.execute("begin")
        reader.execute("select * from other").fetchall()
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            write_ahead(db, wait=0.05)
        reader.execute("commit")
        write_ahead(db, wait=0.05)
        assert db.execute("pragma journal_mode").fetchone() == ("wal",)


def test_a_transaction_that_fails_leaves_nothing(tmp_path):
    with closing(open_sqlite(tmp_path / "f.sqlite", TABLES)) as db:
        with pytest.raises(KeyboardInterrupt):
            in_transaction(db, interrupted)
        assert not db.in_transaction
        assert in_transaction(db, lambda db: db.execute("select count(*) from t").fetchone()) == (0,)


def interrupted(db):
    db.execute("insert into t values (1)")
    raise KeyboardInterrupt


@pytest.mark.parametrize("name", ["f", "f?mode=memory", "a#b", "100%25 of it", "file:x", "two  words", "Größe"])
def test_a_connection_is_to_the_file_of_that_name_and_makes_none(tmp_path, monkeypatch, name):
    if os.name != "posix" and set(name) & set("?:"):
        pytest.skip("no name there")
    monkeypatch.chdir(tmp_path)
    for path in (tmp_path / name, Path(name)):
        with pytest.raises(sqlite3.OperationalError, match="unable to open"):
            connect(path)
    assert not list(tmp_path.iterdir())
    for path in (tmp_path / name, Path(name)):
        with closing(open_sqlite(path, TABLES)) as db:
            db.execute("insert into t values (1)")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_file_of_others_without_marks_is_not_changed(tmp_path):
    path = tmp_path / "theirs.sqlite"
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("create table theirs (a)")
    before = path.read_bytes()
    with pytest.raises(NotOurFileError):
        open_sqlite(path, SqliteTables(7, 1, ("create table ours (a)",)))
    assert path.read_bytes() == before  # its journal mode neither
