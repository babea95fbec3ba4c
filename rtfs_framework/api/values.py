"""The kernel's and the language's records that plugins see, and the digest of values."""

from __future__ import annotations

from typing import Protocol

from rtfs_framework.kernel.outcome import CallKind, DelegationHint, FunctionSignature, HintKind, HostCall, Parameter
from rtfs_framework.lang.digest import digest
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.printer import write
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
