"""Sending one request to a provider: past the gate, written down before it begins, billed and settled as it ends.

In: an open call, a provider instance, a request. Out: a reply that JSON and UTF-8 could carry, or an exception. Who
calls decides what becomes of a failure.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from math import inf
from typing import TYPE_CHECKING, Any, TypeVar, cast

import attrs
from typing_extensions import ParamSpec

from rtfs_framework.api.attempts import FailureKind
from rtfs_framework.api.errors import BadReply, ProviderError, ProviderTimeout
from rtfs_framework.api.guard import GuardedRequest
from rtfs_framework.api.provider import InferenceReply, InferenceRequest, Usage, token_count
from rtfs_framework.api.remote import NO_BOUNDS, Bounds
from rtfs_framework.api.secrets import Blot
from rtfs_framework.api.values import Clock
from rtfs_framework.lang.digest import digest
from rtfs_framework.lang.errors import InternalError, ProgramError
from rtfs_framework.orchestrator.boundary.failures import RefusedError
from rtfs_framework.orchestrator.concurrency.deadlines import HELD_SECONDS
from rtfs_framework.orchestrator.concurrency.loops import HeldError, LoopThread
from rtfs_framework.orchestrator.performing.cost import cost_of, usage_of
from rtfs_framework.orchestrator.performing.gate import Asking, Gate, Outcome, Permit
from rtfs_framework.orchestrator.performing.guards.guards import NO_GUARDS, Guards
from rtfs_framework.orchestrator.performing.guards.quoted import blotted, judged, shown
from rtfs_framework.orchestrator.performing.idempotency import request_key
from rtfs_framework.orchestrator.performing.leaving import a_reply, infer_there
from rtfs_framework.orchestrator.performing.prompt import with_args
from rtfs_framework.orchestrator.performing.providers import ProviderInstance
from rtfs_framework.orchestrator.performing.reply import fault_of
from rtfs_framework.orchestrator.recording.attempts import Spent
from rtfs_framework.orchestrator.recording.events import EventBus
from rtfs_framework.orchestrator.recording.journal.fault import JournalError
from rtfs_framework.orchestrator.recording.run_scope import OpenCall
from rtfs_framework.registry.faults import PluginFault

if TYPE_CHECKING:
    from rtfs_framework.api.targets import LocalModel, RemoteModel

P = ParamSpec("P")
T = TypeVar("T")

_ANSWERING = "answering:"
_SERVER_S = "this is what the server answered, and no fault of the plugin: tell whoever runs the server"


def _asked(request: InferenceRequest) -> str:
    """Return what a request asks, in short: one that is repaired asks something else."""
    return digest(*(part for each in request.messages for part in (each.role, each.content)))


@attrs.define(slots=True, eq=False)
class _Sending:
    """How far a request has come, and what it uses."""

    started: float
    """On the monotonic clock; when it was sent, once it was."""
    spent: Spent
    sent: bool = False
    permit: Permit | None = None


@attrs.frozen(slots=True, eq=False, kw_only=True)
class Sender:
    """Sends requests to provider instances."""

    clock: Clock
    events: EventBus
    io: LoopThread
    """Where providers are awaited."""
    gate: Gate = attrs.field(factory=Gate)
    """What requests pass before they are sent."""
    guards: Guards = NO_GUARDS
    """Third-party checks: asked before the gate, and about what a server said before anybody sees it."""
    blot: Blot = str
    """Strikes out the host's secrets."""
    bounds: Bounds = NO_BOUNDS
    """The rules that a program takes along to another host."""

    def immediate(self, instance: ProviderInstance) -> bool:
        """Tell whether a provider is asked where the program computes: neither it, nor a guard, nor a check waits."""
        return instance.immediate and not self.gate.waits(instance) and not self.guards.waits

    def at_once(self, opened: OpenCall, instance: ProviderInstance, request: InferenceRequest) -> InferenceReply:
        """Ask a provider that never waits, here and now: the steps of `send`, none of which waits then.

        Raises:
            RefusedError: A guard of the host does not let the request pass.
            Exception: Whatever the provider raises.
        """
        steps = self._steps(opened, instance, request, at_once=True)
        try:
            steps.send(None)
        except StopIteration as done:
            reply: InferenceReply = done.value
            return reply
        steps.close()
        raise InternalError(f"{instance.spec.id} was to answer at once, and is waited for")

    async def send(
        self, opened: OpenCall, instance: ProviderInstance, request: InferenceRequest, *, consultation: bool = False
    ) -> InferenceReply:
        """Ask, after it is on disk that this begins if it may cost anything; write down what it took in any case.

        Raises:
            RefusedError: A guard of the host does not let the request pass.
            JournalError: It cannot be written down.
            Exception: Whatever the provider raises, or a `ProviderError` for what became of it.
        """
        return await self._steps(opened, instance, request, consultation=consultation)

    async def _steps(
        self,
        opened: OpenCall,
        instance: ProviderInstance,
        request: InferenceRequest,
        *,
        consultation: bool = False,
        at_once: bool = False,
    ) -> InferenceReply:
        sending = _Sending(self.clock.monotonic(), _spent(opened), sent=at_once)
        guarded = self._guarded(opened, instance, request, consultation=consultation) if self.guards else None
        if guarded is not None:
            guarded = await self.guards.request_there(guarded, with_args, opened.noted)
            request, sending.started = guarded.request, self.clock.monotonic()
        checked = self.gate.of(instance)
        if checked:
            request = self.gate.bounded(instance, request)
        if opened.most_tokens is not None:
            most = min(opened.most_tokens, request.max_tokens or opened.most_tokens)
            request = attrs.evolve(request, max_tokens=most)
        if checked:
            asking = _asking(opened, instance, request, consultation=consultation)
            sending.permit = await self.gate.enter_there(asking)
        try:
            if at_once:
                if sending.permit is not None:
                    sending.permit.leaves_in()  # it is counted; nothing has held it up
                reply = await self._billed(opened, instance, sending, _at_once(instance, request))
            else:
                laden = await self._begun(opened, instance, request)
                reply = await self.there(instance, request.timeout, self._there, opened, instance, laden, sending)
        except BaseException as error:
            if sending.permit is not None:  # what is settled already stays so
                await sending.permit.settle_there(self._outcome(sending, error))
            if isinstance(error, JournalError | RefusedError) or not isinstance(error, Exception):
                raise
            seen = await self._as_seen(error, instance, guarded, opened, sending)
            if seen is error:
                raise
            raise seen from seen.__cause__
        if guarded is not None:
            reply = await self.guards.reply_there(guarded, reply, opened.noted)
        reply = shown(reply, self.blot)
        self._tell_problems(instance, reply)
        return reply

    async def _begun(self, opened: OpenCall, instance: ProviderInstance, request: InferenceRequest) -> InferenceRequest:
        """Write down that a request begins, and return it as it is sent: with its key, and what goes along."""
        if instance.costs:
            request = attrs.evolve(request, key=request_key(opened, instance, _asked(request)))
            if not opened.begin():
                await opened.written()
        return self._laden(opened, instance, request) if instance.entry.travels else request

    def _laden(self, opened: OpenCall, instance: ProviderInstance, request: InferenceRequest) -> InferenceRequest:
        """Return a request with what goes along to another host. That it begins is written down by now."""
        from rtfs_framework.orchestrator.performing.travel import with_travel

        return with_travel(request, opened, instance, self.bounds)

    async def _as_seen(
        self,
        error: Exception,
        instance: ProviderInstance,
        guarded: GuardedRequest | None,
        opened: OpenCall,
        sending: _Sending,
    ) -> Exception:
        """Return a failure as it may be seen: what it quotes of a server is judged by the guards, and blotted."""
        if guarded is not None and sending.sent:
            guarding = guarded
            error = await judged(
                error, lambda words: self.guards.reply_there(guarding, words, opened.noted), instance.part
            )
        return error if isinstance(error, RefusedError) else blotted(error, self.blot, instance.part)

    async def foresee(self, opened: OpenCall, instance: ProviderInstance, request: InferenceRequest) -> None:
        """Ask guards and checks about a request that is not sent, and give back what they hold for it.

        Raises:
            RefusedError: It would not pass.
        """
        if self.guards:
            guarded = self._guarded(opened, instance, request)
            request = (await self.guards.request_there(guarded, with_args, _tell_nobody)).request
        if self.gate.of(instance):
            request = self.gate.bounded(instance, request)
            permit = await self.gate.enter_there(_asking(opened, instance, request))
            await permit.settle_there(Outcome(sent=False))

    @staticmethod
    def _guarded(
        opened: OpenCall, instance: ProviderInstance, request: InferenceRequest, *, consultation: bool = False
    ) -> GuardedRequest:
        target = cast("LocalModel | RemoteModel", instance.target)
        return GuardedRequest(target=target, request=request, tenant=opened.scope.tenant, consultation=consultation)

    async def there(
        self,
        instance: ProviderInstance,
        seconds: float,
        function: Callable[P, Coroutine[Any, Any, T]],
        *args: P.args,
        **more: P.kwargs,
    ) -> T:
        """Await something where plug-ins are awaited; that this place is held by one of them is a time-out."""
        try:
            return await self.io.reach_within(seconds + HELD_SECONDS, function, *args, **more)
        except HeldError as held:
            self.events.held(held, instance.part)
            raise ProviderTimeout(instance.spec.id, f"no reply within {seconds:g} s: {held}") from held

    async def _there(
        self, opened: OpenCall, instance: ProviderInstance, request: InferenceRequest, sending: _Sending
    ) -> InferenceReply:
        """Ask where plug-ins are awaited."""

        def begin() -> None:  # whatever ends this now, money may be gone
            sending.spent.cost = cost_of(Usage(), instance.spec)
            sending.started, sending.sent = self.clock.monotonic(), True
            opened.sets_out()

        await instance.prepare()  # before others are waited for, too: they leave as soon as they are together
        asking = None
        if instance.spec.batch > 1 and opened.call.branch:
            from rtfs_framework.orchestrator.performing.batching import together

            asking = together(opened, instance, request, sending.permit, begin, infer_there)
        asking = asking or infer_there(instance, request, sending.permit, begin)
        return await self._billed(opened, instance, sending, asking)

    async def _billed(
        self, opened: OpenCall, instance: ProviderInstance, sending: _Sending, asking: Awaitable[InferenceReply]
    ) -> InferenceReply:
        """Bill and settle a reply as soon as it is there: whoever waits for it may be stopped before it gets it."""
        try:
            reply = await asking
        except BaseException as error:
            self._charge_failure(opened, instance, sending, error)
            if sending.permit is not None:
                await sending.permit.settle_there(self._outcome(sending, error))
            raise
        if not opened.closed:  # else it was given up, and came all the same
            self._count(instance, sending.spent, reply.usage)
        if sending.permit is not None:
            await sending.permit.settle_there(self._outcome(sending, usage=reply.usage))
        return _sound(instance, reply)

    def _outcome(self, sending: _Sending, error: BaseException | None = None, usage: Usage | None = None) -> Outcome:
        """Return what came of a request, for those who let it pass."""
        return Outcome(
            seconds=self.clock.monotonic() - sending.started,
            usage=usage_of(error) if usage is None else usage,
            cost=sending.spent.cost,
            failure=None if error is None else failure_of(error),
            sent=sending.sent,
            retry_after=getattr(error, "retry_after", None),
        )

    def _charge_failure(
        self, opened: OpenCall, instance: ProviderInstance, sending: _Sending, error: BaseException
    ) -> None:
        if not isinstance(error, ProviderError) or opened.closed:
            return
        if error.labels:
            opened.record.told |= error.labels
        usage = usage_of(error)
        if usage is None and error.failure is FailureKind.SAFE:  # nothing was done, so nothing is billed
            usage = Usage(0, 0)
        if usage is not None:
            self._count(instance, sending.spent, usage)

    def _tell_problems(self, instance: ProviderInstance, reply: InferenceReply) -> None:
        for problem in reply.problems:
            fault = PluginFault(instance.part, _ANSWERING, problem, way_out=_SERVER_S)
            self.events.plugin_failed(instance.part, fault, _ANSWERING, "the answer was used")

    def _count(self, instance: ProviderInstance, spent: Spent, usage: Usage) -> None:
        cost = usage.cost if usage.cost is not None and 0 <= usage.cost < inf else None
        tokens = (usage.input_tokens, usage.output_tokens, usage.cached_tokens)
        counted = attrs.evolve(Usage(*map(token_count, tokens)), cost=cost)
        spent.input_tokens, spent.output_tokens = counted.input_tokens or 0, counted.output_tokens or 0
        spent.cost = cost_of(counted, instance.spec)
        if counted != usage:
            wrong = f"its count of tokens is none: {usage}; its cost is not known"
            self.events.plugin_failed(instance.part, wrong, _ANSWERING, "the answer was used")


