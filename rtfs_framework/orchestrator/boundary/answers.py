"""What the host tells a suspended run: a value, an error, or to run the function's own body; or that it must wait."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Protocol, Union

import attrs

from rtfs_framework.kernel.meter import Watch
from rtfs_framework.kernel.outcome import ExecutionOutcome, HostCall
from rtfs_framework.kernel.state import Instead
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.frozen import maker

if TYPE_CHECKING:
    from rtfs_framework.kernel.other_body import OtherBody
    from rtfs_framework.kernel.parallel import Branches


@attrs.frozen(slots=True, weakref_slot=False)  # see `maker`
class Reply:
    """Resume with a value."""

    value: Any


reply = maker(Reply)


@attrs.frozen(slots=True)
class Throw:
    """Resume with an error, which the program may catch."""

    error: ProgramError


@attrs.frozen(slots=True)
class Locally:
    """Run the function's own body, or another one in its place."""

    instead: OtherBody | None = None


@attrs.frozen(slots=True)
class Counted:
    """An answer for which other calls were made, which count against the run's bound on calls."""

    answer: Answer
    calls: int


Answer = Union[Reply, Throw, Locally, Counted]  # noqa: UP007 - it names itself


@attrs.frozen(slots=True, eq=False)
class Waiting:
    """An answer that takes time: `finish` awaits it, once, under a deadline."""

    finish: Callable[[], Awaitable[Answer]]


class HostInterface(Protocol):
    """All that a kernel needs from its host, and the only way out of it: a run has no other effect than to ask."""

    def answer(self, call: HostCall) -> Answer | Waiting:
        """Return the answer to a call, or what to wait for."""
        ...

    def fan_out(self, branches: Branches) -> Answer | Waiting:
        """Drive branches to their ends; return what to resume their run with."""
        ...


class KernelRun(Protocol):
    """What the driver needs of a kernel's run."""

    @property
    def watch(self) -> Watch | None:
        """What bounds its time."""
        ...

    def step(self, *, concurrent: bool = False, sliced: bool = False) -> ExecutionOutcome:
        """Return the first outcome."""
        ...

    def resume(self, value: Any) -> ExecutionOutcome:
        """Answer the open call with a value."""
        ...

    def throw(self, error: ProgramError) -> ExecutionOutcome:
        """Answer the open call with an error."""
        ...

    def resume_locally(self) -> ExecutionOutcome:
        """Let the open call run its function's own body."""
        ...

    def count_calls(self, calls: int) -> None:
        """Count calls that were made on the run's behalf."""
        ...

    def close(self) -> None:
        """Abandon the run."""
        ...

    def cancel(self) -> None:
        """Let the run end soon; from any thread."""
        ...


def apply(run: KernelRun, answer: Answer) -> ExecutionOutcome:
    """Resume a run with an answer.

    Raises:
        LimitError: More calls were made for it than the run may make.
    """
    while isinstance(answer, Counted):
        run.count_calls(answer.calls)
        answer = answer.answer
    if isinstance(answer, Reply):
        return run.resume(answer.value)
    if isinstance(answer, Throw):
        return run.throw(answer.error)
    return run.resume_locally() if answer.instead is None else run.resume(Instead(answer.instead))
