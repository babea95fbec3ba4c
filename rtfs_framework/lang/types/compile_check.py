"""Compile a type to a closure that checks values: `checker(type, lookup)(value)` is None when the value fits.

The checks of the single kinds of type are in `checks`; this module puts them together and resolves names.
"""

from __future__ import annotations

from rtfs_framework.lang.annotations import Any, Callable
from rtfs_framework.lang.maps import Set
from rtfs_framework.lang.never import forgotten
from rtfs_framework.lang.types.checks import (
    LIST,
    VECTOR,
    Check,
    Run,
    and_check,
    array_check,
    items_check,
    map_check,
    map_of_check,
    of_class,
    one_of_check,
    optional_check,
    predicate_check,
    tuple_check,
    union_check,
)
from rtfs_framework.lang.types.failure import TOO_DEEP, Failure, mismatch
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
    Primitive,
    ResourceType,
    SetType,
    TupleType,
    Type,
    UnionType,
    VectorType,
)
from rtfs_framework.lang.types.names import Lookup, no_names, resolve
from rtfs_framework.lang.types.show import show_type
from rtfs_framework.lang.values import (
    Keyword,
    Resource,
    Symbol,
    Timestamp,
    Uuid,
    is_function,
    type_name,
)

MAX_DEPTH = 400
"""Levels of named (recursive) types that a value may go through."""

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


class _Scope:
    """One compilation: the user's names, each compiled once."""

    __slots__ = ("lookup", "named")

    def __init__(self, lookup: Lookup) -> None:
        self.lookup = lookup
        self.named: dict[str, Check] = {}


def checker(type_: Type, lookup: Lookup = no_names) -> Callable[[Any], str | None]:
    """Return a function from a value to None (it fits) or the message after "Type validation error: "."""
    basic = resolve(type_.name, lookup) if isinstance(type_, NamedType) and lookup(type_.name) is None else type_
    if isinstance(basic, Primitive):
        return _primitive_checker(basic, show_type(type_))
    find = failure_finder(type_, lookup)

    def message(value: Any) -> str | None:
        failure = find(value)
        return None if failure is None else str(failure)

    return message


def failure_finder(type_: Type, lookup: Lookup = no_names) -> Callable[[Any], Failure | None]:
    """Return a function from a value to None (it fits) or why it does not fit."""
    check = _compile(type_, _Scope(lookup))

    def find(value: Any) -> Failure | None:
        try:
            return check(value, Run())
        except RecursionError:
            return TOO_DEEP

    return find


def _primitive_checker(type_: Primitive, shown: str) -> Callable[[Any], str | None]:
    if type_ is Primitive.ANY:
        return lambda _value: None
    classes, expected = CLASSES[type_], f"Type mismatch: expected {shown}, got "
    return lambda value: None if value.__class__ in classes else expected + type_name(value)


def _compile(type_: Type, scope: _Scope) -> Check:  # noqa: C901, PLR0912 - one line per kind of type
    match type_:
        case Primitive.ANY:
            return lambda _value, _run: None
        case Primitive():
            return of_class(CLASSES[type_], type_)
        case NamedType(name):
            return scope.named.get(name) or _named(name, scope)
        case VectorType(item):
            return items_check(type_, VECTOR, _compile(item, scope))
        case ListType(item):
            return items_check(type_, LIST, _compile(item, scope))
        case SetType(item):
            return items_check(type_, frozenset({Set}), _compile(item, scope))
        case TupleType(items):
            return tuple_check(type_, [_compile(item, scope) for item in items])
        case MapType():
            rest = None if type_.rest is None else _compile(type_.rest, scope)
            return map_check(type_, [_compile(e.type, scope) for e in type_.entries], rest)
        case MapOfType(key, value):
            return map_of_check(type_, _compile(key, scope), _compile(value, scope))
        case FunctionType():
            return lambda value, _run: None if is_function(value) else mismatch(show_type(type_), type_name(value))
        case UnionType(members):
            return union_check(type_, [_compile(member, scope) for member in members])
        case OptionalType(inner):
            return optional_check(type_, _compile(inner, scope))
        case AndType(members, predicates):
            return and_check([_compile(member, scope) for member in members] + [predicate_check(p) for p in predicates])
        case EnumType(values):
            return one_of_check(type_, values)
        case LiteralType(value):
            return one_of_check(type_, (value,))
        case ArrayType(item, shape):
            return array_check(type_, shape or (None,), _compile(item, scope))
        case ResourceType():
            return of_class(frozenset({Resource}), type_)
        case _ as never:
            raise forgotten(never)


def _named(name: str, scope: _Scope) -> Check:
    """Check against a name, resolved when it is needed: definitions may follow, refer to themselves and be replaced."""
    known: Type | None = None
    check: Check | None = None

    def verdict(value: Any, run: Run) -> Failure | None:
        nonlocal known, check
        definition = scope.lookup(name)
        if check is None or definition is not known:
            found = resolve(name, scope.lookup)
            if found is None:
                return mismatch(name, f"{type_name(value)} ({name} is not a known type)")
            check, known = _compile(found, scope), definition
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
