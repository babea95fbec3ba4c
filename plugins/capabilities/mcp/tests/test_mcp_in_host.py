"""Tools in a host: granted by name and by argument, in the journal, told from plug-ins that break."""

from __future__ import annotations

import json
import threading

import pytest

from rtfs_capability_mcp.pins import LOCK, digest_of, read_lock, tool_of
from rtfs_framework.api import ConfigError, ProgramError, to_json
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.session import Session


@pytest.fixture
def opened(world):
    """Return what opens a session with one server and what `[security]` says."""
    world.set()

    tools = read_lock(world.base / LOCK)["s"]["tools"]
    digest = digest_of(tool_of(name, each) for name, each in tools.items())

    def open_(how, security, more=""):
        world.base.joinpath("delegation.toml").write_text(
            f"[security]\n{security}\n[capabilities.mcp.servers.s]\ncommand = {json.dumps(world.command(how))}\n"
            f'pinned = "{digest}"\nprotocol = "legacy"\n{more}'
        )
        environ = {"RTFS_PLUGINS": "mcp", "RTFS_HOME": str(world.base / "home"), "PATH": "/usr/bin:/bin"}
        return Session.open(config_path=world.base / "delegation.toml", environ=environ)

    return open_


def run(session, text):
    return to_json(session.run(Source("f.rtfs", text)).value)


def refused(session, text):
    with pytest.raises(ProgramError) as raised:
        run(session, text)
    return raised.value


def test_a_program_calls_what_it_is_granted_and_the_server_ends_with_the_host(opened):
    with opened("good", 'grant = ["mcp.s.echo", { id = "mcp.s.length", args = { text = ["four"] } }]') as session:
        said = run(session, '[(call :mcp.s.echo {:text "hi"}) (call :mcp.s.length {:text "four"})]')
        assert said == ["hi", {"length": 4}]
        assert "not granted" in str(refused(session, '(call :mcp.s.length {:text "five"})'))
        assert "expected :string" in str(refused(session, "(call :mcp.s.echo (assoc {} :text (inc 1)))"))
    assert all(thread.name != "rtfs-mcp" for thread in threading.enumerate())


@pytest.mark.parametrize("security", ['grant = ["mcp.s.length"]', 'grant = ["mcp.*"]\ndeny = ["mcp.s.echo"]', ""])
def test_what_is_not_granted_starts_nothing(opened, security):
    with opened("good", security) as session:
        assert "Security violation" in str(refused(session, '(call :mcp.s.echo {:text "hi"})'))
        assert all(thread.name != "rtfs-mcp" for thread in threading.enumerate())


def test_a_tool_that_changed_is_refused_with_the_way_out(opened):
    with opened("changed", 'grant = ["mcp.s.*"]') as session:
        said = str(refused(session, '(call :mcp.s.echo {:text "hi"})'))
        assert "E0851" in said
        assert "rtfs capabilities add mcp s --renew" in said


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ('url = "https://a"\n', "either a 'command' or a 'url'"),
        ("timout = 3\n", "timeout"),
        ("timeout = 0\n", "more than 0"),
    ],
)
def test_mistakes_in_settings_are_told_with_their_place(opened, more, place):
    with pytest.raises(ConfigError, match=place) as raised:
        opened("good", "", more)
    assert "delegation.toml:" in str(raised.value)
