"""Hearing a model before an engine decides: a call like any other, with its own record, beside the call that it is for.

In: an open call and the engine's question. Out: what the model said, None when it did not answer or may not be asked.
The record has the kind "consultation" and the call's id with a number of its own ("3?1"); its usage and cost count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import attrs

from rtfs_framework.api.provider import InferenceReply, InferenceRequest
from rtfs_framework.api.targets import LocalModel, RemoteModel, show_target
from rtfs_framework.api.values import Clock
from rtfs_framework.lang.jsontext import dump
from rtfs_framework.lang.types.jsonable import to_json
from rtfs_framework.lang.types.names import no_names
from rtfs_framework.orchestrator.boundary.confidence import with_confidence, without_confidence
from rtfs_framework.orchestrator.boundary.failures import unknown_target
from rtfs_framework.orchestrator.deciding.answers import type_of
from rtfs_framework.orchestrator.deciding.facts import Question
from rtfs_framework.orchestrator.deciding.security import Refusal, SecurityAuthorizer, violation
from rtfs_framework.orchestrator.performing.preconditions import check_time, check_usable
from rtfs_framework.orchestrator.performing.prompt import consult_request
from rtfs_framework.orchestrator.performing.reply import to_value
from rtfs_framework.orchestrator.recording.journal.fault import JournalError

if TYPE_CHECKING:
    from rtfs_framework.api.labels import Label
    from rtfs_framework.lang.errors import ProgramError
    from rtfs_framework.orchestrator.performing.models import Models
    from rtfs_framework.orchestrator.performing.providers import ProviderInstance, ProviderPool
    from rtfs_framework.orchestrator.recording.run_scope import OpenCall


class Hearer(Protocol):
    """Who is told the pieces of an answer as they come."""

    @property
    def marks(self) -> Label:
        """The marks of what is asked."""
        ...

    def begins(self, opened: OpenCall) -> None:
        """Take note of the call in which it is asked."""
        ...

    def on_text(self, piece: str) -> None:
        """Take a piece, in any thread, without waiting."""
        ...


_CONSULT_TIMEOUT = 10.0
"""Seconds that a consultation may take, if the provider's own bound is not shorter."""


@attrs.frozen(slots=True, eq=False)
class Consultations:
    """Asks the models that engines want to hear."""

    models: Models
    pool: ProviderPool
    security: SecurityAuthorizer
    clock: Clock

    async def hear(self, opened: OpenCall, question: Question) -> str | None:
        """Return a model's words for the engine that decides about a call, None when there are none."""
        said = await self._asked(opened, question, _CONSULT_TIMEOUT)
        return said or None if isinstance(said, str) else None

    async def answer(
        self, opened: OpenCall, target: LocalModel | RemoteModel, text: str, hearer: Hearer | None = None
    ) -> str:
        """Return a model's words for the program whose call asks for them; a hearer is told them as they come.

        Raises:
            ProgramError: It may not be asked, or gave none.
        """
        said = await self._asked(opened, Question(target, text), None, hearer)
        if isinstance(said, str):
            return without_confidence(said)[0]
        raise said

    async def _asked(
        self, opened: OpenCall, question: Question, most: float | None, hearer: Hearer | None = None
    ) -> str | ProgramError:
        """Return what a model says, or said before its process ended; `most` bounds the seconds that it has."""
        name = show_target(question.target)
        asking = opened.consultation(name, question.text, self.clock.monotonic())
        if hearer is not None:
            asking.carries(hearer.marks)
            hearer.begins(asking)
        past = opened.scope.past
        known = None if past is None else past.consulted(opened.scope, asking.record.path)
        if known:
            return known
        instance = self.pool.get(question.target)
        refused = self._refused(question, name)
        if refused is not None or instance is None:
            error = refused or unknown_target(f"{name} is not configured")
            asking.close(self.clock.monotonic(), error=error)
            return error
        ordering = opened.scope.ordering
        if ordering is not None and not ordering.reached and not instance.entry.order_independent:
            await ordering.wait()
        bound = instance.spec.timeout if most is None else min(most, instance.spec.timeout)
        began = opened.started if hearer is None else asking.started
        return await self._said(asking, instance, question, bound, began, hearer)

    async def _said(
        self,
        opened: OpenCall,
        instance: ProviderInstance,
        question: Question,
        bound: float,
        began: float,
        hearer: Hearer | None = None,
    ) -> str | ProgramError:
        """Return a model's words, JSON that fits the type which the question names, or vectors; why there are none.

        How sure it was stands behind words (`with_confidence`). A failure is written down and reported, and stops
        nothing. `began` is when the call did that it is for: its time bounds both.
        """
        models, clock = self.models, self.clock
        request = _request(question, models.left(opened, bound, began))
        if hearer is not None and not models.sender.guards and instance.spec.min_confidence <= 0:
            request = attrs.evolve(request, on_text=hearer.on_text)
        try:
            check_usable(instance)
            check_time(instance, request.timeout)
            reply = await models.sender.send(opened, instance, request, consultation=True)
            models.note(opened, instance, reply)
            models.check_sure(instance, reply)
            text = _answer(question, request, reply, instance.spec.id)
            opened.close(clock.monotonic(), "" if question.wants_vectors else text, answered=True)
            await opened.written()
        except Exception as error:
            if isinstance(error, JournalError):
                opened.abandon(clock.monotonic(), error)
                raise
            failed = models.failed(error, instance).error
            opened.close(clock.monotonic(), error=failed)
            return failed
        except BaseException as error:
            opened.abandon(clock.monotonic(), error)
            raise
        return text if question.wants_vectors or not text else with_confidence(text, reply.confidence)

    def _refused(self, question: Question, name: str) -> ProgramError | None:
        why = self.security.validate_execution_context(question.target)
        if why is None:
            return None
        refusal = Refusal(why, self.security.way_to(question.target))
        return violation("consult", name, self.security.rules.level, refusal)


def _request(question: Question, seconds: float) -> InferenceRequest:
    if question.wants_vectors:
        from rtfs_framework.orchestrator.performing.vectors import vectors_request

        return vectors_request(question, seconds)
    return consult_request(question.text, type_of(question.schema) if question.schema else None, seconds)


def _answer(question: Question, request: InferenceRequest, reply: InferenceReply, provider: str) -> str:
    if question.wants_vectors:
        from rtfs_framework.orchestrator.performing.vectors import vectors_text

        return vectors_text(reply, request, provider)
    if not question.schema:
        return reply.text or ""
    return dump(to_json(to_value(reply, request.function, no_names, f"'{provider}'")))
