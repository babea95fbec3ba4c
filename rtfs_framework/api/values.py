"""The kernel's and the language's records that plugins see, and the canonical digest of values."""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Protocol

from rtfs_framework.kernel.outcome import CallKind, DelegationHint, FunctionSignature, HintKind, HostCall, Parameter
from rtfs_framework.lang.canonical import canonical_print
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.printer import ATOMS, write, write_atom
from rtfs_framework.lang.types.model import Type
from rtfs_framework.lang.values import Keyword, Value

__all__ = [
    "CallKind",
    "Clock",
    "DelegationHint",
    "FunctionSignature",
    "HintKind",
    "HostCall",
    "Keyword",
    "Map",
    "Parameter",
    "Type",
    "Value",
    "digest",
    "write",
]


class Clock(Protocol):
    """Everything that reads the time takes one of these."""

    def now(self) -> float:
        """Return seconds since the epoch (UTC)."""
        ...

    def monotonic(self) -> float:
        """Return seconds of a clock that never goes back, for durations and deadlines."""
        ...


def digest(*parts: Any) -> str:
    """Return the SHA-256 (hex) of RTFS values.

    Each part is framed by its length, so no two different sequences of parts share a text (the ancestor's XOR keys
    collided), and map order does not count.
    """
    frames = b""
    for part in parts:
        shown = write_atom(part) if part.__class__ in ATOMS else canonical_print(part)
        text = shown.encode("utf-8", "surrogatepass")
        frames += b"%d:%b" % (len(text), text)
    return sha256(frames).hexdigest()


def canonical(value: Any) -> str:
    """Return the canonical print of a value: as `write`, with map entries and set members sorted by their print."""
    return canonical_print(value)
