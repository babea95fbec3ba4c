"""Objects: what plain schemas say of their members -> an expression.

Members come in the schema's order; those that may be left out may be left out one by one. Other members come last.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import attrs

from rtfs_provider_llama.grammar.bounds import Bounds
from rtfs_provider_llama.grammar.chars import spelled
from rtfs_provider_llama.grammar.demands import Key, key_of
from rtfs_provider_llama.grammar.errors import GrammarError
from rtfs_provider_llama.grammar.expressions import EMPTY, NOTHING, Expression, Literal, Ref, either, in_turn, repeat
from rtfs_provider_llama.grammar.parts import Parts

_MOST_NAMES = 64
"""Names of an enumeration that are taken for members of their own."""


@attrs.frozen(slots=True)
class _Member:
    name: str
    value: Key
    required: bool


class Object:
    """The objects of one conjunction."""

    def __init__(self, key: Hashable, parts: Parts, choices: Callable[[Key], list[Any] | None], bounds: Bounds) -> None:
        self._key = key
        self._parts = parts
        self._names = key_of([*parts.said("propertyNames"), {"type": "string"}])
        listed = choices(self._names) if any(True for _ in parts.said("propertyNames")) else None
        self._listed = listed if listed is not None and len(listed) <= _MOST_NAMES else None
        self._choices = choices
        self._members = self._declared()
        self._low, most = parts.sizes("Properties")
        self._high = max(self._low, len(self._members) + bounds.items) if most is None else most
        self._others = self._may_have_others()

    def _declared(self) -> list[_Member]:
        required = {name for names in self._parts.said("required") for name in names}
        declared = dict.fromkeys(name for said in self._parts.said("properties") for name in said)
        names = dict.fromkeys([*declared, *sorted(required), *(self._listed or ())])
        members = [_Member(name, self._value(name), name in required) for name in names]
        return [m if self._allows(m.name) else attrs.evolve(m, value=key_of([False])) for m in members]

    def _allows(self, name: str) -> bool:
        """Tell whether a member may have that name."""
        if not any(True for _ in self._parts.said("propertyNames")):
            return True
        return self._choices(key_of([*self._parts.said("propertyNames"), {"enum": [name]}])) == [name]

    def _value(self, name: str | None) -> Key:
        """Return what is demanded of a member; None stands for the names that no schema lists."""
        found: list[Any] = []
        for schema in self._parts.schemas:
            properties = schema.get("properties", {})
            found.append(properties[name] if name in properties else schema.get("additionalProperties", {}))
        return key_of(found)

    def _may_have_others(self) -> bool:
        if self._listed is not None:
            return False
        speaks = any(True for _ in self._parts.said("additionalProperties"))
        return speaks or not self._members or self._low > len(self._members)

    def write(self, define: Callable[[Hashable, Expression], None]) -> Expression:
        """Return the expression, and define the rules that it needs."""
        names = [*self._members]
        known: dict[tuple[int, int], Expression] = {}
        for place in range(len(names), -1, -1):
            for count in range(place + 1):
                known[place, count] = self._from(place, count, known)
                if place and known[place, count] not in (EMPTY, NOTHING):
                    define((self._key, place, count), known[place, count])
                    known[place, count] = Ref((self._key, place, count))
        return in_turn(Literal("{"), known[0, 0], Literal("}"))

    def _from(self, place: int, count: int, known: dict[tuple[int, int], Expression]) -> Expression:
        """Return what may follow when `place` members were decided on and `count` of them are written."""
        if place == len(self._members):
            return self._tail(count)
        member = self._members[place]
        text = spelled(member.name) + ":"
        ways: list[Expression] = []
        if count < self._high:
            comma = Literal(",") if count else EMPTY
            ways.append(in_turn(comma, Literal(text), Ref(member.value), known[place + 1, count + 1]))
        if not member.required:
            ways.append(known[place + 1, count])
        return either(ways)

    def _tail(self, count: int) -> Expression:
        """Return the members that no schema lists, behind `count` others."""
        low, high = max(0, self._low - count), self._high - count
        if high < low or (low and not self._others):
            return NOTHING
        if not self._others or high == 0:
            return EMPTY
        if low > 1:
            message = "an object of at least two members with any names: a grammar cannot keep the names different"
            raise GrammarError(message)
        taken = [member.name for member in self._members]
        unlike = [{"not": {"enum": taken}}] if taken else []
        name = Ref(key_of([*self._parts.said("propertyNames"), {"type": "string"}, *unlike]))
        pair = in_turn(name, Literal(":"), Ref(self._value(None)))
        if count:
            return repeat(in_turn(Literal(","), pair), low, high)
        return repeat(in_turn(pair, repeat(in_turn(Literal(","), pair), 0, high - 1)), low, 1)
