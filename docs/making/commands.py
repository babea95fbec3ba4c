"""The commands of the tool, from what each says of itself: its text, its arguments and options."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import click

from making.language import MARK
from rtfs_framework.cli.door import built_in_commands

_ABOUT = """What the commands of the core say of themselves; `rtfs COMMAND --help` prints it, and plug-ins bring more.
[The commands](../cli.md) shows them at work."""


def pages() -> dict[str, str]:
    """Return the page."""
    lines = ["# Commands", "", MARK, "", _ABOUT, ""]
    for name, entry in built_in_commands().items():
        for words, command in _commands(f"rtfs {name}", entry.load()):
            lines += [f"## `{words}`", "", *_about(words, command)]
    return {"docs/reference/commands.md": "\n".join(lines)}


def _commands(words: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    if command.hidden:
        return
    yield words, command
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            yield from _commands(f"{words} {name}", below)


def _about(words: str, command: click.Command) -> Iterator[str]:
    context = click.Context(command, info_name=words)
    yield from (f"`{' '.join([words, *command.collect_usage_pieces(context)])}`", "")
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        if paragraph.startswith("\b"):
            yield from ("```text", *paragraph.removeprefix("\b").strip("\n").splitlines(), "```", "")
        elif paragraph:
            yield from (_plain(paragraph), "")
    options = [each for each in command.params if isinstance(each, click.Option) and not each.hidden]
    if options:
        yield from ("| option | |", "|---|---|", *map(_option, options), "")


def _option(option: click.Option) -> str:
    names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    value = "" if option.is_flag or option.count else f" {option.metavar or option.type.name.upper()}"
    return f"| {names}{value} | {_plain(option.help or '')} |"


def _plain(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;").replace("[", "\\[")
