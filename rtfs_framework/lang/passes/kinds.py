"""Kinds: what a value surely is, and what library functions surely give for arguments of known kinds.

In: functions, and the kinds of arguments. Out: a kind, or None where nothing is sure. What a function gives is read in
its types, which the library holds; only of numbers more is known here.
"""

from __future__ import annotations

from enum import Enum
from functools import lru_cache

from rtfs_framework.lang.annotations import Any, Sequence
from rtfs_framework.lang.check import kinds as checked
from rtfs_framework.lang.check.signatures import ways
from rtfs_framework.lang.ir import nodes as ir
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
COUNTS = _names("count length string-length")
FLOATS = _names("float sqrt exp sin cos log")
_ALIKE = _names("conj assoc update")
"""They give a vector for a vector, and a map for a map."""
_PARTS = _names("rest butlast pop")
"""They give a vector for a vector, and for a map a vector of its pairs."""

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
_DECLARED_RESULTS = {
    checked.INT: Kind.INT, checked.BOOL: Kind.BOOL, checked.STRING: Kind.STRING, checked.VECTOR: Kind.VECTOR,
    checked.MAP: Kind.MAP, checked.NEVER: None,
}  # fmt: skip


def of_value(value: Any) -> Kind | None:
    """Return the kind of a value."""
    return _CLASSES.get(value.__class__)


def of_type(declared: Type | None) -> Kind | None:
    """Return the kind of all values that fit a type; an integer fits `:float` too."""
    return _DECLARED.get(declared) if isinstance(declared, Primitive) else None


def result(function: ir.Builtin, given: Sequence[Kind | None]) -> Kind | None:
    """Return what a library function gives, when it gives anything: as its types say, or nearer for numbers."""
    name = function.name
    if Kind.NEVER in given:
        return Kind.NEVER
    if name in _KEEPING or (name == "/" and Kind.FLOAT in given):
        if Kind.FLOAT in given:  # what is no number fails
            return Kind.FLOAT
        return Kind.INT if all(kind is Kind.INT for kind in given) else None
    if name in CHOICE:
        return Kind.INT if len(given) > 1 and all(kind is Kind.INT for kind in given) else None
    if name in _ALIKE or name in _PARTS:
        kind = given[0] if given and given[0] in (Kind.VECTOR, Kind.MAP) else None
        return Kind.VECTOR if kind is Kind.MAP and name in _PARTS else kind
    if name in FLOATS:
        return Kind.FLOAT
    if function.entry is None:
        return Kind.INT if name == "%times" else None
    return _declared_result(function.entry.types, len(given))


@lru_cache(maxsize=1024)
def _declared_result(types: str, count: int) -> Kind | None:
    found = checked.NEVER
    for way in ways(types):
        if way.admits(count):
            found |= way.result
    return _DECLARED_RESULTS.get(found)
