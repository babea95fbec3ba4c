"""`data.csv` and `data.jsonl`: rows of a file of lines, a piece per call.

A piece is `{:rows [...] :next token}`. The token is a value (where the next row begins, and what was read of the
header), so nothing is kept between calls: a program may put it away, and go on in another process. A token that a
program made up reads other rows of the same file, or fails; it opens nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, BinaryIO

import attrs

from rtfs_capability_files.beneath import Spot
from rtfs_capability_files.grants import at_path
from rtfs_capability_files.texts import argument, encoding_of, refused
from rtfs_capability_files.tokens import Token, begin_of, most_of, piece
from rtfs_framework.api import (
    CapabilityRequest,
    CsvError,
    CsvRows,
    JsonError,
    Map,
    ProgramError,
    Value,
    from_json,
    load_json,
    parse_type,
    twice_named,
)

if TYPE_CHECKING:
    from rtfs_capability_files.plugin import FilesGrant

_ANY = parse_type(":any")
_TYPES = {name: parse_type(f":{name}") for name in ("int", "float", "bool")}
_BOOLEANS = {"true": True, "false": False}


@attrs.define(slots=True, eq=False)
class _Lines:
    """Decoded lines, and how far they have been read."""

    file: BinaryIO
    path: str
    encoding: str
    most: int
    number: int
    """Of the line that was read last."""
    at: int
    row: int = 0
    """Where the row begins that is read."""

    def __next__(self) -> str:
        line = self.file.readline(self.most + 1)
        if not line:
            raise StopIteration
        if self.at + len(line) - self.row > self.most:
            words = f"at line {self.number + 1} a row has more than the {self.most:,} bytes of the grant (most_bytes)"
            raise refused(self.path, words)
        self.number += 1
        encoding = self.encoding if self.at == 0 else self.encoding.removesuffix("-sig")
        self.at += len(line)
        try:
            text = line.decode(encoding)
        except UnicodeError:
            words = f"line {self.number} is not {encoding.removesuffix('-sig')}; name its encoding by :encoding"
            raise refused(self.path, words) from None
        if "\r" in text.rstrip("\r\n") and "\n" not in text:
            raise refused(self.path, "its lines end with CR alone; save it with line ends LF or CRLF")
        return text


def csv(request: CapabilityRequest) -> Map:
    """Return a piece of the rows of a CSV: maps from column to text, or to what `:types` says of the column."""
    return _pieces(request, _csv_rows)


def jsonl(request: CapabilityRequest) -> Map:
    """Return a piece of the values of a file with one JSON text per line."""
    return _pieces(request, _json_rows)


_Read = Callable[[_Lines, dict[str, Any], Token], Callable[[], Any]]
_NO_ROW = object()
"""A blank line."""


def _pieces(request: CapabilityRequest, begin: _Read) -> Map:
    options = argument(request.args[0])
    path = options["path"]

    def act(spot: Spot, own: FilesGrant) -> Map:
        with os.fdopen(spot.open_file(), "rb") as file:
            token = begin_of(options, file, "at", "line")
            encoding = encoding_of(options.get("encoding"), path)
            if "\n".encode(encoding.removesuffix("-sig")) != b"\n":
                raise refused(path, f"{encoding} cannot be read in pieces; read it whole, or save it in UTF-8")
            at = token.places["at"]
            file.seek(at)
            lines = _Lines(file, path, encoding, own.most_bytes, token.places["line"], at, at)
            return _piece(lines, begin(lines, options, token), token, most_of(options, own, path), at)

    return at_path(request.grants, path, act)


def _piece(lines: _Lines, read: Callable[[], Any], token: Token, most: int, at: int) -> Map:
    rows: list[Value] = []
    while len(rows) < most and lines.at - at < lines.most:
        lines.row = lines.at
        try:
            row = read()
        except StopIteration:
            return piece(rows, None)
        if row is not _NO_ROW:
            rows.append(row)
    ended = lines.at >= token.size
    return piece(rows, None if ended else token.after(at=lines.at, line=lines.number))


def _csv_rows(lines: _Lines, options: dict[str, Any], token: Token) -> Callable[[], Any]:
    tab = "\t" if lines.path.endswith(".tsv") else ","
    asked = options.get("delimiter")
    if asked is not None and (len(asked) != 1 or asked in '"\r\n\0'):
        raise refused(lines.path, "the delimiter is one character")
    rows = CsvRows(lines, token.delimiter or asked or tab)
    try:
        names = token.names or _names(rows, asked, lines.path)
    except CsvError as error:
        raise refused(lines.path, f"line {error.number}: {error}") from None
    token.names, token.delimiter = names, rows.delimiter
    types = {name: kind.name for name, kind in (options.get("types") or Map.wrap({})).items()}
    unknown = sorted(set(types) - set(names))
    if unknown:
        raise refused(lines.path, f"it has no column '{unknown[0]}'; its columns: {', '.join(names)}")

    def read() -> Any:
        try:
            row = rows.read()
            if row is None:
                raise StopIteration
            record = rows.record(list(names), row)
        except CsvError as error:
            raise refused(lines.path, f"line {error.number}: {error}") from None
        if record is None:
            return _NO_ROW
        return Map.wrap({name: _typed(cell, types.get(name), name, lines, rows.first) for name, cell in record.items()})

    return read


def _names(rows: CsvRows, asked: str | None, path: str) -> tuple[str, ...]:
    names = rows.header(asked)
    if names is None:
        raise refused(path, "it is empty; a CSV starts with a header that names its columns")
    twice = twice_named(names)
    if twice is not None:
        raise refused(path, f"it has several columns '{twice}'; give every column a name of its own")
    return tuple(names)


def _typed(cell: str, kind: str | None, name: str, lines: _Lines, number: int) -> Any:
    """Return a cell as its column says; an empty one is nil, unless it is a text."""
    if kind is None or kind == "string":
        return cell
    text = cell.strip()
    if not text:
        return None
    try:
        return _BOOLEANS[text.lower()] if kind == "bool" else from_json(_TYPES[kind], load_json(text.lstrip("+")))
    except (KeyError, JsonError, ProgramError):
        raise refused(lines.path, f"line {number}, column '{name}': no {kind}") from None


def _json_rows(lines: _Lines, options: dict[str, Any], token: Token) -> Callable[[], Any]:
    del options, token

    def read() -> Any:
        line = next(lines)
        if not line.strip():
            return _NO_ROW
        try:
            return from_json(_ANY, load_json(line))
        except JsonError as error:
            words = str(error).replace(" at line 1", "")
            raise refused(lines.path, f"line {lines.number}: no valid JSON: {words}", "JsonError") from None

    return read
