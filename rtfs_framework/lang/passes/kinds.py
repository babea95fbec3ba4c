"""Kinds: what a value surely is, and what library functions surely give for arguments of known kinds.

In: functions, and the kinds of arguments. Out: a kind, or None where nothing is sure. What a function gives is read in
its record, which the library holds: its types, and what it gives nearer than they say.
"""

from __future__ import annotations

from enum import Enum

from rtfs_framework.lang.annotations import Any, Sequence
from rtfs_framework.lang.check import kinds as checked
from rtfs_framework.lang.check import signatures
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.library import Gives, Op
from rtfs_framework.lang.types.model import Primitive, Type
from rtfs_framework.lang.types.names import Lookup


class Kind(Enum):
    """What a node surely gives: a set of `check.kinds` with one member. NEVER: it gives nothing, it jumps or fails."""

    INT = checked.INT
    FLOAT = checked.FLOAT
    BOOL = checked.BOOL
    STRING = checked.STRING
    VECTOR = checked.VECTOR
    """A tuple or a `GrownVector`: both have a length, items and slices."""
    MAP = checked.MAP
    NEVER = checked.NEVER


_SURE = {kind.value: kind for kind in Kind if kind is not Kind.NEVER}

ARITHMETIC = frozenset({Op.ADD, Op.SUB, Op.MUL})
DIVISION = frozenset({Op.MOD, Op.QUOT, Op.REM})
CHOICE = frozenset({Op.MAX, Op.MIN})
ORDER = frozenset({Op.LT, Op.GT, Op.LE, Op.GE})
STEPS = frozenset({Op.INC, Op.DEC})
QUESTIONS = frozenset({Op.EVEN, Op.ODD, Op.ZERO, Op.POS, Op.NEG})
"""Operations of numbers."""


def of_value(value: Any) -> Kind | None:
    """Return the kind of a value."""
    return _SURE.get(checked.of_value(value))


def of_type(declared: Type | None, lookup: Lookup | None) -> Kind | None:
    """Return the kind of all values that fit a type; an integer fits `:float` too. `lookup` is as in `Numbers`."""
    return None if declared is None else _SURE.get(checked.of_type(declared, lookup or _anything))


def _anything(_name: str) -> Type:
    """Return what a name stands for where nobody knows that."""
    return Primitive.ANY


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
            known = [checked.ANY if kind is None else kind.value for kind in given]
            return _SURE.get(signatures.result(function.name, function.entry, known) or checked.NEVER)


def fails_for_nil(function: ir.Builtin) -> bool:
    """Tell whether a function gives nothing where nil is among its arguments."""
    return function.entry is not None and function.entry.gives in (Gives.NUMBER, Gives.CHOICE)
