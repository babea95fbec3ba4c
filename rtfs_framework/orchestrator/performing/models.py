"""Asking a model: request, look-up, deadline, typed reply. In: an open call and its plan. Out: an answer.

A failure of any kind becomes an error that the program can catch, and is written down; nothing here takes a run down.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from inspect import isawaitable, iscoroutinefunction
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
from typing_extensions import ParamSpec

from rtfs_framework.api.attempts import FailureKind
from rtfs_framework.api.cache import CacheKey
from rtfs_framework.api.errors import BadReply, ConfigError, ProviderAuthError, ProviderError, ProviderTimeout
from rtfs_framework.api.provider import InferenceReply, InferenceRequest, Message, Usage, token_count
from rtfs_framework.api.values import Clock
from rtfs_framework.lang.errors import ProgramError, type_validation_error
from rtfs_framework.lang.signature import FunctionSignature
from rtfs_framework.lang.types.check import violation
from rtfs_framework.orchestrator.boundary.answers import Answer, Reply, Throw, Waiting
from rtfs_framework.orchestrator.boundary.failures import as_program_error
from rtfs_framework.orchestrator.concurrency.deadlines import HELD_SECONDS, OverdueError, seconds_for
from rtfs_framework.orchestrator.concurrency.loops import HeldError, LoopThread
from rtfs_framework.orchestrator.performing.cost import cost_of
from rtfs_framework.orchestrator.performing.gate import Asking, Gate, Outcome, Permit, RefusedError
from rtfs_framework.orchestrator.performing.prompt import build_request
from rtfs_framework.orchestrator.performing.providers import ProviderInstance
from rtfs_framework.orchestrator.performing.reply import fault_of, to_value
from rtfs_framework.orchestrator.recording.events import EventBus
from rtfs_framework.orchestrator.recording.journal.fault import JournalError
from rtfs_framework.orchestrator.recording.run_scope import OpenCall
from rtfs_framework.orchestrator.remembering.reuse import Reuse
from rtfs_framework.registry.faults import PluginFault

P = ParamSpec("P")
T = TypeVar("T")

_CONSULT_TIMEOUT = 10.0
"""Seconds that a consultation may take, if the provider's own bound is not shorter."""

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.concurrency.outside import Outside


@attrs.define(slots=True, eq=False)
class Sending:
    """How far a request has come."""

    started: float
    """On the monotonic clock; when it was sent, once it was."""
    sent: bool = False


_Looked = tuple[CacheKey, int]
"""The key of a request that was not remembered, and how many had landed when that was looked up."""


