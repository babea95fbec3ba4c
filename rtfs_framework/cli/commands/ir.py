"""`rtfs ir FILE`: what the compiler makes of a program."""

from __future__ import annotations

import click

from rtfs_framework.cli.limits import nesting_for, nesting_option
from rtfs_framework.cli.terminal import put
from rtfs_framework.cli.texts import chosen_program, program_arguments, views_of


@click.command()
@program_arguments
@nesting_option()
@click.option("--python", is_flag=True, help="Show the Python that is compiled.")
def command(file: str | None, expression: str | None, *, nesting: int | None, python: bool) -> None:
    """Print a program's intermediate form: names resolved, macros gone, types and tail calls made plain.

    x.3 is the third variable; (builtin f), (global f) and (host f) say where other names come from. With --python: the
    module that Python compiles, before the kernel puts constants (C__), library functions (B__) and helpers (rt_) in.

    \b
    rtfs ir triage.rtfs
    rtfs ir --python -e '(loop [i 0] (if (< i 9) (recur (inc i)) i))'
    """  # noqa: D301 - click's \b is a backspace
    views = views_of(chosen_program(file, expression), nesting_for(file, nesting))
    put(views.python if python else views.ir, end="")
