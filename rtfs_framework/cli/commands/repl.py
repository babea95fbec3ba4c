"""`rtfs repl`: a conversation with the language."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from rtfs_framework.cli.limits import chosen, limit_options, with_chosen
from rtfs_framework.cli.options import config_option, config_path, journal_option, open_session
from rtfs_framework.orchestrator.config.colour import is_terminal

if TYPE_CHECKING:
    from rtfs_framework.cli.repl.hosts import FindModule, ReplHost


@click.command()
@click.option("--load", "files", multiple=True, metavar="FILE", help="Run a program first; its definitions stay.")
@limit_options
@config_option
@journal_option
def command(*, files: tuple[str, ...], config: str | None, journal: bool, **limits: Any) -> int:
    """Type forms, see their values. Definitions stay; :help shows the commands.

    Calls that leave the kernel go where the configuration says; without one they are refused. Without a terminal the
    forms are read from the standard input, and the exit code is 1 when one of them failed.

    \b
    rtfs repl
    rtfs repl --load triage.rtfs --config delegation.toml
    echo '(+ 1 2)' | rtfs repl
    """  # noqa: D301 - click's \b is a backspace
    from rtfs_framework.cli.repl.shell import Shell
    from rtfs_framework.cli.repl.talk import Talk

    with ExitStack() as open_things:
        talk = Talk(_host(config, open_things, chosen(limits), journal=journal), Shell.warn)
        open_things.callback(talk.close)
        shell = Shell(talk)
        for file in files:
            talk.load(file)
        if is_terminal(sys.stdin) and is_terminal(sys.stdout):
            from rtfs_framework.cli.repl.terminal import run_terminal

            return run_terminal(shell)
        from rtfs_framework.cli.repl.piped import run_piped

        return run_piped(shell, sys.stdin)


def _host(
    config: str | None, open_things: ExitStack, limits: dict[str, Any], *, journal: bool
) -> Callable[[FindModule], ReplHost]:
    """Return what opens a conversation, with a host when one is configured."""
    from rtfs_framework.cli.repl.hosts import NoHost, SessionHost
    from rtfs_framework.kernel.limits import Limits
    from rtfs_framework.orchestrator.config.find import any_file
    from rtfs_framework.orchestrator.config.variables import any_variables

    if any_file(config_path(config), None, os.environ) is None and not any_variables(os.environ):
        return partial(NoHost.open, limits=with_chosen(Limits(), limits))
    session = open_things.enter_context(open_session(None, config, journal=journal, limits=limits))
    return lambda find_module: SessionHost.open(session, find_module)
