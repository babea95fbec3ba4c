"""What functions of the library make of what they are given: those that keep columns apart, and all others.

A function that is not here gives something of all its arguments, and may fail because of any of them.
"""

from __future__ import annotations

from rtfs_framework.lang.annotations import TYPE_CHECKING, Callable, Sequence
from rtfs_framework.lang.flows import asking, patterns, steps
from rtfs_framework.lang.flows.sequences import OVER_SEQUENCES
from rtfs_framework.lang.flows.values import ANY_DATA, BOTTOM, MAP, ROWS, Key, Value, bounded, join, lump
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.library import Gives, LibraryEntry

if TYPE_CHECKING:
    from rtfs_framework.lang.flows.walk import Walk
    from rtfs_framework.lang.source import Span

Nodes = Sequence[ir.Node]
Handler = Callable[["Walk", list[Value], Nodes, "Span"], Value]

NEVER_FAIL = frozenset({
    "!=", "=", "Exception.", "and", "bool?", "boolean", "coll?", "compare", "constantly", "distinct?", "empty?",
    "error?", "false?", "float?", "fn?", "hash-set", "identity", "int?", "keyword?", "list", "list?", "map?", "nil?",
    "not", "number?", "or", "parse-bool", "parse-float", "parse-int", "pr-str", "reduced", "reduced?", "resource?",
    "seq?", "set?", "str", "string?", "symbol?", "timestamp?", "true?", "type-name", "type-of", "unreduced", "uuid?",
    "vector", "vector?",
})  # fmt: skip
"""Library functions that give a value whatever they are given, if it is as many as they take; a test tries them."""
KINDS = frozenset({
    "bool?", "boolean", "coll?", "empty?", "error?", "false?", "float?", "fn?", "int?", "keyword?", "list?", "map?",
    "nil?", "not", "number?", "reduced?", "resource?", "seq?", "set?", "string?", "symbol?", "timestamp?", "true?",
    "type-name", "type-of", "uuid?", "vector?",
})  # fmt: skip
"""Those of them that look at the kind or size of what they are given, and at no part of it."""
COMBINATORS = frozenset({
    "comp", "complement", "every-pred", "fnil", "juxt", "memoize", "partial", "some-fn",
})  # fmt: skip
"""Those that make a function of functions."""
REMEMBER = frozenset({"memoize"})
"""Those of them whose functions keep what they gave."""


def call_library(walk: Walk, called: ir.Builtin, args: list[Value], nodes: Nodes, span: Span) -> Value:
    """Return what a call of a library function, or of one of the compiler's own, gives."""
    from rtfs_framework.lang.flows.walk import GivenUpError

    name, entry = called.name, called.entry
    if entry is not None and not entry.low <= len(args) <= (len(args) if entry.high is None else entry.high):
        walk.may_fail(0, span)
        return BOTTOM
    handler = _HANDLERS.get(name)
    if handler is not None:
        return handler(walk, args, nodes, span)
    if entry is None:
        if name not in _QUOTING:
            raise GivenUpError
        return _any(walk, args, span)
    if entry.effect is not None:
        return asking.ask(walk, args, span)
    if entry.gives == Gives.ITEM:
        return _item(walk, args, nodes, span)
    if entry.gives == Gives.PART and entry.plain:
        return _part(walk, args, nodes, span)
    return _plain(walk, entry, args, span) if entry.plain else _with_functions(walk, entry, args, span)


_QUOTING = frozenset({"%list", "%vector", "%map", "%range"})


def _any(walk: Walk, args: Sequence[Value], span: Span) -> Value:
    found = lump(*args)
    walk.may_fail(found.mask, span, found.mask)
    return found


def _plain(walk: Walk, entry: LibraryEntry, args: Sequence[Value], span: Span) -> Value:
    if entry.name not in NEVER_FAIL:
        return _any(walk, args, span)
    if entry.name in KINDS:
        return Value(args[0].top)
    return lump(*args)


def _with_functions(walk: Walk, entry: LibraryEntry, args: Sequence[Value], span: Span) -> Value:
    """A function that calls functions in a way that is not told here: with parts of all, as often as it likes."""
    fed = lump(*args)
    data = [arg for arg in args if arg.functions & ANY_DATA]
    walk.may_fail(fed.mask, span, fed.mask)
    given = asking.hand_over(walk, fed, fed, span)
    found = lump(Value(fed.mask), given, *data)
    if entry.name not in COMBINATORS:
        return found
    cell = ("wrapped", entry.name, span)
    walk.state.add(cell, fed)
    return Value(found.mask, fed.functions | walk.state.function("wrapped", cell, cell))


