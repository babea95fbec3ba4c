"""The observer: turns what happens into spans and series. It does no I/O of its own, so no call waits for it."""

from __future__ import annotations

import attrs

from rtfs_framework.api import Event
from rtfs_observer_otel.metrics import Metrics, Server
from rtfs_observer_otel.settings import OtelSettings
from rtfs_observer_otel.spans import Spans

_CALLS = frozenset({"call.answered", "call.failed", "call.refused"})


@attrs.frozen(eq=False)
class OtelObserver:
    """Hears the events of one host; spans and metrics where they are wanted."""

    spans: Spans | None
    metrics: Metrics | None
    server: Server | None = None

    def __call__(self, event: Event) -> None:
        """Take note of one event."""
        name, fields = event.name, event.fields
        if self.spans is not None:
            if name in _CALLS:
                self.spans.call(event.at, fields)
            elif name == "run.started":
                self.spans.run_started(event.at, fields)
            elif name == "run.ended":
                self.spans.run_ended(event.at, fields)
        if self.metrics is not None:
            self._count(name, event)

    def _count(self, name: str, event: Event) -> None:
        if self.metrics is None:
            return
        if name in _CALLS:
            self.metrics.call(name, event.fields)
        elif name == "call.rated":
            self.metrics.rated(event.fields)
        elif name == "run.ended":
            self.metrics.run_ended(event.fields)
        elif name == "health.changed":
            self.metrics.health(event.fields)
        elif name in ("budget.changed", "rate.changed"):
            self.metrics.left(name.partition(".")[0], event.fields)

    def close(self) -> None:
        """Deliver what waits, and serve no more."""
        if self.server is not None:
            self.server.close()
        if self.spans is not None:
            self.spans.close()


def make_observer(settings: OtelSettings) -> OtelObserver:
    """Return the observer that settings describe.

    Raises:
        OSError: The port for metrics is not free.
    """
    metrics = None if settings.prometheus_port is None else Metrics(symbols=settings.symbols)
    server = None
    if metrics is not None and settings.prometheus_port is not None:
        server = Server(metrics, settings.prometheus_host, settings.prometheus_port)
    return OtelObserver(Spans(settings) if settings.endpoint else None, metrics, server)
