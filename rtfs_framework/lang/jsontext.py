"""JSON text to plain Python data and back, with the same verdict on every Python version and stack depth.

Plain data is None, booleans, integers, floats, strings, lists and dicts with string keys. Everything refused is a
JsonError: bad text, nesting beyond `MAX_DEPTH`, NaN and infinities, lone surrogates.
"""

from __future__ import annotations

import json
import re
import sys
from itertools import accumulate

from rtfs_framework.lang.annotations import Any, Callable
from rtfs_framework.lang.decimals import integer_of
from rtfs_framework.lang.meter import charge, watched

MAX_DEPTH = 200
"""Levels of arrays and objects that a text may nest."""

TOO_DEEP = f"nested deeper than {MAX_DEPTH} levels"

_C_STACK_IS_BOUNDED = sys.version_info >= (3, 12)
"""Whether Python bounds the recursion of C code, its JSON decoder's too, however many frames a host allows."""
_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_LEVELS = [{"[": 1, "{": 1, "]": -1, "}": -1}.get(chr(byte), 0) for byte in range(256)]
_NO_BRACKETS = bytes(byte for byte, level in enumerate(_LEVELS) if not level)
_NO_MARKS = bytes(byte for byte in _NO_BRACKETS if chr(byte) != '"')
_ITERATIONS = 32
_LARGEST = sys.float_info.max
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class JsonError(ValueError):
    """A text that is not JSON, or data that JSON cannot hold; the message says where or what."""


def load(text: str) -> Any:
    """Return the data of a JSON text.

    Raises:
        JsonError: the text is refused.
    """
    _refuse_depth(text)
    return _read(text)


def load_to_walk(text: str) -> Any:
    """Return the data of a JSON text to one who walks it, and refuses then what nests beyond `MAX_DEPTH`.

    Raises:
        JsonError: the text is refused.
    """
    if not _C_STACK_IS_BOUNDED:
        return load(text)
    try:
        return _read(text)
    except JsonError:
        _refuse_depth(text)  # which is told first, wherever the text breaks off
        raise


def _read(text: str) -> Any:
    try:
        data = _decoded(text)
        if "\\" in text and "\\u" in text and _SURROGATE.search(text):
            json.dumps(data, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise JsonError(_place(text, error)) from None
    except UnicodeEncodeError:
        message = "lone surrogate in a string"
        raise JsonError(message) from None
    except RecursionError:
        raise JsonError(TOO_DEEP) from None
    return data


def _decoded(text: str) -> Any:
    try:
        return _DECODER.decode(text)
    except (json.JSONDecodeError, JsonError):
        raise
    except ValueError:  # Python refuses to read integers of thousands of digits
        charge(len(text))
        return _decoder(integer_of).decode(text)


def dump(data: Any, *, pretty: bool = False) -> str:
    """Return the JSON text of plain data, compact or indented by two spaces. Raises JsonError."""
    layout: dict[str, Any] = {"indent": 2} if pretty else {"separators": (",", ":")}
    try:
        return json.dumps(data, ensure_ascii=False, allow_nan=False, **layout)
    except RecursionError:
        raise JsonError(TOO_DEEP) from None
    except ValueError:
        message = "a number that JSON cannot hold"
        raise JsonError(message) from None


def _place(text: str, error: json.JSONDecodeError) -> str:
    """Return where the text stops to be JSON; words and the place of a trailing comma differ between Pythons."""
    place = error.pos
    if error.msg.startswith("Illegal trailing comma"):
        place += len(text) - place - len(text[place + 1 :].lstrip(" \t\r\n"))
    line, column = text.count("\n", 0, place) + 1, place - text.rfind("\n", 0, place)
    what = "the text ends too early" if place >= len(text) else "not JSON"
    return f"{what} at line {line} column {column}"


def _refuse(name: str) -> Any:
    message = f"{name} is not JSON"
    raise JsonError(message)


def _finite(text: str) -> float:
    value = float(text)
    if -_LARGEST <= value <= _LARGEST:
        return value
    message = "number out of range"
    raise JsonError(message)


def _refuse_depth(text: str) -> None:
    if len(text) > MAX_DEPTH and not _is_shallow(text):
        _check_depth(text)


def _is_shallow(text: str) -> bool:
    """Tell at little cost whether a text surely nests no deeper than it may; of some it is not known.

    Only brackets and quotes are looked at. When all quotes are gone with the pairs that have nothing between them, no
    string holds a bracket. Each round then takes the innermost level away, or two.
    """
    if "\\" in text:
        text = text.replace("\\\\", "").replace('\\"', "")
    marks = text.encode("utf-8", "surrogatepass").translate(None, _NO_MARKS).replace(b'""', b"")
    if b'"' in marks:
        return False
    for levels in range(_ITERATIONS):
        if len(marks) + 2 * levels <= MAX_DEPTH:
            return True
        left = marks.replace(b"[]", b"").replace(b"{}", b"")
        if len(left) == len(marks):
            return False
        marks = left
    return False


def _check_depth(text: str) -> None:
    brackets = _STRING.sub("", text).encode("utf-8", "surrogatepass").translate(None, _NO_BRACKETS)
    for level in watched(accumulate(map(_LEVELS.__getitem__, brackets))):
        if level > MAX_DEPTH:
            raise JsonError(TOO_DEEP)


def _decoder(parse_int: Callable[[str], int] | None = None) -> json.JSONDecoder:
    return json.JSONDecoder(parse_constant=_refuse, parse_float=_finite, parse_int=parse_int)


_DECODER = _decoder()
