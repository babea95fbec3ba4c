"""Entries as they stand in a file: sealed as a whole, so that who can write the file cannot choose what is served.

An entry's text, value, vector and origin are sealed for the purpose of exactly its place: partition, exact key and both
times. So an entry that was changed, moved to another partition, given another time or written by anybody else does not
open; it counts as none. (`used` and `size` only say what makes room first.) Rows in memory alone are not sealed.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from rtfs_cache_similar.index.base import Vector
from rtfs_framework.api import NO_INFO, CacheInfo, Seal

_LENGTH = 4
_SURROGATES = "surrogatepass"


class Place(NamedTuple):
    """Where an entry lies, and how long."""

    partition: str
    """The partition's digest."""
    namespace: str
    digest: str
    """Of the exact key."""
    stored_at: float
    """Seconds since the epoch, like `expires_at`."""
    expires_at: float | None


class Entry(NamedTuple):
    """What is kept of one answered request."""

    text: str
    value: str
    info: CacheInfo
    vector: Vector
    """Of length 1, as precise as float16 keeps it."""


_NONE: Vector = np.empty(0, dtype=np.float32)

Stored: TypeAlias = tuple[int, Place, Entry]
"""An entry's number, place and content."""


class Rows:
    """Closes what is written and opens what is read; without a seal, leaves it as it is."""

    def __init__(self, seal: Seal | None = None, report: Callable[[str], None] | None = None) -> None:
        self._seal = seal
        self._report = report

    def closed(self, place: Place, entry: Entry) -> bytes:
        """Return what stands in the file for an entry."""
        head = {"text": entry.text, "value": entry.value, "info": entry.info.to_json()}
        text = json.dumps(head, separators=(",", ":")).encode()
        data = b"".join((len(text).to_bytes(_LENGTH, "big"), text, entry.vector.astype("<f2").tobytes()))
        return self.close(_purpose("entry", *place), data)

    def opened(self, place: Place, found: Any, where: object, *, vector: bool = True) -> Entry | None:
        """Return an entry as it was written, perhaps without its vector; None, and a report, when it is not that."""
        data = self.open(_purpose("entry", *place), found, where)
        if data is None:
            return None
        try:
            split = _LENGTH + int.from_bytes(data[:_LENGTH], "big")
            head = json.loads(bytes(data[_LENGTH:split]))
            numbers = np.frombuffer(data[split:], dtype="<f2").astype(np.float32) if vector else _NONE
            info = CacheInfo.of_json(head["info"]) if head["info"] else NO_INFO
            return Entry(head["text"], head["value"], info, numbers)
        except (ValueError, KeyError, TypeError, RecursionError):  # sealed by another version
            self.tell(where)
            return None

    def close(self, purpose: bytes, data: bytes) -> bytes:
        """Seal anything else for a purpose."""
        return data if self._seal is None else self._seal.close(purpose, data)

    def open(self, purpose: bytes, sealed: Any, where: object) -> memoryview | None:
        """Return what was sealed for a purpose; None, and a report, when it is not that."""
        given = sealed if isinstance(sealed, bytes) else b""
        try:
            return memoryview(given) if self._seal is None else self._seal.open(purpose, given)
        except ValueError:
            self.tell(where)
            return None

    def tell(self, where: object) -> None:
        """Report what does not open."""
        if self._report is not None:
            self._report(f"an answer in {where} is not what was kept there: it was changed, moved or planted")


def purpose_of_served(question: str, entry: int, partition: str) -> bytes:
    """Return what a served question is sealed for."""
    return _purpose("served", question, entry, partition)


PURPOSE_OF_EVIDENCE = b"evidence"


def _purpose(*parts: Any) -> bytes:
    """Return Python's own spelling of some columns, which frames each of them."""
    return ascii(parts).encode()
