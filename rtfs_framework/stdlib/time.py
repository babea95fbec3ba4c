"""Timestamps as data: read, moved, compared and printed. Nothing here reads a clock; all times are UTC.

A timestamp's text is kept as written; what these functions make has no more digits than it needs.
"""

from __future__ import annotations

import re

from rtfs_framework.lang.annotations import TYPE_CHECKING, Any
from rtfs_framework.lang.errors import ProgramError, invalid_argument, type_error
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.meter import walk_text
from rtfs_framework.lang.values import Keyword, Timestamp
from rtfs_framework.stdlib import shorthand as ty
from rtfs_framework.stdlib.check import integer, number, string
from rtfs_framework.stdlib.table import builtin

if TYPE_CHECKING:
    from datetime import datetime, timedelta, timezone
else:  # the same classes, without the twins that are written in Python
    from _datetime import datetime, timedelta, timezone

_SHAPE = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)"
    r"(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[._](\d{1,9}))?)?\s*(?:([Zz])|([+-])([01]\d|2[0-3]):?([0-5]\d))?)?",
    re.ASCII,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)
_MICROSECONDS = {
    "millisecond": 1000,
    "second": 1_000_000,
    "minute": 60_000_000,
    "hour": 3_600_000_000,
    "day": 86_400_000_000,
    "week": 604_800_000_000,
}
_MONTHS = {"month": 1, "year": 12}
_UNITS = "expected a unit: :milliseconds :seconds :minutes :hours :days :weeks"
_MONTH_NAMES = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MILLISECONDS = Keyword("milliseconds")


def _moment(op: str, value: Any) -> datetime:
    """Return the moment of a timestamp (or of text that is one)."""
    if value.__class__ is not Timestamp and value.__class__ is not str:
        raise type_error(op, "timestamp", value)
    found = _read(value.text if isinstance(value, Timestamp) else value)
    if found is None:
        raise invalid_argument(f"{op}: no such date or time")
    return found


def _read(text: str) -> datetime | None:
    found = _SHAPE.fullmatch(walk_text(text).strip())
    if found is None:
        return None
    year, month, day, hour, minute, second = [int(part or 0) for part in found.groups()[:6]]
    micro = int((found[7] or "").ljust(6, "0")[:6])
    try:
        moment = datetime(year, month, day, hour, minute, second, micro, tzinfo=timezone.utc)
        if found[9]:
            offset = timedelta(hours=int(found[10]), minutes=int(found[11]))
            moment = moment - offset if found[9] == "+" else moment + offset
    except (ValueError, OverflowError):
        return None
    return moment


def _stamp(moment: datetime) -> Timestamp:
    text = f"{moment.year:04}-{moment.month:02}-{moment.day:02}T{moment:%H:%M:%S}"
    fraction = f"{moment.microsecond:06}".rstrip("0")
    return Timestamp(f"{text}.{fraction}Z" if fraction else f"{text}Z")


def _too_far(op: str) -> ProgramError:
    return invalid_argument(f"{op}: the result is not between the years 1 and 9999")


def _unit(op: str, unit: Any) -> str:
    if unit.__class__ is not Keyword:
        raise type_error(op, "keyword", unit)
    return str(unit.name).removesuffix("s")


@builtin(
    "parse-timestamp",
    ('(parse-timestamp "2026-03-01T12:00:00+02:00")', '#timestamp("2026-03-01T10:00:00Z")'),
    ('(parse-timestamp "2026-03-01")', '#timestamp("2026-03-01T00:00:00Z")'),
    ('(parse-timestamp "2026-02-30")', "nil"),
    doc="Read an ISO 8601 date or date and time as a timestamp, or give nil. Without an offset it is UTC.",
)
def parse_timestamp(text: ty.time) -> Timestamp | None:
    found = _read(text.text if text.__class__ is Timestamp else string("parse-timestamp", text))
    return None if found is None else _stamp(found)


@builtin(
    "timestamp-add",
    ("(timestamp-add 2026-01-31T00:00:00Z 1 :month)", '#timestamp("2026-02-28T00:00:00Z")'),
    ("(timestamp-add 2026-01-01T00:00:00Z -90 :seconds)", '#timestamp("2025-12-31T23:58:30Z")'),
    doc="Move a timestamp by so many :milliseconds :seconds :minutes :hours :days :weeks :months or :years.",
)
def timestamp_add(timestamp: ty.time, amount: ty.number, unit: ty.keyword) -> Timestamp:
    op = "timestamp-add"
    moment, kind = _moment(op, timestamp), _unit(op, unit)
    if kind in _MONTHS:
        return _stamp(_add_months(moment, integer(op, amount) * _MONTHS[kind]))
    if kind not in _MICROSECONDS:
        raise invalid_argument(f"{op}: {_UNITS} :months :years")
    try:
        steps = round(number(op, amount) * _MICROSECONDS[kind])
        return _stamp(moment + timedelta(microseconds=steps))
    except (OverflowError, ValueError):
        raise _too_far(op) from None


