"""What a configuration is made of: files that only their user can have written, and single variables."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rtfs_framework.api import ConfigError
from rtfs_framework.orchestrator.config import guard
from rtfs_framework.orchestrator.config.layers import read_layers
from rtfs_framework.orchestrator.session import Session

TEXT = "[security]\ndeny = ['x']\n"
posix = pytest.mark.skipif(os.name != "posix", reason="rights of files are POSIX's")


@pytest.fixture
def repo(kit) -> Path:
    """Return the folder beside which a program lies; its configuration denies `x`."""
    folder = kit.home / "repo"
    folder.mkdir()
    (folder / "delegation.toml").write_text(TEXT, encoding="utf-8")
    return folder


def opened(kit, folder, asked=None, **environ):
    with kit.open(config=asked, program_dir=folder, environ={"RTFS_HOME": str(kit.home / "own"), **environ}) as session:
        return session.host.config


def _writable(bits):
    return lambda path: path.chmod(0o644 | bits)


def _link(path):
    path.rename(path.with_name("real.toml"))
    path.symlink_to("real.toml")


def _link_to_device(path):
    path.unlink()
    path.symlink_to("/dev/zero")


def _pipe(path):
    path.unlink()
    os.mkfifo(path)


def _huge(path):
    path.write_bytes(b"#" * (guard.MOST_BYTES + 1))


def _open_folder(path):
    path.parent.chmod(0o777)


def _group_folder(path):
    path.parent.chmod(0o775)


def _open_far_folder(path):
    path.parent.parent.chmod(0o757)


SPOILT = {
    "group": (_writable(0o020), "others may write it"),
    "others": (_writable(0o002), "others may write it"),
    "link": (_link, "it is a link"),
    "link to a device": (_link_to_device, "it is a link"),
    "pipe": (_pipe, "it is no ordinary file"),
    "huge": (_huge, "it is larger than 262,144 bytes"),
    "open folder": (_open_folder, "others may write"),
    "group's folder": (_group_folder, "others may write"),
    "open folder above": (_open_far_folder, "others may write"),
}


@posix
@pytest.mark.parametrize(("spoil", "why"), SPOILT.values(), ids=SPOILT)
def test_a_found_file_that_others_could_have_a_hand_in_is_ignored_with_one_warning(kit, repo, spoil, why):
    assert opened(kit, repo).security.deny == ("x",)
    spoil(repo / "delegation.toml")
    for environ in ({}, {"RTFS_TRUST": "1"}):
        config = opened(kit, repo, **environ)
        (notice,) = config.notices
        assert (notice.code, notice.severity) == ("E0716", "warning")
        assert why in notice.message
        assert notice.help
        assert config.security.deny == ()


@posix
def test_a_folder_with_the_sticky_bit_is_safe(kit, repo):
    repo.chmod(0o1777)
    assert opened(kit, repo).notices == ()


@posix
@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can give files away")
@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_belongs_to_another_user_is_ignored(kit, repo, what):
    os.chown(repo / "delegation.toml" if what == "file" else repo, 65534, 65534)
    (notice,) = opened(kit, repo, RTFS_TRUST="1").notices
    assert "belongs to another user" in notice.message


@posix
@pytest.mark.parametrize("kind", ["own", "asked"])
@pytest.mark.parametrize("name", ["group", "others", "pipe", "huge"])
def test_of_the_user_s_own_files_it_is_an_error(kit, repo, kind, name):
    own = kit.home / "own"
    own.mkdir()
    path = own / ("delegation.toml" if kind == "own" else "asked.toml")
    path.write_text(TEXT, encoding="utf-8")
    asked = path if kind == "asked" else None
    assert opened(kit, None, asked).security.deny == ("x",)
    SPOILT[name][0](path)
    if (kind, name) == ("own", "pipe"):  # what is no file is no configuration
        assert opened(kit, None).security.deny == ()
        return
    with pytest.raises(ConfigError, match=f"E0716.*{SPOILT[name][1]}"):
        opened(kit, None, asked)


@posix
def test_links_to_the_user_s_own_files_are_followed(kit):
    own = kit.home / "own"
    own.mkdir()
    (kit.home / "dotfiles.toml").write_text(TEXT, encoding="utf-8")
    (own / "delegation.toml").symlink_to(kit.home / "dotfiles.toml")
    assert opened(kit, None).security.deny == ("x",)


@posix
def test_a_link_to_the_user_s_own_file_is_not_the_user_s_own(kit, repo):
    own = kit.home / "own"
    own.mkdir()
    (own / "delegation.toml").write_text("[security]\nlevel = 'full'\n", encoding="utf-8")
    (repo / "delegation.toml").unlink()
    (repo / "delegation.toml").symlink_to(own / "delegation.toml")
    (notice,) = opened(kit, repo).notices
    assert "it is a link" in notice.message


def test_a_folder_or_dangling_link_of_that_name_is_nothing(kit, repo):
    (repo / "delegation.toml").unlink()
    (repo / "delegation.toml").symlink_to("nowhere")
    assert opened(kit, repo).notices == ()
    (repo / "delegation.toml").unlink()
    (repo / "delegation.toml").mkdir()
    assert opened(kit, repo).notices == ()


def test_the_file_is_read_once(kit, repo, monkeypatch):
    read = []
    real = guard.read_regular

    def counted(path, *more, **options):
        read.append(path)
        return real(path, *more, **options)

    monkeypatch.setattr(guard, "read_regular", counted)
    opened(kit, repo)
    assert read == [repo / "delegation.toml"]


@pytest.mark.parametrize(
    ("name", "value", "get", "expected"),
    [
        ("RTFS_LIMITS__STEPS", "17", lambda c: c.limits.steps, 17),
        ("RTFS_LIMITS__STEPS", "off", lambda c: c.limits.steps, None),
        ("RTFS_LIMITS__STEPS", '"off"', lambda c: c.limits.steps, None),
        ("RTFS_LIMITS__SECONDS", "2 min", lambda c: c.limits.seconds, 120),
        ("RTFS_LIMITS__SECONDS", "1.5", lambda c: c.limits.seconds, 1.5),
        ("RTFS_JOURNAL__KEEP", "replies", lambda c: c.journal.keep, "replies"),
        ("RTFS_SECURITY__DENY", '["a", "b"]', lambda c: c.security.deny, ("a", "b")),
        ("RTFS_SECURITY__CONTEXT__REGION", "eu", lambda c: c.security.values, {"region": "eu"}),
        ("RTFS_SECURITY__CONTEXT__REGION", "", lambda c: c.security.values, {"region": ""}),
        ("RTFS_SECURITY__CONTEXT__REGION", "1\nx = 2", lambda c: c.security.values, {"region": "1\nx = 2"}),
        ("RTFS_SECURITY__CONTEXT__A_B", "1", lambda c: c.security.values, {"a_b": 1}),
        ("RTFS_DELEGATION__STATIC_ROUTES", '{"f*" = "local-pure"}', lambda c: list(c.routes), ["f*"]),
    ],
)
def test_a_variable_overrides_one_key(kit, name, value, get, expected):
    asked = "[limits]\nsteps = 5\ndepth = 7\n[security]\nlevel = 'full'\ndeny = ['z']\n"
    config = opened(kit, None, asked, **{name: value})
    assert get(config) == expected
    assert (config.limits.depth, config.security.level.value) == (7, "full")


def test_a_part_of_a_variable_s_name_means_the_key_that_is_there(kit):
    asked = "[security.context]\nLow-Key = 1\n"
    config = opened(kit, None, asked, RTFS_SECURITY__CONTEXT__LOW_KEY="2")
    assert config.security.values == {"Low-Key": 2}


@pytest.mark.parametrize(
    ("name", "value", "code", "says"),
    [
        ("RTFS_LIMITS__STEPZ", "1", "E0702", "did you mean 'steps'?"),
        ("RTFS_LIMTS__STEPS", "1", "E0702", "did you mean 'RTFS_LIMITS__STEPS'?"),
        ("RTFS_LIMITS_STEPS", "1", "E0702", "did you mean 'RTFS_LIMITS__STEPS'?"),
        ("RTFS_DELEGATION__", "1", "E0702", "no setting is called"),
        ("RTFS_DELEGATION", "1", "E0702", "no setting is called"),
        ("RTFS_ZZ__QQQQQQQQ", "1", "E0702", "such as RTFS_DELEGATION__DEFAULT_TARGET"),
        ("RTFS_LIMITS__STEPS__X", "1", "E0703", "must be"),
        ("RTFS_LIMITS__STEPS", "many", "E0705", "not among the choices"),
        ("RTFS_LIMITS__SECONDS", "nan", "E0705", "finite"),
        ("RTFS_LIMITS__SECONDS", "-1", "E0705", "at least 0"),
        ("RTFS_DELEGATION__DEFAULT_TARGET", "remote-x", "E0706", "no remote provider 'x'"),
        ("RTFS_SECURITY__LEVEL", "fulll", "E0705", "did you mean 'full'?"),
    ],
)
def test_a_wrong_variable_is_named(kit, name, value, code, says):
    with pytest.raises(ConfigError) as caught:
        opened(kit, None, **{name: value})
    (found,) = caught.value.diagnostics
    assert (found.code, found.place.source) == (code, name)
    assert says in f"{found.message} {found.help}"


def test_variables_of_other_meanings_are_left_alone(kit):
    names = ("RTFS_HOME", "RTFS_LOG", "RTFS_PLUGINS", "RTFS_DEBUG", "RTFS_TRUST", "RTFS_FUTURE")
    assert read_layers(None, None, dict.fromkeys(names, "")).layers == ()


def test_each_text_lies_over_those_before_it(kit, repo):
    own = kit.home / "own"
    own.mkdir()
    (own / "delegation.toml").write_text(
        "[limits]\nsteps = 100\ndepth = 100\nitems = 2000\nbits = 2000\n[security.context]\na = 1\nb = 1\n", "utf-8"
    )
    (repo / "delegation.toml").write_text("[limits]\nsteps = 90\ndepth = 90\nitems = 1900\n", encoding="utf-8")
    asked = "[limits]\nsteps = 80\ndepth = 80\n[security.context]\nb = 2\n"
    config = opened(kit, repo, asked, RTFS_LIMITS__STEPS="70")
    limits = config.limits
    assert (limits.steps, limits.depth, limits.items, limits.bits) == (70, 80, 1900, 2000)
    assert config.security.values == {"a": 1, "b": 2}
    kinds = [layer.kind.value for layer in config.merged.layers]
    assert kinds == ["own", "found", "asked", "variables"]
    paths = [("limits", key) for key in ("steps", "depth", "items", "bits")]
    assert [config.merged.origin(path).kind.value for path in paths] == ["variables", "asked", "found", "own"]


def test_relative_paths_start_where_they_are_written(kit, repo):
    own = kit.home / "own"
    own.mkdir()
    (own / "delegation.toml").write_text("[journal]\npath = 'j.sqlite'\n[modules]\npath = ['lib']\n", encoding="utf-8")
    (kit.home / "far").mkdir()
    asked = kit.home / "far" / "asked.toml"
    asked.write_text("[modules]\npath = ['more']\n", encoding="utf-8")
    config = opened(kit, repo, asked)
    assert config.journal.path == str(own / "j.sqlite")
    assert config.module_path == (str(kit.home / "far" / "more"),)


def test_a_mistake_in_any_text_is_told_where_it_is(kit):
    own = kit.home / "own"
    own.mkdir()
    (own / "delegation.toml").write_text("[limits]\nsteps = 0\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        opened(kit, None, "[security]\nlevel = 'x'\n", RTFS_LIMITS__DEPTH="0")
    found = [(Path(each.place.source).name, each.place.line) for each in caught.value.diagnostics]
    assert sorted(found) == [("RTFS_LIMITS__DEPTH", 1), ("delegation.toml", 2), ("delegation.toml", 2)]


def test_a_session_without_any_configuration_reads_nothing(kit):
    with Session.open(environ={"RTFS_HOME": str(kit.home / "none"), "RTFS_PLUGINS": ""}) as session:
        assert session.host.config.merged is None
