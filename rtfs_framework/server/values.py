"""Values as they travel: RTFS text that is read back as data."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from rtfs_framework.lang.analyzer.readback import OTHER, read_plain, read_value
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.maps import Map, Set
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.source import Source
from rtfs_framework.lang.vectors import GrownVector, List
from rtfs_framework.orchestrator.boundary.purity import is_plain
from rtfs_framework.server.problems import FAILED, Problem, malformed

T = TypeVar("T")
_SMALL = 512
"""Parts of a value that is written, and read, in less than a millisecond."""
SMALL_TEXT = 1 << 16
"""Characters, or bytes of a body, that are read and written in less than a millisecond."""
_SMALL_BITS = 1 << 12
_COLLECTIONS = frozenset({tuple, List, GrownVector, Set})


def is_small(value: Any) -> bool:
    """Tell whether a value is written in no time; parts that are shared count as often as they would be written."""
    left, todo = _SMALL, [value]
    while todo:
        item = todo.pop()
        kind = item.__class__
        if kind is str:
            left -= len(item) * _SMALL // SMALL_TEXT
        elif kind is int:
            left -= item.bit_length() * _SMALL // _SMALL_BITS
        elif kind in _COLLECTIONS:
            left -= len(item)
        elif kind is Map:
            left -= 2 * len(item)
        if left < 0:
            return False
        if kind in _COLLECTIONS:
            todo.extend(item)
        elif kind is Map:
            for entry in item.items():
                todo += entry
    return True


async def read_beside(read: Callable[[bytes], T], body: bytes) -> T:
    """Return what is read of a body: of a large one in a thread, so that others are served meanwhile."""
    return read(body) if len(body) <= SMALL_TEXT else await asyncio.to_thread(read, body)


async def written_beside(value: Any) -> str:
    """Return the text of a value, as `written` does: that of a large one is made in a thread."""
    return written(value) if is_small(value) else await asyncio.to_thread(written, value)


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
