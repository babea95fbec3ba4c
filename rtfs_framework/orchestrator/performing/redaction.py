"""Redaction: what rules find in the arguments of a call is taken out before anybody else sees the request.

In: a call and the names of rules. Out: the call as it may be sent, and how much each rule replaced. Applied to all
that a provider is told of a call: arguments, and the hints in force. A text keeps what no rule finds in it; whatever
else holds a match in its written form (a number, a keyword) is replaced as a whole; keys of maps are no exception.

What cannot be looked at within bounds is refused: too deep, too long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import attrs

from rtfs_framework.lang.maps import EMPTY_MAP, Map, Set
from rtfs_framework.lang.pattern import MOST_WORK, Pattern, compile_pattern
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.vectors import GrownVector, List
from rtfs_framework.orchestrator.boundary.failures import RefusedError
from rtfs_framework.orchestrator.config.recognizing import HeldRecognizer, NotHereError, recognizer_of
from rtfs_framework.orchestrator.config.tables.redaction import RedactionSpec, unknown_rule
from rtfs_framework.registry.faults import PluginFault

if TYPE_CHECKING:
    from rtfs_framework.kernel.outcome import HostCall
    from rtfs_framework.orchestrator.recording.run_scope import OpenCall
    from rtfs_framework.registry.catalog import Catalog

GUARD = "redaction"
"""What records call it."""
_DEEPEST = 200
"""Levels; values of programs nest less deeply."""
_SEQUENCES: dict[type, Callable[[Iterable[Any]], Any]] = {
    tuple: tuple,
    GrownVector: tuple,
    list: list,
    List: List,
    Set: Set.of,
}
_NOTHING = frozenset({type(None), bool})
"""Types whose values say nothing that a rule could take out of them."""


class Finder(Protocol):
    """Finds what a rule takes out."""

    def find(self, text: str) -> list[tuple[int, int]]:
        """Return places in a text: in order, and without overlap."""
        ...


@attrs.frozen(slots=True, eq=False)
class ByPattern:
    """Finds by a pattern, in linear time."""

    pattern: Pattern

    def find(self, text: str) -> list[tuple[int, int]]:
        """Return the places, in characters.

        Raises:
            RefusedError: The text is too long for the pattern.
        """
        subject = text.encode("utf-8", "surrogatepass")
        if len(subject) * max(1, self.pattern.breadth) > MOST_WORK:
            raise _refused("a text is too long for it", "send less at once, or use a pattern with fewer places")
        if len(subject) == len(text):
            return [(low, high) for low, high in self.pattern.spans(subject) if low < high]
        found, last, place = [], 0, 0
        for low, high in self.pattern.spans(subject):
            begin = place + _characters(subject[last:low])
            last, place = high, begin + _characters(subject[low:high])
            if begin < place:
                found.append((begin, place))
        return found


@attrs.frozen(slots=True, eq=False)
class Rule:
    """A rule that can be applied."""

    spec: RedactionSpec
    finders: tuple[Finder, ...]

    def replaced(self, text: str) -> tuple[str, int]:
        """Return a text without what the rule finds, and how much that was."""
        count = 0
        for finder in self.finders:
            places = finder.find(text)
            for low, high in reversed(places):
                text = f"{text[:low]}{self.spec.replacement}{text[high:]}"
            count += len(places)
        return text, count

    def finds(self, text: str) -> bool:
        """Tell whether it finds anything."""
        return any(finder.find(text) for finder in self.finders)


@attrs.define(slots=True, eq=False)
class Redactor:
    """The rules of a host. Each is made when it is first applied."""

    specs: Mapping[str, RedactionSpec]
    catalog: Catalog | None
    """Of plug-ins with recognizers; None where no rule names one."""
    _made: dict[str, Rule] = attrs.field(factory=dict, init=False)

    def redacted(self, call: HostCall, names: Iterable[str]) -> tuple[HostCall, tuple[tuple[str, int], ...]]:
        """Return a call as it may be sent, and how much each rule replaced in it.

        Raises:
            RefusedError: A rule could not be applied, so nothing may be sent.
        """
        args, hints, counts = call.args, call.hints, []
        for name in dict.fromkeys(names):
            work = _Work(self._rule(name))
            try:
                args = work.of(args)
                hints = work.of(hints) if len(hints) else hints
            except PluginFault as fault:
                raise _refused(f"the rule '{name}' could not be applied: {fault.words}", fault.way_out or "") from fault
            counts.append((name, work.count))
        if args is call.args and hints is call.hints:
            return call, tuple(counts)
        return attrs.evolve(call, args=args, hints=hints if len(hints) else EMPTY_MAP), tuple(counts)

    def _rule(self, name: str) -> Rule:
        rule = self._made.get(name)
        if rule is None:
            spec = self.specs.get(name)
            if spec is None:
                raise _refused(*unknown_rule(name, self.specs))
            rule = self._made[name] = Rule(spec, tuple(self._finders(spec)))
        return rule

    def _finders(self, spec: RedactionSpec) -> Iterable[Finder]:
        for text in spec.patterns:
            yield ByPattern(compile_pattern(text))
        if spec.recognizer:
            yield self._recognizer(spec)

    def _recognizer(self, spec: RedactionSpec) -> HeldRecognizer:
        if self.catalog is None:
            raise _refused(f"the recognizer '{spec.recognizer}' is not here", "load the plug-in that offers it")
        try:
            return recognizer_of(self.catalog, spec.recognizer)
        except NotHereError as error:  # it was here when the configuration was read
            raise _refused(error.problem, error.way_out) from None


NO_RULES = Redactor({}, None)
"""Knows no rule: whoever names one is refused."""


def redact(opened: OpenCall, redactor: Redactor | None) -> None:
    """Have taken out of a call what the plan of its attempt says, and written down how much that was.

    Raises:
        RefusedError: That cannot be done, so nothing may be sent.
    """
    decision = opened.record.decision
    names = () if decision is None else decision.plan.transform
    opened.redacted = None
    if not names:
        return
    opened.redacted, counts = (redactor or NO_RULES).redacted(opened.call, names)
    for name, count in counts:
        opened.noted(GUARD, f"{count} replaced by rule {name}")


@attrs.define(slots=True, eq=False)
class _Work:
    """One rule at one call."""

    rule: Rule
    count: int = 0

    def of(self, value: Any, depth: int = 0) -> Any:
        """Return a value without what the rule finds; the same object if nothing is."""
        kind = value.__class__
        if kind is str:
            text, count = self.rule.replaced(value)
            self.count += count
            return text if count else value
        if kind in _NOTHING:
            return value
        if depth > _DEEPEST:
            raise _refused(f"a value nests deeper than {_DEEPEST} levels", "send what is inside of it")
        if kind is Map or kind is dict:
            return self._entries(value, depth)
        make = _SEQUENCES.get(kind)
        if make is None:
            return self._whole(value)
        items = [self.of(item, depth + 1) for item in value]
        same = all(new is old for new, old in zip(items, value, strict=True))
        return value if same else make(items)

    def _entries(self, table: Any, depth: int) -> Any:
        made: list[tuple[Any, Any]] = []
        same = True
        taken: set[Any] = set()
        for old_key, old in table.items():
            key, new = self.of(old_key, depth + 1), self.of(old, depth + 1)
            same = same and key is old_key and new is old
            if key is not old_key:
                key = _free(key, taken, table)
                taken.add(key)
            made.append((key, new))
        if same:
            return table
        return Map.of(made) if table.__class__ is Map else dict(made)

    def _whole(self, value: Any) -> Any:
        if not self.rule.finds(write(value)):
            return value
        self.count += 1
        return self.rule.spec.replacement


def _free(key: Any, taken: set[Any], table: Any) -> Any:
    """Return a redacted key, numbered where another of its map is the same: no entry may get lost."""
    number, free = 1, key
    while free in taken or free in table:
        number += 1
        free = f"{key} {number}"
    return free


def _characters(part: bytes) -> int:
    return len(part.decode("utf-8", "surrogatepass"))


def _refused(reason: str, way_out: str) -> RefusedError:
    return RefusedError(GUARD, reason, way_out or "ask whoever runs this host")
