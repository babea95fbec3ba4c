"""Whole closed programs, found by their text alone: what the command line looks at before it imports anything.

The ordinary way writes an entry after a command in which the world could not matter: no call left the kernel, no
observer listened, no plugin had a problem, and a layer of level L4 was on. The entry says in which surroundings that
was found out: this very build and Python, the same environment, search path, installed distributions, plugin files,
configuration files, and modules of the program. Where one of them differs, there is no entry. Everything is sealed with
the user's key, so nothing is run that the user's own compiler did not make.

An entry of the kind "help" holds what `rtfs --help` prints, which names the commands of plugins.

An entry of the kind "world" has no program: it says that programs which ask nothing of the host need no host here, so
that a new one can be compiled and run without.

Reading must be quick: this module imports next to nothing, and a program of plain Python operations (`return 1 + 2`)
runs without the kernel, for it can reach nothing of it.
"""

from __future__ import annotations

import marshal
import os
import sys
from _blake2 import blake2b

from rtfs_framework.orchestrator.remembering.artifacts.build import build
from rtfs_framework.orchestrator.remembering.artifacts.seal import SealError, make_seal, read_seal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import CodeType
    from typing import Any

    from rtfs_framework.orchestrator.remembering.artifacts.seal import Seal

FOLDER, WORLDS = "quick", "worlds"
_ENVIRONMENT = ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
_LANGUAGE = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
"""What `gettext`, which click asks for its words, looks at."""
_MOST = 256
"""Entries that are kept."""


class Entry:
    """A program that may be run at once: its code when that is all it takes, and the whole artifact.

    Of `rtfs check` and `rtfs --help` there are their words instead: the exit code, and what they print without colour
    and with it.
    """

    __slots__ = ("artifact", "code", "told", "watched")

    def __init__(self, code: CodeType | None, artifact: bytes, told: tuple[int, str, str] | None = None) -> None:
        self.code = code
        self.artifact = artifact
        self.told = told
        self.watched: tuple[tuple[str, Any], ...] = ()
        """What it rests on, as it was when the entry was found."""


def purpose(kind: str, name: str, text: bytes | str) -> bytes:
    """Return what an entry is for: a command, the name of the program as it was given, and its text."""
    named = name.encode("utf-8", "surrogatepass")
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    return b"%b\0%d:%b%b" % (kind.encode(), len(named), named, raw)


def world(program_dir: str | None) -> bytes:
    """Return the purpose of the entry that speaks of all programs of a folder, as it is named from here."""
    return purpose("world", "" if program_dir is None else f"/{program_dir}", os.getcwd())


def help_purpose(environ: Mapping[str, str]) -> bytes:
    """Return the purpose of the entry that holds what `rtfs --help` prints, for the width and language of here."""
    return purpose("help", str(_columns(environ)), "\0".join(environ.get(name, "") for name in _LANGUAGE))


def find(wanted: bytes, environ: Mapping[str, str]) -> Entry | None:
    """Return the entry for a purpose, None when there is none that holds here and now."""
    folder = cache_folder(environ)
    if folder is None:
        return None
    try:
        data = read_seal(folder).open(wanted, _content(_path(folder, wanted)) or b"")
    except SealError:
        return None
    around, watched, modules, parts = marshal.loads(data)  # noqa: S302 - the seal has been verified
    if around != _world(environ) or any(_state(path) != state for path, state in watched):
        return None
    if any(_digest(path) != digest for path, digest in modules):
        return None
    entry = Entry(*parts)
    entry.watched = watched
    return entry


def keep(
    wanted: bytes,
    environ: Mapping[str, str],
    folder: str,
    seal: Seal,
    entry: Entry,
    watched: Iterable[str],
    modules: Iterable[str] = (),
) -> None:
    """Write an entry. `watched` files and folders must stay as they are, `modules` must have the same text."""
    if folder != cache_folder(environ):
        return
    entry.watched = tuple((path, _state(path)) for path in sorted({*watched, *sys.path}))
    texts = tuple((path, _digest(path)) for path in modules)
    _write(wanted, environ, folder, seal, entry, texts)


def keep_help(environ: Mapping[str, str], text: str, watched: Iterable[str]) -> None:
    """Write what `rtfs --help` prints, so that it is quick the next time; where no key can be made, nothing is kept."""
    folder = cache_folder(environ)
    if folder is None:
        return
    try:
        seal = make_seal(folder)
    except SealError:
        return
    keep(help_purpose(environ), environ, folder, seal, Entry(None, b"", (0, text, text)), watched)


def keep_like(known: Entry, wanted: bytes, environ: Mapping[str, str], entry: Entry) -> None:
    """Write an entry that rests on what another one, which was found just now, rests on."""
    folder = cache_folder(environ)
    entry.watched = known.watched
    if folder is not None:
        _write(wanted, environ, folder, read_seal(folder), entry, ())


def _write(
    wanted: bytes, environ: Mapping[str, str], folder: str, seal: Seal, entry: Entry, texts: tuple[Any, ...]
) -> None:
    data = marshal.dumps((_world(environ), entry.watched, texts, (entry.code, entry.artifact, entry.told)))
    path = _path(folder, wanted)
    fresh = f"{path}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(seal.close(wanted, data))
        os.replace(fresh, path)
        _make_room(os.path.dirname(path))
    except OSError:  # a cache can only ever save work
        return


def clear(folder: str) -> int:
    """Forget every entry; return how many programs there were."""
    programs = _entries(os.path.join(folder, FOLDER))
    for path in (*programs, *_entries(os.path.join(folder, WORLDS))):
        os.unlink(path)
    return len(programs)


def count(folder: str) -> int:
    """Return how many programs there are."""
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


def _path(folder: str, wanted: bytes) -> str:
    kind = WORLDS if wanted.startswith((b"world\0", b"help\0")) else FOLDER
    return os.path.join(folder, kind, blake2b(wanted, digest_size=20).hexdigest())


def _columns(environ: Mapping[str, str]) -> int:
    """Return how wide the terminal is, as `shutil.get_terminal_size` would, whose module takes long to import."""
    try:
        given = int(environ.get("COLUMNS", ""))
    except ValueError:
        given = 0
    if given > 0:
        return given
    try:
        return os.get_terminal_size(sys.__stdout__.fileno()).columns or 80  # type: ignore[union-attr]
    except (AttributeError, ValueError, OSError):
        return 80


def _world(environ: Mapping[str, str]) -> tuple[Any, ...]:
    """Return what must be equal."""
    ours = sorted((name, value) for name, value in environ.items() if name.startswith("RTFS_"))
    ours += sorted((name, "set") for name, value in environ.items() if value and name.endswith("_API_KEY"))
    places = tuple((name, environ.get(name)) for name in _ENVIRONMENT)
    return (build(), tuple(sys.path), tuple(ours), places)


def _state(path: str) -> tuple[int, ...] | None:
    """Return what changes when a file is written, replaced or given away, and when a folder gets or loses an entry."""
    try:
        known = os.stat(path or ".")  # Python's search path calls the current folder so
    except (OSError, ValueError):
        return None
    return known.st_dev, known.st_ino, known.st_mtime_ns, known.st_size, known.st_mode, known.st_uid


def _content(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None


def _digest(path: str) -> bytes | None:
    content = _content(path)
    return None if content is None else blake2b(content, digest_size=32).digest()


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
