"""Parts of sequences by position. In: any collection. Out: an item, or a part of the same kind.

A part of a set, a map or nil is a vector. `nth` and `subvec` take places, which a map has none of.
"""

from __future__ import annotations

from rtfs_framework.lang.annotations import Any
from rtfs_framework.lang.errors import index_error, type_error
from rtfs_framework.lang.library import Gives, Op
from rtfs_framework.lang.maps import Set
from rtfs_framework.lang.meter import SMALL, charge, made, room
from rtfs_framework.lang.vectors import GROW_AT, PART_AT, List, part
from rtfs_framework.stdlib import shorthand as ty
from rtfs_framework.stdlib.check import VECTORS, integer, ordered, placed
from rtfs_framework.stdlib.strings import slice_bounds
from rtfs_framework.stdlib.table import builtin

NOTHING = object()
"""The default of an optional argument for which nil is a value."""


def alike(source: Any, part: Any) -> Any:
    """Return items in the kind of their source: text, a list, or else a vector."""
    kind = source.__class__
    if len(part) >= SMALL:
        charge(len(part) if kind is not str else len(part) >> 3)
    if kind is str:
        return part if part.__class__ is str else "".join(part)
    if kind is List:
        return List(part)
    return made(part if part.__class__ is tuple else tuple(part))


def some(found: Any, low: int, high: int, least: int = PART_AT) -> Any:
    """Return items by their places, in the kind of their source; of a vector or list, `least` and more are shared."""
    return alike(found, found[low:high]) if found.__class__ is str else part(found, low, high, least)


@builtin(
    "first",
    ("(first [1 2])", "1"),
    ("(first [])", "nil"),
    ("(first nil)", "nil"),
    doc="Give the first item.",
    op=Op.FIRST,
    gives=Gives.ITEM,
    inline={1: "a[0] if isvector(a) and a else slow"},
)
def first(collection: ty.sequence) -> Any:
    if collection.__class__ is Set and len(collection):
        return collection.map.first()[1]
    if collection.__class__ not in VECTORS:
        collection = placed("first", collection)
    return collection[0] if collection else None


@builtin(
    "second",
    ("(second [1 2])", "2"),
    ('(second "a")', "nil"),
    doc="Give the second item, or nil.",
    gives=Gives.ITEM,
    inline={1: "a[1] if isvector(a) and len(a) > 1 else slow"},
)
def second(collection: ty.sequence) -> Any:
    found = placed("second", collection)
    return found[1] if len(found) > 1 else None


@builtin("ffirst", ("(ffirst [[1 2] [3]])", "1"), ("(ffirst [])", "nil"), doc="Give the first item of the first item.")
def ffirst(collection: ty.sequence) -> Any:
    head = first(collection)
    return None if head is None else first(head)


@builtin(
    "last",
    ("(last [1 2 3])", "3"),
    ("(last [])", "nil"),
    ('(last "")', '""'),
    doc="Give the last item, or nil; of an empty string the empty string.",
    op=Op.LAST,
    gives=Gives.ITEM,
    inline={1: "a[-1] if isvector(a) and a else slow"},
)
def last(collection: ty.sequence) -> Any:
    found = placed("last", collection)
    if not found:
        return "" if collection.__class__ is str else None
    return found[-1]


@builtin(
    "rest",
    ("(rest [1 2 3])", "[2 3]"),
    ('(rest "abc")', '"bc"'),
    ("(rest [])", "[]"),
    doc="Drop the first item.",
    gives=Gives.PART,
    inline={1: "a[1:] if isvector(a) and len(a) < GROW_AT else slow"},
)
def rest(collection: ty.sequence) -> ty.part:
    return _dropped("rest", collection)


@builtin(
    "next",
    ("(next [1 2])", "[2]"),
    ("(next [1])", "nil"),
    doc="Drop the first item; nil if nothing is left.",
    inline={1: "a[1:] or None if isvector(a) and len(a) < GROW_AT else slow"},
)
def next_(collection: ty.sequence) -> ty.part | None:
    left = _dropped("next", collection)
    return left if len(left) else None


def _dropped(op: str, collection: Any) -> Any:
    found = placed(op, collection)
    return some(found, min(len(found), 1), len(found), GROW_AT)


@builtin(
    "butlast",
    ("(butlast [1 2 3])", "[1 2]"),
    ("(butlast [])", "[]"),
    doc="Drop the last item.",
    gives=Gives.PART,
    inline={1: "a[:-1] if isvector(a) and len(a) < GROW_AT else slow"},
)
def butlast(collection: ty.sequence) -> ty.part:
    found = placed("butlast", collection)
    return some(found, 0, max(len(found) - 1, 0), GROW_AT)


@builtin(
    "nth",
    ("(nth [10 20] 1)", "20"),
    ("(nth [10] 5 :none)", ":none"),
    ("(nth [1] 4)", "!IndexOutOfBounds"),
    doc="Give the item at an index; outside the collection the default, if there is one.",
    op=Op.NTH,
    gives=Gives.ITEM,
    inline={
        2: "a[b] if isvector(a) and isint(b) and b >= 0 and b < len(a) else slow",
        3: "(a[b] if b >= 0 and b < len(a) else c) if isvector(a) and isint(b) else slow",
    },
)
def nth(collection: ty.placed, index: ty.int, default: Any = NOTHING) -> Any:
    if collection.__class__ not in VECTORS:
        collection = ordered("nth", collection)
    if index.__class__ is not int:
        raise type_error("nth", "integer", index)
    if 0 <= index < len(collection):
        return collection[index]
    if default is NOTHING:
        raise index_error(index, len(collection))
    return default


