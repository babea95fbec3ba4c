"""A file that cannot be used: an error that names it and the way out, never a traceback of SQLite's."""

from __future__ import annotations

import sqlite3

import pytest

from rtfs_cache_l2.store import FILE, Store
from rtfs_framework.api import PluginError
from rtfs_framework.testing.fakes import cache_key


def refusal(folder):
    with pytest.raises(PluginError) as raised:
        Store(str(folder))
    error = raised.value
    assert (error.distribution, error.code) == ("rtfs-cache-l2", "E0811")
    assert "enabled = false" in str(error)
    return str(error)


def test_a_file_that_is_no_database(tmp_path):
    (tmp_path / FILE).write_bytes(b"not a database, but long enough to be looked at" * 50)
    said = refusal(tmp_path)
    assert str(tmp_path / FILE) in said
    assert "not a database" in said
    assert "delete it" in said


def test_a_damaged_database(tmp_path, opened):
    layer = opened()
    for i in range(500):
        layer.put(cache_key(i), "x" * 500)
    layer.close()
    file = tmp_path / FILE
    damaged = bytearray(file.read_bytes())
    damaged[4096:] = b"\xff" * (len(damaged) - 4096)
    file.write_bytes(bytes(damaged))
    assert "delete it" in refusal(tmp_path)


def test_damage_that_shows_later_is_the_same_error_and_ends_the_use(tmp_path, opened, clock):
    layer = opened()
    layer.put(cache_key(1), "x")
    other = sqlite3.connect(tmp_path / FILE)
    other.execute("drop table replies")
    other.close()
    for _ in range(2):
        with pytest.raises(PluginError, match="cannot be used"):
            layer.get(cache_key(1))
    with pytest.raises(PluginError, match="cannot be used"):
        layer.stats()
    (tmp_path / FILE).unlink()


def test_another_programs_database(tmp_path):
    other = sqlite3.connect(tmp_path / FILE)
    other.execute("create table addresses (name text)")
    other.close()
    assert "not of this version" in refusal(tmp_path)
    check = sqlite3.connect(tmp_path / FILE)
    assert check.execute("select name from sqlite_master").fetchall() == [("addresses",)]
    check.close()


def test_a_later_versions_database(tmp_path, opened):
    opened().close()
    other = sqlite3.connect(tmp_path / FILE)
    other.execute("pragma user_version = 3")
    other.close()
    assert "move it away" in refusal(tmp_path)


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    assert "see that its folder exists" in refusal(tmp_path / "file" / "folder")


def test_a_file_that_is_a_folder(tmp_path):
    (tmp_path / FILE).mkdir()
    assert "unable to open" in refusal(tmp_path)


def test_a_closed_layer_says_so(opened):
    layer = opened()
    layer.close()
    layer.close()
    with pytest.raises(PluginError, match="closed by its host"):
        layer.get(cache_key(1))
