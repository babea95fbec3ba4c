"""Maps: made, read, changed, merged and rebuilt. Order is that of insertion; any value may be a key at run time.

In: maps, and nil as an empty one; `get`, `assoc` and `update` also take vectors (by place), `get` strings and sets.
"""

from __future__ import annotations

from rtfs_framework.lang.annotations import Any
from rtfs_framework.lang.errors import arity_error, index_error, type_error
from rtfs_framework.lang.library import Gives, Op
from rtfs_framework.lang.maps import Map, Set, to_key
from rtfs_framework.lang.meter import watched
from rtfs_framework.lang.values import ErrorValue, Keyword
from rtfs_framework.lang.vectors import GrownVector, List, put
from rtfs_framework.stdlib import shorthand as ty
from rtfs_framework.stdlib.callables import as_function, invoke, keyword_get
from rtfs_framework.stdlib.check import VECTORS, integer, mapping, sequence
from rtfs_framework.stdlib.table import builtin

_PLACED = frozenset({tuple, GrownVector, List, str})


@builtin(
    "hash-map",
    ("(hash-map :a 1 :b 2)", "{:a 1 :b 2}"),
    ("(hash-map :a)", "!ArityMismatch"),
    doc="Make a map of keys and values in turn.",
)
def hash_map(*keys_and_values: Any) -> Map:
    if len(keys_and_values) % 2:
        raise arity_error("hash-map", "an even number", len(keys_and_values))
    return Map.of(zip(keys_and_values[::2], keys_and_values[1::2], strict=True))


@builtin(
    "get",
    ("(get {:a 1} :a)", "1"),
    ("(get {:a 1} :b 9)", "9"),
    ("(get [10 20] 1)", "20"),
    ("(get nil :a)", "nil"),
    ("(get 5 :a)", "!TypeError"),
    doc="Give the value under a key, the item at a place, or a set's member; else the default (nil).",
    op=Op.GET,
    inline={
        2: "a._items.get(b) if ismap(a) and iskey(b) else slow",
        3: "a._items.get(b, c) if ismap(a) and iskey(b) else slow",
    },
)
def get(collection: ty.sequence | ty.error, key: Any, default: Any = None) -> Any:
    kind = collection.__class__
    if kind is Map:
        return collection.get(key, default)
    if collection is None:
        return default
    if kind in _PLACED:
        place = integer("get", key)
        return collection[place] if 0 <= place < len(collection) else default
    if kind is Set:
        return key if key in collection else default
    if kind is ErrorValue and key.__class__ is Keyword:
        return keyword_get(key, collection, default)
    raise type_error("get", "map", collection)


def _entry(op: str, entry: Any) -> Any:
    if entry.__class__ in VECTORS and len(entry) == 2:
        return entry
    raise type_error(op, "map entry [key value]", entry)


@builtin(
    "key", ("(key (find {:a 1} :a))", ":a"), ("(key [1])", "!TypeError"), doc="Give the key of an entry [key value]."
)
def key_of(entry: ty.list) -> Any:
    return _entry("key", entry)[0]


@builtin(
    "val", ("(val (find {:a 1} :a))", "1"), ("(val [1])", "!TypeError"), doc="Give the value of an entry [key value]."
)
def value_of(entry: ty.list) -> Any:
    return _entry("val", entry)[1]


@builtin(
    "has-key?",
    ("(has-key? {:a nil} :a)", "true"),
    ("(has-key? nil :a)", "false"),
    ("(has-key? [:a] :a)", "!TypeError"),
    doc="Tell whether a map has a key; nil has none.",
)
def has_key(collection: ty.table, key: Any) -> bool:
    return collection is not None and key in mapping("has-key?", collection)


