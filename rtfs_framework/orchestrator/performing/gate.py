"""What every request to a model passes before it is sent: the host's own guards, one by one.

In: a request that is about to be sent. Out: a permit, which is settled once with what came of it; or a refusal, which
is an attempt of its own: nothing was sent. What a check holds when a later one refuses is given back.

Answers from memory never come here; of equal requests under way at once the one that is sent does. A provider that no
check concerns costs one look-up.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, ClassVar, TypeVar

import attrs
from typing_extensions import ParamSpec

from rtfs_framework.api.attempts import FailureKind
from rtfs_framework.orchestrator.boundary.failures import RefusedError
from rtfs_framework.orchestrator.concurrency.deadlines import pause

if TYPE_CHECKING:
    from rtfs_framework.api.provider import InferenceRequest, Usage
    from rtfs_framework.lang.signature import FunctionSignature
    from rtfs_framework.orchestrator.performing.providers import ProviderInstance
    from rtfs_framework.orchestrator.recording.run_scope import OpenCall

P = ParamSpec("P")
T = TypeVar("T")

__all__ = ["Asking", "Check", "Gate", "Held", "Outcome", "Permit", "RefusedError"]


@attrs.frozen(slots=True, kw_only=True, eq=False)
class Asking:
    """A request that is about to be sent."""

    opened: OpenCall
    instance: ProviderInstance
    request: InferenceRequest
    attempt: int = 0
    """How many attempts of the call there were before."""
    consultation: bool = False

    @property
    def function(self) -> FunctionSignature:
        """The function whose call it is."""
        return self.request.function


@attrs.frozen(slots=True, kw_only=True)
class Outcome:
    """What came of a request."""

    seconds: float = 0.0
    usage: Usage | None = None
    """What it took, None where that is not known."""
    cost: float | None = None
    """US dollars, None where they are not known."""
    failure: FailureKind | None = None
    """None for an answer; `FINAL` for a request that was given up because its call was."""
    sent: bool = True
    """Whether it may have been sent. If not, nothing was used, and nothing is learned about the target."""
    retry_after: float | None = None
    """Seconds for which the target asks to be left alone."""


class Held(ABC):
    """What a check holds while a request is under way."""

    __slots__ = ()

    @property
    def pauses_for(self) -> float:
        """Return the seconds to wait before the next check is asked."""
        return 0.0

    async def ready(self) -> None:  # noqa: B027 - most have nothing to do
        """Wait for what must be known before the next check is asked.

        Raises:
            RefusedError: It must not be sent.
        """

    def leaves_in(self) -> float:
        """Return the seconds to wait before the request leaves, now that the provider is ready and has room for it."""
        return 0.0

    def begin(self, seconds: float) -> None:  # noqa: B027 - most have nothing to do
        """Note that the request is sent now, after all waiting, and answered within so many seconds.

        Raises:
            RefusedError: Nothing may be sent.
        """

    @abstractmethod
    def settle(self, outcome: Outcome) -> None:
        """Take note of what came of it. Called once; raises nothing."""


class Check(ABC):
    """One of the host's guards of requests."""

    __slots__ = ()
    name: ClassVar[str]
    """What records call it: "breaker", "budget", "rate"."""
    waits: ClassVar[bool] = False
    """Whether `enter` and `settle` may wait for a file: they are then called in a thread."""

    @property
    def pauses(self) -> bool:
        """Tell whether requests may have to wait before the next check is asked."""
        return False

    def most_reply(self, instance: ProviderInstance) -> int | None:  # noqa: ARG002 - most have no bound
        """Return the tokens that a provider's replies may have at most, None for any."""
        return None

    @abstractmethod
    def concerns(self, instance: ProviderInstance) -> bool:
        """Tell whether it may ever have something to say of requests to a provider. Asked once for each."""

    @abstractmethod
    def enter(self, asking: Asking) -> Held | None:
        """Let a request pass, and return what is held for it; None for nothing.

        Raises:
            RefusedError: It must not be sent.
        """


