"""Paths in a configuration: one that cannot be used is a mistake at its place, whatever setting and text it is in."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from rtfs_framework.api import FILE_WITHIN, ConfigError
from rtfs_framework.orchestrator.session import Session


@attrs.frozen(slots=True, kw_only=True)
class Rules:
    """Settings that name a file."""

    rules: str = attrs.field(default="shipped", metadata=FILE_WITHIN)


@pytest.fixture
def config(kit):
    """Return a function that reads a configuration and variables."""
    catalog = kit.catalog(kit.provider("rules", lambda _: "r", settings=Rules))

    def read(text, **environ):
        with kit.open(catalog, text, environ={**kit.environ, **environ}) as session:
            return session.host.config

    return read


SETTINGS = {
    "journal": "[journal]\npath = {}\n",
    "modules": "[modules]\npath = [{}]\n",
    "plugin": "[delegation.local_models.new]\nprovider = 'rules'\nrules = {}\n",
}
BAD = ["~nobodyhere/x", "~nobodyhere", "a\\u0000b", "~\\u0000/x", "", "  "]
BAD_FILES = [".", "/", "..", "~", "/dev/null", "x" * 300]


@pytest.mark.parametrize(
    ("setting", "text"),
    [*((each, text) for each in SETTINGS for text in BAD), *(("journal", text) for text in BAD_FILES)],
)
def test_a_path_that_names_nothing_is_a_mistake_at_its_place(config, setting, text):
    with pytest.raises(ConfigError) as caught:
        config(SETTINGS[setting].format(f'"{text}"'))
    (mistake,) = caught.value.diagnostics
    assert (mistake.code, mistake.kind) == ("E0705", "ConfigError")
    assert mistake.source.text[mistake.span.start : mistake.span.end] == f'"{text}"'
    assert mistake.help
    assert "\0" not in mistake.message


@pytest.mark.parametrize("text", ["~nobodyhere/x", '"a\\u0000b"', "", ".", "~"])
def test_so_it_is_in_a_variable(config, text):
    with pytest.raises(ConfigError) as caught:
        config("", RTFS_JOURNAL__PATH=text)
    (mistake,) = caught.value.diagnostics
    assert mistake.code == "E0705"
    assert "RTFS_JOURNAL__PATH" in mistake.source.name


def test_paths_start_in_the_folder_of_their_file_or_at_home(config, kit, monkeypatch):
    monkeypatch.setenv("HOME", str(kit.home / "me"))
    made = config("[journal]\npath = '~/j.sqlite'\n[modules]\npath = ['lib', '.', '~/lib', '~']\n")
    assert made.journal.path == str(kit.home / "me" / "j.sqlite")
    assert [Path(each) for each in made.module_path] == [
        kit.home / "lib", kit.home, kit.home / "me" / "lib", kit.home / "me"
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["own/c.toml", "../here/own/c.toml", "link/../own/c.toml"])
def test_one_file_has_one_folder_from_wherever_it_is_named(kit, tmp_path, monkeypatch, name):
    """A `..` behind a link leaves where the link leads to, as for the system: no other file is named than it reads."""
    here = tmp_path / "here"
    (here / "own").mkdir(parents=True)
    (tmp_path / "there" / "own").mkdir(parents=True)
    (tmp_path / "there" / "to").mkdir()
    (here / "link").symlink_to(tmp_path / "there" / "to")
    for each in (here, tmp_path / "there"):
        (each / "own" / "c.toml").write_text("[journal]\npath = 'j.db'\n")
    monkeypatch.chdir(here)
    with Session.open(config_path=Path(name), catalog=kit.catalog(), environ=kit.environ) as session:
        found = session.host.config.journal.path
    assert found == str((tmp_path / ("there" if "link" in name else "here")).joinpath("own", "j.db"))


def test_a_name_that_begins_with_a_tilde_can_be_written(config, kit):
    assert config("[journal]\npath = './~nobodyhere'\n").journal.path == str(kit.home / "~nobodyhere")
