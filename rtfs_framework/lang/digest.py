"""The canonical encoding of values and the digests of it: equal digests exactly for equal values.

In: any RTFS values. Out: SHA-256 over `VERSION` and one body for each value. A body is a tag, then a length or count,
then the content, so that no two different values share one and none is the beginning of another. `tests/lang/digests/`
pins the outcome; a change of it takes another `VERSION`, which makes every key kept under the old one a miss.

| value | body |
|---|---|
| nil, true, false | `n`, `t`, `f` |
| integer | `i`, hexadecimal digits, `;` |
| float | `d`, 8 bytes of IEEE 754, the most significant first |
| string, keyword, symbol | `s`, `k`, `y`, then number of bytes, `:`, UTF-8 (halves of surrogate pairs as three bytes) |
| timestamp, uuid, resource handle | `T`, `U`, `R`, then as a string |
| error | `e`, its kind and its message as strings |
| vector, list, set, map | `[`, `(`, `#`, `{`, then count, `:`, the items' bodies; members and entries sorted |
| function | `*` |

An item whose content takes more than `INLINE` bytes stands as `h` and the SHA-256 of its body, and so does any
collection of more than `BLOCK` items. So the work is linear in what there is in memory, however often a value refers
to its parts, and no more than a block is held at a time.

What `=` says counts, with two exceptions. NaN equals nothing, but a key must be found again: every NaN has the same
body. Functions are equal when they are the same object, which no digest can tell: all have the same body, so what may
hold functions is no key. As for `=`, -0.0 is 0.0, and of errors only kind and message count.
"""

from __future__ import annotations

from itertools import chain
from operator import add
from struct import Struct

from rtfs_framework.lang.annotations import Any, Callable, Iterable
from rtfs_framework.lang.maps import Map, Set
from rtfs_framework.lang.sha import sha256
from rtfs_framework.lang.values import ErrorValue, Keyword, Resource, Symbol, Timestamp, Uuid
from rtfs_framework.lang.vectors import GrownVector, List

VERSION = b"RTFS values 2\n"
INLINE = 128
BLOCK = 1024
_PARTS = 8
"""Parts up to which a row of them is encoded whole; more stand as items of a vector do."""
_WIDE = 1 << 4 * INLINE
_DEEP = 32
"""Levels of nesting down to which encoding recurses; what lies deeper is encoded from the bottom up."""
_NAN = b"d\x7f\xf8\0\0\0\0\0\0"
_double = Struct(">d").pack

_TAGS = {tuple: b"[", GrownVector: b"[", List: b"(", Set: b"#", Map: b"{"}
_SHARED = frozenset({*_TAGS, Keyword})
Memo = dict[int, bytes]
"""What stands for a collection or long text as an item, by identity: shared parts are encoded once."""


def digest(*parts: Any) -> str:
    """Return the SHA-256 (hex) of RTFS values: equal ones, and only those, have equal digests (see the module)."""
    made = VERSION
    memo: Memo | None = None
    if len(parts) > _PARTS:
        made, parts = VERSION + b"+", (parts,)
    for part in parts:
        coder = _ATOMS.get(part.__class__)
        if coder is not None:
            made += coder(part)
        elif part.__class__ in _TAGS:
            if memo is None:
                memo = {}
            made += _collection(part, memo, 0)
        else:
            made += b"*"
    return sha256(made).hexdigest()


def _text(tag: bytes, text: str) -> bytes:
    try:
        raw = text.encode()
    except UnicodeEncodeError:
        raw = text.encode("utf-8", "surrogatepass")
    return b"%b%x:%b" % (tag, len(raw), raw)


def _string(text: str) -> bytes:
    try:
        raw = text.encode()
    except UnicodeEncodeError:
        raw = text.encode("utf-8", "surrogatepass")
    return b"s%x:%b" % (len(raw), raw)


def _float(value: float) -> bytes:
    return b"d" + _double(value + 0.0) if value == value else _NAN  # noqa: PLR0124 - NaN is not itself


_ATOMS: dict[type, Callable[[Any], bytes]] = {
    str: _string,
    int: lambda value: b"i%x;" % value,
    Keyword: lambda value: _text(b"k", value.name),
    type(None): lambda _: b"n",
    bool: lambda value: b"t" if value else b"f",
    float: _float,
    Symbol: lambda value: _text(b"y", value.name),
    Timestamp: lambda value: _text(b"T", value.text),
    Uuid: lambda value: _text(b"U", value.text),
    Resource: lambda value: _text(b"R", value.text),
    ErrorValue: lambda value: b"e%b%b" % (_string(value.kind), _string(value.message)),
}


def _collection(value: Any, memo: Memo, depth: int) -> bytes:
    """Return the body of a collection, or what stands for it when it is large."""
    if depth == _DEEP:
        _from_the_bottom(value, memo)
    tag, count = _TAGS[value.__class__], len(value)
    if tag == b"{":
        parts = _items(chain.from_iterable(value.items()), memo, depth)
        parts = sorted(map(add, parts[::2], parts[1::2]))
    elif tag == b"#":
        parts = sorted(_items(value, memo, depth))
    elif count > BLOCK:
        return _hashed(tag, count, (_items(value[at : at + BLOCK], memo, depth) for at in range(0, count, BLOCK)))
    else:
        parts = _items(value, memo, depth)
    if count > BLOCK:
        return _hashed(tag, count, (parts[at : at + BLOCK] for at in range(0, count, BLOCK)))
    return b"%b%x:%b" % (tag, count, b"".join(parts))


def _hashed(tag: bytes, count: int, blocks: Iterable[list[bytes]]) -> bytes:
    made = sha256(b"%b%x:" % (tag, count))
    for block in blocks:
        made.update(b"".join(block))
    return b"h" + made.digest()


def _items(items: Iterable[Any], memo: Memo, depth: int) -> list[bytes]:
    """Return what stands for each item."""
    made: list[bytes] = []
    for item in items:
        kind = item.__class__
        if kind is int and -_WIDE < item < _WIDE:
            made.append(b"i%x;" % item)
        elif kind in _SHARED or (kind is str and len(item) > INLINE) or kind is int:
            body = memo.get(id(item))
            if body is None:
                body = _collection(item, memo, depth + 1) if kind in _TAGS else _ATOMS[kind](item)
                body = memo[id(item)] = _short(body)
            made.append(body)
        elif kind in _ATOMS:
            made.append(_short(_ATOMS[kind](item)))
        else:
            made.append(b"*")
    return made


def _short(body: bytes) -> bytes:
    return body if len(body) <= INLINE or body[:1] == b"h" else b"h" + sha256(body).digest()


def _from_the_bottom(value: Any, memo: Memo) -> None:
    """Encode all collections inside a value, those that hold no others first, without recursion."""
    todo = [value]
    while todo:
        top = todo[-1]
        inner = chain.from_iterable(top.items()) if top.__class__ is Map else top
        waiting = [item for item in inner if item.__class__ in _TAGS and id(item) not in memo]
        if waiting:
            todo += waiting
        else:
            todo.pop()
            if id(top) not in memo and top is not value:
                memo[id(top)] = _short(_collection(top, memo, 0))
