"""What observers and the log are told of marked data: that something happened, and no words that could hold it.

An event has fields whose values the host makes (times, counts, states), fields that may hold words of people or
programs, and fields that say which call it is: where a program chooses between two calls by what carries a mark, that
tells something of it. The latter two are withheld from whoever does not accept the marks; that something happened, and
how often, is told. Events that nobody could give a label count as carrying every mark; they are about no call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs

from rtfs_framework.api.labels import PUBLIC, Label
from rtfs_framework.api.observer import Event

WITHHELD: Final = "(withheld)"
_WORDS = frozenset({"answer", "args", "error", "hints", "reasoning", "words"})
"""Fields that may hold words."""
_WHICH = frozenset({"cache", "call", "engine", "event", "model", "path", "place", "symbol", "target"})
"""Fields that say which call it is, and where it went."""
_NUMBERS_IN = "summary"
"""The field with a run's totals, and what its plug-ins did wrong."""
_BY_TARGET = ("by_target", "failed_attempts")
"""Totals that name where calls went: of those, only how many there were is told."""


@attrs.frozen(slots=True, eq=False)
class Withholding:
    """Withholds, for one host."""

    accepts: Callable[[str], Label | None]
    """From "log" or "observer x" to the marks that it accepts; None for all."""
    marks: Label
    """All that there are."""

    def __call__(self, who: str, event: Event, label: Label | None) -> Event:
        """Return an event as somebody may be told it."""
        accepted = self.accepts(who)
        if accepted is None or (self.marks if label is None else label) <= accepted:
            return event
        fields = {
            name: _without(name, value, _WORDS if label is None else _ALL) for name, value in event.fields.items()
        }
        return attrs.evolve(event, fields=fields, marks=PUBLIC)


_ALL = _WORDS | _WHICH


def _without(name: str, value: Any, withheld: frozenset[str]) -> Any:
    if name in withheld:
        return value if value is None else WITHHELD
    if name == _NUMBERS_IN and isinstance(value, Mapping):
        sums: dict[str, Any] = {each: {WITHHELD: sum(value[each].values())} for each in _BY_TARGET if value.get(each)}
        if value.get("metrics"):  # by names of programs
            counted = list(value["metrics"].values())
            sums["metrics"] = {WITHHELD: {name: sum(each[name] for each in counted) for name in counted[0]}}
        return {**value, **sums, "problems": [WITHHELD for _ in value.get("problems", ())]}
    return value
