"""The one handler of errors: what is printed on stderr (or as JSON), and the exit code. Users never see a traceback.

Exit codes: 0 fine; 1 the program, its input or a check failed; 2 the command line is to blame; 130 interrupted. A
closed pipe (`| head`) is no error. Anything unforeseen is a bug of ours: its traceback goes to a crash file, or to the
terminal when RTFS_DEBUG is set.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from rtfs_framework.cli.style import colour_for, coloured
from rtfs_framework.lang.errors import LanguageError, LimitError, ProgramError, RtfsError

if TYPE_CHECKING:
    from pathlib import Path

FINE, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130

UNKNOWN_COMMAND = "E0909"
INTERNAL = "E0999"


class CommandLineError(RtfsError):
    """A command line that cannot be understood, with the way out."""

    def __init__(self, code: str, message: str, way_out: str) -> None:
        super().__init__(message)
        self.code = code
        self.way_out = way_out


class PipeClosed(Exception):
    """Nobody reads any more. (click would make exit code 1 of the operating system's own error.)"""


@contextmanager
def pipe_errors() -> Iterator[None]:
    """Raise PipeClosed where the reader of our output has gone.

    Raises:
        PipeClosed: It has.
    """
    try:
        yield
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise PipeClosed from error
        raise


def guarded(
    work: Callable[[], Any], *, as_json: bool = False, beside: Callable[[], dict[str, Any]] | None = None
) -> int:
    """Do something and return its exit code, whatever happens; `beside` is told with an error as JSON."""
    try:
        try:
            result = work()
            sys.stdout.flush()
        except click.exceptions.Exit as error:
            return error.exit_code
        return result if isinstance(result, int) else FINE
    except (KeyboardInterrupt, click.Abort) as error:
        said = error.__cause__ if isinstance(error, click.Abort) and error.__cause__ is not None else error
        _say(f"interrupted {said}".rstrip())
        return INTERRUPTED
    except (PipeClosed, BrokenPipeError):
        return _pipe_closed()
    except BaseException as error:  # noqa: BLE001 - this is the last resort
        return _report(error, beside=(beside or dict) if as_json else None)


def _report(error: BaseException, *, beside: Callable[[], dict[str, Any]] | None) -> int:
    try:
        return _report_known(error, beside=beside)
    except BrokenPipeError:
        return _pipe_closed()


def _report_known(error: BaseException, *, beside: Callable[[], dict[str, Any]] | None) -> int:
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else FAILED
    if isinstance(error, click.ClickException):
        error.show()
        return error.exit_code
    if not isinstance(error, RtfsError):
        return _crashed(error)
    if beside is not None:
        import json

        click.echo(json.dumps({"errors": diagnostics_json(error), **beside()}, ensure_ascii=False))
    else:
        _say(text_of(error))
    if isinstance(error, CommandLineError):
        return USAGE
    return int(getattr(error, "exit_code", FAILED))


def text_of(error: RtfsError) -> str:
    """Return the report of a user's error for a terminal."""
    from rtfs_framework.cli.program_errors import limit_value, render_error

    match error:
        case LanguageError():
            return "\n".join(each.render() for each in error.diagnostics)
        case ProgramError():
            return render_error(error.value)
        case LimitError():
            return render_error(limit_value(error))
        case CommandLineError():
            return f"error[{error.code}]: {error}\n  help: {error.way_out}"
    text = str(error)
    code = getattr(error, "code", "")
    if text.startswith("error["):
        return text
    return f"error[{code}]: {text}" if code else f"error: {text}"


def diagnostics_json(error: RtfsError) -> list[dict[str, Any]]:
    """Return a user's error as JSON-ready data."""
    from rtfs_framework.cli.program_errors import error_json, limit_value

    match error:
        case LanguageError():
            return [each.to_json() for each in error.diagnostics]
        case ProgramError():
            return [error_json(error.value)]
        case LimitError():
            return [error_json(limit_value(error))]
    way_out = getattr(error, "way_out", None)
    message = getattr(error, "problem", None) or str(error)
    return [{"code": getattr(error, "code", ""), "severity": "error", "message": message, "help": way_out}]


def _crashed(error: BaseException) -> int:
    if os.environ.get("RTFS_DEBUG"):
        raise error
    from rtfs_framework.cli.crash import write_crash_file

    path: Path | None = write_crash_file(error)
    where = f"the details are in {path}" if path is not None else "set RTFS_DEBUG=1 to see the details"
    _say(f"error[{INTERNAL}]: internal error: {type(error).__name__}: {error}\n  help: please report it; {where}")
    return FAILED


def _say(text: str) -> None:
    click.echo(coloured(text), err=True, color=colour_for(sys.stderr))


def _pipe_closed() -> int:
    """Let whoever closed the pipe have it: nothing more is written, not even by Python at its end."""
    silence = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            os.dup2(silence, stream.fileno())
        except (OSError, ValueError):  # noqa: PERF203 - two streams
            continue
    return FINE
