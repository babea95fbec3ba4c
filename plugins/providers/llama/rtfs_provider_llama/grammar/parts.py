"""Plain schemas that must all hold, asked for what they say together of each kind of data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs

from rtfs_provider_llama.grammar.errors import GrammarError
from rtfs_provider_llama.grammar.numbers import Interval, decimal_of
from rtfs_provider_llama.grammar.texts import texts_of

KINDS = ("null", "boolean", "number", "string", "array", "object")
_SPEAK_OF = {
    "minimum": {"number"}, "maximum": {"number"}, "exclusiveMinimum": {"number"}, "exclusiveMaximum": {"number"},
    "pattern": {"string"}, "format": {"string"}, "required": {"object"}, "properties": {"object"},
    "propertyNames": {"object"}, "additionalProperties": {"object"}, "items": {"array"}, "prefixItems": {"array"},
    "uniqueItems": {"array"},
}  # fmt: skip
_MOST_DEMANDED = {"Length": 100_000, "Items": 1000, "Properties": 1000}
_SIZES = {"Length": "string", "Items": "array", "Properties": "object"}


def kind_of(value: Any) -> str:
    """Return the kind of plain data."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def same(first: Any, second: Any) -> bool:
    """Tell whether two values are the same to JSON: 1 is 1.0, and no boolean."""
    return kind_of(first) == kind_of(second) and bool(first == second)


def _is(first: Any, second: Any) -> bool:
    """Tell whether two values are the same to RTFS, which keeps 1 and 1.0 apart."""
    return type(first) is type(second) and bool(first == second)


@attrs.frozen(slots=True)
class Parts:
    """Plain schemas that must all hold.

    A limit is taken to want the kind of data that it limits: RTFS means so (`[:> 3]` is of numbers), where JSON Schema
    lets all other kinds pass.
    """

    schemas: Sequence[Mapping[str, Any]]

    def said(self, name: str) -> Iterator[Any]:
        """Yield what the schemas say under a name."""
        return (schema[name] for schema in self.schemas if name in schema)

    def kinds(self) -> set[str]:
        """Return the kinds of data that may fit."""
        left = set(KINDS)
        for schema in self.schemas:
            left &= _kinds(schema)
        return left

    def whole(self) -> bool:
        """Tell whether numbers must be integers."""
        return any("integer" in (t := _listed(said)) and "number" not in t for said in self.said("type"))

    def refused(self) -> list[Any]:
        """Return the values that must not be."""
        found: list[Any] = []
        for unwanted in self.said("not"):
            if unwanted.keys() == {"const"}:
                found.append(unwanted["const"])
            elif unwanted.keys() == {"enum"}:
                found += unwanted["enum"]
            elif unwanted:
                message = f"not {dict(unwanted)}: grammars can leave out values alone"
                raise GrammarError(message)
        return found

    def impossible(self) -> bool:
        """Tell whether one of the schemas lets nothing pass."""
        return any(unwanted == {} for unwanted in self.said("not"))

    def values(self) -> list[Any] | None:
        """Return the values of which one must be, if the schemas list them."""
        lists = [*self.said("enum"), *[[value] for value in self.said("const")]]
        if not lists:
            return None
        first = lists[0]
        return [v for v in first if all(any(_is(v, w) for w in other) for other in lists[1:]) and self._fits(v)]

    def interval(self) -> Interval:
        """Return the limits of numbers."""
        found = Interval()
        for name in ("minimum", "exclusiveMinimum"):
            for said in self.said(name):
                found = found.and_(_half(said, low=True, is_open=name != "minimum"))
        for name in ("maximum", "exclusiveMaximum"):
            for said in self.said(name):
                found = found.and_(_half(said, low=False, is_open=name != "maximum"))
        return found

    def sizes(self, what: str) -> tuple[int, int | None]:
        """Return the least and the most of "Length", "Items" or "Properties".

        Raises:
            GrammarError: The least is more than parsers of grammars take.
        """
        highs, low = list(self.said(f"max{what}")), max(self.said(f"min{what}"), default=0)
        if low > _MOST_DEMANDED[what] and not (highs and min(highs) < low):
            most = _MOST_DEMANDED[what]
            message = f"at least {low:,} characters, items or members: a grammar demands {most:,} at most"
            raise GrammarError(message)
        return low, min(highs) if highs else None

    def _fits(self, value: Any) -> bool:
        kind = kind_of(value)
        if kind not in self.kinds() or any(same(value, each) for each in self.refused()):
            return False
        if kind == "number":
            number = decimal_of(value)
            whole = isinstance(value, int)  # RTFS keeps 1 and 1.0 apart
            return number is not None and (whole or not self.whole()) and self.interval().holds(number)
        if kind == "string":
            low, high = self.sizes("Length")
            return low <= len(value) <= (len(value) if high is None else high) and self._matches(value)
        if kind in ("array", "object"):
            message = "a value that is an array or an object among those of an enumeration"
            raise GrammarError(message)
        return True

    def _matches(self, value: str) -> bool:
        patterns, formats = list(self.said("pattern")), list(self.said("format"))
        if not patterns and not formats:
            return True
        texts = texts_of(patterns, formats, [])
        place = texts.start
        for char in value:
            found = [after for ranges, after in texts.steps(place) if any(a <= ord(char) <= b for a, b in ranges)]
            if not found:
                return False
            place = found[0]
        return texts.accepts(place)


def numbers_of(values: Sequence[Any]) -> list[Decimal]:
    """Return the finite numbers among some values."""
    found = [decimal_of(value) for value in values if kind_of(value) == "number"]
    return [number for number in found if number is not None]


def _kinds(schema: Mapping[str, Any]) -> set[str]:
    left = set(KINDS)
    if "type" in schema:
        left = {"number" if name == "integer" else name for name in _listed(schema["type"])} & left
    for name, kinds in _SPEAK_OF.items():
        if name in schema:
            left &= kinds
    for end in ("min", "max"):
        sized = {kind for what, kind in _SIZES.items() if end + what in schema}
        left = left & sized if sized else left
    return left


def _listed(said: Any) -> list[str]:
    return [said] if isinstance(said, str) else list(said)


def _half(end: Any, *, low: bool, is_open: bool) -> Interval:
    number = decimal_of(end)
    if number is None:  # an infinite end: all numbers, or none
        return Interval() if (end < 0) is low else Interval(Decimal(1), Decimal(0))
    return Interval(low=number, low_open=is_open) if low else Interval(high=number, high_open=is_open)
