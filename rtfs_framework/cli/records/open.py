"""Opening an input: a file (also gzipped) or the standard input, its format known from its name or its first line.

The first line is read ahead, and handed out again, so what is made of it does not depend on how a pipe delivers it.
`Records` is an iterator of records that ends at the first bad one and keeps its error in `stopped`, so that the
records before it are finished first; with `skip_bad`, bad ones are counted and reported instead.
"""

from __future__ import annotations

import gzip
import io
import os
import re
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import attrs

from rtfs_framework.cli.problems import BAD_CHOICE, EMPTY, USAGE, InputError, cannot_read, problem, require_file
from rtfs_framework.cli.records.encodings import encoding_of
from rtfs_framework.cli.records.lines import Lines
from rtfs_framework.cli.records.parse import KEY, Parsed, from_jsonl, from_text
from rtfs_framework.cli.records.table import DELIMITERS, cells_of, from_csv, named_delimiter
from rtfs_framework.lang.maps import Map

FORMATS = ("csv", "jsonl", "text")
_BY_SUFFIX = {".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".txt": "text", ".text": "text"}
STDIN = "<stdin>"
_AHEAD = 65536
"""Bytes of the first line that are looked at."""


@attrs.frozen(slots=True, kw_only=True)
class Wanted:
    """How to read an input, as the command line says it."""

    path: str
    form: str | None = None
    column: str | None = None
    encoding: str | None = None
    """None: as the byte-order mark says, else UTF-8."""
    delimiter: str | None = None
    skip_bad: bool = False
    limit: int | None = None


@attrs.define(slots=True, eq=False)
class Records:
    """An iterator over records."""

    name: str
    parsed: Parsed
    lines: Lines
    """Kept, for what it wraps closes the file when nobody holds it any more."""
    base: BinaryIO
    total: int | None
    skip_bad: bool
    limit: int | None
    on_bad: Callable[[InputError], None]
    read: int = 0
    skipped: int = 0
    stopped: InputError | None = None

    def __iter__(self) -> Records:
        return self

    def __next__(self) -> Map:
        while self.stopped is None and (self.limit is None or self.read < self.limit):
            found = next(self.parsed)
            if isinstance(found, Map):
                self.read += 1
                return found
            if not self.skip_bad:
                self.stopped = found
                break
            self.skipped += 1
            self.on_bad(found)
        raise StopIteration

    def position(self) -> int:
        """Return how many bytes of the input were read so far."""
        try:
            return self.base.tell()
        except (OSError, ValueError):
            return 0

    def close(self) -> None:
        """Close the file, unless it is the standard input."""
        if self.name != STDIN:
            self.base.close()

    def check_any(self) -> None:
        """Refuse an input without a single record.

        Raises:
            InputError: E0907.
        """
        if self.read == 0 and self.skipped == 0 and self.stopped is None:
            raise problem(EMPTY, f"{self.name} holds no records", "give it at least one line")


def open_records(wanted: Wanted, on_bad: Callable[[InputError], None]) -> Records:
    """Open an input.

    Raises:
        InputError: It is not there, cannot be read, or does not hold the column.
    """
    base, raw, name = _open(wanted.path)
    try:
        return _records(wanted, base, raw, name, on_bad)
    except BaseException:
        if name != STDIN:
            base.close()
        raise


def _records(wanted: Wanted, base: BinaryIO, raw: Any, name: str, on_bad: Callable[[InputError], None]) -> Records:
    try:
        head = raw.readline(_AHEAD)
    except OSError as error:
        raise cannot_read(name, error) from error
    encoding = encoding_of(wanted.encoding, head, name)
    form = (
        wanted.form or _BY_SUFFIX.get(_suffix(wanted.path)) or _guess(head.decode(encoding, "replace"), wanted.column)
    )
    if wanted.column is not None and form == "text":
        message = f"--column {wanted.column} has no meaning for lines of text"
        raise problem(BAD_CHOICE, message, "say --format csv or --format jsonl", exit_code=USAGE)
    lines = Lines(name, io.BufferedReader(_Ahead(head, raw)), encoding)
    return Records(
        name=name,
        parsed=_parsed(form, lines, wanted),
        lines=lines,
        base=base,
        total=_size(base),
        skip_bad=wanted.skip_bad,
        limit=wanted.limit,
        on_bad=on_bad,
    )


def _parsed(form: str, lines: Lines, wanted: Wanted) -> Parsed:
    if form == "csv":
        return from_csv(lines, wanted.column, wanted.delimiter, "\t" if _suffix(wanted.path) == ".tsv" else ",")
    return from_jsonl(lines, wanted.column) if form == "jsonl" else from_text(lines)


def _open(path: str) -> tuple[BinaryIO, Any, str]:
    """Return the stream whose position counts, the stream to read, and the name for reports."""
    if path == "-":
        raw = sys.stdin.buffer
        return raw, raw, STDIN
    require_file(Path(path), "input file")
    try:
        base = Path(path).open("rb")  # noqa: SIM115 - read for as long as the run lasts
    except OSError as error:
        raise cannot_read(path, error) from error
    if path.endswith(".gz"):
        return base, io.BufferedReader(_Gzip(fileobj=base, filename=path)), path
    return base, base, path


class _Gzip(gzip.GzipFile):
    """A gzipped input; a damaged one is a mistake in the input, not of ours."""

    def read(self, size: int | None = -1) -> bytes:
        try:
            return super().read(size)
        except (EOFError, OSError, zlib_error()) as error:
            raise problem("E0903", f"{self.name}: no whole gzip file: {error}", "fetch or pack it again") from error

    def readinto(self, buffer: Any) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def zlib_error() -> type[Exception]:
    """Return the error of damaged compressed data."""
    import zlib

    return zlib.error


def _suffix(path: str) -> str:
    return Path(path.removesuffix(".gz")).suffix.lower()


class _Ahead(io.RawIOBase):
    """A stream whose beginning was read already. Closing it leaves the stream open."""

    def __init__(self, head: bytes, rest: Any) -> None:
        self._head = memoryview(head)
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._head[: len(buffer)] or self._rest.read1(len(buffer))
        self._head = self._head[len(data) :]
        buffer[: len(data)] = data
        return len(data)


def _guess(head: str, column: str | None) -> str:
    """Tell the format by the first line: a JSON object, a header that names the column, else text."""
    first = re.split(r"[\r\n]", head.removeprefix("\ufeff").lstrip("\r\n"), maxsplit=1)[0].strip(" ")
    if first.startswith("{"):
        return "jsonl"
    if column is not None or named_delimiter(first) is not None:
        return "csv"
    headers = (cells_of(first, delimiter) for delimiter in DELIMITERS)
    return "csv" if any(KEY in cells and len(cells) > 1 for cells in headers) else "text"


def _size(base: BinaryIO) -> int | None:
    try:
        status = os.fstat(base.fileno())
    except (OSError, ValueError):
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None
