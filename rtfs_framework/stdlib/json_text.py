"""JSON text of values by Python's own encoder, which is written in C.

In: a value. Out: its compact text; None for values that must be looked at one by one, because the encoder would refuse
them or write something else: keys of several kinds, NaN, what JSON cannot hold.
"""

from __future__ import annotations

from array import array
from itertools import chain
from json import JSONEncoder
from operator import attrgetter

from rtfs_framework.lang.annotations import Any, Callable, Iterable, Iterator, Sequence
from rtfs_framework.lang.errors import LimitError
from rtfs_framework.lang.jsontext import MAX_DEPTH
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.meter import LARGE, Growing, meter, room
from rtfs_framework.lang.values import Keyword
from rtfs_framework.lang.vectors import GrownVector, List

Encode = Callable[[Any], str]

_LEAVES: frozenset[Any] = frozenset({type(None), bool, int, float, str})
_VECTORS: frozenset[Any] = frozenset({tuple, GrownVector, List})
_KNOWN: frozenset[Any] = _LEAVES | _VECTORS | {Map}
_GROWN: frozenset[Any] = frozenset({GrownVector, List})
_NAMES: frozenset[Any] = frozenset({str})
_KEYWORDS: frozenset[Any] = frozenset({Keyword})
_MUCH = 8 * LARGE
"""Parts and characters that are written without a look at the limits."""
_BLOCK = 1_024
"""Items of a large vector that are written at once."""


class _NotPlainError(Exception):
    """Only looking closer tells what becomes of a value."""


def plain_text(value: Any) -> str | None:
    """Return the compact JSON text of a value, or None.

    Raises:
        LimitError, Cancelled: the run ends here.
    """
    unlike: set[type] = set()
    size = _size((value,), meter().items, unlike)
    if size is None:
        return None
    encode = _encode_objects if unlike <= _NAMES else _encode
    try:
        return encode(value) if size <= _MUCH else "".join(_bounded(_pieces(value, encode)))
    except (_NotPlainError, ValueError, RecursionError):
        return None


def _bounded(pieces: Iterable[str]) -> Iterator[str]:
    size = Growing("serialize-json")
    for piece in pieces:
        size.add(len(piece))
        yield piece


def _digits(integers: Sequence[int]) -> int:
    """Return how many digits large integers have together at most; small ones count as parts."""
    try:
        array("q", integers)
    except OverflowError:
        return sum(map(int.bit_length, integers)) // 3
    return 0


def _size(level: Sequence[Any], most: int | None, unlike: set[type]) -> int | None:
    """Return how many parts and characters values have together; note the classes of keys, and of what is no tuple.

    All of one level of nesting are looked at together. A small value may share its parts many times over, so parts are
    counted before they are put side by side.
    """
    size = 0
    for _ in range(MAX_DEPTH + 1):
        kinds = set(map(type, level))
        if not kinds <= _KNOWN:
            return None
        unlike |= kinds & _GROWN
        size += len(level)
        if str in kinds:
            size += sum(map(len, _of(str, level, kinds)))
        if int in kinds:
            size += _digits(_of(int, level, kinds))
        inner: list[Any] = [each for kind in kinds & _VECTORS for each in _of(kind, level, kinds)]
        if Map in kinds:
            objects = [each._dict() for each in _of(Map, level, kinds)]
            unlike.update(map(type, chain.from_iterable(objects)))
            inner += map(dict.values, objects)
        count = sum(map(len, inner))
        if most is not None and size + count > most:
            raise too_much(most)
        if not inner:
            return size
        room("serialize-json", count)
        level = list(chain.from_iterable(inner))
    return None


def too_much(most: int) -> LimitError:
    """Return the error of a value that has more parts and characters than one value may have."""
    return LimitError("items", most, f"JSON of more than {most} parts and characters")


def _of(kind: type, level: Sequence[Any], kinds: set[type]) -> Sequence[Any]:
    return level if len(kinds) == 1 else [each for each in level if each.__class__ is kind]


def _stand_in(value: Any) -> Any:
    """Return what the encoder writes in place of a value that it does not know."""
    if value.__class__ is Map:
        items = value._dict()
        kinds = set(map(type, items))
        if kinds <= _NAMES:
            return items
        if kinds <= _KEYWORDS:
            return {key.name: item for key, item in items.items()}
    elif value.__class__ in _GROWN:
        return value[:]
    raise _NotPlainError


def _encoder(default: Callable[[Any], Any]) -> Encode:
    layout = (",", ":")
    return JSONEncoder(
        check_circular=False, ensure_ascii=False, allow_nan=False, separators=layout, default=default
    ).encode


_encode = _encoder(_stand_in)
_encode_objects = _encoder(attrgetter("_items"))
"""For maps whose keys are known to be strings and whose entries are known to be in a dict."""


def _pieces(value: Any, encode: Encode) -> Iterator[str]:
    """Yield the text of a large value, with a look at the limits between its pieces."""
    meter().look()
    if (_size((value,), None, set()) or 0) <= _MUCH:
        yield encode(value)
    elif value.__class__ is Map:
        yield from _joined("{}", (_member(name, item, encode) for name, item in _stand_in(value).items()))
    elif value.__class__ in _VECTORS:
        blocks = (value[start : start + _BLOCK] for start in range(0, len(value), _BLOCK))
        yield from _joined("[]", (_items(block, encode) for block in blocks))
    else:
        yield encode(value)


def _member(name: str, item: Any, encode: Encode) -> Iterator[str]:
    yield f"{encode(name)}:"
    yield from _pieces(item, encode)


def _items(block: Sequence[Any], encode: Encode) -> Iterator[str]:
    """Yield the text of items of a vector: of all at once, unless that is much."""
    if (_size(block, None, set()) or 0) <= _MUCH:
        meter().look()
        yield encode(block)[1:-1]
    else:
        yield from _joined("", (_pieces(item, encode) for item in block))


def _joined(brackets: str, parts: Iterable[Iterator[str]]) -> Iterator[str]:
    """Yield parts with commas between them."""
    yield brackets[:1]
    for number, part in enumerate(parts):
        if number:
            yield ","
        yield from part
    yield brackets[1:]
