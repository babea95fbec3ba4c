"""Pieces of data and the tokens between them: `{:rows [...] :next token}`, where nil is the end.

A token is a map of plain values, so it can be printed, kept and read back. It says of which state of the file it is:
what has changed meanwhile is refused, for its rows would be others.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, BinaryIO

import attrs

from rtfs_capability_files.texts import refused
from rtfs_framework.api import Keyword, Map, Value

if TYPE_CHECKING:
    from rtfs_capability_files.plugin import FilesGrant

USUAL_ROWS = 1000
"""Rows of a piece, where a call says nothing."""

_FILE, _NAMES, _DELIMITER = Keyword("file"), Keyword("names"), Keyword("delimiter")
_LARGEST = 1 << 62


@attrs.define(slots=True, eq=False)
class Token:
    """Where a piece begins."""

    file: str
    """The state of the file: its size and when it was changed."""
    size: int
    """Bytes of the file."""
    places: dict[str, int]
    names: tuple[str, ...] = ()
    delimiter: str | None = None

    def after(self, **places: int) -> Map:
        """Return the token of the next piece."""
        made: dict[Any, Any] = {_FILE: self.file}
        made |= {Keyword(name): place for name, place in places.items()}
        if self.names:
            made |= {_NAMES: self.names, _DELIMITER: self.delimiter}
        return Map.wrap(made)


def begin_of(options: dict[str, Any], file: BinaryIO, *places: str) -> Token:
    """Return where a piece begins: at the token of a call, else at the beginning.

    Raises:
        CapabilityError: It is no token of this capability, or the file has changed since it was given.
    """
    known = os.fstat(file.fileno())
    state = f"{known.st_size}-{known.st_mtime_ns}"
    given, path = options.get("next"), options["path"]
    if given is None:
        return Token(state, known.st_size, dict.fromkeys(places, 0))
    if not isinstance(given, Map):
        raise refused(path, ":next is what the piece before said, or nil")
    if given.get(_FILE) != state:
        raise refused(path, "it has changed since the first piece; begin again without :next")
    found = {name: given.get(Keyword(name)) for name in places}
    names, delimiter = given.get(_NAMES, ()), given.get(_DELIMITER)
    right = all(type(each) is int and 0 <= each < _LARGEST for each in found.values())
    right = right and type(names) is tuple and all(type(each) is str for each in names)
    if not right or not (delimiter is None or (type(delimiter) is str and len(delimiter) == 1)):
        raise refused(path, ":next is what the piece before said, or nil")
    return Token(state, known.st_size, found, names, delimiter)


def most_of(options: dict[str, Any], own: FilesGrant, path: str) -> int:
    """Return how many rows a piece may have.

    Raises:
        CapabilityError: The call asks for none, or for more than the grant allows.
    """
    asked: int = options.get("rows", min(USUAL_ROWS, own.most_rows))
    if not 1 <= asked <= own.most_rows:
        raise refused(path, f":rows is from 1 to {own.most_rows:,} (most_rows of the grant)")
    return asked


def piece(rows: list[Value], following: Map | None) -> Map:
    """Return a piece."""
    return Map.wrap({Keyword("rows"): tuple(rows), Keyword("next"): following})
