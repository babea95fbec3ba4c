"""How much memory a program's values take, by a measure of our own: the same on every machine and Python version.

In: the values that a run can reach. Out: bytes. Parts that are shared count once; small atoms (numbers, names) count
wherever they stand. The walk stops as soon as it is beyond the limit.

What is not seen: values that stand only on Python's own evaluation stack, such as the first item of a vector literal
while the second is computed. Large ones are remembered (`lang.meter.made`), small ones cannot add up to much.
"""

from __future__ import annotations

import gc
from itertools import islice
from sys import _getframe, getrefcount
from types import BuiltinFunctionType, CellType, CodeType, FunctionType, ModuleType

from rtfs_framework.lang.annotations import Any, Callable, Iterable, Iterator
from rtfs_framework.lang.maps import Key, Map, Set, Trie
from rtfs_framework.lang.values import ErrorValue, Keyword, Reduced, Resource, Symbol, Timestamp, Uuid
from rtfs_framework.lang.vectors import GrownVector, List

_ATOM = 32
_HEAD = 56
_ENTRY = 100
"""An entry of a dict: hash, key, value, and the slots that are kept free."""

_SMALL_ATOMS: frozenset[Any] = frozenset({float, bool, type(None), Timestamp, Uuid, Resource})
_NAMED: frozenset[Any] = frozenset({Keyword, Symbol})
_ATOMS: frozenset[Any] = _SMALL_ATOMS | _NAMED | {int}
_SHORT = 512
"""Characters up to which a name is a small atom."""

_OPAQUE: frozenset[Any] = frozenset({BuiltinFunctionType, CodeType, ModuleType, type})

_TRIE = frozenset({"Map", "map_array_node", "map_bitmap_node", "map_collision_node"})
"""Classes of `immutables`, which it does not name."""

_HELD: dict[Any, tuple[str, ...]] = {
    Map: ("_items", "_trie"),
    Trie: ("entries", "order"),
    GrownVector: ("_buffers", "_changed"),
    List: ("_buffers", "_changed"),
}
"""What collections keep, and versions of them share."""

_OFTEN = 0xFFFF
_SINGLE = 3
"""References to a value that only its collection has: the collection's, the walk's, and that of asking."""
_WORD = 1 << 63
_FEW = 16
_SAMPLE = 64


def live(roots: Iterable[Any], most: int, look: Callable[[], None] = lambda: None) -> tuple[int, int]:
    """Return the bytes that values take and how many collections were looked into.

    Once they are more than `most`, how much more is not looked at. `look` is called now and then; it may raise.
    """
    collecting = gc.isenabled()
    gc.disable()  # it would look at all of this again and again, and nothing here makes cycles
    try:
        return _walk(list(roots), most, look)
    finally:
        if collecting:
            gc.enable()


def _walk(todo: list[Any], most: int, look: Callable[[], None]) -> tuple[int, int]:
    total = looked = met = 0
    seen: set[int] = set()
    while todo:
        met += 1
        if met & _OFTEN == 0:
            look()
        value = todo.pop()
        kind = value.__class__
        if kind in _SMALL_ATOMS or (kind is int and -_WORD < value < _WORD):
            total += _ATOM
            continue
        if kind in _NAMED:
            total += _ATOM if len(value.name) < _SHORT else _HEAD + 4 * len(value.name)
            continue
        if kind in _OPAQUE:
            continue
        if getrefcount(value) > _SINGLE:  # what only its collection refers to is met once
            if id(value) in seen:
                continue
            seen.add(id(value))
        looked += 1
        total += _own(value, kind, todo)
        if total > most:
            break
    return total, looked


def _own(value: Any, kind: Any, todo: list[Any]) -> int:
    """Return what a value takes itself, and put its parts on the work list."""
    if kind is int:
        return _HEAD + int(value.bit_length() >> 3)
    if kind is str:
        return _HEAD + len(value) * (1 if value.isascii() else 4)
    if kind is tuple or kind is list:
        return _HEAD + 8 * len(value) + _items(value, todo)
    if kind in _HELD:
        todo.extend(part for part in (getattr(value, name, None) for name in _HELD[kind]) if part is not None)
        return _HEAD
    if kind is dict:
        return _HEAD + _ENTRY * len(value) + _items(value.keys(), todo) + _items(value.values(), todo)
    if kind is FunctionType or kind is CellType:
        todo.extend(_held(value))
        return 5 * _HEAD if kind is FunctionType else 0
    if kind is Set:
        todo.append(value.map)
    elif kind is Key or kind is Reduced:
        todo.append(value.value)
    elif kind is ErrorValue:
        todo.extend((value.message, value.data, value.stack, value.cause))
    elif kind.__name__ in _TRIE:  # nodes of a hash trie, which versions of a map share
        parts = [part for part in gc.get_referents(value) if not isinstance(part, type)]
        todo.extend(parts)
        return _HEAD + 8 * len(parts)
    return _HEAD


def _items(items: Any, todo: list[Any]) -> int:
    """Return the bytes of items that are atoms; the others go on the work list. Most collections are of one kind."""
    if len(items) < _FEW:
        todo.extend(items)
        return 0
    kinds = set(map(type, items))
    if kinds <= _SMALL_ATOMS:
        return _ATOM * len(items)
    if kinds == {int} and len(items) and min(items) > -_WORD and max(items) < _WORD:
        return _ATOM * len(items)
    # One value may stand in millions of places, of 8 bytes each: it is met once.
    once = kinds.isdisjoint(_ATOMS) and _repeats(items)
    todo.extend(dict(zip(map(id, items), items, strict=True)).values() if once else items)
    return 0


def _repeats(items: Any) -> bool:
    """Tell whether the first items are few values again and again."""
    return len(set(map(id, islice(items, _SAMPLE)))) <= min(len(items), _SAMPLE) // 2


def _held(value: Any) -> Iterator[Any]:
    """Yield what a function keeps of where it was made: cells, which functions may share, and their content."""
    if value.__class__ is CellType:
        yield from _content(value)
        return
    yield from value.__closure__ or ()
    if value.__defaults__:
        yield value.__defaults__


def _content(cell: CellType) -> Iterator[Any]:
    try:
        yield cell.cell_contents
    except ValueError:  # not bound yet
        return


def reachable(names: dict[str, Any]) -> Iterator[Any]:
    """Yield what a program can reach where it stands: its top-level values and constants, and its frames' variables."""
    for name, value in names.items():
        if name.startswith(("G__", "C__")):
            yield value
    frame: Any = _getframe(1)
    while frame is not None:
        if "__name__" not in frame.f_globals or frame.f_globals["__name__"].startswith(_LIBRARY):
            found = frame.f_locals
            yield from list(found.values())
            if found.__class__ is dict and found is not frame.f_globals:
                found.clear()  # before Python 3.13 it is a copy that the frame keeps, and would keep values alive
        frame = frame.f_back


_LIBRARY = (
    "rtfs_framework.stdlib",
    "rtfs_framework.lang",
    "rtfs_framework.kernel.support",
    "rtfs_framework.kernel.checkers",
)
