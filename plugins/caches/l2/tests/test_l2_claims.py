"""Who makes a reply: one at a time among all who share a folder, until it is made, given up, or its time is over."""

from __future__ import annotations

import subprocess
import sys

import pytest

from rtfs_cache_l2.claims import FREE, Claims
from rtfs_framework.testing.fakes import cache_key

ONE, TWO = ("reply", "1" * 64), ("reply", "2" * 64)


@pytest.fixture
def two(tmp_path):
    return Claims(tmp_path / "claims"), Claims(tmp_path / "claims")


def test_one_has_it_until_it_is_given_back(two):
    one, other = two
    held = one.take(ONE, 0.0, 10.0)
    assert other.take(ONE, 5.0, 10.0) is None
    assert one.take(ONE, 5.0, 10.0) is None, "nor a second one of the same process"
    assert other.take(TWO, 5.0, 10.0) is not None
    held.release()
    held.release()
    again = other.take(ONE, 5.0, 10.0)
    assert again is not None
    assert one.take(ONE, 5.0, 10.0) is None
    again.release()


def test_whose_lease_is_over_has_lost_it(two):
    one, other = two
    held = one.take(ONE, 0.0, 10.0)
    assert other.take(ONE, 9.9, 10.0) is None
    assert other.take(ONE, 10.0, 10.0) is not None
    assert other.take(ONE, 15.0, 10.0) is None, "it is the other one's now, as long as a lease"
    held.release()


def test_another_reply_with_the_same_lock_is_not_waited_for(two, monkeypatch):
    monkeypatch.setattr("rtfs_cache_l2.claims._bucket", lambda _: "same")
    one, other = two
    held = one.take(ONE, 0.0, 10.0)
    assert other.take(TWO, 5.0, 10.0) is FREE
    assert other.take(ONE, 5.0, 10.0) is None
    held.release()


@pytest.mark.parametrize("spoilt", [b"", b"nonsense", b"\xff\xfe\x00", b"a b c d", b"x" * 10_000])
def test_a_spoilt_note_is_waited_for_until_the_lock_is_free(two, tmp_path, spoilt):
    one, other = two
    held = one.take(ONE, 0.0, 10.0)
    (note,) = (tmp_path / "claims").glob("*.whose")
    note.write_bytes(spoilt)
    assert other.take(ONE, 5.0, 10.0) is None
    held.release()
    taken = other.take(ONE, 5.0, 10.0)
    assert taken is not None
    taken.release()


def test_where_no_folder_can_be_made_nobody_is_kept_from_anything(tmp_path):
    (tmp_path / "file").touch()
    claims = Claims(tmp_path / "file" / "claims")
    assert claims.take(ONE, 0.0, 10.0) is FREE
    assert claims.take(ONE, 0.0, 10.0) is FREE


def test_without_a_folder_nobody_is_kept_from_anything():
    assert Claims(None).take(ONE, 0.0, 10.0) is FREE


def test_a_killed_process_holds_nothing(two, tmp_path):
    code = (
        "import os, sys; from pathlib import Path; from rtfs_cache_l2.claims import Claims\n"
        f"held = Claims(Path(sys.argv[1])).take({ONE!r}, 0.0, 1e9); print('held', flush=True); os.read(0, 1)"
    )
    folder = str(tmp_path / "claims")
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", code, folder], stdin=pipe, stdout=pipe) as holder:
        assert holder.stdout.readline() == b"held\n"
        assert two[0].take(ONE, 5.0, 10.0) is None
        holder.kill()
        holder.wait()
    taken = two[0].take(ONE, 5.0, 10.0)
    assert taken is not None
    taken.release()


def test_what_is_there_by_now_need_not_be_made(opened, clock):
    one, other = opened(ttl=10.0), opened(ttl=10.0)
    key = cache_key(1)
    held = one.claim(key, 10.0)
    assert other.claim(key, 10.0) is None
    one.put(key, "made")
    held.release()
    before = other.stats()
    assert other.claim(key, 10.0) is None
    assert (other.stats().hits, other.stats().misses) == (before.hits, before.misses)
    assert other.get(key).value == "made"
    clock.advance(10.0)
    taken = other.claim(key, 10.0)
    assert taken is not None
    taken.release()
