"""The store: blobs and names as files of one folder, shared by any number of processes.

Blobs need no lock: whoever writes one writes the same. Names are changed under a lock of the file system, together with
the list of them (`names.txt`), by which a static file server's readers know what there is.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from rtfs_framework.api import NAMES_LIST, StoreFaults, blob_path, name_path, path_digest, path_name
from rtfs_store_directory.tree import Tree

WAIT = 30.0
"""Seconds for which another process that changes names is waited for, which takes milliseconds."""
LOCK = "lock"


class DirectoryStore:
    """Blobs and names below a folder, which the first writing makes."""

    def __init__(self, root: Path, faults: StoreFaults, *, read_only: bool = False) -> None:
        self.read_only = read_only
        self._root = root
        self._tree = Tree(root)
        self._faults = faults

    def missing(self, digests: Sequence[str]) -> list[str]:
        """Return which blobs are not here; what is no ordinary file is none."""
        wanted = [self._faults.digest(digest) for digest in digests]
        with self._reading():
            return [digest for digest in wanted if self._tree.size(blob_path(digest)) is None]

    def get(self, digest: str, most: int) -> bytes | None:
        """Return a blob, None where there is none; nothing is followed that is a link."""
        return self._read(f"the blob {digest}", blob_path(self._faults.digest(digest)), most)

    def put(self, digest: str, data: bytes) -> None:
        """Write a blob, unless these bytes are here already: one that was damaged is mended."""
        self._writable()
        self._faults.blob(digest, data)
        path = blob_path(digest)
        with self._working():
            if not self._has(path, data):
                self._tree.write(path, data)

    def read(self, name: str, most: int) -> bytes | None:
        """Return what a name points to, None where there is no such name."""
        return self._read(f"the name {name}", name_path(self._faults.name(name)), most)

    def point(self, name: str, data: bytes) -> None:
        """Set a name, and note it in the list."""
        self._writable()
        path = name_path(self._faults.name(name))
        with self._changing():
            self._tree.write(path, data)
            self._list(add={name})

    def names(self, prefix: str) -> Iterator[str]:
        """Return the names that begin with a prefix, sorted, as the files say."""
        self._faults.prefix(prefix)
        with self._reading():
            return iter(sorted(name for name in self._names() if name.startswith(prefix)))

    def blobs(self) -> Iterator[str]:
        """Return the digests of all blobs, sorted."""
        with self._reading():
            return iter([digest for path in self._tree.walk("blobs") if (digest := path_digest(path)) is not None])

    def forget(self, names: Iterable[str], digests: Iterable[str]) -> None:
        """Delete names, then blobs."""
        self._writable()
        gone = {self._faults.name(name) for name in names}
        lost = [blob_path(self._faults.digest(digest)) for digest in digests]
        if gone:
            with self._changing():
                for name in gone:
                    self._tree.remove(name_path(name))
                self._list(drop=gone)
        with self._working():
            for path in lost:
                self._tree.remove(path)

    def close(self) -> None:
        """Do nothing: no file is kept open."""

    def _names(self) -> Iterator[str]:
        return (name for path in self._tree.walk("names") if (name := path_name(path)) is not None)

    def _has(self, path: str, data: bytes) -> bool:
        if self._tree.size(path) != len(data):
            return False
        try:
            return self._tree.read(path, len(data)) == data
        except OSError:
            return False

    def _read(self, what: str, path: str, most: int) -> bytes | None:
        with self._reading():
            self._faults.within(what, self._tree.size(path) or 0, most)
            return self._tree.read(path, most)

    def _list(self, add: Iterable[str] = (), drop: Iterable[str] = ()) -> None:
        """Bring the list of names up to date; one that is not there, or not readable, is made anew."""
        written = self._tree.read(NAMES_LIST)
        known = set(self._names()) if written is None else set(written.decode("utf-8", "replace").split())
        wanted = (known | set(add)) - set(drop)
        if written is None or wanted != known:
            self._tree.write(NAMES_LIST, "".join(f"{name}\n" for name in sorted(wanted)).encode())

    def _writable(self) -> None:
        if self.read_only:
            raise self._faults.read_only()

    @contextmanager
    def _reading(self) -> Iterator[None]:
        if self.read_only and not self._root.is_dir():
            way_out = "see that `path` is right and that what it names is mounted"
            raise self._faults.unreachable(f"there is no folder {self._root}", way_out)
        with self._working():
            yield

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with self._working():
            self._tree.prepare()
            with FileLock(self._root / LOCK, timeout=WAIT, mode=0o600):
                yield

    @contextmanager
    def _working(self) -> Iterator[None]:
        """Turn what the system says into errors of a store."""
        try:
            yield
        except Timeout as error:
            way_out = f"end the process that holds {self._root / LOCK}, or try again"
            raise self._faults.unreachable(f"another process changes names for {WAIT:.0f} s", way_out) from error
        except OSError as error:
            raise self._fault(error) from error

    def _fault(self, error: OSError) -> Exception:
        where = error.filename or self._root
        if error.errno == errno.ELOOP:
            return self._faults.damaged(f"{where} is a link, which is not followed", "put the file itself there")
        if error.errno == errno.EINVAL:
            return self._faults.damaged(f"{where} is no ordinary file", "take it away, and publish again")
        way_out = "see that this user may read and write there, and that there is room"
        return self._faults.unreachable(f"{where}: {error.strerror or error}", way_out)
