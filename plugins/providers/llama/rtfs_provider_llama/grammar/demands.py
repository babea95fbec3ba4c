"""What a conjunction of schemas demands: its parts, without references, `allOf` and `anyOf`.

In: schemas that must all hold. Out: alternatives; in each of them plain schemas that must all hold (`Parts`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs

from rtfs_provider_llama.grammar.bounds import Bounds
from rtfs_provider_llama.grammar.errors import GrammarError

Schema = Mapping[str, Any]
Key = frozenset[str]
"""A conjunction of schemas, each as canonical JSON text."""
NEVER: dict[str, Any] = {"not": {}}

_SILENT = frozenset(
    {"$schema", "$defs", "$id", "$comment", "title", "description", "default", "examples", "deprecated"}
)
_SPLIT = frozenset({"$ref", "allOf", "anyOf"})
_SAID = frozenset({
    "type", "enum", "const", "not", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength",
    "maxLength", "pattern", "format", "items", "prefixItems", "uniqueItems", "minItems", "maxItems", "properties",
    "required", "additionalProperties", "propertyNames", "minProperties", "maxProperties",
})  # fmt: skip


def key_of(schemas: Iterable[Any]) -> Key:
    """Return the conjunction of some schemas as a key."""
    return frozenset(text for text in map(_canonical, schemas) if text != "{}")


def _canonical(schema: Any) -> str:
    if isinstance(schema, bool):
        schema = {} if schema else NEVER
    if not isinstance(schema, Mapping):
        message = f"a schema is an object, not {type(schema).__name__}"
        raise GrammarError(message)
    return json.dumps(schema, sort_keys=False)


@attrs.frozen(slots=True)
class Demands:
    """Takes conjunctions apart, for one document."""

    definitions: Mapping[str, Any]
    bounds: Bounds

    def alternatives(self, key: Key) -> list[list[dict[str, Any]]]:
        """Return the alternatives of a conjunction."""
        return self._all([json.loads(text) for text in sorted(key)], frozenset())

    def _all(self, schemas: Sequence[Any], passed: frozenset[str]) -> list[list[dict[str, Any]]]:
        found: list[list[dict[str, Any]]] = [[]]
        for schema in schemas:
            ways = self._one(schema, passed)
            found = [[*first, *second] for first in found for second in ways]
            if len(found) > self.bounds.most_alternatives:
                message = (
                    f"unions within conjunctions unfold into more than {self.bounds.most_alternatives} alternatives"
                )
                raise GrammarError(message)
        return found

    def _one(self, schema: Any, passed: frozenset[str]) -> list[list[dict[str, Any]]]:
        schema = _as_object(schema)
        plain = {name: value for name, value in schema.items() if name not in _SPLIT and name not in _SILENT}
        unknown = plain.keys() - _SAID
        if unknown:
            message = f"{', '.join(sorted(unknown))}: not known to grammars"
            raise GrammarError(message)
        demands = list(schema.get("allOf", ()))
        if "$ref" in schema:
            name = schema["$ref"]
            if name in passed:
                return []  # a name that stands for itself
            demands.append(self._named(name))
            passed |= {name}
        found = self._all(demands, passed)
        if "anyOf" in schema:
            ways = [way for member in schema["anyOf"] for way in self._one(member, passed)]
            found = [[*first, *way] for first in found for way in ways]
        return [[plain, *each] if plain else each for each in found]

    def _named(self, ref: Any) -> Any:
        name = str(ref).removeprefix("#/$defs/").replace("~1", "/").replace("~0", "~")
        if not str(ref).startswith("#/$defs/") or name not in self.definitions:
            message = f"the reference {ref!r} leads nowhere"
            raise GrammarError(message)
        return self.definitions[name]


def _as_object(schema: Any) -> Schema:
    if isinstance(schema, bool):
        return {} if schema else NEVER
    if not isinstance(schema, Mapping):
        message = f"a schema is an object, not {type(schema).__name__}"
        raise GrammarError(message)
    return schema
