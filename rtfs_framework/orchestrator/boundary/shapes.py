"""What Python's types are in RTFS, and the conversion of their data both ways.

In: an annotation. Out: a `Shape`: the text of its RTFS type, and two functions. Whatever goes in comes out equal, of
the same classes, or is refused, as those of subclasses are. (An integer for a float comes out as that float; of
`Sequence`, `Mapping`, `Set` a list, dict, frozenset; of `object` plain data.) An annotation for which that cannot be
promised is refused, with what to write instead:

    None, bool, int, float, str -> themselves     aware datetime -> :timestamp     UUID -> :uuid
    Decimal -> its digits as text     bytes -> base64 text     Literal, Enum -> [:enum ...]
    list, Sequence, tuple[T, ...] -> [:vector T]     tuple[A, B] -> [:tuple A B]     set, frozenset -> [:set T]
    dict, Mapping -> [:map-of K V]     dataclass, attrs, TypedDict, NamedTuple, pydantic -> [:map [:field T] ...]
    Optional, Union -> [:union ...]     object -> :any

Members of a union are told apart by their values: records by a field `:type`, which is put beside theirs.
"""

from __future__ import annotations

import base64
import enum
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from decimal import Decimal, InvalidOperation
from math import inf
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union, cast, get_args, get_origin
from uuid import UUID

import attrs

from rtfs_framework.lang.maps import Map, Set
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.values import Timestamp, Uuid, type_name
from rtfs_framework.lang.vectors import GrownVector, List
from rtfs_framework.orchestrator.boundary.misfits import ANNOTATION, ConversionError, misfit
from rtfs_framework.orchestrator.boundary.plain_data import as_data, as_timestamp, datetime_of, given_data

if TYPE_CHECKING:
    from typing_extensions import TypeForm

T = TypeVar("T")


@attrs.frozen(slots=True, eq=False)
class Shape:
    """A Python type as one of RTFS. `into` and `out` take a value and its place, in words, for errors."""

    text: str
    into: Callable[[Any, str], Any]
    out: Callable[[Any, str], Any]
    kinds: frozenset[str]
    """The kinds of RTFS values that it has, by `type_name`."""
    same: bool = False
    """Whether Python's value and RTFS's are the same."""


Seen = tuple[Any, ...]
"""The classes inside which an annotation stands: one inside itself is refused."""


def shape_of(annotation: Any, where: str = "the type", seen: Seen = ()) -> Shape:
    """Return the shape of an annotation, whose texts are resolved; `where` names it in errors.

    Raises:
        ConversionError: E0937, it has none.
    """
    if isinstance(annotation, type) and get_origin(annotation) is None:
        known = _ATOMS.get(annotation) or _of_class(annotation, where, seen)
        if known is not None:
            return known
    if annotation is None:
        return _ATOMS[type(None)]
    special = _of_form(annotation, where, seen)
    if special is None:
        raise ConversionError(*_refusal(annotation, where), code=ANNOTATION)
    return special


def converted(value: object, type_: TypeForm[T]) -> T:
    """Return a value of RTFS as data of a Python type.

    Raises:
        ConversionError: E0938, it is not of that type; E0937, the type is none of RTFS.
    """
    return cast("T", shape_of(type_, "the wanted type").out(value, "the value"))


