"""The loop between kernel and host.

One implementation: `advance` goes as far as nothing must be waited for, `drive` awaits what must, and the synchronous
portal (`portal`) merely lends `drive` an event loop. So a program that asks for nothing slow never imports an event
loop, and Ctrl-C reaches it directly.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from rtfs_framework.kernel.outcome import Complete, ExecutionOutcome, RequiresHost, RequiresHosts
from rtfs_framework.lang.errors import LimitError, ProgramError
from rtfs_framework.orchestrator.boundary.answers import Answer, HostInterface, KernelRun, Reply, Waiting, apply, reply
from rtfs_framework.orchestrator.concurrency.deadlines import within
from rtfs_framework.orchestrator.recording.purse import RunCancelled
from rtfs_framework.orchestrator.recording.scope_parts import Beside

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.concurrency.program_lock import ProgramLock


class Host(HostInterface, Protocol):
    """A host whose program may be shared by threads."""

    @property
    def lock(self) -> ProgramLock:
        """What must be held while a run of its program computes."""
        ...


def advance(run: KernelRun, outcome: ExecutionOutcome, host: Host) -> Complete | Waiting:
    """Answer calls until the run is complete or must wait, or has computed for so long that others shall."""
    while not isinstance(outcome, Complete):
        if isinstance(outcome, RequiresHost):
            answer = host.answer(outcome.call)
        elif isinstance(outcome, RequiresHosts):
            answer = host.fan_out(outcome.branches)
        else:
            return LATER
        if isinstance(answer, Reply):
            outcome = run.resume(answer.value)
        elif isinstance(answer, Waiting):
            return answer
        else:
            outcome = apply(run, answer)
    return outcome


async def drive(run: KernelRun, state: Complete | Waiting, host: Host, beside: Sequence[Beside] = ()) -> Any:
    """Await and answer until the run is complete; return its value. A run that is abandoned half-way is closed.

    What is under way `beside` it then ends with it; there may be more of that by then than when it began. Of a run that
    came to its end, what goes wrong with that is its error.
    """
    for_good, wrong = True, None
    try:
        while not isinstance(state, Complete):
            answer = await within(run.watch, state.finish)
            async with host.lock:
                state = advance(run, apply(run, answer), host)
    except BaseException as error:
        for_good = isinstance(error, ProgramError | LimitError | RunCancelled)  # and neither stopped nor parked
        with host.lock:
            run.close()
        raise
    finally:
        for each in beside:
            wrong = await each.give_up(for_good=for_good) or wrong
    if wrong is not None:
        raise wrong
    return state.value


async def _let_others() -> Answer:
    from anyio.lowlevel import checkpoint

    await checkpoint()
    return reply(None)


LATER = Waiting(_let_others)
"""What a run that has paused waits for: that others have had their turn."""
