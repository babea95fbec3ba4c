"""`rtfs expand FILE`: the program that macros make of a program."""

from __future__ import annotations

import click

from rtfs_framework.cli.limits import nesting_for, nesting_option
from rtfs_framework.cli.terminal import put
from rtfs_framework.cli.texts import chosen_program, program_arguments, views_of


@click.command()
@program_arguments
@nesting_option()
def command(file: str | None, expression: str | None, *, nesting: int | None) -> None:
    """Print a program with every macro call replaced by what it stands for, all the way down.

    The program's own macros run (they are pure); nothing else does. Fresh names of macros are shown as name__1. The
    output is a program again.

    \b
    rtfs expand triage.rtfs
    rtfs expand -e '(-> 1 inc (+ 2))'
    """  # noqa: D301 - click's \b is a backspace
    put(views_of(chosen_program(file, expression), nesting_for(file, nesting)).expanded, end="")
