"""Observers: told what happens, change nothing. A failing observer is reported once and left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import attrs


@attrs.frozen(slots=True)
class Event:
    """Something that happened in a run; `name` such as "call.decided", `fields` are plain data without secrets."""

    name: str
    at: float
    fields: Mapping[str, Any]


class Observer(Protocol):
    """Receives events in order."""

    def __call__(self, event: Event) -> None:
        """Take note of one event; must not block."""
        ...


@attrs.frozen(slots=True, kw_only=True)
class ObserverEntry:
    """An observer that a plugin offers; `events` are the names (or `*`) that it wants."""

    name: str
    summary: str
    factory: Callable[[], Observer]
    events: tuple[str, ...] = ("*",)
