"""Records: classes of slots that cost next to nothing to make, so that a start is quick. In: a class with annotations.

They are what attrs makes of `@define` and `@frozen`, in looks and use, and attrs' own functions take them. But
importing attrs takes three times as long as starting Python, and it compiles a text for every class. Here an `__init__`
is compiled when its class is first used, and attrs is imported when somebody asks it about a record. `records` gives
these functions the types of attrs'.
"""

from __future__ import annotations

from _operator import attrgetter
from types import FunctionType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

NOTHING: Any = type("Nothing", (), {"__repr__": lambda _: "NOTHING", "__bool__": lambda _: False})()
"""The default of a field that has none."""


class Field:
    """A field of a record: its default or what makes one, whether it is given, shown and compared, what checks it."""

    name = alias = ""
    type: Any = None
    kw_only = False

    def __init__(
        self,
        *,
        default: Any = NOTHING,
        factory: Callable[[], Any] | None = None,
        init: bool = True,
        repr: bool = True,  # noqa: A002
        eq: bool = True,
        validator: Callable[[Any, Any, Any], None] | None = None,
    ) -> None:
        self.default, self.factory, self.init, self.repr, self.eq, self.validator = (
            *(default, factory, init),
            *(repr, eq, validator),
        )

    @property
    def is_plain(self) -> bool:
        """Tell whether what is given is kept and nothing else is done."""
        return self.init and self.factory is None and self.validator is None

    def for_attrs(self) -> Any:
        """Return it as attrs describes a field."""
        import attr

        factory = attr.NOTHING if self.factory is None else attr.Factory(self.factory)
        default = factory if self.default is NOTHING else self.default
        options = {
            name: getattr(self, name) for name in ("init", "repr", "eq", "kw_only", "alias", "validator", "type")
        }
        return attr.ib(default=default, **options)


def define(*, slots: bool = True, eq: bool = True, kw_only: bool = False, weakref_slot: bool = True) -> Any:
    """Make a record of a class; its fields may be set."""
    assert slots  # noqa: S101 - attrs' word; there are no others
    return lambda cls: _record(cls, is_frozen=False, eq=eq, kw_only=kw_only, weakref_slot=weakref_slot)


def frozen(*, slots: bool = True, eq: bool = True, kw_only: bool = False, weakref_slot: bool = True) -> Any:
    """Make a record of a class; its fields may not be set."""
    assert slots  # noqa: S101
    return lambda cls: _record(cls, is_frozen=True, eq=eq, kw_only=kw_only, weakref_slot=weakref_slot)


def evolve(record: Any, **changes: Any) -> Any:
    """Return a record like this one but for the changes. Takes what attrs made, too."""
    cls = record.__class__
    given = cls.__dict__.get("__record_given__")
    if given is None:
        import attrs

        return attrs.evolve(record, **changes)
    for name, alias in given:
        if alias not in changes:
            changes[alias] = getattr(record, name)
    return cls(**changes)


def fields_of(cls: type[Any]) -> tuple[Any, ...]:
    """Return the fields of a record's class, whoever made it, in order; none for other classes."""
    if "__record_fields__" in cls.__dict__:
        found: tuple[Any, ...] = cls.__dict__["__record_fields__"]
        return found
    if not hasattr(cls, "__attrs_attrs__"):
        return ()
    import attrs

    return tuple(attrs.fields(cls))


def _record(cls: Any, *, is_frozen: bool, eq: bool, kw_only: bool, weakref_slot: bool) -> Any:
    body = {name: value for name, value in cls.__dict__.items() if name not in {"__dict__", "__weakref__"}}
    own = [_field(name, kind, body, kw_only=kw_only) for name, kind in body.get("__annotations__", {}).items()]
    fields = (*(each for base in cls.__bases__ for each in fields_of(base)), *own)
    slots = [each.name for each in own]
    if weakref_slot and not any(hasattr(base, "__weakref__") for base in cls.__bases__):
        slots.append("__weakref__")
    given = tuple((each.name, each.alias) for each in fields if each.init)
    body |= {"__slots__": tuple(slots), "__record_fields__": fields, "__record_given__": given}
    body["__attrs_attrs__"] = _ForAttrs()
    body.setdefault("__match_args__", tuple(each.name for each in fields if each.init and not each.kw_only))
    common = {"__init__": _first_init, "__repr__": _shown, "__getstate__": _state, "__setstate__": _restore}
    if is_frozen:
        common |= {"__setattr__": _refuse, "__delattr__": _refuse}
    if eq and "__eq__" not in body:
        common |= _compared([each.name for each in fields if each.eq], is_frozen=is_frozen)
    for name, value in common.items():
        body.setdefault(name, value)
    return type(cls)(cls.__name__, cls.__bases__, body)


