"""Digests: equal exactly for equal values, the same on every Python and for ever, linear in what there is in memory."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from struct import pack

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from rtfs_framework.lang import values, vectors
from rtfs_framework.lang.digest import BLOCK, INLINE, VERSION, digest
from rtfs_framework.lang.maps import Map, Set, equal
from rtfs_framework.lang.values import ErrorValue, Keyword, Resource, Symbol, Timestamp, Uuid
from rtfs_framework.lang.vectors import GrownVector, List
from rtfs_framework.testing.effort import effort

ROWS = [row.split(" ", 1) for row in Path(__file__).with_name("digests.txt").read_text("ascii").splitlines()]
NAMES = {**vars(values), **vars(vectors), "Map": Map, "Set": Set, "nan": float("nan"), "inf": float("inf"), "f": abs}
NAN = float("nan")

# Few texts and numbers, so that values that look alike meet often.
TEXTS = st.one_of(
    st.sampled_from(["", "nil", "true", "1", "1.0", ":a", "a 1 :b", "\ud83d\ude00", "\U0001f600"]), st.text()
)
NUMBERS = st.one_of(st.sampled_from([0, 1, -1, 2**64, 2**512, 10**1300]), st.integers())
FLOATS = st.one_of(st.sampled_from([0.0, -0.0, 1.0, float("inf")]), st.floats(allow_nan=False))
NAMED = st.sampled_from([Keyword, Symbol, Timestamp, Uuid, Resource])
ERRORS = st.builds(ErrorValue, st.sampled_from(["a", "b"]), st.sampled_from(["a", "b"]), st.none() | st.integers())
ATOMS = st.one_of(
    st.none(), st.booleans(), NUMBERS, FLOATS, TEXTS, st.builds(lambda kind, text: kind(text), NAMED, TEXTS), ERRORS
)


def _collections(inner):
    rows = st.lists(inner, max_size=4)
    return st.one_of(
        rows.map(tuple),
        rows.map(List),
        rows.map(Set.of),
        rows.map(lambda items: GrownVector([None, *items, None], len(items), 1)),
        st.lists(st.tuples(inner, inner), max_size=4).map(Map.of),
        st.tuples(rows, st.integers(1, 40)).map(lambda made: tuple(made[0] * made[1])),
    )


VALUES = st.recursive(ATOMS, _collections, max_leaves=12)


def twin(value, draw):
    """Return a value that equals another and shares nothing with it: other orders, other representations."""
    kind = value.__class__
    if kind is tuple or kind is GrownVector:
        items = [twin(item, draw) for item in value]
        return GrownVector(items, len(items)) if draw(st.booleans()) else tuple(items)
    if kind is List:
        return List(twin(item, draw) for item in value)
    if kind is Set:
        return Set.of(draw(st.permutations([twin(item, draw) for item in value])))
    if kind is Map:
        made = Map.of([])
        for key, item in draw(st.permutations(value.items())):
            made = made.assoc(twin(key, draw), twin(item, draw))
        return made
    if kind is float and value == 0:
        return -value
    return ErrorValue(value.kind, value.message, "other data") if kind is ErrorValue else value


def plainly(value):
    """Return the body of a value as the module's table has it, the plainest way."""
    text = lambda tag, raw: b"%b%x:%b" % (tag, len(raw), raw)  # noqa: E731
    utf8 = lambda shown: shown.encode("utf-8", "surrogatepass")  # noqa: E731
    match value:
        case None | True | False:
            return {None: b"n", True: b"t", False: b"f"}[value]
        case int():
            return b"i%x;" % value
        case float():
            return b"d" + (b"\x7f\xf8" + bytes(6) if value != value else pack(">d", value or 0.0))  # noqa: PLR0124
        case str():
            return text(b"s", utf8(value))
        case Keyword() | Symbol():
            return text(b"k" if isinstance(value, Keyword) else b"y", utf8(value.name))
        case Timestamp() | Uuid() | Resource():
            return text({Timestamp: b"T", Uuid: b"U", Resource: b"R"}[type(value)], utf8(value.text))
        case ErrorValue():
            return b"e" + plainly(value.kind) + plainly(value.message)
        case List() | tuple() | GrownVector():
            return counted(b"(" if isinstance(value, List) else b"[", len(value), [standing(item) for item in value])
        case Set():
            return counted(b"#", len(value), sorted(map(standing, value)))
        case Map():
            return counted(b"{", len(value), sorted(standing(k) + standing(v) for k, v in value.items()))
    return b"*"


def counted(tag, count, parts):
    body = b"%b%x:%b" % (tag, count, b"".join(parts))
    return b"h" + sha256(body).digest() if count > BLOCK else body


