"""A schema as a grammar: rules by conjunctions of schemas, bounded, named and written in GBNF."""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping
from typing import Any

from rtfs_provider_llama.grammar.arrays import array
from rtfs_provider_llama.grammar.bounds import Bounds
from rtfs_provider_llama.grammar.chars import WRITABLE, spelled, written
from rtfs_provider_llama.grammar.demands import Demands, Key, key_of
from rtfs_provider_llama.grammar.errors import GrammarError
from rtfs_provider_llama.grammar.expressions import Expression, Literal, either
from rtfs_provider_llama.grammar.numbers import decimals, integers
from rtfs_provider_llama.grammar.objects import Object
from rtfs_provider_llama.grammar.parts import Parts, kind_of, numbers_of
from rtfs_provider_llama.grammar.rules import Rules
from rtfs_provider_llama.grammar.texts import ONE, TextRules, texts_of


def gbnf(schema: Mapping[str, Any], bounds: Bounds | None = None) -> str:
    """Return the grammar of a schema; its first rule is `root`.

    Raises:
        GrammarError: The schema says what no grammar can say, or nothing fits it.
    """
    builder = _Builder(schema, bounds or Bounds())
    try:
        return builder.rules(key_of([schema])).text(builder.bounds)
    except RecursionError:
        message = "the schema is nested too deeply for a grammar"
        raise GrammarError(message) from None


def choices(schema: Mapping[str, Any]) -> list[Any] | None:
    """Return the values of which a schema lets one choose (enumerations, booleans, null), None for any other schema.

    None, too, for one that nothing fits or no grammar can say: `gbnf` tells why.
    """
    try:
        return _Builder(schema, Bounds()).choices(key_of([schema])) or None
    except (GrammarError, RecursionError):
        return None


class _Builder:
    """One document: its definitions, and the conjunctions that were looked at."""

    def __init__(self, schema: Mapping[str, Any], bounds: Bounds) -> None:
        self.bounds = bounds
        self._demands = Demands(schema.get("$defs", {}), bounds)
        self._known: dict[Key, list[Parts]] = {}

    def _parts(self, key: Key) -> list[Parts]:
        if key not in self._known:
            self._known[key] = [Parts(schemas) for schemas in self._demands.alternatives(key)]
        return self._known[key]

    def rules(self, root: Key) -> Rules:
        """Return all rules that a conjunction needs."""
        rules = Rules(root)
        rules.define(ONE, written(WRITABLE))
        while (key := rules.missing()) is not None:
            ways = [self._way((key, n), parts, rules) for n, parts in enumerate(self._parts(key))]  # type: ignore[arg-type]
            rules.define(key, either(ways))
            if len(rules) > self.bounds.most_rules:
                message = f"the grammar needs more than {self.bounds.most_rules} rules"
                raise GrammarError(message)
        return rules

    def choices(self, key: Key) -> list[Any] | None:
        """Return the values of a conjunction, None if it does not list them."""
        found: list[Any] = []
        for parts in self._parts(key):
            values = _listed(parts)
            if values is None:
                return None
            found += [value for value in values if not any(_equal(value, other) for other in found)]
        return found

    def _way(self, key: Hashable, parts: Parts, rules: Rules) -> Expression:
        values = _listed(parts)
        if values is not None:
            return either(Literal(spelled(value)) for value in values)
        kinds = parts.kinds()
        ways = [self._kind(kind, key, parts, rules) for kind in sorted(kinds)]
        return either(ways)

    def _kind(self, kind: str, key: Hashable, parts: Parts, rules: Rules) -> Expression:
        if kind in ("null", "boolean"):
            simple = Parts([*parts.schemas, {"enum": [None, True, False]}, {"type": kind}])
            return either(Literal(json.dumps(value)) for value in simple.values() or ())
        if kind == "number":
            return self._number(parts)
        if kind == "string":
            low, high = parts.sizes("Length")
            refused = [value for value in parts.refused() if isinstance(value, str)]
            texts = texts_of(list(parts.said("pattern")), list(parts.said("format")), refused)
            return TextRules((key, "text"), texts, low, high, self.bounds).write(rules.define)
        if any(kind_of(value) == kind for value in parts.refused()):
            message = f"one {kind} that must not be: a grammar can leave out plain values alone"
            raise GrammarError(message)
        if kind == "array":
            return array(parts, self.choices, self.bounds)
        return Object((key, "object"), parts, self.choices, self.bounds).write(rules.define)

    def _number(self, parts: Parts) -> Expression:
        intervals = [parts.interval()]
        for number in numbers_of(parts.refused()):
            intervals = [
                part for each in intervals for part in (each.without(number) if each.holds(number) else [each])
            ]
        return (integers if parts.whole() else decimals)(intervals, self.bounds)


def _listed(parts: Parts) -> list[Any] | None:
    """Return the values of plain schemas that list them, or have few."""
    if parts.impossible():
        return []
    kinds = parts.kinds()
    if kinds <= {"null", "boolean"}:
        parts = Parts([*parts.schemas, {"enum": [None, True, False]}])
    values = parts.values()
    if values is None:
        return None
    return [value for value in values if _is_text(value)]


def _is_text(value: Any) -> bool:
    """Tell whether a value can be written at all: half a character cannot."""
    return not isinstance(value, str) or not any(0xD800 <= ord(char) <= 0xDFFF for char in value)


def _equal(first: Any, second: Any) -> bool:
    """Tell whether two choices are written the same."""
    return json.dumps(first) == json.dumps(second)