def _constant(nodes: Nodes, place: int) -> Key | None:
    from rtfs_framework.lang.flows.walk import key_of

    node = nodes[place] if place < len(nodes) else None
    return key_of(node.value) if isinstance(node, ir.Const) else None


def _index(nodes: Nodes, place: int) -> int | None:
    node = nodes[place] if place < len(nodes) else None
    return node.value if isinstance(node, ir.Const) and node.value.__class__ is int else None


def _takes_map(walk: Walk, value: Value, nodes: Nodes, span: Span) -> None:
    """Note that a value that is no collection is refused."""
    var = nodes[0].var if nodes and isinstance(nodes[0], ir.Local) else None
    if not patterns.surely(value, MAP | ROWS) and (var is None or var not in walk.maps):
        walk.may_fail(walk.sources.shape(value), span)


def _get(walk: Walk, args: list[Value], nodes: Nodes, span: Span) -> Value:
    subject, key = args[0], _constant(nodes, 1)
    place = _index(nodes, 1)
    _takes_map(walk, subject, nodes, span)
    if key is not None:
        found = walk.sources.read(subject, key)
    elif place is not None and subject.functions & ANY_DATA == ROWS:
        found = walk.sources.item_of(subject, place)
    else:
        found = lump(subject, args[1])
        walk.may_fail(args[1].flat()[0], span)
    return join(found, args[2].tinted(found.top)) if len(args) == 3 else found


def _get_in(walk: Walk, args: list[Value], nodes: Nodes, span: Span) -> Value:
    path = nodes[1].items if len(nodes) > 1 and isinstance(nodes[1], ir.VectorNode) else ()
    keys = [_constant(path, place) for place in range(len(path))]
    if not keys or None in keys:
        return _any(walk, args, span)
    found = args[0]
    for key in keys:
        walk.may_fail(walk.sources.shape(found), span)
        found = walk.sources.read(found, key) if key is not None else found
    return join(found, args[2].tinted(found.top)) if len(args) == 3 else found


def _item(walk: Walk, args: list[Value], nodes: Nodes, span: Span) -> Value:
    """An item of the first argument; what is given besides a place stands in for one."""
    others = lump(*args[1:2])
    if not patterns.surely(args[0], ROWS) or others.mask or len(args) == 2:
        walk.may_fail(walk.sources.shape(args[0]) | others.mask, span)
    found = walk.sources.item_of(args[0], _index(nodes, 1) if len(args) > 1 else None).tinted(others.mask)
    return join(found, args[2].tinted(found.top)) if len(args) == 3 else found


def _first(walk: Walk, args: list[Value], _nodes: Nodes, span: Span) -> Value:
    if not patterns.surely(args[0], ROWS):
        walk.may_fail(walk.sources.shape(args[0]), span)
    return walk.sources.item_of(args[0], 0)


def _part(walk: Walk, args: list[Value], _nodes: Nodes, span: Span) -> Value:
    """Some items of the last argument."""
    others = lump(*args[:-1])
    if not patterns.surely(args[-1], ROWS) or len(args) > 1:
        walk.may_fail(walk.sources.shape(args[-1]) | others.mask, span)
    made = walk.sources.sequence(args[-1])
    return Value(made.mask | others.mask, made.functions, made.view, made.fields, made.items)


def _count(walk: Walk, args: list[Value], _nodes: Nodes, span: Span) -> Value:
    if not patterns.surely(args[0], ROWS | MAP):
        walk.may_fail(walk.sources.shape(args[0]), span)
    return Value(args[0].top)


def _assoc(walk: Walk, args: list[Value], nodes: Nodes, span: Span) -> Value:
    subject = args[0]
    keys = [_constant(nodes, place) for place in range(1, len(args), 2)]
    if None in keys or len(args) % 2 == 0 or not nodes:
        return _any(walk, args, span)
    _takes_map(walk, subject, nodes, span)
    fields = dict(subject.fields)
    for key, value in zip(keys, args[2::2], strict=True):
        if key is not None:
            fields[key] = join(fields[key], value) if key in fields and subject.view else value
    return bounded(
        Value(
            subject.mask, MAP if subject.functions == ROWS else subject.functions, subject.view, fields, subject.items
        )
    )


def _dissoc(walk: Walk, args: list[Value], nodes: Nodes, span: Span) -> Value:
    keys = [_constant(nodes, place) for place in range(1, len(args))]
    if None in keys or not nodes:
        return _any(walk, args, span)
    subject = args[0]
    _takes_map(walk, subject, nodes, span)
    fields = {key: part for key, part in subject.fields.items() if key not in keys}
    return Value(subject.mask, subject.functions, subject.view, fields, subject.items)


