"""JSON text of any value that JSON can hold, part by part: what Python's encoder refuses, and text on several lines.

In: a value. Out: its text, of which no more is put together than one text may have.
"""

from __future__ import annotations

import math
from json.encoder import encode_basestring as quoted

from rtfs_framework.lang.annotations import Any
from rtfs_framework.lang.decimals import decimal_text
from rtfs_framework.lang.errors import ProgramError, generic_error
from rtfs_framework.lang.jsontext import MAX_DEPTH
from rtfs_framework.lang.maps import Map, Set
from rtfs_framework.lang.meter import Growing, charge, watched
from rtfs_framework.lang.types.jsonable import plain_key
from rtfs_framework.lang.values import Keyword, Timestamp, Uuid, type_name
from rtfs_framework.lang.vectors import GrownVector, List

_ARRAYS: frozenset[Any] = frozenset({tuple, GrownVector, List, Set})
_NAMED: dict[Any, str] = {None: "null", True: "true", False: "false"}
_OFTEN = 1_024


def written(value: Any, *, pretty: bool) -> str:
    """Return the JSON text of a value, compact or indented by two spaces.

    Raises:
        ProgramError: Generic, JSON cannot hold it.
        LimitError, Cancelled: the run ends here, before the text is longer than it may be.
    """
    writer = _Writer(pretty=pretty)
    try:
        writer.write(value, 0)
    except RecursionError:
        raise refusal("nested too deeply") from None
    return "".join(writer.out)


def refusal(reason: str) -> ProgramError:
    """Return the error of a value that JSON cannot hold."""
    return generic_error(f"JSON serialization error: {reason}")


class _Writer:
    def __init__(self, *, pretty: bool) -> None:
        self.out: list[str] = []
        self._size = Growing("serialize-json")
        self._pretty = pretty
        self._colon = ": " if pretty else ":"
        self._small = 0
        """Parts of small collections that were not charged yet."""

    def write(self, value: Any, depth: int) -> None:
        """Write one value; loops, not comprehensions, because those take a further frame per level."""
        kind = value.__class__
        if kind is Map or kind in _ARRAYS:
            self._collection(value, depth)
        else:
            self._put(_atom(value, kind))

    def _put(self, text: str) -> None:
        self._size.add(len(text))
        self.out.append(text)

    def _collection(self, value: Any, depth: int) -> None:
        if depth >= MAX_DEPTH:
            raise refusal(f"nested deeper than {MAX_DEPTH} levels")
        is_map = value.__class__ is Map
        opening, closing = "{}" if is_map else "[]"
        if not len(value):
            self._put(opening + closing)
            return
        self._small += len(value)
        if self._small >= _OFTEN:
            charge(self._small)
            self._small = 0
        line = "\n" + "  " * (depth + 1) if self._pretty else ""
        between = f",{line}"
        self._put(opening + line)
        names: set[str] = set()
        for place, item in enumerate(watched(value.items() if is_map else value)):
            if place:
                self._put(between)
            if is_map:
                self._put(quoted(_name(item[0], names)) + self._colon)
                item = item[1]  # noqa: PLW2901 - the value of the entry
            self.write(item, depth + 1)
        self._put(line[:-2] + closing if self._pretty else closing)


def _name(key: Any, names: set[str]) -> str:
    name = key if key.__class__ is str else key.name if key.__class__ is Keyword else plain_key(key)
    if name in names:
        raise refusal(f"two keys of a map would both be named {name}")
    names.add(name)
    return name


def _atom(value: Any, kind: Any) -> str:
    if kind is str:
        return quoted(value)
    if kind is int:
        return decimal_text(value)
    if kind is bool or value is None:
        return _NAMED[value]
    if kind is float:
        if not math.isfinite(value):
            raise refusal("a number that JSON cannot hold")
        return float.__repr__(value)
    if kind is Timestamp or kind is Uuid:
        return quoted(value.text)
    raise refusal(f"JSON cannot hold a {type_name(value)}")
