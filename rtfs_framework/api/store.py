"""Stores of blobs and names: where published programs lie, on this machine or on others.

Two halves, after Bazel's remote cache and OCI registries: *blobs*, found by the SHA-256 of their bytes and never
changed; and *pointers*, small named records that say which blobs there are. A store proves nothing: whoever reads
verifies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import attrs

from rtfs_framework.api.settings import SettingsSchema


@attrs.frozen(slots=True, kw_only=True)
class StoreSettings:
    """What every store is made from."""

    name: str = "store"
    """What the configuration calls it: for errors."""
    own: Any = None
    """Its own table of the configuration, as its `settings` say."""
    environ: Callable[[str], str | None] = lambda _: None
    """Reads one variable of the host's environment: where credentials come from."""
    directory: str | None = None
    """Where a store on this machine may keep files, unless its settings name a place."""
    base: str | None = None
    """Where relative paths in `own` start: the folder of the configuration. None stands for the current folder."""

    def place(self, path: str | None) -> Path | None:
        """Return where a store on this machine lies: at `path`, else in `directory`; None where neither is given."""
        if path is not None:
            return Path(self.base or ".", Path(path).expanduser()).absolute()
        return None if self.directory is None else Path(self.directory, self.name).absolute()


class Store(Protocol):
    """Blobs by digest and pointers by name. All methods may wait; they are called from threads, also several at once.

    Every method raises PluginError with a code and a way out when the store cannot be reached (E0820), refuses (E0821),
    is asked for what is no digest or name (E0822), holds more than was asked for (E0823) or is damaged (E0824):
    `StoreFaults` makes all of them.
    """

    read_only: bool
    """Whether `put`, `point` and the deletions are refused."""

    def missing(self, digests: Sequence[str]) -> list[str]:
        """Return which of these blobs (SHA-256, 64 hexadecimal digits) are not here, in their order."""
        ...

    def get(self, digest: str, most: int) -> bytes | None:
        """Return a blob, None where there is none. Of one of more than `most` bytes no more than these are read."""
        ...

    def put(self, digest: str, data: bytes) -> None:
        """Store a blob; nothing, where it is here already. Half-written ones are never seen by others.

        Bytes that do not have the digest are refused. When it returns, the end of this process loses nothing.
        """
        ...

    def read(self, name: str, most: int) -> bytes | None:
        """Return what a name points to, None where there is no such name.

        Names are `[a-z0-9/_.-]+`, at most 512 characters in parts of at most 200, none of them empty and none that
        begins or ends with a dot.
        """
        ...

    def point(self, name: str, data: bytes) -> None:
        """Set a name, as one step; the last one counts. When it returns, the end of this process loses nothing."""
        ...

    def names(self, prefix: str) -> Iterator[str]:
        """Return the names that begin with a prefix, sorted. A mirror that has no list of them refuses (E0821)."""
        ...

    def blobs(self) -> Iterator[str]:
        """Return the digests of all blobs, in any order. A store that is read-only may refuse (E0821)."""
        ...

    def forget(self, names: Iterable[str], digests: Iterable[str]) -> None:
        """Delete names and blobs; those that are not here are no mistake."""
        ...

    def close(self) -> None:
        """Release connections and files; called once."""
        ...


@attrs.frozen(slots=True, kw_only=True)
class StoreEntry:
    """A kind of store that a plugin offers under a name."""

    name: str
    summary: str
    factory: Callable[[StoreSettings], Store]
    settings: SettingsSchema | None = None
    remote: bool = True
    """Whether what is put there leaves this machine: then it is a target, and accepts labels like one."""
