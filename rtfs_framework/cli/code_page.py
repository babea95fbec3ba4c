"""What `rtfs explain E0203` prints: the title, explanation and examples of a code."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

import attrs

from rtfs_framework.cli.faults import CommandLineError
from rtfs_framework.cli.problems import BAD_CHOICE
from rtfs_framework.cli.shown.data import put_json
from rtfs_framework.cli.style import bold
from rtfs_framework.cli.terminal import say
from rtfs_framework.lang.diagnostics import did_you_mean

if TYPE_CHECKING:
    from rtfs_framework.lang.codes import Code

_CODE = re.compile(r"[Ee]\d{3,5}")


def is_code(text: str) -> bool:
    """Tell whether an argument is a code and not a file."""
    return _CODE.fullmatch(text) is not None


def show_code(text: str, *, as_json: bool) -> None:
    """Print the explanation of a code.

    Raises:
        CommandLineError: E0910, there is no such code.
    """
    from rtfs_framework.lang.codes import CODES

    found = CODES.get(text.upper())
    if found is None:
        near = did_you_mean(text.upper(), CODES)
        raise CommandLineError(BAD_CHOICE, f"there is no code {text}", near or "codes look like E0203")
    if as_json:
        put_json(attrs.asdict(found))
        return
    say(bold(found.code), f": {found.title}")
    for each in _lines(found):
        say(each)


def _lines(code: Code) -> Iterator[str]:
    yield ""
    yield from textwrap.wrap(code.text, 100)
    for word, example in (("wrong", code.wrong), ("right", code.right)):
        if example:
            yield from ("", f"{word}:", *textwrap.indent(example.rstrip(), "    ").split("\n"))
