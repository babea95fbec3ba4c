"""What a plug-in's code does that it should have declared: connections, files, processes, by Python's audit events.

In: the names of packages. Out: the permissions that their code used meanwhile. An event counts for a package if a frame
of it is on the stack. It is a check for tests and no sandbox: a thread that the package started is seen only where its
own frames are on that thread's stack, C code may do without audit events, and whoever wants to hide can.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any

_EVENTS: Mapping[str, str] = {
    "open": "files",
    "os.listdir": "files",
    "os.mkdir": "files",
    "os.remove": "files",
    "os.rename": "files",
    "os.scandir": "files",
    "sqlite3.connect": "files",
    "socket.bind": "network",
    "socket.connect": "network",
    "socket.getaddrinfo": "network",
    "socket.sendto": "network",
    "os.exec": "subprocess",
    "os.fork": "subprocess",
    "os.posix_spawn": "subprocess",
    "os.system": "subprocess",
    "subprocess.Popen": "subprocess",
}
_IMPORTING = ("importlib", "pkgutil", "linecache", "tokenize")
"""Modules that open files for Python itself: to import, or to show a line of a traceback."""
_watching: list[tuple[frozenset[str], set[tuple[str, str]]]] = []
_hooked: list[bool] = []


@contextmanager
def watched(packages: Collection[str]) -> Iterator[set[tuple[str, str]]]:
    """Note what packages use while this lasts: pairs of a package and a permission.

    The first use adds an audit hook to the process, which stays, and does nothing while nobody watches.
    """
    if not _hooked:
        _hooked.append(True)
        sys.addaudithook(_hear)
    watch = (frozenset(packages), set[tuple[str, str]]())
    _watching.append(watch)
    try:
        yield watch[1]
    finally:
        _watching.remove(watch)


def _hear(event: str, _: tuple[Any, ...]) -> None:
    if not _watching or event not in _EVENTS:
        return
    package = _package(sys._getframe(1))
    for packages, used in _watching:
        if package in packages:
            used.add((package, _EVENTS[event]))


def _package(frame: FrameType | None) -> str:
    """Return whose code is on the stack: the package of the innermost frame that is watched, "" for nobody's."""
    wanted = frozenset().union(*(packages for packages, _ in _watching))
    while frame is not None:
        name = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if name in _IMPORTING:
            return ""
        if name in wanted:
            return name
        frame = frame.f_back
    return ""
