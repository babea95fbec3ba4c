"""Compile a type to a closure that checks values: `checker(type, lookup)(value)` is None when the value fits.

Inside, a check takes (value, run) and returns a `Failure` or None; `run` counts the nesting of named types and
remembers their verdicts, so that recursive types over shared or deep values stay linear and cannot exhaust the stack.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from typing_extensions import assert_never

from rtfs_framework.lang.maps import Map, Set, equal
from rtfs_framework.lang.types.failure import (
    TOO_DEEP,
    Failure,
    brief,
    count_of,
    mismatch,
    missing,
    predicate_failed,
    step_of,
    wrong_shape,
)
from rtfs_framework.lang.types.model import (
    AndType,
    ArrayType,
    EnumType,
    FunctionType,
    ListType,
    LiteralType,
    MapOfType,
    MapType,
    NamedType,
    OptionalType,
    Predicate,
    Primitive,
    ResourceType,
    SetType,
    TupleType,
    Type,
    UnionType,
    VectorType,
)
from rtfs_framework.lang.types.names import Lookup, no_names, resolve
from rtfs_framework.lang.types.predicates import BadPattern, test_of
from rtfs_framework.lang.types.show import show_predicate, show_type
from rtfs_framework.lang.values import (
    GrownVector,
    Keyword,
    List,
    Resource,
    Symbol,
    Timestamp,
    Uuid,
    is_function,
    type_name,
)

MAX_DEPTH = 400
"""Levels of named (recursive) types that a value may go through."""

_VECTOR = frozenset({tuple, GrownVector})
_LIST = frozenset({List, tuple, GrownVector})
_ABSENT = object()

CLASSES: dict[Primitive, frozenset[type]] = {
    Primitive.INT: frozenset({int}),
    Primitive.FLOAT: frozenset({float, int}),
    Primitive.STRING: frozenset({str}),
    Primitive.BOOL: frozenset({bool}),
    Primitive.NIL: frozenset({type(None)}),
    Primitive.KEYWORD: frozenset({Keyword}),
    Primitive.SYMBOL: frozenset({Symbol}),
    Primitive.NEVER: frozenset(),
    Primitive.TIMESTAMP: frozenset({Timestamp}),
    Primitive.UUID: frozenset({Uuid}),
}
"""The Python classes whose instances fit a primitive (`:any` has none: everything fits)."""


class _Run:
    """One check of one value: the nesting of named types and their verdicts so far."""

    __slots__ = ("depth", "verdicts")

    def __init__(self) -> None:
        self.depth = 0
        self.verdicts: dict[tuple[int, int], Failure | None] = {}


_Check = Callable[[Any, _Run], "Failure | None"]


class _Scope:
    """One compilation: the user's names, each compiled once."""

    __slots__ = ("lookup", "named")

    def __init__(self, lookup: Lookup) -> None:
        self.lookup = lookup
        self.named: dict[str, _Check] = {}


def checker(type_: Type, lookup: Lookup = no_names) -> Callable[[Any], str | None]:
    """Return a function from a value to None (it fits) or the message after "Type validation error: "."""
    basic = resolve(type_.name, lookup) if isinstance(type_, NamedType) and lookup(type_.name) is None else type_
    if isinstance(basic, Primitive):
        return _primitive_checker(basic, show_type(type_))
    check = _compile(type_, _Scope(lookup))

    def message(value: Any) -> str | None:
        try:
            failure = check(value, _Run())
        except RecursionError:
            failure = TOO_DEEP
        return None if failure is None else str(failure)

    return message


def _primitive_checker(type_: Primitive, shown: str) -> Callable[[Any], str | None]:
    if type_ is Primitive.ANY:
        return lambda _value: None
    classes, expected = CLASSES[type_], f"Type mismatch: expected {shown}, got "
    return lambda value: None if value.__class__ in classes else expected + type_name(value)


def _compile(type_: Type, scope: _Scope) -> _Check:  # noqa: C901, PLR0912 - one line per kind of type
    match type_:
        case Primitive.ANY:
            return lambda _value, _run: None
        case Primitive():
            return _of_class(CLASSES[type_], type_)
        case NamedType(name):
            return scope.named.get(name) or _named(name, scope)
        case VectorType(item):
            return _items(type_, _VECTOR, _compile(item, scope))
        case ListType(item):
            return _items(type_, _LIST, _compile(item, scope))
        case SetType(item):
            return _items(type_, frozenset({Set}), _compile(item, scope))
        case TupleType(items):
            return _tuple(type_, [_compile(item, scope) for item in items])
        case MapType():
            return _map(type_, scope)
        case MapOfType(key, value):
            return _map_of(type_, _compile(key, scope), _compile(value, scope))
        case FunctionType():
            return lambda value, _run: None if is_function(value) else mismatch(show_type(type_), type_name(value))
        case UnionType(members):
            return _union(type_, [_compile(member, scope) for member in members])
        case OptionalType(inner):
            return _optional(type_, _compile(inner, scope))
        case AndType(members, predicates):
            return _and([_compile(member, scope) for member in members] + [_predicate(p) for p in predicates])
        case EnumType(values):
            return _one_of(type_, values)
        case LiteralType(value):
            return _one_of(type_, (value,))
        case ArrayType(item, shape):
            return _array(type_, shape or (None,), _compile(item, scope))
        case ResourceType():
            return _of_class(frozenset({Resource}), type_)
        case _ as never:
            assert_never(never)


def _of_class(classes: frozenset[type], type_: Type) -> _Check:
    shown = show_type(type_)
    return lambda value, _run: None if value.__class__ in classes else mismatch(shown, type_name(value))


