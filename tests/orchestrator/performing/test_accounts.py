"""Whose account asks is part of a reply's key: what one account paid for is never another's."""

from __future__ import annotations

import hashlib

import attrs
import pytest

from rtfs_framework.api import ProgramError
from rtfs_framework.orchestrator.remembering.keyring import Keyring

PROGRAM = '(defn ^:delegation :remote "acme" f "Ask." [x :string] :string "own") (f "q")'
CONFIG = "[delegation.remote_providers.acme]\nprovider = 'acme'\nreuse = 'always'\n"
A, B = {"ACME_API_KEY": "key-tenant-AAAA"}, {"ACME_API_KEY": "key-tenant-BBBB"}


@attrs.frozen(slots=True, kw_only=True)
class Says:
    """Settings that say themselves whose account asks."""

    answer: str = "usual"
    api_key_env: str = "ACME_API_KEY"

    def account(self, environ):
        if self.answer == "raises":
            raise ZeroDivisionError("oops")
        if self.answer == "nonsense":
            return ["key"]
        return {"organisation": environ.get("ACME_ORG", ""), "key": environ.get(self.api_key_env, "")}


@pytest.fixture
def tenants(kit, source):
    """Return a function that runs the program with some variables: what was said of L2, and the value."""

    def run(environ, settings, config=CONFIG):
        entry = kit.provider("acme", lambda _: "paid", remote=True, settings=settings, defaults={})
        with kit.open(kit.catalog(entry, l2=True), config, environ={**kit.environ, **environ}) as session:
            result = session.run(source(PROGRAM))
        return result.calls[0].cache

    return run


def test_each_key_pays_for_itself(tenants, remote_settings):
    assert [tenants(each, remote_settings) for each in (A, B, A, B)] == ["l2 miss", "l2 miss", "l2 hit", "l2 hit"]


def test_another_endpoint_is_another_account(tenants, remote_settings):
    elsewhere = CONFIG + "endpoint = 'https://acme.example/v1'\n"
    configs = (CONFIG, elsewhere, CONFIG, elsewhere)
    assert [tenants(A, remote_settings, each) for each in configs] == ["l2 miss", "l2 miss", "l2 hit", "l2 hit"]


def test_a_variable_of_another_name_is_read(tenants, remote_settings):
    other = CONFIG + "api_key_env = 'OTHER'\n"
    asked = [tenants({"OTHER": each}, remote_settings, other) for each in ("x", "y", "x")]
    assert asked == ["l2 miss", "l2 miss", "l2 hit"]


def test_a_provider_says_itself_what_chooses_the_account(tenants):
    environs = [A, B, {**A, "ACME_ORG": "one"}, {**A, "ACME_ORG": "two"}, A, {**A, "ACME_ORG": "two"}]
    assert [tenants(each, Says) for each in environs] == ["l2 miss"] * 4 + ["l2 hit"] * 2


@pytest.mark.parametrize("answer", ["raises", "nonsense"])
def test_an_account_that_cannot_be_told_is_the_plugins_fault_and_nobody_is_asked(tenants, kit, answer):
    with pytest.raises(ProgramError, match="account"):
        tenants(A, Says, CONFIG + f"answer = '{answer}'\n")
    assert kit.providers["acme"].requests == []


def test_who_has_no_account_is_unaffected_and_needs_no_key_file(tenants, kit):
    assert [tenants({}, None), tenants({}, None)] == ["l2 miss", "l2 hit"]
    assert not list(kit.home.rglob("artifacts.key"))


def test_neither_the_key_nor_its_plain_digest_is_kept(tenants, kit, remote_settings):
    tenants(A, remote_settings)
    secret = A["ACME_API_KEY"].encode()
    plain = [hashlib.new(name, secret).hexdigest().encode() for name in ("sha256", "sha1", "md5", "blake2b", "blake2s")]
    kept = [
        repr(kit.layers["l2"].records).encode(),
        *(file.read_bytes() for file in kit.home.rglob("*") if file.is_file()),
    ]
    assert not [text for text in kept for digest in (secret, *plain) if digest in text]


def test_the_digest_of_an_account_needs_the_users_key(tmp_path):
    mine, again, others = (Keyring(lambda name=name: str(tmp_path / name)) for name in ("a", "a", "b"))
    named = {"key": "k", "organisation": "o"}
    assert mine.account(named) == again.account(dict(reversed(named.items()))) != others.account(named)
    assert len(mine.account(named)) == 64
    assert mine.account({}) == ""
    assert (
        len({mine.account(each) for each in ({"a": "b"}, {"ab": ""}, {"": "ab"}, {"a": "b", "c": ""}, {"b": "a"})}) == 5
    )


def test_without_a_place_for_a_key_the_account_is_known_in_this_process_alone(tmp_path):
    (tmp_path / "file").touch()
    nowhere = [Keyring(lambda: str(tmp_path / "file" / "folder")) for _ in range(2)]
    one, two = (each.account({"key": "k"}) for each in nowhere)
    assert one == nowhere[0].account({"key": "k"}) != two
