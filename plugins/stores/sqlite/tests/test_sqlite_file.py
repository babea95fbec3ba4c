"""The file: private, known by its marks, mended where a blob was damaged; what cannot be used says why."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from hashlib import sha256

import pytest

from rtfs_framework.api import PluginError, StoreSettings
from rtfs_framework.testing.store_crash import crashes
from rtfs_store_sqlite.plugin import SqliteSettings, rtfs_stores

DATA = b"some bytes"
DIGEST = sha256(DATA).hexdigest()
MOST = 1_000


def made(path, **own):
    (entry,) = rtfs_stores()
    return entry.factory(StoreSettings(name="mine", own=SqliteSettings(path=str(path), **own)))


def test_without_a_path_it_lies_in_the_hosts_folder(tmp_path):
    (entry,) = rtfs_stores()
    with closing(entry.factory(StoreSettings(name="mine", directory=str(tmp_path)))) as store:
        store.put(DIGEST, DATA)
    assert (tmp_path / "mine.sqlite").is_file()


def test_without_any_place_it_says_so():
    (entry,) = rtfs_stores()
    with pytest.raises(PluginError, match="store `mine`: its table names no file\n  help: add `path`") as caught:
        entry.factory(StoreSettings(name="mine"))
    assert caught.value.code == "E0821"


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_it_is_private(tmp_path):
    with closing(made(tmp_path / "file")) as store:
        store.point("a", b"")
        assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600


def test_a_damaged_blob_is_mended_by_the_next_put(tmp_path):
    with closing(made(tmp_path / "file")) as store:
        store.put(DIGEST, DATA)
        with closing(sqlite3.connect(tmp_path / "file")) as db, db:
            db.execute("update blobs set data = ?", (b"other",))
        assert store.get(DIGEST, MOST) == b"other"
        store.put(DIGEST, DATA)
        assert store.get(DIGEST, MOST) == DATA


@pytest.mark.parametrize("content", [b"no database at all, whoever wrote it" * 100, None], ids=["text", "another"])
def test_another_file_is_left_alone(tmp_path, content):
    path = tmp_path / "file"
    if content is None:
        with closing(sqlite3.connect(path)) as db, db:
            db.execute("create table theirs (a)")
    else:
        path.write_bytes(content)
    before = path.read_bytes()
    with closing(made(path)) as store, pytest.raises(PluginError, match="publish again") as caught:
        store.point("a", b"")
    assert caught.value.code == "E0824"
    assert path.read_bytes() == before


def test_a_file_that_is_only_read_must_be_there(tmp_path):
    with closing(made(tmp_path / "file", read_only=True)) as store, pytest.raises(PluginError) as caught:
        store.get(DIGEST, MOST)
    assert caught.value.code == "E0820"
    assert f"there is no file {tmp_path / 'file'}" in str(caught.value)
    assert not (tmp_path / "file").exists()


def test_a_folder_that_cannot_be_written_says_so(tmp_path):
    (tmp_path / "taken").write_bytes(b"")
    with closing(made(tmp_path / "taken" / "file")) as store, pytest.raises(PluginError) as caught:
        store.point("a", b"")
    assert caught.value.code == "E0820"


def test_killed_while_it_writes_it_loses_nothing(tmp_path):
    assert crashes("rtfs_store_sqlite.plugin", {"path": str(tmp_path / "file")}, kills=2, writes=60) > 0


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_at_any_time_during_a_thousand_writes_it_loses_nothing(tmp_path):
    assert crashes("rtfs_store_sqlite.plugin", {"path": str(tmp_path / "file")}, kills=40, writes=1_000) >= 1_000


def test_rows_of_other_kinds_are_nothing_or_damage(tmp_path):
    store = made(tmp_path / "file")
    store.put(DIGEST, DATA)
    store.point("programs/a", DATA)
    with closing(sqlite3.connect(tmp_path / "file")) as db:
        for name in ("programs/x\x1b[2J", "programs/../y", 5, b"programs/z"):
            db.execute("insert into names values (?, ?)", (name, DATA))
            db.execute("insert into blobs values (?, ?)", (name, DATA))
        db.execute("insert into names values (?, ?)", ("programs/b", "a text"))
        db.execute("update blobs set data = 'a text' where digest = ?", (DIGEST,))
        db.commit()
    assert list(store.names("programs/")) == ["programs/a", "programs/b"]
    assert list(store.blobs()) == [DIGEST]
    for ask in (lambda: store.read("programs/b", MOST), lambda: store.get(DIGEST, MOST)):
        with pytest.raises(PluginError, match="is no bytes") as error:
            ask()
        assert error.value.code == "E0824"
    store.close()
