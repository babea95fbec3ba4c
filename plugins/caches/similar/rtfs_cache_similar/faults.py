"""What goes wrong with a file, as a `PluginError` that a user can act on: the file, what happened, the way out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rtfs_framework.api import PluginError

if TYPE_CHECKING:
    from rtfs_framework.api.fitting import FileError

DISTRIBUTION = "rtfs-cache-similar"
CODE = "E0811"

_DELETE = "delete it (with its -wal and -shm): it is only a memory and is made anew"
_FOLDER = "see that its folder exists and is writable"
_WAYS_OUT = (
    ("not a database", _DELETE),
    ("malformed", _DELETE),
    ("no such", _DELETE),
    ("unable to open", _FOLDER),
    ("readonly", _FOLDER),
    ("disk i/o", "see whether the disk is sound, and on a network drive choose a local cache folder"),
    ("full", "free some disk space"),
    ("locked", "another process has been writing to it for seconds; end that one, or try again later"),
)


def explain(path: Path | None, error: Exception) -> PluginError:
    """Return the error for what SQLite or the file system refused."""
    words = str(error)
    known = (way_out for sign, way_out in _WAYS_OUT if sign in words.lower())
    return _fault(path, f"cannot be used: {words}", next(known, _FOLDER if isinstance(error, OSError) else _DELETE))


def foreign(path: Path | None) -> PluginError:
    """Return the error for a file that is another program's, or another version's."""
    return _fault(path, "is not of this version of rtfs-cache-similar", f"move it away, or {_DELETE}")


def unsealed(why: str) -> PluginError:
    """Return the error for a user without a key: what is kept could not be told from what others put there."""
    way_out = "see that the key is a file of yours that nobody else may read, or delete it: a new one is made"
    return _fault(None, f"cannot be sealed: {why}", way_out)


def no_index(name: str) -> PluginError:
    """Return the error for an index whose library is not installed."""
    install = f'uv pip install "{DISTRIBUTION}[{name}]"' if name == "annoy" else f'uv pip install "{name}"'
    message = f'`index = "{name}"` under [caches.similar]: {name} is not installed'
    return PluginError(DISTRIBUTION, f"{message}\n  help: {install}; or leave `index` out", code=CODE)


def no_prior(error: FileError) -> PluginError:
    """Return the error for a prior that cannot be read: without it nothing else would be served either."""
    off = "or take `prior` out of [caches.similar]"
    return PluginError(
        DISTRIBUTION, f"its prior cannot be used: {error.problem}\n  help: {error.way_out}; {off}", code=CODE
    )


def _fault(path: Path | None, what: str, way_out: str) -> PluginError:
    place = "the kept answers" if path is None else str(path)
    off = "or switch the layer off: `enabled = false` under [caches.similar]"
    return PluginError(DISTRIBUTION, f"{place} {what}\n  help: {way_out}; {off}", code=CODE)
