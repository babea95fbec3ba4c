"""Functions over functions: turn a function value into a Python callable that takes n arguments, or say why not."""

from __future__ import annotations

import sys
from types import BuiltinFunctionType, FunctionType

from rtfs_framework.lang.annotations import Any
from rtfs_framework.lang.arity import Shape, arity_text, chosen, fits
from rtfs_framework.lang.errors import arity_error, type_error
from rtfs_framework.lang.maps import Map, Set
from rtfs_framework.lang.meter import meter
from rtfs_framework.lang.values import Keyword
from rtfs_framework.lang.vectors import GrownVector
from rtfs_framework.stdlib.table import record_of

_VARARGS = 0x04


def shapes_of(function: Any) -> tuple[Shape, ...]:
    """Return (least, most) arguments of a function value, for each of its arities; most is None for a variadic one."""
    record = record_of(function)
    if record is not None:
        return ((record.low, record.high),)
    shapes = getattr(function, "rtfs_shapes", None)
    if shapes is not None:
        return shapes  # type: ignore[no-any-return]
    code = function.__code__
    most = code.co_argcount
    return ((most - len(function.__defaults__ or ()), None if code.co_flags & _VARARGS else most),)


def name_of(function: Any) -> str:
    """Return what error messages call a function value."""
    record = record_of(function)
    return record.name if record is not None else getattr(function, "rtfs_name", "user-defined function")


def check_arity(function: Any, count: int) -> None:
    """Raise ArityMismatch unless the function takes `count` arguments."""
    shapes = shapes_of(function)
    if not any(fits(shape, count) for shape in shapes):
        raise arity_error(name_of(function), arity_text(*shapes), count)


def of_arities(*functions: Any) -> Any:
    """Return the function that calls one of several, by the number of arguments. Of the same ones it is the same."""
    known = getattr(functions[0], "rtfs_whole", None)
    if known is not None:
        return known
    shapes = tuple(shape for function in functions for shape in shapes_of(function))

    def whole(*arguments: Any) -> Any:
        return invoke(arity(len(arguments)), arguments)

    def arity(count: int) -> Any:
        place = chosen(shapes, count)
        if place is None:
            raise arity_error(name_of(whole), arity_text(*shapes), count)
        return functions[place]

    whole.rtfs_shapes = shapes  # type: ignore[attr-defined]
    whole.rtfs_arity = arity  # type: ignore[attr-defined]
    functions[0].rtfs_whole = whole
    return whole


def as_function(op: str, value: Any, count: int) -> Any:
    """Return a Python callable that stands for a function value taking `count` arguments.

    Keywords, maps, vectors and sets look themselves up. Raises TypeError for anything else and ArityMismatch for a
    function that does not take so many arguments.
    """
    kind = value.__class__
    if kind is FunctionType:
        code = value.__code__
        if code.co_argcount != count or code.co_flags & _VARARGS:
            arity = getattr(value, "rtfs_arity", None)
            if arity is not None:
                return arity(count)
            check_arity(value, count)
        return value
    if kind is BuiltinFunctionType:
        check_arity(value, count)
        return value
    if kind is Keyword:
        return lookup_keyword(value, count)
    if kind is Map:
        _collection_arity("map", count)
        return value.get
    if kind is tuple or kind is GrownVector:
        _collection_arity("vector", count)
        return lambda index, default=None: _nth(op, value, index, default)
    if kind is Set:
        _collection_arity("set", count)
        return lambda member, default=None: member if member in value else default
    if callable(value):
        check_arity(value, count)
        return value
    raise type_error(op, "function", value)


def invoke(function: Any, arguments: tuple[Any, ...]) -> Any:
    """Call a function with arguments of which nobody knew the number before.

    Raises:
        RecursionError: on Python 3.11, whose calls of this kind take the C stack, when too many are inside each other.
    """
    return function(*arguments)


def _invoke_on_the_stack(function: Any, arguments: tuple[Any, ...]) -> Any:
    found = meter()
    found.nested += 1
    try:
        if found.nested > _MOST_NESTED:
            raise RecursionError
        return function(*arguments)
    finally:
        found.nested -= 1


_MOST_NESTED = 8_000
if sys.version_info[:2] == (3, 11):
    invoke = _invoke_on_the_stack  # the process would die at some 15,000


def _collection_arity(what: str, count: int) -> None:
    if not 1 <= count <= 2:
        raise arity_error(what, "between 1 and 2", count)


def _nth(op: str, vector: Any, index: Any, default: Any) -> Any:
    if index.__class__ is not int:
        raise type_error(op, "integer", index)
    return vector[index] if 0 <= index < len(vector) else default


def lookup_keyword(keyword: Keyword, count: int) -> Any:
    """Return the function that a keyword stands for: look itself up in a map, nil-tolerant."""
    if not 1 <= count <= 2:
        raise arity_error(f":{keyword.name}", "between 1 and 2", count)

    def look_up(subject: Any, default: Any = None) -> Any:
        if subject.__class__ is Map:
            return subject._items.get(keyword, default)
        return keyword_get(keyword, subject, default)

    return look_up


def keyword_get(keyword: Keyword, subject: Any, default: Any = None) -> Any:
    """`(:k subject default)`: a map's value, the default for nil; any other subject is a TypeError."""
    if subject.__class__ is Map:
        return subject.get(keyword, default)
    if subject is None:
        return default
    if subject.__class__.__name__ == "ErrorValue":
        return getattr(subject, keyword.name) if keyword.name in _ERROR_FIELDS else default
    raise type_error(f":{keyword.name}", "map", subject)


_ERROR_FIELDS = frozenset({"kind", "message", "data", "span", "stack", "cause"})


def invocable(op: str, value: Any) -> Any:
    """Return the value if it can be called at all (how many arguments it takes is asked when it is called)."""
    if callable(value) or value.__class__ in _CALLED:
        return value
    raise type_error(op, "function", value)


_CALLED = frozenset({Keyword, Map, Set, tuple, GrownVector})