def _named(name: str, scope: _Scope) -> _Check:
    """Check against a name, resolved when it is needed: definitions may follow, refer to themselves and be replaced."""
    known: Type | None = None
    check: _Check | None = None

    def verdict(value: Any, run: _Run) -> Failure | None:
        nonlocal known, check
        found = resolve(name, scope.lookup)
        if found is None:
            return mismatch(name, f"{type_name(value)} ({name} is not a known type)")
        if check is None or found is not known:
            check, known = _compile(found, scope), found
        place = (id(check), id(value))
        if place in run.verdicts:
            return run.verdicts[place]
        if run.depth >= MAX_DEPTH:
            return TOO_DEEP
        run.depth += 1
        failure = check(value, run)
        run.depth -= 1
        if failure is not None and not failure.path and failure.head == "Type mismatch" and failure is not TOO_DEEP:
            failure = mismatch(name, type_name(value))
        run.verdicts[place] = failure
        return failure

    scope.named[name] = verdict
    return verdict


def _items(type_: Type, classes: frozenset[type], item: _Check) -> _Check:
    shown = show_type(type_)

    def check(value: Any, run: _Run) -> Failure | None:
        kind = value.__class__
        if kind not in classes:
            return mismatch(shown, type_name(value))
        for place, each in enumerate(value):
            failure = item(each, run)
            if failure is not None:
                return failure.under(f"[{place}]")
        return None

    return check


def _tuple(type_: Type, items: list[_Check]) -> _Check:
    shown = show_type(type_)

    def check(value: Any, run: _Run) -> Failure | None:
        kind = value.__class__
        if kind not in _VECTOR:
            return mismatch(shown, type_name(value))
        if len(value) != len(items):
            return wrong_shape(count_of(len(items)), str(len(value)))
        for place, item in enumerate(items):
            failure = item(value[place], run)
            if failure is not None:
                return failure.under(f"[{place}]")
        return None

    return check


def _map(type_: MapType, scope: _Scope) -> _Check:
    shown = show_type(type_)
    entries = [(e.key, _compile(e.type, scope), e.optional, step_of(e.key)) for e in type_.entries]
    rest = None if type_.rest is None else _compile(type_.rest, scope)
    named = Set.of([e.key for e in type_.entries])

    def check(value: Any, run: _Run) -> Failure | None:
        if value.__class__ is not Map:
            return mismatch(shown, type_name(value))
        for key, fits, optional, step in entries:
            item = value.get(key, _ABSENT)
            if item is _ABSENT and key.__class__ is Keyword:
                item = value.get(key.name, _ABSENT)
            if item is _ABSENT:
                if optional:
                    continue
                return missing(key)
            failure = fits(item, run)
            if failure is not None:
                return failure.under(step)
        return None if rest is None else _check_rest(value, run, rest, named)

    return check


def _check_rest(value: Map, run: _Run, rest: _Check, named: Set) -> Failure | None:
    for key, item in value.items():
        stands_in = key.__class__ is str and Keyword(key) in named and Keyword(key) not in value
        if key not in named and not stands_in:
            failure = rest(item, run)
            if failure is not None:
                return failure.under(step_of(key))
    return None


def _map_of(type_: Type, key_check: _Check, value_check: _Check) -> _Check:
    shown = show_type(type_)

    def check(value: Any, run: _Run) -> Failure | None:
        if value.__class__ is not Map:
            return mismatch(shown, type_name(value))
        for key, item in value.items():
            failure = key_check(key, run)
            if failure is not None:
                return failure.under(f"(key {brief(key)})")
            failure = value_check(item, run)
            if failure is not None:
                return failure.under(step_of(key))
        return None

    return check


def _union(type_: Type, members: list[_Check]) -> _Check:
    shown = show_type(type_)

    def check(value: Any, run: _Run) -> Failure | None:
        near: list[Failure] = []
        for member in members:
            failure = member(value, run)
            if failure is None:
                return None
            if failure.path or failure.head != "Type mismatch":
                near.append(failure)
        return near[0] if len(near) == 1 else mismatch(shown, type_name(value))

    return check


def _optional(type_: Type, inner: _Check) -> _Check:
    shown = show_type(type_)

    def check(value: Any, run: _Run) -> Failure | None:
        failure = None if value is None else inner(value, run)
        if failure is None or failure.path or failure.head != "Type mismatch":
            return failure
        return mismatch(shown, type_name(value))

    return check


def _and(checks: list[_Check]) -> _Check:
    def check(value: Any, run: _Run) -> Failure | None:
        for each in checks:
            failure = each(value, run)
            if failure is not None:
                return failure
        return None

    return check


def _predicate(predicate: Predicate) -> _Check:
    shown = show_predicate(predicate)
    try:
        test = test_of(predicate)
    except (BadPattern, KeyError) as error:
        bad = Failure(str(error) if isinstance(error, BadPattern) else f"Unknown predicate {shown}")
        return lambda _value, _run: bad
    return lambda value, _run: None if test(value) else predicate_failed(shown, value)


def _one_of(type_: Type, values: tuple[Any, ...]) -> _Check:
    shown = show_type(type_)

    def check(value: Any, _run: _Run) -> Failure | None:
        if any(equal(value, each) for each in values):
            return None
        return mismatch(shown, f"{type_name(value)} {brief(value)}")

    return check


def _array(type_: Type, shape: tuple[int | None, ...], item: _Check) -> _Check:
    length = shape[0]
    inner = item if len(shape) == 1 else _array(type_, shape[1:], item)
    items = _items(type_, _VECTOR, inner)

    def check(value: Any, run: _Run) -> Failure | None:
        kind = value.__class__
        if length is not None and kind in _VECTOR and len(value) != length:
            return wrong_shape(count_of(length), str(len(value)))
        return items(value, run)

    return check
