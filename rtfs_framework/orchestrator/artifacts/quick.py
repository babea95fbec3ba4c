"""Whole closed programs, found by their text alone: what `rtfs eval` looks at before it imports anything.

The ordinary way writes an entry after a run in which the world could not matter: no call left the kernel, no module
was imported, no observer listened, no plugin had a problem, and a layer of level L4 was on. The entry says in which
surroundings that was found out: this very build and Python, the same environment, search path, installed
distributions, plugin files and configuration files. Where one of them differs, there is no entry. Everything is sealed
with the user's key, so nothing is run that the user's own compiler did not make.

Reading must be quick: this module imports next to nothing, and a program of plain Python operations (`return 1 + 2`)
runs without the kernel, for it can reach nothing of it.
"""

from __future__ import annotations

import marshal
import os
import sys
from _blake2 import blake2b

from rtfs_framework.orchestrator.artifacts.build import build
from rtfs_framework.orchestrator.artifacts.seal import SealError, read_seal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import CodeType
    from typing import Any

    from rtfs_framework.orchestrator.artifacts.seal import Seal

FOLDER = "quick"
_ENVIRONMENT = ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
_MOST = 256
"""Entries that are kept."""


class Entry:
    """A program that may be run at once: its code when that is all it takes, and the whole artifact."""

    __slots__ = ("artifact", "code")

    def __init__(self, code: CodeType | None, artifact: bytes) -> None:
        self.code = code
        self.artifact = artifact


def find(text: str, environ: Mapping[str, str]) -> Entry | None:
    """Return the entry of a program, None when there is none that holds here and now."""
    folder = cache_folder(environ)
    if folder is None:
        return None
    try:
        with open(_path(folder, text), "rb") as file:
            sealed = file.read()
        data = read_seal(folder).open(_purpose(text), sealed)
    except (OSError, SealError):
        return None
    world, watched, code, artifact = marshal.loads(data)  # noqa: S302 - the seal has been verified
    if world != _world(environ) or any(_state(path) != state for path, state in watched):
        return None
    return Entry(code, artifact)


def keep(
    text: str,
    environ: Mapping[str, str],
    folder: str,
    seal: Seal,
    entry: Entry,
    watched: Iterable[str],
) -> None:
    """Write the entry of a program. `watched` are the files and folders that must stay as they are."""
    if folder != cache_folder(environ):
        return
    paths = sorted({*watched, *sys.path})
    rows = tuple((path, _state(path)) for path in paths)
    data = marshal.dumps((_world(environ), rows, entry.code, entry.artifact))
    path = _path(folder, text)
    fresh = f"{path}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(seal.close(_purpose(text), data))
        os.replace(fresh, path)
        _make_room(os.path.dirname(path))
    except OSError:  # a cache can only ever save work
        return


def clear(folder: str) -> int:
    """Forget every entry; return how many there were."""
    gone = 0
    for path in _entries(os.path.join(folder, FOLDER)):
        os.unlink(path)
        gone += 1
    return gone


def count(folder: str) -> int:
    """Return how many entries there are."""
    return len(_entries(os.path.join(folder, FOLDER)))


def cache_folder(environ: Mapping[str, str]) -> str | None:
    """Return the folder of what can be made again, as platformdirs would; None where that is not so easily said."""
    home = environ.get("RTFS_HOME")
    if home:
        return os.path.join(home, "cache")
    if sys.platform != "linux":
        return None
    base = environ.get("XDG_CACHE_HOME", "")
    return os.path.join(base if base.strip() else os.path.expanduser("~/.cache"), "rtfs")


def _purpose(text: str) -> bytes:
    return b"eval\0" + text.encode("utf-8", "surrogatepass")


def _path(folder: str, text: str) -> str:
    return os.path.join(folder, FOLDER, blake2b(_purpose(text), digest_size=20).hexdigest())


def _world(environ: Mapping[str, str]) -> tuple[Any, ...]:
    """Return what must be equal."""
    ours = sorted((name, value) for name, value in environ.items() if name.startswith("RTFS_"))
    places = tuple((name, environ.get(name)) for name in _ENVIRONMENT)
    return (build(), tuple(sys.path), tuple(ours), places)


def _state(path: str) -> tuple[int, ...] | None:
    """Return what changes when a file is written, replaced or given away, and when a folder gets or loses an entry."""
    try:
        known = os.stat(path or ".")  # Python's search path calls the current folder so
    except (OSError, ValueError):
        return None
    return known.st_dev, known.st_ino, known.st_mtime_ns, known.st_size, known.st_mode, known.st_uid


def _entries(folder: str) -> list[str]:
    try:
        return [os.path.join(folder, name) for name in os.listdir(folder)]
    except OSError:
        return []


def _make_room(folder: str) -> None:
    paths = _entries(folder)
    if len(paths) > _MOST:
        for path in sorted(paths, key=os.path.getmtime)[: len(paths) - _MOST * 3 // 4]:
            os.unlink(path)
