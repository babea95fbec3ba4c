"""What a type's name stands for: the user's own definitions first, then the primitives' names, then `T?`."""

from __future__ import annotations

from rtfs_framework.lang.annotations import Callable, Iterable
from rtfs_framework.lang.diagnostics import did_you_mean
from rtfs_framework.lang.types.model import AndType, NamedType, OptionalType, Primitive, Type, UnionType

Lookup = Callable[[str], "Type | None"]
"""Resolves the names that a program defines (`deftype`, `defstruct`); None for any other name."""

PRIMITIVES: dict[str, Primitive] = {p.value: p for p in Primitive}
"""Every primitive by its keyword's name."""

_ALIASES: dict[str, Primitive] = {**PRIMITIVES, **{p.value.capitalize(): p for p in Primitive}}


_ELSEWHERE = {
    **dict.fromkeys(("number", "num", "numeric"), "write [:union :int :float], or :float, which takes integers too"),
    **dict.fromkeys(("integer", "long", "bigint"), "did you mean ':int'?"),
    **dict.fromkeys(("double", "real", "decimal"), "did you mean ':float'?"),
    **dict.fromkeys(("str", "text", "char"), "did you mean ':string'?"),
    **dict.fromkeys(("boolean", "logical"), "did you mean ':bool'?"),
    **dict.fromkeys(("null", "none", "void", "unit"), "did you mean ':nil'?"),
    **dict.fromkeys(("list", "vector", "array", "seq", "coll"), "write [:vector :any]"),
    **dict.fromkeys(
        ("map", "dict", "object", "hash-map", "record"), "write [:map-of :any :any] or [:map [:key T] ...]"
    ),
    **dict.fromkeys(("set",), "write [:set :any]"),
    **dict.fromkeys(("fn", "function"), "write [:fn [:any] :any]"),
}
"""What to write for a type of another language."""


def instead_of(name: str) -> str | None:
    """Return what to write for a type of another language; None where it is none."""
    return _ELSEWHERE.get(name.lower())


def no_names(name: str) -> Type | None:  # noqa: ARG001 - the shape of a Lookup
    """Return None: the lookup of a program that defines no types."""
    return None


def any_of_name(name: str) -> Type | None:
    """Take a name that nobody defines for what a value means: contracts of capabilities name `:url` or `Document`."""
    return None if name.removesuffix("?") in _ALIASES else Primitive.ANY


def resolve(name: str, lookup: Lookup) -> Type | None:
    """Return the type that a name stands for, or None for an unknown name and one that only stands for itself."""
    found = lookup(name)
    if found is not None:
        return None if _stands_for_itself(name, found, lookup) else found
    if name in _ALIASES:
        return _ALIASES[name]
    base = name[:-1]
    if name.endswith("?") and resolve(base, lookup) is not None:
        return OptionalType(PRIMITIVES.get(base) or NamedType(base))
    return None


def _stands_for_itself(name: str, found: Type, lookup: Lookup) -> bool:
    """Tell whether a definition comes back to its name without a collection between: no value could ever decide it."""
    todo, seen = [found], set[str]()
    while todo:
        type_ = todo.pop()
        if isinstance(type_, NamedType):
            base = type_.name if lookup(type_.name) is not None else type_.name.removesuffix("?")
            if base == name:
                return True
            following = None if base in seen else lookup(base)
            seen.add(base)
            if following is not None:
                todo.append(following)
        elif isinstance(type_, OptionalType):
            todo.append(type_.type)
        elif isinstance(type_, UnionType | AndType):
            todo.extend(type_.members)
    return False


def instead(name: str, known: Iterable[str]) -> str:
    """Return what to write for a name that is no type; `known` are the names of types."""
    elsewhere = _ELSEWHERE.get(name.removesuffix("?").lower())
    return elsewhere or did_you_mean(name, known) or "define it with (deftype Name T) or defstruct"
