"""The one table of builtins: name, arity, purity, documentation and examples all come from the `@builtin` record."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

import attrs

from rtfs_framework.stdlib.signatures import TYPES

F = TypeVar("F", bound=Callable[..., Any])


@attrs.frozen(slots=True, eq=False)
class Builtin:
    """One library function. `examples` are (program, canonical print of its value or "!ErrorKind")."""

    name: str
    function: Callable[..., Any]
    family: str
    low: int
    high: int | None
    signature: str
    doc: str
    examples: tuple[tuple[str, str], ...] = ()
    aliases: tuple[str, ...] = ()
    effect: str | None = None
    """None for a pure function; "host" when calling it asks the host."""
    types: str | None = None
    """The function's type as a type expression, where it is certain (`signatures`)."""


BUILTINS: dict[str, Builtin] = {}
"""Every name (aliases included) to its record."""

BY_FUNCTION: dict[Callable[..., Any], Builtin] = {}
"""The Python function to its record: what a function value is called in an error message."""


def builtin(
    name: str,
    *examples: tuple[str, str],
    doc: str,
    aliases: tuple[str, ...] = (),
    arity: tuple[int, int | None] | None = None,
    effect: str | None = None,
) -> Callable[[F], F]:
    """Enter a function into the table. Arity and signature come from its Python parameters unless `arity` is given.

    Raises:
        ValueError: the name or an alias is taken.
    """

    def enter(function: F) -> F:
        low, high, signature = _shape(function)
        if arity is not None:
            low, high = arity
        family = function.__module__.rpartition(".")[2]
        record = Builtin(name, function, family, low, high, signature, doc, examples, aliases, effect, TYPES.get(name))
        for entry in (name, *aliases):
            if entry in BUILTINS:
                message = f"builtin {entry!r} is defined twice"
                raise ValueError(message)
            BUILTINS[entry] = record
        BY_FUNCTION[function] = record
        return function

    return enter


def _shape(function: Callable[..., Any]) -> tuple[int, int | None, str]:
    low, high, words = 0, 0, []
    code: Any = inspect.unwrap(function).__code__
    defaults = len(getattr(function, "__defaults__", None) or ())
    names = [n.rstrip("_").replace("_", "-") for n in code.co_varnames[: code.co_argcount]]
    low, high = len(names) - defaults, len(names)
    words = names[:low] + [f"{n}?" for n in names[low:]]
    if code.co_flags & inspect.CO_VARARGS:
        words.append(f"& {code.co_varnames[code.co_argcount].replace('_', '-')}")
        return low, None, " ".join(words)
    return low, high, " ".join(words)
