"""Records of Python's as maps by keyword: dataclasses, attrs classes, typed dicts, named tuples, pydantic models."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable, Mapping
from typing import Any, get_origin

import attrs

from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.values import Keyword
from rtfs_framework.orchestrator.boundary.misfits import ANNOTATION, ConversionError, misfit
from rtfs_framework.orchestrator.boundary.shapes import Seen, Shape, shape_of

_MISSING = object()
TYPE = Keyword("type")
"""The field by which a union tells its records apart."""


@attrs.frozen(slots=True)
class _Field:
    name: str
    needed: bool
    """Whether it has no default, so that a reply must have it."""


@attrs.frozen(slots=True)
class _Record:
    """How the fields of a class are known, read and put together."""

    fields: tuple[_Field, ...]
    make: Callable[[dict[str, Any]], Any]
    items: Callable[[Any], Mapping[str, Any]]


def record_shape(cls: type, where: str, seen: Seen, *, tag: bool = False) -> Shape | None:
    """Return the shape of a record's class, with its name in a field where `tag` says so; None for other classes.

    Raises:
        ConversionError: E0961, a field has no shape, or it holds itself.
    """
    record = _record(cls)
    if record is None:
        return None
    if cls in seen:
        way_out = "give its parts in a list beside it, and number them"
        raise ConversionError(f"{where}: {cls.__name__} holds itself, which no type says", way_out, code=ANNOTATION)
    hints = hints_of(cls, where)
    shapes = {
        each.name: shape_of(hints[each.name], f"{cls.__name__}.{each.name}", (*seen, cls)) for each in record.fields
    }
    entries = [f'[:type [:enum "{cls.__name__}"]]'] if tag else []
    optional = {each.name: "" if each.needed else " ?" for each in record.fields}
    entries += [f"[:{key_of(name)} {shape.text}{optional[name]}]" for name, shape in shapes.items()]

    def into(value: Any, at: str) -> Any:
        if not _is_one(value, cls):
            raise misfit(at, cls.__name__, value)
        items = record.items(value)
        pairs = [
            (Keyword(key_of(name)), shape.into(items[name], f"{at}.{name}"))
            for name, shape in shapes.items() if name in items
        ]  # fmt: skip
        return Map.of([(TYPE, cls.__name__), *pairs] if tag else pairs)

    def out(value: Any, at: str) -> Any:
        if not isinstance(value, Map) or (tag and value.get(TYPE) != cls.__name__):
            raise misfit(at, cls.__name__, value)
        found = {}
        for each in record.fields:
            key = Keyword(key_of(each.name))
            if value.get(key, _MISSING) is not _MISSING:
                found[each.name] = shapes[each.name].out(value.get(key), f"{at}.{each.name}")
            elif each.needed:
                raise ConversionError(f"{at} has no {each.name}", f"{cls.__name__} needs it")
        return record.make(found)

    return Shape(f"[:map {' '.join(entries)}]" if entries else "[:map]", into, out, frozenset({"map"}))


def tagged(annotation: Any, where: str, seen: Seen) -> Shape | None:
    """Return the shape of a record as a member of a union; None for what is no record."""
    is_class = isinstance(annotation, type) and get_origin(annotation) is None
    return record_shape(annotation, where, seen, tag=True) if is_class else None


def hints_of(cls: Any, where: str) -> dict[str, Any]:
    """Return the annotations of a class, texts resolved.

    Raises:
        ConversionError: E0961, one names what is not there.
    """
    try:
        return typing.get_type_hints(cls, include_extras=True)
    except NameError as error:
        message = f"{where}: {cls.__name__} names the type {error.name}, which is not there"
        raise ConversionError(message, "define it at the top of its module", code=ANNOTATION) from None


def key_of(name: str) -> str:
    """Return a field's or parameter's name as RTFS writes it."""
    return name.replace("_", "-")


def _is_one(value: Any, cls: type) -> bool:
    return isinstance(value, dict) if typing.is_typeddict(cls) else isinstance(value, cls)


def _record(cls: Any) -> _Record | None:
    if dataclasses.is_dataclass(cls):
        empty = dataclasses.MISSING
        fields = [
            _Field(each.name, each.default is empty and each.default_factory is empty)
            for each in dataclasses.fields(cls) if each.init
        ]  # fmt: skip
        return _Record(tuple(fields), _maker(cls), _attributes(fields))
    if attrs.has(cls):
        named = {each.name: each.alias or each.name for each in attrs.fields(cls) if each.init}
        fields = [_Field(each.name, each.default is attrs.NOTHING) for each in attrs.fields(cls) if each.init]
        made = lambda found: cls(**{named[name]: each for name, each in found.items()})  # noqa: E731
        return _Record(tuple(fields), made, _attributes(fields))
    if typing.is_typeddict(cls) or str(type(cls)).endswith("typing_extensions._TypedDictMeta'>"):
        fields = [_Field(name, name in cls.__required_keys__) for name in cls.__annotations__]
        return _Record(tuple(fields), dict, lambda value: value)
    if issubclass(cls, tuple) and hasattr(cls, "_fields"):
        fields = [_Field(name, name not in cls._field_defaults) for name in cls._fields]
        return _Record(tuple(fields), lambda found: cls(**found), _attributes(fields))
    models = getattr(cls, "model_fields", None)
    if isinstance(models, dict) and hasattr(cls, "model_validate"):
        fields = [_Field(name, each.is_required()) for name, each in models.items()]
        return _Record(tuple(fields), lambda found: cls(**found), _attributes(fields))
    return None


def _maker(cls: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda found: cls(**found)


def _attributes(fields: list[_Field]) -> Callable[[Any], Mapping[str, Any]]:
    return lambda value: {each.name: getattr(value, each.name) for each in fields}
