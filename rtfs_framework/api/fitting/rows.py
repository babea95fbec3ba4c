"""Labelled rows: a CSV or JSON Lines file, plain or gzipped, with some columns; others are left alone.

Out: the rows with their places, or a `FileError` that names the line.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from rtfs_framework.api.fitting.errors import MALFORMED, MISSING, NO_COLUMN, UNREADABLE, FileError
from rtfs_framework.lang.jsontext import JsonError
from rtfs_framework.lang.jsontext import load as load_json

MOST_BYTES = 1 << 30
"""Of a file, unpacked: more is hardly meant, and would not fit the memory of many machines."""
_JSON_LINES = (".jsonl", ".ndjson")
_PIECE = 1 << 20
_LONGEST_FIELD = 1 << 24


@attrs.frozen(slots=True)
class Row:
    """One row: what it says by column, and its file and line."""

    said: Mapping[Any, Any]
    place: str


@attrs.frozen(slots=True)
class Rows:
    """The rows of a file, in its order."""

    rows: tuple[Row, ...]
    digest: str
    """SHA-256 (hex) of what the file holds."""


def read_rows(path: Path, columns: Sequence[str]) -> Rows:
    """Return the rows of a file that has these columns.

    Raises:
        FileError: There is no such file, it cannot be read, or a line of it is malformed.
    """
    data = _bytes(path)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        way_out = "write the file in UTF-8"
        raise FileError(UNREADABLE, f"byte {error.start:,} is no UTF-8", way_out, f"{path}:{line}") from error
    name = path.name.removesuffix(".gz")
    read = _of_lines if name.lower().endswith(_JSON_LINES) else _of_csv
    return Rows(tuple(read(text, path, columns)), hashlib.sha256(data).hexdigest())


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        with gzip.open(path, "rb") if packed else path.open("rb") as source:
            pieces: list[bytes] = []
            left = MOST_BYTES
            while piece := source.read(_PIECE):
                left -= len(piece)
                if left < 0:
                    way_out = "take a part of the rows: some thousands are enough"
                    raise FileError(UNREADABLE, f"it holds more than {MOST_BYTES:,} bytes", way_out, str(path))
                pieces.append(piece)
    except FileNotFoundError as error:
        raise FileError(MISSING, f"no such input file: {path}", "check its name and folder") from error
    except (OSError, EOFError, zlib.error) as error:
        way_out = "see whether it is a CSV or JSON Lines file, plain or gzipped, that you may read"
        raise FileError(UNREADABLE, f"it cannot be read: {error}", way_out, str(path)) from error
    return b"".join(pieces)


def _of_csv(text: str, path: Path, columns: Sequence[str]) -> Iterator[Row]:
    before = csv.field_size_limit(_LONGEST_FIELD)
    try:
        rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        _check_columns(columns, rows.fieldnames or (), f"{path}:1", "the CSV")
        start = 2
        for row in rows:
            yield Row(row, f"{path}:{start}")
            start = rows.line_num + 1
    except csv.Error as error:
        way_out = 'quote texts with commas or line ends in "...", and double the quotes in them'
        raise FileError(MALFORMED, f"no valid CSV: {error}", way_out, str(path)) from error
    finally:
        csv.field_size_limit(before)


def _of_lines(text: str, path: Path, columns: Sequence[str]) -> Iterator[Row]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        place = f"{path}:{number}"
        try:
            row = load_json(line)
        except JsonError as error:
            raise FileError(MALFORMED, f"no valid JSON: {error}", "write one JSON object a line", place) from error
        if not isinstance(row, dict):
            raise FileError(MALFORMED, "no JSON object", "write one JSON object a line", place)
        _check_columns(columns, row, place, "the object")
        yield Row(row, place)


def _check_columns(columns: Sequence[str], names: Any, place: str, what: str) -> None:
    missing = [name for name in columns if name not in names]
    if missing:
        has = ", ".join(map(str, names)) or "none"
        way_out = f"it needs the columns {', '.join(columns)}"
        raise FileError(NO_COLUMN, f"{what} has no column '{missing[0]}'; its columns: {has}", way_out, place)
