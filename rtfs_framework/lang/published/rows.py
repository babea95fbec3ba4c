"""Canonical JSON: arrays, strings, integers, booleans and nil, of a bounded size and depth, written in one way only.

In: bytes of anybody's. Out: lists, or PublishedError. There are no objects and no fractions, so nothing depends on
the order of members or on how a float is spelled; integers are below 2^53, so that every reader takes them alike.
"""

from __future__ import annotations

import json
import re
from itertools import accumulate

from rtfs_framework.lang.annotations import Any
from rtfs_framework.lang.errors import RtfsError

MOST_BYTES = 4 << 20
"""Bytes of one encoded program."""

MOST_DEPTH = 1_000
"""Arrays inside each other: what Python's own reader of JSON takes on every version, with room to spare."""

MOST_INTEGER = 1 << 53

_DIGITS = 17
"""A sign and the digits of 2^53."""

_string = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_LEVELS = {ord("["): 1, ord("]"): -1}


class PublishedError(RtfsError):
    """Why something is no published program, or can be none; `reason` says it in a few words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def write_rows(rows: list[Any]) -> bytes:
    """Return the one way to write rows.

    Raises:
        PublishedError: they are larger or nest deeper than is read back.
    """
    try:
        made = json.dumps(rows, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode("ascii")
    except RecursionError:
        raise PublishedError(f"it nests deeper than {MOST_DEPTH} levels") from None
    _bounded(made)
    return made


def read_rows(data: bytes, most: int = MOST_BYTES) -> list[Any]:
    """Return the rows that `write_rows` wrote.

    Raises:
        PublishedError: these bytes are anything else.
    """
    if not isinstance(data, bytes):
        raise PublishedError("no bytes")
    _bounded(data, most)
    try:
        rows = json.loads(data, parse_float=_refuse, parse_constant=_refuse, parse_int=_integer)
    except (ValueError, RecursionError) as error:
        raise PublishedError(f"no canonical JSON: {_first_line(error)}") from None
    if not isinstance(rows, list) or write_rows(rows) != data:
        raise PublishedError("not written in the canonical way")
    return rows


def _bounded(data: bytes, most: int = MOST_BYTES) -> None:
    if len(data) > most:
        raise PublishedError(f"{len(data)} bytes are more than {most}")
    if data.count(b"[") <= MOST_DEPTH:  # what opens no more arrays nests no deeper, whatever is in its strings
        return
    levels = map(_LEVELS.get, _string.sub(b"", data), (0 for _ in range(len(data))))
    if max(accumulate(level or 0 for level in levels), default=0) > MOST_DEPTH:
        raise PublishedError(f"it nests deeper than {MOST_DEPTH} levels")


def _refuse(text: str) -> Any:
    raise PublishedError(f"{text[:20]} is no integer")


def _integer(text: str) -> int:
    if len(text) > _DIGITS or abs(int(text)) >= MOST_INTEGER:
        raise PublishedError("an integer beyond 2^53")
    return int(text)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:100]
