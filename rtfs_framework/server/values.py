"""Values as they travel: RTFS text that is read back as data."""

from __future__ import annotations

from typing import Any

from rtfs_framework.lang.analyzer.readback import OTHER, read_plain, read_value
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.boundary.purity import is_plain
from rtfs_framework.server.problems import FAILED, Problem, malformed


def read_args(text: str) -> tuple[Any, ...]:
    """Return the arguments that a vector holds, written as RTFS text.

    Raises:
        Problem: The text is no vector of values.
    """
    if text == "[]":
        return ()
    value = read_plain(text)
    try:
        value = read_value(Source("<args>", text)) if value is OTHER else value
    except LanguageError as error:
        raise malformed(f"'args' cannot be read: {error}") from None
    except RecursionError:
        raise malformed("'args' is nested too deeply") from None
    if not isinstance(value, tuple):
        raise malformed("'args' must be an RTFS vector, such as [1 \"text\"]")
    return value


def written(value: Any) -> str:
    """Return the text of a value.

    Raises:
        Problem: It holds what no other host can read: functions, errors.
    """
    if not is_plain(value):
        message = "the program's value holds a function or an error, which cannot travel; return plain data"
        raise Problem(422, FAILED, message, kind="TypeValidationError")
    return write(value)
