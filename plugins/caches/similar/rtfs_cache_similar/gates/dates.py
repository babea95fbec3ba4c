"""Points in time: months, days of the week, parts of a day, seasons, relative days. Years are numbers."""

from __future__ import annotations

import re
from collections import Counter

from rtfs_cache_similar.gates.lists import words
from rtfs_cache_similar.gates.seen import Seen, differing, of_text

_MONTHS = {"january": "january jan", "february": "february feb", "march": "mar", "april": "april apr", "june":
           "june jun", "july": "july jul", "august": "aug", "september": "september sep sept", "october": "october oct",
           "november": "november nov", "december": "december dec"}  # fmt: skip
_DAYS = {"monday": "monday mondays", "tuesday": "tuesday tuesdays tue tues", "wednesday": "wednesday wednesdays",
         "thursday": "thursday thursdays thu thurs", "friday": "friday fridays", "saturday": "saturday saturdays",
         "sunday": "sunday sundays"}  # fmt: skip
_OTHERS = {
    "today": "today", "tonight": "tonight", "tomorrow": "tomorrow", "yesterday": "yesterday", "now": "nowadays",
    "weekend": "weekend weekends", "weekday": "weekday weekdays", "morning": "morning mornings", "noon": "noon midday",
    "afternoon": "afternoon afternoons", "evening": "evening evenings", "night": "night nights nighttime overnight",
    "midnight": "midnight", "dawn": "dawn sunrise", "dusk": "dusk sunset", "daytime": "daytime", "summer": "summer "
    "summers", "winter": "winter winters", "spring": "springtime", "autumn": "autumn", "next": "next upcoming coming",
    "previous": "previous last past", "this": "current currently present", "recent": "recent recently latest newest",
    "ago": "ago", "later": "later", "christmas": "christmas xmas", "easter": "easter", "halloween": "halloween",
    "thanksgiving": "thanksgiving", "ramadan": "ramadan", "diwali": "diwali", "am": "a.m", "q": "q1 q2 q3 q4 h1 h2",
    "bc": "bc bce", "ad": "ce", "early": "early earlier", "late": "late", "ancient": "ancient medieval", "future":
    "future",
}  # fmt: skip
_CANONICAL = {
    name: point for table in (_MONTHS, _DAYS, _OTHERS) for point, names in table.items() for name in names.split()
}
_CANONICAL.update({name: name for name in _OTHERS["q"].split()})
_LEFT_OUT = frozenset({"this", "next", "future", "recent", "now", "late", "early", "later", "spring", "sun", "ancient"})
"""Points that may be left out, since a text without them often means the same; one in the place of another counts."""
_CAPITALS = words(
    "May March August Spring Fall Mon Wed Fri Sat Sun EST PST CET UTC GMT BST CST MST IST JST",
)
_CAPITAL = re.compile(rf"\b({'|'.join(sorted(_CAPITALS))})\b")
_CLOCK = re.compile(r"\d\s?([ap])\.?m\b\.?", re.IGNORECASE)
_HALF = re.compile(
    r"\b(day after|day before|week after|week before|half past|quarter past|quarter to|o'clock)\b",
    re.IGNORECASE,
)
_ORDERED = re.compile(r"\b\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}\b")


def gate(first: Seen, second: Seen) -> str | None:
    """Close where the points in time differ; numbers in the form of a date must be the same in the same order."""
    if points(first) == points(second):
        return None
    mine, others = Counter(points(first)), Counter(points(second))
    only, theirs = set(mine - others), set(others - mine)
    if (only | theirs) - _LEFT_OUT or (only and theirs):
        return differing("dates", list(mine.elements()), list(others.elements()))
    return None


@of_text
def points(text: Seen) -> tuple[str, ...]:
    """Return the points in time of a text, each under one name, sorted."""
    found = [_CANONICAL[word] for word in text.words if word in _CANONICAL]
    found += [_CANONICAL.get(hit.group(1).lower(), hit.group(1).lower()) for hit in _capitals(text)]
    if text.may_have(" after", " before", " past", "quarter to", "o'clock"):
        found += [hit.group(1).lower() for hit in _HALF.finditer(text.text)]
    if text.counts:
        found += [f"{hit.group(1).lower()}m" for hit in _CLOCK.finditer(text.text)]
        found += [re.sub(r"[/.]", "-", hit.group(0)) for hit in _ORDERED.finditer(text.text)]
    return tuple(sorted(found))


def _capitals(text: Seen) -> list[re.Match[str]]:
    if "'" not in text.signs and _CAPITALS.isdisjoint(text.cased):
        return []
    return [
        hit for hit in _CAPITAL.finditer(text.text) if hit.start() or hit.group(1) not in ("May", "March", "Spring")
    ]
