"""Arrays: what plain schemas say of their items -> an expression."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs

from rtfs_provider_llama.grammar.bounds import Bounds
from rtfs_provider_llama.grammar.demands import NEVER, Key, key_of
from rtfs_provider_llama.grammar.errors import GrammarError
from rtfs_provider_llama.grammar.expressions import EMPTY, NOTHING, Expression, Literal, Ref, either, in_turn, repeat
from rtfs_provider_llama.grammar.parts import Parts

OPEN, CLOSE, COMMA = Literal("["), Literal("]"), Literal(",")
_MOST_CHOICES = 24
"""Choices of a set that is written in their order, each once."""


@attrs.frozen(slots=True)
class _Items:
    prefix: tuple[Key, ...]
    rest: Key
    low: int
    high: int


def array(parts: Parts, choices: Callable[[Key], list[Any] | None], bounds: Bounds) -> Expression:
    """Return the arrays of some plain schemas; `choices` are the values of a conjunction, if they are few."""
    items = _items(parts, bounds)
    if any(parts.said("uniqueItems")):
        found = None if items.prefix else choices(items.rest)
        if found is not None and len(found) <= _MOST_CHOICES:
            return in_turn(OPEN, _subset(found, items), CLOSE)
        if items.low > 1:
            message = "a set of at least two values: a grammar cannot keep them different"
            raise GrammarError(message)
    return in_turn(OPEN, _from(items, 0), CLOSE)


def _items(parts: Parts, bounds: Bounds) -> _Items:
    longest = max((len(prefix) for prefix in parts.said("prefixItems")), default=0)
    keys = [key_of(_at(schema, place) for schema in parts.schemas) for place in range(longest + 1)]
    low, most = parts.sizes("Items")
    high = max(low, bounds.items + longest)
    return _Items(tuple(keys[:-1]), keys[-1], low, high if most is None else min(most, high))


def _at(schema: Any, place: int) -> Any:
    """Return what one schema says of the item at a place."""
    prefix: Sequence[Any] = schema.get("prefixItems", ())
    if place < len(prefix):
        return prefix[place]
    return NEVER if schema.get("items") is False else schema.get("items", {})


def _from(items: _Items, place: int) -> Expression:
    """Return what may follow when `place` items are written."""
    if place < min(len(items.prefix), items.high):
        more = in_turn(COMMA if place else EMPTY, Ref(items.prefix[place]), _from(items, place + 1))
        return more if place < items.low else repeat(more, 0, 1)
    low, high = items.low - place, items.high - place
    if high <= 0:
        return EMPTY if high == 0 and low <= 0 else NOTHING
    item = Ref(items.rest)
    if place:
        return repeat(in_turn(COMMA, item), max(0, low), high)
    return repeat(in_turn(item, repeat(in_turn(COMMA, item), max(0, low - 1), high - 1)), min(1, max(0, low)), 1)


def _subset(values: list[Any], items: _Items) -> Expression:
    """Return some of the values, each at most once, in their order."""
    known: dict[tuple[int, int], Expression] = {}

    def after(place: int, taken: int) -> Expression:
        if (place, taken) not in known:
            known[place, taken] = _choice(place, taken)
        return known[place, taken]

    def _choice(place: int, taken: int) -> Expression:
        if place == len(values):
            return EMPTY if items.low <= taken <= items.high else NOTHING
        with_it = NOTHING
        if taken < items.high:
            written = Ref(key_of([{"const": values[place]}]))
            with_it = in_turn(COMMA if taken else EMPTY, written, after(place + 1, taken + 1))
        return either([with_it, after(place + 1, taken)])

    return after(0, 0)