def _of_form(annotation: Any, where: str, seen: Seen) -> Shape | None:
    """Return the shape of what is written with brackets, or stands for another annotation; None for what is neither."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return _choices([(each, each) for each in args], where)
    if origin is Union or origin is types.UnionType:
        return _union(args, where, seen)
    if origin is typing.Annotated or str(origin).endswith(("Required", "ReadOnly")):
        return shape_of(args[0], where, seen)
    inner = getattr(annotation, "__supertype__", None) or getattr(annotation, "__value__", None)
    if inner is not None and not isinstance(annotation, type):  # NewType, `type X = ...`
        return shape_of(inner, where, seen)
    if origin is tuple and not (len(args) == 2 and args[1] is Ellipsis):
        return _tuple(args, where, seen)
    for kinds, make in _CONTAINERS:
        if origin in kinds:
            return make(origin, args, where, seen)
    return None


def _refusal(annotation: Any, where: str) -> tuple[str, str]:
    """Return what is wrong with an annotation that has no shape, and what to write instead."""
    shown = getattr(annotation, "__qualname__", None) or str(annotation).removeprefix("typing.")
    bare = {list: "list[str]", dict: "dict[str, int]", set: "set[str]", tuple: "tuple[int, str]", frozenset: "set[str]"}
    if annotation is Any:
        return f"{where} is Any, which says nothing", "write a type, or `object` for any data"
    if annotation in bare if isinstance(annotation, type) else False:
        return f"{where} is a bare {shown}", f"say of what, as in {bare[annotation]}"
    return f"{where} is {shown}, which is no type of RTFS", "give a type of the table in docs/python.md"


def _plain(kind: type, text: str, *kinds: str) -> Shape:
    def check(value: Any, where: str) -> Any:
        if value.__class__ is kind:
            return value
        raise misfit(where, kind.__name__, value)

    return Shape(text, check, check, frozenset(kinds), same=True)


def _float(value: Any, where: str) -> Any:
    """Return a float; an integer is taken for one where that is the same number."""
    if value.__class__ is float:
        return value
    if value.__class__ is not int:
        raise misfit(where, "float", value)
    try:
        made = float(value)
    except OverflowError:
        made = inf
    if made != value:
        raise ConversionError(f"{where} is an integer that is no float", "give a smaller one")
    return made


def _made(
    text: str, kind: type, read: Callable[[Any], Any], write_: Callable[[Any], Any], of: type, *, base: str, like: str
) -> Shape:
    """Return the shape of a class whose values have a value of RTFS each, of the class `of`; `like` says which ones."""

    def into(value: Any, where: str) -> Any:
        if value.__class__ is not kind:
            raise misfit(where, kind.__name__, value)
        try:
            return write_(value)
        except OverflowError:
            raise ConversionError(f"{where} is beyond the years 1 to 9999 in UTC", "give one within") from None

    def out(value: Any, where: str) -> Any:
        if value.__class__ is not of:
            raise misfit(where, kind.__name__, value)
        try:
            return read(value)
        except (ValueError, OverflowError, InvalidOperation):
            raise ConversionError(f"{where} is a {base} that is no {kind.__name__}", f"give {like}") from None

    return Shape(text, into, out, frozenset({base}))


def _any_in(value: Any, where: str) -> Any:
    return given_data(value, where)


_EVERYTHING = frozenset({"*"})
_ATOMS: Mapping[Any, Shape] = {
    type(None): _plain(type(None), ":nil", "nil"),
    bool: _plain(bool, ":bool", "boolean"),
    int: _plain(int, ":int", "integer"),
    float: Shape(":float", _float, _float, frozenset({"float"}), same=True),
    str: _plain(str, ":string", "string"),
    datetime: _made(
        ":timestamp",
        datetime,
        datetime_of,
        as_timestamp,
        Timestamp,
        base="timestamp",
        like="a time that the calendar has, in the years 1 to 9999",
    ),
    UUID: _made(
        ":uuid",
        UUID,
        lambda value: UUID(value.text),
        lambda value: Uuid(str(value)),
        Uuid,
        base="uuid",
        like="its 32 digits",
    ),
    Decimal: _made(":string", Decimal, Decimal, str, str, base="string", like="digits alone, such as 12.50"),
    bytes: _made(
        ":string",
        bytes,
        lambda text: base64.b64decode(text, validate=True),
        lambda data: base64.b64encode(data).decode(),
        str,
        base="string",
        like="base64",
    ),
    object: Shape(":any", _any_in, as_data, _EVERYTHING),
}


_CHOSEN = frozenset({str, int, bool, type(None)})


def _choices(pairs: Sequence[tuple[Any, Any]], where: str, *, of: type | None = None) -> Shape:
    """Return the shape of some values: pairs of one of RTFS and what stands for it in Python, all of the class `of`.

    Raises:
        ConversionError: One is no text, number or None.
    """
    if not pairs or not all(value.__class__ in _CHOSEN for value, _ in pairs):
        message = f"{where} chooses among what is no text, integer, boolean or None"
        raise ConversionError(message, "give each a text", code=ANNOTATION)
    known = {(value.__class__, value): member for value, member in pairs}
    given = {id(member): value for value, member in pairs}
    shown = " ".join(dict.fromkeys(write(value) for value, _ in pairs))

    def into(value: Any, at: str) -> Any:
        if of is not None and id(value) in given:
            return given[id(value)]
        if of is None and value.__class__ in _CHOSEN and (value.__class__, value) in known:
            return value
        raise misfit(at, f"one of {shown}", value)

    def out(value: Any, at: str) -> Any:
        if value.__class__ not in _CHOSEN or (value.__class__, value) not in known:
            raise misfit(at, f"one of {shown}", value)
        return known[value.__class__, value]

    kinds = frozenset(type_name(value) for value, _ in pairs)
    return Shape(f"[:enum {shown}]", into, out, kinds, same=of is None)


def _enum(cls: type[enum.Enum], where: str) -> Shape:
    """Return the shape of an enumeration: by its values, where all are texts or integers, else by its names."""
    if issubclass(cls, enum.Flag):
        message = f"{where} is the Flag {cls.__name__}, whose members combine into more than can be chosen among"
        raise ConversionError(message, "take a set of an Enum, or an int and make the Flag of it", code=ANNOTATION)
    if not len(cls):
        raise ConversionError(f"{where} is {cls.__name__}, which has no members", "give it some", code=ANNOTATION)
    by_value = all(each.value.__class__ in _CHOSEN for each in cls)
    return _choices([(each.value if by_value else each.name, each) for each in cls], where, of=cls)


def _of_class(cls: type, where: str, seen: Seen) -> Shape | None:
    """Return the shape of a class of the user's own; None for one that holds no data that we know."""
    if issubclass(cls, enum.Enum):
        return _enum(cls, where)
    from rtfs_framework.orchestrator.boundary.record_shapes import record_shape

    return record_shape(cls, where, seen)


