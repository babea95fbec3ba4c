"""The one place that writes to the standard streams (the language server's protocol apart).

Words are for people: `say` (a line on stdout), `report` and `complain` (a rendered finding, on stdout and stderr).
Control characters in them are shown as escapes wherever they go. Data are for programs: `put` writes values, programs
and JSON as they are, and shows escapes only where stdout is a terminal. Streams are looked up at every write.

What cannot be written to stdout ends the command (`PipeClosed` where the reader has gone, else E0912); what cannot be
written to stderr is lost, for there is no other place to say so, and the exit code still tells.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Callable, Iterable
from typing import Any

import click

from rtfs_framework.cli.problems import OUTPUT, InputError
from rtfs_framework.cli.style import Part, line_of, report_of
from rtfs_framework.lang.diagnostics import Diagnostic
from rtfs_framework.lang.visible import visible
from rtfs_framework.orchestrator.config.colour import colour_for, is_terminal

_GONE = frozenset({errno.EPIPE, errno.ESHUTDOWN})


class PipeClosed(Exception):
    """Nobody reads any more. (click would make exit code 1 of the operating system's own error.)"""


class StdoutLost(InputError):
    """E0912: the standard output cannot be written; there is no use in writing JSON to it."""


def say(*parts: Part) -> None:
    """Write one line for people to stdout.

    Raises:
        PipeClosed: Nobody reads any more.
        StdoutLost: The standard output is closed, or its disk is full.
    """
    _out(line_of(parts, colour=colour_for(sys.stdout)) + "\n")


def say_all(lines: Iterable[str]) -> None:
    """Write many lines for people to stdout, at once. Raises as `say` does."""
    colour = colour_for(sys.stdout)
    _out("".join(f"{line_of((line,), colour=colour)}\n" for line in lines))


def report(text: str) -> None:
    """Write a rendered finding to stdout. Raises as `say` does."""
    _out(report_of(text, colour=colour_for(sys.stdout)) + "\n")


def tell(text: Callable[[bool], str]) -> None:
    """Write finished lines to stdout, which `text` returns with colour or without. Raises as `say` does."""
    _out(text(colour_for(sys.stdout)))


def put(text: str, end: str = "\n") -> None:
    """Write data to stdout: exactly, but visibly on a terminal. Raises as `say` does."""
    _out((visible(text) if is_terminal(sys.stdout) else text) + end)


def complain(text: str) -> None:
    """Write a rendered finding to stderr, after what stdout has so far. Never fails."""
    stream = sys.stderr
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except (OSError, ValueError):
        pass  # whoever writes to it next is told
    try:
        click.echo(report_of(text, colour=colour_for(stream)), file=stream, color=True)
    except (OSError, ValueError):
        silence(stream)


def prompt(text: str) -> None:
    """Write an unfinished line to stderr, for somebody who is to finish it. Never fails."""
    try:
        click.echo(visible(text), nl=False, err=True)
    except (OSError, ValueError):
        silence(sys.stderr)


class Reports(io.TextIOWrapper):
    """A stderr that loses what it cannot write: the bar and the log write to it themselves, and must not fail by it."""

    def write(self, text: str) -> int:
        """Write a text, or lose it."""
        try:
            return super().write(text)
        except OSError:
            silence(self)
            return len(text)

    def flush(self) -> None:
        """Write out what is held, or lose it."""
        try:
            super().flush()
        except OSError:
            silence(self)


def mend_stderr() -> None:
    """Let nothing fail any more because stderr cannot be written."""
    stream = sys.stderr
    if isinstance(stream, io.TextIOWrapper):
        encoding, errors = stream.encoding, stream.errors
        sys.stderr = Reports(stream.detach(), encoding, errors, line_buffering=True, write_through=True)


def finish() -> None:
    """Write out what stdout still holds. Raises as `say` does."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        raise lost(error) from error


def lost(error: OSError) -> Exception:
    """Return what a failure of stdout amounts to; nothing more is written to it, not even by Python at its end."""
    silence(sys.stdout)
    if error.errno in _GONE:
        return PipeClosed()
    if error.errno == errno.EBADF:
        message, way_out = "the standard output is closed", "give it a place to go, such as > FILE"
    else:
        message = f"the standard output cannot be written: {error.strerror or error}"
        way_out = "free some space, or send the output elsewhere"
    return StdoutLost(Diagnostic(code=OUTPUT, message=message, help=way_out, kind="InputError"))


def silence(stream: Any) -> None:
    """Let whatever a stream still holds go nowhere."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
        stream.flush()
    except (AttributeError, OSError, ValueError):
        return


def _out(text: str) -> None:
    try:
        click.echo(text, nl=False, color=True)
    except OSError as error:
        raise lost(error) from error
