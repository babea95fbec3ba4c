"""The one handler of errors: what is printed on stderr (or as JSON), and the exit code. Users never see a traceback.

Exit codes: 0 fine; 1 the program, its input or a check failed, or stdout cannot be written; 2 the command line is to
blame; 130 interrupted. A closed pipe (`| head`) is no error. Anything unforeseen is a bug of ours: its traceback goes
to a crash file, or to the terminal when RTFS_DEBUG is set.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from rtfs_framework.cli.terminal import PipeClosed, StdoutLost, complain, finish
from rtfs_framework.lang.errors import LanguageError, LimitError, ProgramError, RtfsError
from rtfs_framework.lang.visible import visible_message
from rtfs_framework.orchestrator.config.colour import is_terminal

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


class Interrupted(Exception):
    """Ctrl-C. (click would write an empty line for it.)"""


def guarded(
    work: Callable[[], Any], *, as_json: bool = False, beside: Callable[[], dict[str, Any]] | None = None
) -> int:
    """Do something and return its exit code, whatever happens; `beside` is told with an error as JSON."""
    try:
        return _tried(work)
    except BaseException as error:  # noqa: BLE001 - this is the last resort
        told = (beside or dict) if as_json else None
        try:
            return _report(error, beside=told)
        except PipeClosed:
            return FINE
        except StdoutLost as lost:
            return _report(lost, beside=None)


def _tried(work: Callable[[], Any]) -> int:
    try:
        result = work()
        finish()
    except click.exceptions.Exit as error:
        finish()
        return error.exit_code
    return result if isinstance(result, int) else FINE


def _report(error: BaseException, *, beside: Callable[[], dict[str, Any]] | None) -> int:
    match error:
        case PipeClosed():
            return FINE
        case KeyboardInterrupt() | Interrupted() | click.Abort():
            said = error if error.__cause__ is None else error.__cause__
            complain(
                f"{os.linesep if is_terminal(sys.stderr) else ''}interrupted {visible_message(str(said))}".rstrip()
            )
            return INTERRUPTED
        case SystemExit():
            return error.code if isinstance(error.code, int) else FAILED
        case click.ClickException():
            if beside is None:
                _show_usage(error)
            else:
                _put_errors([_usage_json(error)], beside())
            return error.exit_code
        case RtfsError():
            if beside is not None and not isinstance(error, StdoutLost):
                _put_errors(diagnostics_json(error), {**_parked(error), **beside()})
            else:
                complain(text_of(error))
            return USAGE if isinstance(error, CommandLineError) else int(getattr(error, "exit_code", FAILED))
    return _crashed(error)


def _put_errors(errors: list[dict[str, Any]], more: dict[str, Any]) -> None:
    from rtfs_framework.cli.shown.data import put_json

    put_json({"errors": errors, **more})


def _usage_json(error: click.ClickException) -> dict[str, Any]:
    """Return what click found wrong with the command line as JSON-ready data; it has no code."""
    context = getattr(error, "ctx", None)
    way_out = None if context is None else f"{context.command_path} --help"
    return {"code": "", "severity": "error", "message": error.format_message(), "help": way_out}


def _parked(error: RtfsError) -> dict[str, str]:
    """Return which run waits and for what, of one that was left waiting, for whoever goes on with it."""
    from rtfs_framework.orchestrator.recording.purse import RunParked

    return {"run": error.run, "waits": error.what} if isinstance(error, RunParked) else {}


def _show_usage(error: click.ClickException) -> None:
    """Say what click found wrong with the command line, in click's words."""
    words = io.StringIO()
    context = getattr(error, "ctx", None)
    if context is not None:
        context.color = True  # else click takes out what it takes for colours
    error.show(words)
    complain(words.getvalue().rstrip("\n"))


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
            return f"error[{error.code}]: {visible_message(str(error))}\n  help: {visible_message(error.way_out)}"
    text = str(error)
    code = getattr(error, "code", "")
    if text.startswith(("error[", "waiting: ")):
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
    told = visible_message(f"{type(error).__name__}: {error}")
    complain(f"error[{INTERNAL}]: internal error: {told}\n  help: please report it; {where}")
    return FAILED
