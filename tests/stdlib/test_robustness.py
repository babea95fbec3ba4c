"""Nothing but a language error leaves a builtin, whatever it is given."""

from __future__ import annotations

import math
from importlib import import_module

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from rtfs_framework.lang.errors import LimitError, ProgramError
from rtfs_framework.lang.maps import EMPTY_MAP, Map, Set
from rtfs_framework.lang.meter import ITEMS
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.values import ErrorValue, Keyword, Resource, Symbol, Timestamp, Uuid, type_name
from rtfs_framework.lang.vectors import GrownVector, List
from rtfs_framework.stdlib.table import BUILTINS
from rtfs_framework.testing.effort import effort

pytest.importorskip("re2")

FAMILIES = [
    "arithmetic",
    "mathematics",
    "conversions",
    "bits",
    "comparison",
    "predicates",
    "strings",
    "strings_more",
    "formatting",
    "regex",
    "slices",
    "sequences",
    "sequences_more",
    "reordering",
    "sets",
]
for family in FAMILIES:
    import_module(f"rtfs_framework.stdlib.{family}")
RECORDS = [record for record in dict.fromkeys(BUILTINS.values()) if record.family in FAMILIES]


def nested(levels):
    value = (1,)
    for _ in range(levels):
        value = (value,)
    return value


HOSTILE = [
    None,
    True,
    False,
    0,
    1,
    -1,
    2,
    7,
    -(10**30),
    10**5000,
    1 << 999_999,
    0.0,
    -0.0,
    2.5,
    1e308,
    5e-324,
    math.inf,
    -math.inf,
    math.nan,
    "",
    "a",
    "ab,c",
    "9" * 5000,
    "\ud800",
    "(",
    "%99d",
    "%s %f",
    "é☃😀",
    "[a-z]+",
    "a" * 100_000,
    Keyword("a"),
    Symbol("/"),
    (),
    (1, 2),
    ((1, 2), (3, 4)),
    (None, "a", 1.5, Keyword("k")),
    List(),
    List((1, "x")),
    GrownVector([3, 1, 2], 2),
    nested(5_000),
    EMPTY_MAP,
    Map.of([(Keyword("a"), 1), ((1,), None), (nested(3_000), nested(3_000))]),
    Set(EMPTY_MAP),
    Set.of([1, 1.0, "1", nested(3_000)]),
    ErrorValue("Generic", "m"),
    Timestamp("2026-01-01T00:00:00Z"),
    Uuid("0"),
    Resource("resource://a"),
    BUILTINS["+"].function,
    BUILTINS["not"].function,
    lambda a, b: None,
]
KINDS = {
    "nil",
    "boolean",
    "integer",
    "float",
    "string",
    "keyword",
    "symbol",
    "vector",
    "list",
    "map",
    "set",
    "function",
    "error",
    "timestamp",
    "uuid",
    "resource-handle",
}
ERRORS = {"TypeError", "ArityMismatch", "InvalidArgument", "IndexOutOfBounds", "DivisionByZero", "Generic"}


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.name)
@settings(max_examples=effort(150), phases=[Phase.generate])  # the values are huge, and shrink no further
@given(data=st.data())
def test_only_language_errors_leave(record, data):
    most = record.low + 2 if record.high is None else record.high
    # Places rather than values: hypothesis would print what it draws, and some of these values cannot be.
    places = data.draw(st.lists(st.integers(0, len(HOSTILE) - 1), min_size=record.low, max_size=most))
    args = [HOSTILE[place] for place in places]
    try:
        result = record.function(*args)
        assert write(result, ITEMS) is not None
    except ProgramError as error:
        kind, size = error.kind, len(error.message)
        assert (kind in ERRORS, size < 20_000) == (True, True)
    except LimitError as error:
        assert error.dimension in {"items", "integer-bits"}  # noqa: PT017 - as above
    else:
        assert type_name(result) in KINDS


@pytest.mark.parametrize("record", [r for r in RECORDS if r.low == 1 or r.high is None], ids=lambda r: r.name)
def test_every_hostile_value_alone(record):
    for value in HOSTILE:
        args = (value,) * max(record.low, 1)
        try:
            assert type_name(record.function(*args)) in KINDS
        except (ProgramError, LimitError) as error:
            assert str(error)  # noqa: PT017 - as above
