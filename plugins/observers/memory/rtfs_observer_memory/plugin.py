"""What this distribution offers to rtfs_framework. SQLite and click are imported when something is used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rtfs_framework.api import CommandEntry, Observer, ObserverEntry, ObserverSettings, hookimpl
from rtfs_observer_memory.settings import MemorySettings

rtfs_api_version = 2

_EVENTS = ("call.answered", "call.failed", "call.refused", "call.rated", "run.ended")
_SUMMARY = "Working memory: what runs did and learned, searchable by words, marks, tenant and time."


@hookimpl
def rtfs_observers() -> list[ObserverEntry]:
    """Offer the observer `memory`."""
    return [ObserverEntry(name="memory", summary=_SUMMARY, factory=_make, events=_EVENTS, settings=MemorySettings)]


@hookimpl
def rtfs_commands() -> list[CommandEntry]:
    """Offer three commands of one group."""
    return [
        CommandEntry(
            name="memory search",
            summary="Find what runs did and learned.",
            example="rtfs memory search parcel --since 7d",
            load=lambda: _command("search"),
        ),
        CommandEntry(name="memory show", summary="Show one entry of the memory.", load=lambda: _command("show")),
        CommandEntry(name="memory forget", summary="Forget a part of the memory.", load=lambda: _command("forget")),
    ]


def _make(settings: ObserverSettings) -> Observer:
    from rtfs_observer_memory.memory import Memory
    from rtfs_observer_memory.observer import MemoryObserver

    own = settings.own or MemorySettings()
    return MemoryObserver(Memory(Path(settings.directory)), own)


def _command(name: str) -> Any:
    from rtfs_observer_memory import commands

    return getattr(commands, name)
