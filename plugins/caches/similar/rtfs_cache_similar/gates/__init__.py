"""Gates: pure functions of two texts that say why one must not get the other's answer. They fail closed.

Each file is one family. A gate knows a kind of words or of signs, in English for the most part; where two texts differ
in what it knows, it closes. An open gate says nothing about two texts: whether they get the same answer, the model of
P(same answer) estimates, and the bound keeps that honest.

Those of `SOFT` close where what they know is nearly all that differs: then it is the question. Where two texts are
worded differently besides, a name or a quantifier that one leaves out is often understood, so it is noted, and the
model weighs it. A name in the place of another closes always.
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
    letters,
    names,
    negation,
    numbers,
    operators,
    paths,
    quantifiers,
    quoted,
    roles,
    small,
    swaps,
    symbols,
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
    "symbols": symbols.gate,
    "operators": operators.gate,
    "letters": letters.gate,
    "small words": small.gate,
}
"""By name, in the order in which they are asked."""
SOFT: Mapping[str, int] = {"names": 1, "quantifiers": 2, "roles": 2}
"""Gates that note a difference instead, where more words than so many that say something are in one text alone."""
LONGEST = 8_192
"""Characters of a text that a gate looks at; longer ones are not compared, and not served."""


@attrs.frozen(slots=True)
class Closed:
    """A gate that closed, and why."""

    gate: str
    why: str


@attrs.frozen(slots=True)
class Passed:
    """What the gates say of two texts: the first that closed, if one did, and those that noted a difference."""

    closed: Closed | None = None
    noted: frozenset[str] = frozenset()


def asked(first: str, second: str) -> Passed:
    """Ask all gates, up to the first that closes. It does not matter which text is which."""
    if max(len(first), len(second)) > LONGEST:
        return Passed(Closed("length", "too long to compare"))
    one, other = seen(first), seen(second)
    if one.text == other.text:
        return Passed()
    apart = len(one.subjects ^ other.subjects)
    noted = set()
    for name, gate in GATES.items():
        why = gate(one, other)
        if why is None:
            continue
        if apart <= SOFT.get(name, apart) or (name == "names" and names.exchanged(one, other)):
            return Passed(Closed(name, why))
        noted.add(name)
    return Passed(noted=frozenset(noted))


def closed(first: str, second: str) -> Closed | None:
    """Return the first gate that closes for two texts; None where all are open."""
    return asked(first, second).closed


__all__ = ["GATES", "LONGEST", "SOFT", "Closed", "Passed", "asked", "closed"]
