"""Capabilities: effects that a host grants by name. Denied unless the configuration grants them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol

import attrs

if TYPE_CHECKING:  # a plugin is imported at every start; what only its types need is not
    from rtfs_framework.lang.source import Place
    from rtfs_framework.lang.types.model import Type
    from rtfs_framework.lang.values import Value


@attrs.frozen(slots=True, weakref_slot=False)  # one is made per call: see `lang.frozen`
class CapabilityRequest:
    """One call of a capability."""

    id: str
    args: tuple[Value, ...]
    place: Place | None = None
    deadline: float | None = None
    """Seconds left."""
    key: str = ""
    """Of the call: the same when it is made again because nobody knows how it ended, as after a crash. A handler that
    passes it on to whoever acts (an idempotency key) may declare its capability `idempotent`."""


class CapabilityHandler(Protocol):
    """Performs the effect; raises `CapabilityError` when it cannot."""

    def __call__(self, request: CapabilityRequest) -> Value | Awaitable[Value]:
        """Return the reply, or an awaitable of it."""
        ...


@attrs.frozen(slots=True, kw_only=True)
class CapabilityEntry:
    """A capability that a plugin offers."""

    id: str
    summary: str
    handler: Callable[[CapabilityRequest], Value | Awaitable[Value]]
    parameters: tuple[Type, ...] | None = None
    returns: Type | None = None
    effects: tuple[str, ...] = ()
    order_independent: bool = False
    """Whether calls may overlap with each other and with anything else: only then does a `map` make them at once.
    (`pmap` and `step-parallel` overlap whatever they call: there the program says that order does not matter.)"""
    idempotent: bool = False
    """Whether a call may be made again when nobody knows whether it was carried out: two calls with one key do what one
    does. One that only reads is idempotent, too."""
    deterministic: bool = False
    """Whether equal calls are answered alike and change nothing: only then does the hint `cache` keep an answer."""
    blocking: bool = False
    """Whether the handler waits without being asynchronous (files, a vendor's blocking client): the host then runs it
    in a worker thread, under the deadline, beside other calls. It must be safe to call from several threads."""
    names: tuple[str, ...] = ()
    """Function names under which programs may call it directly, such as `log`."""
