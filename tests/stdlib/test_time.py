"""Timestamps: reading, arithmetic, formats, laws and refusals."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.values import Keyword, Timestamp
from rtfs_framework.stdlib.library import BUILTINS

MOMENTS = st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1))  # noqa: DTZ001 - always UTC
START = Timestamp("2026-01-31T00:00:00Z")


def call(name, *args):
    return BUILTINS[name].function(*args)


def refusal(name, *args):
    with pytest.raises(ProgramError) as caught:
        call(name, *args)
    return f"{caught.value.kind}: {caught.value.message}"


def unit(name):
    return Keyword(name)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2026-03-01", "2026-03-01T00:00:00Z"),
        (" 2026-03-01T12:30Z ", "2026-03-01T12:30:00Z"),
        ("2026-03-01 12:30:05", "2026-03-01T12:30:05Z"),
        ("2026-03-01T12:30:05.250Z", "2026-03-01T12:30:05.25Z"),
        ("2026-03-01T12:30:05_123456789Z", "2026-03-01T12:30:05.123456Z"),
        ("2026-03-01T00:30:00+01:00", "2026-02-28T23:30:00Z"),
        ("2026-03-01T00:30:00-0130", "2026-03-01T02:00:00Z"),
        ("2026-03-01T23:59:00+23:59", "2026-03-01T00:00:00Z"),
        ("0001-01-01", "0001-01-01T00:00:00Z"),
    ],
)
def test_dates_are_read(text, read):
    assert call("parse-timestamp", text) == Timestamp(read)
    assert call("parse-timestamp", Timestamp(text)) == Timestamp(read)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tomorrow",
        "2026-02-30",
        "2026-13-01",
        "2026-01-01T25:00:00Z",
        "26-01-01",
        "٢٠٢٦-01-01",
        "0001-01-01T00:00+09:00",
        "2026-01-01T00:00:00+99:59",
        "2026-01-01T00:00:00+12:75",
        "2026-01-01T00:00:00-24:00",
        "2026-01-01T00:00:00+0060",
    ],
)
def test_what_is_no_date_is_nil(text):
    assert call("parse-timestamp", text) is None


@pytest.mark.parametrize(
    ("amount", "name", "result"),
    [
        (1, "month", "2026-02-28T00:00:00Z"),
        (-2, "months", "2025-11-30T00:00:00Z"),
        (1, "year", "2027-01-31T00:00:00Z"),
        (1, "day", "2026-02-01T00:00:00Z"),
        (1.5, "hours", "2026-01-31T01:30:00Z"),
        (-1, "week", "2026-01-24T00:00:00Z"),
        (250, "milliseconds", "2026-01-31T00:00:00.25Z"),
        (90, "seconds", "2026-01-31T00:01:30Z"),
        (2, "minutes", "2026-01-31T00:02:00Z"),
    ],
)
def test_time_moves_by_units(amount, name, result):
    assert call("timestamp-add", START, amount, unit(name)) == Timestamp(result)


@given(MOMENTS, st.integers(-(10**9), 10**9), st.sampled_from(["milliseconds", "seconds", "minutes"]))
def test_what_is_added_is_the_difference(moment, amount, name):
    start = call("parse-timestamp", moment.isoformat())
    end = call("timestamp-add", start, amount, unit(name))
    assert call("timestamp-diff", start, end, unit(name)) == amount
    assert call("timestamp-diff", end, start, unit(name)) == -amount


@given(MOMENTS)
def test_the_same_moment_in_every_form(moment):
    exact = moment.replace(microsecond=moment.microsecond // 1000 * 1000, tzinfo=timezone.utc)
    stamp = call("parse-timestamp", exact.isoformat())
    since = (exact - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(milliseconds=1)
    assert call("timestamp-to-ms", stamp) == since
    assert call("timestamp-from-ms", since) == stamp
    assert call("timestamp-format", stamp, "yyyy-MM-dd'T'HH:mm:ss.SSS") == exact.isoformat(timespec="milliseconds")[:-6]
    parts = call("timestamp-parts", stamp)
    assert parts.get(unit("year")) == exact.year
    assert parts.get(unit("weekday")).name == exact.strftime("%A").lower()


def test_formats():
    stamp = Timestamp("2026-03-01T13:05:09.042Z")
    for pattern, text in [
        ("EEEE, d MMMM yy", "Sunday, 1 March 26"),
        ("EEE d.M. h:mm a", "Sun 1.3. 1:05 PM"),
        ("hh 'o''clock' ''S", None),
        ("H:m:s.SSS", "13:5:9.042"),
        ("'' '' ", "' ' "),
        ("'yyyy' yyyy", "yyyy 2026"),
    ]:
        if text is None:
            assert "S is no field" in refusal("timestamp-format", stamp, pattern)
        else:
            assert call("timestamp-format", stamp, pattern) == text
    assert call("timestamp-format", Timestamp("2026-03-01T00:05:00Z"), "h a") == "12 AM"
    assert call("timestamp-diff", START, Timestamp("2026-01-31T12:00:00Z"), unit("days")) == 0.5
    assert call("timestamp-diff", START, "2026-02-01") == 86_400_000


UNITS = "expected a unit: :milliseconds :seconds :minutes :hours :days :weeks"
RANGE = "the result is not between the years 1 and 9999"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("parse-timestamp", 5), "TypeError: string, got integer"),
        (("timestamp-add", 5, 1, unit("days")), "TypeError: timestamp, got integer"),
        (("timestamp-add", START, "1", unit("days")), "TypeError: number, got string"),
        (("timestamp-add", START, 1.5, unit("months")), "TypeError: integer, got float"),
        (("timestamp-add", START, 1, "days"), "TypeError: keyword, got string"),
        (("timestamp-add", START, 1, unit("eons")), f"InvalidArgument: {UNITS} :months :years"),
        (("timestamp-add", START, 10**9, unit("days")), f"InvalidArgument: {RANGE}"),
        (("timestamp-add", START, 10**400, unit("days")), f"InvalidArgument: {RANGE}"),
        (("timestamp-add", START, 10**400, unit("years")), f"InvalidArgument: {RANGE}"),
        (("timestamp-add", START, float("nan"), unit("days")), f"InvalidArgument: {RANGE}"),
        (("timestamp-add", START, float("inf"), unit("days")), f"InvalidArgument: {RANGE}"),
        (("timestamp-diff", START, None), "TypeError: timestamp, got nil"),
        (("timestamp-diff", START, "soon"), "InvalidArgument: no such date or time"),
        (("timestamp-diff", START, START, unit("months")), f"InvalidArgument: {UNITS}"),
        (("timestamp-diff", Timestamp("2026-99-99T99:99:99Z"), START), "InvalidArgument: no such date or time"),
        (("timestamp-format", START, 5), "TypeError: string, got integer"),
        (("timestamp-format", START, "Q"), "InvalidArgument: Q is no field; put text between single quotes"),
        (("timestamp-format", START, "'open"), "InvalidArgument: a quote is not closed"),
        (("timestamp-parts", 5), "TypeError: timestamp, got integer"),
        (("timestamp-to-ms", None), "TypeError: timestamp, got nil"),
        (("timestamp-from-ms", 1.5), "TypeError: integer, got float"),
        (("timestamp-from-ms", 10**30), f"InvalidArgument: {RANGE}"),
    ],
)
def test_refusals(args, message):
    kind, _, words = message.partition(": ")
    shapes = {"TypeError": f"Type error in {args[0]}: expected ", "InvalidArgument": f"Invalid argument: {args[0]}: "}
    assert refusal(*args) == (f"{kind}: {shapes[kind]}{words}" if kind in shapes else message)
