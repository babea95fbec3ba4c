"""Tokens, estimated without a tokenizer: as ranges that hold for prose, code and other scripts alike.

A token is between two and five bytes of UTF-8 in nearly all texts: English prose has about four, JSON and code about
three, Chinese and Japanese two to four. Vendors add a few for each message.
"""

from __future__ import annotations

import json
from math import ceil
from typing import Any

import attrs

from rtfs_framework.api.provider import InferenceRequest
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.types.jsonable import to_json
from rtfs_framework.lang.types.model import (
    AndType,
    EnumType,
    LiteralType,
    OptionalType,
    Primitive,
    Type,
    UnionType,
)

_MOST_BYTES, _LEAST_BYTES = 5.0, 2.2
"""Bytes of a token."""
_FRAME = 8
"""Tokens around each message, at most."""
_NUMBER = 12
"""Tokens of a number, at most."""


@attrs.frozen(slots=True)
class Span:
    """From so many to so many."""

    low: float = 0
    high: float = 0

    def __add__(self, other: Span) -> Span:
        return Span(self.low + other.low, self.high + other.high)


NOTHING = Span()


def of_request(request: InferenceRequest) -> Span:
    """Return the tokens of a request; its schema may be sent twice, once beside the prompt."""
    size = sum(len(message.content.encode("utf-8", "replace")) for message in request.messages)
    beside = 0 if request.schema is None else len(json.dumps(request.schema, default=write))
    frames = len(request.messages)
    return Span(ceil(size / _MOST_BYTES) + frames, ceil((size + beside) / _LEAST_BYTES) + frames * _FRAME)


def of_text(text: str) -> Span:
    """Return the tokens of a question."""
    size = len(text.encode("utf-8", "replace"))
    return Span(ceil(size / _MOST_BYTES) + 1, ceil(size / _LEAST_BYTES) + _FRAME)


def of_reply(returns: Type | None, most: int) -> Span:
    """Return the tokens of a reply of a type; `most` where nothing but a bound on replies bounds it."""
    high = None if returns is None else _longest(returns)
    return Span(1, most if high is None else min(high + _FRAME, most))


def is_bounded(returns: Type | None) -> bool:
    """Tell whether a type bounds the length of its values."""
    return returns is not None and _longest(returns) is not None


def _longest(type_: Type) -> int | None:
    """Return the tokens of a type's longest value as JSON; None where it may be of any length."""
    match type_:
        case Primitive.INT | Primitive.FLOAT:
            return _NUMBER
        case Primitive.BOOL | Primitive.NIL:
            return 2
        case EnumType(values=values):
            return max((_shown(value) for value in values), default=0)
        case LiteralType(value=value):
            return _shown(value)
        case OptionalType(type=inner):
            return _longest(inner)
        case UnionType(members=members):
            found = [_longest(member) for member in members]
            return None if None in found else max((each for each in found if each is not None), default=0)
        case AndType(members=members):
            return min((each for each in map(_longest, members) if each is not None), default=None)
    return None


def _shown(value: Any) -> int:
    return ceil(len(json.dumps(to_json(value), default=write)) / _LEAST_BYTES)