@attrs.frozen(slots=True, eq=False)
class Models:
    """Asks provider instances."""

    reuse: Reuse
    clock: Clock
    events: EventBus
    io: LoopThread
    """Where providers are awaited."""
    gate: Gate = attrs.field(factory=Gate)
    """What requests pass before they are sent."""

    def ask(self, opened: OpenCall, function: FunctionSignature, instance: ProviderInstance) -> Answer | Waiting:
        """Return the answer when it is remembered, else what to wait for."""
        try:
            _check_usable(instance)
            _check_arguments(function, opened)
            key = self.reuse.key(opened, function, instance)
        except Exception as error:  # noqa: BLE001 - a plugin's failure never takes the host down
            return self.failed(opened, error, instance)
        if key is not None:
            opened.record.reply_key = key.digest if self.reuse.layer is not None else ""
            since = self.reuse.landed
            reply = self.reuse.look_up(key)
            if reply is not None:
                answer = self._remembered(opened, function, instance, reply)
                if answer is not None:
                    return answer
            opened.record.cache = "l2 miss" if self.reuse.layer is not None else ""
            if not self._immediate(instance):
                return Waiting(lambda: self._ask(opened, function, instance, (key, since)))
        if self._immediate(instance):
            return self._at_once(opened, function, instance, key)
        return Waiting(lambda: self._ask(opened, function, instance, None))

    def _at_once(
        self, opened: OpenCall, function: FunctionSignature, instance: ProviderInstance, key: CacheKey | None
    ) -> Answer:
        """Ask a provider that never waits, here and now. Equal requests at once are each asked: it is free."""
        record = opened.record
        try:
            request = self._request(opened, function, instance)
            reply = self._sound(instance, self._infer_at_once(opened, instance, request))
            record.model, record.explanation = reply.model or instance.spec.model, reply.explanation
            value = to_value(reply, function, opened.scope.lookup, f"'{instance.spec.id}'")
            if key is not None:
                self.reuse.remember(key, reply)
        except Exception as error:  # noqa: BLE001 - a plugin's failure never takes the host down
            return self.failed(opened, error, instance)
        opened.close(self.clock.monotonic(), value, answered=True)
        return Reply(value)

    def _immediate(self, instance: ProviderInstance) -> bool:
        return instance.immediate and not self.gate.waits(instance)

    def _infer_at_once(self, opened: OpenCall, instance: ProviderInstance, request: InferenceRequest) -> InferenceReply:
        if not self.gate.of(instance):
            return self._billed_at_once(opened, instance, request)
        permit = self.gate.enter(Asking(opened=opened, instance=instance, request=request))
        sending = Sending(self.clock.monotonic(), sent=True)
        try:
            reply = self._billed_at_once(opened, instance, request)
        except BaseException as error:
            permit.settle(self._outcome(opened, sending, error))
            raise
        permit.settle(self._outcome(opened, sending, usage=reply.usage))
        return reply

    def _billed_at_once(
        self, opened: OpenCall, instance: ProviderInstance, request: InferenceRequest
    ) -> InferenceReply:
        try:
            reply = _a_reply(instance, instance.infer_at_once(request))
        except ProviderError as error:
            if error.usage is not None:
                self._bill(opened, instance, error.usage)
            raise
        self._bill(opened, instance, reply.usage, reply.problems)
        return reply

    def _outcome(
        self, opened: OpenCall, sending: Sending, error: BaseException | None = None, usage: Usage | None = None
    ) -> Outcome:
        """Return what came of a request, for those who let it pass."""
        return Outcome(
            seconds=self.clock.monotonic() - sending.started,
            usage=getattr(error, "usage", None) if usage is None else usage,
            cost=opened.record.cost,
            failure=None if error is None else failure_of(error),
            sent=sending.sent,
            retry_after=getattr(error, "retry_after", None),
        )

    @staticmethod
    def _request(opened: OpenCall, function: FunctionSignature, instance: ProviderInstance) -> InferenceRequest:
        call = opened.call
        timeout = seconds_for(instance.spec.timeout, call.hints)
        return build_request(function, call.args, opened.scope.lookup, timeout=timeout, hints=call.hints)

    def failed(self, opened: OpenCall, error: Exception, instance: ProviderInstance) -> Throw:
        """Write a failure down and hand it to the program."""
        what = f"provider '{instance.spec.id}'"
        if isinstance(error.__cause__, PluginFault) and not isinstance(error.__cause__.__cause__, ConfigError):
            self.events.plugin_failed(instance.part, error.__cause__, "", "the program got an error")
        elif not isinstance(error, ProviderError | ProgramError | RefusedError):
            what = f"{what} ({instance.distribution or instance.entry.name})"
            self.events.plugin_failed(instance.part, error, "answering", "the program got an error")
        thrown = as_program_error(error, what)
        opened.close(self.clock.monotonic(), error=thrown)
        return Throw(thrown)

    async def consult(self, opened: OpenCall, instance: ProviderInstance, question: str) -> str:
        """Return a model's words, "" when it has none: a failure is written down and reported, and stops nothing."""
        request = InferenceRequest(
            function=FunctionSignature("delegate/consult"),
            args=(question,),
            messages=(Message("user", question),),
            timeout=min(_CONSULT_TIMEOUT, instance.spec.timeout),
        )
        try:
            _check_usable(instance)
            reply = await self._paid(opened, instance, request, consultation=True)
            opened.record.model, opened.record.explanation = reply.model or instance.spec.model, reply.explanation
            text = reply.text or ""
            opened.close(self.clock.monotonic(), text, answered=True)
            await opened.written()
        except Exception as error:
            if isinstance(error, JournalError):
                opened.abandon(self.clock.monotonic(), error)
                raise
            self.failed(opened, error, instance)
            return ""
        except BaseException as error:
            opened.abandon(self.clock.monotonic(), error)
            raise
        return text

    async def _there(
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

    @staticmethod
    async def _infer_there(
        instance: ProviderInstance, request: InferenceRequest, permit: Permit | None, sending: Callable[[], None]
    ) -> InferenceReply:
        await instance.prepare()
        outside, infer = instance.outside, instance.provider().infer
        try:
            async with instance.room():
                if permit is not None:
                    await permit.begin_there(request.timeout)
                sending()
                reply: Any = await outside.call("`infer`", request.timeout, lambda: _infer(outside, infer, request))
        except OverdueError as error:
            raise ProviderTimeout(instance.spec.id, f"no reply within {request.timeout:g} s") from error
        return _a_reply(instance, reply)

    def _remembered(
        self, opened: OpenCall, function: FunctionSignature, instance: ProviderInstance, reply: InferenceReply
    ) -> Answer | None:
        try:
            value = to_value(reply, function, opened.scope.lookup, f"'{instance.spec.id}'")
        except ProgramError:  # a damaged record: ask anew
            return None
        record = opened.record
        record.cache, record.model, record.explanation = "l2 hit", reply.model, reply.explanation
        opened.close(self.clock.monotonic(), value, answered=True)
        return Reply(value)

    async def _ask(
        self, opened: OpenCall, function: FunctionSignature, instance: ProviderInstance, key: _Looked | None
    ) -> Answer:
        record = opened.record
        try:
            reply, shared = await self._reply(opened, function, instance, key)
            record.model, record.explanation = reply.model or instance.spec.model, reply.explanation
            if shared:
                record.cache = "in flight"
            value = to_value(reply, function, opened.scope.lookup, f"'{instance.spec.id}'")
        except JournalError:
            raise
        except Exception as error:  # noqa: BLE001 - a plugin's failure never takes the host down
            return self.failed(opened, error, instance)
        opened.close(self.clock.monotonic(), value, answered=True)
        return Reply(value)

    async def _reply(
        self, opened: OpenCall, function: FunctionSignature, instance: ProviderInstance, key: _Looked | None
    ) -> tuple[InferenceReply, bool]:
        request = self._request(opened, function, instance)
        if key is None:
            return await self._paid(opened, instance, request), False
        lookup = opened.scope.lookup

        def fits(reply: InferenceReply) -> bool:
            try:
                to_value(reply, function, lookup, "")
            except ProgramError:
                return False
            return True

        ask = partial(self._paid, opened, instance, request)
        return await self._there(instance, request.timeout, self.reuse.once, *key, ask, fits)

    async def _paid(
        self, opened: OpenCall, instance: ProviderInstance, request: InferenceRequest, *, consultation: bool = False
    ) -> InferenceReply:
        """Ask, after it is on disk that this begins if it may cost anything; write down what it took in any case.

        Raises:
            RefusedError: A guard of the host does not let it pass.
        """
        sending, permit = Sending(self.clock.monotonic()), None
        if self.gate.of(instance):
            request = self.gate.bounded(instance, request)
            asking = Asking(opened=opened, instance=instance, request=request, consultation=consultation)
            permit = await self.gate.enter_there(asking)
        try:
            if instance.costs and not opened.begin():
                await opened.written()
            reply = await self._there(
                instance, request.timeout, self._billed_there, opened, instance, request, sending, permit
            )
        except BaseException as error:
            if permit is not None:  # what is settled already stays so
                await permit.settle_there(self._outcome(opened, sending, error))
            raise
        return self._sound(instance, reply)

    @staticmethod
    def _sound(instance: ProviderInstance, reply: InferenceReply) -> InferenceReply:
        """Return a reply that can be used."""
        wrong = fault_of(reply)
        if wrong is not None:
            raise BadReply(instance.spec.id, wrong, usage=reply.usage)
        return reply

    async def _billed_there(
        self,
        opened: OpenCall,
        instance: ProviderInstance,
        request: InferenceRequest,
        sending: Sending,
        permit: Permit | None,
    ) -> InferenceReply:
        """Bill and settle a reply as soon as it is there: whoever waits for it may be stopped before it gets it."""

        def begin() -> None:  # whatever ends this now, money may be gone
            opened.record.cost = cost_of(Usage(), instance.spec)
            sending.started, sending.sent = self.clock.monotonic(), True

        try:
            reply = await self._infer_there(instance, request, permit, begin)
        except BaseException as error:
            usage = getattr(error, "usage", None) if isinstance(error, ProviderError) else None
            if usage is not None:
                self._bill(opened, instance, usage)
            if permit is not None:
                await permit.settle_there(self._outcome(opened, sending, error))
            raise
        self._bill(opened, instance, reply.usage, reply.problems)
        if permit is not None:
            await permit.settle_there(self._outcome(opened, sending, usage=reply.usage))
        return reply

    def _bill(self, opened: OpenCall, instance: ProviderInstance, usage: Usage, problems: tuple[str, ...] = ()) -> None:
        counted = Usage(*map(token_count, (usage.input_tokens, usage.output_tokens, usage.cached_tokens)))
        record = opened.record
        if opened.closed:
            return  # it was given up, and came all the same
        record.input_tokens, record.output_tokens = counted.input_tokens or 0, counted.output_tokens or 0
        record.cost = cost_of(counted, instance.spec)
        wrong: list[BaseException | str] = [
            PluginFault(instance.part, _ANSWERING, each, way_out=_SERVER_S) for each in problems
        ]
        if counted != usage:
            wrong.append(f"its count of tokens is none: {usage}; its cost is not known")
        for each in wrong:
            self.events.plugin_failed(instance.part, each, _ANSWERING, "the answer was used")


_ANSWERING = "answering:"
_SERVER_S = "this is what the server answered, and no fault of the plugin: tell whoever runs the server"


def _a_reply(instance: ProviderInstance, reply: Any) -> InferenceReply:
    if not isinstance(reply, InferenceReply):
        raise BadReply(instance.spec.id, f"its plugin returned a {type(reply).__name__} instead of a reply")
    return reply


async def _infer(outside: Outside, infer: Callable[[InferenceRequest], Any], request: InferenceRequest) -> Any:
    """Call a provider; one that is no coroutine function may block, and runs in a thread."""
    if iscoroutinefunction(infer):
        return await infer(request)
    reply = await outside.in_thread("`infer`", infer, request)
    return await reply if isawaitable(reply) else reply


def failure_of(error: BaseException) -> FailureKind:
    """Return what a failure is evidence of."""
    if isinstance(error, ProviderError | RefusedError):
        return error.failure
    if isinstance(error, ProgramError):
        return FailureKind.REPLY
    return FailureKind.HERE if isinstance(error, Exception) else FailureKind.FINAL


def _check_usable(instance: ProviderInstance) -> None:
    why = instance.unusable()
    if why is not None:
        raise ProviderAuthError(instance.spec.id, why)


def _check_arguments(function: FunctionSignature, opened: OpenCall) -> None:
    """Refuse arguments that are not of the declared types, before anything is paid for them."""
    args = opened.call.args
    for place, parameter in enumerate(function.parameters):
        if parameter.type is None:
            continue
        for value in args[place:] if parameter.rest else args[place : place + 1]:
            wrong = violation(parameter.type, value, opened.scope.lookup)
            if wrong is not None:
                raise type_validation_error(f"argument {parameter.name} of {function.name}: {wrong}").of_program()
