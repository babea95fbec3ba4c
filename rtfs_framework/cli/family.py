"""Commands of two words: `rtfs learn routing`. A plugin that offers one adds to a built-in group, or makes a group.

In: a built-in group (or none), and the plugins' entries whose names begin with its word. Out: one group. Plugins are
asked only for subcommands that are not built in, and for the group's help.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs
import click

from rtfs_framework.api.command import CommandEntry
from rtfs_framework.cli.faults import UNKNOWN_COMMAND, CommandLineError
from rtfs_framework.cli.leaving import OURS, out_of_click
from rtfs_framework.lang.diagnostics import did_you_mean
from rtfs_framework.lang.visible import visible_line
from rtfs_framework.registry.faults import Part, PluginFault, ask, is_theirs

Offered = Mapping[str, tuple[CommandEntry, Part]]
"""By the whole name; who offers it."""
ABSENT: Mapping[str, str] = {
    "learn routing": "rtfs-engine-router",
    "bench routing": "rtfs-engine-router",
    "capabilities add": "rtfs-capability-mcp",
}
"""Commands of distributions that may not be installed: what is missing is then said by its name."""


def families(offered: Offered) -> list[str]:
    """Return the first words of the commands of two words, each once."""
    return list(dict.fromkeys(name.split(" ", 1)[0] for name in offered if " " in name))


def install(name: str) -> str | None:
    """Return how to get a command that is not there, None where nobody knows."""
    found = ABSENT.get(name) or next((who for known, who in ABSENT.items() if known.startswith(f"{name} ")), None)
    return None if found is None else f"pip install {found}"


def loaded(part: Part, entry: CommandEntry) -> click.Command:
    """Return a plugin's command.

    Raises:
        PluginFault: It could not be loaded, or is none.
    """
    command: object = ask(part, "its loader", entry.load)
    if isinstance(command, click.Command):
        return command
    raise PluginFault(part, "its loader", f"returned a {type(command).__name__}, which is no click.Command")


class Family(click.Group):
    """A group whose commands are a built-in group's and those of plugins."""

    def __init__(self, word: str, base: click.Group | None, offered: Callable[[], Offered]) -> None:
        shown = "" if base is None else base.help or ""
        super().__init__(
            name=word,
            help=shown or f"Commands about `{word}` that plugins offer.",
            callback=None if base is None else base.callback,
            params=None if base is None else base.params,
            epilog=None if base is None else base.epilog,
            commands={} if base is None else dict(base.commands),
            invoke_without_command=False if base is None else base.invoke_without_command,
            no_args_is_help=True if base is None else base.no_args_is_help,
            context_settings={} if base is None else base.context_settings,
        )
        self._word = word
        self._ask = offered

    def _offered(self) -> dict[str, tuple[CommandEntry, Part]]:
        """Return the plugins' commands by their second word."""
        start = f"{self._word} "
        found = {name[len(start) :]: offer for name, offer in self._ask().items() if name.startswith(start)}
        return {name: offer for name, offer in found.items() if name not in self.commands}

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return all names, built-in ones first."""
        return [*self.commands, *self._offered()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, loaded now."""
        found = super().get_command(ctx, cmd_name)
        if found is not None:
            return found
        offer = self._offered().get(cmd_name)
        if offer is None:
            return None
        entry, part = offer
        command = loaded(part, entry)
        command.name = cmd_name
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Find the command of a line, or say which one may have been meant, or what to install."""
        name = args[0]
        if not name.startswith("-") and name not in self.commands and name not in self._offered():
            known = self.list_commands(ctx)
            way_out = install(f"{self._word} {name}") or did_you_mean(name, known)
            way_out = way_out or f"the commands are {', '.join(known)}"
            problem = f"there is no command '{self._word} {visible_line(name)}'"
            raise CommandLineError(UNKNOWN_COMMAND, problem, way_out)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """Write the summaries: those of plugins from their records, without loading them."""
        rows = [(name, command.get_short_help_str(limit=100)) for name, command in self.commands.items()]
        rows += [(visible_line(name), visible_line(entry.summary)) for name, (entry, _) in self._offered().items()]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command.

        Raises:
            PluginFault: It is a plugin's, and broke.
        """
        try:
            with out_of_click():
                return super().invoke(ctx)
        except BaseException as error:
            name = ctx.invoked_subcommand
            offer = None if name is None or name in self.commands else self._offered().get(name)
            if offer is None or isinstance(error, OURS) or not is_theirs(error):
                raise
            raise PluginFault(offer[1], "it", error) from error


@attrs.frozen(slots=True)
class Families:
    """Makes groups; `offered` is asked only when a plugin's command is wanted."""

    offered: Callable[[], Offered]

    def of(self, word: str, base: click.Command | None) -> click.Command | None:
        """Return the group of a word; a command that is no group stays as it is."""
        if isinstance(base, click.Group):
            return Family(word, base, self.offered)
        if base is None and word in families(self.offered()):
            return Family(word, None, self.offered)
        return base
