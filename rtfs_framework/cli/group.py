"""The group of all commands: help from their records alone, a command's module only when it is used."""

from __future__ import annotations

import gc
import os
from functools import cached_property
from typing import Any

import click

from rtfs_framework import __version__
from rtfs_framework.api.command import ASK, OBSERVER, SETS, VECTORS, CommandEntry
from rtfs_framework.cli.door import built_in_commands, plugin_commands, plugin_files
from rtfs_framework.cli.family import Families, families, install, loaded
from rtfs_framework.cli.faults import UNKNOWN_COMMAND, CommandLineError
from rtfs_framework.cli.leaving import OURS, out_of_click
from rtfs_framework.cli.notices import notices
from rtfs_framework.cli.terminal import say
from rtfs_framework.lang.diagnostics import did_you_mean
from rtfs_framework.lang.visible import visible_line
from rtfs_framework.orchestrator.config.find import own_file
from rtfs_framework.orchestrator.remembering.artifacts.quick import keep_help
from rtfs_framework.registry.catalog import Catalog
from rtfs_framework.registry.faults import Part, PluginFault, is_theirs

ALIASES = {"plugin": "plugins"}
"""Other words for built-in commands, which the help does not list."""
INTRODUCTION = """Run RTFS programs, and see where each of their calls runs and why."""
ENDING = "`rtfs COMMAND --help` tells more. Errors have codes; exit codes: 0 fine, 1 failed, 2 usage, 130 interrupted."


class Commands(click.Group):
    """A group whose commands are records."""

    def __init__(self) -> None:
        super().__init__(name="rtfs", help=INTRODUCTION, no_args_is_help=True)
        self.context_settings = {"help_option_names": ["-h", "--help"], "max_content_width": 120}
        self.params.append(_version_option())
        self._installed: Catalog | None = None
        self._families = Families(lambda: self.offered)

    @cached_property
    def built_in(self) -> dict[str, CommandEntry]:
        """The commands of the core."""
        return built_in_commands()

    @cached_property
    def offered(self) -> dict[str, tuple[CommandEntry, Part]]:
        """The commands of plugins, and who offers them."""
        found, self._installed = plugin_commands()
        notices().tell_all(self._installed.problems)
        return found

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """Read the command line."""
        with out_of_click():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command.

        Raises:
            PluginFault: It is a plugin's, and broke.
        """
        gc.enable()  # see `main`
        ctx.meta[ASK] = _ask
        ctx.meta[VECTORS] = _vectors
        ctx.meta[SETS] = _set_settings
        ctx.meta[OBSERVER] = _observer
        try:
            with out_of_click():
                return super().invoke(ctx)
        except BaseException as error:
            name = ctx.invoked_subcommand
            found = None if name is None or name in self.built_in else self.offered.get(name)
            if found is None or isinstance(error, OURS) or not is_theirs(error):
                raise
            raise PluginFault(found[1], "it", error) from error

    def get_help(self, ctx: click.Context) -> str:
        """Return the help, and keep it for the quick way if all plugins are well."""
        text = super().get_help(ctx)
        if self._installed is not None and not self._installed.problems and ctx.terminal_width is None:
            watched = [
                *plugin_files(self._installed.plugins),
                str(own_file(os.environ)),
            ]  # says what is loaded
            keep_help(os.environ, f"{text}\n", watched)
        return text

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return all names, built-in ones first; of commands of two words, the first."""
        single = [name for name in self.offered if " " not in name]
        return list(dict.fromkeys([*self.built_in, *single, *families(self.offered)]))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's
        """Return a command, loaded now; plugins are asked only for names that are not built in."""
        command = self._load(ALIASES.get(cmd_name, cmd_name))
        if command is None:
            return None
        command.name = cmd_name
        if command.context_settings is not self.context_settings:
            command.context_settings = {**self.context_settings, **command.context_settings}
        return command

    def _load(self, name: str) -> click.Command | None:
        if name in self.built_in:
            return self._families.of(name, self.built_in[name].load())
        found = self.offered.get(name)
        return self._families.of(name, None) if found is None else loaded(found[1], found[0])

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Find the command of a line, or say which one may have been meant."""
        name = args[0]
        if not name.startswith("-") and name not in self.list_or_built_in(name, ctx):
            known = self.list_commands(ctx)
            way_out = install(name) or did_you_mean(name, known) or f"the commands are {', '.join(known)}"
            raise CommandLineError(UNKNOWN_COMMAND, f"there is no command '{name}'", way_out)
        return super().resolve_command(ctx, args)

    def list_or_built_in(self, name: str, ctx: click.Context) -> list[str]:
        """Return names among which `name` is, without loading plugins when it is built in."""
        return [name] if ALIASES.get(name, name) in self.built_in else self.list_commands(ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """Write the commands' summaries and examples."""
        entries = {**self.built_in, **{name: entry for name, (entry, _) in self.offered.items()}}
        with formatter.section("Commands"):
            formatter.write_dl([(visible_line(name), visible_line(entry.summary)) for name, entry in entries.items()])
        examples = [visible_line(entry.example) for entry in entries.values() if entry.example]
        with formatter.section("Examples"):
            for example in examples:
                formatter.write(f"{'':>{formatter.current_indent}}{example}\n")

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """Write the last line."""
        formatter.write_paragraph()
        formatter.write_text(ENDING)


def _version_option() -> click.Option:
    def show(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
        if wanted:
            say(f"rtfs {__version__}")
            ctx.exit()

    return click.Option(
        ["--version"], is_flag=True, is_eager=True, expose_value=False, callback=show, help="Show the version and exit."
    )


def _ask(*args: Any, **named: Any) -> Any:
    from rtfs_framework.cli.asking import ask

    return ask(*args, **named)


def _observer(*args: Any, **named: Any) -> Any:
    from rtfs_framework.cli.asking import observer

    return observer(*args, **named)


def _vectors(*args: Any, **named: Any) -> Any:
    from rtfs_framework.cli.asking import vectors

    return vectors(*args, **named)


def _set_settings(*args: Any, **named: Any) -> Any:
    from rtfs_framework.cli.asking import set_settings

    return set_settings(*args, **named)
