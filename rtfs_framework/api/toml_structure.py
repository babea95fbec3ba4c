"""Data of a TOML file as an instance of an attrs class, or a diagnostic for every mistake in it.

In: an attrs class whose fields are the keys of a table (with types, defaults and validators), the data, its places.
Out: the instance. Nothing is converted but a whole number to a float, and a
text with its unit where the type has one (`units`): else a text is no number, and a number no text.

Codes: E0702 a key that the class does not have; E0703 a value of another type; E0704 a missing key; E0705 a value that
is not among those allowed, or that a validator refuses. A validator's message should begin with the field's name in
quotes (those of attrs do): that is how its place is found.
"""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

import attrs

from rtfs_framework.api.errors import ConfigError
from rtfs_framework.lang.diagnostics import Diagnostic, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rtfs_framework.api.toml_places import KeyPath
    from rtfs_framework.lang.source import Source, Span

T = TypeVar("T")
Mistake = tuple["KeyPath", Diagnostic]
_FIRST_QUOTED = re.compile(r"'(\w+)'")
_OF_A_MACHINE = re.compile(r"<[\w.]+[^<>]* (validator|object|function|at 0x)|<class ")
"""The reprs of validators and classes, which say nothing to people."""
_SHOWN = 60
_EXAMPLES = {
    "a text": '"text"',
    "true or false": "true",
    "a whole number": "10",
    "a number": "1.5",
    "a list": '["one", "two"]',
    "a table": '{ key = "value" }',
    "a date and time": "2026-01-31T12:00:00Z",
    "a date": "2026-01-31",
    "a time": "12:00:00",
}
"""By the kind of a value: one of it, as TOML has it."""


class Located(Protocol):
    """Knows where the keys and values of data stand: `toml_places.Places`, or several texts made into one."""

    def at(self, path: KeyPath, *, key: bool = False) -> tuple[Source, Span]:
        """Return the text and span of a value, or of its key."""
        ...


