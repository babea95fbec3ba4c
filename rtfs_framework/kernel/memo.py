"""Memoised functions in a run: the host is asked whether it knows the value; else it is computed here and handed over.

A host that keeps values says so when it loads a program (`Instance(keeps=True)`); for any other a memoised function is
the function itself. Such a request is no call: it has no place among a run's calls and does not count, so calls have
the same ids whether a value was known or not. A value that is known was computed under the same bounds on single
values (`Limits.items`, `bits`, which are part of what is asked about) and counts as memory; steps are not charged for
what was not computed. An error is computed again each time.
"""

from __future__ import annotations

from rtfs_framework.kernel.call_kind import CallKind
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.kernel.measure import live
from rtfs_framework.kernel.state import RUN_LOCALLY, aside, may_ask
from rtfs_framework.lang.annotations import Any, Callable
from rtfs_framework.lang.meter import meter
from rtfs_framework.lang.signature import FunctionSignature, Memo
from rtfs_framework.stdlib.callables import check_arity, invoke, name_of, shapes_of


class Unknown:
    """The host's answer to `MEMO` where it does not know the value and wants it: what it is handed over with."""

    __slots__ = ("place",)

    def __init__(self, place: Any) -> None:
        self.place = place


def kept(function: Any, signature: FunctionSignature, memo: Memo, limits: Limits, ready: Callable[[], bool]) -> Any:
    """Return a function that asks the host for its values before it computes them; `ready` when its names are bound."""
    what = f"{memo.digest}:{limits.items}:{limits.bits}"

    def ask(*args: Any) -> Any:
        check_arity(function, len(args))
        if not (may_ask() and ready()):
            return invoke(function, args)
        found = aside(CallKind.MEMO, what, args, signature)
        if found is RUN_LOCALLY:
            return invoke(function, args)
        if found.__class__ is not Unknown:
            return _taken_in(found, limits)
        value = invoke(function, args)
        aside(CallKind.MEMO_KEEP, what, (found.place, value), signature)
        return value

    ask.rtfs_shapes = shapes_of(function)  # type: ignore[attr-defined]
    ask.rtfs_name = name_of(function)  # type: ignore[attr-defined]
    return ask


def _taken_in(value: Any, limits: Limits) -> Any:
    """Return a value that the run did not compute; it counts as memory.

    Raises:
        LimitError: There is no room for it.
    """
    if limits.memory is not None:
        size, _ = live((value,), limits.memory)
        found = meter()
        found.reserve(size)
        found.keep(value)
    return value


def all_bound(names: dict[str, Any], wanted: tuple[str, ...]) -> Callable[[], bool]:
    """Return what tells whether the program has bound all of some names (Python's); once it has, they stay so.

    A name of the library's that a program defines means the library's until then.
    """
    left = list(wanted)

    def ready() -> bool:
        while left:
            value = names.get(left[-1], _NONE)
            if value is _NONE or getattr(value, "rtfs_builtin", None) is not None:
                return False
            left.pop()
        return True

    return ready


_NONE = object()
