"""Patterns of argument types, for rules: `[:vector :int]` fits a call whose argument is a vector of integers.

A pattern is a type as programs write it, as far as a call's types tell (`CallContext.types`): they know a collection's
items, and neither a map's single entries nor how many items there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.types import model as ty
from rtfs_framework.lang.types.model import Primitive, Type
from rtfs_framework.lang.types.names import PRIMITIVES, instead, no_names, resolve

_KNOWN = ":int, :string, [:vector T], [:list T], [:set T], [:map-of K V], [:union T U], T?"
_SEEN_SEQUENCES: dict[str, Any] = {"vector": ty.VectorType, "list": ty.ListType, "set": ty.SetType}


class BadTypePattern(ValueError):
    """A text that is no pattern of types, and what to write instead."""

    def __init__(self, message: str, way_out: str | None) -> None:
        super().__init__(message)
        self.way_out = way_out


class TypePattern:
    """One pattern: `:int`, `[:vector :any]`; as a rule's last one also `& T`, for all arguments that are left."""

    __slots__ = ("rest", "text", "type")

    def __init__(self, text: str) -> None:
        """Read a pattern.

        Raises:
            BadTypePattern: The text is none.
        """
        self.text = text
        word = text.strip()
        self.rest = word.startswith("&")
        self.type = _read(word[1:].strip() if self.rest else word)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TypePattern) and (other.rest, other.type) == (self.rest, self.type)

    def __hash__(self) -> int:
        return hash((self.rest, self.type))

    def __repr__(self) -> str:
        return f"TypePattern({self.text!r})"

    def __str__(self) -> str:
        return self.text

    @property
    def specificity(self) -> int:
        """How much it says: one for each word of it but `:any`; members of a union together say as much as one."""
        return _said(self.type)


def types_fit(patterns: Sequence[TypePattern], types: Sequence[str]) -> bool:
    """Tell whether a call's argument types fit: one pattern for each argument, a last `& T` for all that are left."""
    fixed = len(patterns)
    if patterns and patterns[-1].rest:
        fixed -= 1
        if len(types) < fixed or not all(_fits(patterns[-1].type, each) for each in types[fixed:]):
            return False
    elif len(types) != fixed:
        return False
    return all(_fits(pattern.type, each) for pattern, each in zip(patterns[:fixed], types[:fixed], strict=True))


def _read(text: str) -> Type:
    from rtfs_framework.api.typed import parse_type

    try:
        found = parse_type(text)
    except LanguageError as error:
        first = error.diagnostics[0]
        raise BadTypePattern(f"'{text}' is no type: {first.message}", first.help or f"such as {_KNOWN}") from error
    return _checked(text, found)


def _checked(text: str, type_: Type) -> Type:
    """Return a type with its names resolved, if argument types can tell whether they fit it.

    Raises:
        BadTypePattern: They cannot.
    """
    match type_:
        case Primitive():
            return type_
        case ty.NamedType(name):
            known = resolve(name, no_names)
            if known is None:
                raise BadTypePattern(f"'{text}': no type is called {name}", instead(name, PRIMITIVES))
            return known
        case ty.VectorType(item) | ty.ListType(item) | ty.SetType(item) | ty.OptionalType(item):
            return type(type_)(_checked(text, item))
        case ty.MapOfType(key, value):
            return ty.MapOfType(_checked(text, key), _checked(text, value))
        case ty.UnionType(members):
            return ty.UnionType(tuple(_checked(text, each) for each in members))
        case _:
            way_out = f"write what they tell: {_KNOWN}; for a map [:map-of :any :any]"
            raise BadTypePattern(f"'{text}' says more than argument types tell", way_out)


def _said(type_: Type) -> int:
    match type_:
        case Primitive.ANY:
            return 0
        case ty.VectorType(item) | ty.ListType(item) | ty.SetType(item):
            return 1 + _said(item)
        case ty.MapOfType(key, value):
            return 1 + _said(key) + _said(value)
        case ty.UnionType(members):
            return min(map(_said, members))
        case ty.OptionalType(item):
            return _said(item)
        case _:
            return 1


@lru_cache(maxsize=4096)
def _fits(wide: Type, seen: str) -> bool:
    from rtfs_framework.lang.types.subtypes import is_subtype

    return is_subtype(_seen(seen), wide, no_names)


@lru_cache(maxsize=1024)
def _seen(text: str) -> Type:
    """Return the type that a text of `CallContext.types` means; one that nobody knows fits `:any` alone."""
    found, rest = _seen_at(text)
    return found if not rest else Primitive.ANY


def _seen_at(text: str) -> tuple[Type, str]:
    """Return the type at the start of a text, and what follows it."""
    if text.startswith("[:"):
        kind, _, rest = text[2:].partition(" ")
        if kind == "map":
            key, rest = _seen_at(rest)
            value, rest = _seen_at(rest.lstrip())
            return ty.MapOfType(key, value), rest[1:]
        item, rest = _seen_at(rest)
        made = _SEEN_SEQUENCES.get(kind)
        return (Primitive.ANY if made is None else made(item)), rest[1:]
    end = min((place for place in (text.find(" "), text.find("]")) if place >= 0), default=len(text))
    word = text[1:end]
    return PRIMITIVES.get(word) or ty.NamedType(word), text[end:]
