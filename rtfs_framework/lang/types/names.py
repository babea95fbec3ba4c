"""What a type's name stands for: the user's own definitions first, then the primitives' names, then `T?`."""

from __future__ import annotations

from collections.abc import Callable

from rtfs_framework.lang.types.model import AndType, NamedType, OptionalType, Primitive, Type, UnionType

Lookup = Callable[[str], "Type | None"]
"""Resolves the names that a program defines (`deftype`, `defstruct`); None for any other name."""

PRIMITIVES: dict[str, Primitive] = {p.value: p for p in Primitive}
"""Every primitive by its keyword's name."""

_ALIASES: dict[str, Primitive] = {**PRIMITIVES, **{p.value.capitalize(): p for p in Primitive}}


def no_names(name: str) -> Type | None:  # noqa: ARG001 - the shape of a Lookup
    """Return None: the lookup of a program that defines no types."""
    return None


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
