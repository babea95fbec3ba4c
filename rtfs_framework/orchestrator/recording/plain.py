"""What a decision read, as plain data: for the journal, and for `--json`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from math import isfinite
from typing import Any, cast

import attrs

from rtfs_framework.api.targets import (
    Ask,
    Capability,
    Deny,
    L4CacheHit,
    LocalModel,
    LocalPure,
    RemoteModel,
    show_target,
)
from rtfs_framework.lang.maps import Map, Set
from rtfs_framework.lang.printer import write

_TARGETS = (LocalPure, LocalModel, RemoteModel, Capability, L4CacheHit, Deny, Ask)
_ATOMS = (str, int, type(None))


def plain_of(value: object) -> Any:
    """Return a value as data that JSON has: an Enum by its value, a class of attrs by its fields, RTFS data as text."""
    if value.__class__ in _ATOMS or isinstance(value, bool):
        return value
    if isinstance(value, float):
        return value if isfinite(value) else str(value)
    if isinstance(value, Enum):
        return plain_of(value.value)
    if isinstance(value, Map | Set):
        return write(value)
    if isinstance(value, _TARGETS):
        return show_target(value)
    kind: Any = type(value)
    if attrs.has(kind):
        return {field.name: plain_of(getattr(value, field.name)) for field in attrs.fields(kind)}
    if isinstance(value, Mapping):
        return {str(key): plain_of(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain_of(item) for item in cast("Iterable[Any]", value)]
    return str(value)
