"""What a run hands back (`Complete`, `RequiresHost`, `RequiresHosts`, `Paused`), and the call, a frozen record."""

from __future__ import annotations

from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import TYPE_CHECKING, Any
from rtfs_framework.lang.errors import InternalError
from rtfs_framework.lang.frozen import maker
from rtfs_framework.lang.maps import EMPTY_MAP, Map

if TYPE_CHECKING:
    from rtfs_framework.kernel.call_kind import CallKind
    from rtfs_framework.kernel.parallel import Branches
    from rtfs_framework.lang.signature import FunctionSignature
    from rtfs_framework.lang.source import Place


Freed = tuple[frozenset[str], str]
"""The marks that a call is freed of, without colons, and the reason that the program gives."""


@records.frozen(weakref_slot=False)  # see `maker`
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
    """Position among the calls and fan-outs of this run, or of this branch of it, from 0."""
    branch: tuple[int, ...] = ()
    """The branch that asks: for every fan-out that leads to it the fan-out's position and the item's number."""
    freed: Freed | None = None
    """What a `declassify` around the call says of it."""

    @property
    def path(self) -> tuple[int, ...]:
        """The call's id: unique in its run, the same whatever the host runs at once, and in the program's order."""
        return (*self.branch, self.index)


@records.frozen()
class Complete:
    """The run ended with a value."""

    value: Any


@records.frozen(weakref_slot=False)
class RequiresHost:
    """The run waits for its host."""

    call: HostCall


@records.frozen()
class RequiresHosts:
    """The run waits for its branches: start them in order, drive each to its end, then resume the run with nil.

    Only runs that were started with `step(concurrent=True)` hand this out; others run their branches themselves.
    """

    branches: Branches


@records.frozen()
class Paused:
    """The run has computed for a while and asks for nothing: resume it with nil, now or later.

    Only runs that were started with `step(sliced=True)` hand this out.
    """


PAUSED = Paused()

host_call = maker(HostCall)
requires_host = maker(RequiresHost)

ExecutionOutcome = Complete | RequiresHost | RequiresHosts | Paused


def value_of(outcome: ExecutionOutcome) -> Any:
    """Return the value of a run that has ended.

    Raises:
        InternalError: it has not; a host that takes no branches and no slices was given some.
    """
    if isinstance(outcome, Complete):
        return outcome.value
    raise InternalError("the run waits for its branches, or to go on")
