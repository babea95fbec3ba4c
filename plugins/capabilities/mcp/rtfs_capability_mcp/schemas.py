"""JSON Schemas of servers as RTFS types, and checked by jsonschema-rs where that is installed.

In: a schema (JSON data of a server that nobody trusts). Out: the text of a type that accepts all that the schema does;
what RTFS cannot say is `:any` there. Nothing is ever fetched: a reference leads within the schema, or nowhere. Regular
expressions run in linear time, or give up after so many steps back, so no pattern can hold a host up.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from rtfs_capability_mcp.sizes import TooMuchError, looks, work
from rtfs_capability_mcp.words import shown
from rtfs_framework.api import LanguageError, Type, parse_type

ANY = ":any"
_MOST_PARTS = 500
"""Of one schema: what lies beyond is `:any`."""
_MOST_DEPTH = 12
_MOST_TEXT = 20_000
"""Characters of a type."""
_MOST_CHOICES = 100
"""Literals of an enumeration, members of a union or an object."""
_MOST_BACKTRACKING = 10_000
"""Steps of one pattern that needs any; others take linear time."""
_MOST_TOLD = 20_000
"""Looks of a check of which the reason is told."""
_KEYWORD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,127}")
"""Members that are keywords for programs; others are texts."""
_PLAIN = {"string": ":string", "integer": ":int", "number": "[:union :int :float]", "boolean": ":bool", "null": ":nil"}
_WAYS = ("anyOf", "oneOf", "allOf", "$ref")

Check = Callable[[Any], "str | None"]
"""Returns what is wrong with JSON data, None when nothing is."""


def type_of(schema: object) -> Type:
    """Return the type of a schema; `:any` where it cannot be said at all."""
    return parse_type(type_text(schema))


def type_text(schema: object) -> str:
    """Return the type of a schema as programs write it; `:any` where it cannot be said at all, or is very long."""
    text = _Reader(schema).of(schema, 0)
    if len(text) > _MOST_TEXT:
        return ANY
    if "\\" in text:  # as in half of a surrogate pair: of all that is written here, only escapes may be none
        try:
            parse_type(text)
        except LanguageError:
            return ANY
    return text


class _Reader:
    def __init__(self, root: object) -> None:
        self.root = root
        self.left = _MOST_PARTS
        self.room = _MOST_TEXT

    def of(self, schema: object, depth: int) -> str:
        self.left -= 1
        if not isinstance(schema, Mapping) or depth > _MOST_DEPTH or min(self.left, self.room) < 0:
            return ANY
        if "const" in schema:
            return self.choice([schema["const"]])
        if isinstance(schema.get("enum"), list):
            return self.choice(schema["enum"])
        if "type" in schema:
            return self.typed(schema, depth)
        ways = [key for key in _WAYS if key in schema]
        found = schema[ways[0]] if len(ways) == 1 else None
        if ways == ["$ref"]:
            return self.of(self.target(found), depth + 1)
        if not isinstance(found, list) or (ways == ["allOf"] and len(found) > 1):
            return ANY
        return self.union(found, depth)

    def target(self, reference: object) -> object:
        """Return what a reference within the schema leads to (RFC 6901), None for any other."""
        if not isinstance(reference, str) or not reference.startswith("#/"):
            return None
        found = self.root
        for step in reference[2:].split("/"):
            found = found.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(found, Mapping) else None
        return found

    def union(self, members: list[Any], depth: int) -> str:
        found = list(dict.fromkeys(self.of(each, depth + 1) for each in members[:_MOST_CHOICES]))
        if not found or ANY in found or len(members) > _MOST_CHOICES:
            return ANY
        return found[0] if len(found) == 1 else f"[:union {' '.join(found)}]"

    def typed(self, schema: Mapping[str, Any], depth: int) -> str:
        kind = schema.get("type")
        if isinstance(kind, list):
            return self.union([{**schema, "type": each} for each in kind], depth)
        if kind == "object":
            return self.object(schema, depth)
        if kind == "array":
            items = schema.get("items")
            return f"[:vector {ANY if 'prefixItems' in schema else self.of(items, depth + 1)}]"
        return _PLAIN.get(kind, ANY) if isinstance(kind, str) else ANY

    def choice(self, values: list[Any]) -> str:
        text = _choice(values)
        self.room -= len(text)
        return text if self.room >= 0 else ANY

    def object(self, schema: Mapping[str, Any], depth: int) -> str:
        members, required = schema.get("properties"), schema.get("required")
        needed = {each for each in required if isinstance(each, str)} if isinstance(required, list) else set()
        known: dict[str, Any] = dict(members) if isinstance(members, Mapping) else {}
        known |= {name: True for name in sorted(needed) if name not in known}
        rest = schema.get("additionalProperties")
        if not known or len(known) > _MOST_CHOICES:
            return f"[:map-of :any {ANY if known else self.of(rest, depth + 1)}]"
        entries = []
        self.room -= sum(map(len, known))
        for name, part in known.items() if self.room >= 0 else ():
            entries.append(f"[{_key(name)} {self.of(part, depth + 1)}{'' if name in needed else ' ?'}]")
        return f"[:map {' '.join(entries)}]" if entries else f"[:map-of :any {ANY}]"


def _key(name: str) -> str:
    return f":{name}" if _KEYWORD.fullmatch(name) else json.dumps(name)


def _choice(values: list[Any]) -> str:
    """Return the type of some literals; text stays text, since a server means text."""
    plain = all(isinstance(each, str | int | None) for each in values)
    if not plain or not values or len(values) > _MOST_CHOICES:
        return ANY
    found = dict.fromkeys("nil" if each is None else json.dumps(each) for each in values)
    return f"[:enum {' '.join(found)}]"


def too_much(schema: object) -> str | None:
    """Return why a schema would take too much work to check data by, None where it would not."""
    try:
        if isinstance(schema, Mapping):
            looks(schema)
    except TooMuchError as error:
        return str(error)
    return None


def checker(schema: Mapping[str, Any]) -> Check | None:
    """Return what checks JSON data against a schema, None where jsonschema-rs is not installed.

    A schema that is none, takes too much work, or refers to anything outside of itself, refuses everything.
    """
    try:
        import jsonschema_rs
    except ImportError:
        return None
    patterns = jsonschema_rs.FancyRegexOptions(backtrack_limit=_MOST_BACKTRACKING)
    try:
        looked = looks(schema)
        made = jsonschema_rs.Draft202012Validator(
            dict(schema), retriever=_nowhere, pattern_options=patterns, validate_formats=False
        )
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        why = f"the schema cannot be used: {shown(str(error).splitlines()[0])}"
        return lambda _: why

    def check(data: Any) -> str | None:
        try:
            cost = work(data, looked)
            if made.is_valid(data):
                return None
            if cost > _MOST_TOLD:  # the library copies the data into each of its reasons
                return "it is not what the schema says"
            made.validate(data)
        except jsonschema_rs.ValidationError as wrong:
            return f"{'.'.join(map(str, wrong.instance_path)) or 'it'}: {shown(wrong.message, 200)}"
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            return shown(str(error).splitlines()[0])
        return None

    return check


def _nowhere(address: str) -> Any:
    message = f"{address} is outside of the schema"
    raise ValueError(message)
