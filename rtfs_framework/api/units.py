"""Durations and sizes in settings: a plain number in the unit that the setting documents, or a text with its unit.

A field of type `Seconds`, `Milliseconds`, `Bytes` or `Megabytes` takes both: `timeout = 30000`, `timeout = "30s"`. Out
comes the number in the type's own unit. A text without a unit is refused, and so is what is no finite number. Sizes are
in powers of 1024, whether they are written K, KB or KiB.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, NewType

import attrs

Seconds = NewType("Seconds", float)
Milliseconds = NewType("Milliseconds", float)
Bytes = NewType("Bytes", int)
Megabytes = NewType("Megabytes", float)
"""Millions of bytes."""

_TEXT = re.compile(r"\s*([0-9]{1,18}(?:\.[0-9]{1,18})?)\s*([A-Za-z]+)\s*", re.ASCII)
_SECOND, _MINUTE, _HOUR, _DAY = 1.0, 60.0, 3600.0, 86400.0
_DURATIONS = {
    **dict.fromkeys(("ms", "millisecond", "milliseconds"), 0.001),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), _SECOND),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), _MINUTE),
    **dict.fromkeys(("h", "hour", "hours"), _HOUR),
    **dict.fromkeys(("d", "day", "days"), _DAY),
}
_SIZES = {"B": 1} | {
    f"{letter}{end}": 1 << (10 * power) for power, letter in enumerate("KMG", start=1) for end in ("", "B", "IB")
}
_PLAUSIBLE = "rtfs.plausible"


@attrs.frozen(slots=True)
class Unit:
    """What a type of setting counts: its name, what its texts measure, and how much one of it is."""

    name: str
    texts: Mapping[str, float]
    worth: float
    example: str
    whole: bool = False

    def read(self, text: str) -> float | int | None:
        """Return the number that a text with a unit stands for, None when it is none."""
        found = _TEXT.fullmatch(text)
        if found is None:
            return None
        word = found[2].upper() if self.whole or self.texts is _SIZES else found[2].lower()
        if word not in self.texts:
            return None
        number = float(found[1]) * self.texts[word] / self.worth
        return round(number) if self.whole else number

    def text(self, number: float) -> str:
        """Return a number of this unit as people say it: "20 milliseconds", "2 minutes"."""
        if self.texts is _SIZES:
            return f"{number * self.worth:,.0f} bytes"
        seconds = number * self.worth
        for worth, name in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute"), (_SECOND, "second")):
            if seconds >= worth:
                return _count(seconds / worth, name)
        return _count(seconds * 1000, "millisecond")


UNITS: Mapping[Any, Unit] = {
    Seconds: Unit("seconds", _DURATIONS, 1.0, "30s"),
    Milliseconds: Unit("milliseconds", _DURATIONS, 0.001, "30s"),
    Bytes: Unit("bytes", _SIZES, 1.0, "512 MiB", whole=True),
    Megabytes: Unit("megabytes", _SIZES, 1_000_000.0, "64 MiB"),
}


def duration(text: str) -> float | None:
    """Return the seconds of a text such as "30s", "500ms", "2 min"; None when it is no duration."""
    return UNITS[Seconds].read(text)


def size(text: str) -> int | None:
    """Return the bytes of a text such as "1 GiB", "64M"; None when it is no size."""
    found = UNITS[Bytes].read(text)
    return None if found is None else int(found)


def plausible(least: float, most: float = math.inf) -> dict[str, Any]:
    """Return the metadata of a field whose plain numbers are doubted outside of these bounds; texts never are."""
    return {_PLAUSIBLE: (least, most)}


def doubt(field: attrs.Attribute[Any], unit: Unit, value: Any) -> str | None:
    """Return why a plain number is doubted, None when it is not."""
    bounds = field.metadata.get(_PLAUSIBLE)
    if bounds is None or value.__class__ not in (int, float) or bounds[0] <= value <= bounds[1]:
        return None
    return f"{value:g} stands for {unit.text(value)}, which is {'little' if value < bounds[0] else 'much'}"


def _count(number: float, name: str) -> str:
    return f"{number:.3g} {name}{'' if number == 1 else 's'}" if number < 1000 else f"{number:,.0f} {name}s"
