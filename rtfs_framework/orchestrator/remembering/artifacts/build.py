"""Which compiler this is: an artifact is of use to the same Python and the same rtfs_framework only."""

from __future__ import annotations

import os
import sys
from _blake2 import blake2b

from rtfs_framework import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_ROOMS = ("lang", "stdlib", "kernel")
"""What a compiled program comes from and is run with."""
_PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(__file__))))


_found: list[tuple[Any, ...]] = []


def build() -> tuple[Any, ...]:
    """Return what an artifact depends on beside its program. Equal only for the same Python and the same sources.

    Found out once: a process goes on with the compiler that it has imported.
    """
    if not _found:
        _found.append(_build())
    return _found[0]


def _build() -> tuple[Any, ...]:
    implementation = sys.implementation
    python = (implementation.name, implementation.cache_tag, sys.version, sys.platform, sys.maxsize, sys.byteorder)
    return (__version__, *python, _PACKAGE, _sources())


def _sources() -> bytes:
    """Return a digest of the names, sizes and times of our source files.

    An installed version never changes its files; a working copy does all the time.
    """
    rows: list[bytes] = []
    todo = [os.path.join(_PACKAGE, room) for room in _ROOMS]
    while todo:
        with os.scandir(todo.pop()) as entries:
            for entry in entries:
                if entry.name.endswith((".py", ".lark")):
                    known = entry.stat()
                    rows.append(b"%s %d %d" % (os.fsencode(entry.path), known.st_size, known.st_mtime_ns))
                elif entry.name != "__pycache__" and entry.is_dir():
                    todo.append(entry.path)
    return blake2b(b"\0".join(sorted(rows)), digest_size=32).digest()
