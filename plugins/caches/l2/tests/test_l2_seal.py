"""Who can write the file cannot choose what is answered: what this layer did not keep there is a miss and reported."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat

import pytest

from rtfs_cache_l2.layer import Keeping, ReplyCache
from rtfs_cache_l2.plugin import rtfs_caches
from rtfs_cache_l2.rows import Rows
from rtfs_cache_l2.store import FILE, Store
from rtfs_framework.api import CacheSettings, PluginError
from rtfs_framework.orchestrator.remembering.keyring import Keyring
from rtfs_framework.testing.fakes import cache_key

ONE, TWO = cache_key(1), cache_key(2)


@pytest.fixture
def said():
    return []


@pytest.fixture
def sealed(tmp_path, clock, said):
    """Return a function that opens the layer with the seal of some user and use."""
    made = []

    def again(user="me", use="cache l2 l2"):
        seal = Keyring(lambda: str(tmp_path / user)).seal(use)
        made.append(
            ReplyCache(Store(str(tmp_path), Rows(seal, said.append)), Keeping(capacity=100, ttl=60.0), clock=clock)
        )
        return made[-1]

    yield again
    for layer in made:
        layer.close()


@pytest.fixture
def kept(sealed):
    layer = sealed()
    layer.put(ONE, "pay 1")
    layer.put(TWO, "pay 2")
    layer.close()


def write(tmp_path, statement, *values):
    db = sqlite3.connect(tmp_path / FILE)
    with db:
        assert db.execute(statement, values).rowcount > 0
    db.close()


def test_what_was_kept_is_served_and_nothing_said(sealed, said, kept, tmp_path):
    layer = sealed()
    assert (layer.get(ONE).value, layer.get(TWO).value) == ("pay 1", "pay 2")
    assert said == []
    assert b"pay 1" in (tmp_path / FILE).read_bytes()  # sealed, not hidden


FORGERIES = {
    "a changed letter": "update replies set value = replace(hex(value), hex('pay 1'), hex('pay 9'))",
    "a plain text": "update replies set value = 'pay 9'",
    "plain bytes": "update replies set value = cast('pay 9' as blob)",
    "nothing": "update replies set value = x''",
    "a number": "update replies set value = 5",
    "a value from another row": "update replies set value = (select max(value) from replies)",
    "a short seal": "update replies set value = substr(value, 1, 20)",
    "a longer life": "update replies set expires_at = expires_at + 1",
    "an endless life": "update replies set expires_at = null",
    "another birth": "update replies set stored_at = stored_at + 1",
    "a birth that is no number": "update replies set stored_at = 'x'",
    "another origin": 'update replies set info = \'{{"symbol":"mine"}}\'',
    "an origin that is no text": "update replies set info = 7",
    "an origin that is no text at all": "update replies set info = cast(x'ff' as text)",
    "a life that uses lengthen": "update replies set life = 9",
    "a value of another kind": "update replies set value = x'7a' || substr(value, 2)",
    "a moved row": "update or replace replies set digest = '{two}' where digest = '{one}'",
    "another namespace": "update replies set namespace = 'other'",
}


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES)
def test_a_forged_row_is_a_miss_and_reported_and_gone(sealed, said, kept, tmp_path, forgery):
    write(tmp_path, forgery.format(one=ONE.digest, two=TWO.digest))
    layer = sealed()
    found = [layer.get(key) for key in (ONE, TWO)]
    moved = "namespace" in forgery
    assert sum(record is not None for record in found) == ("max(value)" in forgery)
    assert all(f"a reply in {tmp_path / FILE} is not what was kept" in text for text in said)
    assert bool(said) is not moved
    if not moved:
        layer.put(ONE, "pay 1")
        assert layer.get(ONE).value == "pay 1"


def test_a_planted_row_is_never_served(sealed, said, kept, tmp_path):
    planted = cache_key(3)
    write(
        tmp_path,
        "insert into replies select namespace, ?, value, stored_at, expires_at, life, info, used, uses, made, size"
        " from replies where digest = ?",
        planted.digest,
        ONE.digest,
    )
    layer = sealed()
    assert layer.get(planted) is None
    assert len(said) == 1
    assert layer.get(ONE).value == "pay 1"


@pytest.mark.parametrize(("user", "use"), [("mallory", "cache l2 l2"), ("me", "cache l2 other"), ("me", "accounts")])
def test_what_another_user_or_use_sealed_is_never_served(sealed, said, kept, user, use):
    layer = sealed(user, use)
    assert layer.get(ONE) is None
    assert len(said) == 1


OLD = (
    "create table replies (namespace text not null, digest text not null, value text not null, stored_at real not null,"
    " expires_at real, used integer not null, primary key (namespace, digest));"
    "insert into replies values ('x', 'y', 'an old reply', 1.0, null, 1);"
    "pragma application_id = 1381254706; pragma user_version = 1; pragma journal_mode = wal;"
)


def test_the_file_of_an_earlier_version_is_emptied_and_told_once(tmp_path, sealed, said):
    db = sqlite3.connect(tmp_path / FILE)
    db.executescript(OLD)
    db.close()
    layer = sealed()
    assert said == [f"{tmp_path / FILE} was of an earlier version, whose keys are others: its replies are forgotten"]
    assert layer.stats().size == 0
    layer.put(ONE, "pay 1")
    assert sealed().get(ONE).value == "pay 1"
    assert len(said) == 1


def settings(clock, tmp_path, **more):
    return CacheSettings(clock=clock, directory=str(tmp_path / "cache"), **more)


def test_the_plugin_seals_with_the_seal_that_it_is_given(clock, tmp_path, said):
    (entry,) = rtfs_caches()
    keyring = Keyring(lambda: str(tmp_path / "keys"))
    make = lambda use: entry.factory(settings(clock, tmp_path, seal=lambda: keyring.seal(use), report=said.append))  # noqa: E731
    layer = make("a")
    layer.put(ONE, "x")
    layer.close()
    for use, value in (("a", "x"), ("b", None)):
        layer = make(use)
        record = layer.get(ONE)
        assert (None if record is None else record.value) == value
        layer.close()
    assert len(said) == 1


def test_without_a_seal_nothing_is_kept_in_a_file(clock, tmp_path):
    (entry,) = rtfs_caches()
    with pytest.raises(PluginError, match=r"cannot be sealed: the host gives none\n  help: see that the key is"):
        entry.factory(settings(clock, tmp_path))
    assert not (tmp_path / "cache").exists()


@pytest.mark.skipif(os.name != "posix", reason="permissions and FIFOs are POSIX's")
@pytest.mark.parametrize("spoil", ["open to all", "fifo", "folder"])
def test_with_a_key_that_is_no_secret_nothing_is_kept(clock, tmp_path, spoil):
    keys = tmp_path / "keys"
    keyring = Keyring(lambda: str(keys))
    keyring.seal("x")
    file = keys / "artifacts.key"
    if spoil == "open to all":
        file.chmod(stat.S_IRUSR | stat.S_IROTH)
    else:
        file.unlink()
        os.mkfifo(file, 0o600) if spoil == "fifo" else file.mkdir(0o700)
    (entry,) = rtfs_caches()
    fresh = Keyring(lambda: str(keys))
    with pytest.raises(PluginError, match=r"cannot be sealed: .*artifacts\.key is") as raised:
        entry.factory(settings(clock, tmp_path, seal=lambda: fresh.seal("a")))
    assert raised.value.code == "E0811"
    shutil.rmtree(keys)