def _items(origin: Any, args: tuple[Any, ...], where: str, seen: Seen) -> Shape:
    item = shape_of(args[0], f"an item of {where}", seen)
    made: Callable[[Any], Any] = tuple if origin is tuple else list
    taken = (list, tuple) if origin is Sequence else (origin,)

    def into(value: Any, at: str) -> Any:
        if value.__class__ not in taken:
            raise misfit(at, taken[0].__name__, value)
        return tuple(item.into(each, f"{at}[{i}]") for i, each in enumerate(value))

    def out(value: Any, at: str) -> Any:
        if not isinstance(value, tuple | GrownVector | List):
            raise misfit(at, "list", value)
        return made(item.out(each, f"{at}[{i}]") for i, each in enumerate(value))

    return Shape(f"[:vector {item.text}]", into, out, frozenset({"vector"}))


def _tuple(args: tuple[Any, ...], where: str, seen: Seen) -> Shape:
    items = [shape_of(each, f"an item of {where}", seen) for each in args if each != ()]
    if not items:
        raise ConversionError(f"{where} is the empty tuple, which no type says", "leave it out", code=ANNOTATION)

    def convert(value: Any, at: str, *, inward: bool) -> Any:
        fits = value.__class__ is tuple if inward else isinstance(value, tuple | GrownVector | List)
        if not fits or len(value) != len(items):
            raise misfit(at, f"tuple of {len(items)}", value)
        pairs = enumerate(zip(items, value, strict=True))
        return tuple((shape.into if inward else shape.out)(each, f"{at}[{i}]") for i, (shape, each) in pairs)

    return Shape(
        f"[:tuple {' '.join(each.text for each in items)}]",
        lambda value, at: convert(value, at, inward=True),
        lambda value, at: convert(value, at, inward=False),
        frozenset({"vector"}),
    )


