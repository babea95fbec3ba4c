"""Traps for whatever a pure function must not look at: who looks at it is noted, and looks at it all the same."""

from __future__ import annotations

import os
import random
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import attrs

_CLOCKS = (
    *("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "process_time", "sleep"),
    *("thread_time", "gmtime", "localtime"),
)
_CHANCE = (
    *("random", "randrange", "randint", "choice", "choices", "uniform", "shuffle", "sample", "gauss"),
    "getrandbits",
)
_OUTSIDE = ("open", "socket.", "subprocess.", "os.", "shutil.", "ctypes.", "urllib.", "tempfile.", "sqlite3.", "import")
"""Starts of the names of those audit events (PEP 578) that reach out of a function."""

_noting: list[tuple[int, list[str]]] = []
"""The thread that is watched now, and what it looked at. An audit hook cannot be taken away again: one stays."""


def _hear(event: str, _args: tuple[Any, ...]) -> None:
    for thread, noted in _noting:
        if thread == threading.get_ident() and event.startswith(_OUTSIDE):
            noted.append(event)


@attrs.frozen
class _Watch:
    """What the watched thread looks at is noted."""

    thread: int
    noted: list[str]

    def saw(self, what: str) -> None:
        if threading.get_ident() == self.thread:
            self.noted.append(what)

    def on(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that is told of, and does what it did."""

        def spy(*args: Any, **more: Any) -> Any:
            self.saw(name)
            return real(*args, **more)

        return spy


class _Environ(dict[str, str]):
    """The environment, where nobody looks unseen."""

    def __init__(self, values: Mapping[str, str], watch: _Watch) -> None:
        super().__init__(values)
        self._watch = watch

    def __getitem__(self, key: str) -> str:
        self._watch.saw(f"os.environ[{key!r}]")
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        self._watch.saw(f"os.environ[{key!r}]")
        return super().__contains__(key)

    def get(self, key: str, default: Any = None) -> Any:
        try:
            return self[key]
        except KeyError:
            return default


@contextmanager
def trapped() -> Iterator[list[str]]:
    """Note what this thread looks at: clocks, chance, the environment, threads, and what audit hooks are told of.

    What C code looks at without telling (`datetime.now`, a generator of one's own) is not seen.
    """
    noted: list[str] = []
    watched = threading.get_ident()
    watch = _Watch(watched, noted)
    if _hear not in _hooked:
        sys.addaudithook(_hear)
        _hooked.append(_hear)

    places: list[tuple[Any, str]] = [(time, name) for name in _CLOCKS]
    places += [(random, name) for name in _CHANCE]
    places += [(os, "urandom"), (os, "stat"), (uuid, "uuid1"), (uuid, "uuid4"), (threading.Thread, "start")]
    patches: list[Any] = [patch.object(module, name, watch.on(f"{module.__name__}.{name}", getattr(module, name)))
               for module, name in places]  # fmt: skip
    patches.append(patch("os.environ", _Environ(os.environ, watch)))
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
