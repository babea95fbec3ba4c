"""Values and types as rows, and back: literals and quoted data, type expressions, signatures.

A value that JSON has stands for itself; every other one is a row that begins with its tag. What comes back has gone
through the same tests as what the reader reads: no name, number or text can be made here that no program could write.
"""

from __future__ import annotations

from math import isfinite, isnan

from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import Any, Callable
from rtfs_framework.lang.literals import is_resource, is_timestamp, is_uuid, names_keyword
from rtfs_framework.lang.maps import Map, Set
from rtfs_framework.lang.published.rows import MOST_INTEGER, PublishedError
from rtfs_framework.lang.types import model as types
from rtfs_framework.lang.values import Keyword, Resource, Symbol, Timestamp, Uuid
from rtfs_framework.lang.vectors import GrownVector, List

MOST_NAME = 512
"""Characters of a name."""

MOST_DIGITS = 50_000
"""Hexadecimal digits of an integer."""

_PLAIN = (str, bool, type(None))
_TEXTS: dict[str, tuple[type[Any], Callable[[str], bool]]] = {
    "k": (Keyword, names_keyword),
    "T": (Timestamp, is_timestamp),
    "U": (Uuid, is_uuid),
    "R": (Resource, is_resource),
}
_TEXT_TAGS = {cls: tag for tag, (cls, _) in _TEXTS.items()}
_COLLECTIONS: dict[str, Callable[[list[Any]], Any]] = {"v": tuple, "l": List, "s": Set.of}


def name(row: Any) -> str:
    """Return a name: short, and nothing in it that a screen would obey.

    Raises:
        PublishedError: it is none.
    """
    if not isinstance(row, str) or not 0 < len(row) <= MOST_NAME or not row.isprintable():
        raise PublishedError("a name that no program has")
    return row


def text(row: Any) -> str:
    """Return a text.

    Raises:
        PublishedError: it is none.
    """
    if not isinstance(row, str):
        raise PublishedError("a text is missing")
    return row


def flag(row: Any) -> bool:
    """Return true or false.

    Raises:
        PublishedError: it is neither.
    """
    if not isinstance(row, bool):
        raise PublishedError("neither true nor false")
    return row


def listed(row: Any, size: int | None = None) -> list[Any]:
    """Return a row of so many items.

    Raises:
        PublishedError: it is none.
    """
    if not isinstance(row, list) or (size is not None and len(row) != size):
        raise PublishedError("a row of another length" if isinstance(row, list) else "a row is missing")
    return row


def value_row(value: Any) -> Any:
    """Return the row of a value.

    Raises:
        PublishedError: it is no data (a function, say).
    """
    kind = value.__class__
    if kind in _PLAIN:
        return value
    if kind is int:
        return value if -MOST_INTEGER < value < MOST_INTEGER else ["i", f"{value:x}"]
    if kind is float:
        return ["d", value.hex()]
    if kind is Symbol:
        return ["y", value.name]
    if kind in _TEXT_TAGS:
        return [_TEXT_TAGS[kind], value.name if kind is Keyword else value.text]
    if kind is tuple or kind is GrownVector:
        return ["v", *map(value_row, value)]
    if kind is List or kind is Set:
        return ["l" if kind is List else "s", *map(value_row, value)]
    if kind is Map:
        return ["m", *(value_row(part) for entry in value.items() for part in entry)]
    if kind.__module__ == types.__name__:
        return ["t", type_row(value)]
    raise PublishedError(f"a constant that is no data ({kind.__name__})")


def value(row: Any) -> Any:
    """Return the value of a row.

    Raises:
        PublishedError: it is none.
    """
    if row.__class__ in _PLAIN or row.__class__ is int:
        return row
    tag, *parts = listed(row) or [None]
    if tag in _COLLECTIONS:
        return _COLLECTIONS[tag]([value(part) for part in parts])
    if tag == "m":
        if len(parts) % 2:
            raise PublishedError("a map with half an entry")
        made = [value(part) for part in parts]
        return Map.of(zip(made[::2], made[1::2], strict=True))
    (only,) = listed(parts, 1)
    if tag == "t":
        return type_(only)
    if tag == "i":
        return _large(text(only))
    if tag == "d":
        return _float(text(only))
    if tag == "y":
        return Symbol(name(only))
    if tag in _TEXTS:
        cls, is_one = _TEXTS[tag]
        if not is_one(text(only)):
            raise PublishedError(f"no {cls.__name__.lower()}")
        return cls(only)
    raise PublishedError("an unknown kind of value")


