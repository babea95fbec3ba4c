"""Nested data: reading and changing along a path, merging deeply, and walking whole trees.

In: maps and vectors, paths as collections of keys. Nothing recurses, so neither long paths nor deep trees can
exhaust the stack. Missing maps on the way are made; a step through anything else is a TypeError.
"""

from __future__ import annotations

from rtfs_framework.lang.annotations import Any, Callable
from rtfs_framework.lang.errors import index_error, invalid_argument, type_error
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.meter import SMALL, charge, fits, watched
from rtfs_framework.lang.vectors import GrownVector
from rtfs_framework.stdlib import shorthand as ty
from rtfs_framework.stdlib.callables import as_function, invoke
from rtfs_framework.stdlib.check import VECTORS, integer, mapping, sequence
from rtfs_framework.stdlib.higher_order import truthy
from rtfs_framework.stdlib.maps import assoc
from rtfs_framework.stdlib.table import builtin
from rtfs_framework.stdlib.walker import children, fold, rebuilt

_MISSING = object()


@builtin(
    "get-in",
    ("(get-in {:a [10 20]} [:a 1])", "20"),
    ("(get-in {:a 1} [:a :b] 0)", "0"),
    ("(get-in nil [:a])", "nil"),
    ("(get-in {} :a)", "!TypeError"),
    doc="Give the value at the end of a path of keys and places, or the default wherever it is missing.",
)
def get_in(collection: Any, path: ty.sequence, default: Any = None) -> Any:
    for key in watched(sequence("get-in", path)):
        kind = collection.__class__
        if kind is Map:
            collection = collection.get(key, _MISSING)
        elif kind in VECTORS and key.__class__ is int and 0 <= key < len(collection):
            collection = collection[key]
        else:
            return default
        if collection is _MISSING:
            return default
    return collection


@builtin(
    "assoc-in",
    ("(assoc-in {:a {:b 1}} [:a :c] 2)", "{:a {:b 1 :c 2}}"),
    ("(assoc-in nil [:a :b] 1)", "{:a {:b 1}}"),
    ("(assoc-in {:a 1} [:a :b] 2)", "!TypeError"),
    doc="Set the value at the end of a path.",
)
def assoc_in(collection: Any, path: ty.sequence, value: Any) -> Any:
    return _changed("assoc-in", collection, path, lambda _old: value)


@builtin(
    "update-in",
    ("(update-in {:a {:n 1}} [:a :n] + 5)", "{:a {:n 6}}"),
    ("(update-in {:a [1 2]} [:a 0] inc)", "{:a [2 2]}"),
    doc="Replace the value at the end of a path by what a function makes of it (nil if missing) and further arguments.",
)
def update_in(collection: Any, path: ty.sequence, f: ty.callable, *arguments: Any) -> Any:
    call = as_function("update-in", f, 1 + len(arguments))
    return _changed("update-in", collection, path, lambda old: invoke(call, (old, *arguments)))


@builtin(
    "dissoc-in",
    ("(dissoc-in {:a {:b 1 :c 2}} [:a :b])", "{:a {:c 2}}"),
    ("(dissoc-in {:a 1} [:x :y])", "{:a 1}"),
    doc="Leave out the entry at the end of a path; a path that leads nowhere changes nothing.",
)
def dissoc_in(collection: Any, path: ty.sequence) -> Any:
    keys = sequence("dissoc-in", path)
    if not len(keys):
        raise invalid_argument("Path is empty")
    if get_in(collection, keys, _MISSING) is _MISSING:
        return collection
    return _changed("dissoc-in", collection, keys[:-1], lambda old: mapping("dissoc-in", old).dissoc(keys[-1]))


def _changed(op: str, collection: Any, path: Any, change: Callable[[Any], Any]) -> Any:
    """Return the collection with the value at the end of a path changed; an empty path changes all of it."""
    passed: list[tuple[Any, Any]] = []
    for key in watched(sequence(op, path)):
        passed.append((collection, key))
        collection = _step(op, collection, key)
    value = change(collection)
    for parent, key in watched(reversed(passed)):
        value = assoc(parent, key, value)
    return value


