"""Kinds: the lattice that the type checks compute with. A set of kinds is an integer, one bit for each primitive kind.

The empty set means "never gives a value" (a throw, a jump); `ANY` means nothing is known. What a type accepts and what
a value is are both such sets: a value surely does not fit when the two have nothing in common.
"""

from __future__ import annotations

from rtfs_framework.lang.annotations import Any
from rtfs_framework.lang.maps import Map, Set
from rtfs_framework.lang.never import forgotten
from rtfs_framework.lang.types import model as ty
from rtfs_framework.lang.types.model import Primitive, Type
from rtfs_framework.lang.types.names import Lookup, resolve
from rtfs_framework.lang.values import ErrorValue, Keyword, Resource, Symbol, Timestamp, Uuid
from rtfs_framework.lang.vectors import GrownVector, List

Kinds = int
"""A set of kinds."""

_NAMES = (
    "nil", "bool", "int", "float", "string", "keyword", "symbol", "vector", "list", "map", "set", "function", "error",
    "timestamp", "uuid", "resource", "other",
)  # fmt: skip
(
    NIL, BOOL, INT, FLOAT, STRING, KEYWORD, SYMBOL, VECTOR, LIST, MAP, SET, FUNCTION, ERROR, TIMESTAMP, UUID, RESOURCE,
    OTHER,
) = (1 << i for i in range(len(_NAMES)))  # fmt: skip
NEVER: Kinds = 0
ANY: Kinds = (1 << len(_NAMES)) - 1
NUMBER = INT | FLOAT
SEQUENCE = VECTOR | LIST | SET | STRING | MAP | NIL
CALLABLE = FUNCTION | KEYWORD | MAP | SET | VECTOR | OTHER
"""What may stand in call position when the program runs."""

_OF_CLASS: dict[type, Kinds] = {
    type(None): NIL, bool: BOOL, int: INT, float: FLOAT, str: STRING, Keyword: KEYWORD, Symbol: SYMBOL, tuple: VECTOR,
    GrownVector: VECTOR, List: LIST, Map: MAP, Set: SET, ErrorValue: ERROR, Timestamp: TIMESTAMP, Uuid: UUID,
    Resource: RESOURCE,
}  # fmt: skip

_OF_PRIMITIVE: dict[Primitive, Kinds] = {
    Primitive.INT: INT, Primitive.FLOAT: NUMBER, Primitive.STRING: STRING, Primitive.BOOL: BOOL, Primitive.NIL: NIL,
    Primitive.KEYWORD: KEYWORD, Primitive.SYMBOL: SYMBOL, Primitive.ANY: ANY, Primitive.NEVER: NEVER,
    Primitive.TIMESTAMP: TIMESTAMP, Primitive.UUID: UUID,
}  # fmt: skip

_DEEPEST = 40
"""Levels of a type that are looked into; what lies deeper may be anything."""


def of_value(value: Any) -> Kinds:
    """Return the kind of a value."""
    return _OF_CLASS.get(value.__class__) or (FUNCTION | OTHER if callable(value) else OTHER)


def of_type(type_: Type, lookup: Lookup, depth: int = 0) -> Kinds:  # noqa: C901, PLR0912 - one line per type
    """Return the kinds of the values that may fit a type."""
    if depth > _DEEPEST:
        return ANY
    match type_:
        case Primitive():
            return _OF_PRIMITIVE[type_]
        case ty.NamedType(name):
            found = resolve(name, lookup)
            return ANY if found is None else of_type(found, lookup, depth + 1)
        case ty.VectorType() | ty.TupleType() | ty.ArrayType():
            return VECTOR
        case ty.ListType():
            return LIST | VECTOR
        case ty.SetType():
            return SET
        case ty.MapType() | ty.MapOfType() | ty.StreamType():
            return MAP
        case ty.FunctionType():
            return FUNCTION | OTHER
        case ty.UnionType(members):
            made = NEVER
            for member in members:
                made |= of_type(member, lookup, depth + 1)
            return made
        case ty.OptionalType(inner):
            return NIL | of_type(inner, lookup, depth + 1)
        case ty.AndType(members):
            kept = ANY
            for member in members:
                kept &= of_type(member, lookup, depth + 1)
            return kept
        case ty.EnumType(values):
            return _of_values(values)
        case ty.LiteralType(value):
            return of_value(value)
        case ty.ResourceType():
            return RESOURCE
        case _ as never:
            raise forgotten(never)


def _of_values(values: tuple[Any, ...]) -> Kinds:
    made = NEVER
    for value in values:
        made |= of_value(value)
    return made


_GROUPS: tuple[tuple[Kinds, str], ...] = (
    (CALLABLE & ~OTHER, "a function"), (FUNCTION, "a function"), (NUMBER, "a number"),
)  # fmt: skip
_ARTICLES = {"nil": "nil", "bool": "a boolean", "int": "an integer", "uuid": "a UUID", "error": "an error"}


def words(kinds: Kinds) -> str:
    """Return the kinds in the user's words: "a number, a string or nil"."""
    if kinds & ANY == ANY:
        return "any value"
    out: list[str] = []
    for group, word in _GROUPS:
        if kinds & group == group and word not in out:
            out.append(word)
            kinds &= ~group
    out += [_ARTICLES.get(name, f"a {name}") for i, name in enumerate(_NAMES[:-1]) if kinds >> i & 1]
    out.sort(key=lambda word: word == "nil")
    return out[0] if len(out) == 1 else f"{', '.join(out[:-1])} or {out[-1]}" if out else "nothing"
