"""Collections made, grown, counted, ordered and turned into one another.

In: any collection: vectors, lists, sets, strings (as characters), maps (as [key value] pairs) and nil (as nothing).
Out: vectors unless a function says otherwise.
"""

from __future__ import annotations

from itertools import chain

from rtfs_framework.lang.annotations import Any
from rtfs_framework.lang.errors import type_error
from rtfs_framework.lang.library import Gives, Op
from rtfs_framework.lang.maps import EMPTY_MAP, Map, Set
from rtfs_framework.lang.meter import charge, made, room, watched
from rtfs_framework.lang.vectors import GROW_AT, PART_AT, GrownVector, List, is_vector, joined
from rtfs_framework.lang.vectors import conj as vector_conj
from rtfs_framework.stdlib import shorthand as ty
from rtfs_framework.stdlib.check import VECTORS, placed, sequence
from rtfs_framework.stdlib.order import position
from rtfs_framework.stdlib.slices import alike
from rtfs_framework.stdlib.table import builtin

_SIZED: frozenset[Any] = VECTORS | {str, Map, Set}
_EMPTY_SET = Set(EMPTY_MAP)


@builtin("vector", ("(vector 1 2)", "[1 2]"), ("(vector)", "[]"), doc="Make a vector of the arguments.", cheap=True)
def vector(*items: Any) -> tuple[Any, ...]:
    return items


@builtin("list", ("(list 1 2)", "(1 2)"), doc="Make a list of the arguments.")
def list_(*items: Any) -> List:
    return List(items)


@builtin("hash-set", ("(hash-set 1 2 1)", "#{1 2}"), doc="Make a set of the arguments.")
def hash_set(*members: Any) -> Set:
    return Set.of(members)


@builtin(
    "count",
    ("(count [1 2])", "2"),
    ('(count "é☃")', "2"),
    ("(len [1])", "1"),
    ("(count nil)", "0"),
    doc="Count the items.",
    aliases=("len",),
    op=Op.COUNT,
    gives=Gives.SIZE,
    inline={1: "len(a) if isvector(a) or a.__class__ is str else slow"},
)
def count(collection: ty.sequence) -> int:
    return _size("count", collection)


@builtin(
    "length",
    ("(length {:a 1})", "1"),
    doc="Count the items of a collection or the characters of a string.",
    op=Op.COUNT,
    gives=Gives.SIZE,
    inline={1: "len(a) if isvector(a) or a.__class__ is str else slow"},
)
def length(collection: ty.sequence) -> int:
    return _size("length", collection)


def _size(op: str, collection: Any) -> int:
    if collection.__class__ in _SIZED:
        return len(collection)
    if collection is None:
        return 0
    raise type_error(op, "collection", collection)


@builtin(
    "empty?",
    ("(empty? [])", "true"),
    ("(empty? nil)", "true"),
    ("(empty? 5)", "false"),
    doc="Tell whether nothing is in a value.",
    op=Op.EMPTY,
    inline={1: "not a if isvector(a) else slow"},
)
def is_empty(value: Any) -> bool:
    return value is None or (value.__class__ in _SIZED and not len(value))


@builtin(
    "not-empty", ("(not-empty [1])", "[1]"), ('(not-empty "")', "nil"), doc="Give a collection, or nil if it is empty."
)
def not_empty(collection: ty.sequence) -> ty.sequence:
    return collection if _size("not-empty", collection) else None


@builtin("empty", ("(empty [1])", "[]"), ("(empty {:a 1})", "{}"), doc="Give an empty collection of the same kind.")
def empty(collection: ty.sequence) -> ty.sequence:
    if collection is None:
        return None
    if collection.__class__ is Map:
        return EMPTY_MAP
    return _EMPTY_SET if collection.__class__ is Set else alike(collection, placed("empty", collection)[:0])


@builtin(
    "cons",
    ("(cons 0 [1 2])", "[0 1 2]"),
    ("(cons 1 nil)", "[1]"),
    ('(cons 1 "a")', '[1 "a"]'),
    doc="Put an item in front.",
    inline={2: "(a, *b) if isvector(b) and len(b) < SMALL else slow"},
)
def cons(item: Any, collection: ty.sequence) -> ty.list:
    found = placed("cons", collection)
    return joined("cons", (item,), tuple(found) if found.__class__ is str else found, (), GROW_AT)


@builtin(
    "conj",
    ("(conj [1] 2 3)", "[1 2 3]"),
    ("(conj nil 1)", "[1]"),
    ("(conj {:a 1} [:b 2])", "{:a 1 :b 2}"),
    ("(conj #{1} 2)", "#{1 2}"),
    ("(conj '(1) 0)", "(0 1)"),
    doc="Add items: at the end of a vector, in front of a list, as members of a set, as pairs or maps to a map.",
    op=Op.CONJ,
    gives=Gives.ALIKE,
    inline={
        2: "a + (b,) if a.__class__ is tuple and len(a) < GROW_AT else a.conj(b) if a.__class__ is rt_grown else slow"
    },
)
def conj(collection: ty.grown | None, item: Any, *items: Any) -> ty.grown:
    grown = _conj(collection, item)
    for value in watched(items):
        grown = _conj(grown, value)
    return grown


