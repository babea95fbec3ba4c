"""What a server said besides its answer, as it may be seen: errors that quote it, its model's name, its explanations.

In: a failure, or a reply that the guards let pass. Out: the same, without what a guard took out, and without secrets. A
failure stays what it was evidence of, with its usage and its wait; only its words go.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import attrs

from rtfs_framework.api import errors
from rtfs_framework.api.errors import BadReply, PluginError, ProviderDeclined, ProviderError
from rtfs_framework.api.provider import InferenceReply
from rtfs_framework.api.secrets import Blot, one_line
from rtfs_framework.orchestrator.boundary.failures import RefusedError
from rtfs_framework.registry.faults import PluginFault
from rtfs_framework.registry.problems import describe

if TYPE_CHECKING:
    from rtfs_framework.registry.faults import Part

Judge = Callable[[InferenceReply], Awaitable[InferenceReply]]
"""Returns a reply as the guards let it pass; raises RefusedError."""

_TAKEN = "a guard took something out of it"
_MOST_NAME = 200
"""Characters of a model's name."""


async def judged(error: Exception, judge: Judge, part: Part) -> Exception:
    """Return a failure as it may be seen: its words are judged like a reply, for they may quote one."""
    words = quoted(error)
    try:
        left = await judge(words)
    except RefusedError as refused:
        if isinstance(error, BadReply):  # the guard speaks of a reply, and such a refusal is one of the same kind
            return refused
        return _silent(error, f"the guard '{refused.guard}' refuses it", part, None)
    if left.text == words.text:
        return error
    return _silent(error, _TAKEN, part, left.text if isinstance(error, BadReply) and error.said is not None else None)


def quoted(error: Exception) -> InferenceReply:
    """Return what a model or its server said as a reply that guards can judge: the error quotes it."""
    said = error.said if isinstance(error, BadReply) else None
    text = str(error) if isinstance(error, ProviderError) else describe(error)
    return InferenceReply(text=text if said is None else said)


def _silent(error: Exception, why: str, part: Part, said: str | None) -> Exception:
    """Return a failure of the same kind that quotes nothing."""
    if not isinstance(error, ProviderError):
        return _broken(part, f"failed, and what it said is not shown, for {why}")
    kind: type[ProviderError] = next(each for each in type(error).__mro__ if each.__module__ == errors.__name__)
    known = kind.__new__(kind)
    ProviderError.__init__(
        known,
        error.provider,
        f"its answer is {'no valid reply' if isinstance(error, BadReply) else 'an error'}, and is not shown, for {why}",
        status=error.status,
        usage=error.usage,
        failure=error.failure,
        retry_after=error.retry_after,
    )
    if isinstance(known, BadReply):
        known.said = said
    if isinstance(known, ProviderDeclined) and isinstance(error, ProviderDeclined):
        known.elsewhere = error.elsewhere  # only addresses that are configured here are ever used
    known.kind, known.code = error.kind, error.code
    return known


def blotted(error: Exception, blot: Blot, part: Part) -> Exception:
    """Return a failure without the host's secrets: a server that refuses a key likes to quote it."""
    text = str(error) if isinstance(error, ProviderError) else describe(error)
    left = blot(text)
    if left == text:
        return error
    if not isinstance(error, ProviderError):
        return _broken(part, f"failed: {left}")
    made = _silent(error, "", part, error.said if isinstance(error, BadReply) else None)
    made.args = (left,)
    return made


def _broken(part: Part, wrong: str) -> PluginError:
    """Return the failure of a plug-in that raised what its contract does not foresee, in words that may be seen."""
    fault = PluginFault(part, "answering", wrong)
    made = PluginError(str(part.provenance), fault.words, code=fault.code)
    made.__cause__ = fault
    return made


def shown(reply: InferenceReply, blot: Blot) -> InferenceReply:
    """Return a reply whose model, explanation and problems hold no secret; its answer is the guards' matter."""
    if not (reply.model or reply.explanation or reply.problems):
        return reply
    model = one_line(blot(reply.model), _MOST_NAME)
    explanation, problems = blot(reply.explanation), tuple(map(blot, reply.problems))
    if (model, explanation, problems) == (reply.model, reply.explanation, reply.problems):
        return reply
    return attrs.evolve(reply, model=model, explanation=explanation, problems=problems)
