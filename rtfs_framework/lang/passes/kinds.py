"""Kinds: what a value surely is, and what library functions surely give for arguments of known kinds.

In: names, and the kinds of arguments. Out: a kind, or None where nothing is sure. No kind here is wider than the truth:
`tests/lang/passes/test_kinds.py` holds the tables against the library's own types.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any

from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.types.model import Primitive, Type
from rtfs_framework.lang.vectors import GrownVector


class Kind(Enum):
    """What a node surely gives. NEVER: it gives nothing, because it jumps or fails."""

    INT = "int"
    FLOAT = "float"
    BOOL = "bool"
    STRING = "string"
    VECTOR = "vector"
    """A tuple or a `GrownVector`: both have a length, items and slices."""
    MAP = "map"
    NEVER = "never"


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


ARITHMETIC = _names("+ - *")
DIVISION = _names("mod quot rem")
CHOICE = _names("max min")
ORDER = _names("< > <= >=")
STEPS = _names("inc dec")
_KEEPING = ARITHMETIC | DIVISION | STEPS | {"abs"}
"""Of integers they give an integer, and a float if there is one among them."""
FAIL_FOR_NIL = _KEEPING | CHOICE
"""They give nothing for nil."""
ASKS = frozenset({"file-exists?"})
"""Names with a question mark whose answer is the host's: any value."""
TRUTH = ORDER | _names("= != not= not string-contains string-p")
COUNTS = _names("count length string-length")
FLOATS = _names("float sqrt exp sin cos log")
STRINGS = _names(
    """
    str join substring type-name string-upper string-lower string-trim triml trimr capitalize title reverse-string
    replace replace-first re-replace pad-left pad-right repeat-string from-char-code name format serialize-json
    """
)
VECTORS = _names("range numbers vec vector map mapv keep map-indexed concat keys vals repeat zip split interleave")
MAPS = _names("hash-map dissoc merge select-keys rename-keys zipmap map-vals map-keys group-by frequencies")
_ALIKE = _names("conj assoc rest butlast pop update")
"""They give a vector for a vector, and a map for a map."""

_CLASSES: dict[type, Kind] = {
    bool: Kind.BOOL,
    int: Kind.INT,
    float: Kind.FLOAT,
    str: Kind.STRING,
    tuple: Kind.VECTOR,
    GrownVector: Kind.VECTOR,
    Map: Kind.MAP,
}
_DECLARED = {Primitive.INT: Kind.INT, Primitive.STRING: Kind.STRING, Primitive.BOOL: Kind.BOOL}
_RESULTS: dict[str, Kind] = {
    **dict.fromkeys((*COUNTS, "%times"), Kind.INT),
    **dict.fromkeys(TRUTH, Kind.BOOL),
    **dict.fromkeys(FLOATS, Kind.FLOAT),
    **dict.fromkeys(STRINGS, Kind.STRING),
    **dict.fromkeys(VECTORS, Kind.VECTOR),
    **dict.fromkeys(MAPS, Kind.MAP),
}


def of_value(value: Any) -> Kind | None:
    """Return the kind of a value."""
    return _CLASSES.get(value.__class__)


def of_type(declared: Type | None) -> Kind | None:
    """Return the kind of all values that fit a type; an integer fits `:float` too."""
    return _DECLARED.get(declared) if isinstance(declared, Primitive) else None


def result(name: str, given: Sequence[Kind | None]) -> Kind | None:
    """Return what a library function gives, when it gives anything."""
    if Kind.NEVER in given:
        return Kind.NEVER
    found = _RESULTS.get(name)
    if found is not None:
        return found
    if name in _KEEPING or (name == "/" and Kind.FLOAT in given):
        if Kind.FLOAT in given:  # what is no number fails
            return Kind.FLOAT
        return Kind.INT if given and all(kind is Kind.INT for kind in given) else None
    if name in CHOICE:
        return Kind.INT if len(given) > 1 and all(kind is Kind.INT for kind in given) else None
    if name in _ALIKE:
        return given[0] if given and given[0] in (Kind.VECTOR, Kind.MAP) else None
    return Kind.BOOL if name.endswith("?") and name not in ASKS else None
