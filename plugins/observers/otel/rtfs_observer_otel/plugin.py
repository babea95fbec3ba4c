"""What this distribution offers to rtfs_framework. OpenTelemetry is imported when the observer is made."""

from __future__ import annotations

from rtfs_framework.api import Observer, ObserverEntry, ObserverSettings, hookimpl
from rtfs_observer_otel.settings import OtelSettings

rtfs_api_version = 2

_EVENTS = (
    "run.started", "run.ended", "call.answered", "call.failed", "call.refused", "call.rated", "health.changed",
    "budget.changed", "rate.changed",
)  # fmt: skip


@hookimpl
def rtfs_observers() -> list[ObserverEntry]:
    """Offer the observer `otel`."""
    summary = "OpenTelemetry spans of runs and calls, and Prometheus metrics."
    return [ObserverEntry(name="otel", summary=summary, factory=_make, events=_EVENTS, settings=OtelSettings)]


def _make(settings: ObserverSettings) -> Observer:
    from rtfs_observer_otel.observer import make_observer

    return make_observer(settings.own or OtelSettings())
