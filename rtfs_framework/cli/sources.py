"""Program texts: read from files, and remembered by name so that an error of the run can show its line."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from rtfs_framework.cli.problems import ENCODING, USAGE, cannot_read, problem, problem_at, require_file
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


def given_text(text: str, what: str) -> str:
    """Return a text of the command line, whatever the locale made of its bytes.

    Raises:
        InputError: E0902, it is not UTF-8.
    """
    try:
        return os.fsencode(text).decode()
    except UnicodeDecodeError as error:
        message = f"{what} is not UTF-8: byte 0x{error.object[error.start]:02x} at offset {error.start}"
        way_out = "write it in UTF-8, or put the text in a file and name its encoding: --input FILE --encoding NAME"
        raise problem(ENCODING, message, way_out, exit_code=USAGE) from error
    except UnicodeEncodeError:  # no bytes of a command line: half of a character, given by a caller
        raise problem(ENCODING, f"{what} holds half of a surrogate pair", exit_code=USAGE) from None


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
