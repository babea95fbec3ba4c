"""The rules by which JSON data becomes a value of a declared type (the way in is `coerce`).

Strict: "5" is no integer, 5.0 neither, true is no number. What JSON cannot say, the type says: "positive" is a keyword
under `[:enum :positive :negative]`, an array a set under `[:set T]`, an object's names keywords where the type's
entries are (strings elsewhere). Unions take the first member that fits. A null stands for an absent optional entry
whose type has no nil. Functions and resource handles never come out of JSON.
"""

from __future__ import annotations

import re

from rtfs_framework.lang.annotations import Any, Callable
from rtfs_framework.lang.jsontext import MAX_DEPTH, JsonError
from rtfs_framework.lang.literals import is_timestamp, is_uuid, names_keyword, names_symbol
from rtfs_framework.lang.maps import Map, Set, to_key
from rtfs_framework.lang.never import forgotten
from rtfs_framework.lang.types import model as ty
from rtfs_framework.lang.types.check import failure_finder
from rtfs_framework.lang.types.failure import (
    TOO_DEEP,
    Failure,
    brief,
    count_of,
    mismatch,
    missing,
    step_of,
    wrong_shape,
)
from rtfs_framework.lang.types.jsonable import from_plain, plain, plain_key
from rtfs_framework.lang.types.model import Primitive, Type
from rtfs_framework.lang.types.names import Lookup, resolve
from rtfs_framework.lang.types.show import show_type
from rtfs_framework.lang.values import Keyword, Symbol, Timestamp, Uuid, type_name
from rtfs_framework.lang.vectors import List

_INTEGER = re.compile(r"-?(?:0|[1-9]\d{0,999})", re.ASCII)


class Coercer:
    """One coercion: its nesting, and what named types made of which data (so recursive unions stay linear)."""

    def __init__(self, lookup: Lookup) -> None:
        self.lookup = lookup
        self.depth = 0
        self.known: dict[tuple[str, int], Any] = {}

    def of(self, type_: Type, data: Any) -> Any:
        """Return the value or a Failure."""
        if self.depth > 2 * MAX_DEPTH:
            return TOO_DEEP
        self.depth += 1
        made = self._by_kind(type_, data)
        self.depth -= 1
        return made

    def _by_kind(self, type_: Type, data: Any) -> Any:  # noqa: C901, PLR0912 - one line per kind of type
        match type_:
            case Primitive():
                return _primitive(type_, data)
            case ty.NamedType(name):
                return self._named(name, data)
            case ty.VectorType(item):
                return self._items(type_, item, data, tuple)
            case ty.ListType(item):
                return self._items(type_, item, data, List)
            case ty.SetType(item):
                return self._items(type_, item, data, Set.of)
            case ty.TupleType(items):
                return self._tuple(type_, items, data)
            case ty.MapType():
                return self._map(type_, data)
            case ty.MapOfType(key, value):
                return self._map_of(type_, key, value, data)
            case ty.FunctionType() | ty.ResourceType() | ty.StreamType():
                return _misfit(type_, data)
            case ty.UnionType(members):
                return self._union(type_, members, data)
            case ty.OptionalType(inner):
                return None if data is None else self.of(inner, data)
            case ty.AndType():
                return self._and(type_, data)
            case ty.EnumType(values):
                return _one_of(type_, values, data)
            case ty.LiteralType(value):
                return _one_of(type_, (value,), data)
            case ty.ArrayType(item, shape):
                return self._array(type_, item, shape or (None,), data)
            case _ as never:
                raise forgotten(never)

    def _named(self, name: str, data: Any) -> Any:
        found = resolve(name, self.lookup)
        if found is None:
            return mismatch(name, f"{_name_of(data)} ({name} is not a known type)")
        place = (name, id(data))
        if place not in self.known:
            self.known[place] = self.of(found, data)
        return self.known[place]

    def _items(self, type_: Type, item: Type, data: Any, make: Callable[[list[Any]], Any]) -> Any:
        if data.__class__ is not list and data.__class__ is not tuple:
            return _misfit(type_, data)
        made: list[Any] = []
        for place, each in enumerate(data):
            value = self.of(item, each)
            if value.__class__ is Failure:
                return value.under(f"[{place}]")
            made.append(value)
        return make(made)

    def _tuple(self, type_: Type, items: tuple[Type, ...], data: Any) -> Any:
        if data.__class__ is not list and data.__class__ is not tuple:
            return _misfit(type_, data)
        if len(data) != len(items):
            return wrong_shape(count_of(len(items)), str(len(data)))
        made: list[Any] = []
        for place, item in enumerate(items):
            value = self.of(item, data[place])
            if value.__class__ is Failure:
                return value.under(f"[{place}]")
            made.append(value)
        return tuple(made)

    def _array(self, type_: Type, item: Type, shape: tuple[int | None, ...], data: Any) -> Any:
        if shape[0] is not None and data.__class__ in (list, tuple) and len(data) != shape[0]:
            return wrong_shape(count_of(shape[0]), str(len(data)))
        return self._items(type_, item if len(shape) == 1 else ty.ArrayType(item, shape[1:]), data, tuple)

    def _map(self, type_: ty.MapType, data: Any) -> Any:
        if data.__class__ is not dict or any(name.__class__ is not str for name in data):
            return _misfit(type_, data)
        entries = {plain_key(e.key): e for e in reversed(type_.entries)}
        made: dict[Any, Any] = {}
        for name, item in data.items():
            entry = entries.get(name) or ty.MapEntry(name, type_.rest or Primitive.ANY)
            value = self.of(entry.type, item)
            if value.__class__ is Failure:
                if item is None and entry.optional:
                    continue
                return value.under(step_of(entry.key))
            made[to_key(entry.key)] = value
        for entry in type_.entries:
            if not entry.optional and plain_key(entry.key) not in data:
                return missing(entry.key)
        return Map.wrap(made)

    def _map_of(self, type_: Type, key: Type, value: Type, data: Any) -> Any:
        if data.__class__ is not dict or any(name.__class__ is not str for name in data):
            return _misfit(type_, data)
        made: dict[Any, Any] = {}
        for name, item in data.items():
            real = self._key(key, name)
            if real.__class__ is Failure:
                return real.under(f"(key {brief(name)})")
            found = self.of(value, item)
            if found.__class__ is Failure:
                return found.under(step_of(real))
            made[to_key(real)] = found
        return Map.wrap(made)

    def _key(self, type_: Type, name: str) -> Any:
        """Return the map key that a member's name stands for: a number or boolean where only that fits."""
        made = self.of(type_, name)
        if made.__class__ is not Failure:
            return made
        if _INTEGER.fullmatch(name):
            made = self.of(type_, int(name))
        elif name in ("true", "false"):
            made = self.of(type_, name == "true")
        return made

    def _union(self, type_: Type, members: tuple[Type, ...], data: Any) -> Any:
        near: list[Failure] = []
        for member in members:
            made = self.of(member, data)
            if made.__class__ is not Failure:
                return made
            if not made.is_of_whole:
                near.append(made)
        return near[0] if len(near) == 1 else _misfit(type_, data)

    def _and(self, type_: ty.AndType, data: Any) -> Any:
        """Read by the first member (all of them when they are maps), check by the rest."""
        maps = [m for m in type_.members if isinstance(m, ty.MapType)]
        first = type_.members[0]
        if len(maps) == len(type_.members) > 1:
            rest = next((m.rest for m in maps if m.rest is not None), None)
            first = ty.MapType(tuple([e for m in maps for e in m.entries]), rest)
        made = self.of(first, data)
        if made.__class__ is Failure:
            return made
        failure = failure_finder(ty.AndType(type_.members[1:], type_.predicates), self.lookup)(made)
        return made if failure is None else failure