def standing(item):
    """Return what stands for an item."""
    body = plainly(item)
    inline = abs(item) < 1 << 4 * INLINE if type(item) is int else len(body) <= INLINE or body[:1] == b"h"
    return body if inline else b"h" + sha256(body).digest()


@pytest.mark.parametrize(("known", "made"), ROWS, ids=range(len(ROWS)))
def test_a_digest_never_changes(known, made):
    value = eval(made, NAMES)
    assert digest(value) == known
    assert sha256(VERSION + plainly(value)).hexdigest() == known


def test_the_stored_digests_are_of_different_values_or_equal():
    made = [(known, eval(text, NAMES)) for known, text in ROWS]
    assert len(made) == 300
    kinds = {tuple, Keyword, Symbol, Timestamp, Uuid, Resource, List, GrownVector, ErrorValue, Map, Set, str, float}
    assert {type(value) for _, value in made} >= kinds
    for i, (known, value) in enumerate(made):
        for other, another in made[:i]:
            assert (known == other) is equal(value, another), (value, another)


@settings(max_examples=effort(200))
@given(VALUES, VALUES)
@example(0.0, -0.0)
@example((), List())
@example(1, True)
@example(1, 1.0)
@example(Symbol("nil"), None)
@example((Symbol("true"), 1), (True, 1))
@example((Keyword("a 1 :b"), "2"), (Keyword("a"), 1, Keyword("b"), "2"))
@example((Resource('a") #resource-handle("b'),), (Resource("a"), Resource("b")))
@example("\ud83d\ude00", "\U0001f600")
def test_equal_digests_are_of_equal_values(a, b):
    assert (digest(a) == digest(b)) is equal(a, b)
    assert digest(a) == sha256(VERSION + plainly(a)).hexdigest()


@settings(max_examples=effort(150))
@given(st.data())
def test_equal_values_have_equal_digests_however_they_were_made(data):
    value = data.draw(VALUES)
    another = twin(value, data.draw)
    assert equal(value, another)
    assert digest(value) == digest(another)


@given(st.lists(VALUES, max_size=12), st.lists(VALUES, max_size=12))
def test_rows_of_parts_are_told_apart(one, two):
    assert (digest(*one) == digest(*two)) is equal(tuple(one), tuple(two))
    assume(len(one) != 1)
    assert digest(*one) != digest(tuple(one))


def test_nan_is_found_again_and_functions_are_alike():
    assert digest(NAN) == digest(-NAN) == digest(float("inf") - float("inf")) != digest("NaN")
    assert digest((NAN,)) == digest((NAN,))
    assert digest(Map.of([(NAN, 1), (NAN, 2)])) == digest(Map.of([(NAN, 2), (NAN, 1)])) != digest(Map.of([(NAN, 1)]))
    assert digest(len) == digest(abs) != digest(None)


@pytest.mark.parametrize(
    "wrap", [lambda v: (v,), lambda v: List((1, v)), lambda v: Map.wrap({1: v}), lambda v: Set(Map.wrap({1: v}))]
)
def test_nesting_does_not_exhaust_the_stack(wrap):
    def nested(levels, innermost):
        value = innermost
        for _ in range(levels):
            value = wrap(value)
        return value

    assert digest(nested(20_000, "a")) == digest(nested(20_000, "a"))
    assert len({digest(nested(levels, end)) for levels in (30, 31, 32, 33, 34, 999, 1_000) for end in "ab"}) == 14
    assert digest(nested(40, "a")) == sha256(VERSION + plainly(nested(40, "a"))).hexdigest()


@pytest.mark.parametrize(
    "start", [1, "x" * 1_000_000, (1,) * 200, 1 << 900_000], ids=["one", "text", "vector", "integer"]
)
def test_shared_parts_are_encoded_once(start):
    value = start
    for level in range(200):
        value = (value, value) if level % 2 else Map.of([(value, value)]) if level == 2 else (value,) * 1000
    assert digest(value) == digest(value)
    assert digest(*[start] * 20_000) != digest(*[start] * 20_001)


def test_large_collections_are_told_apart():
    for size in (BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK):
        kinds = [tuple, List, Set.of, lambda items: Map.of([(item, item) for item in items])]
        made = [kind(items) for kind in kinds for items in (range(size), range(1, size + 1))]
        assert len({digest(value) for value in made}) == len(made)
        assert [digest(value) for value in made] == [sha256(VERSION + plainly(value)).hexdigest() for value in made]
        grown = GrownVector(list(range(-5, size + 5)), size, 5)
        assert digest(grown) == digest(tuple(range(size)))
        backwards = range(size - 1, -1, -1)
        assert digest(Set.of(backwards)) == digest(Set.of(range(size)))
