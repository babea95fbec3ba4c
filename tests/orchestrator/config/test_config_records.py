"""Whom a user trusts: one content at one path, kept where nobody else can write; a variable or a file asked for."""

from __future__ import annotations

import os

import pytest

from rtfs_framework.api import ConfigError
from rtfs_framework.orchestrator.config.security import SecurityLevel
from rtfs_framework.orchestrator.config.trust import TrustStore, digest_of


@pytest.fixture
def place(found_over_own):
    """Return a function that opens a session where a file was found, over the user's own."""
    return found_over_own


EVIL = "[security]\nlevel = 'full'\n[limits]\nsteps = 'off'\n"


def test_trust_is_for_one_content_at_one_path(place):
    store = TrustStore.of({"RTFS_HOME": str(place.home)})
    path = place.repo / "delegation.toml"
    assert place(EVIL).security.level is SecurityLevel.CONTROLLED
    store.add(path, digest_of(EVIL.encode()), 1.0)
    config = place()
    assert (config.security.level, config.limits.steps, config.notices) == (SecurityLevel.FULL, None, ())
    changed = place(EVIL + "\n")
    assert changed.security.level is SecurityLevel.CONTROLLED
    assert "changed since you trusted it" in changed.notices[0].message
    assert place(EVIL).security.level is SecurityLevel.FULL
    assert store.revoke(path) == 1
    assert place(EVIL).security.level is SecurityLevel.CONTROLLED


def test_the_same_content_elsewhere_is_not_trusted(place, monkeypatch, kit):
    store = TrustStore.of({"RTFS_HOME": str(place.home)})
    other = kit.home / "other"
    other.mkdir()
    (other / "delegation.toml").write_text(EVIL, encoding="utf-8")
    store.add(other / "delegation.toml", digest_of(EVIL.encode()), 1.0)
    assert place(EVIL).security.level is SecurityLevel.CONTROLLED
    (place.repo / "delegation.toml").unlink()
    monkeypatch.chdir(other)
    assert place().security.level is SecurityLevel.FULL


def test_records_are_the_user_s_alone(place):
    store = TrustStore.of({"RTFS_HOME": str(place.home)})
    path = place.repo / "delegation.toml"
    place(EVIL)
    store.add(path, digest_of(EVIL.encode()), 5.0)
    (record,) = store.records()
    assert (record.path, record.time, record.digest) == (str(path), 5.0, digest_of(EVIL.encode()))
    (file,) = store.folder.iterdir()
    assert (store.folder.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o700, 0o600)


@pytest.mark.parametrize("there", [False, True])
def test_the_folder_of_records_and_what_it_lies_in_are_nobody_else_s(tmp_path, there):
    home = tmp_path / "data" / "rtfs"
    if there:
        home.mkdir(parents=True, mode=0o755)
    umask = os.umask(0o022)
    try:
        TrustStore.of({"RTFS_HOME": str(home)}).add(tmp_path / "delegation.toml", "0" * 64, 1.0)
    finally:
        os.umask(umask)
    assert [each.stat().st_mode & 0o777 for each in (home, home / "trust")] == [0o700, 0o700]


def _loosen_folder(folder, _file):
    folder.chmod(0o777)


def _loosen_file(_folder, file):
    file.chmod(0o666)


def _other_content(_folder, file):
    file.write_text(file.read_text().replace('"time"', '"when"'), encoding="utf-8")


def _not_json(_folder, file):
    file.write_text("[" * 100_000, encoding="utf-8")


def _another_name(folder, file):
    file.rename(folder / ("0" * 64))


def _a_link(folder, file):
    file.rename(folder.parent / "moved")
    file.symlink_to(folder.parent / "moved")


def _a_pipe(_folder, file):
    file.unlink()
    os.mkfifo(file, 0o600)


@pytest.mark.parametrize(
    "spoil", [_loosen_folder, _loosen_file, _other_content, _not_json, _another_name, _a_link, _a_pipe]
)
def test_a_record_that_others_could_have_made_counts_for_nothing(place, spoil):
    store = TrustStore.of({"RTFS_HOME": str(place.home)})
    place(EVIL)
    store.add(place.repo / "delegation.toml", digest_of(EVIL.encode()), 5.0)
    assert place().security.level is SecurityLevel.FULL
    spoil(store.folder, next(store.folder.iterdir()))
    assert place().security.level is SecurityLevel.CONTROLLED


def test_a_folder_that_others_can_write_takes_no_record(place):
    store = TrustStore.of({"RTFS_HOME": str(place.home)})
    store.folder.mkdir()
    store.folder.chmod(0o777)
    with pytest.raises(ConfigError, match="E0717"):
        store.add(place.repo / "delegation.toml", "0" * 64, 1.0)


@pytest.mark.parametrize(("word", "trusted"), [("1", True), ("true", True), ("0", False), ("", False), ("no", False)])
def test_the_variable_trusts_what_is_found(place, word, trusted):
    assert (place(EVIL, RTFS_TRUST=word).security.level is SecurityLevel.FULL) is trusted


def test_the_variable_says_yes_or_no(place):
    with pytest.raises(ConfigError, match="RTFS_TRUST must be 1 or 0, not 'perhaps'"):
        place(EVIL, RTFS_TRUST="perhaps")


def test_what_is_asked_for_is_trusted_and_lies_over_what_was_found(place, kit):
    config = place("[limits]\nsteps = 10\ndepth = 20\n", own="[limits]\nsteps = 99\nitems = 5000\n",
                   asked="[limits]\nsteps = 7000\n[security]\nlevel = 'full'\n")  # fmt: skip
    assert (config.limits.steps, config.limits.depth, config.limits.items) == (7000, 20, 5000)
    assert config.security.level is SecurityLevel.FULL


def test_a_mistake_that_a_later_text_hides_does_not_let_the_rest_through(place):
    text = "[limits]\nsteps = 'many'\n[security]\nlevel = 'full'\n"
    with pytest.raises(ConfigError, match="E0705"):
        place(text, asked="[limits]\nsteps = 5\n")
    with pytest.raises(ConfigError, match="E0705"):
        place(text, RTFS_LIMITS__STEPS="5")


def test_a_file_that_is_asked_for_where_it_would_be_found_is_asked_for(place, kit):
    (place.repo / "delegation.toml").write_text(EVIL, encoding="utf-8")
    assert place(asked=place.repo / "delegation.toml").security.level is SecurityLevel.FULL
