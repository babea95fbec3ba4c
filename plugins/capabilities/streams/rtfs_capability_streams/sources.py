"""Sources: plain data that says where items come from, and how they are read from a position on.

In: a source (a list of JSON: kind, then its parts) and a position (JSON, None at the beginning). Out: items, each with
the position after it. The same source and position give the same items, so a position is all that is kept of a reader.
A queue is the exception: its items are rows, which their reader claims (`store.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache, lru_cache
from typing import Any

from rtfs_capability_streams.lines import Open, lines
from rtfs_framework.api import (
    CapabilityError,
    JsonError,
    Keyword,
    LanguageError,
    Map,
    ProgramError,
    Type,
    from_json,
    load_json,
    parse_type,
    read_value,
    violation,
    write,
)

_ATOMS = frozenset({int, bool, type(None)})
MOST_KEPT = 1 << 24
"""Characters of a state, of an item of a queue, or of the items of one pull."""
MOST_AT_ONCE = 1 << 22
"""Characters, or bytes of a file, of one batch: about so many are held in memory."""
MOST_PASSED = 1 << 16
"""Items that one look passes over: they are other parts of a split, or lines without a value."""
MOST_SOURCE = 1 << 20
"""Characters of a source: each look reads it."""
_MOST_STRIDE = 4096
_MOST_LEAVES = 256
_MOST_DEPTH = 32
_END = 1 << 63
_PASSED = object()
"""Stands for an item that is passed over: the position moves, and nothing is given."""

Item = tuple[Any, Any]
"""An item, and the position after it."""
Step = tuple[Any, Any, int]
"""An item or `_PASSED`, the position after it, and what it cost: characters, or bytes of a file."""
Inner = Callable[[Any], "list[Any]"]
"""Reads a source within a source."""


@cache
def _any() -> Type:
    """Return the type of whatever JSON holds; read when it is first needed."""
    return parse_type(":any")


def wrong(problem: str) -> CapabilityError:
    """Return the error for what a program says of a stream."""
    return CapabilityError(problem, "InvalidArgument")


def source_of(said: Any, endpoints: Any, depth: int = 0) -> list[Any]:
    """Return a source as data.

    Raises:
        CapabilityError: InvalidArgument: it is none.
    """
    if depth > _MOST_DEPTH:
        raise wrong(f"sources are merged and split more than {_MOST_DEPTH} deep")
    if isinstance(said, str | Keyword):
        name = said if isinstance(said, str) else said.name
        known = endpoints.get(name)
        if known is None:
            return _queue(name, Map.of(()), None)
        kind = "jsonl" if known.lines is None else "lines"
        return [kind, getattr(known, kind) or "", known.follow]
    if not isinstance(said, Map):
        raise wrong(f"a source is a name or a map, as in {{:range [0 10]}}, not {write(said)[:60]}")
    for kind, read in _READ.items():
        found = said.get(Keyword(kind))
        if found is not None:
            return read(found, said, lambda each: source_of(each, endpoints, depth + 1))
    raise wrong(f"a source has one of {' '.join(f':{kind}' for kind in _READ)}")


def _is_vector(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _range(found: Any, _said: Map, _inner: Any) -> list[Any]:
    if not _is_vector(found) or len(found) != 2 or not all(type(each) is int and abs(each) <= _END for each in found):
        raise wrong("write {:range [first end]}, of integers of 64 bits")
    return ["range", *found]


def _values(found: Any, _said: Map, _inner: Any) -> list[Any]:
    if not _is_vector(found):
        raise wrong("write {:values [...]}")
    return ["values", kept(found)]


def _file(kind: str) -> Callable[[Any, Map, Inner], list[Any]]:
    def read(found: Any, said: Map, _inner: Any) -> list[Any]:
        if not isinstance(found, str):
            raise wrong(f'write {{:{kind} "path"}}')
        return [kind, found, said.get(Keyword("follow")) is True]

    return read


def _queue(found: Any, _said: Map, _inner: Any) -> list[Any]:
    if not isinstance(found, str) or not found or "\0" in found:
        raise wrong('write {:queue "name"}')
    return ["queue", found]


def _pipe(found: Any, _said: Map, _inner: Any) -> list[Any]:
    if not isinstance(found, str):
        raise wrong('write {:pipe "path"}')
    return ["pipe", found]


def _model(found: Any, said: Map, _inner: Any) -> list[Any]:
    name = found.name if isinstance(found, Keyword) else found
    prompt, system = said.get(Keyword("prompt")), said.get(Keyword("system"), "")
    if not isinstance(name, str) or not isinstance(prompt, str) or not isinstance(system, str):
        raise wrong('write {:model "name" :prompt "words"}, and :system "words" where they are wanted')
    return ["model", name, f"{system}\n\n{prompt}" if system else prompt]


def _merge(found: Any, _said: Map, inner: Inner) -> list[Any]:
    if not _is_vector(found) or not 1 <= len(found) <= 64:
        raise wrong("write {:merge [source ...]}, of 1 to 64 sources")
    merged = [_replayable(inner(each)) for each in found]
    if sum(map(_leaves, merged)) > _MOST_LEAVES:
        raise wrong(f"more than {_MOST_LEAVES} sources are merged")
    return ["merge", merged]


def _leaves(source: list[Any]) -> int:
    match source:
        case ["merge", sources]:
            return sum(map(_leaves, sources))
        case ["split", inner, _, _]:
            return _leaves(inner)
        case _:
            return 1


def _split(found: Any, said: Map, inner: Inner) -> list[Any]:
    into, part = said.get(Keyword("into")), said.get(Keyword("part"))
    if type(into) is not int or type(part) is not int or not 0 <= part < into:
        raise wrong("write {:split source :into 3 :part 0}: parts count from 0")
    source = _replayable(inner(found))
    if into * _stride(source) > _MOST_STRIDE:
        raise wrong(f"split into more than {_MOST_STRIDE} parts")
    return ["split", source, into, part]


def _stride(source: list[Any]) -> int:
    """Return how many items of its sources are passed over for one."""
    match source:
        case ["merge", sources]:
            return max(map(_stride, sources))
        case ["split", inner, into, _]:
            return int(into) * _stride(inner)
        case _:
            return 1


def _replayable(source: list[Any]) -> list[Any]:
    if source[0] in ("queue", "pipe", "model"):
        raise wrong(
            f"a {source[0]} cannot be merged or split: its items go to one reader each; give it several readers"
        )
    return source


_READ: dict[str, Callable[[Any, Map, Inner], list[Any]]] = {
    "range": _range, "values": _values, "lines": _file("lines"), "jsonl": _file("jsonl"), "queue": _queue,
    "pipe": _pipe, "model": _model, "merge": _merge, "split": _split,
}  # fmt: skip


def kept(value: Any) -> str:
    """Return a value as text that reads back to it.

    Raises:
        CapabilityError: InvalidArgument: it holds a function or something else that is no data.
    """
    text = write(value)
    if type(value) in _ATOMS:
        return text
    if len(text) > MOST_KEPT:
        raise wrong(f"a stream keeps at most {MOST_KEPT:,} characters at once, and this has {len(text):,}")
    try:
        same = read_value(text) == value
    except LanguageError:
        same = False
    if not same:
        raise wrong("a stream keeps data only: no functions, errors or other things of a running program")
    return text


def effects_of(source: list[Any]) -> tuple[str, ...]:
    """Return what reading a source touches, besides the file of the set."""
    match source:
        case ["lines" | "jsonl", *_]:
            return ("file",)
        case ["merge", sources]:
            return tuple(sorted({effect for each in sources for effect in effects_of(each)}))
        case ["split", inner, _, _]:
            return effects_of(inner)
        case ["queue" | "pipe", *_]:
            return ("ipc",)
        case ["model", *_]:
            return ("model",)
        case _:
            return ()


def is_open(source: list[Any]) -> bool:
    """Tell whether more may come after what is there now; of queues the store knows."""
    match source:
        case ["lines" | "jsonl", _, follow]:
            return bool(follow)
        case ["merge", sources]:
            return any(is_open(each) for each in sources)
        case ["split", inner, _, _]:
            return is_open(inner)
        case _:
            return False


def items(source: list[Any], position: Any, type_: Type, open_: Open) -> Iterator[Step]:
    """Give the items after a position, as far as they are there, checked against their type.

    Raises:
        CapabilityError: TypeValidationError, an item is of another type; IoError, SecurityViolation of a file.
    """
    match source:
        case ["range", first, end]:
            start = first if position is None else position
            yield from ((fitting(type_, each), each + 1, 1) for each in range(start, end))
        case ["values", text]:
            start = position or 0
            for n, each in enumerate(_data(text)[start:], 1):
                yield fitting(type_, each), start + n, len(each) if isinstance(each, str) else 1
        case ["lines", path, follow]:
            for line, place in lines(open_, path, position, follow=follow):
                item = _PASSED if line is None else fitting(type_, _text(line, path, place[0]))
                yield item, place, len(line or b"") + 1
        case ["jsonl", path, follow]:
            for line, place in lines(open_, path, position, follow=follow):
                end = place[0]
                item = _json(type_, _text(line, path, end), path, end) if line and line.strip() else _PASSED
                yield item, place, len(line or b"") + 1
        case ["merge", sources]:
            yield from _merged(sources, position, type_, open_)
        case ["split", inner, into, part]:
            at, count = position or (None, 0)
            for item, after, cost in items(inner, at, type_, open_):
                ours = item is _PASSED or count % into == part
                count += item is not _PASSED
                yield item if ours else _PASSED, [after, count], cost


def _merged(sources: list[Any], position: Any, type_: Type, open_: Open) -> Iterator[Step]:
    """Give one item of each source in turn; those that have nothing are passed over."""
    places, turn = ([None] * len(sources), 0) if position is None else (list(position[0]), position[1])
    readers = [items(source, place, type_, open_) for source, place in zip(sources, places, strict=True)]
    try:
        idle = 0
        while idle < len(readers):
            found = next(readers[turn], None)
            if found is not None:
                places[turn] = found[1]
            if found is None or found[0] is not _PASSED:
                turn, idle = (turn + 1) % len(readers), idle + 1 if found is None else 0
            if found is not None:
                yield found[0], [list(places), turn], found[2]
    finally:
        for reader in readers:
            reader.close()  # type: ignore[attr-defined]


def _text(line: bytes, path: str, end: int) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        raise CapabilityError(f"{path}: the line that ends at byte {end} is no UTF-8", "IoError") from error


def _json(type_: Type, text: str, path: str, end: int) -> Any:
    try:
        return from_json(type_, load_json(text))
    except (JsonError, ProgramError) as error:
        raise CapabilityError(f"{path}: the line that ends at byte {end}: {error}", "TypeValidationError") from error


@lru_cache(maxsize=8)
def _data(text: str) -> Any:
    return read_value(text)


@lru_cache(maxsize=256)
def type_of(text: str) -> Type:
    """Return the type that a text spells which was read before."""
    return parse_type(text)


def fitting(type_: Type, value: Any) -> Any:
    """Return an item that is of its type.

    Raises:
        CapabilityError: TypeValidationError: it is not.
    """
    problem = None if type_ == _any() else violation(type_, value)
    if problem is not None:
        raise CapabilityError(f"an item of the stream: {problem}", "TypeValidationError")
    return value


def several(found: Iterator[Step], most: int) -> tuple[list[Item], bool, Any]:
    """Return at most so many items, and not much more than `MOST_AT_ONCE`: those before one that cannot be had.

    So many are passed over at most, too: also returns whether these bounds cut the items off, and which position was
    reached after them (None if it is that of the last item).
    """
    taken: list[Item] = []
    size = passed = 0
    reached = None
    try:
        for item, after, cost in found:
            size += cost
            if item is _PASSED:
                passed, reached = passed + 1, after
            else:
                taken.append((item, after))
                reached = None
            if size > MOST_AT_ONCE or passed >= MOST_PASSED:
                return taken, True, reached
            if len(taken) == most:
                break
    except CapabilityError as error:
        if not taken or error.kind == "SecurityViolation":
            raise
        return taken, True, None  # it is the first of the next look
    else:
        return taken, False, reached
    finally:
        found.close()  # type: ignore[attr-defined]