class StructureError(ConfigError):
    """What is wrong with a table; `paths` says where each mistake stands."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__([diagnostic for _, diagnostic in mistakes])
        self.paths = tuple(path for path, _ in mistakes)


def structure(cls: type[T], data: Any, places: Located, path: KeyPath = ()) -> T:
    """Return an instance of an attrs class made of the table that stands at `path`.

    Raises:
        ConfigError: With one diagnostic for each mistake.
    """
    from rtfs_framework.api.toml_converter import converter

    try:
        return converter().structure(data, cls)
    except Exception as error:  # a converter raises what the hooks and validators raise
        found = list(_diagnose(error, cls, data, places, path))
        if not found:
            raise
        raise StructureError(found) from error


def _diagnose(
    error: BaseException, cls: Any, data: Any, places: Located, path: KeyPath, usual: Any = attrs.NOTHING
) -> Iterator[Mistake]:
    """Yield what is wrong, following the notes that cattrs leaves on nested errors."""
    from cattrs.errors import BaseValidationError, ForbiddenExtraKeysError

    if isinstance(error, BaseValidationError):
        for inner in error.exceptions:
            yield from _nested(inner, error.cl, data, places, path)
    elif isinstance(error, ForbiddenExtraKeysError):
        known = key_names(error.cl)
        for key in sorted(error.extra_fields):
            way_out = did_you_mean(key, known) or f"known keys: {', '.join(known)}"
            yield _mistake("E0702", f"unknown key {shown(key)}", places, (*path, key), way_out, key=True)
    else:
        yield _plain(error, cls, data, places, path, usual)


def _nested(error: BaseException, cls: Any, data: Any, places: Located, path: KeyPath) -> Iterator[Mistake]:
    from cattrs.errors import AttributeValidationNote, IterableValidationNote

    for note in getattr(error, "__notes__", ()):
        if isinstance(note, IterableValidationNote):
            yield from _diagnose(error, note.type, data[note.index], places, (*path, note.index))
            return
        if isinstance(note, AttributeValidationNote):
            key = _aliases(cls).get(note.name, note.name)
            if isinstance(data, dict) and key not in data:
                yield _mistake("E0704", f"the key '{key}' is missing", places, path, f"add {key} = ...", key=True)
            else:
                yield from _diagnose(error, note.type, data[key], places, (*path, key), _usual(cls, note.name))
            return
    yield from _diagnose(error, cls, data, places, path)


def _plain(error: BaseException, cls: Any, data: Any, places: Located, path: KeyPath, usual: Any) -> Mistake:
    from rtfs_framework.api.toml_converter import BadNumber, Mismatch, NoChoice

    name = f"{shown(path[-1])}" if path and isinstance(path[-1], str) else "this"
    if isinstance(error, Mismatch):
        message = f"{name} must be {error.expected}, not {error.got}"
        return _mistake("E0703", message, places, path, _such_as(error.expected, path))
    if isinstance(error, BadNumber):
        way_out = _such_as("a number", path)
        return _mistake("E0705", f"{name} must be a finite number, not {error.value}", places, path, way_out)
    if isinstance(error, NoChoice):
        nearest = did_you_mean(str(error.value), error.choices) or f"one of: {', '.join(error.choices)}"
        return _mistake("E0705", f"{shown(error.value)} is not among the choices", places, path, nearest)
    message = str(error.args[0]) if error.args else type(error).__name__
    field = _FIRST_QUOTED.match(message)
    if field and isinstance(data, dict) and field[1] in data and field[1] in key_names(cls):
        path = (*path, field[1])
    options = [str(option) for option in error.args[2]] if _has_options(error) else []
    choice = did_you_mean(str(error.args[3]), options) if options else None
    message = f"{name} does not take this value" if _OF_A_MACHINE.search(message) else message
    way_out = choice or getattr(error, "way_out", None) or _another(usual)
    return _mistake("E0705", message, places, path, way_out)


def _such_as(expected: str, path: KeyPath) -> str:
    """Return how a value of the kind that is expected is written."""
    _, _, example = expected.partition(", such as ")
    example = example or next((text for kind, text in _EXAMPLES.items() if expected.startswith(kind)), "")
    key = path[-1] if path and isinstance(path[-1], str) and path[-1].isidentifier() else ""
    if not example:
        return f"write {expected}"
    return f"such as {key} = {example}" if key else f"such as {example}"


def _usual(cls: Any, name: str) -> Any:
    """Return the default of a field."""
    fields = attrs.fields(cls) if attrs.has(cls) else ()
    return next((each.default for each in fields if each.name == name), attrs.NOTHING)


def _another(usual: Any) -> str:
    """Return what is done about a value that a validator refuses, whose words say what it takes."""
    if usual is attrs.NOTHING:
        return "write another value"
    told = f" for the usual one, {usual}" if isinstance(usual, int | float) and not isinstance(usual, bool) else ""
    return f"write another value, or leave it out{told}"


def _has_options(error: BaseException) -> bool:
    """Tell whether the error comes from `attrs.validators.in_`: (message, attribute, options, value)."""
    return len(error.args) == 4 and isinstance(error.args[1], attrs.Attribute) and _is_collection(error.args[2])


def _is_collection(value: Any) -> bool:
    return isinstance(value, (list, tuple, set, frozenset, dict)) or (
        isinstance(value, type) and issubclass(value, Enum)
    )


def _mistake(
    code: str, message: str, places: Located, path: KeyPath, way_out: str | None = None, *, key: bool = False
) -> Mistake:
    source, span = places.at(path, key=key)
    found = Diagnostic(
        code=code, message=message, source=source, span=span, help=way_out, kind="ConfigError", severity="error"
    )
    return path, found


def shown(text: Any) -> str:
    """Return a key or value in quotes, short, and without what would move a terminal's cursor."""
    line = "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in str(text))
    return f"'{line if len(line) <= _SHOWN else line[: _SHOWN - 1] + '…'}'"


def key_names(cls: Any) -> list[str]:
    """Return the keys that a table of this class may have."""
    return list(_aliases(cls).values())


@lru_cache(maxsize=256)
def _aliases(cls: Any) -> dict[str, str]:
    """Return the key of each field that a constructor takes."""
    if not attrs.has(cls):
        return {}
    return {each.name: cast("str", each.alias) for each in attrs.fields(cls) if each.init}
