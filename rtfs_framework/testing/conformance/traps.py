"""Traps for whatever a pure function must not look at: who looks at it is noted, and looks at it all the same."""

from __future__ import annotations

import os
import random
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

_CLOCKS = ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "process_time", "sleep")
_OUTSIDE = ("open", "socket.", "subprocess.", "os.", "shutil.", "ctypes.", "urllib.", "tempfile.", "sqlite3.", "import")
"""Starts of the names of those audit events (PEP 578) that reach out of a function."""

_noting: list[tuple[int, list[str]]] = []
"""The thread that is watched now, and what it looked at. An audit hook cannot be taken away again: one stays."""


def _hear(event: str, _args: tuple[Any, ...]) -> None:
    for thread, noted in _noting:
        if thread == threading.get_ident() and event.startswith(_OUTSIDE):
            noted.append(event)


@contextmanager
def trapped() -> Iterator[list[str]]:
    """Note what this thread looks at: clocks, chance, the environment, and what Python tells its audit hooks of."""
    noted: list[str] = []
    watched = threading.get_ident()
    if _hear not in _hooked:
        sys.addaudithook(_hear)
        _hooked.append(_hear)

    def spied(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def spy(*args: Any, **more: Any) -> Any:
            if threading.get_ident() == watched:
                noted.append(name)
            return real(*args, **more)

        return spy

    class Environ(dict[str, str]):
        def __getitem__(self, key: str) -> str:
            if threading.get_ident() == watched:
                noted.append(f"os.environ[{key!r}]")
            return super().__getitem__(key)

        def get(self, key: str, default: Any = None) -> Any:
            try:
                return self[key]
            except KeyError:
                return default

    places: list[tuple[Any, str]] = [(time, name) for name in _CLOCKS]
    places += [(random, "random"), (random, "randrange"), (random, "choice"), (os, "urandom"), (uuid, "uuid4")]
    patches: list[Any] = [patch.object(module, name, spied(f"{module.__name__}.{name}", getattr(module, name)))
               for module, name in places]  # fmt: skip
    patches.append(patch("os.environ", Environ(os.environ)))
    for each in patches:
        each.start()
    _noting.append((watched, noted))
    try:
        yield noted
    finally:
        _noting.remove((watched, noted))
        for each in patches:
            each.stop()


_hooked: list[Callable[..., None]] = []
