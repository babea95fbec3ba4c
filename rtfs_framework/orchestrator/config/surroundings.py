"""In which surroundings a host works: for which agent, where, within which constraints, and the classes of hours.

In: what `[security]` says of them. Out: `Surroundings`, which decisions read; mistakes are told with their places.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from datetime import tzinfo

    from rtfs_framework.api.toml_places import KeyPath
    from rtfs_framework.orchestrator.config.tables.file import SecurityTable

    Mistake = Callable[[str, str, KeyPath, str | None], None]

_HOURS = re.compile(r"(\d\d?)-(\d\d?)")
_DAY = 24
_UTC = "UTC"


@attrs.frozen(slots=True)
class HourClass:
    """A class of hours: those from one up to another, over midnight where the second is not greater."""

    name: str
    first: int
    end: int

    def holds(self, hour: int) -> bool:
        """Tell whether an hour of the day belongs to it."""
        if self.first < self.end:
            return self.first <= hour < self.end
        return hour >= self.first or hour < self.end


USUAL_HOURS = (
    HourClass("night", 0, 6),
    HourClass("morning", 6, 12),
    HourClass("afternoon", 12, 18),
    HourClass("evening", 18, 24),
)


@attrs.frozen(slots=True, kw_only=True)
class Surroundings:
    """What decisions may read of where, for whom and when a host works."""

    agent: str = ""
    """Who it works for; "" for nobody in particular."""
    environment: Mapping[str, str] = attrs.field(factory=dict)
    constraints: Mapping[str, str] = attrs.field(factory=dict)
    hours: tuple[HourClass, ...] = USUAL_HOURS
    """The first that holds an hour is its class."""
    time_zone: str = _UTC

    def time_class(self, now: float) -> str:
        """Return the class of a moment (seconds since the epoch), "" for none."""
        from datetime import datetime  # imported when a decision reads it

        hour = datetime.fromtimestamp(now, zone_of(self.time_zone)).hour
        return next((each.name for each in self.hours if each.holds(hour)), "")


NO_SURROUNDINGS = Surroundings()


def zone_of(name: str) -> tzinfo:
    """Return a time zone by its name.

    Raises:
        LookupError: This machine knows none of that name.
    """
    if name == _UTC:
        from datetime import timezone

        return timezone.utc
    from zoneinfo import ZoneInfo  # reads files; most configurations name no zone

    try:
        return ZoneInfo(name)
    except (ValueError, OSError) as error:  # of a path, of a folder
        raise LookupError(name) from error


def read_surroundings(table: SecurityTable, mistake: Mistake) -> Surroundings:
    """Return what `[security]` says of surroundings."""
    try:
        zone_of(table.time_zone)
        zone = table.time_zone
    except LookupError:
        way_out = (
            'write "UTC", or a name such as "Europe/Berlin"; without a system\'s data `pip install tzdata` has them'
        )
        mistake("E0705", f"no time zone is called '{table.time_zone}' here", ("security", "time_zone"), way_out)
        zone = _UTC
    hours = [_hours(name, text, mistake) for name, text in table.hours.items()]
    return Surroundings(
        agent=table.agent,
        environment=dict(table.environment),
        constraints=dict(table.constraints),
        hours=tuple(each for each in hours if each is not None) or USUAL_HOURS,
        time_zone=zone,
    )


def _hours(name: str, text: str, mistake: Mistake) -> HourClass | None:
    found = _HOURS.fullmatch(text)
    first, end = (int(found[1]), int(found[2])) if found is not None else (0, 0)
    if first >= _DAY or end > _DAY or first == end:
        message = f"'{text}' is no class of hours"
        mistake("E0705", message, ("security", "hours", name), 'write the first hour and the one after it: "22-6"')
        return None
    return HourClass(name, first, end)