@builtin(
    "assoc",
    ("(assoc {:a 1} :b 2 :c 3)", "{:a 1 :b 2 :c 3}"),
    ("(assoc [1 2] 0 :x)", "[:x 2]"),
    ("(assoc nil :a 1)", "{:a 1}"),
    ("(assoc [1] 5 0)", "!IndexOutOfBounds"),
    doc="Set entries of a map or items of a vector.",
    op=Op.ASSOC,
    gives=Gives.ALIKE,
    inline={
        3: "a.assoc(b, c) if a.__class__ is rt_map else a[:b] + (c,) + a[b + 1:] "
        "if isvector(a) and isint(b) and b >= 0 and b < len(a) < GROW_AT else slow"
    },
)
def assoc(collection: ty.associative, key: Any, value: Any, *more: Any) -> ty.map | ty.vector:
    kind = collection.__class__
    if kind is Map and not more:
        return collection.assoc(key, value)
    if len(more) % 2:
        raise arity_error("assoc", "an odd number", 3 + len(more))
    changes = [(key, value), *zip(more[::2], more[1::2], strict=True)]
    if kind is tuple or kind is GrownVector:
        return _assoc_places("assoc", collection, changes)
    result = mapping("assoc", collection)
    for each, item in watched(changes):
        result = result.assoc(each, item)
    return result


def _assoc_places(op: str, vector: Any, changes: list[tuple[Any, Any]]) -> Any:
    for key, _ in watched(changes):
        if not 0 <= integer(op, key) < len(vector):
            raise index_error(key, len(vector))
    return put(vector, changes)


@builtin(
    "dissoc",
    ("(dissoc {:a 1 :b 2} :b)", "{:a 1}"),
    ("(dissoc [1] 0)", "!TypeError"),
    doc="Leave keys out of a map.",
    cheap=True,
)
def dissoc(collection: ty.table, key: Any, *more: Any) -> Map:
    result = mapping("dissoc", collection).dissoc(key)
    for each in watched(more):
        result = result.dissoc(each)
    return result


@builtin(
    "merge",
    ("(merge {:a 1 :b 1} {:b 2})", "{:a 1 :b 2}"),
    ("(merge {:a 1} nil)", "{:a 1}"),
    doc="Join maps; the entries of later ones win.",
)
def merge(collection: ty.table, *more: ty.table) -> Map:
    result = mapping("merge", collection)
    for each in watched(more):
        result = result.merged(mapping("merge", each))
    return result


@builtin(
    "merge-with",
    ("(merge-with + {:a 1 :b 2} {:a 10})", "{:a 11 :b 2}"),
    doc="Join maps; a function of the two values settles keys that occur twice.",
)
def merge_with(f: ty.callable, *maps: ty.table) -> Map:
    call = as_function("merge-with", f, 2)
    result: dict[Any, Any] = {}
    for each in watched(maps):
        for key, value in watched(mapping("merge-with", each).items()):
            name = to_key(key)
            result[name] = call(result[name], value) if name in result else value
    return Map.wrap(result)


@builtin("keys", ("(keys {:a 1})", "[:a]"), ("(keys nil)", "[]"), doc="Give the keys of a map in order.")
def keys(collection: ty.table) -> tuple[Any, ...]:
    return tuple(mapping("keys", collection).keys())


@builtin("vals", ("(vals {:a 1})", "[1]"), doc="Give the values of a map in the order of their keys.")
def vals(collection: ty.table) -> tuple[Any, ...]:
    return tuple(mapping("vals", collection).values())


@builtin(
    "find",
    ("(find {:a 1} :a)", "[:a 1]"),
    ("(find {} :a)", "nil"),
    doc="Give the [key value] of a key, or nil.",
    types=("[:fn [table :any] [:optional [:tuple :any :any]]]",),
)
def find(collection: Any, key: Any) -> tuple[Any, Any] | None:
    source = mapping("find", collection)
    return (key, source.get(key)) if key in source else None