def _select_keys(walk: Walk, args: list[Value], nodes: Nodes, span: Span) -> Value:
    named = nodes[1].items if len(nodes) == 2 and isinstance(nodes[1], ir.VectorNode) else ()
    keys = [_constant(named, place) for place in range(len(named))]
    if not named or None in keys:
        return _any(walk, args, span)
    _takes_map(walk, args[0], nodes, span)
    parts = {key: walk.sources.read(args[0], key) for key in keys if key is not None}
    present = 0
    for part in parts.values():  # which of them there are says something of each
        present |= part.top
    return bounded(Value(args[0].mask | present, MAP, 0, parts))


def _merge(walk: Walk, args: list[Value], nodes: Nodes, span: Span) -> Value:
    found = BOTTOM
    for arg in args:
        if not patterns.surely(arg, MAP):
            walk.may_fail(walk.sources.shape(arg), span)
        found = join(found, arg)
    del nodes
    return found if args else Value(0, ROWS)


def _conj(walk: Walk, args: list[Value], nodes: Nodes, span: Span) -> Value:
    """Onto a map an entry may be put, whose parts then stand elsewhere."""
    del nodes
    if not args or args[0].functions & ANY_DATA != ROWS or args[0].view:
        return _any(walk, args, span)
    if not patterns.surely(args[0], ROWS):
        walk.may_fail(walk.sources.shape(args[0]), span)
    return _of_items(walk, args[:1], args[1:])


def _cons(walk: Walk, args: list[Value], _nodes: Nodes, span: Span) -> Value:
    if not patterns.surely(args[1], ROWS):
        walk.may_fail(walk.sources.shape(args[1]), span)
    return _of_items(walk, args[1:], args[:1])


def _concat(walk: Walk, args: list[Value], _nodes: Nodes, span: Span) -> Value:
    for arg in args:
        if not patterns.surely(arg, ROWS):
            walk.may_fail(walk.sources.shape(arg), span)
    return _of_items(walk, args, ())


def _into(walk: Walk, args: list[Value], nodes: Nodes, span: Span) -> Value:
    if len(args) != 2 or not patterns.surely(args[0], ROWS):
        return _any(walk, args, span)
    return _concat(walk, args, nodes, span)


def _of_items(walk: Walk, sequences: Sequence[Value], items: Sequence[Value]) -> Value:
    """Return a sequence of the items of some, and of others."""
    mask, found = 0, BOTTOM
    for each in sequences:
        mask |= walk.sources.shape(each)
        found = join(found, walk.sources.item_of(each))
    for item in items:
        found = join(found, item)
    return bounded(Value(mask, ROWS, 0, None, found))


def _vector(walk: Walk, args: list[Value], _nodes: Nodes, _span: Span) -> Value:
    return _of_items(walk, (), args)


def _identity(_walk: Walk, args: list[Value], _nodes: Nodes, _span: Span) -> Value:
    return args[0]


def _any_of(walk: Walk, args: list[Value], _nodes: Nodes, span: Span) -> Value:
    """An answer that is waited for: what came of it was told where it was asked for, and its error comes here."""
    return _any(walk, args, span)


def _throw(walk: Walk, args: list[Value], _nodes: Nodes, span: Span) -> Value:
    told, functions = lump(*args).flat()
    walk.state.add("thrown", Value(0, functions))
    walk.may_fail(0, span, told)
    return BOTTOM


def _gensym(walk: Walk, args: list[Value], _nodes: Nodes, span: Span) -> Value:
    """Its number tells how many symbols were made before."""
    asking.keep(walk, ("gensym",), Value(0))
    made = lump(walk.state.read(("gensym",), walk.unit), *args)
    walk.may_fail(made.mask, span)
    return made


def _struct(walk: Walk, _args: list[Value], nodes: Nodes, _span: Span) -> Value:
    name, declared = (node.value if isinstance(node, ir.Const) else None for node in nodes)
    return Value(0, walk.state.function("struct", name, declared))


_HANDLERS: dict[str, Handler] = {
    **OVER_SEQUENCES, **steps.STEPS,
    "get": _get, "get-in": _get_in, "first": _first, "count": _count, "assoc": _assoc, "dissoc": _dissoc,
    "select-keys": _select_keys, "merge": _merge, "conj": _conj, "cons": _cons, "concat": _concat, "into": _into,
    "vector": _vector, "list": _vector, "identity": _identity, "throw": _throw, "gensym": _gensym, "%struct": _struct,
    "await": _any_of, "await-all": _any_of, "context/get": asking.context_get, "context/set": asking.context_set,
}  # fmt: skip
