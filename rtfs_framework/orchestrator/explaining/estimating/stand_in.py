"""Stand-ins for answers: values of a declared type. No model said them; a program goes on with them.

In: a type, what its names stand for, and the number of a variant: even ones are small (the empty, the absent), odd ones
large; of alternatives each variant takes the next. Out: a value that fits, or `NONE` where none can be made (a
refinement that no plain value meets, a function, a resource).
"""

from __future__ import annotations

from typing import Any, Final

from rtfs_framework.lang.maps import EMPTY_MAP, Map, Set
from rtfs_framework.lang.types.check import violation
from rtfs_framework.lang.types.model import (
    AndType,
    ArrayType,
    EnumType,
    ListType,
    LiteralType,
    MapOfType,
    MapType,
    NamedType,
    OptionalType,
    Predicate,
    Primitive,
    SetType,
    TupleType,
    Type,
    UnionType,
    VectorType,
)
from rtfs_framework.lang.types.names import Lookup, resolve
from rtfs_framework.lang.values import Keyword, Symbol
from rtfs_framework.lang.vectors import List

NONE: Final = object()
"""No value of a type is known."""
_DEEPEST = 6
_TEXT = "a text, of some length, as a model may write it"
_VALUES: dict[Primitive, tuple[Any, Any]] = {
    Primitive.STRING: ("", _TEXT),
    Primitive.ANY: ("", _TEXT),
    Primitive.INT: (0, 1000),
    Primitive.FLOAT: (0.0, 0.5),
    Primitive.BOOL: (False, True),
    Primitive.NIL: (None, None),
    Primitive.KEYWORD: (Keyword("a"), Keyword("some-keyword")),
    Primitive.SYMBOL: (Symbol("a"), Symbol("some-symbol")),
}


def stand_in(type_: Type | None, lookup: Lookup, variant: int) -> Any:
    """Return a value of a type, `NONE` where none is known. Without a type it is a text, as a model's answer is."""
    wanted = Primitive.STRING if type_ is None else type_
    found = _of(wanted, lookup, variant, 0)
    return found if found is NONE or violation(wanted, found, lookup) is None else NONE


def _of(type_: Type, lookup: Lookup, variant: int, depth: int) -> Any:
    large = variant % 2
    if depth > _DEEPEST:
        return NONE
    match type_:
        case Primitive():
            return _VALUES[type_][large] if type_ in _VALUES else NONE
        case EnumType(values=values):
            return values[variant % len(values)] if values else NONE
        case LiteralType(value=value):
            return value
        case OptionalType(type=inner):
            found = _of(inner, lookup, variant, depth + 1) if large else None
            return None if found is NONE else found
        case UnionType(members=members):
            first = variant % max(1, len(members))
            made = (_of(member, lookup, variant, depth + 1) for member in (*members[first:], *members[:first]))
            return next((each for each in made if each is not NONE), NONE)
        case NamedType(name=name):
            named = resolve(name, lookup)
            return NONE if named is None else _of(named, lookup, variant, depth + 1)
        case AndType(members=members, predicates=predicates):
            return _refined(members, predicates, lookup, variant, depth)
        case _:
            return _collection(type_, lookup, variant, depth)


def _collection(type_: Type, lookup: Lookup, variant: int, depth: int) -> Any:
    count = 2 * (variant % 2)

    def several(item: Type, most: int) -> list[Any] | None:
        made = _of(item, lookup, variant, depth + 1) if most else None
        return None if made is NONE else [made] * most

    match type_:
        case VectorType(item=item):
            found = several(item, count)
            return () if found is None else tuple(found)
        case ListType(item=item):
            return List(several(item, count) or [])
        case SetType(item=item):
            return Set.of(several(item, min(count, 1)) or [])
        case TupleType(items=items):
            each = [_of(item, lookup, variant, depth + 1) for item in items]
            return NONE if NONE in each else tuple(each)
        case MapType(entries=entries):
            wanted = [entry for entry in entries if count or not entry.optional]
            made = {entry.key: _of(entry.type, lookup, variant, depth + 1) for entry in wanted}
            missing = [entry for entry in wanted if made[entry.key] is NONE]
            if any(not entry.optional for entry in missing):
                return NONE
            return Map.of((key, value) for key, value in made.items() if value is not NONE)
        case MapOfType(key=key, value=value):
            pair = _of(key, lookup, variant, depth + 1), _of(value, lookup, variant, depth + 1)
            return EMPTY_MAP if not count or NONE in pair else Map.of([pair])
        case ArrayType(item=item, shape=shape):
            filled = _of(item, lookup, variant, depth + 1)
            for length in reversed(shape):
                filled = NONE if filled is NONE else tuple([filled] * (count if length is None else length))
            return filled
    return NONE


def _refined(
    members: tuple[Type, ...], predicates: tuple[Predicate, ...], lookup: Lookup, variant: int, depth: int
) -> Any:
    """Return a value that meets refinements: a plain one, else one at a bound that they name."""
    plain = [_of(member, lookup, each, depth + 1) for member in members for each in (variant, 0, 1)]
    bounds = [arg for predicate in predicates for arg in predicate.args if isinstance(arg, int | float)]
    near: list[Any] = [number for bound in bounds for number in (bound, bound + 1, bound - 1)]
    texts: list[Any] = ["a" * int(number) for number in near if 0 <= number <= 10_000]
    rows = [(each[0],) * int(n) for each in plain if isinstance(each, tuple) and each for n in near if 0 <= n <= 10_000]
    whole = AndType(members, predicates)
    tried = [each for each in (*plain, *near, *texts, *rows) if each is not NONE]
    return next((each for each in tried if violation(whole, each, lookup) is None), NONE)


def variety(type_: Type | None, lookup: Lookup, depth: int = 0) -> int:
    """Return how many variants show all alternatives of a type."""
    if depth > _DEEPEST:
        return 2
    inner: tuple[Type | None, ...] = ()
    own = 2
    match type_:
        case EnumType(values=values):
            own = len(values)
        case UnionType(members=members):
            own, inner = len(members), members
        case AndType(members=members):
            inner = members
        case OptionalType(type=item) | VectorType(item=item) | ListType(item=item) | SetType(item=item):
            inner = (item,)
        case TupleType(items=items):
            inner = items
        case MapType(entries=entries):
            inner = tuple(entry.type for entry in entries)
        case NamedType(name=name):
            inner = (resolve(name, lookup),)
    return max(2, own, *(variety(each, lookup, depth + 1) for each in inner))
