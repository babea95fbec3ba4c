"""The JSON in what a model said: the whole text, a code fence in it, or the one value that stands in its prose.

In: a text and what kind of value is wanted. Out: the value, in a tuple (it may be null); None when there is none, or
when several stand there that differ: then nobody knows which is meant.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from rtfs_framework.api import JsonError, load_json

MOST_PARTS = 500_000
"""Values that the JSON of a reply may hold: each becomes an object many times the size of its text."""
_MOST_BEGINNINGS = 64
"""Brackets in prose at which a value is looked for: each look may read the whole text."""
_FENCE = re.compile(r"^[ \t]*(```+|~~~+)[^\n`]*\n(.*?)^[ \t]*\1[ \t]*$", re.DOTALL | re.MULTILINE)
_DECODER = json.JSONDecoder()

Wanted = Callable[[Any], bool]


def load(text: str) -> Any:
    """Return the data of a JSON text.

    Raises:
        JsonError: It is none, holds what JSON does not have, or too many values.
    """
    if parts(text) > MOST_PARTS:
        raise JsonError(f"more than {MOST_PARTS:,} values")
    return load_json(text)


def answer(text: str) -> Any:
    """Return the data of what a model said, in which no key may stand twice: nobody knows which of two is meant.

    Raises:
        JsonError: It is no such JSON.
    """
    data = load(text)
    json.loads(text, object_pairs_hook=_once)
    return data


def _once(pairs: list[tuple[str, Any]]) -> None:
    if len({key for key, _ in pairs}) != len(pairs):
        raise JsonError("a key stands twice in one object")


def parts(text: str) -> int:
    """Return how many values a long text may hold at most, 0 for a short one."""
    return text.count(",") + text.count("[") + text.count("{") if len(text) > MOST_PARTS else 0


def json_within(text: str, wanted: Wanted) -> tuple[Any] | None:
    """Return the one wanted value that a text holds around which there are fences or prose."""
    if parts(text) > MOST_PARTS:
        return None
    for candidates in (_fenced(text), _in_prose(text)):
        found = [value for value in candidates if wanted(value)]
        if found:
            return (found[0],) if all(_same(value, found[0]) for value in found) else None
    return None


def _same(one: Any, other: Any) -> bool:
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _fenced(text: str) -> Iterator[Any]:
    for found in _FENCE.finditer(text):
        yield from _loaded(found[2])


def _in_prose(text: str) -> Iterator[Any]:
    """Yield the outermost objects and lists that stand in a text."""
    at = 0
    for _ in range(_MOST_BEGINNINGS):
        starts = [place for place in (text.find("{", at), text.find("[", at)) if place >= 0]
        if not starts:
            return
        start = min(starts)
        try:
            _, end = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            at = start + 1
            continue
        yield from _loaded(text[start:end])
        at = end


def _loaded(text: str) -> Iterator[Any]:
    try:
        yield answer(text)
    except JsonError:
        return
