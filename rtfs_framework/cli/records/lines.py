"""Decoded lines of a byte stream, each with its number; what cannot be decoded is reported with its byte offset.

One line is in memory at a time, and none may be longer than MOST bytes.
"""

from __future__ import annotations

import io
from typing import BinaryIO, TextIO

import attrs

from rtfs_framework.cli.problems import ENCODING, OVERLONG, Excerpt, InputError, problem, problem_at
from rtfs_framework.lang.source import Span

MOST = 16 * 1024 * 1024
"""Bytes that a line may have."""

UTF8 = "utf-8"


@attrs.define(slots=True, eq=False)
class Lines:
    """An iterator over a stream's lines, their line ends kept."""

    name: str
    raw: BinaryIO
    encoding: str = UTF8
    number: int = attrs.field(default=0, init=False)
    """The number of the line that was read last."""
    _offset: int = attrs.field(default=0, init=False)
    _decoded: TextIO | None = attrs.field(default=None, init=False)
    encoding_is_lost: bool = attrs.field(default=False, init=False)
    """Whether nothing after an undecodable place can be read."""

    def __attrs_post_init__(self) -> None:
        if "\n".encode(self.encoding) != b"\n":  # UTF-16 and its kin cannot be cut into lines as bytes
            self._decoded = io.TextIOWrapper(self.raw, self.encoding, newline="\n")

    def __iter__(self) -> Lines:
        return self

    def __next__(self) -> str:
        text = self._next_decoded() if self._decoded is not None else self._next_bytes()
        if not text:
            raise StopIteration
        return text

    def _next_bytes(self) -> str:
        line = self.raw.readline(MOST + 1)
        if not line:
            return ""
        self.number += 1
        start, self._offset = self._offset, self._offset + len(line)
        if self.number == 1 and self.encoding == UTF8 and line.startswith(b"\xef\xbb\xbf"):
            line, start = line[3:], 3
            if not line:
                return ""
        if len(line) > MOST:
            self._skip_line()
            raise self._overlong()
        try:
            return line.decode(self.encoding)
        except UnicodeDecodeError as error:
            raise self._undecodable(line, start, error) from error

    def _next_decoded(self) -> str:
        if self._decoded is None:
            return ""
        try:
            text = self._decoded.readline(MOST + 1)
        except UnicodeDecodeError as error:
            self.encoding_is_lost = True
            message = f"{self.name}: what follows line {self.number} is not {self.encoding}: {error.reason}"
            raise problem(ENCODING, message, "name its encoding: --encoding NAME") from error
        self.number += 1
        if len(text) > MOST:
            raise self._overlong()
        return text

    def _skip_line(self) -> None:
        while part := self.raw.readline(MOST):
            self._offset += len(part)
            if part.endswith(b"\n"):
                return

    def _overlong(self) -> InputError:
        message = f"{self.name}:{self.number}: the line is longer than {MOST // 1024 // 1024} MiB"
        return problem(OVERLONG, message, "is it a file of lines? JSON must have one record per line")

    def _undecodable(self, line: bytes, start: int, error: UnicodeDecodeError) -> InputError:
        before = line[: error.start].decode(self.encoding, "replace")
        label = "UTF-8" if self.encoding == UTF8 else self.encoding
        return problem_at(
            ENCODING,
            f"byte 0x{line[error.start]:02x} at byte offset {start + error.start} is not {label}",
            Excerpt(self.name, line.decode(self.encoding, "replace"), first=self.number),
            Span(len(before), len(before) + 1),
            "name the file's encoding, such as --encoding latin-1, or leave such records out with --skip-bad",
        )
