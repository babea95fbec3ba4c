"""Rows as they stand in a file: sealed as a whole, so that who can write the file cannot choose what is answered.

In: the layer's seal. A row's value is sealed for the purpose of exactly its place: namespace, digest and both times. So
a value that was changed, moved to another row, given another time or written by anybody else does not open; it counts
as a miss. (`used` only says what makes room first.) Rows that never leave memory are not sealed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rtfs_framework.api import Seal

Slot = tuple[str, str]
"""Namespace and digest."""
Row = tuple[str, float, float | None]
"""Value, stored at, expires at (seconds since the epoch)."""
_SURROGATES = "surrogatepass"


class Rows:
    """Closes rows that are written and opens those that are read; without a seal, leaves them as they are."""

    def __init__(self, seal: Seal | None = None, report: Callable[[str], None] | None = None) -> None:
        self._seal = seal
        self._report = report

    def closed(self, slot: Slot, row: Row) -> bytes:
        """Return what stands in the file for a row's value."""
        value, stored_at, expires_at = row
        data = value.encode("utf-8", _SURROGATES)
        return data if self._seal is None else self._seal.close(_purpose(slot, stored_at, expires_at), data)

    def opened(self, slot: Slot, found: tuple[Any, Any, Any], place: object) -> Row | None:
        """Return a row as it was written; None, and a report, when it is not that."""
        value, stored_at, expires_at = found
        sealed = value if isinstance(value, bytes) else b""
        try:
            data = sealed if self._seal is None else self._seal.open(_purpose(slot, stored_at, expires_at), sealed)
            return str(data, "utf-8", _SURROGATES), stored_at, expires_at
        except ValueError:
            if self._report is not None:
                self._report(f"a reply in {place} is not what was kept there: it was changed, moved or planted")
            return None


def _purpose(slot: Slot, stored_at: Any, expires_at: Any) -> bytes:
    """Return what a value is sealed for: Python's own spelling of the columns, which frames each of them."""
    return ascii((*slot, stored_at, expires_at)).encode()
