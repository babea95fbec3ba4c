"""What plugins print while they are loaded: it is kept from stdout, where only results belong, and told.

Invariants: only what the loading thread prints is taken, other threads print on; `sys.stdout` is what it was when all
is over, whatever the plugin made of it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOBase
from threading import RLock, get_ident
from typing import Any

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
        return f"{words[:_MOST]}..." if len(self.text) > _MOST else words


@contextmanager
def printed() -> Iterator[Printed]:
    """Keep what is printed on stdout meanwhile."""
    with _lock:
        stream = sys.stdout
        kept = Printed(stream)
        sys.stdout = kept
        try:
            yield kept
        finally:
            sys.stdout = stream
