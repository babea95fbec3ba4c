"""Capabilities that answer later: what their handlers promise is waited for, in this process or in one after it.

In: a call whose handler returned `Later`. Out: the answer, which comes by a word from outside (`rtfs tickets answer`,
`rtfs runs signal`), or from the entry's `collect`, whichever is first. The promise is a row of the journal before the
run waits, so whoever goes on with the run waits for the same job: the handler is not called again, idempotent or not.
The wait is one like that for a word (`waits.py`): it is off the run's clock, and a host that does not wait with its
runs ends them there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import anyio
import attrs

from rtfs_framework.api.attempts import FailureKind
from rtfs_framework.api.capability import CapabilityRequest, Later
from rtfs_framework.api.errors import CapabilityError
from rtfs_framework.orchestrator.boundary.hints import seconds_of_call
from rtfs_framework.orchestrator.concurrency.deadlines import off_the_clock
from rtfs_framework.orchestrator.performing.waits import word_of
from rtfs_framework.orchestrator.recording.lineage import reply_id

if TYPE_CHECKING:
    from rtfs_framework.api.values import Clock
    from rtfs_framework.orchestrator.performing.waits import Waits
    from rtfs_framework.orchestrator.recording.run_scope import OpenCall

_FIRST, _LONGEST = 0.02, 1.0
"""Seconds between two looks at the clock and the journal."""
_MOST_LOOK = 3600.0
"""Seconds between two looks by `collect` at most, however often it could not look."""

Collect = Callable[[CapabilityRequest], Awaitable[Any]]


@attrs.frozen(slots=True)
class Promise:
    """What a call waits for: a job, until when, and when it is looked at next (seconds since the epoch)."""

    job: str
    until: float
    look: float
    every: float
    """Seconds between two looks."""

    @classmethod
    def of(cls, made: Later, now: float) -> Promise:
        """Return what a handler promised just now."""
        return cls(made.id, now + made.within, now + made.look, made.look)

    @classmethod
    def found(cls, opened: OpenCall, target: str) -> Promise | None:
        """Return what a process before was promised for a call by this target, None where nothing was."""
        past = opened.scope.past
        body = None if past is None else past.promised(reply_id(opened))
        if body is None or body.get("target") != target:
            return None
        return cls(str(body["job"]), float(body["until"]), float(body["next"]), float(body["every"]))


async def kept(
    waits: Waits, opened: OpenCall, target: str, promise: Promise, request: CapabilityRequest, collect: Collect | None
) -> Any:
    """Return what a promised answer is in the end, as a handler would have returned it.

    Raises:
        CapabilityError: There is none in time, or nothing could bring one.
        RunParked: The run ends here, to be gone on with.
        RunCancelled: Somebody has cancelled it.
        Exception: Whatever `collect` raises, where that is how the job ended.
    """
    chain, clock = opened.scope.chain, waits.clock
    if chain is None and collect is None:
        raise CapabilityError(f"job {promise.job} is answered from outside, and this run keeps no journal")
    word, began, pause = word_of(reply_id(opened)), clock.monotonic(), _FIRST
    until = min(promise.until, clock.now() + seconds_of_call(opened.call.hints) - (began - opened.started))

    def note() -> None:
        if chain is not None:
            chain.note("waiting", _written(opened, word, target, promise, clock.now(), looks=collect is not None))

    note()
    if chain is not None:
        await chain.journal.written()
    asked = attrs.evolve(request, job=promise.job, deadline=None)
    with off_the_clock(), waits.waiting(opened):
        while True:
            found = None if chain is None else waits.sent(opened, word, lambda value: value)
            if found is not None:
                return found.value
            if collect is not None and clock.now() >= promise.look:
                made, promise = await _looked(collect, asked, promise, clock)
                if made.__class__ is not Later:
                    return made
                if waits.park is not None:  # who asks which runs are due should know
                    note()
            if clock.now() >= until:
                raise CapabilityError(f"job {promise.job} was not answered in time", "NetworkError")
            waits.park_asked(opened, f"for :{word}", clock.monotonic() - began)
            next_ = until if collect is None else min(until, promise.look)
            await anyio.sleep(max(0.0, min(pause, next_ - clock.now())))
            pause = min(_LONGEST, pause * 1.5)


def _written(opened: OpenCall, word: str, target: str, promise: Promise, now: float, *, looks: bool) -> dict[str, Any]:
    """Return the row of a promise; whoever asks which runs are due reads `for`, `until` and `look`."""
    body = {
        "call": reply_id(opened), "at": round(now, 3), "for": word, "until": promise.until, "job": promise.job,
        "target": target, "every": promise.every, "next": promise.look,
    }  # fmt: skip
    return body | ({"look": promise.look} if looks else {})


async def _looked(collect: Collect, request: CapabilityRequest, promise: Promise, clock: Clock) -> tuple[Any, Promise]:
    """Return what `collect` says, with when it looks again: the less often, the longer it cannot."""
    try:
        made = await collect(request)
        every = made.look if isinstance(made, Later) else promise.every
    except CapabilityError as error:
        if error.failure is not FailureKind.SAFE:
            raise
        made, every = Later(id=promise.job), min(2 * promise.every, max(_MOST_LOOK, promise.every))
    return made, attrs.evolve(promise, look=clock.now() + every, every=every)
