"""Gates: pure functions of two texts that say why one must not get the other's answer. They fail closed.

Each file is one family. A gate knows a kind of words or of signs, in English for the most part; where two texts differ
in what it knows, it closes. An open gate says nothing about two texts: whether they get the same answer, the model of
P(same answer) estimates, and the bound keeps that honest.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from rtfs_cache_similar.gates import (
    antonyms,
    code,
    currencies,
    dates,
    flags,
    language,
    names,
    negation,
    numbers,
    paths,
    quantifiers,
    quoted,
    roles,
    swaps,
    units,
    versions,
)
from rtfs_cache_similar.gates.seen import Gate, seen

GATES: Mapping[str, Gate] = {
    "numbers": numbers.gate,
    "versions": versions.gate,
    "paths": paths.gate,
    "flags": flags.gate,
    "code": code.gate,
    "quoted": quoted.gate,
    "units": units.gate,
    "dates": dates.gate,
    "currencies": currencies.gate,
    "negation": negation.gate,
    "quantifiers": quantifiers.gate,
    "opposites": antonyms.gate,
    "language": language.gate,
    "names": names.gate,
    "roles": roles.gate,
    "swaps": swaps.gate,
}
"""By name, in the order in which they are asked."""
LONGEST = 8_192
"""Characters of a text that a gate looks at; longer ones are not compared, and not served."""


@attrs.frozen(slots=True)
class Closed:
    """A gate that closed, and why."""

    gate: str
    why: str


def closed(first: str, second: str) -> Closed | None:
    """Return the first gate that closes for two texts; None where all are open. It does not matter which is which."""
    if max(len(first), len(second)) > LONGEST:
        return Closed("length", "too long to compare")
    one, other = seen(first), seen(second)
    if one.text == other.text:
        return None
    for name, gate in GATES.items():
        why = gate(one, other)
        if why is not None:
            return Closed(name, why)
    return None


__all__ = ["GATES", "LONGEST", "Closed", "closed"]
