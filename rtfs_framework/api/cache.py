"""Cache layers: remember. They neither decide nor infer; keys are digests with their parts written down."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

import attrs

from rtfs_framework.api.settings import SettingsSchema

if TYPE_CHECKING:  # a plugin is imported at every start; what only its types need is not
    from rtfs_framework.api.values import Clock


class CacheLevel(Enum):
    """What a layer remembers."""

    L1 = "l1"
    """Delegation plans."""
    L2 = "l2"
    """Inference replies."""
    L4 = "l4"
    """Signed bytecode."""


@attrs.frozen(slots=True)
class CacheKey:
    """A key: a namespace, the digest looked up, and the readable parts it was made of (for explanations)."""

    namespace: str
    digest: str
    parts: tuple[tuple[str, str], ...] = attrs.field(default=(), eq=False)


@attrs.frozen(slots=True, kw_only=True)
class CacheRecord:
    """A remembered value and when it was stored (seconds since the epoch)."""

    value: Any
    stored_at: float
    expires_at: float | None = None


@attrs.frozen(slots=True, kw_only=True)
class CacheStats:
    """Counters since the layer was made. A stale read counts as a miss and as an expiry, never as a hit."""

    hits: int = 0
    misses: int = 0
    puts: int = 0
    evictions: int = 0
    expiries: int = 0
    size: int = 0
    capacity: int | None = None


class CacheLayer(Protocol):
    """Remembers values under keys, never more than its capacity, never past their time."""

    def get(self, key: CacheKey) -> CacheRecord | None:
        """Return the live record of a key, or None."""
        ...

    def put(self, key: CacheKey, value: Any, ttl: float | None = None) -> None:
        """Store a value; `ttl` in seconds, None for the layer's own."""
        ...

    def invalidate(self, key: CacheKey) -> bool:
        """Forget one key; tell whether it was there."""
        ...

    def clear(self) -> None:
        """Forget everything (counters stay)."""
        ...

    def stats(self) -> CacheStats:
        """Return the counters."""
        ...

    def close(self) -> None:
        """Release files; called once."""
        ...


class Seal(Protocol):
    """Makes bytes that only this layer of this user could have made, and tells those of anybody else.

    Who can write a layer's files must not choose what is answered: what a persistent layer keeps it closes, for the
    purpose of exactly its place (all columns of the row, framed), and serves only what opens.
    """

    def close(self, purpose: bytes, data: bytes) -> bytes:
        """Return sealed bytes."""
        ...

    def open(self, purpose: bytes, sealed: bytes) -> memoryview:
        """Return what was sealed.

        Raises:
            ValueError: These bytes were not sealed by this layer for this purpose, or were changed since.
        """
        ...


def _say_nothing(_: str) -> None:
    """Drop a report: nobody listens."""


@attrs.frozen(slots=True)
class CacheSettings:
    """What every cache is made from. `directory` is where a persistent layer may keep files."""

    clock: Clock
    ttl: float | None = None
    own: Any = None
    directory: str | None = None
    seal: Callable[[], Seal] | None = None
    """Gives the layer's seal, made of a key that only the user can read. Raises ValueError where there can be none."""
    report: Callable[[str], None] = _say_nothing
    """Tells the user what is wrong with what was kept (a record that somebody else wrote), while the layer goes on."""


@attrs.frozen(slots=True, kw_only=True)
class CacheEntry:
    """A cache layer that a plugin offers under a name."""

    name: str
    summary: str
    level: CacheLevel
    factory: Callable[[CacheSettings], CacheLayer]
    settings: SettingsSchema | None = None
    persistent: bool = False
