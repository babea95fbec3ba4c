"""JSON texts of rows give what they give item by item, whatever the rows have in common."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.jsontext import MAX_DEPTH
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.types.jsonable import from_plain
from rtfs_framework.stdlib.json import parse_json
from rtfs_framework.testing.effort import effort

LEAVES = st.sampled_from([None, True, 1, -2.5, "", "[", "{]}", 'a "quoted" one', "\\"])
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab["), inner, max_size=2)
)
ROW = st.dictionaries(st.sampled_from("abcde"), VALUES, max_size=4)
ROWS = st.lists(ROW, min_size=1, max_size=6)


def alike(found, wanted):
    """Tell whether two values are equal down to the classes of their parts."""
    assert found.__class__ is wanted.__class__
    if found.__class__ is Map:
        assert list(found._items) == list(wanted._items)
        return all(alike(item, wanted._items[name]) for name, item in found._items.items())
    if found.__class__ is tuple:
        return len(found) == len(wanted) and all(map(alike, found, wanted))
    return found == wanted


@settings(max_examples=effort(200), deadline=None)
@given(ROWS, ROWS, st.booleans())
def test_rows_are_what_they_are_one_by_one(rows, others, spaced):
    data = [*rows * 20, *others]
    text = json.dumps(data, separators=None if spaced else (",", ":"))
    assert alike(parse_json(text), from_plain(data))


@pytest.mark.parametrize(
    "last", ['{"a":[1],"a":[[2],3]}', '{"b":[{"c":[4]}]}', '[["x",[5]]]', '{"a":["x",{"y":[6]}]}', "7"]
)
def test_what_only_the_last_row_holds_is_turned_too(last):
    text = "[" + '{"a":["x"]},' * 30 + last + "]"
    assert alike(parse_json(text), from_plain(json.loads(text)))


@pytest.mark.parametrize("kind", ['{{"a":{}}}', "[{}]"])
def test_rows_may_nest_as_deeply_as_other_texts(kind):
    def rows(levels):
        row = "1"
        for _ in range(levels - 1):
            row = kind.format(row)
        return f"[{','.join([row] * 20)}]"

    deepest = parse_json(rows(MAX_DEPTH))
    assert alike(deepest, from_plain(json.loads(rows(MAX_DEPTH))))
    with pytest.raises(ProgramError, match="nested deeper"):
        parse_json(rows(MAX_DEPTH + 1))
