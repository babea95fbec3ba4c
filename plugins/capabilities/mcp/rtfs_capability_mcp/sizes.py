"""How much work a schema makes, known before anything is checked by it.

In: a schema (JSON data of a server that nobody trusts). Out: how often one value is looked at, at most, wherever it
lies in the data, or why that cannot be said. A few lines can ask for any amount of work: each `allOf` of two references
to the next doubles it, and so does a list whose items are described twice, with every level of the data.

Method: subschemas that look at the same value (`allOf`, `$ref` ...) add up; those that look at different values (two
members, members and items) do not. By depth of the data, from the value itself downwards, until nothing changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

MOST_LOOKS = 1_000
"""At one value."""
MOST_WORK = 2_000_000
"""Looks of one check: values in the data, each as often as it may be looked at."""
MOST_DEPTH = 100
"""Of data that are checked."""
_MOST_SCHEMAS = 5_000
"""In one schema."""
_MOST_NESTED = 200
_HERE = ("allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "dependencies", "propertyNames")
"""What looks at the value itself (names of members are no values of the data, but there are no more of them)."""
_MEMBERS = ("properties", "additionalProperties")
_ALL_MEMBERS = ("patternProperties", "unevaluatedProperties")
_ITEMS = ("prefixItems", "items", "additionalItems")
_ALL_ITEMS = ("contains", "unevaluatedItems")
_KEYS = (*_HERE, *_MEMBERS, *_ALL_MEMBERS, *_ITEMS, *_ALL_ITEMS)
_BY_NAME = ("dependentSchemas", "dependencies", "properties", "patternProperties")
_LONG = ("enum", "required", "dependentRequired")


class TooMuchError(ValueError):
    """Why nothing is checked by a schema."""


def looks(schema: Mapping[str, Any]) -> int:
    """Return how often one value is looked at, at most.

    Raises:
        TooMuchError: More often than is allowed, or nobody can say.
    """
    return _Sizes(schema).most()


def work(data: object, looked: int) -> int:
    """Return what checking data costs: a look for each value, and for each 100 characters of a text, times `looked`.

    Raises:
        TooMuchError: It is too much, or they are nested too deeply.
    """
    level, seen = [data], 0
    for _ in range(MOST_DEPTH):
        seen += len(level) + sum(len(each) for each in level if isinstance(each, str)) // 100
        if seen * looked > MOST_WORK:
            raise TooMuchError("it is too large to be checked by its schema")
        level = [inner for each in level for inner in _inside(each)]
        if not level:
            return seen * looked
    message = f"it is nested more than {MOST_DEPTH} deep"
    raise TooMuchError(message)


def _inside(value: object) -> Iterator[Any]:
    if isinstance(value, Mapping):
        yield from value
        yield from value.values()
    elif isinstance(value, list):
        yield from value


class _Sizes:
    """All schemas within one, each with what it leads to."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._ids: dict[int, int] = {}
        self._parts: list[dict[str, list[int]]] = []
        self._weights: list[int] = []
        left: list[Any] = [root]
        while left:
            schema = left.pop()
            number = self._number(schema)
            if number < len(self._parts) and self._weights[number]:
                continue
            self._weights[number] = self._weight(schema)
            for key, each in self._within(schema):
                if isinstance(each, Mapping):
                    self._parts[number].setdefault(key, []).append(self._number(each))
                    left.append(each)
        self._order = self._inner_first()

    def _number(self, schema: Any) -> int:
        number = self._ids.setdefault(id(schema), len(self._ids))
        if number == len(self._parts):
            if number >= _MOST_SCHEMAS:
                message = f"there are more than {_MOST_SCHEMAS:,} schemas in it"
                raise TooMuchError(message)
            self._parts.append({})
            self._weights.append(0)
        return number

    def _weight(self, schema: Mapping[str, Any]) -> int:
        if schema is not self._root and ("$id" in schema or "$anchor" in schema):
            raise TooMuchError("schemas in it have names of their own ($id, $anchor)")
        if "$dynamicRef" in schema or "$recursiveRef" in schema:
            raise TooMuchError("it refers to what is known only while it is used ($dynamicRef)")
        long = (schema.get(key) for key in _LONG)
        return 1 + sum(len(each) for each in long if isinstance(each, list | dict)) // 100

    def _within(self, schema: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        """Yield the schemas in a schema, each with its key."""
        for key in _KEYS:
            found = schema.get(key)
            if isinstance(found, list):
                yield from ((key, each) for each in found)
            elif isinstance(found, Mapping):
                yield from ((key, each) for each in (found.values() if key in _BY_NAME else (found,)))
        if "$ref" in schema:
            yield "$ref", self._target(schema["$ref"])

    def _target(self, reference: object) -> Any:
        """Return what a reference leads to (RFC 6901); one that leads elsewhere is refused when the checker is made."""
        own = self._root.get("$id")
        text = reference if isinstance(reference, str) else ""
        if isinstance(own, str) and own and text.startswith(f"{own}#"):
            text = text[len(own) :]
        if text != "#" and not text.startswith("#/"):
            raise TooMuchError("it refers to what is outside of it")
        found: Any = self._root
        for step in unquote(text[2:]).split("/") if text != "#" else ():
            name = step.replace("~1", "/").replace("~0", "~")
            if found is not self._root and isinstance(found, Mapping) and "$id" in found:
                raise TooMuchError("schemas in it have names of their own ($id, $anchor)")
            if isinstance(found, list) and name.isdecimal() and int(name) < len(found):
                found = found[int(name)]
            elif isinstance(found, Mapping) and name in found:
                found = found[name]
            else:
                raise TooMuchError("it refers to what is not in it")
        return found

    def _here(self, number: int) -> Iterator[int]:
        parts = self._parts[number]
        for key in (*_HERE, "$ref"):
            yield from parts.get(key, ())

    def _inner_first(self) -> list[int]:
        """Return all schemas, each after those that look at the same value.

        Raises:
            TooMuchError: One leads to itself without going into the data, or they are nested too deeply.
        """
        done: dict[int, int] = {}
        for start in range(len(self._parts)):
            way, open_ = [(start, self._here(start))], {start}
            while way:
                number, rest = way[-1]
                inner = next(rest, None)
                if inner is None:
                    done[number] = 1 + max((done[each] for each in self._here(number)), default=0)
                    open_.discard(number)
                    way.pop()
                elif inner in open_ or len(way) > _MOST_NESTED:
                    raise TooMuchError("it describes values by themselves, or is nested too deeply")
                elif inner not in done:
                    open_.add(inner)
                    way.append((inner, self._here(inner)))
        if max(done.values()) > _MOST_NESTED:
            raise TooMuchError("it is nested too deeply")
        return list(done)

    def most(self) -> int:
        """See `looks`."""
        found = [0] * len(self._parts)
        for number in self._order:
            found[number] = self._allowed(self._weights[number] + sum(found[each] for each in self._here(number)))
        root, most = self._ids[id(self._root)], 0
        for _ in range(MOST_DEPTH):
            most = max(most, found[root])
            members = self._below(found, _MEMBERS, _ALL_MEMBERS)
            below = [max(each) for each in zip(members, self._below(found, _ITEMS, _ALL_ITEMS), strict=True)]
            if below == found:
                break
            found = below
        return most

    def _below(self, found: list[int], one: tuple[str, ...], every: tuple[str, ...]) -> list[int]:
        """Return how often one value within a value is looked at: by one of some parts, and by all of others."""
        below = [0] * len(found)
        for number in self._order:
            parts = self._parts[number]
            inside = max((found[each] for key in one for each in parts.get(key, ())), default=0)
            inside += sum(found[each] for key in every for each in parts.get(key, ()))
            below[number] = self._allowed(inside + sum(below[each] for each in self._here(number)))
        return below

    @staticmethod
    def _allowed(count: int) -> int:
        if count > MOST_LOOKS:
            message = f"it looks at one value more than {MOST_LOOKS:,} times"
            raise TooMuchError(message)
        return count
