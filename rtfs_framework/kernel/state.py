"""The state of one run, and how code inside it reaches its host: `request` switches to the driver and waits."""

from __future__ import annotations

from math import inf
from sys import _getframe

from greenlet import getcurrent, greenlet

from rtfs_framework.kernel.limits import Limits
from rtfs_framework.kernel.meter import RunMeter
from rtfs_framework.kernel.outcome import host_call
from rtfs_framework.kernel.output import ATOMS, bounded_output
from rtfs_framework.lang.annotations import TYPE_CHECKING, Any
from rtfs_framework.lang.errors import Cancelled, InternalError, LimitError
from rtfs_framework.lang.maps import EMPTY_MAP, Map
from rtfs_framework.lang.values import Ticket

if TYPE_CHECKING:
    from rtfs_framework.kernel.call_kind import CallKind
    from rtfs_framework.kernel.other_body import OtherBody
    from rtfs_framework.kernel.outcome import Freed
    from rtfs_framework.kernel.parallel import Branches
    from rtfs_framework.lang.codegen.artifact import Artifact
    from rtfs_framework.lang.signature import FunctionSignature
    from rtfs_framework.lang.source import Place

RUN_LOCALLY = object()
"""The host's answer to a delegated call: run the function's own body."""
LEFT = object()
"""What a greenlet of many runs hands out when one has ended in it, whose value is its `value` (`kernel.seat`)."""


class Instead:
    """The host's answer to a delegated call: run this body in place of the function's own."""

    __slots__ = ("body",)

    def __init__(self, body: OtherBody) -> None:
        self.body = body


class RunGreenlet(greenlet):
    """The greenlet of a run; `state` and `meter` are the run's."""

    state: RunState
    meter: RunMeter


def root(of: greenlet) -> greenlet:
    """Return the first greenlet of a greenlet's thread."""
    while of.parent is not None:
        of = of.parent
    return of


class RunState:
    """What a run knows besides its Python stack."""

    __slots__ = (
        "artifact",
        "asked",
        "branch",
        "closed",
        "concurrent",
        "count",
        "fallback",
        "fan_out",
        "freed",
        "gate",
        "hints",
        "joined",
        "later",
        "limits",
        "meter",
        "most",
        "places",
        "scope",
        "symbols",
        "tickets",
    )  # fmt: skip

    def __init__(
        self,
        artifact: Artifact,
        limits: Limits,
        places: dict[int, Place | None],
        meter: RunMeter,
    ) -> None:
        self.artifact = artifact
        self.limits = limits
        self.places = places
        self.meter = meter
        self.count = 0
        """Requests and fan-outs of this branch so far: the position of the next one."""
        self.most = inf if limits.host_calls is None else limits.host_calls
        """How far `count` may go."""
        self.joined = 0
        """Requests made by branches that have ended, less the fan-outs that are in `count`."""
        self.branch: tuple[int, ...] = ()
        """Which branch this is: for every fan-out that leads here its position and the item's number."""
        self.concurrent = False
        """Whether the host takes several branches at once."""
        self.fallback: Place | None = None
        """Where the branch was made, for calls that no frame of generated code makes."""
        self.fan_out: Branches | None = None
        """The fan-out that the run waits for."""
        self.symbols = 0
        """Symbols made by `gensym` so far."""
        self.scope = ""
        """What the symbols of a branch have before their number, so that no two branches make the same."""
        self.gate: list[None] = []
        """Of the program: see `Run`."""
        self.hints: list[tuple[str, Any]] = []
        self.freed: Freed | None = None
        """What a `declassify` says of the call that is being made."""
        self.asked = False
        """Whether the branch has asked for something that is no call: then it keeps its number, too."""
        self.later = False
        """Whether the call that is being made is a ticket's."""
        self.tickets: dict[Ticket, None] = {}
        """Those of the whole run that nobody has awaited, in order."""
        self.closed = False

    def place(self, frame: Any = None) -> Place | None:
        """Return where the program stands: the innermost frame of generated code, from a frame on outwards."""
        filename = self.artifact.code.co_filename
        frame = frame or _getframe(2)
        while frame is not None:
            if frame.f_code.co_filename is filename:
                line = frame.f_lineno
                places = self.places
                if line not in places:
                    places[line] = self.artifact.place(line)
                return places[line]
            frame = frame.f_back
        return self.fallback


def under_way() -> bool:
    """Tell whether a run is executing."""
    return getattr(getcurrent(), "state", None) is not None


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
    meter = state.meter
    if meter.watch is not None or meter.cancelled or meter.origin is not None:
        meter.look()
    later = state.later
    if Ticket.used:
        args = _without_tickets(state, args)
    count = state.count
    if count >= state.most:
        raise too_many_calls(state)
    for each in args:
        if each.__class__ not in ATOMS:
            bounded_output(each, state.limits.output)
    hints = Map.of(state.hints) if state.hints else EMPTY_MAP
    freed = None if state.freed is None else _freed(state, kind)
    call = host_call(kind, capability, args, function, hints, state.place(_getframe(1)), count, state.branch, freed)
    state.count = count + 1
    if later and kind._value_ in ("capability", "delegated"):
        from rtfs_framework.kernel.tickets import handed_over

        return handed_over(state, call)
    return here.parent.switch(call)  # type: ignore[union-attr]


def _without_tickets(state: RunState, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return arguments as they leave the run: answers in the places of tickets."""
    if all(each.__class__ in ATOMS or each.__class__ is str for each in args):
        return args
    from rtfs_framework.kernel.tickets import without

    later, state.later = state.later, False  # awaiting may run a body, which asks for itself
    try:
        return tuple([without(each) for each in args])
    finally:
        state.later = later


def may_ask() -> bool:
    """Tell whether there is a host to ask: a run is executing, and not closed."""
    state = getattr(getcurrent(), "state", None)
    return state is not None and not state.closed


def aside(kind: CallKind, capability: str, args: tuple[Any, ...], function: FunctionSignature | None = None) -> Any:
    """Ask the host for what it keeps and wait for its answer: no call of the run, and none of its count."""
    here = getcurrent()
    state: RunState = here.state  # type: ignore[attr-defined]
    state.asked = True
    state.meter.look()
    call = host_call(kind, capability, args, function, EMPTY_MAP, None, state.count, state.branch, None)
    return here.parent.switch(call)  # type: ignore[union-attr]


def _freed(state: RunState, kind: CallKind) -> Freed | None:
    """Return what a request is freed of. What is told beside a call is not, nor what a body does that runs here."""
    name = kind._value_  # a known program that asks nothing of its host does not import what kinds there are
    if name == "event":
        return None
    freed = state.freed
    if name == "delegated":
        state.freed = None
    return freed


def too_many_calls(state: RunState) -> LimitError:
    """Return the error of a run that has made as many requests as it may."""
    most = state.limits.host_calls or 0
    return LimitError("host_calls", most, f"more than {most} host calls")
