"""What a run hands back: `Complete(value)` or `RequiresHost(call)`; and the call itself, a plain immutable record."""

from __future__ import annotations

from enum import Enum
from typing import Any, Union

import attrs

from rtfs_framework.lang.maps import EMPTY_MAP, Map
from rtfs_framework.lang.source import Place
from rtfs_framework.lang.types.model import Type


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


class HintKind(Enum):
    """The author's word on where a function runs (`^:delegation`)."""

    LOCAL = "local"
    LOCAL_MODEL = "local-model"
    REMOTE = "remote"
    TARGET = "target"
    """The map form `{:target "id"}`: the id names a target of the host's configuration."""


@attrs.frozen(slots=True)
class DelegationHint:
    """A delegation hint; `id` is "" for LOCAL."""

    kind: HintKind
    id: str = ""


@attrs.frozen(slots=True)
class Parameter:
    """A parameter of a delegated function: its name and declared type (None when it has none)."""

    name: str
    type: Type | None = None
    rest: bool = False


@attrs.frozen(slots=True)
class FunctionSignature:
    """What is known of a function without running it: all that a prompt or a route may look at."""

    name: str
    """Qualified name; "fn" for an anonymous function."""
    doc: str = ""
    parameters: tuple[Parameter, ...] = ()
    returns: Type | None = None
    hint: DelegationHint | None = None
    metadata: Map = EMPTY_MAP
    body_digest: str = ""
    """SHA-256 of the function's printed source form: two functions of one name are not the same function."""


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


ExecutionOutcome = Union[Complete, RequiresHost]