def _set(origin: Any, args: tuple[Any, ...], where: str, seen: Seen) -> Shape:
    item = shape_of(args[0], f"an item of {where}", seen)
    made: Callable[[Any], Any] = set if origin is set else frozenset
    taken = (set, frozenset) if origin is AbstractSet else (origin,)

    def into(value: Any, at: str) -> Any:
        if value.__class__ not in taken:
            raise misfit(at, taken[0].__name__, value)
        return _whole(Set.of(tuple(item.into(each, f"an item of {at}") for each in value)), value, at)

    def out(value: Any, at: str) -> Any:
        if not isinstance(value, Set):
            raise misfit(at, "set", value)
        return _whole(made(item.out(each, f"an item of {at}") for each in value), value, at)

    return Shape(f"[:set {item.text}]", into, out, frozenset({"set"}))


def _dict(origin: Any, args: tuple[Any, ...], where: str, seen: Seen) -> Shape:
    key, item = shape_of(args[0], f"a key of {where}", seen), shape_of(args[1], f"a value of {where}", seen)

    def into(value: Any, at: str) -> Any:
        if value.__class__ is not dict and (origin is dict or not isinstance(value, Mapping)):
            raise misfit(at, "dict", value)
        pairs = value.items()
        made = Map.of((key.into(k, f"a key of {at}"), item.into(each, f"a value of {at}")) for k, each in pairs)
        return _whole(made, value, at)

    def out(value: Any, at: str) -> Any:
        if not isinstance(value, Map):
            raise misfit(at, "dict", value)
        pairs = value.items()
        made = {key.out(k, f"a key of {at}"): item.out(each, f"a value of {at}") for k, each in pairs}
        return _whole(made, value, at)

    return Shape(f"[:map-of {key.text} {item.text}]", into, out, frozenset({"map"}))


def _whole(made: Any, given: Any, at: str) -> Any:
    """Return what was made of a set or map, none of whose members became equal to another.

    Raises:
        ConversionError: E0938, some did, such as 1 and 1.0 in Python.
    """
    if len(made) < len(given):
        raise ConversionError(f"{at} has members that are one on the other side", "tell them apart otherwise")
    return made


_CONTAINERS: tuple[tuple[tuple[Any, ...], Callable[[Any, tuple[Any, ...], str, Seen], Shape]], ...] = (
    ((list, Sequence, tuple), _items),
    ((set, frozenset, AbstractSet), _set),
    ((dict, Mapping), _dict),
)


def _alike(one: Shape, other: Shape) -> bool:
    """Tell whether a value may be of both shapes, and not the same in Python."""
    if one.same and other.same:
        return False
    if "*" in one.kinds or "*" in other.kinds:
        return not (one.same or other.same)
    return bool(one.kinds & other.kinds)


def _union(args: tuple[Any, ...], where: str, seen: Seen) -> Shape:
    """Return the shape of a union, whose members are told apart by their values.

    Raises:
        ConversionError: E0937, two of them cannot be told apart.
    """
    from rtfs_framework.orchestrator.boundary.record_shapes import tagged

    records = tagged(args, where, seen)
    members = [record or shape_of(each, where, seen) for record, each in zip(records, args, strict=True)]
    for i, one in enumerate(members):
        for other, record in zip(members[:i], records, strict=False):
            if _alike(one, other) and not (record and records[i]):
                message = f"{where} is a union of {other.text} and {one.text}, which nobody can tell apart"
                raise ConversionError(message, "wrap one of them in a dataclass of its own", code=ANNOTATION)

    def convert(value: Any, at: str, *, inward: bool) -> Any:
        for member in sorted(members, key=lambda each: each.text == ":float"):
            try:
                return member.into(value, at) if inward else member.out(value, at)
            except ConversionError:  # noqa: PERF203 - each member is tried
                continue
        raise misfit(at, " or ".join(each.text for each in members), value)

    return Shape(
        f"[:union {' '.join(each.text for each in members)}]",
        lambda value, at: convert(value, at, inward=True),
        lambda value, at: convert(value, at, inward=False),
        frozenset().union(*(each.kinds for each in members)),
    )
