"""Rows as they stand in a file: sealed as a whole, so that who can write the file cannot choose what is answered.

In: the layer's seal. A row's value is sealed for the purpose of exactly its place: namespace, digest, all times, and
what is known of it. So a value that was changed, moved to another row, given another time or another origin, or written
by anybody else does not open; it counts as a miss. (`used`, `uses`, `made` and `size` only say what makes room first.)
Rows that never leave memory are not sealed.

A text of more than `LARGE` bytes is compressed (zlib, RFC 1950) where that makes it smaller. How long it is stands
before it, under the seal, and no more than that is ever unpacked.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from rtfs_framework.api import NO_INFO, CacheInfo, Seal

Slot = tuple[str, str]
"""Namespace and digest."""

LARGE = 4_096
"""Bytes beyond which a text is compressed."""
LARGEST = 1 << 28
"""Bytes beyond which a text is kept as it is."""

_LEVEL = 1
_MOST_OPENED = 1_024
"""Small rows that need not be opened again while they are what they were."""
_PLAIN, _PACKED = b"=", b"z"
_LENGTH = 8
_SURROGATES = "surrogatepass"


class Row(NamedTuple):
    """One remembered text."""

    value: str
    stored_at: float
    """Seconds since the epoch, like `expires_at`."""
    expires_at: float | None
    life: float | None
    """Seconds by which a use lengthens its life; None where none does."""
    info: bytes = b""
    """What is known of it, as JSON; nothing for nothing."""
    uses: int = 0


class Found(NamedTuple):
    """A row as it stands in the file, texts as bytes: what others wrote there may be no text."""

    value: Any
    stored_at: Any
    expires_at: Any
    life: Any
    info: Any
    uses: Any


class Rows:
    """Closes rows that are written and opens those that are read; without a seal, leaves them as they are."""

    def __init__(self, seal: Seal | None = None, report: Callable[[str], None] | None = None) -> None:
        self._seal = seal
        self._report = report
        self._opened: dict[Slot, tuple[tuple[Any, ...], str]] = {}
        """Rows as they stood in the file when they were opened last, and their texts."""

    def closed(self, slot: Slot, row: Row) -> bytes:
        """Return what stands in the file for a row's value."""
        data = _packed(row.value.encode("utf-8", _SURROGATES))
        return data if self._seal is None else self._seal.close(_purpose(slot, row[1:5]), data)

    def opened(self, slot: Slot, found: Found) -> Row | None:
        """Return a row as it was written; None when it is not that."""
        value = found.value if isinstance(found.value, bytes) else b""
        known = self._opened.get(slot)
        if known is not None and known[0] == found[:5]:  # byte for byte what was opened before
            return Row(known[1], found.stored_at, found.expires_at, found.life, found.info, found.uses)
        try:
            data = value if self._seal is None else self._seal.open(_purpose(slot, found[1:5]), value)
            text = str(_unpacked(data), "utf-8", _SURROGATES)
        except (ValueError, zlib.error):
            return None
        if len(value) <= LARGE:
            if len(self._opened) >= _MOST_OPENED:
                self._opened.clear()
            self._opened[slot] = found[:5], text
        return Row(text, found.stored_at, found.expires_at, found.life, found.info, found.uses)

    def tell(self, place: object) -> None:
        """Report a row that does not open."""
        if self._report is not None:
            self._report(f"a reply in {place} is not what was kept there: it was changed, moved or planted")

    def tell_outdated(self, place: object) -> None:
        """Report a file of an earlier version."""
        if self._report is not None:
            self._report(f"{place} was of an earlier version, whose keys are others: its replies are forgotten")


def written(info: CacheInfo) -> bytes:
    """Return what is known of a value as it stands in the file."""
    return b"" if info is NO_INFO else json.dumps(info.to_json(), separators=(",", ":")).encode()


@lru_cache(_MOST_OPENED)
def read(info: bytes) -> CacheInfo:
    """Return what `written` wrote; nothing is known where a later version wrote what this one cannot read."""
    if not info:
        return NO_INFO
    try:
        return CacheInfo.of_json(json.loads(info))
    except (ValueError, RecursionError):
        return NO_INFO


def _packed(data: bytes) -> bytes:
    if LARGE < len(data) <= LARGEST:
        packed = zlib.compress(data, _LEVEL)
        if len(packed) + _LENGTH < len(data):
            return b"".join((_PACKED, len(data).to_bytes(_LENGTH, "big"), packed))
    return _PLAIN + data


def _unpacked(data: bytes | memoryview) -> bytes | memoryview:
    """Return what was packed.

    Raises:
        ValueError: It is not that.
        zlib.error: The same.
    """
    if data[:1] == _PLAIN:
        return data[1:]
    length = int.from_bytes(data[1 : 1 + _LENGTH], "big")
    if data[:1] != _PACKED or length > LARGEST:
        raise ValueError("no text of this layer")
    unpacker = zlib.decompressobj()
    text = unpacker.decompress(data[1 + _LENGTH :], length)
    if len(text) != length or unpacker.unconsumed_tail or unpacker.decompress(b"", 1) or not unpacker.eof:
        raise ValueError("the text is not as long as it was")
    return text


def _purpose(slot: Slot, beside: tuple[Any, ...]) -> bytes:
    """Return what a value is sealed for: Python's own spelling of the columns, which frames each of them."""
    return ascii((*slot, *beside)).encode()
