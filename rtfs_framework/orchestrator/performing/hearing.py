"""Passing the pieces of an answer on as they arrive, and what that means for the rest of its call.

What was passed on cannot be taken back: no repair, no repeat and no other target may follow. So what is still to be
judged (by guards of replies, by how sure the model must be, by a race of two requests) is passed on as a whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from rtfs_framework.api.attempts import FailureKind
from rtfs_framework.orchestrator.boundary.conversing import converses

if TYPE_CHECKING:
    from rtfs_framework.api.provider import InferenceRequest
    from rtfs_framework.lang.signature import FunctionSignature
    from rtfs_framework.orchestrator.boundary.answers import Answer
    from rtfs_framework.orchestrator.performing.models import Failed
    from rtfs_framework.orchestrator.performing.providers import ProviderInstance
    from rtfs_framework.orchestrator.recording.run_scope import OpenCall


def heard(
    opened: OpenCall,
    function: FunctionSignature,
    instance: ProviderInstance,
    request: InferenceRequest,
    *,
    guarded: bool,
) -> InferenceRequest:
    """Return a request whose pieces are passed on, where somebody listens and nothing is to be judged first."""
    listener = opened.scope.listener
    if listener is None or not converses(function):
        return request
    judged = guarded or instance.spec.min_confidence > 0 or opened.leg_of is not None
    if judged or opened.call.branch or request.schema is not None:  # data is not told in pieces of text
        return request
    return attrs.evolve(request, on_text=listener.attempt())


def was_told(opened: OpenCall) -> bool:
    """Tell whether anything of an answer to a call was passed on."""
    listener = opened.scope.listener
    return listener is not None and listener.told


def ended(opened: OpenCall, made: Answer | Failed) -> Answer | Failed:
    """Return how an attempt ended: nothing may follow a failure after which something was passed on."""
    from rtfs_framework.orchestrator.performing.models import Failed

    listener = opened.scope.listener
    if listener is None:
        return made
    listener.over()
    if not listener.told or not isinstance(made, Failed):
        return made
    reason = f"{made.reason}, when a part of the answer had been passed on"
    return attrs.evolve(made, kind=FailureKind.FINAL, reason=reason)