def _amount(op: str, count: Any) -> int:
    return max(integer(op, count), 0)


@builtin(
    "take",
    ("(take 2 [1 2 3])", "[1 2]"),
    ('(take 2 "hello")', '"he"'),
    ("(take -1 [1])", "[]"),
    doc="Give the first items, as many as said.",
    gives=Gives.PART,
)
def take(count: ty.int, collection: ty.sequence) -> ty.part:
    amount, found = _amount("take", count), placed("take", collection)
    return some(found, 0, min(amount, len(found)))


@builtin(
    "drop", ("(drop 1 [1 2 3])", "[2 3]"), ("(drop -1 [1])", "[1]"), doc="Leave out the first items.", gives=Gives.PART
)
def drop(count: ty.int, collection: ty.sequence) -> ty.part:
    amount, found = _amount("drop", count), placed("drop", collection)
    return some(found, min(amount, len(found)), len(found))


@builtin("take-last", ("(take-last 2 [1 2 3])", "[2 3]"), doc="Give the last items, as many as said.")
def take_last(count: ty.int, collection: ty.sequence) -> ty.part:
    amount, found = _amount("take-last", count), placed("take-last", collection)
    return some(found, max(len(found) - amount, 0), len(found))


@builtin(
    "drop-last",
    ("(drop-last 2 [1 2 3])", "[1]"),
    ("(drop-last [1 2])", "[1]"),
    doc="Leave out the last item, or as many as said.",
    parameters="count? collection",
    types=(
        "[:fn [sequence] part]",
        "[:fn [:int sequence] part]",
    ),
)
def drop_last(count: Any, collection: Any = NOTHING) -> Any:
    if collection is NOTHING:
        count, collection = 1, count
    amount, found = _amount("drop-last", count), placed("drop-last", collection)
    return some(found, 0, max(len(found) - amount, 0))


@builtin("take-nth", ("(take-nth 2 [1 2 3 4 5])", "[1 3 5]"), doc="Give the first item and every nth after it.")
def take_nth(step: ty.int, collection: ty.sequence) -> ty.part:
    return alike(collection, placed("take-nth", collection)[:: positive("take-nth", step)])


def positive(op: str, value: Any) -> int:
    """Return an integer of 1 or more; anything else is a TypeError."""
    if integer(op, value) < 1:
        raise type_error(op, "positive integer", value)
    return value  # type: ignore[no-any-return]


@builtin("nthrest", ("(nthrest [1 2 3] 2)", "[3]"), doc="Leave out the first items; the collection comes first.")
def nthrest(collection: ty.sequence, count: ty.int) -> ty.part:
    return drop(_amount("nthrest", count), placed("nthrest", collection))


@builtin(
    "subvec",
    ("(subvec [1 2 3 4] 1 3)", "[2 3]"),
    ("(subvec [1 2 3] 1)", "[2 3]"),
    ("(subvec [1] 3)", "!IndexOutOfBounds"),
    doc="Give the items from start to before end, or to the end of the vector.",
    inline={3: "a[b:c] if isvector(a) and isint(b) and isint(c) and b >= 0 and b <= c <= len(a) < GROW_AT else slow"},
)
def subvec(vector: ty.placed, start: ty.int, end: ty.int | None = None) -> ty.vector:
    found = ordered("subvec", vector)
    low, high = slice_bounds("subvec", len(found), start, end)
    if found.__class__ is str:
        return made(tuple(found[low : low + room("subvec", high - low)]))
    return some(found.vector() if found.__class__ is List else found, low, high)


@builtin(
    "split-at",
    ("(split-at 1 [1 2 3])", "[[1] [2 3]]"),
    doc="Give the first items and the others.",
    types=("[:fn [:int sequence] [:tuple part part]]",),
)
def split_at(count: Any, collection: Any) -> Any:
    found = placed("split-at", collection)
    place = min(_amount("split-at", count), len(found))
    return some(found, 0, place), some(found, place, len(found))


@builtin(
    "peek",
    ("(peek [1 2])", "2"),
    ("(peek [])", "nil"),
    doc="Give the item that `pop` would take away.",
    op=Op.PEEK,
    gives=Gives.ITEM,
    inline={1: "a[-1] if isvector(a) and a else slow"},
)
def peek(stack: ty.sequence) -> Any:
    found = placed("peek", stack)
    return found[0 if stack.__class__ is List else -1] if found else None


@builtin(
    "pop",
    ("(pop [1 2])", "[1]"),
    ("(pop [])", "!IndexOutOfBounds"),
    doc="Drop the last item of a vector or the first of a list.",
    op=Op.POP,
    gives=Gives.PART,
    inline={1: "a[:-1] if isvector(a) and 0 < len(a) < GROW_AT else slow"},
)
def pop(stack: ty.sequence) -> ty.part:
    found = placed("pop", stack)
    if not len(found):
        raise index_error(0, 0)
    in_front = int(stack.__class__ is List)
    return some(found, in_front, len(found) - 1 + in_front, GROW_AT)
