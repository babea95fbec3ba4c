"""Names in types that name no type: nothing ever fits them.

Said as a warning where the name stands, for whoever gets there fails; a check of the value could only say so for a
value that is known.
"""

from __future__ import annotations

from rtfs_framework.lang.check.facts import Facts
from rtfs_framework.lang.diagnostics import Diagnostic
from rtfs_framework.lang.source import Span
from rtfs_framework.lang.types.names import PRIMITIVES, instead, resolve


def check_type_names(facts: Facts) -> list[Diagnostic]:
    """Return a warning for every unknown name in a type, at the name."""
    return [
        _unknown(name, span, facts)
        for name, span in facts.type_mentions
        if resolve(name, facts.types.get) is None and name.removesuffix("?") not in facts.types
    ]


def _unknown(name: str, span: Span, facts: Facts) -> Diagnostic:
    known = {**dict.fromkeys(PRIMITIVES), **dict.fromkeys(facts.types)}
    message = f"no type is called '{name}': nothing fits it"
    return facts.finding(span, "E0324", message, instead(name, known))
