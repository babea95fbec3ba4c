"""`rtfs --help`, `--version`, unknown commands, and what start-up may import."""

from __future__ import annotations

import subprocess
import sys

import pytest

from rtfs_framework import __version__
from rtfs_framework.cli.door import built_in_commands

COMMANDS = ["run", "eval", "check", "explain", "runs", "plugins", "config", "conformance"]


def test_help_names_every_command_with_an_example(rtfs) -> None:
    result = rtfs("--help")
    assert result.code == 0
    for name in COMMANDS:
        assert f"  {name} " in result.out
        assert f"\n  rtfs {name}" in result.out.partition("Examples:")[2]


def test_no_arguments_show_the_help(rtfs) -> None:
    assert "Commands:" in "".join((result := rtfs()).out + result.err)


def test_version(rtfs) -> None:
    assert rtfs("--version").out == f"rtfs {__version__}\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(rtfs, name: str) -> None:
    result = rtfs(name, "--help")
    assert result.code == 0
    assert f"Usage: rtfs {name}" in result.out


@pytest.mark.parametrize(("wrong", "right"), [("evla", "eval"), ("plugi", "plugins"), ("explan", "explain")])
def test_an_unknown_command_gets_a_suggestion(rtfs, wrong: str, right: str) -> None:
    result = rtfs(wrong)
    assert result.code == 2
    assert f"error[E0909]: there is no command '{wrong}'" in result.err
    assert f"did you mean '{right}'?" in result.err


def test_a_command_like_no_other_gets_the_list(rtfs) -> None:
    assert "the commands are run, eval" in rtfs("xyzzy").err


def test_a_misspelt_option_gets_a_suggestion(rtfs) -> None:
    result = rtfs("run", "pure.rtfs", "--inptu", "x")
    assert result.code == 2
    assert "--input" in result.err


def test_plugins_cannot_be_switched_off_with_the_built_in_commands(rtfs, monkeypatch) -> None:
    monkeypatch.setenv("RTFS_PLUGINS", "")
    assert set(COMMANDS) <= set(built_in_commands())
    assert rtfs("eval", "(+ 1 2)").out == "3\n"


def test_a_plugins_command_is_listed_and_runs(rtfs, monkeypatch) -> None:
    import click

    from rtfs_framework.api import CommandEntry
    from rtfs_framework.cli import group
    from rtfs_framework.registry.catalog import Catalog
    from rtfs_framework.registry.faults import Part
    from rtfs_framework.registry.problems import Provenance

    @click.command()
    def greet() -> None:
        click.echo("hello")

    entry = CommandEntry(name="greet", summary="Say hello.", load=lambda: greet, example="rtfs greet")
    part = Part("command", "greet", Provenance("acme-tools", "1.0", "acme"))
    monkeypatch.setattr(group, "plugin_commands", lambda: ({"greet": (entry, part)}, Catalog()))
    assert "Say hello." in rtfs("--help").out
    assert rtfs("greet").out == "hello\n"


def test_start_up_imports_nothing_heavy() -> None:
    heavy = ["rich", "asyncio", "anyio", "sqlite3", "structlog", "lark", "cattrs", "tomllib", "openai"]
    code = (
        "import sys, contextlib, io\n"
        "from rtfs_framework.cli.main import run\n"
        "with contextlib.redirect_stdout(io.StringIO()): code = run(['--help'])\n"
        f"print(code, [name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0 []"
