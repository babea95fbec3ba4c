"""JSON text to values and back.

Read: objects become maps with string keys, arrays vectors, whole numbers integers, other numbers floats, null nil.
Written: vectors, lists and sets as arrays, maps as objects (a key is written by its name or its print), timestamps and
UUIDs as their text. Keywords and symbols as values, functions, errors, handles, NaN and infinities are refused, and so
are two keys of one map that would get the same name. Everything refused is a Generic error.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

from rtfs_framework.lang.errors import ProgramError, generic_error
from rtfs_framework.lang.garbage import no_collection
from rtfs_framework.lang.jsontext import MAX_DEPTH, JsonError, dump, load
from rtfs_framework.lang.maps import Map, Set
from rtfs_framework.lang.meter import LARGE, charge, meter, room_for_text, watched
from rtfs_framework.lang.types.jsonable import plain_key
from rtfs_framework.lang.values import GrownVector, Keyword, List, Timestamp, Uuid, type_name
from rtfs_framework.stdlib.check import string
from rtfs_framework.stdlib.json_text import plain_text, too_much
from rtfs_framework.stdlib.table import builtin

_PLAIN = frozenset({type(None), bool, int, float, str})
_SMALL = frozenset({type(None), bool, int, float})
"""Classes whose values count as one part, whatever they are."""
_OFTEN = 0xFFF
_ARRAYS = frozenset({tuple, GrownVector, List, Set})


@builtin(
    "parse-json",
    ('(parse-json "[1, 2.5, null]")', "[1 2.5 nil]"),
    ('(parse-json "{\\"a\\": true}")', '{"a" true}'),
    ('(parse-json "{bad")', "!Generic"),
    ("(parse-json 5)", "!TypeError"),
    ('(tool/parse-json "1e2")', "100.0"),
    aliases=("tool/parse-json",),
    doc="Read a JSON text.",
)
def parse_json(text: Any) -> Any:
    try:
        charge(len(string("parse-json", text)))
        with no_collection():
            return _value(load(text, _object if len(text) < LARGE else _watched_object()))
    except JsonError as error:
        raise generic_error(f"JSON parsing error: {error}") from None
    except RecursionError:
        raise generic_error("JSON parsing error: nested too deeply") from None


def _object(members: dict[str, Any]) -> Map:
    """Return the map of an object; objects inside it are maps already, arrays are still lists."""
    for name, item in members.items():
        if type(item) is list:
            for each in item:
                if type(each) is list:
                    members[name] = _vector(item)
                    break
            else:
                members[name] = tuple(item)
    return Map(members)


def _watched_object() -> Callable[[dict[str, Any]], Map]:
    """Return what makes maps of a large text's objects, with a look at the limits now and then."""
    number = count(1)

    def made(members: dict[str, Any]) -> Map:
        if next(number) & _OFTEN == 0:
            meter().look()
        return _object(members)

    return made


def _value(data: Any) -> Any:
    return _vector(data) if data.__class__ is list else data


def _vector(items: list[Any]) -> tuple[Any, ...]:
    for item in items:
        if item.__class__ is list:
            return tuple([_vector(each) if each.__class__ is list else each for each in watched(items)])
    return tuple(items)


@builtin(
    "serialize-json",
    ("(serialize-json [1 nil true])", '"[1,null,true]"'),
    ('(serialize-json {:a "x"})', '"{\\"a\\":\\"x\\"}"'),
    ("(serialize-json :kw)", "!Generic"),
    ("(tool/serialize-json 1.5)", '"1.5"'),
    aliases=("tool/serialize-json",),
    doc="Write a value as compact JSON text.",
)
def serialize_json(value: Any) -> str:
    made = plain_text(value)
    if made is None:
        return _written(value, pretty=False)
    room_for_text("serialize-json", len(made))
    return made


@builtin(
    "serialize-json-pretty",
    ("(serialize-json-pretty [1])", '"[\\n  1\\n]"'),
    ("(tool/serialize-json-pretty [])", '"[]"'),
    aliases=("tool/serialize-json-pretty",),
    doc="Write a value as JSON text on several lines, indented by two spaces.",
)
def serialize_json_pretty(value: Any) -> str:
    return _written(value, pretty=True)


def _written(value: Any, *, pretty: bool) -> str:
    try:
        made = dump(_Plain().data(value, 0), pretty=pretty)
    except JsonError as error:
        raise _refusal(str(error)) from None
    except RecursionError:
        raise _refusal("nested too deeply") from None
    room_for_text("serialize-json", len(made))
    return made


def _refusal(reason: str) -> ProgramError:
    return generic_error(f"JSON serialization error: {reason}")


class _Plain:
    """Makes plain data of one value, counting what it makes: a small value may share its parts many times over."""

    def __init__(self) -> None:
        self.size = 0
        self.due = _OFTEN
        self.most = meter().items

    def data(self, value: Any, depth: int) -> Any:
        """Return plain data; loops, not comprehensions, because those take a further frame per level.

        Raises:
            LimitError: more parts and characters than one value may have.
        """
        kind = value.__class__
        self.size += 1 + (len(value) if kind is str else 0)
        if self.most is not None and self.size > self.most:
            raise too_much(self.most)
        if self.size >= self.due:
            charge(_OFTEN)
            self.due = self.size + _OFTEN
        if kind in _PLAIN:
            return value
        if depth >= MAX_DEPTH:
            raise _refusal(f"nested deeper than {MAX_DEPTH} levels")
        if kind is Map:
            return self._members(value, depth)
        if kind in _ARRAYS:
            charge(len(value))
            made: list[Any] = []
            for item in value:
                if item.__class__ in _SMALL:
                    self.size += 1
                    made.append(item)
                else:
                    made.append(self.data(item, depth + 1))
            return made
        if kind is Timestamp or kind is Uuid:
            return value.text
        raise _refusal(f"JSON cannot hold a {type_name(value)}")

    def _members(self, value: Map, depth: int) -> dict[str, Any]:
        members: dict[str, Any] = {}
        for key, item in value.items():
            name = key if key.__class__ is str else key.name if key.__class__ is Keyword else plain_key(key)
            if name in members:
                raise _refusal(f"two keys of a map would both be named {name}")
            kind = item.__class__
            if kind in _SMALL:
                self.size += 1
                members[name] = item
            else:
                members[name] = self.data(item, depth + 1)
        return members
