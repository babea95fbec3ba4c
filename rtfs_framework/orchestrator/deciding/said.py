"""What a program says of a call: the metadata of the function, and hints around the call, as `DelegationMetadata`.

`(defn ^{:intent "triage" :confidence 0.8} f ...)` says it of all calls of a function; an expression says it of those
that are made while it is evaluated: `^{:runtime.delegation {:confidence 0.8}} (f x)`. Entries named `confidence`,
`reasoning`, `source` and `context` (a map of facts) are those fields; any other is a fact of its own name.
"""

from __future__ import annotations

from typing import Any

from rtfs_framework.api.caller import MOST_FACTS, MOST_TEXT, NO_METADATA, DelegationMetadata
from rtfs_framework.lang.maps import EMPTY_MAP, Map
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.signature import FunctionSignature
from rtfs_framework.lang.values import Keyword

HINT = "runtime.delegation"
PROGRAM = "program"
_FIELDS = ("reasoning", "source")


def said_of(function: FunctionSignature, hints: Map, caller: DelegationMetadata) -> DelegationMetadata:
    """Return what is said of a call: the nearest word counts (hints, then the caller, then the function's author)."""
    found = caller
    if function.metadata is not EMPTY_MAP:
        found = found.over(metadata_of(function.metadata))
    if len(hints):
        around = hints.get(Keyword(HINT))
        around = hints.get(HINT) if around is None else around
        if isinstance(around, Map):
            found = metadata_of(around).over(found)
    return found


def metadata_of(table: Map) -> DelegationMetadata:
    """Return a program's map as metadata. What no field can hold (a confidence of 7) is a fact."""
    fields: dict[str, Any] = {}
    facts: dict[str, str] = {}
    for key, value in table.items():
        name = _text(key)
        if name == "confidence" and type(value) in (int, float) and 0 <= value <= 1:
            fields[name] = float(value)
        elif name in _FIELDS and isinstance(value, str):
            fields[name] = value[:MOST_TEXT]
        elif name == "context" and isinstance(value, Map):
            facts.update((_text(fact), _text(said)) for fact, said in value.items())
        else:
            facts[name] = _text(value)
    if not fields and not facts:
        return NO_METADATA
    kept = dict(sorted(facts.items())[:MOST_FACTS])
    return DelegationMetadata(context=kept, **{"source": PROGRAM, **fields})


def _text(value: Any) -> str:
    if isinstance(value, Keyword):
        return value.name[:MOST_TEXT]
    return (value if isinstance(value, str) else write(value))[:MOST_TEXT]