def _primitive(type_: Primitive, data: Any) -> Any:
    kind = data.__class__
    match type_:
        case Primitive.ANY:
            return _anything(data)
        case Primitive.INT if kind is int:
            return data
        case Primitive.FLOAT if kind is float or kind is int:
            return data
        case Primitive.STRING if kind is str:
            return data
        case Primitive.BOOL if kind is bool:
            return data
        case Primitive.NIL if data is None:
            return None
        case Primitive.KEYWORD if kind is str and names_keyword(data.removeprefix(":")):
            return Keyword(data.removeprefix(":"))
        case Primitive.SYMBOL if kind is str and names_symbol(data):
            return Symbol(data)
        case Primitive.TIMESTAMP if kind is str and is_timestamp(data):
            return Timestamp(data)
        case Primitive.UUID if kind is str and is_uuid(data):
            return Uuid(data)
        case _:
            return _misfit(type_, data)


def _anything(data: Any) -> Any:
    try:
        return from_plain(data)
    except JsonError as error:
        return mismatch("JSON data", str(error))


def _one_of(type_: Type, values: tuple[Any, ...], data: Any) -> Any:
    """Return the literal that the data names; a string literal goes before a keyword of that name."""
    for value in sorted(values, key=lambda v: v.__class__ is not data.__class__):
        try:
            same = plain(value)
        except JsonError:
            continue
        if same.__class__ is data.__class__ and same == data:
            return value
        if value.__class__ is Keyword and data == f":{value.name}":
            return value
    shown = "" if isinstance(data, list | dict | tuple) else f" {brief(data)}"
    return mismatch(show_type(type_), _name_of(data) + shown)


def _misfit(type_: Type, data: Any) -> Failure:
    return mismatch(show_type(type_), _name_of(data))


def _name_of(data: Any) -> str:
    return {list: "vector", dict: "map"}.get(data.__class__) or type_name(data)
