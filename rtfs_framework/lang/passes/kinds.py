"""Kinds: what a value surely is, and what library functions surely give for arguments of known kinds.

In: functions, and the kinds of arguments. Out: a kind, or None where nothing is sure. What a function gives is read in
its record, which the library holds: its types, and what it gives nearer than they say.
"""

from __future__ import annotations

from enum import Enum
from functools import lru_cache

from rtfs_framework.lang.annotations import Any, Sequence
from rtfs_framework.lang.check import kinds as checked
from rtfs_framework.lang.check.signatures import ways
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.library import Gives, Op
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


ARITHMETIC = frozenset({Op.ADD, Op.SUB, Op.MUL})
DIVISION = frozenset({Op.MOD, Op.QUOT, Op.REM})
CHOICE = frozenset({Op.MAX, Op.MIN})
ORDER = frozenset({Op.LT, Op.GT, Op.LE, Op.GE})
STEPS = frozenset({Op.INC, Op.DEC})
QUESTIONS = frozenset({Op.EVEN, Op.ODD, Op.ZERO, Op.POS, Op.NEG})
"""Operations of numbers."""

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
    if Kind.NEVER in given:
        return Kind.NEVER
    if function.entry is None:
        return Kind.INT if function.name == "%times" else None
    match function.entry.gives:
        case Gives.NUMBER | Gives.QUOTIENT if Kind.FLOAT in given:  # what is no number fails
            return Kind.FLOAT
        case Gives.NUMBER | Gives.CHOICE if given and all(kind is Kind.INT for kind in given):
            return Kind.INT
        case Gives.ALIKE if given and given[0] in (Kind.VECTOR, Kind.MAP):
            return given[0]
        case Gives.PART if given and given[-1] in (Kind.VECTOR, Kind.MAP):
            return Kind.VECTOR
        case Gives.FLOAT:
            return Kind.FLOAT
        case _:
            return _declared_result(function.entry.types, len(given))


def fails_for_nil(function: ir.Builtin) -> bool:
    """Tell whether a function gives nothing where nil is among its arguments."""
    return function.entry is not None and function.entry.gives in (Gives.NUMBER, Gives.CHOICE)


@lru_cache(maxsize=1024)
def _declared_result(types: str, count: int) -> Kind | None:
    found = checked.NEVER
    for way in ways(types):
        if way.admits(count):
            found |= way.result
    return _DECLARED_RESULTS.get(found)
