"""Arguments to ask an engine with, where nobody gave any: a few values of each parameter's type.

In: a function's parameters. Out: up to MOST argument lists, or none where a type has no value that stands to reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rtfs_framework.lang.signature import Parameter
from rtfs_framework.lang.types.model import AndType, EnumType, LiteralType, OptionalType, Primitive, Type, UnionType

MOST = 3

_TEXTS = ("yes", "", "a longer text, of some sixty characters, as people write them")
_VALUES: Mapping[Primitive, Sequence[Any]] = {
    Primitive.STRING: _TEXTS,
    Primitive.ANY: _TEXTS,
    Primitive.INT: (1, 0, 1_000),
    Primitive.FLOAT: (0.5, 0.0, 1_000.0),
    Primitive.BOOL: (True, False),
    Primitive.NIL: (None,),
}


def samples(parameters: Sequence[Parameter]) -> list[tuple[Any, ...]]:
    """Return argument lists for these parameters."""
    columns = [_of_type(parameter.type) for parameter in parameters if not parameter.rest]
    if not columns or not all(columns):
        return []
    rows = max(map(len, columns))
    return [tuple(column[row % len(column)] for column in columns) for row in range(min(rows, MOST))]


def _of_type(type_: Type | None) -> Sequence[Any]:
    match type_:
        case None:
            return _TEXTS
        case Primitive():
            return _VALUES.get(type_, ())
        case EnumType(values=values):
            return values
        case LiteralType(value=value):
            return (value,)
        case OptionalType(type=inner):
            return _of_type(inner)
        case UnionType(members=members) | AndType(members=members, predicates=()):
            return next(filter(None, map(_of_type, members)), ())
    return ()