def _add_months(moment: datetime, months: int) -> datetime:
    """Return the same day so many months on; a day that the month has not becomes its last."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    if not 1 <= year <= 9999:
        raise _too_far("timestamp-add")
    from calendar import monthrange  # it imports `locale`, which few programs need

    day = min(moment.day, monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)


@builtin(
    "timestamp-diff",
    ("(timestamp-diff 2026-01-01T00:00:00Z 2026-01-02T12:00:00Z :hours)", "36"),
    ("(timestamp-diff 2026-01-01T00:00:00Z 2026-01-01T12:00:00Z :days)", "0.5"),
    doc="Give the time from a start to an end in a unit (:milliseconds); an integer when it is whole.",
)
def timestamp_diff(start: ty.time, end: ty.time, unit: ty.keyword = _MILLISECONDS) -> ty.number:
    op = "timestamp-diff"
    steps = (_moment(op, end) - _moment(op, start)) // _MICROSECOND
    size = _MICROSECONDS.get(_unit(op, unit))
    if size is None:
        raise invalid_argument(f"{op}: {_UNITS}")
    return steps // size if steps % size == 0 else steps / size


@builtin(
    "timestamp-format",
    ('(timestamp-format 2026-03-01T09:05:00Z "yyyy-MM-dd HH:mm")', '"2026-03-01 09:05"'),
    ("(timestamp-format 2026-03-01T09:05:00Z \"EEEE d MMM, h 'o''clock' a\")", '"Sunday 1 Mar, 9 o\'clock AM"'),
    ('(timestamp-format 2026-03-01T09:05:00Z "Q")', "!InvalidArgument"),
    doc="Print a timestamp: yyyy yy MMMM MMM MM M dd d EEEE EEE HH H hh h mm m ss s SSS a; other letters go in quotes.",
)
def timestamp_format(timestamp: ty.time, pattern: ty.string) -> str:
    fields = _fields(_moment("timestamp-format", timestamp))

    def put(found: re.Match[str]) -> str:
        word = found.group()
        if word == "'":
            raise invalid_argument("timestamp-format: a quote is not closed")
        if word[0] == "'":
            return "'" if word == "''" else word[1:-1].replace("''", "'")
        if word not in fields:
            raise invalid_argument(f"timestamp-format: {word} is no field; put text between single quotes")
        return fields[word]

    return re.sub(r"'(?:[^']|'')*'|'|([A-Za-z])\1*", put, string("timestamp-format", pattern))


def _fields(moment: datetime) -> dict[str, str]:
    month, day = _MONTH_NAMES[moment.month - 1], _DAY_NAMES[moment.weekday()]
    hour = (moment.hour - 1) % 12 + 1
    fields = {"yyyy": f"{moment.year:04}", "yy": f"{moment.year % 100:02}", "a": "AM" if moment.hour < 12 else "PM"}
    fields |= {"MMMM": month, "MMM": month[:3], "EEEE": day, "EEE": day[:3], "SSS": f"{moment.microsecond // 1000:03}"}
    numbers = {"M": moment.month, "d": moment.day, "H": moment.hour, "h": hour, "m": moment.minute, "s": moment.second}
    for letter, value in numbers.items():
        fields |= {letter: str(value), letter * 2: f"{value:02}"}
    return fields


@builtin(
    "timestamp-parts",
    ("(:weekday (timestamp-parts 2026-03-01T09:05:00Z))", ":sunday"),
    doc="Give a map of :year :month :day :hour :minute :second :millisecond and :weekday.",
    types=("[:fn [time] [:map-of :keyword [:union :int :keyword]]]",),
)
def timestamp_parts(timestamp: Any) -> Map:
    moment = _moment("timestamp-parts", timestamp)
    names = ("year", "month", "day", "hour", "minute", "second")
    parts: dict[Any, Any] = {Keyword(name): getattr(moment, name) for name in names}
    parts[Keyword("millisecond")] = moment.microsecond // 1000
    parts[Keyword("weekday")] = Keyword(_DAY_NAMES[moment.weekday()].lower())
    return Map.wrap(parts)


@builtin("timestamp-to-ms", ("(timestamp-to-ms 1970-01-02T00:00:00Z)", "86400000"), doc="Give milliseconds since 1970.")
def timestamp_to_ms(timestamp: ty.time) -> int:
    return (_moment("timestamp-to-ms", timestamp) - _EPOCH) // timedelta(milliseconds=1)


@builtin(
    "timestamp-from-ms",
    ("(timestamp-from-ms 86400000)", '#timestamp("1970-01-02T00:00:00Z")'),
    doc="Give the timestamp of so many milliseconds since 1970.",
)
def timestamp_from_ms(milliseconds: ty.int) -> Timestamp:
    try:
        return _stamp(_EPOCH + timedelta(milliseconds=integer("timestamp-from-ms", milliseconds)))
    except OverflowError:
        raise _too_far("timestamp-from-ms") from None
