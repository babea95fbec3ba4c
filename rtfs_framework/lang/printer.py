"""Printing: `write` gives text that reads back to an equal value, `display` what `str` shows (a raw top string).

What cannot be read back (functions, errors, names that no program can write) is printed in a way that nothing reads:
`#<function>`, `#<error: message>`, `#<symbol: "nil">`. So a print is never that of another value.
"""

from __future__ import annotations

import math

from rtfs_framework.lang.annotations import Any, Iterable, Iterator
from rtfs_framework.lang.errors import LimitError
from rtfs_framework.lang.maps import Map, Set
from rtfs_framework.lang.meter import ITEMS_PER_STEP, SMALL, Growing, charge, meter, watched
from rtfs_framework.lang.values import ErrorValue, Keyword, Reduced, Resource, Symbol, Ticket, Timestamp, Uuid
from rtfs_framework.lang.vectors import GrownVector, List

_OFTEN = 1_024
"""Collections that are opened between two charges: a step for each."""
_MUCH = 1 << 19
"""Characters after which a text that is being written is charged, and room for it asked for."""
_ESCAPED_AT_ONCE = 1 << 12
_SHORT = 1 << 2048
"""Integers below this are shown by Python itself, which refuses very long ones."""
ATOMS = frozenset({str, int, bool, type(None), float, Keyword, Symbol})
"""Types whose values are written in one piece."""
_keywords: dict[str, str] = {}
_symbols: dict[str, str] = {}
"""What is written of names that were met."""
_MOST_KNOWN = 4_096
_NAMED = {True: "true", False: "false", None: "nil"}


def display(value: Any, most: int | None = None, used: int = 0) -> str:
    """Return the text that `str` shows: a string as it is, anything else as `write` does."""
    return value if value.__class__ is str else write(value, most, used)


def displayed(op: str, values: Iterable[Any]) -> Iterator[str]:
    """Yield the text that `str` shows of each value, as long as all of them together are no more than a text may be.

    Raises:
        LimitError, Cancelled: the run ends here.
    """
    size = Growing(op)
    for value in values:
        shown = value if value.__class__ is str else write(value, size.most, size.size)
        size.add(len(shown))
        yield shown


def write_float(value: float) -> str:
    """Return the shortest digits that read back to the same float: 1.5, 1e16 from there on, 1.0E-5 below 0.0001."""
    if math.isfinite(value):
        digits, small, exponent = repr(value).replace("e+", "e").partition("e-")
        if not small:
            return digits
        return f"{digits if '.' in digits else f'{digits}.0'}E-{int(exponent)}"
    return "##NaN" if math.isnan(value) else "##Inf" if value > 0 else "##-Inf"


def write(value: Any, most: int | None = None, used: int = 0) -> str:
    """Return readable text. Iterative, so that nesting cannot exhaust the Python stack.

    Raises:
        LimitError: with `used` others the text would have more than `most` characters (a small value may share its
            parts many times over).
    """
    if value.__class__ is int and -_SHORT < value < _SHORT:
        return str(value)
    if most is None and value.__class__ in ATOMS:
        return write_atom(value)
    out: list[str] = []
    todo: list[Any] = [value]
    size, done, opened = used, 0, 0
    due = used + _MUCH
    while todo:
        item = todo.pop()
        done += 1
        if done & 0xFFFF == 0:
            meter().look()
        if item.__class__ is _Text:
            out.append(item.text)
        else:
            _write_one(item, out, todo)
            opened += item.__class__ not in ATOMS
            if opened == _OFTEN:
                charge(ITEMS_PER_STEP * opened)
                opened = 0
        size += len(out[-1])
        if most is not None and size > most:
            raise LimitError("items", most, f"Text of a value would have more than {most} characters")
        if size >= due:
            due = size + _MUCH
            charge(_MUCH >> 5)
            meter().reserve(size)
    return "".join(out)


class _Text:
    """Punctuation waiting on the work list."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


_SPACE = _Text(" ")


def _write_one(item: Any, out: list[str], todo: list[Any]) -> None:
    kind = item.__class__
    if kind in ATOMS:
        out.append(write_atom(item))
    elif kind is tuple or kind is GrownVector:
        _write_items("[", item, "]", out, todo)
    elif kind is List:
        _write_items("(", item, ")", out, todo)
    elif kind is Map:
        _write_items("{", [part for entry in item.items() for part in entry], "}", out, todo)
    elif kind is Set:
        _write_items("#{", list(item), "}", out, todo)
    else:
        out.append(_write_opaque(item))


def write_atom(item: Any) -> str:
    """Return what `write` does of a value of `ATOMS`."""
    kind = item.__class__
    if kind is str:
        quoted = item.replace("\\", "\\\\").replace('"', '\\"')  # `translate` takes a second for 9,000,000 characters
        return f'"{quoted}"' if quoted.isprintable() else f'"{_escaped(quoted)}"'
    if kind is int:
        return str(item) if -_SHORT < item < _SHORT else _long(item)
    if kind is bool or item is None:
        return _NAMED[item]
    if kind is float:
        return write_float(item)
    known = _keywords if kind is Keyword else _symbols
    return known.get(item.name) or _written_name(item.name, known)


def _written_name(name: str, known: dict[str, str]) -> str:
    """Return a keyword or symbol as it is read, or what nothing reads where no program can write it."""
    from rtfs_framework.lang.literals import names_keyword, prints_symbol  # many programs print no names

    if known is _keywords:
        text = f":{name}" if names_keyword(name) else f"#<keyword: {write_atom(name)}>"
    else:
        text = name if prints_symbol(name) else f"#<symbol: {write_atom(name)}>"
    if len(known) >= _MOST_KNOWN:
        known.clear()
    known[name] = text
    return text


def _long(number: int) -> str:
    from rtfs_framework.lang.decimals import decimal_text

    return decimal_text(number)


def _escaped(text: str) -> str:
    from rtfs_framework.lang.visible import escaped  # most programs never print such a text

    starts = range(0, len(text), _ESCAPED_AT_ONCE)
    return "".join([escaped(text[start : start + _ESCAPED_AT_ONCE]) for start in watched(starts)])


def _write_opaque(item: Any) -> str:
    if isinstance(item, ErrorValue):
        return f"#<error: {item.message}>"
    if isinstance(item, Reduced):
        return "#<reduced>"
    if isinstance(item, Ticket):
        return repr(item)
    for kind, tag in ((Timestamp, "timestamp"), (Uuid, "uuid"), (Resource, "resource-handle")):
        if isinstance(item, kind):
            return f"#{tag}({write_atom(item.text)})"
    return "#<function>"


def _write_items(start: str, items: Any, end: str, out: list[str], todo: list[Any]) -> None:
    if len(items) >= SMALL:
        charge(len(items))
    out.append(start)
    todo.append(_Text(end))
    for place, item in enumerate(reversed(tuple(items))):
        if place:
            todo.append(_SPACE)
        todo.append(item)
