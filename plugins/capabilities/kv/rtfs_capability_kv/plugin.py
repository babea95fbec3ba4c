"""What this distribution offers to rtfs_framework. Imports nothing heavy: sqlite3 comes when the set is made."""

from __future__ import annotations

from typing import Any, Literal

import attrs
from attrs import validators

from rtfs_framework.api import Bytes, CapabilitySet, CapabilitySetEntry, CapabilitySetSettings, hookimpl

rtfs_api_version = 2

FILE = "kv.sqlite"
ALIASES = {
    "kv.get": ("ccos.state.kv.get",),
    "kv.put": ("ccos.state.kv.put",),
    "kv.replace": ("ccos.state.kv.cas-put",),
    "kv.add": ("ccos.state.counter.inc",),
}


@attrs.frozen(slots=True, kw_only=True)
class KvSettings:
    """The keys of `[capabilities.kv]`."""

    path: str | None = None
    """The file; relative to the configuration's folder. Without it, one of the host's own."""
    sync: Literal["normal", "full"] = "normal"
    """"normal": what was put survives every process; "full": also a machine that loses its power."""
    most_value: Bytes = attrs.field(
        default=Bytes(1 << 20), validator=[validators.ge(Bytes(1)), validators.le(Bytes(64 << 20))]
    )
    """Bytes of the largest value, as text."""
    most_bytes: Bytes = attrs.field(default=Bytes(256 << 20), validator=validators.ge(Bytes(1)))
    """Bytes of all that one tenant keeps, keys included."""
    most_keys: int = attrs.field(default=1_000_000, validator=validators.ge(1))
    """Keys of one tenant."""


def _prefixes(_: Any, field: attrs.Attribute[Any], value: tuple[str, ...]) -> None:
    if not value:
        raise ValueError(f"'{field.name}' must name at least one; \"\" stands for all keys")


@attrs.frozen(slots=True, kw_only=True)
class KvGrant:
    """What a table of `grant` allows of one of the capabilities."""

    prefixes: tuple[str, ...] = attrs.field(default=("",), validator=_prefixes)
    """How keys begin that may be used, such as "cart/"; without it all keys of the run's own tenant."""


@hookimpl
def rtfs_capability_sets() -> list[CapabilitySetEntry]:
    """Offer the set `kv`."""
    return [
        CapabilitySetEntry(
            name="kv",
            summary="Values under keys, in one SQLite file for all processes of a machine.",
            factory=_make,
            settings=KvSettings,
            ids=("kv.*", *(alias for aliases in ALIASES.values() for alias in aliases)),
            grant=KvGrant,
            aliases={alias: id_ for id_, aliases in ALIASES.items() for alias in aliases},
            keeps_files=True,
        )
    ]


def _make(settings: CapabilitySetSettings) -> CapabilitySet:
    from rtfs_capability_kv.calls import KvSet

    return KvSet(settings)