def _tell_nobody(_who: str, _what: str) -> None:
    """Note nothing: the request is not sent."""


def _spent(opened: OpenCall) -> Spent:
    """Return what counts the use of the attempt under way."""
    if opened.spent is None:
        opened.spent = Spent()
    return opened.spent


def failure_of(error: BaseException) -> FailureKind:
    """Return what a failure is evidence of."""
    if isinstance(error, ProviderError | RefusedError):
        return error.failure
    if isinstance(error, ProgramError):
        return FailureKind.REPLY
    return FailureKind.HERE if isinstance(error, Exception) else FailureKind.FINAL


def _asking(
    opened: OpenCall, instance: ProviderInstance, request: InferenceRequest, *, consultation: bool = False
) -> Asking:
    tried = len(opened.record.attempts)
    return Asking(opened=opened, instance=instance, request=request, attempt=tried, consultation=consultation)


def _sound(instance: ProviderInstance, reply: InferenceReply) -> InferenceReply:
    """Return a reply that can be used."""
    wrong = fault_of(reply)
    if wrong is not None:
        raise BadReply(instance.spec.id, wrong, usage=reply.usage)
    return reply


async def _at_once(instance: ProviderInstance, request: InferenceRequest) -> InferenceReply:
    return a_reply(instance, instance.infer_at_once(request))


async def infer_in_turn(instance: ProviderInstance, request: InferenceRequest) -> InferenceReply:
    """Return what a provider answers whose request is a part of another: only its room and its time bound it."""
    return _sound(instance, await infer_there(instance, request, None, lambda: None))
