"""Values as text and back, so that nothing can tell the two apart: for keys and values of memoised functions.

In: plain data (`boundary/purity.py`). Out: JSON. `=` sees less than a program does: the order of a map's entries and
of a set's members, the sign of zero, and NaN are kept here, and no two values that a program can tell apart share a
text. Functions, errors, what nests deeper than `DEEPEST` and what is longer than `MOST` have none.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from json.decoder import scanstring  # type: ignore[attr-defined]  # the stubs lack it
from json.encoder import encode_basestring_ascii
from typing import Any

from rtfs_framework.lang.maps import Map, Set
from rtfs_framework.lang.values import Keyword, Symbol, Timestamp, Uuid
from rtfs_framework.lang.vectors import GrownVector, List

DEEPEST = 64
MOST = 1 << 20
"""Characters of a text, and twice the number of parts that are looked at for it."""

_SMALL = 1 << 512
_encode = json.JSONEncoder(separators=(",", ":")).encode
_decode = json.JSONDecoder().raw_decode
"""Our own texts have no spaces around them, which `json.loads` looks for."""
_NAMED: dict[type, str] = {Keyword: "k", Symbol: "y"}
_TEXTS: dict[type, str] = {Timestamp: "T", Uuid: "U"}
_SEQUENCES: dict[type, str] = {tuple: "[", GrownVector: "[", List: "(", Set: "#"}


class _InexactError(ValueError):
    """The value has no text, or the text is of none."""


def to_text(value: Any, most: int = MOST, deepest: int = DEEPEST) -> str | None:
    """Return the text of a value; None where it has none, or more characters or levels than these."""
    if value.__class__ is str and len(value) <= most // 2:  # most answers
        made = encode_basestring_ascii(value)
        return made if len(made) <= most else None
    try:
        made = _encode(_Writer(most, deepest).row(value, 0))
    except _InexactError:
        return None
    return made if len(made) <= most else None


def from_text(text: str) -> Any:
    """Return the value of a text.

    Raises:
        ValueError: It is the text of no value.
    """
    if text[:1] == '"':  # most answers
        found, end = scanstring(text, 1)
        if end == len(text):
            return found
    try:
        return _value(_row(text))
    except (_InexactError, RecursionError, TypeError, IndexError, KeyError, OverflowError) as error:
        message = "the text of no value"
        raise ValueError(message) from error


def _row(text: str) -> Any:
    row, end = _decode(text)
    if end != len(text):
        raise _InexactError(text)
    return row


class _Writer:
    """Makes rows of one value, and counts its parts: a small value may share its parts many times over."""

    def __init__(self, most: int = MOST, deepest: int = DEEPEST) -> None:
        self._left, self._deepest = most // 2, deepest

    def row(self, value: Any, depth: int) -> Any:
        """Return what JSON holds of a value: atoms that it knows stand for themselves."""
        kind = value.__class__
        if kind is str:
            self._spend(len(value))
            return value
        if value is None or kind is bool:
            return value
        if kind is int:
            if -_SMALL < value < _SMALL:
                return value
            self._spend(value.bit_length() // 4)
            return ["i", hex(value)]
        if kind is float:
            return ["f", value.hex()]
        if kind in _NAMED:
            return [_NAMED[kind], value.name]
        if kind in _TEXTS:
            return [_TEXTS[kind], value.text]
        if kind not in _SEQUENCES and kind is not Map:
            raise _InexactError(kind.__name__)
        if depth >= self._deepest:
            raise _InexactError("too deep")
        self._spend(2 * len(value))
        if kind is Map:
            return ["{", *(self.row(part, depth + 1) for entry in value.items() for part in entry)]
        return [_SEQUENCES[kind], *(self.row(item, depth + 1) for item in value)]

    def _spend(self, parts: int) -> None:
        self._left -= parts
        if self._left < 0:
            raise _InexactError("too large")


def _value(row: Any) -> Any:
    if row is None or row.__class__ in (bool, int, str):
        return row
    if row.__class__ is not list:
        raise _InexactError("no row")
    tag, *parts = row
    if tag in _COLLECTIONS:
        return _COLLECTIONS[tag]([_value(part) for part in parts])
    (word,) = parts
    if word.__class__ is not str:
        raise _InexactError("no name")
    return _ATOMS[tag](word)


def _map(parts: list[Any]) -> Map:
    return Map.of(list(zip(parts[::2], parts[1::2], strict=True)))


_ATOMS: dict[str, Callable[[str], Any]] = {
    "i": lambda word: int(word, 16),
    "f": float.fromhex,
    "k": Keyword,
    "y": Symbol,
    "T": Timestamp,
    "U": Uuid,
}
_COLLECTIONS: dict[str, Callable[[list[Any]], Any]] = {"[": tuple, "(": List, "#": Set.of, "{": _map}
