"""What a run hands back: `Complete(value)` or `RequiresHost(call)`; and the call itself, a plain immutable record."""

from __future__ import annotations

from enum import Enum
from typing import Any

import attrs

from rtfs_framework.lang.maps import EMPTY_MAP, Map
from rtfs_framework.lang.signature import DelegationHint, FunctionSignature, HintKind, Parameter
from rtfs_framework.lang.source import Place

__all__ = [
    "CallKind",
    "Complete",
    "DelegationHint",
    "ExecutionOutcome",
    "FunctionSignature",
    "HintKind",
    "HostCall",
    "Parameter",
    "RequiresHost",
]


class CallKind(Enum):
    """Why the program stopped for its host."""

    CAPABILITY = "capability"
    """`(call :cap ...)`, or a function that the host provides by name."""
    DELEGATED = "delegated"
    """A typed function whose hint or route says that it may run elsewhere; `resume_locally` runs its own body."""
    CONTEXT_GET = "context-get"
    """A host context value is read; the host answers the value or throws UndefinedSymbol."""
    CONTEXT_SET = "context-set"
    EVENT = "event"
    """A notification (step started, hint set, ...). The host answers nil."""


@attrs.frozen(slots=True)
class HostCall:
    """A request to the host."""

    kind: CallKind
    capability: str
    """The capability's id; for a delegated function `model-call:ID` or, with no hint, the function's name."""
    args: tuple[Any, ...] = ()
    function: FunctionSignature | None = None
    hints: Map = EMPTY_MAP
    """Execution hints (`^{:runtime...}`) in force."""
    place: Place | None = None
    index: int = 0
    """Position among the calls of this run, from 0."""


@attrs.frozen(slots=True)
class Complete:
    """The run ended with a value."""

    value: Any


@attrs.frozen(slots=True)
class RequiresHost:
    """The run waits for its host."""

    call: HostCall


ExecutionOutcome = Complete | RequiresHost
