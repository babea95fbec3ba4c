"""Keys: made, read, trusted, revoked; never shown, and refused where others could have read them."""

from __future__ import annotations

import os
import stat
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from rtfs_framework.orchestrator.remembering.published.keys import (
    PASSPHRASE,
    KeyRing,
    is_signed,
    public_key,
    read_public,
)
from rtfs_framework.orchestrator.remembering.published.trouble import PublishingError


def test_a_new_key_is_private_trusted_and_signs(world):
    path = world.ring.folder / "me.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    signer = world.ring.signer("me", {}.get)
    assert is_signed(world.key, b"m", signer.sign(b"m"))
    assert not is_signed(world.key, b"n", signer.sign(b"m"))
    assert list(world.ring.trusted()) == [world.key.id]
    assert "PRIVATE" not in repr(signer)
    assert world.ring.own() == ["me"]


def test_a_passphrase_encrypts_the_file(world):
    world.ring.new("sealed", {PASSPHRASE: "secret"}.get, 2.0)
    assert b"ENCRYPTED" in (world.ring.folder / "sealed.key").read_bytes()
    assert world.ring.signer("sealed", {PASSPHRASE: "secret"}.get).key.id
    for environ in ({}, {PASSPHRASE: "other"}):
        with pytest.raises(PublishingError, match="cannot be used") as error:
            world.ring.signer("sealed", environ.get)
        assert error.value.code == "E0765"
        assert "secret" not in str(error.value)


def test_the_public_line_is_what_others_trust(world, tmp_path):
    other = KeyRing(tmp_path / "other")
    other.enter(read_public(world.key.text, "", 3.0))
    assert [key.name for key in other.trusted().values()] == ["me"]
    assert other.of("me").id == other.of(world.key.id[:6]).id == world.key.id


NO_KEYS = ["", "rtfs-key-1", "rtfs-key-1 AAAA", "other AAAA", "rtfs-key-1 !!!! me", "rtfs-key-1 \x00 a b"]
NO_LISTS = ["", "{", "[]", '{"keys": [{}]}', '{"keys": [{"id": "x", "public": "AAAA"}]}', "[" * 9000]
NO_LISTS.append(f'{{"keys": [{{"id": "x", "public": "AAAA", "since": 1{"0" * 400}}}]}}')


@pytest.mark.parametrize("text", NO_KEYS)
def test_what_is_no_public_key_is_refused(text):
    with pytest.raises(PublishingError) as error:
        read_public(text, "", 0.0)
    assert error.value.code == "E0766"


def test_a_revoked_key_never_counts_again(world):
    world.ring.revoke("me", 9.0, "lost")
    assert world.ring.trusted() == {}
    assert world.ring.listed()[world.key.id].reason == "lost"
    with pytest.raises(PublishingError) as error:
        world.ring.enter(world.key)
    assert error.value.code == "E0762"
    assert world.ring.revoke("me", 10.0).revoked == 9.0


@pytest.mark.parametrize("name", ["", "a/b", "..", "a b", "x" * 65, "me"])
def test_names_that_no_key_may_have(world, name):
    with pytest.raises(PublishingError) as error:
        world.ring.new(name, {}.get, 0.0)
    assert error.value.code == "E0764"


@pytest.mark.parametrize("id_", ["", "nobody"])
def test_a_key_that_is_not_listed_is_not_found(world, id_):
    with pytest.raises(PublishingError) as error:
        world.ring.revoke(id_, 1.0)
    assert error.value.code == "E0763"


@pytest.mark.skipif(os.name != "posix", reason="locks of POSIX")
def test_a_revocation_is_not_lost_to_another_change(world, monkeypatch):
    monkeypatch.setattr(KeyRing, "listed", lambda ring, usual=KeyRing.listed: (usual(ring), time.sleep(0.02))[0])
    others = [public_key(bytes([i]) * 32, f"k{i}", 1.0) for i in range(6)]
    with ThreadPoolExecutor(7) as threads:
        done = [threads.submit(world.ring.enter, each) for each in others]
        done.append(threads.submit(world.ring.revoke, "me", 2.0))
    assert [each.exception() for each in done] == [None] * 7
    assert set(world.ring.trusted()) == {each.id for each in others}


def test_a_whole_id_is_its_key_even_when_another_is_called_so(world):
    other = public_key(bytes(32), world.key.id, 1.0)
    world.ring.enter(other)
    assert world.ring.revoke(world.key.id, 2.0).id == world.key.id
    assert list(world.ring.trusted()) == [other.id]


@pytest.mark.parametrize("name", ["nobody", "", "../me", "sub/me"])
def test_a_key_that_is_not_here_signs_nothing(world, name):
    with pytest.raises(PublishingError) as error:
        world.ring.signer(name, {}.get)
    assert error.value.code == "E0765"


@pytest.mark.skipif(os.name != "posix", reason="rights of POSIX")
def test_a_private_key_that_others_can_read_is_refused(world):
    (world.ring.folder / "me.key").chmod(0o644)
    with pytest.raises(PublishingError, match="not this user's alone"):
        world.ring.signer("me", {}.get)


@pytest.mark.parametrize("text", NO_LISTS, ids=range(len(NO_LISTS)))
def test_a_list_that_is_none_trusts_nobody(world, text):
    world.ring.list_file.write_text(text, encoding="utf-8")
    with pytest.raises(PublishingError) as error:
        world.ring.listed()
    assert error.value.code == "E0761"
