"""TOML with places: where keys and values stand, and what `structure` says of every kind of mistake."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, Literal

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtfs_framework.api import ConfigError, Places, load_toml, read_toml, structure

TEXT = """\
top = 1
a.b.c = "ü"
"q k" = [1, {z = 2}, [ 3 ]]  # comment
[t.u]
x = 1
[[arr]]
n = 1
[[arr]]
n = 2
[arr.sub]
k = '''é
two'''
[[arr.deep]]
m = 1
[[arr.deep]]
m = { n = 7 }
"""


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@attrs.frozen
class Member:
    name: str
    weight: float = attrs.field(default=1.0, validator=attrs.validators.ge(0))


@attrs.frozen
class Settings:
    count: int
    words: tuple[str, ...] = ()
    flag: bool = False
    colour: Colour = Colour.RED
    mode: Literal["fast", "slow"] = "fast"
    member: Member | None = None
    members: Mapping[str, Member] = attrs.field(factory=dict)
    either: str | tuple[str, ...] | Member = ""
    kind: str = attrs.field(default="one", validator=attrs.validators.in_(["one", "two"]))
    _private: int = 0
    free: Any = None


def excerpt(text: str, found: Places, path: tuple[Any, ...], *, key: bool = False) -> str:
    span = found.key(path) if key else found.of(path)
    return text[span.start : span.end]


@pytest.mark.parametrize(
    ("path", "key", "value"),
    [
        (("top",), "top", "1"),
        (("a", "b", "c"), "c", '"ü"'),
        (("a", "b"), "b", "b"),
        (("q k",), '"q k"', "[1, {z = 2}, [ 3 ]]"),
        (("q k", 0), "1", "1"),
        (("q k", 1, "z"), "z", "2"),
        (("q k", 2, 0), "3", "3"),
        (("t", "u"), "u", "t.u"),
        (("t", "u", "x"), "x", "1"),
        (("arr", 0, "n"), "n", "1"),
        (("arr", 1, "n"), "n", "2"),
        (("arr", 1), "arr", "arr"),
        (("arr", 1, "sub", "k"), "k", "'''é\ntwo'''"),
        (("arr", 1, "deep", 1, "m", "n"), "n", "7"),
        (("t", "u", "missing"), "t.u", "t.u"),
    ],
)
def test_finds_keys_and_values(path, key, value):
    _, found = load_toml(TEXT, "x.toml")
    assert excerpt(TEXT, found, path, key=True) == key
    assert excerpt(TEXT, found, path) == value


def walk(data: Any, path: tuple[Any, ...] = ()):
    yield path, data
    if isinstance(data, dict):
        for key, value in data.items():
            yield from walk(value, (*path, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from walk(value, (*path, index))


def test_every_leaf_of_the_data_has_a_place_that_reads_as_the_leaf():
    data, found = load_toml(TEXT, "x.toml")
    leaves = [(path, value) for path, value in walk(data) if not isinstance(value, (dict, list))]
    assert len(leaves) == 11
    for path, value in leaves:
        assert load_toml(f"v = {excerpt(TEXT, found, path)}", "leaf")[0] == {"v": value}


@given(st.dictionaries(st.text(max_size=5), st.integers(0, 9) | st.booleans(), max_size=5))
def test_any_quoted_key_is_found(table):
    def quoted(key: str) -> str:
        return '"' + "".join(f"\\U{ord(char):08X}" for char in key) + '"'

    clean = {key.encode("utf-8", "ignore").decode(): value for key, value in table.items()}
    text = "".join(f"{quoted(key)} = {str(value).lower()}\n" for key, value in clean.items())
    _, found = load_toml(text, "x.toml")
    for key, value in clean.items():
        assert excerpt(text, found, (key,)) == str(value).lower()


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("a = 1\nb = = 2\n", 2, 5),
        ("a = 1\na = 2\n", 2, 6),
        ('a = "open', 1, 10),
        ("a = " + "9" * 5000, 1, 1),
        ("é = 1", 1, 1),
        ("a = 1\r\nb = [1, 2", 2, 10),
    ],
)
def test_text_that_is_no_toml_has_a_place(text, line, column):
    with pytest.raises(ConfigError) as raised:
        load_toml(text, "x.toml")
    (found,) = raised.value.diagnostics
    assert (found.code, found.place.line, found.place.column) == ("E0701", line, column)
    assert found.place.source == "x.toml"


def test_deep_nesting_is_a_mistake_and_not_a_crash():
    with pytest.raises(ConfigError) as raised:
        load_toml("a = " + "[" * 100_000, "x.toml")
    assert raised.value.diagnostics[0].code == "E0701"


def test_a_missing_file_and_one_that_is_no_utf8(tmp_path):
    with pytest.raises(ConfigError) as raised:
        read_toml(tmp_path / "no.toml")
    assert raised.value.diagnostics[0].code == "E0700"
    assert "no.toml" in str(raised.value)
    bad = tmp_path / "bad.toml"
    bad.write_bytes(b'a = 1\nb = "\xff"\n')
    with pytest.raises(ConfigError) as raised:
        read_toml(bad)
    place = raised.value.diagnostics[0].place
    assert (place.line, place.column) == (2, 6)
    good = tmp_path / "good.toml"
    good.write_bytes(b"\xef\xbb\xbfa = 1\n")
    assert read_toml(good)[0] == {"a": 1}


def build(text: str) -> Settings:
    data, found = load_toml(text, "x.toml")
    return structure(Settings, data, found)


def test_structure_makes_the_instance():
    made = build(
        'count = 1\nwords = ["a"]\nflag = true\ncolour = "blue"\nmode = "slow"\nprivate = 3\nfree = [1, {a = 2}]\n'
        'either = ["x"]\n[member]\nname = "n"\nweight = 2\n[members.one]\nname = "o"\n'
    )
    assert made == Settings(
        count=1,
        words=("a",),
        flag=True,
        colour=Colour.BLUE,
        mode="slow",
        member=Member("n", 2.0),
        members={"one": Member("o")},
        either=("x",),
        private=3,
        free=[1, {"a": 2}],
    )
    assert type(made.member.weight) is float
    assert build('count = 1\neither = {name = "n"}').either == Member("n")


@pytest.mark.parametrize(
    ("text", "code", "where", "says"),
    [
        ("count = 1\nwrods = []", "E0702", (2, 1), "did you mean 'words'?"),
        ("count = 1\nzzz = 1", "E0702", (2, 1), "known keys: count, words"),
        ("words = []", "E0704", (1, 1), "'count' is missing"),
        ('count = "1"', "E0703", (1, 9), "'count' must be a whole number, not a text"),
        ("count = true", "E0703", (1, 9), "not true or false"),
        ("count = 1.0", "E0703", (1, 9), "not a number"),
        ('count = 1\nwords = "abc"', "E0703", (2, 9), "must be a list, not a text"),
        ('count = 1\nwords = ["a", 5]', "E0703", (2, 15), "must be a text, not a whole number"),
        ("count = 1\nflag = 1", "E0703", (2, 8), "must be true or false"),
        ('count = 1\ncolour = "bleu"', "E0705", (2, 10), "did you mean 'blue'?"),
        ('count = 1\nmode = "fsat"', "E0705", (2, 8), "did you mean 'fast'?"),
        ("count = 1\nmember = 3", "E0703", (2, 10), "must be a table"),
        ('count = 1\n[member]\nname = "n"\nwieght = 2', "E0702", (4, 1), "did you mean 'weight'?"),
        ("count = 1\n[members.one]\nweight = 1", "E0704", (2, 10), "'name' is missing"),
        ('count = 1\n[members.one]\nname = "o"\nweight = -1', "E0705", (4, 10), "'weight' must be >= 0"),
        ("count = 1\neither = 5", "E0703", (2, 10), "a text or a list or a table, not a whole number"),
        ('count = 1\neither = {name = "n", x = 1}', "E0702", (2, 23), "unknown key 'x'"),
        ('count = 1\nkind = "tow"', "E0705", (2, 8), "did you mean 'two'?"),
        ("count = 1\nfree = 2020-01-01\nmember = 2020-01-01", "E0703", (3, 10), "not a date"),
    ],
)
def test_structure_tells_each_mistake_with_its_place(text, code, where, says):
    with pytest.raises(ConfigError) as raised:
        build(text)
    (found,) = raised.value.diagnostics
    assert (found.code, (found.place.line, found.place.column)) == (code, where)
    assert says in found.render()


def test_structure_tells_all_mistakes_at_once():
    with pytest.raises(ConfigError) as raised:
        build('count = "x"\nbad = 1\nwords = [1, "ok", 2]\n[members.one]\nweight = "heavy"\n')
    assert sorted(each.code for each in raised.value.diagnostics) == ["E0702", *["E0703"] * 4, "E0704"]


def test_structure_of_a_table_inside_a_file_keeps_its_places():
    data, found = load_toml('[plugin."my-one"]\nname = "x"\nweigth = 2\n', "x.toml")
    path = ("plugin", "my-one")
    with pytest.raises(ConfigError) as raised:
        structure(Member, data["plugin"]["my-one"], found, path)
    (diagnostic,) = raised.value.diagnostics
    assert (diagnostic.place.line, diagnostic.place.column) == (3, 1)
