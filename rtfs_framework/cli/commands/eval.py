"""`rtfs eval EXPR`: the value of an expression."""

from __future__ import annotations

from typing import Any

import click

from rtfs_framework.cli.limits import chosen, limit_options
from rtfs_framework.cli.options import config_option, journal_option, json_option, open_session, quiet_option
from rtfs_framework.cli.sources import given_text, read_program, remember


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("expression", metavar="EXPR")
@limit_options
@json_option
@quiet_option
@config_option
@journal_option
def command(expression: str, *, as_json: bool, config: str | None, journal: bool, **limits: Any) -> None:
    """Print the value of EXPR, a program text; `-` reads it from the standard input.

    \b
    rtfs eval '(map inc [1 2 3])'
    rtfs eval --json '{:a 1}'
    """  # noqa: D301 - click's \b is a backspace
    from rtfs_framework.cli.commands.run_once import linked_quietly, show_result, told_once
    from rtfs_framework.cli.remember import remember_run
    from rtfs_framework.lang.source import Source

    source = read_program("-") if expression == "-" else remember(Source("<eval>", given_text(expression, "EXPR")))
    with open_session(None, config, journal=journal, limits=chosen(limits)) as session:
        linked = linked_quietly(session, source)
        with told_once(linked):
            result = session.run(linked)
        if journal and not as_json and config is None and expression != "-":
            remember_run(session, linked, "eval")
    show_result(result, as_json=as_json)
