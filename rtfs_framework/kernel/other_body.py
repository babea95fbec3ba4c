"""Another body for a delegated call: a function of another program, run inside the run that asked, within its limits.

The host answers the call with an `OtherBody`; the run computes it like its own body. It has a meter that may take what
is left of the run's, which pays for it, and no way to the host: what it asks for is refused.
"""

from __future__ import annotations

from collections import deque
from sys import _getframe

from greenlet import getcurrent

from rtfs_framework.kernel.depth import nested_calls
from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.outcome import PAUSED, Complete, Paused
from rtfs_framework.lang.annotations import TYPE_CHECKING, Any, Callable
from rtfs_framework.lang.errors import InternalError, ProgramError

if TYPE_CHECKING:
    from rtfs_framework.kernel.limits import Limits
    from rtfs_framework.kernel.outcome import ExecutionOutcome
    from rtfs_framework.kernel.run import Run
    from rtfs_framework.kernel.state import RunState
    from rtfs_framework.lang.codegen.artifact import Artifact

BROKEN = "ApplicationError"
_IDLE = 16
"""Loaded programs that are kept for the next calls: as many branches may run one at once."""

Misfit = Callable[[Any], str | None]
"""Says why a value is not of the type that callers were promised, None where it is."""


class OtherBody:
    """A function of a program that asks nothing of its host, ready to be run by many runs at once."""

    def __init__(self, artifact: Artifact, name: str, misfit: Misfit) -> None:
        self.artifact = artifact
        self.name = name
        self._misfit = misfit
        self._idle: deque[tuple[Limits, Instance]] = deque(maxlen=_IDLE)

    def run(self, args: tuple[Any, ...], state: RunState) -> Any:
        """Return the function's value for arguments; `state` is that of the run that asks.

        Raises:
            ProgramError: the function raises it, gives what its callers were not promised, or asks its host.
            LimitError, Cancelled: the run ends here.
        """
        limits, instance = self._ready(state)
        value = _finished(instance.call(self.name, args), state)
        self._idle.append((limits, instance))
        wrong = self._misfit(value)
        if wrong is not None:
            message = f"the published {self.name} gave what it promises not to give: {wrong}"
            raise ProgramError("TypeValidationError", message)
        return value

    def _ready(self, state: RunState) -> tuple[Limits, Instance]:
        """Return an instance whose top-level forms have run; one that was used before, where there is one."""
        limits = state.limits
        try:
            known, ready = self._idle.pop()
        except IndexError:  # none is idle
            pass
        else:
            if known is limits:
                return known, ready
        made = Instance(self.artifact, limits=limits)
        _finished(made.start(), state)
        return limits, made


def _finished(run: Run, state: RunState) -> Any:
    """Drive a run inside another one to its end; what it took, the other one pays."""
    meter, own = state.meter, run.meter
    most = None if meter.most is None else meter.most - meter.used
    own.origin, own.watch, own.sliced, own.most = meter.origin or meter, meter.watch, meter.sliced, most
    if own.depth is not None:
        own.depth = own.depth.less(nested_calls(state.artifact, _getframe()))
    outer: Any = getcurrent().parent
    try:
        outcome: ExecutionOutcome = run.step(sliced=meter.sliced)
        while isinstance(outcome, Paused):
            outer.switch(PAUSED)
            outcome = run.resume(None)
    except InternalError as error:  # IR that no analyzer made: what it does is defined, what it gives is not
        raise ProgramError(BROKEN, f"the published program broke: {error}") from None
    finally:
        meter.spend(own.used)
    if not isinstance(outcome, Complete):
        run.close()
        raise ProgramError("SecurityViolation", "Security violation: a published program asked its host for something")
    return outcome.value
