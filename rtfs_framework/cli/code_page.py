"""What `rtfs explain E0203` prints: the title, explanation and examples of a code."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

import attrs
import click

from rtfs_framework.cli.faults import CommandLineError
from rtfs_framework.cli.problems import BAD_CHOICE
from rtfs_framework.lang.diagnostics import did_you_mean

if TYPE_CHECKING:
    from rtfs_framework.lang.codes.record import Code

_CODE = re.compile(r"[Ee]\d{3,5}")


def is_code(text: str) -> bool:
    """Tell whether an argument is a code and not a file."""
    return _CODE.fullmatch(text) is not None


def show_code(text: str, *, as_json: bool) -> None:
    """Print the explanation of a code.

    Raises:
        CommandLineError: E0910, there is no such code.
    """
    from rtfs_framework.lang.codes.table import CODES

    found = CODES.get(text.upper())
    if found is None:
        near = did_you_mean(text.upper(), CODES)
        raise CommandLineError(BAD_CHOICE, f"there is no code {text}", near or "codes look like E0203")
    if as_json:
        import json

        click.echo(json.dumps(attrs.asdict(found), ensure_ascii=False))
    else:
        click.echo(code_text(found))


def code_text(code: Code) -> str:
    """Return a code's page for a terminal."""
    parts = [f"{click.style(code.code, bold=True)}: {code.title}", textwrap.fill(code.text, 100)]
    for word, example in (("wrong", code.wrong), ("right", code.right)):
        if example:
            parts.append(f"{word}:\n{textwrap.indent(example.rstrip(), '    ')}")
    return "\n\n".join(parts)
