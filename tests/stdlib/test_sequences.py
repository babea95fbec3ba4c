"""Sequences and sets: laws against Python's lists, kinds that are kept, every rejection and its message, bounds."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtfs_framework.lang.errors import LimitError, ProgramError
from rtfs_framework.lang.maps import EMPTY_MAP, Map, Set, equal
from rtfs_framework.lang.meter import ITEMS, OUTSIDE
from rtfs_framework.lang.values import ErrorValue, Keyword
from rtfs_framework.lang.vectors import GrownVector, List, is_vector
from rtfs_framework.stdlib import bounds, reordering, sequences, sequences_more, sets, slices  # noqa: F401 - they fill the table
from rtfs_framework.stdlib.table import BUILTINS

INTS = st.lists(st.integers(0, 9), max_size=12).map(tuple)
COUNTS = st.integers(-2, 15)


def call(name, *args):
    return BUILTINS[name].function(*args)


def in_every_kind(items):
    """Return the same items as each kind of sequence, with what turns a result into a tuple."""
    return [items, List(items), GrownVector([*items, "unseen"], len(items)), "".join(map(str, items))]


def plain(value):
    return tuple(map(int, value)) if value.__class__ is str else tuple(value)


@given(INTS, COUNTS)
def test_slices_are_those_of_python_and_keep_their_kind(items, n):
    count = max(n, 0)
    for source in in_every_kind(items):
        kind = tuple if source.__class__ is GrownVector else source.__class__
        for name, args, expected in (
            ("rest", (), items[1:]),
            ("butlast", (), items[:-1]),
            ("reverse", (), items[::-1]),
            ("take", (n,), items[:count]),
            ("drop", (n,), items[count:]),
            ("take-last", (n,), items[max(len(items) - count, 0) :]),
            ("drop-last", (n,), items[: max(len(items) - count, 0)]),
            ("take-nth", (count + 1,), items[:: count + 1]),
            ("distinct", (), tuple(dict.fromkeys(items))),
        ):
            result = call(name, *args, source)
            assert result.__class__ is kind or (is_vector(result) and kind is tuple), name
            assert plain(result) == expected, name
        assert plain(call("next", source) or ()) == items[1:]
        assert plain(call("nthrest", source, n)) == items[count:]
        assert tuple(map(plain, call("split-at", n, source))) == (items[:count], items[count:])
        assert call("count", source) == call("length", source) == len(items)
        assert call("empty?", source) is (not items)
        assert plain(call("sort", source)) == tuple(sorted(items))


@given(INTS, st.integers(1, 5), st.integers(1, 5))
def test_partitions_cover_everything(items, size, step):
    assert tuple(x for piece in call("partition", size, items) for x in piece) == items
    assert call("partition", size, items) == call("partition-all", size, items)
    pieces = call("partition-all", size, step, items)
    assert pieces == tuple(items[start : start + size] for start in range(0, len(items), step))
    windows = call("partition", size, step, items)
    assert windows == pieces[: len(windows)]
    if step <= size <= len(items):
        assert {x for window in windows for x in window} == set(items)
        assert all(len(window) == size for window in windows[:-1])


@given(INTS, INTS)
def test_building_laws(a, b):
    assert call("concat", a, b) == call("into", a, b) == a + b
    assert tuple(call("conj", a, 1, *b)) == (*a, 1, *b)
    assert call("cons", 0, a) == (0, *a)
    assert call("vec", call("seq", a)) == a
    assert set(call("set", a)) == set(a)
    assert call("zip", a, b) == tuple(zip(a, b, strict=False))
    assert call("interleave", a, b) == tuple(x for pair in zip(a, b, strict=False) for x in pair)
    assert call("flatten", (a, (b, List((a,))))) == a + b + a
    assert call("interpose", "-", a)[::2] == a
    assert len(call("interpose", "-", a)) == max(2 * len(a) - 1, 0)
    assert all(x != y for x, y in pairwise(call("dedupe", a)))
    assert set(call("union", Set.of(a), b)) == set(a) | set(b)
    assert set(call("intersection", Set.of(a), b)) == set(a) & set(b)
    assert set(call("difference", Set.of(a), b)) == set(a) - set(b)
    assert call("subset?", a, b) is (set(a) <= set(b)) is call("superset?", b, a)
    assert set(call("disj", Set.of(a), *b)) == set(a) - set(b)
    for x in range(10):
        assert call("contains?", a, x) is (x in a) is call("contains?", Set.of(a), x)


@given(st.integers(-20, 20), st.integers(-20, 20), st.integers(-5, 5).filter(bool))
def test_ranges_are_those_of_python(start, end, step):
    assert call("range", start, end, step) == tuple(range(start, end, step))
    assert call("range", start, end) == tuple(range(start, end))
    assert call("range", end) == tuple(range(end))
    assert call("numbers", start, end) == tuple(range(start, end + 1))


def test_conj_grows_in_place_without_showing_it():
    base = call("conj", tuple(range(40)), 40)
    one, two = call("conj", base, "one"), call("conj", base, "two")
    assert (len(base), one[41], two[41]) == (41, "one", "two")


@pytest.mark.parametrize(
    ("name", "args", "expected"),
    [
        ("first", ((),), None),
        ("first", ("ab",), "a"),
        ("first", (Set.of([3, 1]),), 3),
        ("second", ((1, 2),), 2),
        ("ffirst", ((),), None),
        ("last", ("",), ""),
        ("next", ((1,),), None),
        ("nth", ((1,), 5, None), None),
        ("nth", ("abc", 1), "b"),
        ("drop-last", ((1, 2),), (1,)),
        ("subvec", ((1, 2), 0, 0), ()),
        ("subvec", (GrownVector([1, 2, 3], 2), 1), (2,)),
        ("peek", (List((1, 2)),), 1),
        ("pop", (List((1, 2)),), List((2,))),
        ("cons", (1, None), (1,)),
        ("cons", (1, List((2,))), List((1, 2))),
        ("conj", (None, 1), (1,)),
        ("conj", (List((1,)), 0), List((0, 1))),
        ("conj", (EMPTY_MAP, (1, 2), Map.of([(3, 4)])), Map.of([(1, 2), (3, 4)])),
        ("conj", (Set.of([1]), 1), Set.of([1])),
        ("concat", ((1,), None, List((2,)), "ab", Set.of([3])), (1, 2, "a", "b", 3)),
        ("into", (EMPTY_MAP, Map.of([(1, 2)])), Map.of([(1, 2)])),
        ("into", (List(), (1, 2)), List((2, 1))),
        ("into", (None, Map.of([(1, 2)])), ((1, 2),)),
        ("seq", (None,), None),
        ("seq", (Map.of([(1, 2)]),), ((1, 2),)),
        ("empty?", (5,), False),
        ("empty?", (None,), True),
        ("not-empty", (EMPTY_MAP,), None),
        ("empty", ("abc",), ""),
        ("empty", (Set.of([1]),), Set(EMPTY_MAP)),
        ("empty", (List((1,)),), List()),
        ("empty", (None,), None),
        ("contains?", ((1.0,), 1), False),
        ("contains?", (Map.of([(Keyword("a"), None)]), Keyword("a")), True),
        ("repeat", (-1, 1), ()),
        ("cycle", (5, (1, 2, 3)), (1, 2, 3, 1, 2)),
        ("cycle", (5, ()), ()),
        ("iterate", (3, lambda x: x * 2, 1), (1, 2, 4)),
        ("interleave", (), ()),
        ("flatten", ((EMPTY_MAP, "ab"),), (EMPTY_MAP, "ab")),
        ("numbers", (1.9, 3.9), (1, 2, 3)),
        ("union", (), Set(EMPTY_MAP)),
    ],
)
def test_value(name, args, expected):
    got = call(name, *args)
    assert got == expected
    assert got.__class__ is expected.__class__


@pytest.mark.parametrize(
    "name",
    ["first", "second", "last", "rest", "next", "butlast", "count", "length", "reverse", "sort", "distinct", "dedupe"],
)
def test_nothing_has_no_items(name):
    assert call(name, None) == call(name, EMPTY_MAP) == call(name, ())
    with pytest.raises(ProgramError) as caught:
        call(name, 5)
    assert caught.value.message == f"Type error in {name}: expected collection, got integer"


@pytest.mark.parametrize(
    ("name", "args", "kind", "message"),
    [
        ("nth", ((1,), 4), "IndexOutOfBounds", "Index 4 out of bounds for collection of length 1"),
        ("nth", ((1,), -1), "IndexOutOfBounds", "Index -1 out of bounds for collection of length 1"),
        ("nth", ((1,), "0"), "TypeError", "Type error in nth: expected integer, got string"),
        ("nth", (None, 0), "IndexOutOfBounds", "Index 0 out of bounds for collection of length 0"),
        ("nth", (EMPTY_MAP, 0), "TypeError", "Type error in nth: expected vector, got map"),
        ("take", ("1", (1,)), "TypeError", "Type error in take: expected integer, got string"),
        ("take", (2.0, (1,)), "TypeError", "Type error in take: expected integer, got float"),
        ("take", (1, 5), "TypeError", "Type error in take: expected collection, got integer"),
        ("drop", (True, (1,)), "TypeError", "Type error in drop: expected integer, got boolean"),
        ("take-nth", (0, (1,)), "TypeError", "Type error in take-nth: expected positive integer, got integer"),
        ("subvec", ((1, 2), 2, 1), "IndexOutOfBounds", "Index 2 out of bounds for collection of length 2"),
        ("subvec", ((1, 2), 1, 5), "IndexOutOfBounds", "Index 5 out of bounds for collection of length 2"),
        ("subvec", (EMPTY_MAP, 0), "TypeError", "Type error in subvec: expected vector, got map"),
        ("pop", ((),), "IndexOutOfBounds", "Index 0 out of bounds for collection of length 0"),
        ("cons", (1, 5), "TypeError", "Type error in cons: expected collection, got integer"),
        ("conj", ("a", "b"), "TypeError", "Type error in conj: expected collection, got string"),
        ("conj", (EMPTY_MAP, 1), "TypeError", "Type error in conj: expected map or [key value] pair, got integer"),
        ("concat", ((1,), 2), "TypeError", "Type error in concat: expected collection, got integer"),
        ("concat", (1.5,), "TypeError", "Type error in concat: expected collection, got float"),
        ("into", (EMPTY_MAP, (1,)), "TypeError", "Type error in conj: expected map or [key value] pair, got integer"),
        ("into", ("", (1,)), "TypeError", "Type error in into: expected collection, got string"),
        ("into", (5, ()), "TypeError", "Type error in into: expected collection, got integer"),
        ("into", ((), 5), "TypeError", "Type error in into: expected collection, got integer"),
        ("contains?", (5, 1), "TypeError", "Type error in contains?: expected collection, got integer"),
        ("contains?", ("a", 1), "TypeError", "Type error in contains?: expected string, got integer"),
        ("range", (3, None), "TypeError", "Type error in range: expected integer, got nil"),
        ("range", (0, 2.5), "TypeError", "Type error in range: expected integer, got float"),
        ("range", (0, 5, 0), "InvalidArgument", "Invalid argument: Step of range must not be zero"),
        ("numbers", (1, float("inf")), "InvalidArgument", "Invalid argument: Number is not finite"),
        ("repeat", ("3", 1), "TypeError", "Type error in repeat: expected integer, got string"),
        ("iterate", (3, 5, 1), "TypeError", "Type error in iterate: expected function, got integer"),
        ("partition", (0, (1,)), "TypeError", "Type error in partition: expected positive integer, got integer"),
        ("partition", (2, 0, (1,)), "TypeError", "Type error in partition: expected positive integer, got integer"),
        ("partition", (2, 5), "TypeError", "Type error in partition: expected collection, got integer"),
        ("flatten", (5,), "TypeError", "Type error in flatten: expected collection, got integer"),
        ("union", (Set.of([1]), 5), "TypeError", "Type error in union: expected collection, got integer"),
        ("disj", ((1,), 1), "TypeError", "Type error in disj: expected set, got vector"),
    ],
)
def test_rejection(name, args, kind, message):
    with pytest.raises(ProgramError) as caught:
        call(name, *args)
    assert (caught.value.kind, caught.value.message) == (kind, message)


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("range", (10**30,)),
        ("range", (0, -(10**30), -1)),
        ("numbers", (1, 10**9)),
        ("repeat", (10**30, 1)),
        ("cycle", (10**30, (1,))),
        ("iterate", (10**30, lambda x: x, 1)),
        ("partition", (5_000, 1, tuple(range(5_000)) * 2)),
        ("concat", ("a" * ITEMS, "b")),
    ],
)
def test_results_beyond_the_bound_end_the_run(name, args):
    with pytest.raises(LimitError) as caught:
        call(name, *args)
    assert caught.value.dimension == "items"


def test_shared_structure_cannot_be_flattened_without_bound(monkeypatch):
    monkeypatch.setattr(OUTSIDE, "items", 10_000)
    value = (1,)
    for _ in range(60):
        value = (value, value)
    with pytest.raises(LimitError):
        call("flatten", value)


ATOMS = st.sampled_from([1, 2, "a", "b", None, Keyword("a")])
OTHERS = st.sampled_from([1, 1.0, True, (1,), float("nan"), ErrorValue("K", "m", 1), ErrorValue("K", "m", 2)])


@given(st.lists(ATOMS, max_size=8) | st.lists(ATOMS | OTHERS, max_size=8))
def test_the_first_of_equal_members_stays(values):
    firsts = [value for place, value in enumerate(values) if not any(equal(value, each) for each in values[:place])]
    for found in (call("distinct", tuple(values)), call("set", tuple(values))):
        assert list(map(id, found)) == list(map(id, firsts))
