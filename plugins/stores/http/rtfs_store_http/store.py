"""The store: the files of another store's folder, by the paths of `rtfs_framework.api` (`blob_path`, `name_path`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING

from rtfs_framework.api import NAMES_LIST, PluginError, StoreFaults, blob_path, name_path, path_name
from rtfs_store_http.client import Files

if TYPE_CHECKING:
    from rtfs_store_http.plugin import HttpSettings

_MOST_LIST = 64 << 20
"""Bytes of the list of names."""


class HttpStore:
    """Blobs and names that a server hands out."""

    read_only = True

    def __init__(self, own: HttpSettings, faults: StoreFaults, environ: Callable[[str], str | None]) -> None:
        self._faults = faults
        self._files = Files(own, faults, environ)

    def missing(self, digests: Sequence[str]) -> list[str]:
        """Return which blobs are not there; each is asked for by its head."""
        wanted = [self._faults.digest(digest) for digest in digests]
        return [digest for digest in wanted if not self._files.has(blob_path(digest))]

    def get(self, digest: str, most: int) -> bytes | None:
        """Return a blob, None where there is none; bytes of another digest are refused."""
        data = self._files.get(blob_path(self._faults.digest(digest)), f"the blob {digest}", most)
        if data is not None and sha256(data).hexdigest() != digest:
            raise self._faults.damaged(f"what came as the blob {digest} is another, or was cut off")
        return data

    def put(self, digest: str, data: bytes) -> None:  # noqa: ARG002
        """Refuse."""
        raise self._read_only()

    def read(self, name: str, most: int) -> bytes | None:
        """Return what a name points to, None where there is no such name."""
        return self._files.get(name_path(self._faults.name(name)), f"the name {name}", most)

    def point(self, name: str, data: bytes) -> None:  # noqa: ARG002
        """Refuse."""
        raise self._read_only()

    def names(self, prefix: str) -> Iterator[str]:
        """Return the names that begin with a prefix, by the list that is handed out with them."""
        self._faults.prefix(prefix)
        data = self._files.get(NAMES_LIST, "the list of names", _MOST_LIST)
        if data is None:
            way_out = f"ask for names that you know, or have it hand out {NAMES_LIST}, as a folder's store writes it"
            raise self._faults.refused(f"it hands out no {NAMES_LIST}, so nobody knows which names there are", way_out)
        names = set(data.decode("utf-8", "replace").split("\n")) - {""}
        if any(path_name(name_path(name)) != name for name in names):
            raise self._faults.damaged(f"its {NAMES_LIST} is no list of names", "see what the server hands out there")
        return iter(sorted(name for name in names if name.startswith(prefix)))

    def blobs(self) -> Iterator[str]:
        """Refuse: a server of files does not say which there are."""
        raise self._faults.refused("it does not say which blobs there are", "ask the store that this one mirrors")

    def forget(self, names: Iterable[str], digests: Iterable[str]) -> None:  # noqa: ARG002
        """Refuse."""
        raise self._read_only()

    def close(self) -> None:
        """Close the connections."""
        self._files.close()

    def _read_only(self) -> PluginError:
        return self._faults.refused("it is only read", "publish to the store that this one mirrors")