@builtin("select-keys", ("(select-keys {:a 1 :b 2} [:a :z])", "{:a 1}"), doc="Keep some keys of a map.")
def select_keys(collection: ty.table, keys: ty.sequence) -> Map:
    source = mapping("select-keys", collection)
    return Map.of([(key, source.get(key)) for key in watched(sequence("select-keys", keys)) if key in source])


@builtin(
    "rename-keys",
    ("(rename-keys {:a 1 :b 2} {:a :x})", "{:b 2 :x 1}"),
    doc="Rename the keys that a map of old to new names lists; a new name replaces an entry of that name.",
)
def rename_keys(collection: ty.table, names: ty.table) -> Map:
    source, renamed = mapping("rename-keys", collection), mapping("rename-keys", names)
    taken = Set.of([new for old, new in watched(renamed.items()) if old in source])
    kept = [(key, value) for key, value in watched(source.items()) if key in renamed or key not in taken]
    return Map.of([(renamed.get(key, key), value) for key, value in kept])


@builtin(
    "zipmap", ("(zipmap [:a :b] [1 2 3])", "{:a 1 :b 2}"), doc="Make a map of keys and values; the shorter ends it."
)
def zipmap(keys: ty.sequence, values: ty.sequence) -> Map:
    return Map.of(zip(sequence("zipmap", keys), sequence("zipmap", values)))  # noqa: B905 - the shorter ends it


@builtin("map-vals", ("(map-vals inc {:a 1})", "{:a 2}"), doc="Call a function with each value of a map.")
def map_vals(f: ty.callable, collection: ty.table) -> Map:
    return _values_changed("map-vals", f, collection)


@builtin(
    "update-vals",
    ("(update-vals {:a 1} inc)", "{:a 2}"),
    doc="Call a function with each value of a map (the map first, as in Clojure).",
)
def update_vals(collection: ty.table, f: ty.callable) -> Map:
    return _values_changed("update-vals", f, collection)


def _values_changed(op: str, f: Any, collection: Any) -> Map:
    source = mapping(op, collection)
    call = as_function(op, f, 1)
    return Map.of([(key, call(value)) for key, value in watched(source.items())])


@builtin(
    "map-keys",
    ("(map-keys name {:a 1})", '{"a" 1}'),
    doc="Call a function with each key of a map; of keys that become equal the last value stays.",
)
def map_keys(f: ty.callable, collection: ty.table) -> Map:
    return _keys_changed("map-keys", f, collection)


@builtin(
    "update-keys",
    ("(update-keys {:a 1} name)", '{"a" 1}'),
    doc="Call a function with each key of a map (the map first, as in Clojure).",
)
def update_keys(collection: ty.table, f: ty.callable) -> Map:
    return _keys_changed("update-keys", f, collection)


def _keys_changed(op: str, f: Any, collection: Any) -> Map:
    source = mapping(op, collection)
    call = as_function(op, f, 1)
    return Map.of([(call(key), value) for key, value in watched(source.items())])


@builtin(
    "update",
    ("(update {:n 1} :n + 5)", "{:n 6}"),
    ("(update [1 2] 0 dec)", "[0 2]"),
    ("(update {} :n nil?)", "{:n true}"),
    ("(update nil :n nil?)", "{:n true}"),
    doc="Replace a value by what a function makes of it (nil for a missing key) and further arguments.",
    gives=Gives.ALIKE,
)
def update(collection: ty.associative, key: Any, f: ty.callable, *arguments: Any) -> ty.map | ty.vector:
    kind = collection.__class__
    if kind is not tuple and kind is not GrownVector:
        collection = mapping("update", collection)
    call = as_function("update", f, 1 + len(arguments))
    if collection.__class__ is Map:
        old = collection.get(key)
        return collection.assoc(key, invoke(call, (old, *arguments)) if arguments else call(old))
    place = integer("update", key)
    if not 0 <= place < len(collection):
        raise index_error(place, len(collection))
    return _assoc_places("update", collection, [(place, invoke(call, (collection[place], *arguments)))])
