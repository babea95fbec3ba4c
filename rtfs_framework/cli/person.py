"""Questions of programs (`ccos.user.ask`), put in the terminal: asked on stderr, one line read from the terminal.

Standard input is never read where it is data: the terminal is opened by its own name, and without one that somebody
watches (stderr is it), nobody is asked here. What was typed before a question is shown is thrown away: it answers
another one. What would steer a terminal is shown as escapes, and further lines of a question are indented, so that none
passes for a report. A question that is withdrawn (the run has ended, or the answer came from elsewhere) stops to read:
the next line is another's. (Windows knows no such way: there its thread reads on until the line comes.)
"""

from __future__ import annotations

import os
import select
import sys
from contextlib import closing, suppress
from io import FileIO
from threading import Event, Lock
from typing import TYPE_CHECKING

import attrs

from rtfs_framework.cli.terminal import prompt
from rtfs_framework.lang.visible import visible_message
from rtfs_framework.orchestrator.config.colour import is_terminal

if TYPE_CHECKING:
    from collections.abc import Callable

    from rtfs_framework.orchestrator.performing.people import Answerer, Begin

_TURN = Lock()
"""Branches of a program ask one after the other."""
_MOST = 64 * 1024
_MOST_ASKED = 4_000
_MOST_USUAL = 200
"""Characters that are shown of what an empty answer stands for."""
_SELECTS = sys.platform != "win32"
_NAME = "/dev/tty" if _SELECTS else "CONIN$"


def terminal_here() -> Begin | None:
    """Return what asks in the terminal; None where there is none."""
    if not is_terminal(sys.stderr):
        return None
    try:
        _open().close()
    except OSError:
        return None
    return begin


def begin() -> tuple[Answerer, Callable[[], object]]:
    """Return what puts one question, and what withdraws it.

    Raises:
        OSError: The process has too many files open.
    """
    asking = _Asking(*map(FileIO, os.pipe(), "rw"))
    return asking.ask, asking.withdraw


@attrs.define(slots=True, eq=False)
class _Asking:
    """One question. Each end of its pipe is closed by one thread alone: who waits sees the other one's end."""

    ended: FileIO
    ending: FileIO
    _withdrawn: Event = attrs.field(factory=Event, init=False)

    def withdraw(self) -> None:
        """Let nobody be asked any more, from the thread of who wanted to know."""
        self._withdrawn.set()
        self.ending.close()

    def ask(self, question: str, otherwise: str | None) -> str | None:
        """Put the question; the line that somebody types, without its end, None at the end of the input.

        Raises:
            OSError: The terminal is gone.
        """
        usual = "" if otherwise is None else f" [{_cut(otherwise, _MOST_USUAL)}]"
        with closing(self.ended), _TURN:
            if self._withdrawn.is_set():
                return None
            with closing(_open()) as terminal:
                _forget_typed(terminal)
                prompt(visible_message(f"{_cut(question.rstrip(), _MOST_ASKED)}{usual} "))
                line = self._line(terminal) if _SELECTS else terminal.readline(_MOST)
        return line.decode("utf-8", "replace").rstrip("\r\n") if line else None

    def _line(self, terminal: FileIO) -> bytes:
        """Read a line byte by byte: what follows it is another's. Empty at the end, or when it is withdrawn."""
        line = b""
        while len(line) < _MOST and not line.endswith(b"\n"):
            ready, _, _ = select.select([terminal, self.ended], [], [])
            read = None if self.ended in ready else terminal.read(1)
            if read is None:
                return b""
            if not read:
                break
            line += read
        return line


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}..."


def _forget_typed(terminal: FileIO) -> None:
    """Throw away what was typed before; on Windows it is not."""
    with suppress(ImportError, OSError):
        import termios

        with suppress(termios.error):  # it is no terminal
            termios.tcflush(terminal.fileno(), termios.TCIFLUSH)


def _open() -> FileIO:
    """Open the terminal for reading; unbuffered, so that a line which nobody waits for any more stays in it.

    Raises:
        OSError: There is none.
    """
    return FileIO(os.open(_NAME, os.O_RDWR), "r")