def _large(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise PublishedError("an integer that is too large")
    try:
        made = int(digits, 16)
    except ValueError:
        raise PublishedError("no integer") from None
    if -MOST_INTEGER < made < MOST_INTEGER or f"{made:x}" != digits:
        raise PublishedError("an integer that is written in another way")
    return made


def _float(digits: str) -> float:
    try:
        made = float.fromhex(digits)
    except (ValueError, OverflowError):
        raise PublishedError("no float") from None
    if made.hex() != digits or not (isfinite(made) or isnan(made) or made in {float("inf"), float("-inf")}):
        raise PublishedError("a float that is written in another way")
    return made


_ONE, _MANY, _MAYBE, _NAME, _VALUE, _VALUES, _FLAG = "one", "many", "maybe", "name", "value", "values", "flag"
_TYPES: dict[str, tuple[type[Any], tuple[str, ...]]] = {
    "named": (types.NamedType, (_NAME,)),
    "vector": (types.VectorType, (_ONE,)),
    "list": (types.ListType, (_ONE,)),
    "set": (types.SetType, (_ONE,)),
    "tuple": (types.TupleType, (_MANY,)),
    "map": (types.MapType, ("entries", _MAYBE)),
    "map-of": (types.MapOfType, (_ONE, _ONE)),
    "fn": (types.FunctionType, (_MANY, _MAYBE, _ONE)),
    "union": (types.UnionType, (_MANY,)),
    "optional": (types.OptionalType, (_ONE,)),
    "and": (types.AndType, (_MANY, "predicates")),
    "enum": (types.EnumType, (_VALUES,)),
    "val": (types.LiteralType, (_VALUE,)),
    "array": (types.ArrayType, (_ONE, "shape")),
    "resource": (types.ResourceType, (_NAME,)),
    "stream": (types.StreamType, (_ONE, _MAYBE)),
}
_TYPE_TAGS = {cls: tag for tag, (cls, _) in _TYPES.items()}


def type_row(declared: types.Type | None) -> Any:
    """Return the row of a type, nil of none; a primitive stands as its word."""
    if declared is None:
        return None
    if isinstance(declared, types.Primitive):
        return declared.value
    tag = _TYPE_TAGS[declared.__class__]
    fields = records.fields_of(declared.__class__)
    return [tag, *(_WRITE[how](getattr(declared, f.name)) for how, f in zip(_TYPES[tag][1], fields, strict=True))]


def maybe_type(row: Any) -> types.Type | None:
    """Return the type of a row, None of nil."""
    return None if row is None else type_(row)


def type_(row: Any) -> types.Type:
    """Return the type of a row.

    Raises:
        PublishedError: it is none.
    """
    if isinstance(row, str):
        try:
            return types.Primitive(row)
        except ValueError:
            raise PublishedError("an unknown primitive type") from None
    tag, *parts = listed(row) or [None]
    if not isinstance(tag, str) or tag not in _TYPES:
        raise PublishedError("an unknown kind of type")
    cls, how = _TYPES[tag]
    made: types.Type = cls(*(_READ[each](part) for each, part in zip(how, listed(parts, len(how)), strict=True)))
    return made


def _entry(row: Any) -> types.MapEntry:
    key, declared, optional = listed(row, 3)
    return types.MapEntry(value(key), type_(declared), flag(optional))


def _predicate(row: Any) -> types.Predicate:
    called, *args = listed(row) or [None]
    return types.Predicate(name(called), tuple(map(value, args)))


def _length(row: Any) -> int | None:
    if row is not None and (row.__class__ is not int or row < 0):
        raise PublishedError("no length")
    return row


_WRITE: dict[str, Callable[[Any], Any]] = {
    _ONE: type_row,
    _MAYBE: type_row,
    _MANY: lambda many: [type_row(each) for each in many],
    _NAME: lambda one: one,
    _VALUE: value_row,
    _VALUES: lambda many: [value_row(each) for each in many],
    "entries": lambda many: [[value_row(each.key), type_row(each.type), each.optional] for each in many],
    "predicates": lambda many: [[each.name, *map(value_row, each.args)] for each in many],
    "shape": list,
}
_READ: dict[str, Callable[[Any], Any]] = {
    _ONE: type_,
    _MAYBE: maybe_type,
    _MANY: lambda rows: tuple(map(type_, listed(rows))),
    _NAME: name,
    _VALUE: value,
    _VALUES: lambda rows: tuple(map(value, listed(rows))),
    "entries": lambda rows: tuple(map(_entry, listed(rows))),
    "predicates": lambda rows: tuple(map(_predicate, listed(rows))),
    "shape": lambda rows: tuple(map(_length, listed(rows))),
}
