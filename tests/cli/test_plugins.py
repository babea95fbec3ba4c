"""`rtfs plugins`: what is installed, by whom, and what is wrong."""

from __future__ import annotations

import pytest

from rtfs_framework.api import CommandEntry, hookimpl
from rtfs_framework.cli import door
from rtfs_framework.cli.commands import plugins
from rtfs_framework.registry import kinds as registry_kinds
from rtfs_framework.registry.load import load_catalog


class Sound:
    """Offers a command."""

    rtfs_api_version = 2
    rtfs_distribution = "acme-tools"
    rtfs_version = "2.1"

    @hookimpl
    def rtfs_commands(self):
        return [CommandEntry(name="greet", summary="Say hello.", load=list)]


class Old:
    """Was written for another API."""

    rtfs_api_version = 0
    rtfs_distribution = "acme-old"


@pytest.fixture
def installed(monkeypatch):
    """Let these plugins be the only ones."""

    def use(*plugins) -> None:
        catalog = load_catalog({"RTFS_PLUGINS": ""}, extra_plugins=plugins)
        monkeypatch.setattr(door, "full_catalog", lambda: catalog)

    return use


def test_entries_by_kind(rtfs, installed) -> None:
    installed(Sound())
    result = rtfs("plugins", "--strict")
    assert result.code == 0
    assert result.lines[:2] == ["commands", "  greet  acme-tools 2.1  Say hello."]


def test_problems(rtfs, installed) -> None:
    installed(Sound(), Old())
    result = rtfs("plugins")
    assert result.code == 0
    assert "error[E0804]: acme-old: " in result.out
    assert "help: " in result.out
    assert rtfs("plugins", "--strict").code == 1


def test_json(rtfs, installed) -> None:
    installed(Sound(), Old())
    data = rtfs("plugins", "--json").data
    assert data["commands"] == [
        {"name": "greet", "summary": "Say hello.", "distribution": "acme-tools", "version": "2.1"}
    ]
    assert [problem["code"] for problem in data["problems"]] == ["E0804"]


def test_the_built_in_commands_are_there_without_any_plugin(rtfs, monkeypatch) -> None:
    monkeypatch.setenv("RTFS_PLUGINS", "")
    data = rtfs("plugins", "--json").data
    assert {"run", "eval", "conformance"} <= {entry["name"] for entry in data["commands"]}
    assert data["engines"] == data["providers"] == data["caches"] == []
    assert data["restricted"] is True


@pytest.mark.needs("rtfs-provider-rules")
def test_what_is_installed(rtfs) -> None:
    (rules,) = [entry for entry in rtfs("plugins", "--json").data["providers"] if entry["name"] == "rules"]
    assert (rules["distribution"], rules["locality"], rules["deterministic"]) == ("rtfs-provider-rules", "local", True)


def test_a_name_that_is_not_installed(rtfs, monkeypatch) -> None:
    monkeypatch.setenv("RTFS_PLUGINS", "nonesuch")
    result = rtfs("plugins", "--strict")
    assert result.code == 1
    assert "error[E0807]: RTFS_PLUGINS names `nonesuch`" in result.out


def test_other_commands_mention_problems(rtfs, monkeypatch) -> None:
    monkeypatch.setenv("RTFS_PLUGINS", "nonesuch")
    result = rtfs("eval", "(+ 1 2)")
    assert (result.code, result.out) == (0, "3\n")
    assert "warning[E0807]: RTFS_PLUGINS names `nonesuch`, which is not installed" in result.err


def test_every_kind_that_plugins_offer_is_shown():
    assert {kind.table for kind in registry_kinds.KINDS} <= set(plugins.KINDS)
