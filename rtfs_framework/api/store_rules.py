"""What all stores have in common: which digests and names there are, where each lies, and the errors of a store.

In: what a caller gave. Out: the same, or a PluginError with its code and a way out. Whoever writes a store checks with
`StoreFaults` before anything is looked up, so that no name leads out of its place, and lays files out with `blob_path`
and `name_path`, so that what one store wrote another can read: a folder that is served over HTTP, say.
"""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from rtfs_framework.api.errors import PluginError

if TYPE_CHECKING:
    from rtfs_framework.api.store import StoreSettings

MOST_NAME = 512
MOST_PART = 200
NAMES_LIST = "names.txt"
"""The list of all names, one a line, sorted: for mirrors, where nobody can look into a folder."""

_DIGEST = re.compile(r"[0-9a-f]{64}")
_CHARACTERS = re.compile(r"[a-z0-9/_.-]*")
_BLOBS, _NAMES, _END = "blobs", "names", "="


def blob_path(digest: str) -> str:
    """Return where a blob lies below the root: `blobs/ab/ab12…`."""
    return f"{_BLOBS}/{digest[:2]}/{digest}"


def name_path(name: str) -> str:
    """Return where a name lies below the root: `names/a/b=`. No name holds `=`, so `a` and `a/b` may both be there."""
    return f"{_NAMES}/{name}{_END}"


def path_digest(path: str) -> str | None:
    """Return the digest of the blob that lies at a path below the root, None for anything else."""
    digest = path.rpartition("/")[2]
    return digest if _DIGEST.fullmatch(digest) and blob_path(digest) == path else None


def path_name(path: str) -> str | None:
    """Return the name that lies at a path below the root, None for anything else."""
    name = path[len(_NAMES) + 1 : -1]
    return name if name_path(name) == path and _flaw(name) is None else None


@attrs.frozen(slots=True)
class StoreFaults:
    """Makes a store's errors. `distribution` offers the store, `store` is what the configuration calls it."""

    distribution: str
    store: str

    def place(self, settings: StoreSettings, path: str | None, thing: str) -> Path:
        """Return where a store on this machine lies; raises PluginError (E0821) where no `thing` is named."""
        place = settings.place(path)
        if place is None:
            raise self.refused(f"its table names no {thing}", "add `path`")
        return place

    def digest(self, digest: str) -> str:
        """Return a digest that is one; raises PluginError (E0822)."""
        if _DIGEST.fullmatch(digest):
            return digest
        way_out = "give the 64 hexadecimal digits (0-9, a-f) of a SHA-256"
        raise self._fault("E0822", f"{digest!r:.100} is no digest", way_out)

    def name(self, name: str) -> str:
        """Return a name that is one; raises PluginError (E0822)."""
        flaw = _flaw(name)
        if flaw is None:
            return name
        way_out = f"names are a-z, 0-9, `_`, `.`, `-` and `/`, at most {MOST_NAME}, without `..` and empty parts"
        raise self._fault("E0822", f"{name!r:.100} is no name: {flaw}", way_out)

    def prefix(self, prefix: str) -> str:
        """Return what a name may begin with; raises PluginError (E0822)."""
        if not prefix or None in (_flaw(f"{prefix}x"), _flaw(prefix.removesuffix("/"))):
            return prefix
        way_out = "give the beginning of a name, without `..` and empty parts"
        raise self._fault("E0822", f"no name begins with {prefix!r:.100}", way_out)

    def blob(self, digest: str, data: bytes) -> bytes:
        """Return bytes that have a digest; raises PluginError (E0822, E0824)."""
        if sha256(data).hexdigest() == self.digest(digest):
            return data
        raise self.damaged(f"{len(data):,} bytes were handed over as the blob {digest}, which they are not")

    def within(self, what: str, size: int, most: int) -> None:
        """See that something is not larger than was asked for; raises PluginError (E0823)."""
        if size > most:
            way_out = "whoever reads sets this bound; a blob that is larger was not made by this program"
            raise self._fault("E0823", f"{what} has {size:,} bytes, more than the {most:,} that are read", way_out)

    def unreachable(self, problem: str, way_out: str) -> PluginError:
        """Return the error of a store that cannot be asked now (E0820)."""
        return self._fault("E0820", problem, way_out)

    def refused(self, problem: str, way_out: str) -> PluginError:
        """Return the error of a store that does not do what it was asked to (E0821)."""
        return self._fault("E0821", problem, way_out)

    def read_only(self) -> PluginError:
        """Return the error of a store that nothing is written to (E0821)."""
        return self.refused("it is only read", "publish to another store, or take `read_only` out of its table")

    def damaged(self, problem: str, way_out: str = "publish it again, or read from another store") -> PluginError:
        """Return the error of what is not what it should be (E0824)."""
        return self._fault("E0824", problem, way_out)

    def _fault(self, code: str, problem: str, way_out: str) -> PluginError:
        return PluginError(self.distribution, f"store `{self.store}`: {problem}", code=code, way_out=way_out)


def _flaw(name: str) -> str | None:
    """Return why a text is no name, None where it is one."""
    if not name:
        return "it is empty"
    if len(name) > MOST_NAME:
        return f"it has {len(name):,} characters"
    if not _CHARACTERS.fullmatch(name):
        return "it holds other characters"
    for part in name.split("/"):
        if not part:
            return "a part of it is empty"
        if len(part) > MOST_PART:
            return f"a part of it has more than {MOST_PART} characters"
        if part[0] == "." or part[-1] == ".":
            return "a part of it begins or ends with a dot"
    return None