@attrs.define(slots=True, eq=False)
class Permit:
    """What all checks hold for one request."""

    held: list[tuple[Check, Held]] = attrs.field(factory=list)

    @property
    def waits(self) -> bool:
        """Tell whether settling may wait for a file."""
        return any(check.waits for check, _ in self.held)

    def leaves_in(self) -> float:
        """Return the seconds to wait before it leaves; asked once, when nothing else is waited for."""
        return max((each.leaves_in() for _, each in self.held), default=0.0)

    def begin(self, seconds: float) -> None:
        """Note that the request is sent now, and is answered within some seconds.

        Raises:
            RefusedError: It must not be sent any more.
        """
        for _, each in self.held:
            each.begin(seconds)

    async def begin_there(self, seconds: float) -> None:
        """Note that the request is sent now, in a thread where a check may wait.

        Raises:
            RefusedError: It must not be sent any more.
        """
        if not self.waits:
            self.begin(seconds)
            return
        await _in_thread(self.begin, seconds)

    def settle(self, outcome: Outcome) -> None:
        """Settle what is held, the latest first; once."""
        held, self.held = self.held, []
        for _, each in reversed(held):
            each.settle(outcome)

    async def settle_there(self, outcome: Outcome) -> None:
        """Settle, in a thread where a check may wait."""
        if not self.waits:
            self.settle(outcome)
            return
        await _in_thread(self.settle, outcome)  # whoever is stopped now has still used what it used


_NOTHING_SENT = Outcome(sent=False, failure=FailureKind.REFUSED)


@attrs.define(slots=True, eq=False)
class Gate:
    """The checks of one host, in the order in which they are asked."""

    checks: tuple[Check, ...] = ()
    _concerned: dict[int, tuple[Check, ...]] = attrs.field(factory=dict, init=False)
    """By the identity of a provider instance, which lives as long as its host."""

    def add(self, check: Check) -> None:
        """Let requests pass one more check, from now on."""
        self.checks = (*self.checks, check)
        self._concerned.clear()

    def of(self, instance: ProviderInstance) -> tuple[Check, ...]:
        """Return the checks that requests to a provider pass."""
        found = self._concerned.get(id(instance))
        if found is None:
            found = self._concerned[id(instance)] = tuple(each for each in self.checks if each.concerns(instance))
        return found

    def waits(self, instance: ProviderInstance) -> bool:
        """Tell whether requests to a provider may have to wait for a check."""
        return any(check.waits or check.pauses for check in self.of(instance))

    def bounded(self, instance: ProviderInstance, request: InferenceRequest) -> InferenceRequest:
        """Return a request with the bound on its reply that its checks want."""
        wanted = [each.most_reply(instance) for each in self.of(instance)]
        bounds = [each for each in (request.max_tokens, *wanted) if each is not None]
        if not bounds or min(bounds) == request.max_tokens:
            return request
        return attrs.evolve(request, max_tokens=min(bounds))

    async def enter_there(self, asking: Asking) -> Permit:
        """Let a request pass, or not; in a thread where a check may wait.

        Raises:
            RefusedError: A check refuses it; what others held is given back.
        """
        permit = Permit()

        def enter(check: Check) -> Held | None:
            held = check.enter(asking)
            if held is not None:  # noted here: whoever waits for this thread may be stopped
                permit.held.append((check, held))
            return held

        try:
            for check in self.of(asking.instance):
                held = await _in_thread(enter, check) if check.waits else enter(check)
                if held is not None:
                    await held.ready()
                    await _pause(held)
        except BaseException:
            await permit.settle_there(_NOTHING_SENT)
            raise
        return permit


async def _in_thread(function: Callable[P, T], *args: P.args, **more: P.kwargs) -> T:
    """Call a function in a thread, and wait for its end also when this is cancelled: by a scope or, as tasks are.

    What a check takes hold of in a thread would be lost if nobody waited for it.
    """
    import asyncio

    import anyio

    async def call() -> T:
        return await anyio.to_thread.run_sync(partial(function, *args, **more))

    task = asyncio.ensure_future(call())
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        with anyio.CancelScope(shield=True):
            await asyncio.wait((task,))
        if not task.cancelled():
            task.exception()  # asked for, so that asyncio does not report it as forgotten
        raise


async def _pause(held: Held) -> None:
    if held.pauses_for > 0:
        await pause(held.pauses_for)
