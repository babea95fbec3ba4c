"""Subtypes: whether every value of one type surely fits another. False means that nothing is proved."""

from __future__ import annotations

from rtfs_framework.lang.types import model as ty
from rtfs_framework.lang.types.check import violation
from rtfs_framework.lang.types.model import Primitive, Type
from rtfs_framework.lang.types.names import Lookup, resolve
from rtfs_framework.lang.types.show import show_type

_DEEPEST = 20
"""Levels of a type that are looked into."""


def is_subtype(narrow: Type, wide: Type, lookup: Lookup, depth: int = 0) -> bool:
    """Tell whether every value that fits `narrow` fits `wide` too. Python's equality would not do: `1 == True`."""
    if narrow is wide or wide is Primitive.ANY or narrow is Primitive.NEVER:
        return True
    if isinstance(narrow, ty.NamedType) and isinstance(wide, ty.NamedType) and narrow.name == wide.name:
        return True
    if depth > _DEEPEST:
        return False
    if isinstance(narrow, ty.NamedType):
        found = resolve(narrow.name, lookup)
        return found is not None and is_subtype(found, wide, lookup, depth + 1)
    if isinstance(wide, ty.NamedType):
        found = resolve(wide.name, lookup)
        return found is not None and is_subtype(narrow, found, lookup, depth + 1)
    return _members(narrow, wide, lookup, depth + 1)


def is_same(one: Type | None, other: Type | None) -> bool:
    """Tell whether two types are one. Python's equality alone takes `[:val 1]` for `[:val true]`."""
    if one is other or one is None or other is None:
        return one is other
    return one == other and show_type(one) == show_type(other)


def _members(narrow: Type, wide: Type, lookup: Lookup, depth: int) -> bool:
    """Look at types that are made of others, of which one or all must fit."""
    match narrow:
        case ty.UnionType(members):
            return all(is_subtype(member, wide, lookup, depth) for member in members)
        case ty.OptionalType(inner):
            return all(is_subtype(each, wide, lookup, depth) for each in (Primitive.NIL, inner))
        case ty.EnumType(values):
            return all(violation(wide, value, lookup) is None for value in values)
        case ty.LiteralType(value):
            return violation(wide, value, lookup) is None
        case ty.AndType(members):
            return any(is_subtype(member, wide, lookup, depth) for member in members)
        case _:
            pass
    match wide:
        case ty.UnionType(members):
            return any(is_subtype(narrow, member, lookup, depth) for member in members)
        case ty.OptionalType(inner):
            return narrow is Primitive.NIL or is_subtype(narrow, inner, lookup, depth)
        case _:
            return _collections(narrow, wide, lookup, depth)


def _collections(narrow: Type, wide: Type, lookup: Lookup, depth: int) -> bool:
    match narrow, wide:
        case Primitive.INT, Primitive.FLOAT:
            return True
        case (
            (ty.VectorType(a), ty.VectorType(b) | ty.ListType(b))
            | (ty.ListType(a), ty.ListType(b))
            | (ty.SetType(a), ty.SetType(b))
        ):
            return is_subtype(a, b, lookup, depth)
        case ty.TupleType(items), ty.VectorType(b) | ty.ListType(b):
            return all(is_subtype(item, b, lookup, depth) for item in items)
        case ty.TupleType(items), ty.TupleType(others) if len(items) == len(others):
            return all(is_subtype(a, b, lookup, depth) for a, b in zip(items, others, strict=True))
        case ty.MapOfType(key, value), ty.MapOfType(other_key, other):
            return is_subtype(key, other_key, lookup, depth) and is_subtype(value, other, lookup, depth)
        case ty.StreamType(item, takes), ty.StreamType(other, wanted):
            return _same_or_any(item, other) and (wanted is None or (takes is not None and _same_or_any(takes, wanted)))
        case ty.MapType(), ty.MapType(entries, None):
            return all(_has_entry(narrow, e.key, e.type, lookup, depth, optional=e.optional) for e in entries)
        case _:
            return False


def _same_or_any(narrow: Type, wide: Type) -> bool:
    """Tell whether a stream's item type passes for another: of a handle only the text of its type is seen."""
    return wide is Primitive.ANY or is_same(narrow, wide)


def _has_entry(narrow: ty.MapType, key: object, wanted: Type, lookup: Lookup, depth: int, *, optional: bool) -> bool:
    for entry in narrow.entries:
        if entry.key.__class__ is key.__class__ and entry.key == key:
            return (optional or not entry.optional) and is_subtype(entry.type, wanted, lookup, depth)
    return False


def is_recursive(type_: Type, lookup: Lookup, around: frozenset[str] = frozenset()) -> bool:
    """Tell whether a type's values may nest to any depth, because a name in it comes back to itself."""
    match type_:
        case ty.NamedType(name):
            found = resolve(name, lookup)
            return name in around or (found is not None and is_recursive(found, lookup, around | {name}))
        case ty.VectorType(item) | ty.ListType(item) | ty.SetType(item) | ty.OptionalType(item) | ty.ArrayType(item):
            return is_recursive(item, lookup, around)
        case ty.TupleType(types) | ty.UnionType(types) | ty.AndType(types):
            return any(is_recursive(each, lookup, around) for each in types)
        case ty.MapType(entries, rest):
            parts = [*(entry.type for entry in entries), *([] if rest is None else [rest])]
            return any(is_recursive(each, lookup, around) for each in parts)
        case ty.MapOfType(key, value):
            return is_recursive(key, lookup, around) or is_recursive(value, lookup, around)
        case _:
            return False
