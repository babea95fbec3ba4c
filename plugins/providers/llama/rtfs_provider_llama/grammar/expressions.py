"""What the right side of a rule is made of, and how it is written in GBNF."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence

import attrs


@attrs.frozen(slots=True)
class Literal:
    """A text, as it stands."""

    text: str


@attrs.frozen(slots=True)
class Chars:
    """One character of these ranges of code points."""

    ranges: tuple[tuple[int, int], ...]


@attrs.frozen(slots=True)
class Series:
    """One after the other."""

    parts: tuple[Expression, ...]


@attrs.frozen(slots=True)
class Either:
    """One of them."""

    ways: tuple[Expression, ...]


@attrs.frozen(slots=True)
class Repeat:
    """The part, at least `low` and at most `high` times."""

    part: Expression
    low: int
    high: int


@attrs.frozen(slots=True)
class Ref:
    """Another rule, by its key."""

    key: Hashable


Expression = Literal | Chars | Series | Either | Repeat | Ref

NOTHING: Expression = Either(())
"""What no text fits."""
EMPTY: Expression = Series(())
"""What the empty text fits, and no other."""


def in_turn(*parts: Expression) -> Expression:
    """Return the parts one after the other: neighbouring texts are one, and what nothing fits takes all with it."""
    flat: list[Expression] = []
    for part in parts:
        for each in part.parts if isinstance(part, Series) else (part,):
            if each == NOTHING:
                return NOTHING
            last = flat[-1] if flat else None
            if isinstance(each, Literal) and isinstance(last, Literal):
                flat[-1] = Literal(last.text + each.text)
            else:
                flat.append(each)
    return flat[0] if len(flat) == 1 else Series(tuple(flat))


def either(ways: Iterable[Expression]) -> Expression:
    """Return one of the ways, without repetitions and what nothing fits."""
    flat: dict[Expression, None] = {}
    for way in ways:
        for each in way.ways if isinstance(way, Either) else (way,):
            flat.setdefault(each)
    return next(iter(flat)) if len(flat) == 1 else Either(tuple(flat))


def repeat(part: Expression, low: int, high: int) -> Expression:
    """Return a repetition; with none of it, or of what nothing fits, the empty text is left where that may be."""
    if high < low or (low and part == NOTHING):
        return NOTHING
    if high == 0 or part in (NOTHING, EMPTY):
        return EMPTY
    return part if (low, high) == (1, 1) else Repeat(part, low, high)


def refs(expression: Expression) -> Iterator[Hashable]:
    """Yield the keys of the rules that it names."""
    match expression:
        case Ref(key):
            yield key
        case Series(parts) | Either(parts):
            for part in parts:
                yield from refs(part)
        case Repeat(part):
            yield from refs(part)
        case _:
            return


def height(expression: Expression, of: Callable[[Hashable], float]) -> float:
    """Return how many levels the lowest text needs, by the heights of the rules; infinite where nothing fits."""
    match expression:
        case Ref(key):
            return of(key)
        case Series(parts):
            return max((height(part, of) for part in parts), default=0.0)
        case Either(ways):
            return min((height(way, of) for way in ways), default=math.inf)
        case Repeat(part, low):
            return height(part, of) if low else 0.0
        case _:
            return 0.0


def within(expression: Expression, ref: Callable[[Hashable], Expression]) -> Expression:
    """Return the expression with its references replaced; one that is replaced by NOTHING takes its way along."""
    match expression:
        case Ref(key):
            return ref(key)
        case Series(parts):
            return in_turn(*[within(part, ref) for part in parts])
        case Either(ways):
            return either([within(way, ref) for way in ways])
        case Repeat(part, low, high):
            return repeat(within(part, ref), low, high)
        case _:
            return expression


def show(expression: Expression, name: Callable[[Hashable], str]) -> str:
    """Return the expression in GBNF, as the whole right side of a rule."""
    if isinstance(expression, Either):
        return " | ".join(_show(way, name) for way in expression.ways)
    return _show(expression, name)


def _show(expression: Expression, name: Callable[[Hashable], str]) -> str:
    match expression:
        case Literal(text):
            return '"' + "".join(map(_in_quotes, text)) + '"'
        case Chars(ranges):
            return "[" + "".join(map(_range, ranges)) + "]"
        case Series(parts):
            return " ".join(_grouped(part, name) for part in parts) or '""'
        case Either():
            return show(expression, name)
        case Repeat(part, low, high):
            return _grouped(part, name, tight=True) + _times(low, high)
        case Ref(key):
            return name(key)


def _grouped(part: Expression, name: Callable[[Hashable], str], *, tight: bool = False) -> str:
    text = _show(part, name)
    loose = isinstance(part, Either) or (tight and isinstance(part, Series | Repeat))
    return f"({text})" if loose or (tight and isinstance(part, Literal) and len(part.text) > 1) else text


def _times(low: int, high: int) -> str:
    if (low, high) == (0, 1):
        return "?"
    return f"{{{low}}}" if low == high else f"{{{low},{high}}}"


def _in_quotes(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    return _code(ord(char)) if ord(char) < 0x20 or ord(char) > 0x7E else char


def _range(ends: Sequence[int]) -> str:
    low, high = map(_in_class, ends)
    return low if low == high else f"{low}-{high}"


def _in_class(code: int) -> str:
    """Letters and digits as they are; all else by number, because some characters mean something in a class."""
    char = chr(code)
    return char if char.isascii() and char.isalnum() else _code(code)


def _code(code: int) -> str:
    if code <= 0xFF:
        return f"\\x{code:02X}"
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"
