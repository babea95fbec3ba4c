"""One attempt at a model: look-up, request, typed reply, one repair. In: an open call and a target. Out: an answer.

What gives no usable answer is `Failed`: `dispatch` decides what follows. Nothing here takes a run down.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from math import inf
from typing import TYPE_CHECKING

import attrs

from rtfs_framework.api.attempts import FailureKind
from rtfs_framework.api.cache import NO_INFO, CacheInfo, CacheKey
from rtfs_framework.api.errors import BadReply, ConfigError, ProviderDeclined, ProviderError
from rtfs_framework.api.provider import InferenceReply, InferenceRequest
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.signature import FunctionSignature
from rtfs_framework.orchestrator.boundary.answers import Answer, Reply
from rtfs_framework.orchestrator.boundary.conversing import converses
from rtfs_framework.orchestrator.boundary.failures import RefusedError, as_program_error
from rtfs_framework.orchestrator.boundary.hints import seconds_for
from rtfs_framework.orchestrator.performing.conversation import conversing
from rtfs_framework.orchestrator.performing.hearing import heard, was_told
from rtfs_framework.orchestrator.performing.known import known_of
from rtfs_framework.orchestrator.performing.preconditions import check_arguments, check_time, check_usable, over
from rtfs_framework.orchestrator.performing.prompt import build_request, repair_request
from rtfs_framework.orchestrator.performing.providers import ProviderInstance
from rtfs_framework.orchestrator.performing.redaction import Redactor, redact
from rtfs_framework.orchestrator.performing.reply import answer_of
from rtfs_framework.orchestrator.performing.sending import Sender, failure_of
from rtfs_framework.orchestrator.performing.telling import carrying, is_shared, marks_of, reason_of, words_of
from rtfs_framework.orchestrator.recording.attempts import Spent
from rtfs_framework.orchestrator.recording.journal.fault import JournalError
from rtfs_framework.orchestrator.recording.lineage import received
from rtfs_framework.orchestrator.recording.run_scope import OpenCall
from rtfs_framework.orchestrator.remembering.reuse import Came, Flight, Reuse
from rtfs_framework.registry.faults import PluginFault

if TYPE_CHECKING:
    from anyio import Event

    from rtfs_framework.api.targets import ExecTarget
    from rtfs_framework.orchestrator.remembering.similar import Similar

Misfit = Callable[[InferenceReply | Exception], tuple[ProgramError, str] | None]
"""From an outcome to what is wrong with it and what was said; None for one that fits, or that no repair would help."""

LookedUp = tuple[CacheKey, int]
"""The key of a request that was not remembered, and how many had landed when that was looked up."""


@attrs.frozen(slots=True)
class Failed:
    """An attempt that gave no usable answer."""

    error: ProgramError
    """What the program sees if nothing else answers."""
    kind: FailureKind
    reason: str = ""
    """Without anything that a customer wrote."""
    guard: str = ""
    retry_after: float | None = None
    until: float | None = None
    """When what refused it would let it pass (seconds since the epoch), if its run may wait for that."""
    elsewhere: tuple[ExecTarget, ...] = ()
    """The targets that the one which failed named instead of itself."""


@attrs.frozen(slots=True, eq=False)
class Pending:
    """An attempt that takes time: `finish` awaits it, once."""

    finish: Callable[[], Awaitable[Answer | Failed]]


@attrs.frozen(slots=True, eq=False)
class Models:
    """Asks provider instances."""

    reuse: Reuse
    sender: Sender
    most_requests: int = 3
    """Of one call, all targets together."""
    agent: str = ""
    """Who the host works for."""
    similar: Similar | None = None
    """Looks for answers to similar requests; None where none may be served."""
    redactor: Redactor | None = None
    """Takes out of requests what plans say; None where there are no rules."""
    target_at: Callable[[str], ExecTarget | None] = lambda _: None
    """From an address to the configured target that asks there, None for an address that is not configured."""

    def ask(
        self, opened: OpenCall, function: FunctionSignature, instance: ProviderInstance
    ) -> Answer | Failed | Pending:
        """Return the answer when it is remembered, else what to wait for.

        Raises:
            ProgramError: The arguments are not of the declared types: no target may be asked.
        """
        check_arguments(function, opened)
        try:
            redact(opened, self.redactor)
            check_usable(instance)
            immediate = self.sender.immediate(instance)
            # Who answers at once is never under way, so without a memory nobody looks for its key.
            keyless = immediate and self.reuse.layer is None
            key = None if keyless else self.reuse.key(opened, function, instance)
        except Exception as error:  # noqa: BLE001 - a plugin's failure never takes the host down
            return self.failed(error, instance)
        if key is not None:
            opened.record.reply_key = key.digest if self.reuse.works else ""
            since = self.reuse.landed
            found = self.reuse.look_up(key)
            if found is not None:
                answer = self.from_memory(opened, function, instance, *found)
                if answer is not None:
                    return answer
                self.reuse.forget(key)
            opened.record.cache = "l2 miss" if self.reuse.works else ""
            if not immediate:
                return Pending(self._next(opened, function, instance, (key, since)))
        if immediate:
            return self._at_once(opened, function, instance, key)
        return Pending(lambda: self.go_on(opened, function, instance, None))

    def _next(
        self, opened: OpenCall, function: FunctionSignature, instance: ProviderInstance, looked: LookedUp
    ) -> Callable[[], Awaitable[Answer | Failed]]:
        """Return what follows where a reply is not remembered: perhaps that to a similar request is."""
        similar = self.similar
        if similar is None or not similar.concerns(opened, function):
            return lambda: self.go_on(opened, function, instance, looked)
        from rtfs_framework.orchestrator.performing.resembling import Resembling

        return Resembling(self, similar, opened, function, instance, looked).answer

    def close(self) -> None:
        """Release what requests go through."""

    async def foresee(self, opened: OpenCall, function: FunctionSignature, instance: ProviderInstance) -> Failed | None:
        """Return why a request would not be sent now, None when it would; nothing is sent, and nothing held."""
        try:
            check_arguments(function, opened)
            redact(opened, self.redactor)
            check_usable(instance)
            await self.sender.foresee(opened, instance, self.request(opened, function, instance))
        except Exception as error:  # noqa: BLE001 - a plugin's failure never takes the host down
            return self.failed(error, instance)
        return None

    def failed(self, error: Exception, instance: ProviderInstance) -> Failed:
        """Return a failure as what the program and the next decision see of it; a plug-in that broke is told."""
        events, what = self.sender.events, f"provider '{instance.spec.id}'"
        if isinstance(error.__cause__, PluginFault) and not isinstance(error.__cause__.__cause__, ConfigError):
            events.plugin_failed(instance.part, error.__cause__, "", "the request has failed")
        elif not isinstance(error, ProviderError | ProgramError | RefusedError):
            what = f"{what} ({instance.distribution or instance.entry.name})"
            events.plugin_failed(instance.part, error, "answering", "the request has failed")
        thrown = as_program_error(error, what)
        if isinstance(error, RefusedError):
            return Failed(thrown, error.failure, error.reason, error.guard, error.retry_after, error.until)
        wait = error.retry_after if isinstance(error, ProviderError) else None
        named = error.elsewhere if isinstance(error, ProviderDeclined) else ()
        there = tuple(each for each in map(self.target_at, named) if each is not None)
        return Failed(thrown, failure_of(error), reason_of(error, thrown), retry_after=wait, elsewhere=there)

    def _at_once(
        self, opened: OpenCall, function: FunctionSignature, instance: ProviderInstance, key: CacheKey | None
    ) -> Answer | Failed:
        """Ask a provider that never waits, here and now. Equal requests at once are each asked: it is free."""
        try:
            reply = self.sender.at_once(opened, instance, self.request(opened, function, instance))
            self.note(opened, instance, reply)
            value = answer_of(opened, function, instance, reply)
            if key is not None:
                self.reuse.remember(key, reply, self.info(opened, instance, reply))
            received(opened)
        except Exception as error:  # noqa: BLE001 - a plugin's failure never takes the host down
            return self.failed(error, instance)
        return self._unsure(instance, reply) or self._reply(opened, value)

    def from_memory(
        self,
        opened: OpenCall,
        function: FunctionSignature,
        instance: ProviderInstance,
        reply: InferenceReply,
        info: CacheInfo,
        cache: str = "l2 hit",
    ) -> Answer | Failed | None:
        """Answer a call by a remembered reply; None where that is not of the declared type."""
        try:
            value = answer_of(opened, function, instance, reply)
        except ProgramError:  # a damaged record: ask anew
            return None
        received(opened, info)
        record = opened.record
        record.cache, record.model, record.explanation = cache, reply.model, reply.explanation
        record.remote = reply.remote
        return self._unsure(instance, reply) or self._reply(opened, value)

    async def go_on(
        self,
        opened: OpenCall,
        function: FunctionSignature,
        instance: ProviderInstance,
        key: LookedUp | None,
        keep: Callable[[InferenceReply, object], Awaitable[None]] | None = None,
    ) -> Answer | Failed:
        """Ask a model, whose reply is not remembered; `keep` is handed a reply that is sure enough, and the value."""
        try:
            request = self.request(opened, function, instance)
            request = heard(opened, function, instance, request, guarded=bool(self.sender.guards))
            reply, shared, info = await self._sent(opened, function, instance, request, key)
            received(opened, info)
            self.note(opened, instance, reply)
            if shared:
                opened.record.cache = "in flight"
            value = answer_of(opened, function, instance, reply)
            unsure = self._unsure(instance, reply)
            if keep is not None and not shared and unsure is None:
                await keep(reply, value)
        except JournalError:
            raise
        except Exception as error:  # noqa: BLE001 - a plugin's failure never takes the host down
            opened.record.told |= marks_of(error)  # an equal call's failure, too
            return self.failed(error, instance)
        return unsure or self._reply(opened, value)

    async def _sent(
        self,
        opened: OpenCall,
        function: FunctionSignature,
        instance: ProviderInstance,
        request: InferenceRequest,
        key: LookedUp | None,
    ) -> Came:
        """Return the reply to a request, and whether an equal one that was under way brought it."""

        def misfit(reply: InferenceReply | Exception) -> tuple[ProgramError, str] | None:
            """Return what is wrong with an outcome, and what was said: as a model can be told of it."""
            if isinstance(reply, Exception):
                said = reply.said if isinstance(reply, BadReply) else None
                return None if said is None else (as_program_error(reply, instance.spec.id), said)
            try:
                answer_of(opened, function, instance, reply)
            except ProgramError as error:
                return error, words_of(reply)
            return None

        if key is None:
            return Came(await self._repaired(opened, instance, request, misfit), False, NO_INFO)

        async def ask() -> InferenceReply:
            left = self.left(opened, request.timeout, opened.started)  # after it has waited for others, say
            check_time(instance, left)
            return await self._repaired(opened, instance, attrs.evolve(request, timeout=left), misfit)

        def mends(outcome: InferenceReply | Exception) -> bool:
            return misfit(outcome) is not None and self._may_repair(opened, instance)

        async def mend(outcome: InferenceReply | Exception) -> InferenceReply:
            return await self._mended(opened, instance, request, outcome, misfit)

        async def wait(landed: Event) -> None:
            from anyio import move_on_after

            opened.sets_out()
            left = self.left(opened, inf, opened.started)
            with move_on_after(None if left == inf else max(left, 0.0)):
                return await landed.wait()
            raise over(instance)

        seconds = request.timeout * (1 if instance.entry.deterministic else 2)  # a repair is a request of its own
        flight = Flight(
            ask=ask,
            wait=wait,
            fits=lambda reply: misfit(reply) is None,
            mends=mends,
            mend=mend,
            shares=partial(is_shared, opened, instance, request),
            info=partial(self.info, opened, instance),
            lease=seconds,
        )
        return await self.sender.there(instance, seconds, self.reuse.once, *key, flight)

    async def _repaired(
        self, opened: OpenCall, instance: ProviderInstance, request: InferenceRequest, misfit: Misfit
    ) -> InferenceReply:
        """Ask; a model whose reply does not fit is told so and asked once more, if it may answer something else.

        Raises:
            RefusedError: A guard of the host does not let a request pass.
            Exception: Whatever the provider raises.
        """
        try:
            outcome: InferenceReply | Exception = await self.sender.send(opened, instance, request)
        except BadReply as error:
            outcome = error
        return await self._mended(opened, instance, request, outcome, misfit)

    async def _mended(
        self,
        opened: OpenCall,
        instance: ProviderInstance,
        request: InferenceRequest,
        outcome: InferenceReply | Exception,
        misfit: Misfit,
    ) -> InferenceReply:
        """Return an outcome that fits, or cannot be mended; else what the model says when it is told what is wrong.

        Raises:
            Exception: The outcome, or whatever the provider raises.
        """
        found, most = misfit(outcome), self.most_requests
        most = most if opened.hinted is None else opened.hinted.most_requests(most)
        if found is None or not (self._may_repair(opened, instance) and opened.may_repair(most)):
            if isinstance(outcome, Exception):
                raise outcome
            return outcome
        wrong, said = found
        marks = marks_of(outcome)  # the model is told what was said, and may say it again
        opened.record.told |= marks
        failed = Failed(wrong, FailureKind.REPLY, reason_of(wrong, wrong))
        opened.tried(instance.target, failed, self.sender.clock.monotonic())
        opened.spent = Spent()
        left = self.left(opened, instance.spec.timeout, opened.started)
        again = attrs.evolve(repair_request(request, said, wrong.message), timeout=left)
        return carrying(await self.sender.send(opened, instance, again), marks)

    def _may_repair(self, opened: OpenCall, instance: ProviderInstance) -> bool:
        """Tell whether a model may be told that its answer does not fit: it may say something else, and has the time.

        Not where its cost is bounded and was reckoned for one request.
        """
        if opened.most_tokens is not None or instance.entry.deterministic or opened.was_repaired or was_told(opened):
            return False
        return self.left(opened, instance.spec.timeout, opened.started) > 0

    def left(self, opened: OpenCall, bound: float, began: float) -> float:
        """Return the seconds that the next request of a call may take, which began at a time."""
        if not len(opened.call.hints):
            return bound
        now, attempt = self.sender.clock.monotonic(), began if opened.hinted is None else opened.hinted.began(opened)
        return seconds_for(bound, opened.call.hints, now - began, now - attempt)

    def request(self, opened: OpenCall, function: FunctionSignature, instance: ProviderInstance) -> InferenceRequest:
        """Return the request of one attempt, with what is left of the call's time.

        Raises:
            ProviderTimeout: Nothing is left.
        """
        sends = opened.sends
        timeout = self.left(opened, instance.spec.timeout, opened.started)
        check_time(instance, timeout)
        request = build_request(function, sends.args, opened.scope.lookup, timeout=timeout, hints=sends.hints)
        return conversing(request, instance.spec.id, chat=instance.entry.chat) if converses(function) else request

    @staticmethod
    def note(opened: OpenCall, instance: ProviderInstance, reply: InferenceReply) -> None:
        """Write down who answered, and what is known of the answer."""
        opened.record.model, opened.record.explanation = reply.model or instance.spec.model, reply.explanation
        opened.record.confidence, opened.record.remote = reply.confidence, reply.remote

    def info(self, opened: OpenCall, instance: ProviderInstance, reply: InferenceReply) -> CacheInfo:
        """Return what is known of a reply that has just come, beside it."""
        return known_of(opened, instance, reply, self.agent, self.sender.clock.monotonic())

    def _reply(self, opened: OpenCall, value: object) -> Reply:
        opened.close(self.sender.clock.monotonic(), value, answered=True)
        return Reply(value)

    def check_sure(self, instance: ProviderInstance, reply: InferenceReply) -> None:
        """Refuse a reply whose model is less sure than it must be.

        Raises:
            ProgramError: It is.
        """
        unsure = self._unsure(instance, reply)
        if unsure is not None:
            raise unsure.error

    @staticmethod
    def _unsure(instance: ProviderInstance, reply: InferenceReply) -> Failed | None:
        """Return the failure that a reply is whose model is less sure than it must be, None when it is sure enough.

        A model that does not say how sure it is counts as sure.
        """
        least, found = instance.spec.min_confidence, reply.confidence
        if least <= 0 or found is None or found >= least:
            return None
        reason = f"confidence {found:.2f}, and {least:g} is wanted"
        message = f"{instance.spec.id}: {reason}"
        thrown = as_program_error(BadReply(instance.spec.id, reason), message)
        return Failed(thrown, FailureKind.LOW_CONFIDENCE, reason)