def _conj(collection: Any, item: Any) -> Any:
    kind = collection.__class__
    if kind is tuple or kind is GrownVector:
        return vector_conj(collection, item)
    if collection is None:
        return (item,)
    if kind is Map:
        return _conj_map(collection, item)
    if kind is Set:
        return collection if item in collection else Set(collection.map.assoc(item, item))
    if kind is List:
        return joined("conj", (item,), collection, (), GROW_AT)
    raise type_error("conj", "collection", collection)


def _conj_map(target: Map, entry: Any) -> Map:
    if entry.__class__ is Map:
        return target.merged(entry)
    if entry.__class__ not in VECTORS or len(entry) != 2:
        raise type_error("conj", "map or [key value] pair", entry)
    return target.assoc(entry[0], entry[1])


@builtin(
    "concat",
    ("(concat [1] nil [2 3])", "[1 2 3]"),
    ('(concat "ab" [1])', '["a" "b" 1]'),
    doc="Join collections into a vector.",
    inline={2: "a + b if a.__class__ is tuple and b.__class__ is tuple and len(a) + len(b) < SMALL else slow"},
)
def concat(*collections: ty.sequence) -> ty.vector:
    charge(len(collections))
    parts = [placed("concat", part) for part in watched(collections)]
    size = sum(map(len, parts))
    longest = max(range(len(parts)), key=lambda place: len(parts[place]), default=0)
    if size >= PART_AT and is_vector(parts[longest]):
        before, after = (tuple(chain.from_iterable(some)) for some in (parts[:longest], parts[longest + 1 :]))
        return joined("concat", before, parts[longest], after)
    room("concat", size)
    return made(tuple(chain.from_iterable(parts)))


@builtin(
    "into",
    ("(into [1] #{2})", "[1 2]"),
    ("(into {} [[:a 1]])", "{:a 1}"),
    ('(into #{} "aba")', '#{"a" "b"}'),
    doc="Add all items of a collection to another, as `conj` does.",
)
def into(target: ty.grown | None, source: ty.sequence) -> ty.grown:
    found = sequence("into", source)
    kind = target.__class__
    if target is not None and kind not in VECTORS and kind is not Map and kind is not Set:
        raise type_error("into", "collection", target)
    if target is None or kind is tuple or kind is GrownVector:
        return joined("into", (), target or (), found)
    if kind is Set:
        return target.with_all(found)
    if kind is Map and all(pair.__class__ in VECTORS and len(pair) == 2 for pair in found):
        return target.merged(Map.of(found))
    for item in found:
        target = _conj(target, item)
    return target


@builtin(
    "seq",
    ("(seq {:a 1})", "[[:a 1]]"),
    ("(seq [])", "nil"),
    doc="Turn any collection into a vector; an empty one into nil.",
)
def seq(collection: ty.sequence) -> ty.vector | None:
    return _vector("seq", collection) or None


@builtin(
    "vec",
    ("(vec #{1})", "[1]"),
    ("(vec nil)", "[]"),
    ('(vec "ab")', '["a" "b"]'),
    doc="Turn any collection into a vector.",
    inline={1: "a if a.__class__ is tuple else slow"},
)
def vec(collection: ty.sequence) -> ty.vector:
    return _vector("vec", collection)


def _vector(op: str, collection: Any) -> Any:
    if is_vector(collection):
        return collection
    return collection.vector() if collection.__class__ is List else tuple(sequence(op, collection))


@builtin("set", ("(set [1 2 1])", "#{1 2}"), ("(set nil)", "#{}"), doc="Turn any collection into a set.")
def set_(collection: ty.sequence) -> Set:
    return collection if collection.__class__ is Set else Set.of(sequence("set", collection))


@builtin(
    "contains?",
    ("(contains? {:a nil} :a)", "true"),
    ("(contains? [1 2] 2)", "true"),
    ('(contains? "hello" "ell")', "true"),
    ("(contains? nil 1)", "false"),
    doc="Tell whether a map has a key, a vector, list or set an item, or a string a part.",
    op=Op.HAS,
    inline={2: "b in a._items if ismap(a) and iskey(b) else slow"},
    types=(
        "[:fn [:string :string] :bool]",
        "[:fn [[:optional grown] :any] :bool]",
    ),
)
def contains(collection: Any, wanted: Any) -> bool:
    if collection.__class__ is Map or collection.__class__ is Set:
        return wanted in collection
    if collection.__class__ is str:
        if wanted.__class__ is not str:
            raise type_error("contains?", "string", wanted)
        charge(len(collection) >> 3)
        return wanted in collection
    return position(placed("contains?", collection), wanted) >= 0