def _field(name: str, kind: Any, body: dict[str, Any], *, kw_only: bool) -> Field:
    given = body.pop(name, NOTHING)
    made = given if given.__class__ is Field else Field(default=given)
    made.name, made.alias, made.type, made.kw_only = name, name.lstrip("_"), kind, kw_only
    return made


def _compared(names: list[str], *, is_frozen: bool) -> dict[str, Any]:
    """Return what compares records by their fields, and hashes frozen ones."""
    if len(names) > 1:
        parts: Any = attrgetter(*names)
    else:
        parts = lambda self: tuple([getattr(self, name) for name in names])  # noqa: E731

    def equal(self: Any, other: Any) -> Any:
        return parts(self) == parts(other) if other.__class__ is self.__class__ else NotImplemented

    return {"__eq__": equal, "__hash__": (lambda self: hash(parts(self))) if is_frozen else None}


def _first_init(self: Any, *args: Any, **named: Any) -> None:
    """Compile the `__init__` of a class, put it in the place of this one, and make the record."""
    cls = next(each for each in self.__class__.__mro__ if each.__dict__.get("__init__") is _first_init)
    cls.__init__ = written = _init(cls)
    written(self, *args, **named)


def _init(cls: Any) -> FunctionType:
    names: dict[str, Any] = {"NOTHING": NOTHING}
    taken, named, lines = ["self"], ["*"], []
    is_frozen = cls.__setattr__ is _refuse
    for each in cls.__record_fields__:
        key, value = each.name, each.alias if each.init else f"default_{each.name}"
        names |= {f"default_{key}": each.default, f"make_{key}": each.factory, f"field_{key}": each}
        names |= {f"set_{key}": getattr(cls, key).__set__, f"check_{key}": each.validator}
        has_default = each.default is not NOTHING or each.factory is not None
        if each.init:
            (named if each.kw_only else taken).append(f"{each.alias}=default_{key}" if has_default else each.alias)
        if each.factory is not None:
            value = f"make_{key}() if {value} is NOTHING else {value}"
        if each.init or has_default:
            lines.append(f"set_{key}(self, {value})" if is_frozen else f"self.{key} = {value}")
        if each.validator is not None:
            lines.append(f"check_{key}(self, field_{key}, self.{key})")
    if hasattr(cls, "__attrs_post_init__"):
        lines.append("self.__attrs_post_init__()")
    parameters = ", ".join((*taken, *named) if len(named) > 1 else taken)
    exec(f"def __init__({parameters}):\n {'; '.join(lines) or 'pass'}", names)  # noqa: S102 - names of our own fields
    made: FunctionType = names["__init__"]
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    return made


def _shown(self: Any) -> str:
    shown = ", ".join(f"{each.name}={getattr(self, each.name)!r}" for each in self.__record_fields__ if each.repr)
    return f"{self.__class__.__qualname__.rpartition('>.')[2]}({shown})"


def _state(self: Any) -> dict[str, Any]:
    return {each.name: getattr(self, each.name) for each in self.__record_fields__}


def _restore(self: Any, state: dict[str, Any]) -> None:
    for name, value in state.items():
        object.__setattr__(self, name, value)


def _refuse(_self: Any, _name: str, _value: Any = None) -> None:
    from attrs.exceptions import FrozenInstanceError

    raise FrozenInstanceError


class _ForAttrs:
    """What attrs looks at to know a class of its own: made when it does."""

    def __get__(self, _: Any, cls: Any) -> Any:
        import attr

        given = {each.name: each.for_attrs() for each in cls.__record_fields__}
        cls.__attrs_attrs__ = found = attr.fields(attr.make_class(cls.__name__, given))
        return found
