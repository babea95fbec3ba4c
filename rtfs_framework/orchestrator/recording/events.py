"""What happens, told to observers and, when logging is on, to structlog. Nothing is built when nobody listens.

Faults of plugins pass here, too: `plugin_failed` keeps them (`faults`) and tells them. Observers hear in threads of
their own (`sinks`); one that fails is left out. structlog is imported only when logging is switched on
(`RTFS_LOG=debug|info`), for its import costs more than a whole small program.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.labels import PUBLIC
from rtfs_framework.api.observer import Event
from rtfs_framework.api.values import Clock
from rtfs_framework.lang.visible import visible_line
from rtfs_framework.orchestrator.config.colour import colour_for
from rtfs_framework.orchestrator.recording.journal.fault import JournalError
from rtfs_framework.orchestrator.recording.sinks import PATIENCE, Subscription
from rtfs_framework.registry.faults import Faults, Part, PluginFault
from rtfs_framework.registry.problems import PluginProblem

if TYPE_CHECKING:
    from rtfs_framework.api.labels import Label
    from rtfs_framework.orchestrator.concurrency.loops import HeldError

_DEBUG, _INFO, _WARNING = 10, 20, 30
"""As in `logging`, which is not imported for three numbers."""
_LEVELS = {"debug": _DEBUG, "info": _INFO, "warning": _WARNING}
RUN_ENDED = "run.ended"
_LOUD = frozenset(
    {"call.failed", "call.refused", "observer.failed", "plugin.failed", "journal.failed", "learning.failed"}
)
_QUIET = frozenset(
    {"call.decided", "call.answered", "program.event", "artifact.hit", "artifact.stored", "artifact.unavailable"}
)


Withhold = Callable[[str, Event, "Label | None"], Event]
"""From who is told ("log", "observer x"), an event and its label to the event as it may be told."""


@attrs.define(slots=True, eq=False)
class EventBus:
    """Tells events in order, and keeps the faults of plugins."""

    clock: Clock
    subscriptions: list[Subscription] = attrs.field(factory=list)
    faults: Faults = attrs.field(factory=Faults)
    """What plugins did wrong, for stderr, the summary and `rtfs plugins`."""
    withhold: Withhold | None = None
    """Takes out of an event what somebody does not accept; None where nothing carries marks."""
    _log: Callable[[Event], None] | None = attrs.field(default=None, init=False)
    _one: threading.RLock = attrs.field(factory=threading.RLock, init=False)
    """Held while an event is handed out: one at a time, whichever threads and tasks they come from."""

    @property
    def active(self) -> bool:
        """Tell whether anyone listens; callers on hot paths ask before they build fields."""
        return bool(self.subscriptions) or self._log is not None

    def switch_on(self, level: str) -> None:
        """Start logging at a level ("debug", "info", "warning")."""
        self._log = _structlog(_LEVELS.get(level.lower(), _INFO))

    def emit(self, name: str, fields: Mapping[str, Any], label: Label | None = None) -> None:
        """Tell an event; its words carry the marks of a label, None where nobody knows which: then any."""
        if not self.active:
            return
        with self._one:
            event = Event(name, self.clock.now(), fields, PUBLIC if label is None else label)
            seen = self.withhold
            if self._log is not None:
                self._log(event if seen is None else seen("log", event, label))
            for subscription in tuple(self.subscriptions):
                if "*" in subscription.events or name in subscription.events:
                    who = f"observer {subscription.part.name}"
                    self._tell(subscription, event if seen is None else seen(who, event, label))
        if name == RUN_ENDED:
            for subscription in tuple(self.subscriptions):
                subscription.caught_up(PATIENCE)

    def close(self) -> None:
        """Let observers hear the rest and end what they hold; one that does not end in time is left behind."""
        with self._one:
            subscriptions, self.subscriptions = self.subscriptions, []
        for each in subscriptions:
            left = each.close(self._broke)
            if left is not None:
                wrong = f"does not end; it was left behind, and has not heard of {left} events"
                self.faults.note(PluginFault(each.part, "`close`", wrong), "")

    def plugin_failed(self, part: Part, error: BaseException | str, doing: str = "it", instead: str = "") -> None:
        """Note a fault of a plugin: what it raised, or words for what was wrong with what it returned.

        `doing` says in which piece of its code; `instead`, what the host did without it. A kind is told once.
        """
        fault = error if isinstance(error, PluginFault) else PluginFault(part, doing, error)
        if self.faults.note(fault, instead):
            self.emit("plugin.failed", {"plugin": str(part), "error": str(fault)})

    def cache_works(self, part: Part, seconds: float) -> None:
        """Tell that a cache layer that was left out works again, after so many seconds."""
        self.emit("cache.works", {"plugin": str(part), "seconds": seconds})

    def journal_failed(self, error: JournalError) -> None:
        """Report a journal that cannot be written, where the configuration says to go on."""
        message = f"the journal {error.path}: {error.problem}; calls go on without it"
        found = PluginProblem(
            code=error.code, message=message, distributions=(), help=error.way_out, severity="warning"
        )
        self.faults.add(found, ("journal", error.path, error.problem))
        self.emit("journal.failed", {"error": message})

    def learning_failed(self, words: str) -> None:
        """Report that what was learned cannot be read or kept; decisions go on with what is known."""
        message = f"what was learned cannot be read or kept: {words}"
        way_out = "see that the file can be written, or move it away: it is made again from the journal"
        found = PluginProblem(code="E0614", message=message, distributions=(), help=way_out, severity="warning")
        self.faults.add(found, ("learning", words))
        self.emit("learning.failed", {"error": message})

    def held(self, error: HeldError, part: Part) -> None:
        """Note that a plugin held the event loop in which all are awaited; it is `part` if nobody else is seen."""
        from rtfs_framework.orchestrator.concurrency.outside import owner_of

        what = "blocked the event loop in which plug-ins are awaited"
        self.plugin_failed(owner_of(error.task) or part, what, "being awaited", "all that waited there was given up")

    def _tell(self, subscription: Subscription, event: Event) -> None:
        if not subscription.tell(event, self._broke):
            wrong = f"is too slow: {subscription.most} events wait for it"
            self.plugin_failed(subscription.part, wrong, "hearing events", "it does not hear of the newest")

    def _broke(self, subscription: Subscription, fault: PluginFault) -> None:
        """Leave out an observer that raised something."""
        with suppress(ValueError):  # it was closed
            self.subscriptions.remove(subscription)
        self.faults.note(fault, "it hears nothing more")
        self.emit("observer.failed", {"observer": str(subscription.part), "error": str(fault)})


def _seen(_logger: Any, _method: str, event: Any) -> Any:
    """Make what others wrote fit for a terminal, before colours are added."""
    return {name: visible_line(value) if isinstance(value, str) else value for name, value in event.items()}


def _structlog(level: int) -> Callable[[Event], None]:
    import structlog

    processors: Iterable[Any] = (
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
        _seen,
        structlog.dev.ConsoleRenderer(colors=colour_for(sys.stderr)),
    )
    logger = structlog.wrap_logger(
        structlog.PrintLogger(sys.stderr),
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(level),
    )

    def log(event: Event) -> None:
        weight = _WARNING if event.name in _LOUD else _DEBUG if event.name in _QUIET else _INFO
        fields = {"what" if name == "event" else name: value for name, value in event.fields.items()}  # its own word
        logger.log(weight, event.name, **fields)

    return log
