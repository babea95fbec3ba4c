"""A store in memory: what tests publish to, and what the contract suite of stores is tried on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from threading import Lock

import attrs

from rtfs_framework.api import NAMES_LIST, StoreFaults, path_digest, path_name


@attrs.define(slots=False)
class MemoryStore:
    """Blobs and names in two dicts, which several stores may share."""

    kept_blobs: dict[str, bytes] = attrs.field(factory=dict)
    kept_names: dict[str, bytes] = attrs.field(factory=dict)
    read_only: bool = False
    faults: StoreFaults = attrs.field(factory=lambda: StoreFaults("rtfs-testing", "memory"))
    _lock: Lock = attrs.field(factory=Lock)  # type: ignore[valid-type,unused-ignore]

    def missing(self, digests: Sequence[str]) -> list[str]:
        """Return which blobs are not here."""
        return [digest for digest in map(self.faults.digest, digests) if digest not in self.kept_blobs]

    def get(self, digest: str, most: int) -> bytes | None:
        """Return a blob."""
        return self._bounded(self.kept_blobs.get(self.faults.digest(digest)), most)

    def put(self, digest: str, data: bytes) -> None:
        """Keep a blob."""
        self._writable()
        self.kept_blobs[digest] = self.faults.blob(digest, bytes(data))

    def read(self, name: str, most: int) -> bytes | None:
        """Return what a name points to."""
        return self._bounded(self.kept_names.get(self.faults.name(name)), most)

    def point(self, name: str, data: bytes) -> None:
        """Set a name."""
        self._writable()
        with self._lock:
            self.kept_names[self.faults.name(name)] = bytes(data)

    def names(self, prefix: str) -> Iterator[str]:
        """Return the names that begin with a prefix."""
        self.faults.prefix(prefix)
        with self._lock:
            return iter(sorted(name for name in self.kept_names if name.startswith(prefix)))

    def blobs(self) -> Iterator[str]:
        """Return all digests."""
        return iter(sorted(self.kept_blobs))

    def forget(self, names: Iterable[str], digests: Iterable[str]) -> None:
        """Delete names and blobs."""
        self._writable()
        gone, lost = [self.faults.name(name) for name in names], [self.faults.digest(digest) for digest in digests]
        with self._lock:
            for name in gone:
                self.kept_names.pop(name, None)
        for digest in lost:
            self.kept_blobs.pop(digest, None)

    def close(self) -> None:
        """Do nothing."""

    def file(self, path: str) -> bytes | None:
        """Return what a static file server would answer for a path of the layout, None where it has no such file."""
        if path == NAMES_LIST:
            return "".join(f"{name}\n" for name in sorted(self.kept_names)).encode()
        digest, name = path_digest(path), path_name(path)
        return self.kept_blobs.get(digest) if digest is not None else self.kept_names.get(name or "")

    def _bounded(self, data: bytes | None, most: int) -> bytes | None:
        if data is not None:
            self.faults.within("it", len(data), most)
        return data

    def _writable(self) -> None:
        if self.read_only:
            raise self.faults.read_only()
