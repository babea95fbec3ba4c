"""Sources: what they give, that any position goes on where it was, and what is no source."""

from __future__ import annotations

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtfs_capability_streams.sources import effects_of, is_open, items, several, source_of
from rtfs_framework.api import CapabilityError, parse_type, read_value, write

ANY = parse_type(":any")


def nothing(path):
    raise AssertionError(path)


def read(text, endpoints=None):
    return source_of(read_value(text), endpoints or {})


def given_by(source, position=None, most=10**6):
    return several(items(source, position, ANY, nothing), most)[0]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("{:range [2 5]}", [2, 3, 4]),
        ("{:range [5 2]}", []),
        ('{:values [1 "a" :b]}', '[1 "a" :b]'),
        ("{:merge [{:range [0 2]} {:range [10 14]}]}", [0, 10, 1, 11, 12, 13]),
        ("{:split {:range [0 7]} :into 3 :part 1}", [1, 4]),
        ("{:merge [{:split {:range [0 4]} :into 2 :part 1} {:values []}]}", [1, 3]),
    ],
)
def test_what_they_give(text, wanted):
    expected = read_value(wanted) if isinstance(wanted, str) else tuple(wanted)
    assert tuple(item for item, _ in given_by(read(text))) == expected


SOURCES = st.recursive(
    st.tuples(st.integers(-5, 5), st.integers(0, 9)).map(lambda r: ["range", r[0], r[0] + r[1]]),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda many: ["merge", many]),
        st.tuples(inner, st.integers(1, 3), st.integers(0, 2)).map(lambda s: ["split", s[0], s[1], s[2] % s[1]]),
    ),
    max_leaves=5,
)


@given(SOURCES, st.data())
def test_from_any_position_they_go_on_where_they_were(source, data):
    whole = given_by(source)
    at = data.draw(st.integers(0, len(whole)))
    position = json.loads(json.dumps(whole[at - 1][1])) if at else None
    assert given_by(source, position) == whole[at:]


@pytest.mark.parametrize(
    "text",
    [
        "5", "{}", "{:range [1]}", "{:range [1 2.5]}", "{:range [true 2]}", "{:values 1}", "{:lines 1}", "{:merge []}",
        '{:merge [{:queue "q"}]}', '{:merge ["q"]}', "{:split {:range [0 1]} :into 2 :part 2}", "{:queue 1}",
        "{:split {:split {:range [0 1]} :into 100 :part 0} :into 100 :part 0}",
        "{:split {:range [0 1]} :into 5000 :part 1}", "{:range [0 9223372036854775809]}",
        "{:split {:range [0 1]} :into 0 :part 0}", '{:split "q" :into 2 :part 0}', "{:merge 3}", '{:jsonl [""]}',
    ],
)  # fmt: skip
def test_what_is_no_source(text):
    with pytest.raises(CapabilityError) as found:
        read(text)
    assert found.value.kind == "InvalidArgument"


def test_a_source_has_a_bounded_number_of_parts():
    inner = "{:range [0 1]}"
    for _ in range(2):
        inner = f"{{:merge [{' '.join([inner] * 17)}]}}"
    with pytest.raises(CapabilityError, match="256 sources"):
        read(inner)


@pytest.mark.parametrize("around", ["{{:merge [{}]}}", "{{:split {} :into 1 :part 0}}"])
def test_sources_are_nested_to_a_bounded_depth(around):
    said = {"m": read_value("{:range [0 1]}")}
    for depth in range(40):
        said["m"] = read_value(around.format(write(said["m"])))
        if depth < 32:
            assert given_by(source_of(said["m"], {}))[0][0] == 0
    with pytest.raises(CapabilityError, match="32 deep"):
        source_of(said["m"], {})


@pytest.mark.parametrize("around", ["{}", "{{:merge [{} {{:values []}}]}}", "{{:split {} :into 1 :part 0}}"])
def test_one_look_passes_over_a_bounded_number_of_items_and_the_next_goes_on_there(monkeypatch, around):
    monkeypatch.setattr("rtfs_capability_streams.sources.MOST_PASSED", 1000)
    source = read(around.format("{:split {:range [0 1000000000]} :into 4000 :part 3999}"))
    position, looks, found = None, 0, []
    while not found:
        found, cut, reached = several(items(source, position, ANY, nothing), 9)
        position, looks = json.loads(json.dumps(reached)), looks + 1
        assert found or cut
    assert (looks, found[0][0]) == (4, 3999)


def test_lines_without_a_value_are_passed_over_by_their_size(tmp_path, monkeypatch):
    monkeypatch.setattr("rtfs_capability_streams.sources.MOST_AT_ONCE", 100)
    (tmp_path / "f").write_text((" " * 29 + "\n") * 20 + "5\n")
    source, position, looks = read('{:jsonl "f"}'), None, 0
    while not (step := several(items(source, position, ANY, lambda _: os.open(tmp_path / "f", os.O_RDONLY)), 9))[0]:
        position, looks = step[2], looks + 1
        assert position[0] == looks * 120
    ((item, place),) = step[0]
    assert (looks, item, place[0]) == (5, 5, 602)


def test_what_they_touch_and_whether_more_may_come():
    merged = read('{:merge [{:lines "a"} {:jsonl "b" :follow true} {:range [0 1]}]}')
    assert (effects_of(merged), is_open(merged)) == (("file",), True)
    assert (effects_of(read("{:range [0 1]}")), is_open(read('{:lines "a"}'))) == ((), False)
    assert effects_of(read('"feed"')) == ("ipc",)
