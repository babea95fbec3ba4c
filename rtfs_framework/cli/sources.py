"""Program texts: read from files, and remembered by name so that an error of the run can show its line."""

from __future__ import annotations

import sys
from pathlib import Path

from rtfs_framework.cli.problems import ENCODING, cannot_read, problem_at, require_file
from rtfs_framework.lang.source import Source, Span

_known: dict[str, Source] = {}


def read_program(path: str) -> Source:
    """Return the text of a program's file; `-` is the standard input.

    Raises:
        InputError: There is no such file, it cannot be read, or it is not UTF-8.
    """
    if path == "-":
        return remember(Source("<stdin>", decode(sys.stdin.buffer.read(), "<stdin>")))
    require_file(Path(path), "program")
    try:
        raw = Path(path).read_bytes()
    except OSError as error:
        raise cannot_read(path, error) from error
    return remember(Source(path, decode(raw, path)))


def decode(raw: bytes, name: str) -> str:
    """Return the text of a UTF-8 file, with or without a byte-order mark."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8", "replace")
        raise problem_at(
            ENCODING,
            f"byte 0x{raw[error.start]:02x} at offset {error.start} is not UTF-8",
            Source(name, raw.decode("utf-8", "replace")),
            Span(len(before), len(before) + 1),
            "save the file as UTF-8",
        ) from error


def remember(source: Source) -> Source:
    """Keep a source for error messages."""
    _known[source.name] = source
    return source


def source_of(name: str) -> Source | None:
    """Return the source of a name that appeared in this process."""
    return _known.get(name)
