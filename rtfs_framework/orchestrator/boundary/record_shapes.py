"""Records of Python's as maps by keyword: dataclasses, attrs classes, typed dicts, named tuples, pydantic models."""

from __future__ import annotations

import dataclasses
import itertools
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, get_origin

import attrs

from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.values import Keyword
from rtfs_framework.orchestrator.boundary.misfits import ANNOTATION, ConversionError, misfit
from rtfs_framework.orchestrator.boundary.names import check_names, key_of
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
    loose: bool = False
    """Whether its values are plain dicts, which may hold other keys."""


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
    check_names([each.name for each in record.fields], cls.__name__, fields=True)
    if tag and any(each.name == TYPE.name for each in record.fields):
        problem = f"{cls.__name__} has a field `type` of its own, by which {where} would tell its members apart"
        raise ConversionError(problem, "name the field otherwise", code=ANNOTATION)
    shapes = {
        each.name: shape_of(hints[each.name], f"{cls.__name__}.{each.name}", (*seen, cls)) for each in record.fields
    }
    entries = [f'[:type [:enum "{cls.__name__}"]]'] if tag else []
    optional = {each.name: "" if each.needed else " ?" for each in record.fields}
    entries += [f"[:{key_of(name)} {shape.text}{optional[name]}]" for name, shape in shapes.items()]

    def into(value: Any, at: str) -> Any:
        if value.__class__ is not (dict if record.loose else cls):
            raise misfit(at, cls.__name__, value)
        items = record.items(value)
        if record.loose:
            _check_keys(items, record, cls.__name__, at)
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
        return _put_together(record, found, cls, at)

    return Shape(f"[:map {' '.join(entries)}]" if entries else "[:map]", into, out, frozenset({"map"}))


def _check_keys(items: Mapping[str, Any], record: _Record, name: str, at: str) -> None:
    """Refuse a value with fields that its type does not know, or without one that it needs; E0938."""
    lacking = next((each.name for each in record.fields if each.needed and each.name not in items), None)
    if lacking is not None:
        raise ConversionError(f"{at} lacks {lacking}, which {name} needs", f"give all that {name} says")
    if len(items) > sum(each.name in items for each in record.fields):
        raise ConversionError(f"{at} has a field that {name} does not know", f"leave it out, or name it in {name}")


def _put_together(record: _Record, found: dict[str, Any], cls: type, at: str) -> Any:
    try:
        return record.make(found)
    except Exception as error:  # the class's own rules; what they say may show the value, so it is the cause only
        problem = f"{at} is refused by {cls.__name__}: {type(error).__name__}"
        raise ConversionError(problem, f"see what {cls.__name__} asks of its fields") from error


def tagged(annotations: Sequence[Any], where: str, seen: Seen) -> list[Shape | None]:
    """Return the shapes of the records among the members of a union, where there are several; None for the rest.

    Raises:
        ConversionError: E0937, two of them cannot be told apart.
    """
    classes = {
        place: each for place, each in enumerate(annotations)
        if isinstance(each, type) and get_origin(each) is None and _record(each) is not None
    }  # fmt: skip
    if len(classes) < 2:
        return [None] * len(annotations)
    names = [each.__name__ for each in classes.values()]
    if len(set(names)) < len(names):
        problem = f"{where} is a union of two classes of one name, {max(names, key=names.count)}"
        raise ConversionError(problem, "name one otherwise", code=ANNOTATION)
    for one, other in itertools.combinations(classes.values(), 2):
        if _is_typed_dict(one) and _is_typed_dict(other) and not _keys_tell(one, other):
            problem = f"{where} is a union of {one.__name__} and {other.__name__}, which no key tells apart"
            raise ConversionError(problem, "give each a key that it needs and the other lacks", code=ANNOTATION)
    return [
        record_shape(classes[place], where, seen, tag=True) if place in classes else None
        for place in range(len(annotations))
    ]


def _keys_tell(one: Any, other: Any) -> bool:
    """Tell whether no dict can be of both types: one needs a key that the other does not know."""
    fields, others = _keys(one), _keys(other)
    return any(each.needed and each.name not in other.__annotations__ for each in fields) or any(
        each.needed and each.name not in one.__annotations__ for each in others
    )


