"""The files: private, whole, behind no link, listed for mirrors; what cannot be used says why."""

from __future__ import annotations

import os
from hashlib import sha256

import pytest

from rtfs_framework.api import PluginError, StoreSettings, blob_path, name_path
from rtfs_framework.testing.store_crash import crashes
from rtfs_store_directory.plugin import DirectorySettings, rtfs_stores

DATA = b"some bytes"
DIGEST = sha256(DATA).hexdigest()
MOST = 1_000

posix = pytest.mark.skipif(os.name != "posix", reason="modes and links are POSIX's")


def made(path, **own):
    (entry,) = rtfs_stores()
    return entry.factory(StoreSettings(name="mine", own=DirectorySettings(path=str(path), **own)))


def fails(code, words, work, *arguments):
    with pytest.raises(PluginError, match=words) as caught:
        work(*arguments)
    assert caught.value.code == code


def files(root):
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_it_lies_where_its_page_says(tmp_path):
    store = made(tmp_path / "store")
    store.put(DIGEST, DATA)
    store.point("a", b"1")
    store.point("a/b", b"2")
    wanted = [blob_path(DIGEST), "lock", "names.txt", name_path("a"), name_path("a/b")]
    assert files(tmp_path / "store") == sorted(wanted)
    assert (tmp_path / "store/names.txt").read_text() == "a\na/b\n"
    store.forget(["a"], [DIGEST])
    assert files(tmp_path / "store") == ["lock", "names.txt", name_path("a/b")]
    assert (tmp_path / "store/names.txt").read_text() == "a/b\n"


def test_a_list_that_was_lost_is_made_anew(tmp_path):
    store = made(tmp_path)
    for name in ("a", "b"):
        store.point(name, b"")
    (tmp_path / "names.txt").unlink()
    store.point("c", b"")
    assert (tmp_path / "names.txt").read_text() == "a\nb\nc\n"


def test_paths_start_where_the_configuration_lies(tmp_path, monkeypatch):
    (entry,) = rtfs_stores()
    entry.factory(StoreSettings(own=DirectorySettings(path="sub"), base=str(tmp_path))).put(DIGEST, DATA)
    assert (tmp_path / "sub" / blob_path(DIGEST)).read_bytes() == DATA
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    entry.factory(StoreSettings(own=DirectorySettings(path="~/mine"))).put(DIGEST, DATA)
    assert (tmp_path / "home/mine" / blob_path(DIGEST)).read_bytes() == DATA


def test_without_a_path_it_lies_in_the_hosts_folder(tmp_path):
    (entry,) = rtfs_stores()
    entry.factory(StoreSettings(name="mine", directory=str(tmp_path))).put(DIGEST, DATA)
    assert (tmp_path / "mine" / blob_path(DIGEST)).read_bytes() == DATA
    fails("E0821", "its table names no folder\n  help: add `path`", entry.factory, StoreSettings(name="mine"))


@posix
def test_it_is_private(tmp_path):
    old = os.umask(0)
    try:
        store = made(tmp_path / "store")
        store.put(DIGEST, DATA)
        store.point("a/b", b"")
    finally:
        os.umask(old)
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "store").rglob("*") if path.is_file()}
    folders = {path.stat().st_mode & 0o777 for path in (tmp_path / "store").rglob("*") if path.is_dir()}
    assert (modes, folders) == ({0o600}, {0o700})


@posix
@pytest.mark.parametrize("place", [f"blobs/{DIGEST[:2]}", "blobs"])
def test_a_folder_behind_a_link_is_neither_read_nor_written(tmp_path, place):
    elsewhere = tmp_path / "elsewhere"
    made(elsewhere).put(DIGEST, DATA)
    inside = tmp_path / "store"
    (inside / place).parent.mkdir(parents=True)
    (inside / place).symlink_to(elsewhere / place)
    store = made(inside)
    fails("E0824", "is a link, which is not followed", store.get, DIGEST, MOST)
    before = files(elsewhere)
    other = DIGEST[:2] + "0" * 62
    fails("E0824", "is a link", store.get, other, MOST)
    fails("E0824", "is a link", store.put, DIGEST, DATA)
    fails("E0824", "is a link", store.forget, [], [DIGEST])
    assert files(elsewhere) == before


@posix
def test_a_link_in_the_place_of_a_blob_is_not_followed_and_is_replaced(tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    path = tmp_path / "store" / blob_path(DIGEST)
    path.parent.mkdir(parents=True)
    path.symlink_to(secret)
    store = made(tmp_path / "store")
    fails("E0824", "is a link", store.get, DIGEST, MOST)
    assert store.missing([DIGEST]) == [DIGEST]
    assert list(store.blobs()) == []
    store.put(DIGEST, DATA)
    assert store.get(DIGEST, MOST) == DATA
    assert secret.read_bytes() == b"secret"


@posix
@pytest.mark.parametrize("folder", ["tmp", "names"])
def test_nothing_is_written_through_a_link(tmp_path, folder):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / folder).symlink_to(elsewhere)
    fails("E0824", "is a link", made(tmp_path / "store").point, "a", b"")
    assert files(elsewhere) == []


@posix
def test_a_pipe_is_no_blob_and_nobody_waits_for_it(tmp_path):
    path = tmp_path / blob_path(DIGEST)
    path.parent.mkdir(parents=True)
    os.mkfifo(path)
    store = made(tmp_path)
    fails("E0824", "is no ordinary file", store.get, DIGEST, MOST)
    assert store.missing([DIGEST]) == [DIGEST]


def test_a_damaged_blob_is_mended_by_the_next_put(tmp_path):
    store = made(tmp_path)
    store.put(DIGEST, DATA)
    (tmp_path / blob_path(DIGEST)).write_bytes(DATA[::-1])
    assert store.get(DIGEST, MOST) == DATA[::-1]  # whoever reads verifies
    store.put(DIGEST, DATA)
    assert store.get(DIGEST, MOST) == DATA


def test_what_is_half_written_is_nowhere_and_goes_after_a_day(tmp_path):
    store = made(tmp_path)
    store.put(DIGEST, DATA)
    left, fresh = tmp_path / "tmp/left", tmp_path / "tmp/fresh"
    for path in (left, fresh):
        path.write_bytes(b"half")
    os.utime(left, (1, 1))
    assert list(store.blobs()) == [DIGEST]
    made(tmp_path).point("a", b"")
    assert not left.exists()
    assert fresh.exists()


def test_a_folder_that_is_only_read_must_be_there(tmp_path):
    store = made(tmp_path / "none", read_only=True)
    fails("E0820", "there is no folder", store.get, DIGEST, MOST)
    fails("E0820", "there is no folder", store.names, "")
    assert not (tmp_path / "none").exists()


def test_what_cannot_be_written_says_so(tmp_path):
    (tmp_path / "taken").write_bytes(b"")
    store = made(tmp_path / "taken")
    fails("E0820", "help: see that this user may read and write there", store.put, DIGEST, DATA)


def test_killed_while_it_writes_it_loses_nothing(tmp_path):
    assert crashes("rtfs_store_directory.plugin", {"path": str(tmp_path)}, kills=2, writes=60) > 0


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_at_any_time_during_a_thousand_writes_it_loses_nothing(tmp_path):
    assert crashes("rtfs_store_directory.plugin", {"path": str(tmp_path)}, kills=40, writes=1_000) >= 1_000
