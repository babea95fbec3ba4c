"""What plugins print while they are loaded: it is kept from stdout, where only results belong, and told.

Invariants: only what the loading thread prints is taken, other threads print on; `sys.stdout` is what it was when all
is over, whatever the plugin made of it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOBase
from threading import RLock, active_count, get_ident
from typing import Any

from rtfs_framework.registry.problems import printable

_STDOUT = 1
_MOST = 200
"""Characters that are kept of what a plugin prints."""

_lock = RLock()
"""Streams are exchanged for the whole process, so only one thread may have exchanged them."""


class Printed(TextIOBase):
    """Stands for stdout: what this thread prints is kept, what others print goes on."""

    def __init__(self, stream: Any) -> None:
        super().__init__()
        self.text = ""
        self._stream = stream
        self._thread = get_ident()

    def write(self, text: str, /) -> int:
        """Keep a text, or pass it on."""
        if get_ident() != self._thread:
            return int(self._stream.write(text))
        self.text = (self.text + text)[: _MOST + 1]
        return len(text)

    def flush(self) -> None:
        """Do nothing: nothing waits."""

    def writable(self) -> bool:
        """Tell that it can be written to."""
        return True

    @property
    def line(self) -> str:
        """What was printed, on one line; "" when nothing was."""
        words = " ".join(self.text.split())
        return printable(f"{words[:_MOST]}..." if len(self.text) > _MOST else words)


class _Descriptor:
    """The process's own stdout, while only this thread runs: what goes past `sys.stdout` (a child, C) is kept too."""

    def __init__(self, stream: Any) -> None:
        self._saved = self._file = -1
        if active_count() != 1 or not hasattr(os, "memfd_create"):
            return
        try:
            if stream.fileno() != _STDOUT:
                return
            stream.flush()
            self._saved = os.dup(_STDOUT)
            self._file = os.memfd_create("printed")
            os.dup2(self._file, _STDOUT)
        except (OSError, ValueError, AttributeError):  # a stdout that is closed, or none
            self.restore()

    def restore(self) -> str:
        """Put stdout back; return what was written to it."""
        text = ""
        if self._file >= 0:
            os.lseek(self._file, 0, os.SEEK_SET)
            text = os.read(self._file, _MOST + 1).decode("utf-8", "backslashreplace")
            os.close(self._file)
        if self._saved >= 0:
            os.dup2(self._saved, _STDOUT)
            os.close(self._saved)
        self._saved = self._file = -1
        return text


@contextmanager
def printed() -> Iterator[Printed]:
    """Keep what is printed on stdout meanwhile."""
    with _lock:
        stream = sys.stdout
        kept, descriptor = Printed(stream), _Descriptor(stream)
        sys.stdout = kept
        try:
            yield kept
        finally:
            sys.stdout = stream
            kept.text += descriptor.restore()