def _keys(cls: Any) -> list[_Field]:
    """Return the keys of a typed dict.

    Python's `__required_keys__` goes by `total` alone where annotations are texts, so what those say goes first.
    """
    return [
        _Field(name, _said_needed(hint, by_total=name in cls.__required_keys__))
        for name, hint in hints_of(cls, cls.__name__).items()
    ]


def _said_needed(hint: Any, *, by_total: bool) -> bool:
    """Tell whether a key is needed: what `Required` or `NotRequired` says, around it or inside others; else `total`."""
    while (origin := get_origin(hint)) is not None:
        word = str(origin).rpartition(".")[2]
        if word in {"Required", "NotRequired"}:
            return word == "Required"
        if origin is not typing.Annotated and word != "ReadOnly":
            break
        hint = typing.get_args(hint)[0]
    return by_total


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


def _is_typed_dict(cls: Any) -> bool:
    return typing.is_typeddict(cls) or str(type(cls)).endswith("typing_extensions._TypedDictMeta'>")


def _refuse_unkept(cls: Any, what: str) -> ConversionError:
    problem = f"{cls.__name__} has {what}, which would not come back"
    return ConversionError(
        problem, "let all its fields be given, or wrap its data in a class that does", code=ANNOTATION
    )


def _record(cls: Any) -> _Record | None:
    if dataclasses.is_dataclass(cls):
        empty = dataclasses.MISSING
        if any(repr(getattr(each, "_field_type", None)) == "_FIELD_INITVAR" for each in _all_fields(cls)):
            raise _refuse_unkept(cls, "an InitVar")
        if not all(each.init for each in dataclasses.fields(cls)):
            raise _refuse_unkept(cls, "a field with init=False")
        fields = [
            _Field(each.name, each.default is empty and each.default_factory is empty)
            for each in dataclasses.fields(cls)
        ]
        return _Record(tuple(fields), _maker(cls), _attributes(fields))
    if attrs.has(cls):
        if not all(each.init for each in attrs.fields(cls)):
            raise _refuse_unkept(cls, "a field with init=False")
        named = {each.name: each.alias or each.name for each in attrs.fields(cls)}
        fields = [_Field(each.name, each.default is attrs.NOTHING) for each in attrs.fields(cls)]
        made = lambda found: cls(**{named[name]: each for name, each in found.items()})  # noqa: E731
        return _Record(tuple(fields), made, _attributes(fields))
    if _is_typed_dict(cls):
        return _Record(tuple(_keys(cls)), dict, lambda value: value, loose=True)
    if issubclass(cls, tuple) and hasattr(cls, "_fields"):
        fields = [_Field(name, name not in cls._field_defaults) for name in cls._fields]
        return _Record(tuple(fields), lambda found: cls(**found), _attributes(fields))
    models = getattr(cls, "model_fields", None)
    if isinstance(models, dict) and hasattr(cls, "model_validate"):
        fields = [_Field(name, each.is_required()) for name, each in models.items()]
        return _Record(tuple(fields), lambda found: cls(**found), _of_model(fields))
    return None


def _all_fields(cls: Any) -> Iterable[Any]:
    """Return the fields of a dataclass, with those that are only given to its `__post_init__`."""
    found: Mapping[str, Any] = cls.__dataclass_fields__
    return found.values()


def _of_model(fields: list[_Field]) -> Callable[[Any], Mapping[str, Any]]:
    """Return how a pydantic model is read: what it holds beside its fields would be lost."""
    attributes = _attributes(fields)

    def items(value: Any) -> Mapping[str, Any]:
        if getattr(value, "model_extra", None):
            name = type(value).__name__
            raise ConversionError(f"a {name} has a field that {name} does not know", f"name it in {name}")
        return attributes(value)

    return items


def _maker(cls: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda found: cls(**found)


def _attributes(fields: list[_Field]) -> Callable[[Any], Mapping[str, Any]]:
    return lambda value: {each.name: getattr(value, each.name) for each in fields}
