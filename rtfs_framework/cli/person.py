"""Questions of programs (`ccos.user.ask`), put in the terminal: asked on stderr, one line read from the terminal.

Standard input is never read where it is data: the terminal is opened by its own name, and without one that somebody
watches (stderr is it), nobody is asked here. What would steer a terminal is shown as escapes, and further lines of a
question are indented, so that none passes for a report.
"""

from __future__ import annotations

import os
import sys
from contextlib import closing
from threading import Lock
from typing import TYPE_CHECKING

from rtfs_framework.cli.terminal import prompt
from rtfs_framework.lang.visible import visible_message
from rtfs_framework.orchestrator.config.colour import is_terminal

if TYPE_CHECKING:
    from io import RawIOBase

    from rtfs_framework.orchestrator.performing.people import Answerer

_TURN = Lock()
"""Branches of a program ask one after the other."""
_MOST = 64 * 1024
_MOST_ASKED = 4_000
_NAME = "CONIN$" if sys.platform == "win32" else "/dev/tty"


def answerer_here() -> Answerer | None:
    """Return what asks in the terminal; None where there is none."""
    if not is_terminal(sys.stderr):
        return None
    try:
        _open().close()
    except OSError:
        return None
    return ask


def ask(question: str, otherwise: str | None) -> str | None:
    """Put a question; the line that somebody types, without its end, None at the end of the input.

    Raises:
        OSError: The terminal is gone.
    """
    usual = "" if otherwise is None else f" [{otherwise}]"
    with _TURN, closing(_open()) as terminal:
        prompt(visible_message(f"{question[:_MOST_ASKED].rstrip()}{usual} "))
        line = terminal.readline(_MOST)
    return line.decode("utf-8", "replace").rstrip("\r\n") if line else None


def _open() -> RawIOBase:
    """Open the terminal for reading; unbuffered, so that a line which nobody waits for any more stays in it.

    Raises:
        OSError: There is none.
    """
    return os.fdopen(os.open(_NAME, os.O_RDWR), "rb", buffering=0)
