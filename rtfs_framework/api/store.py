"""Stores of blobs and names: where published programs lie, on this machine or on others.

Two halves, after Bazel's remote cache and OCI registries: *blobs*, found by the SHA-256 of their bytes and never
changed; and *pointers*, small named records that say which blobs there are. A store proves nothing: whoever reads
verifies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol

import attrs

from rtfs_framework.api.settings import SettingsSchema


@attrs.frozen(slots=True, kw_only=True)
class StoreSettings:
    """What every store is made from."""

    own: Any = None
    """Its own table of the configuration, as its `settings` say."""
    environ: Callable[[str], str | None] = lambda _: None
    """Reads one variable of the host's environment: where credentials come from."""
    directory: str | None = None
    """Where a store on this machine may keep files, unless its settings name a place."""


class Store(Protocol):
    """Blobs by digest and pointers by name. All methods may wait; they are called from threads.

    Every method raises PluginError with a code and a way out when the store cannot be reached or refuses.
    """

    read_only: bool
    """Whether `put`, `point` and the deletions are refused."""

    def missing(self, digests: Sequence[str]) -> list[str]:
        """Return which of these blobs (SHA-256, 64 hexadecimal digits) are not here, in their order."""
        ...

    def get(self, digest: str, most: int) -> bytes | None:
        """Return a blob, None where there is none. More than `most` bytes are refused unread."""
        ...

    def put(self, digest: str, data: bytes) -> None:
        """Store a blob; nothing, where it is here already. Half-written ones are never seen by others."""
        ...

    def read(self, name: str, most: int) -> bytes | None:
        """Return what a name points to. Names are `[a-z0-9/_.-]+` without empty or dotted parts."""
        ...

    def point(self, name: str, data: bytes) -> None:
        """Set a name, as one step; the last one counts."""
        ...

    def names(self, prefix: str) -> Iterator[str]:
        """Return the names that begin with a prefix, sorted."""
        ...

    def blobs(self) -> Iterator[str]:
        """Return the digests of all blobs."""
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
