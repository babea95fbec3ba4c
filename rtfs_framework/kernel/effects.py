"""What programs call to reach their host: `call`, the context, hints. Each is one request.

The values of the examples are those of a host that answers nil.
"""

from __future__ import annotations

from rtfs_framework.kernel import pmap, tickets  # noqa: F401 - enter what they have into the table
from rtfs_framework.kernel.call_kind import CallKind
from rtfs_framework.kernel.host_table import HOST
from rtfs_framework.kernel.state import current, request
from rtfs_framework.kernel.support import callable_of
from rtfs_framework.lang.annotations import Any
from rtfs_framework.lang.errors import type_error
from rtfs_framework.lang.values import Keyword, Symbol
from rtfs_framework.stdlib import shorthand as ty
from rtfs_framework.stdlib.callables import invoke
from rtfs_framework.stdlib.table import builtin, record_of

_CAPABILITY = CallKind.CAPABILITY


def _name(op: str, value: Any) -> str:
    if isinstance(value, Keyword | Symbol):
        return value.name
    if value.__class__ is str:
        return value
    raise type_error(op, "string or keyword", value)


@builtin(
    "call",
    ('(call :weather.today "Oslo")', "nil"),
    doc="Ask the host for a capability; its answer is the value.",
    effect="capability",
    table=HOST,
)
def call(capability: ty.name, *args: Any) -> Any:
    """`(call :cap args...)`."""
    name = capability.name if capability.__class__ is Keyword else _name("call", capability)
    return request(_CAPABILITY, name, args)


@builtin(
    "context/get",
    ("(context/get :user)", "nil"),
    doc="Read a value of the host's context, or nil.",
    effect="context",
    table=HOST,
)
def context_get(key: ty.name) -> Any:
    """`(context/get :key)`."""
    return request(CallKind.CONTEXT_GET, _name("context/get", key), (None,))


@builtin(
    "context/set",
    ('(context/set :user "Ada")', "nil"),
    doc="Store a value in the host's context; nil.",
    aliases=("ccos.context/set",),
    effect="context",
    table=HOST,
)
def context_set(key: ty.name, value: Any) -> None:
    """`(context/set :key value)`."""
    request(CallKind.CONTEXT_SET, _name("context/set", key), (value,))


@builtin(
    "gensym",
    ("(symbol? (gensym))", "true"),
    doc="A symbol that no program can write and no other call makes.",
    plain=False,
    table=HOST,
)
def gensym(prefix: ty.name = "g") -> Symbol:
    """`(gensym prefix?)`."""
    state = current()
    state.symbols += 1
    return Symbol(f"{_name('gensym', prefix)}#{state.scope}{state.symbols}")


def declassify(marks: tuple[str, ...], reason: str, function: Any, *args: Any) -> Any:
    """`(declassify [:mark...] "reason" (f x))`: the call; it is freed if it asks the host itself."""
    call = callable_of(function, len(args))
    record = record_of(call)
    asks = getattr(call, "rtfs_asks", False) if record is None else record.effect is not None
    state = current()
    if not asks:  # what it calls in turn is not freed, nor answered later
        state.later = False
        return invoke(call, args)
    state.freed = (frozenset(marks), reason)
    try:
        return invoke(call, args)
    finally:
        state.freed = None


declassify.rtfs_asks = True  # type: ignore[attr-defined]


def event(name: str, *args: Any) -> None:
    """Tell the host that something happened."""
    request(CallKind.EVENT, name, args)


def hints_depth() -> int:
    """Return how many hints are in force."""
    return len(current().hints)


def hint(key: str, value: Any) -> None:
    """Put a hint in force; inner hints of one name win."""
    current().hints.append((key, value))
    event("hint", key, value)


def hints_leave(depth: int) -> None:
    """Leave a hinted expression: its hints are gone, those around it stay."""
    state = current()
    del state.hints[depth:]
    if not state.closed:
        event("hints-clear", *(key for key, _ in state.hints))
