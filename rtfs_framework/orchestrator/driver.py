"""The loop between kernel and host.

One implementation: `advance` goes as far as nothing must be waited for, `drive` awaits what must, and the synchronous
front (`front`) merely lends `drive` an event loop. So a program that asks for nothing slow never imports an event
loop, and Ctrl-C reaches it directly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from rtfs_framework.kernel.outcome import Complete, ExecutionOutcome, HostCall, RequiresHost
from rtfs_framework.orchestrator.answers import Answer, KernelRun, Reply, Waiting, apply
from rtfs_framework.orchestrator.deadlines import within

if TYPE_CHECKING:
    from rtfs_framework.kernel.parallel import Branches


class Host(Protocol):
    """Answers calls: at once, or with what to wait for."""

    def answer(self, call: HostCall) -> Answer | Waiting:
        """Return the answer to a call."""
        ...

    def fan_out(self, branches: Branches) -> Answer | Waiting:
        """Drive branches to their ends; return what to resume their run with."""
        ...


def advance(run: KernelRun, outcome: ExecutionOutcome, host: Host) -> Complete | Waiting:
    """Answer calls until the run is complete or must wait."""
    while not isinstance(outcome, Complete):
        answer = host.answer(outcome.call) if isinstance(outcome, RequiresHost) else host.fan_out(outcome.branches)
        if isinstance(answer, Reply):
            outcome = run.resume(answer.value)
        elif isinstance(answer, Waiting):
            return answer
        else:
            outcome = apply(run, answer)
    return outcome


async def drive(run: KernelRun, state: Complete | Waiting, host: Host) -> Any:
    """Await and answer until the run is complete; return its value. A run that is abandoned half-way is closed."""
    try:
        while not isinstance(state, Complete):
            answer = await within(run.watch, state.finish)
            state = advance(run, apply(run, answer), host)
    except BaseException:
        run.close()
        raise
    return state.value
