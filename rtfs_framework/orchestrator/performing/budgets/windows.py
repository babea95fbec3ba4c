"""The windows of time in which budgets count: calendar hours, days and months (UTC), runs, and for ever."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import attrs


@attrs.frozen(slots=True)
class Window:
    """One window."""

    name: str
    """Such as "2026-11-29"; "" is for ever."""
    renews: float | None = None
    """When the next one begins (seconds since the epoch); None for never by itself."""


def window_of(per: str, now: float, run: str) -> Window:
    """Return the window of a moment; `run` is the run that asks."""
    if per == "run":
        return Window(f"run {run}")
    if per == "ever":
        return Window("")
    moment = datetime.fromtimestamp(now, timezone.utc)
    hour = moment.replace(minute=0, second=0, microsecond=0)
    day = hour.replace(hour=0)
    if per == "hour":
        return Window(f"{hour:%Y-%m-%dT%H}", (hour + timedelta(hours=1)).timestamp())
    if per == "day":
        return Window(f"{day:%Y-%m-%d}", (day + timedelta(days=1)).timestamp())
    first = day.replace(day=1)
    return Window(f"{first:%Y-%m}", (first + timedelta(days=32)).replace(day=1).timestamp())


def shown_renewal(per: str, renews: float | None) -> str:
    """Return when a budget is renewed, in the words of messages."""
    if renews is not None:
        return f"it is renewed at {datetime.fromtimestamp(renews, timezone.utc):%Y-%m-%d %H:%M} UTC"
    return "it is renewed with each run" if per == "run" else "it is never renewed"
