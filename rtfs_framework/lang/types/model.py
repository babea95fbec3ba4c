"""Type expressions as frozen records (LANGUAGE.md 12.2). Dispatch over `Type` is total: mypy proves every match."""

from __future__ import annotations

from enum import Enum

from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import Any


class Primitive(Enum):
    """The primitive types; the value is the RTFS keyword."""

    INT = "int"
    FLOAT = "float"
    STRING = "string"
    BOOL = "bool"
    NIL = "nil"
    KEYWORD = "keyword"
    SYMBOL = "symbol"
    ANY = "any"
    NEVER = "never"
    TIMESTAMP = "timestamp"
    UUID = "uuid"


@records.frozen()
class NamedType:
    """A name that is not a primitive's own keyword: `Int`, `Point`, `int?`, `number`. Unknown names fit nothing."""

    name: str


@records.frozen()
class VectorType:
    """`[:vector T]`."""

    item: Type


@records.frozen()
class ListType:
    """`[:list T]`."""

    item: Type


@records.frozen()
class SetType:
    """`[:set T]`."""

    item: Type


@records.frozen()
class TupleType:
    """`[:tuple T U ...]`."""

    items: tuple[Type, ...]


@records.frozen()
class MapEntry:
    """`[:k T]` or, optional, `[:k T ?]`. The key is an RTFS value (a keyword, string or integer)."""

    key: Any
    type: Type
    optional: bool = False


@records.frozen()
class MapType:
    """`[:map [:k T] ... [:* T]]`; `rest` is the type of the other entries' values, None when not said."""

    entries: tuple[MapEntry, ...]
    rest: Type | None = None


@records.frozen()
class MapOfType:
    """`[:map-of K V]`."""

    key: Type
    value: Type


@records.frozen()
class FunctionType:
    """`[:fn [A B & V] R]`."""

    parameters: tuple[Type, ...]
    rest: Type | None
    returns: Type


@records.frozen()
class UnionType:
    """`[:union T U ...]`, `[:or ...]`."""

    members: tuple[Type, ...]


@records.frozen()
class OptionalType:
    """`[:optional T]`."""

    type: Type


@records.frozen()
class Predicate:
    """A refinement such as `[:> 0]`: its name and arguments (RTFS values)."""

    name: str
    args: tuple[Any, ...] = ()


@records.frozen()
class AndType:
    """`[:and T ... [:pred arg] ...]`: all types and all predicates hold."""

    members: tuple[Type, ...]
    predicates: tuple[Predicate, ...] = ()


@records.frozen()
class EnumType:
    """`[:enum a b ...]`: one of these literals (strict equality)."""

    values: tuple[Any, ...]


@records.frozen()
class LiteralType:
    """`[:val x]`."""

    value: Any


@records.frozen()
class ArrayType:
    """`[:array T [2 ?]]`: nested vectors of these lengths; None stands for `?`."""

    item: Type
    shape: tuple[int | None, ...] = ()


@records.frozen()
class ResourceType:
    """`[:resource Name]`."""

    name: str


@records.frozen()
class StreamType:
    """`[:stream T]`, or `[:stream-bi T U]` of one that also takes items of type U: the handle of such a stream.

    A handle is a map; its `:of` and `:takes` are the texts of the types that its host checks each item against.
    """

    item: Type
    takes: Type | None = None


Type = (
    Primitive
    | NamedType
    | VectorType
    | ListType
    | SetType
    | TupleType
    | MapType
    | MapOfType
    | FunctionType
    | UnionType
    | OptionalType
    | AndType
    | EnumType
    | LiteralType
    | ArrayType
    | ResourceType
    | StreamType
)
