"""What happens, told to observers and, when logging is on, to structlog. Nothing is built when nobody listens.

A failing observer is reported once and left out. structlog is imported only when logging is switched on
(`RTFS_LOG=debug|info`), for its import costs more than a whole small program.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attrs

from rtfs_framework.api.observer import Event, Observer
from rtfs_framework.api.values import Clock

_DEBUG, _INFO, _WARNING = 10, 20, 30
"""As in `logging`, which is not imported for three numbers."""
_LEVELS = {"debug": _DEBUG, "info": _INFO, "warning": _WARNING}
_LOUD = frozenset({"call.failed", "call.refused", "observer.failed", "plugin.failed", "journal.failed"})
_QUIET = frozenset(
    {"call.decided", "call.answered", "program.event", "artifact.hit", "artifact.stored", "artifact.unavailable"}
)


@attrs.frozen(slots=True)
class Subscription:
    """An observer, the events that it wants, and who it is."""

    name: str
    observer: Observer
    events: tuple[str, ...] = ("*",)


@attrs.define(slots=True, eq=False)
class EventBus:
    """Tells events in order."""

    clock: Clock
    subscriptions: list[Subscription] = attrs.field(factory=list)
    problems: list[str] = attrs.field(factory=list)
    """Failures of plugins that were left out, for `rtfs plugins` and the summary."""
    _log: Callable[[Event], None] | None = attrs.field(default=None, init=False)

    @property
    def active(self) -> bool:
        """Tell whether anyone listens; callers on hot paths ask before they build fields."""
        return bool(self.subscriptions) or self._log is not None

    def switch_on(self, level: str) -> None:
        """Start logging at a level ("debug", "info", "warning")."""
        self._log = _structlog(_LEVELS.get(level.lower(), _INFO))

    def emit(self, name: str, fields: Mapping[str, Any]) -> None:
        """Tell an event."""
        if not self.active:
            return
        event = Event(name, self.clock.now(), fields)
        if self._log is not None:
            self._log(event)
        for subscription in tuple(self.subscriptions):
            if "*" in subscription.events or name in subscription.events:
                self._tell(subscription, event)

    def plugin_failed(self, what: str, error: Exception) -> None:
        """Report a plugin that broke; each is reported once by its caller, which leaves it out from then on."""
        text = f"{what}: {type(error).__name__}: {error}"
        self.problems.append(text)
        self.emit("plugin.failed", {"plugin": what, "error": text})

    def _tell(self, subscription: Subscription, event: Event) -> None:
        try:
            subscription.observer(event)
        except Exception as error:  # noqa: BLE001 - a plugin's failure never takes the host down
            self.subscriptions.remove(subscription)
            self.problems.append(f"observer '{subscription.name}': {type(error).__name__}: {error}")
            self.emit("observer.failed", {"observer": subscription.name, "error": str(error)})


def _structlog(level: int) -> Callable[[Event], None]:
    import structlog

    processors: Iterable[Any] = (
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
    )
    logger = structlog.wrap_logger(
        structlog.PrintLogger(sys.stderr),
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(level),
    )

    def log(event: Event) -> None:
        weight = _WARNING if event.name in _LOUD else _DEBUG if event.name in _QUIET else _INFO
        logger.log(weight, event.name, **event.fields)

    return log
