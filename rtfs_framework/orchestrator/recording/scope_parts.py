"""What a run's scope knows by its shape alone: how attempts fail, whose turn it is, what was answered before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from rtfs_framework.api.attempts import FailureKind
from rtfs_framework.api.targets import ExecTarget
from rtfs_framework.kernel.outcome import HostCall
from rtfs_framework.lang.errors import ProgramError

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.recording.run_scope import RunScope


class Failure(Protocol):
    """An attempt that gave no usable answer."""

    @property
    def error(self) -> ProgramError:
        """What the program sees if nothing else answers."""
        ...

    @property
    def kind(self) -> FailureKind:
        """What it is evidence of."""
        ...

    @property
    def reason(self) -> str:
        """What went wrong, without anything that a customer wrote."""
        ...

    @property
    def guard(self) -> str:
        """Which guard refused, "" for none."""
        ...

    @property
    def retry_after(self) -> float | None:
        """Seconds for which the target asks to be left alone."""
        ...

    @property
    def elsewhere(self) -> tuple[ExecTarget, ...]:
        """The targets that it named instead of itself."""
        ...


class Beside(Protocol):
    """What a run has under way while it goes on."""

    async def give_up(self, *, for_good: bool) -> ProgramError | None:
        """End it: its run is over; if that is not for good, somebody may go on with it.

        Returns why a run that came to its end has failed all the same.
        """
        ...


class Ordering(Protocol):
    """When a branch may do what must not overlap with others."""

    @property
    def reached(self) -> bool:
        """Tell whether it may now."""
        ...

    async def wait(self) -> None:
        """Wait until it may."""
        ...

    def around(self, depth: int) -> Ordering | None:
        """Return that of the branch around it whose id has at most so many numbers, None where there is none."""
        ...


class PastAnswers(Protocol):
    """The answers of a run that is gone on with."""

    def answer(self, call: HostCall, scope: RunScope, dispatcher: Any) -> Any:
        """Return what a call was answered before, None where it is to go its usual way."""
        ...

    def passed_over(self, call: HostCall, scope: RunScope) -> bool:
        """Tell whether a call was never made, and a later one of the run was: what it asked for was there already."""
        ...

    def waited(self, call: str) -> Mapping[str, Any] | None:
        """Return what is written of a wait that a process before has begun; None of one that begins here."""
        ...

    def promised(self, call: str) -> Mapping[str, Any] | None:
        """Return what is written of a job that was promised to answer a call, the last one; None where none was."""
        ...

    def taken(self) -> set[int]:
        """Return the positions of the words from outside that the run was given."""
        ...

    def consulted(self, scope: RunScope, path: str) -> str | None:
        """Return what a model said to a question of an engine, None where it was not asked."""
        ...
