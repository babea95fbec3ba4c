"""Whether the calls of a map may reach the host, and the way to make them then: possibly at once.

The library knows no host: the meter of a run makes such calls, and outside of one they are made one after the other.
"""

from __future__ import annotations

from types import CodeType, FunctionType

from rtfs_framework.lang.annotations import Any, Callable, Iterable
from rtfs_framework.lang.meter import meter
from rtfs_framework.stdlib.table import record_of

_CACHE = "%asks"
"""Where a program's globals remember which of its functions ask."""

_MOST = 4_096
_mentioned: dict[CodeType, frozenset[str]] = {}
"""The names that functions mention. (`functools` would take half as long to import as all of this.)"""

_ASKING_NAMES = frozenset({"rt_host_name", "rt_hint"})


def overlap(call: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
    """Return what `call` gives for each item, in order; see nothing but that order."""
    given = tuple(items)
    return meter().each(len(given), lambda number: call(given[number]))


def asks(function: Any) -> bool:
    """Tell whether calling a function may reach the host, as far as can be seen cheaply.

    Either mistake is harmless: calls that are not foreseen are made in order, and those that do not happen cost little.
    """
    return function.__class__ is FunctionType and _asks(function, set())


def _asks(function: Any, seen: set[Any]) -> bool:
    if getattr(function, "rtfs_asks", False):
        return True
    record = record_of(function)
    if record is not None:
        return record.effect is not None
    code = function.__code__
    if function in seen:
        return False
    seen.add(function)
    world = function.__globals__
    if "__name__" in world:  # made by the library (`partial`, `comp`): it calls what it was given
        return _any_asks(_held(function), seen)
    known = world.setdefault(_CACHE, {})
    if code in known and (known[code] or function.__closure__ is None):
        return bool(known[code])
    names = _names(code)
    found = not _ASKING_NAMES.isdisjoint(names) or _any_asks([world.get(name) for name in names], seen)
    if found or len(seen) == 1:
        known[code] = found
    return found or _any_asks(_held(function), seen)


def _any_asks(values: Iterable[Any], seen: set[Any]) -> bool:
    return any(value.__class__ is FunctionType and _asks(value, seen) for value in values)


def _held(function: Any) -> list[Any]:
    """Return what a function was given when it was made."""
    held = list(function.__defaults__ or ())
    for cell in function.__closure__ or ():
        try:
            content = cell.cell_contents
        except ValueError:  # not bound yet
            continue
        held.extend(content if content.__class__ is tuple else (content,))
    return held


def _names(code: CodeType) -> frozenset[str]:
    """Return the global names that a function mentions, and those of the functions inside it."""
    known = _mentioned.get(code)
    if known is None:
        inner = [_names(constant) for constant in code.co_consts if constant.__class__ is CodeType]
        if len(_mentioned) >= _MOST:
            _mentioned.clear()
        known = _mentioned[code] = frozenset(code.co_names).union(*inner)
    return known
