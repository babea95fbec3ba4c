"""The state of one run, and how code inside it reaches its host: `request` switches to the driver and waits."""

from __future__ import annotations

from sys import _getframe
from typing import TYPE_CHECKING, Any

from greenlet import getcurrent, greenlet

from rtfs_framework.kernel.limits import Limits
from rtfs_framework.kernel.meter import RunMeter, Watch
from rtfs_framework.kernel.outcome import CallKind, HostCall
from rtfs_framework.lang.errors import Cancelled, InternalError, LimitError
from rtfs_framework.lang.maps import EMPTY_MAP, Map
from rtfs_framework.lang.signature import FunctionSignature

if TYPE_CHECKING:
    from rtfs_framework.lang.codegen.artifact import Artifact
    from rtfs_framework.lang.source import Place

RUN_LOCALLY = object()
"""The host's answer to a delegated call: run the function's own body."""


class RunGreenlet(greenlet):
    """The greenlet of a run; `state` and `meter` are the run's."""

    state: RunState
    meter: RunMeter


class RunState:
    """What a run knows besides its Python stack."""

    __slots__ = ("artifact", "closed", "count", "hints", "limits", "meter", "places", "symbols")

    def __init__(
        self,
        artifact: Artifact,
        limits: Limits,
        places: dict[int, Place | None],
        names: dict[str, Any],
        watch: Watch | None = None,
    ) -> None:
        self.artifact = artifact
        self.limits = limits
        self.places = places
        # A branch that runs beside others gets `meter.fork()` instead; its parent takes `meter.join(...)` at the end.
        self.meter = RunMeter(limits, names, watch)
        self.count = 0
        self.symbols = 0
        """Symbols made by `gensym` so far."""
        self.hints: list[tuple[str, Any]] = []
        self.closed = False

    def place(self) -> Place | None:
        """Return where the program stands: the innermost frame of generated code."""
        filename = self.artifact.code.co_filename
        frame: Any = _getframe(2)
        while frame is not None:
            if frame.f_code.co_filename is filename:
                line = frame.f_lineno
                if line not in self.places:
                    self.places[line] = self.artifact.place(line)
                return self.places[line]
            frame = frame.f_back
        return None


def current() -> RunState:
    """Return the state of the run that is executing.

    Raises:
        InternalError: called outside a run.
    """
    state = getattr(getcurrent(), "state", None)
    if state is None:
        raise InternalError("a host request outside a run")
    return state  # type: ignore[no-any-return]


def request(kind: CallKind, capability: str, args: tuple[Any, ...], function: FunctionSignature | None = None) -> Any:
    """Ask the host and wait for its answer.

    Raises:
        LimitError: the run has made as many requests as it may.
        Cancelled: the host has closed or cancelled the run.
    """
    here = getcurrent()
    state: RunState = here.state  # type: ignore[attr-defined]
    if state.closed:
        raise Cancelled("the run was closed")
    state.meter.look()
    most = state.limits.host_calls
    if most is not None and state.count >= most:
        raise LimitError("host_calls", most, f"more than {most} host calls")
    hints = Map.of(state.hints) if state.hints else EMPTY_MAP
    call = HostCall(kind, capability, args, function, hints, state.place(), state.count)
    state.count += 1
    return here.parent.switch(call)  # type: ignore[union-attr]
