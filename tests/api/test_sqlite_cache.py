"""The file of a cache layer: what SQLite refuses is an error with a way out, and ends the use."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing

import pytest

from rtfs_framework.api import CacheFaults, CacheFile, CacheSettings, PluginError, SqliteTables
from rtfs_framework.testing.clock import FakeClock

FAULTS = CacheFaults("a-plugin", "mine", "the kept things")
TABLES = SqliteTables(0x41, 1, ("create table t (x integer not null)",))


def insert(db):
    db.execute("insert into t values (1)")


def test_work_is_done_until_it_is_closed(tmp_path):
    file = CacheFile(tmp_path / "deep" / "f.sqlite", FAULTS, TABLES)
    file.do(insert)
    assert file.do(lambda db: db.execute("select x from t").fetchall()) == [(1,)]
    file.close()
    file.close()
    assert not file.is_open
    with pytest.raises(PluginError, match="was closed by its host"):
        file.do(insert)


def test_what_was_refused_once_is_refused_from_then_on():
    file = CacheFile(None, FAULTS, TABLES)
    with pytest.raises(PluginError, match="the kept things cannot be used: no such table") as first:
        file.do(lambda db: db.execute("select * from gone"))
    assert not file.is_open
    with pytest.raises(PluginError) as second:
        file.do(insert)
    assert second.value is first.value
    assert "under [caches.mine]" in str(first.value)


def test_another_programs_file_is_left_alone(tmp_path):
    with closing(sqlite3.connect(tmp_path / "f.sqlite")) as db:
        db.execute("create table addresses (name text)")
    with pytest.raises(PluginError, match="is not of this version of a-plugin") as raised:
        CacheFile(tmp_path / "f.sqlite", FAULTS, TABLES)
    assert raised.value.code == "E0811"


@pytest.mark.parametrize(
    ("words", "way_out"),
    [
        ("file is not a database", "delete it"),
        ("database disk image is malformed", "delete it"),
        ("attempt to write a readonly database", "is writable"),
        ("disk I/O error", "whether the disk is sound"),
        ("database or disk is full", "free some disk space"),
        ("database is locked", "another process has been writing"),
        ("what nobody has heard of", "delete it"),
    ],
)
def test_each_refusal_has_a_way_out(words, way_out, tmp_path):
    assert way_out in str(FAULTS.unusable(tmp_path, sqlite3.OperationalError(words)))


def test_a_layer_without_a_file_needs_no_seal():
    assert FAULTS.seal(CacheSettings(FakeClock())) is None


def broken():
    raise ValueError("the key is everybody's")


@pytest.mark.parametrize(
    ("seal", "why"), [(None, "the host gives none"), (broken, "the key is everybody's")], ids=["none", "broken"]
)
def test_a_file_without_a_seal_is_refused(seal, why, tmp_path):
    with pytest.raises(PluginError, match=why):
        FAULTS.seal(CacheSettings(FakeClock(), directory=str(tmp_path), seal=seal))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_child_opens_the_file_for_itself_and_leaves_the_parent_s_alone(tmp_path):
    with closing(CacheFile(tmp_path / "f.sqlite", FAULTS, TABLES)) as file:
        file.do(insert)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                before = file._db
                file.do(insert)
                code = 0 if file._db is not before else 2
                file.close()
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert file.do(lambda db: db.execute("select count(*) from t").fetchone()) == (2,)
