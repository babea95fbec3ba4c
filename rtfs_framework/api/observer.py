"""Observers: told what happens, change nothing. A failing observer is reported once and left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import attrs

if TYPE_CHECKING:  # a plugin is imported at every start; what only its types need is not
    from rtfs_framework.api.settings import SettingsSchema


@attrs.frozen(slots=True)
class Event:
    """Something that happened in a run; `name` such as "call.decided", `fields` are plain data without secrets."""

    name: str
    at: float
    fields: Mapping[str, Any]
    marks: frozenset[str] = frozenset()
    """The marks that its words carry, all of which the observer accepts: what keeps them keeps these, too."""


class Observer(Protocol):
    """Receives events in order. If it has a method `close`, that is called when the host is closed."""

    def __call__(self, event: Event) -> None:
        """Take note of one event. It is called in a thread of its own; what waits too long misses events."""
        ...


@attrs.frozen(slots=True)
class ObserverSettings:
    """What an observer with settings is made from."""

    name: str
    own: Any = None
    """An instance of the entry's `settings` class."""
    directory: str = ""
    """A folder of this user and this observer, where it may keep files; it need not exist yet."""


@attrs.frozen(slots=True, kw_only=True)
class ObserverEntry:
    """An observer that a plugin offers; `events` are the names (or `*`) that it wants.

    One without `settings` hears every host. One with `settings` is at work where the configuration has
    `[observers.<name>]`.
    """

    name: str
    """Of its folder, too: it matches `[a-z0-9][a-z0-9_-]{0,63}`."""
    summary: str
    factory: Callable[..., Observer]
    """Takes nothing, or `ObserverSettings` where the entry has `settings`."""
    events: tuple[str, ...] = ("*",)
    settings: SettingsSchema | None = None
