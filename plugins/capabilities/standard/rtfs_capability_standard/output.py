"""Lines for people: `ccos.io.println`, `print`, `log`. What would steer a terminal is shown as escapes."""

from __future__ import annotations

import sys
from typing import Any

from rtfs_capability_standard.settings import OutputGrant
from rtfs_framework.api import CapabilityError, CapabilityRequest, Keyword, visible, visible_line, write


def println(request: CapabilityRequest) -> None:
    """Write values as programs write them, texts in quotes, separated by spaces, and end the line."""
    _put(request, f"{visible(' '.join(map(write, request.args)))}\n")


def print_(request: CapabilityRequest) -> None:
    """Write values, separated by spaces."""
    _put(request, visible(_words(request.args)))


def log(request: CapabilityRequest) -> None:
    """Write one line that says who it comes from: `log: ...`, or `warn: ...` where a level comes first."""
    args = request.args
    level = args[0].name if len(args) > 1 and isinstance(args[0], Keyword) and args[0].name in _LEVELS else ""
    _put(request, f"{level or 'log'}: {visible_line(_words(args[1:] if level else args))}\n")


_LEVELS = frozenset({"debug", "info", "warn", "error"})


def _words(args: tuple[Any, ...]) -> str:
    """Return values as people read them: a text is itself, all else is printed as programs write it."""
    return " ".join(each if each.__class__ is str else write(each) for each in args)


def _put(request: CapabilityRequest, text: str) -> None:
    chosen = request.grants[0].own if request.grants else OutputGrant()
    stream = sys.stdout if chosen.to == "stdout" else sys.stderr
    if stream is None:
        return
    try:
        stream.write(text.encode(stream.encoding or "utf-8", "backslashreplace").decode(stream.encoding or "utf-8"))
        stream.flush()
    except (OSError, ValueError) as error:
        message = f"{chosen.to} cannot be written: {error}"
        raise CapabilityError(message, "IoError") from error
