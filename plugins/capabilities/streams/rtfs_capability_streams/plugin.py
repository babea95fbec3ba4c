"""What this distribution offers to rtfs_framework. Imports nothing heavy: sqlite3 comes when a set is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from rtfs_framework.api import CapabilitySet, CapabilitySetEntry, CapabilitySetSettings, CommandEntry, hookimpl

rtfs_api_version = 2

FILE = "streams.sqlite"


@attrs.frozen(slots=True, kw_only=True)
class Endpoint:
    """A source that programs name: one table of `[capabilities.streams.endpoints]`."""

    lines: str | None = None
    """A file whose lines are the items."""
    jsonl: str | None = None
    """A file with a JSON text in each line."""
    follow: bool = False
    """Whether the file goes on growing."""
    of: str = ":any"
    """The type of its items."""


@attrs.frozen(slots=True, kw_only=True)
class StreamSettings:
    """The keys of `[capabilities.streams]`."""

    path: str | None = None
    """Where positions, states and queues are; relative to the configuration's folder. Without it, the host's own."""
    roots: Sequence[str] = ()
    """Folders whose files may be read as streams; none by default. No link below them is followed."""
    capacity: int = attrs.field(default=1024, validator=[attrs.validators.ge(1), attrs.validators.le(1_000_000)])
    """Items that a queue holds before its producers wait, unless it says otherwise."""
    models: Sequence[str] = ()
    """Models whose replies may be read as streams, by their names in the configuration; none by default."""
    endpoints: Mapping[str, Endpoint] = attrs.field(factory=dict)
    """Where streams come from, by names of your own."""


@hookimpl
def rtfs_capability_sets() -> list[CapabilitySetEntry]:
    """Offer the set `streams`."""
    return [
        CapabilitySetEntry(
            name="streams",
            summary="Streams: files, ranges, values and bounded queues, whose position and state outlive a process.",
            factory=_make,
            settings=StreamSettings,
            ids=("mcp.stream.*", "marketplace.stream.*", "stream.*"),
        )
    ]


def _make(settings: CapabilitySetSettings) -> CapabilitySet:
    from rtfs_capability_streams.streams import Streams

    return Streams.of(settings)


@hookimpl
def rtfs_commands() -> list[CommandEntry]:
    """Offer `rtfs streams list` and `rtfs streams show`."""

    def load(name: str) -> Any:
        from rtfs_capability_streams import commands

        return getattr(commands, name)

    return [
        CommandEntry(name="streams list", summary="List the streams that a host keeps.", load=lambda: load("list_")),
        CommandEntry(
            name="streams show", summary="Show one stream: source, position, state.", load=lambda: load("show")
        ),
    ]
