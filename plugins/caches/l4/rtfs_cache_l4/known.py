"""What is known of an entry (`CacheInfo`) as it stands in the file: JSON, sealed for its place where there is a seal.

The entry itself the host seals, before the layer sees it. Most entries have nothing beside them, and cost nothing here.
"""

from __future__ import annotations

from collections.abc import Callable

from rtfs_framework.api import NO_INFO, CacheInfo, Seal

Slot = tuple[str, str]


class Known:
    """Writes and reads it; the seal is made when it is needed first."""

    def __init__(self, seal: Callable[[], Seal] | None) -> None:
        self._make = seal
        self._seal: Seal | None = None

    def written(self, slot: Slot, info: CacheInfo) -> bytes | None:
        """Return what stands in the file; None for nothing, and where it cannot be sealed."""
        if info == NO_INFO:
            return None
        import json

        data = json.dumps(info.to_json(), separators=(",", ":")).encode()
        try:
            seal = self._made()
        except ValueError:  # who can write the file could say anything of an entry: rather nothing
            return None
        return data if seal is None else seal.close(_purpose(slot), data)

    def read(self, slot: Slot, found: object) -> CacheInfo | None:
        """Return what was written; None when this is not that."""
        if found is None:
            return NO_INFO
        import json

        try:
            seal = self._made()
            data = found if isinstance(found, bytes) else b""
            return CacheInfo.of_json(json.loads(bytes(data if seal is None else seal.open(_purpose(slot), data))))
        except (ValueError, RecursionError):
            return None

    def _made(self) -> Seal | None:
        """Return the seal, None where the layer has none.

        Raises:
            ValueError: There can be none.
        """
        if self._seal is None and self._make is not None:
            self._seal = self._make()
        return self._seal


def _purpose(slot: Slot) -> bytes:
    return ascii(("info", *slot)).encode()
