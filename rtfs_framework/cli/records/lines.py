"""Decoded lines of a byte stream, each with its number; what cannot be decoded is reported with its place.

One line is in memory at a time, and none may be longer than MOST bytes. Lines end with LF or CRLF. A stream without a
single LF but with CRs comes from an old Mac: there they end with CR.
"""

from __future__ import annotations

import io
import re
from collections import deque
from typing import BinaryIO, TextIO

import attrs

from rtfs_framework.cli.problems import ENCODING, OVERLONG, Excerpt, InputError, cannot_read, problem_at
from rtfs_framework.lang.source import Span

MOST = 16 * 1024 * 1024
"""Bytes that a line may have."""

UTF8 = "utf-8"
_MARK = "\ufeff"
_OLD_MAC = re.compile(r"[^\r]*\r|[^\r]+")
_SHOWN = 200
"""Characters of an overlong line that its report holds."""


@attrs.define(slots=True, eq=False)
class Lines:
    """An iterator over a stream's lines, their line ends kept."""

    name: str
    raw: BinaryIO
    encoding: str = UTF8
    number: int = attrs.field(default=0, init=False)
    """The number of the line that was read last."""
    lost: bool = attrs.field(default=False, init=False)
    """Whether nothing more can be read after an error."""
    _offset: int = attrs.field(default=0, init=False)
    _decoded: TextIO | None = attrs.field(default=None, init=False)
    _waiting: deque[str] = attrs.field(factory=deque, init=False)

    def __attrs_post_init__(self) -> None:
        if "\n".encode(self.encoding) != b"\n":  # UTF-16 and its kin cannot be cut into lines as bytes
            self._decoded = io.TextIOWrapper(self.raw, self.encoding, newline="\n")

    def __iter__(self) -> Lines:
        return self

    def __next__(self) -> str:
        if self._waiting:
            self.number += 1
            return self._waiting.popleft()
        try:
            text = self._next_decoded() if self._decoded is not None else self._next_bytes()
        except OSError as error:
            self.lost = True
            raise cannot_read(self.name, error) from error
        if not text:
            raise StopIteration
        if self.number == 1:
            text = self._first(text.removeprefix(_MARK))
        return text

    def _first(self, text: str) -> str:
        """Cut a stream without LF at its CRs; return the first line."""
        if text.endswith("\n") or "\r" not in text:
            return text or next(self)
        self._waiting.extend(_OLD_MAC.findall(text))
        return self._waiting.popleft()

    def _next_bytes(self) -> str:
        try:
            line = self.raw.readline(MOST + 1)
        except InputError:  # damaged compressed data
            self.lost = True
            raise
        if not line:
            return ""
        self.number += 1
        start, self._offset = self._offset, self._offset + len(line)
        if len(line) > MOST:
            self._skip_line(line)
            raise self._overlong(line[:_SHOWN].decode(self.encoding, "replace"))
        try:
            return line.decode(self.encoding)
        except UnicodeDecodeError as error:
            raise self._undecodable(line, start, error) from error

    def _next_decoded(self) -> str:
        if self._decoded is None:
            return ""
        try:
            text = self._decoded.readline(MOST + 1)
        except UnicodeError as error:
            self.lost = True
            message = f"what follows line {self.number} is not {self.encoding}: {getattr(error, 'reason', error)}"
            raise self._at(ENCODING, message, "", "name its encoding: --encoding NAME", after=1) from error
        except InputError:
            self.lost = True
            raise
        if text:
            self.number += 1
        if len(text) > MOST:
            self.lost = True
            raise self._overlong(text[:_SHOWN])
        return text

    def _skip_line(self, part: bytes) -> None:
        while part and not part.endswith(b"\n"):
            part = self.raw.readline(MOST)
            self._offset += len(part)

    def _overlong(self, begin: str) -> InputError:
        way_out = "is it a file of lines that end with LF or CRLF? JSON must have one record per line"
        return self._at(OVERLONG, f"the line is longer than {MOST // 1024 // 1024} MiB", begin, way_out)

    def _at(self, code: str, message: str, text: str, way_out: str, after: int = 0) -> InputError:
        return problem_at(code, message, Excerpt(self.name, text, first=self.number + after), Span(0, 1), way_out)

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
