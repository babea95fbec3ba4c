"""Commands of two words: a plugin's subcommand of a built-in group, and of a group that only plugins make."""

from __future__ import annotations

import pytest

PLUGIN = '''
import click

from rtfs_framework.api import CommandEntry, hookimpl

rtfs_api_version = 2


@click.command()
@click.argument("name")
def greet(name):
    """Greet NAME."""
    if name == "odd":
        raise ZeroDivisionError("boom")
    click.echo(f"hello {name}")


def load():
    return {loaded}


@hookimpl
def rtfs_commands():
    return [
        CommandEntry(name="prices greet", summary="Greet somebody.", load=load, example="rtfs prices greet Ada"),
        CommandEntry(name="prices show", summary="Never in a built-in's place.", load=load),
        CommandEntry(name="acme greet", summary="Greet, too.", load=load),
    ]
'''


@pytest.fixture
def acme(acme_bad):
    acme_bad(PLUGIN.replace("{loaded}", "greet"))


@pytest.mark.usefixtures("acme")
def test_a_plugin_adds_to_a_built_in_group(rtfs):
    found = rtfs("prices", "greet", "Ada")
    assert (found.code, found.out) == (0, "hello Ada\n")
    told = rtfs("prices", "--help").out
    assert "greet  Greet somebody." in told
    assert "Never in a built-in's place." not in told
    assert told.count("  show ") == 1
    assert "Usage: rtfs prices greet [OPTIONS] NAME" in rtfs("prices", "greet", "-h").out


@pytest.mark.usefixtures("acme")
def test_a_plugin_makes_a_group(rtfs):
    assert rtfs("acme", "greet", "Bo").out == "hello Bo\n"
    assert "greet  Greet, too." in rtfs("acme", "--help").out
    told = rtfs("--help").out
    assert "prices greet" in told
    assert "acme greet" in told
    assert "rtfs prices greet Ada" in told


@pytest.mark.usefixtures("acme")
def test_what_is_not_there(rtfs):
    found = rtfs("acme", "great")
    assert found.code == 2
    assert "error[E0909]: there is no command 'acme great'\n  help: did you mean 'greet'?" in found.err
    assert (
        "there is no command 'prices xyzzy'\n  help: the commands are show, list, greet" in rtfs("prices", "xyzzy").err
    )


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize("group", ["prices", "acme"])
def test_one_that_breaks_is_told_by_name(rtfs, group):
    found = rtfs(group, "greet", "odd")
    assert found.code == 1
    assert "acme-bad" in found.err
    assert "boom" in found.err
    assert "Traceback" not in found.err


@pytest.mark.parametrize("group", ["prices", "acme"])
def test_one_that_is_no_command_is_told_by_name(rtfs, acme_bad, group):
    acme_bad(PLUGIN.replace("{loaded}", "7"))
    found = rtfs(group, "greet", "Ada")
    assert found.code == 1
    assert "returned a int, which is no click.Command" in found.err


@pytest.mark.parametrize("command", [("learn", "routing"), ("bench", "routing")])
def test_a_command_of_a_distribution_that_is_not_here_says_what_to_install(rtfs, monkeypatch, command):
    monkeypatch.setenv("RTFS_PLUGINS", "")
    found = rtfs(*command)
    assert found.code == 2
    assert "help: pip install rtfs-engine-router" in found.err


def test_a_subcommand_of_the_core_asks_no_plugin(rtfs, acme_bad):
    acme_bad("raise RuntimeError('imported')")
    assert rtfs("config", "trust", "--list").err == ""
    assert "RuntimeError" in rtfs("config", "--help").err  # help lists what plugins add, and says whom it could not ask