def _step(op: str, collection: Any, key: Any) -> Any:
    kind = collection.__class__
    if collection is None:
        return None
    if kind is Map:
        return collection.get(key)
    if kind is not tuple and kind is not GrownVector:
        raise type_error(op, "map", collection)
    place = integer(op, key)
    if not 0 <= place < len(collection):
        raise index_error(place, len(collection))
    return collection[place]


@builtin(
    "deep-merge",
    ("(deep-merge {:a {:x 1}} {:a {:y 2} :b 3})", "{:a {:x 1 :y 2} :b 3}"),
    doc="Join maps; where both have a map under a key, these are joined too, else the later value wins.",
)
def deep_merge(collection: ty.table, *more: ty.table) -> Map:
    result = mapping("deep-merge", collection)
    for each in watched(more):
        result = _deeply_merged(result, mapping("deep-merge", each))
    return result


def _deeply_merged(first: Map, second: Map) -> Map:
    """Join two maps with a work list: each level is a pair of maps whose entries are being joined."""
    levels: list[tuple[Any, list[tuple[Any, Any]], Any]] = [(first, second.items()[::-1], None)]
    joined = 0
    while True:
        made, todo, place = levels[-1]
        if todo:
            joined += 1
            if not joined % SMALL:  # parts that a value shares are joined each time
                charge(SMALL)
            key, value = todo.pop()
            old = made.get(key)
            if old.__class__ is Map and value.__class__ is Map:
                levels.append((old, value.items()[::-1], key))
            else:
                levels[-1] = (made.assoc(key, value), todo, place)
            continue
        levels.pop()
        if not levels:
            return made  # type: ignore[no-any-return]
        outer, rest, outer_place = levels[-1]
        levels[-1] = (outer.assoc(place, made), rest, outer_place)


@builtin(
    "walk",
    ("(walk inc sum [1 2])", "5"),
    ("(walk identity count {:a 1})", "1"),
    doc="Call one function with each item of a collection (a map's [key value] pairs), another with the result.",
)
def walk(inner: ty.callable, outer: ty.callable, form: Any) -> Any:
    first, last = as_function("walk", inner, 1), as_function("walk", outer, 1)
    inside = children(form)
    return last(form if inside is None else rebuilt("walk", form, [first(item) for item in inside]))


@builtin(
    "postwalk",
    ("(postwalk (fn [x] (if (int? x) (inc x) x)) [1 {:a 2}])", "[2 {:a 3}]"),
    doc="Replace every part of nested data by what a function makes of it, the innermost first.",
)
def postwalk(f: ty.callable, form: Any) -> Any:
    call = as_function("postwalk", f, 1)

    def after(node: Any, parts: list[Any] | None) -> Any:
        return call(node if parts is None else rebuilt("postwalk", node, parts))

    return fold("postwalk", form, lambda node: node, after)


@builtin(
    "prewalk",
    ("(prewalk (fn [x] (if (vector? x) (conj x 0) x)) [1 [2]])", "[1 [2 0] 0]"),
    doc="Replace every part of nested data by what a function makes of it, the outermost first.",
)
def prewalk(f: ty.callable, form: Any) -> Any:
    call = as_function("prewalk", f, 1)

    def after(node: Any, parts: list[Any] | None) -> Any:
        return node if parts is None else rebuilt("prewalk", node, parts)

    return fold("prewalk", form, call, after)


@builtin(
    "tree-seq",
    ("(tree-seq vector? identity [1 [2]])", "[[1 [2]] 1 [2] 2]"),
    doc="Give all nodes of a tree, parents first; one function tells branches, the other gives their children.",
)
def tree_seq(is_branch: ty.callable, children: ty.callable, root: Any) -> tuple[Any, ...]:
    branch, inside = as_function("tree-seq", is_branch, 1), as_function("tree-seq", children, 1)
    nodes: list[Any] = []
    todo = [root]
    while todo:
        node = todo.pop()
        nodes.append(node)
        if truthy(branch(node)):
            todo.extend(reversed(sequence("tree-seq", inside(node))))
        fits("tree-seq", len(nodes) + len(todo))
    return tuple(nodes)
