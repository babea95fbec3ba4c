"""Patterns and types: what taking a value apart, or testing it, depends on. What they bind keeps its columns."""

from __future__ import annotations

from rtfs_framework.lang.annotations import TYPE_CHECKING
from rtfs_framework.lang.flows.values import BOTTOM, MAP, ROWS, Value, lump
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.walk import variables
from rtfs_framework.lang.never import forgotten
from rtfs_framework.lang.types import model as ty
from rtfs_framework.lang.types.model import Primitive, Type

if TYPE_CHECKING:
    from rtfs_framework.lang.flows.walk import Walk
    from rtfs_framework.lang.source import Span

_MOST_TYPES = 12
"""Types inside each other that are followed; a recursive one has no end."""


def surely(value: Value, kinds: int) -> bool:
    """Tell whether a value is surely of some kinds, whatever happens."""
    return value.top == 0 and value.functions | kinds == kinds and value.functions != 0


def part_of(walk: Walk, value: Value, key: object) -> Value:
    """Return what a value has under the key of a pattern."""
    from rtfs_framework.lang.flows.walk import key_of

    known = key_of(key)
    return lump(value) if known is None else walk.sources.read(value, known)


def bind(walk: Walk, pattern: ir.Pattern, value: Value, span: Span) -> None:
    """Bind a pattern's variables; a value that cannot be taken apart fails."""
    match pattern:
        case ir.PVar(var=var):
            walk.bind(var, value)
        case ir.PVector(items=items, rest=rest, whole=whole):
            if not surely(value, ROWS):
                walk.may_fail(walk.sources.shape(value), pattern.span)
            for place, item in enumerate(items):
                bind(walk, item, walk.sources.item_of(value, place), span)
            if rest is not None:
                bind(walk, rest, walk.sources.sequence(value), span)
            if whole is not None:
                walk.bind(whole, value)
        case ir.PMap():
            _bind_map(walk, pattern, value, span)
        case _:  # those of `match` alone
            for var in variables(pattern):
                walk.bind(var, lump(value))


def _bind_map(walk: Walk, pattern: ir.PMap, value: Value, span: Span) -> None:
    if not surely(value, MAP):
        walk.may_fail(walk.sources.shape(value), pattern.span)
    for entry in pattern.entries:
        part = part_of(walk, value, entry.key)
        default = entry.default
        if default is not None:
            part = walk.branches(part.top, span, (lambda part=part: part, lambda node=default: walk.value(node)))  # type: ignore[misc]
        bind(walk, entry.pattern, part, span)
    if pattern.rest is not None:
        bind(walk, pattern.rest, value, span)
    if pattern.whole is not None:
        walk.bind(pattern.whole, value)


def match(walk: Walk, node: ir.Match) -> Value:
    """Return what a `match` gives."""
    return _from_clause(walk, node, walk.value(node.value), 0)


def _from_clause(walk: Walk, node: ir.Match, value: Value, place: int) -> Value:
    if place == len(node.clauses):
        walk.may_fail(0, node.span, value.flat()[0])
        return BOTTOM
    clause = node.clauses[place]
    tested = _fit(walk, clause.pattern, value)
    guard = clause.guard
    if guard is not None:
        tested |= walk.branches(tested, node.span, (lambda: walk.value(guard),)).top
    elif isinstance(clause.pattern, ir.PVar | ir.PIgnore):
        return walk.value(clause.body)
    rest = (lambda: walk.value(clause.body), lambda: _from_clause(walk, node, value, place + 1))
    return walk.branches(tested, node.span, rest)


def _fit(walk: Walk, pattern: ir.Pattern, value: Value) -> int:
    """Bind a pattern of `match`; return the sources that say whether it fits."""
    match pattern:
        case ir.PVar(var=var):
            walk.bind(var, value)
            return 0
        case ir.PIgnore():
            return 0
        case ir.PLiteral():
            return value.flat()[0]
        case ir.PAs(var=var, pattern=inner):
            walk.bind(var, value)
            return _fit(walk, inner, value)
        case ir.PType(type=declared, pattern=inner):
            return tested(walk, declared, value) | _fit(walk, inner, value)
        case ir.PVector() | ir.PMap():
            return _fit_parts(walk, pattern, value)
        case _ as never:
            raise forgotten(never)


def _fit_parts(walk: Walk, pattern: ir.PVector | ir.PMap, value: Value) -> int:
    sources, rest = walk.sources, value
    mask = sources.shape(value)
    if isinstance(pattern, ir.PVector):
        rest = sources.sequence(value)
        for place, item in enumerate(pattern.items):
            mask |= _fit(walk, item, sources.item_of(value, place))
    else:
        for entry in pattern.entries:
            part = part_of(walk, value, entry.key)
            mask |= part.top | _fit(walk, entry.pattern, part)
    if pattern.rest is not None:
        mask |= _fit(walk, pattern.rest, rest)
    if pattern.whole is not None:
        walk.bind(pattern.whole, value)
    return mask


def tested(walk: Walk, declared: Type, value: Value) -> int:
    """Return the sources that say whether a value is of a type: of its shape, where the type asks for no more."""
    mask, todo = 0, [(declared, value, _MOST_TYPES)]
    while todo:
        each, part, left = todo.pop()
        inner = None if left == 0 else _inside(walk, each, part)
        if inner is None:  # it looks at all there is
            mask |= part.flat()[0]
        elif each is not Primitive.ANY:
            mask |= walk.sources.shape(part)
            todo += [(type_, value, left - 1) for type_, value in inner]
    return mask


def _inside(walk: Walk, declared: Type, value: Value) -> list[tuple[Type, Value]] | None:
    """Return the types inside one with the parts that are of them; None for a type that looks at more than shapes."""
    sources = walk.sources
    match declared:
        case Primitive():
            return []
        case ty.NamedType(name=name):
            found = (walk.state.program.types or {}).get(name)
            return None if found is None else [(found, value)]
        case ty.OptionalType(type=inner):
            return [(inner, value)]
        case ty.UnionType(members=members):
            return [(member, value) for member in members]
        case ty.VectorType(item=item) | ty.ListType(item=item) | ty.SetType(item=item):
            return [(item, sources.item_of(value))]
        case ty.TupleType(items=items):
            return [(item, sources.item_of(value, place)) for place, item in enumerate(items)]
        case ty.MapType(entries=entries, rest=None):  # a text of its name stands in for a keyword
            keys = [(entry, key) for entry in entries for key in (entry.key, getattr(entry.key, "name", entry.key))]
            return [(entry.type, part_of(walk, value, key)) for entry, key in keys]
        case _:
            return None
