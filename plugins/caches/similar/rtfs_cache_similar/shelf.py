"""What is kept, as a search sees it: an index for each partition, made from the file's rows.

The first rows are read at the first use, and the rest in the background: until all are in, what is not is not found.
What other processes write to the file is taken in at the next look; what they drop is found out when it is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import RLock, Thread

import numpy as np

from rtfs_cache_similar.index.base import Found, Index, Vector
from rtfs_cache_similar.rows import Entry, Place, Stored
from rtfs_cache_similar.store import Store

_AT_ONCE = 1_000
"""Rows that are read while a look-up waits."""
_CHUNK = 250
"""Rows that are read while others wait for the lock."""


class Shelf:
    """Indexes by partition. The layer's lock guards it, and is taken by its thread."""

    def __init__(self, store: Store, make: Callable[[int], Index], lock: RLock) -> None:
        self._store = store
        self._make = make
        self._lock = lock
        self._indexes: dict[str, tuple[int, Index]] = {}
        """By partition's digest: dimensions and index."""
        self._where: dict[int, str] = {}
        """From an entry's number to its partition."""
        self._read_to = 0
        self._changes = -1
        self._loader: Thread | None = None
        self._fault: Exception | None = None
        self._closing = False

    @property
    def loading(self) -> bool:
        """Tell whether rows are still being read in the background."""
        return self._loader is not None and self._loader.is_alive()

    def look(self) -> None:
        """Take in what is new in the file.

        Raises:
            PluginError: It cannot be read.
        """
        if self._fault is not None:
            raise self._fault
        if self.loading:
            return
        changes = self._store.changes()
        if changes == self._changes:
            return
        self._changes = changes
        if self._read(_AT_ONCE) == _AT_ONCE:
            self._loader = Thread(target=self._load, name="rtfs-similar-load", daemon=True)
            self._loader.start()

    def search(self, partition: str, vector: Vector, count: int) -> Found:
        """Return the nearest entries of a partition."""
        found = self._indexes.get(partition)
        return [] if found is None or found[0] != len(vector) else found[1].search(vector, count)

    def add(self, number: int, place: Place, entry: Entry) -> None:
        """Take an entry in that was just put."""
        self._where[number] = place.partition
        self._index(place.partition, len(entry.vector)).add(number, entry.vector)

    def remove(self, numbers: Iterable[int]) -> None:
        """Drop entries."""
        for number in numbers:
            partition = self._where.pop(number, None)
            if partition is None or partition not in self._indexes:
                continue
            index = self._indexes[partition][1]
            index.remove(number)
            if index.size() == 0:
                index.close()
                del self._indexes[partition]

    def numbers(self) -> list[int]:
        """Return the numbers of all entries that are known."""
        return list(self._where)

    def nbytes(self) -> int:
        """Return the memory of all indexes."""
        return sum(index.nbytes() for _, index in self._indexes.values())

    def wait(self) -> None:
        """Wait until all rows are read: for measurements. Called without the lock."""
        if self._loader is not None:
            self._loader.join()

    def clear(self) -> None:
        """Drop every index."""
        for _, index in self._indexes.values():
            index.close()
        self._indexes, self._where = {}, {}

    def close(self) -> None:
        """Stop reading and drop every index. Called without the lock, which the reading thread may wait for."""
        self._closing = True
        self.wait()
        with self._lock:
            self.clear()

    def _load(self) -> None:
        try:
            left = True
            while left and not self._closing:
                with self._lock:
                    left = self._store.is_open and self._read(_CHUNK) == _CHUNK
        except Exception as fault:  # noqa: BLE001 - told at the next look
            self._fault = fault

    def _read(self, count: int) -> int:
        """Take in the next rows; return how many were looked at, those that are in already included."""
        found, last, looked = self._store.after(self._read_to, count)
        self._read_to = last
        groups: dict[tuple[str, int], list[Stored]] = {}
        for each in found:
            if each[0] not in self._where:
                groups.setdefault((each[1].partition, len(each[2].vector)), []).append(each)
        for (partition, dimensions), rows in groups.items():
            numbers = [number for number, _, _ in rows]
            self._index(partition, dimensions).extend(numbers, np.stack([entry.vector for _, _, entry in rows]))
            self._where.update(dict.fromkeys(numbers, partition))
        return looked

    def _index(self, partition: str, dimensions: int) -> Index:
        found = self._indexes.get(partition)
        if found is not None and found[0] == dimensions:
            return found[1]
        made = self._make(dimensions)
        if found is not None:  # the embedder's vectors are of another length than they were: the old ones say nothing
            found[1].close()
        self._indexes[partition] = dimensions, made
        return made
