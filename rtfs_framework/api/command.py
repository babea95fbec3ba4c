"""Commands of the `rtfs` tool. Built-in ones come through the same door."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs


@attrs.frozen(slots=True, kw_only=True)
class CommandEntry:
    """A command: its name, one line for `rtfs --help`, and a loader that returns a click command.

    A name of two words, such as "learn routing", is a subcommand: of a built-in group, or of one that plugins make.

    The loader runs only when the command is used, so `rtfs --help` imports no command's dependencies.
    """

    name: str
    summary: str
    load: Callable[[], Any]
    example: str = ""
    """One line that shows its use, for `rtfs --help`."""
