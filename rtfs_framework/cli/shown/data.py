"""Values and calls as JSON lines. A part that JSON cannot hold is null; then the whole is RTFS text as `print`.

A line is always JSON that reads back to the same data, whatever is in it: integers have all their digits, and what
would steer a terminal, or UTF-8 cannot hold, is escaped.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import attrs

from rtfs_framework.cli.terminal import put
from rtfs_framework.lang.jsontext import MAX_DEPTH, JsonError
from rtfs_framework.lang.maps import Map, Set
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.types.jsonable import plain, plain_key
from rtfs_framework.lang.values import ErrorValue, type_name
from rtfs_framework.lang.vectors import List, is_vector
from rtfs_framework.lang.visible import escaped

_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")


def value_json(value: Any) -> dict[str, Any]:
    """Return a value as JSON data with its type's name; `print` is there when JSON cannot hold all of the value."""
    making = _Making()
    found = {"value": making.of(value, 0), "type": type_name(value)}
    return found if making.whole else {**found, "print": write(value)}


@attrs.define(slots=True)
class _Making:
    """Plain data made of a value; `whole` tells whether nothing was lost."""

    whole: bool = True

    def of(self, value: Any, depth: int) -> Any:
        if depth <= MAX_DEPTH:
            if value.__class__ is Map:
                return self._members(value, depth)
            if is_vector(value) or value.__class__ in (List, Set):
                return [self.of(item, depth + 1) for item in value]
            if value.__class__ is ErrorValue:
                return {"kind": value.kind, "message": value.message}
        try:
            return plain(value)
        except JsonError:
            self.whole = False
            return None

    def _members(self, value: Map, depth: int) -> dict[str, Any]:
        made = {plain_key(key): self.of(item, depth + 1) for key, item in value.items()}
        self.whole = self.whole and len(made) == len(value)  # two keys may get one name
        return made


def put_json(data: Any) -> None:
    """Write one line of JSON to stdout, in ASCII where the stream cannot hold it otherwise."""
    text = line(data)
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        text = _NOT_ASCII.sub(lambda found: json.dumps(found[0])[1:-1], text)
    put(text)


def line(data: Any) -> str:
    """Return one line of JSON; a number that is none (NaN, an infinity) is null."""
    try:
        text = json.dumps(data, ensure_ascii=False, allow_nan=False)
    except ValueError:  # such a number, or an integer of more digits than Python prints unasked
        with _all_digits():
            text = json.dumps(_finite(data), ensure_ascii=False)
    return text if text.isprintable() else escaped(text)


def _finite(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _finite(item) for key, item in data.items()}
    if isinstance(data, list | tuple):
        return [_finite(item) for item in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data


@contextmanager
def _all_digits() -> Iterator[None]:
    """Let Python print integers of any size. (How large they may get is bounded elsewhere.)"""
    if not hasattr(sys, "set_int_max_str_digits"):  # before 3.10.7
        yield
        return
    bound = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    try:
        yield
    finally:
        sys.set_int_max_str_digits(bound)
