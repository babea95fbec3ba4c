"""What the commands that look at programs share: FILE or -e EXPR, and a program's views."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from rtfs_framework.cli.faults import CommandLineError
from rtfs_framework.cli.problems import BAD_CHOICE
from rtfs_framework.cli.sources import given_text, read_program, remember
from rtfs_framework.lang.source import Source

if TYPE_CHECKING:
    from rtfs_framework.lang.views import Views

F = TypeVar("F", bound=Callable[..., Any])


def program_arguments(function: F) -> F:
    """`FILE` and `-e EXPR`."""
    text = "Take the program from here instead of a file."
    option = click.option("-e", "--expr", "expression", metavar="EXPR", help=text)
    return click.argument("file", required=False, metavar="[FILE]")(option(function))


def chosen_program(file: str | None, expression: str | None) -> Source:
    """Return the program that a command line names.

    Raises:
        CommandLineError: E0910, it names none or two.
        InputError: The file cannot be read.
    """
    if (file is None) == (expression is None):
        message = "name a program" if file is None else "a file and -e are two programs"
        raise CommandLineError(BAD_CHOICE, message, "give either a FILE (- for the standard input) or -e EXPR")
    return read_program(file) if file is not None else remember(Source("<expr>", given_text(expression or "", "EXPR")))


def views_of(source: Source, nesting: int) -> Views:
    """Analyze a program whose brackets nest at most `nesting` levels.

    Modules that it imports are looked for beside its file, then in the current folder.

    Raises:
        LanguageError: The program has mistakes.
    """
    from rtfs_framework.kernel import effects
    from rtfs_framework.kernel.host_table import HOST
    from rtfs_framework.kernel.macros import compile_macro
    from rtfs_framework.lang.pipeline import Surroundings
    from rtfs_framework.lang.views import view
    from rtfs_framework.orchestrator.running.module_path import finder
    from rtfs_framework.stdlib.library import BUILTINS

    del effects  # its import enters `call` and its kin into the host's table
    surroundings = Surroundings(
        library={**BUILTINS, **HOST}, compile_macro=compile_macro, find_module=finder(source), nesting=nesting
    )
    return view(source, surroundings)
