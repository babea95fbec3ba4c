"""A call whose reply is not remembered, but perhaps that to a similar one. In: an open call. Out: an answer.

Asked between the exact look-up and the model. A hit goes the way of a reply from L2: typed by the declared type, and
refused where its model was less sure than it must be; where guards judge requests, they are asked about this one.
An explored look-up asks the model, and compares both replies as values of the declared type.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import attrs
from anyio import to_thread

from rtfs_framework.api.labels import PUBLIC
from rtfs_framework.api.similar import Served
from rtfs_framework.lang.equality import equal
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.orchestrator.boundary.answers import Reply
from rtfs_framework.orchestrator.performing.prompt import varying
from rtfs_framework.orchestrator.performing.reply import answer_of
from rtfs_framework.orchestrator.performing.telling import words_of
from rtfs_framework.orchestrator.recording.attempts import total_cost
from rtfs_framework.orchestrator.recording.floating import CallLabel
from rtfs_framework.orchestrator.remembering.similar import Hit, Looked, Similar

if TYPE_CHECKING:
    from rtfs_framework.api.provider import InferenceReply
    from rtfs_framework.lang.signature import FunctionSignature
    from rtfs_framework.orchestrator.boundary.answers import Answer
    from rtfs_framework.orchestrator.performing.models import Failed, LookedUp, Models
    from rtfs_framework.orchestrator.performing.providers import ProviderInstance
    from rtfs_framework.orchestrator.recording.run_scope import OpenCall

Keep: TypeAlias = "Callable[[InferenceReply, object], Awaitable[None]]"

_NANO = 1_000_000_000


@attrs.frozen(slots=True, eq=False)
class Resembling:
    """One attempt at a call, whose reply is not remembered."""

    models: Models
    similar: Similar
    opened: OpenCall
    function: FunctionSignature
    instance: ProviderInstance
    looked_up: LookedUp

    async def answer(self) -> Answer | Failed:
        """Answer a call by the reply to a similar one, or ask the model and keep what it says."""
        similar, opened = self.similar, self.opened
        text = varying(self.function, opened.sends)
        asked = (opened, self.function, self.instance, self.looked_up[0], text)
        question = await to_thread.run_sync(similar.question, *asked)
        looked = None if question is None else await to_thread.run_sync(similar.ask, question)
        if looked is None:
            return await self._go_on(None)
        opened.record.similar = looked.mark()
        if looked.verdict.served is Served.HIT:
            answer = await self._served(looked)
            if answer is not None:
                return answer
            opened.record.similar = None  # what people say of the answer is not said of that entry
        if looked.verdict.served is not Served.EXPLORE:
            return await self._go_on(partial(self._keep, looked))
        before = len(opened.record.attempts)
        try:
            return await self._go_on(partial(self._keep, looked))
        finally:  # whatever came of it: one that is unsure, or of another type, was paid as well
            costs = [each.cost for each in opened.record.attempts[before:]]
            similar.paid(total_cost([*costs, 0.0 if opened.spent is None else opened.spent.cost]))

    async def _go_on(self, keep: Keep | None) -> Answer | Failed:
        return await self.models.go_on(self.opened, self.function, self.instance, self.looked_up, keep)

    async def _served(self, looked: Looked) -> Answer | Failed | None:
        """Return the answer that an entry holds; None where it holds none, or guards would not let the request pass."""
        models, similar, opened = self.models, self.similar, self.opened
        if models.sender.guards and await models.foresee(opened, self.function, self.instance) is not None:
            return None
        reply, record = similar.reply(looked), looked.verdict.record
        if reply is not None and record is not None:
            answer = models.from_memory(opened, self.function, self.instance, reply, record.info, "similar hit")
            if answer is not None:
                self._judged_later(looked, reply, answer)
                return answer
        await to_thread.run_sync(similar.forget, looked)
        return None

    def _judged_later(self, looked: Looked, reply: InferenceReply, answer: Answer | Failed) -> None:
        """Have a hit judged, if the draw said so: its answer may carry marks of its own."""
        judging, opened = self.similar.judging, self.opened
        if judging is None or not looked.verdict.judge or not isinstance(answer, Reply):
            return
        told = PUBLIC if reply.remote is None else reply.remote.labels
        marks = opened.labels | told | judging.brings(opened.record.target)
        if judging.may(marks):
            labelled = None
            if marks:  # the judge sees request and answer as one text, of which nothing is freed
                floating = opened.scope.floating
                kept = floating is None or floating.keeps(marks)
                labelled = CallLabel(marks, kept=kept, answer_kept=kept)
            judging.take(Hit(looked, self.function, words_of(reply), labelled))

    async def _keep(self, looked: Looked, reply: InferenceReply, value: object) -> None:
        """Compare what a model answered with what an explored entry holds, and keep it."""
        similar, opened = self.similar, self.opened
        if looked.verdict.served is Served.EXPLORE:
            before = similar.reply(looked)
            same = before is not None and self._says(before, value)
            opened.record.similar = looked.mark(same)
            await to_thread.run_sync(partial(similar.judged, looked, same=same))
        info = self.models.info(opened, self.instance, reply)
        await to_thread.run_sync(similar.keep, looked.question, reply, info)

    def _says(self, reply: InferenceReply, value: object) -> bool:
        """Tell whether a reply stands for a value."""
        try:
            return equal(answer_of(self.opened, self.function, self.instance, reply), value)
        except ProgramError:
            return False
