"""What may be told of a reply, or of a failure: to the model that is asked again, in records, to equal calls."""

from __future__ import annotations

import attrs

from rtfs_framework.api.attempts import FailureKind
from rtfs_framework.api.errors import ProviderError, ProviderTimeout
from rtfs_framework.api.labels import PUBLIC, Label
from rtfs_framework.api.provider import InferenceReply, InferenceRequest
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.jsontext import dump
from rtfs_framework.orchestrator.boundary.failures import code_of
from rtfs_framework.orchestrator.performing.providers import ProviderInstance
from rtfs_framework.orchestrator.performing.sending import failure_of
from rtfs_framework.orchestrator.recording.journal.fault import JournalError
from rtfs_framework.orchestrator.recording.run_scope import OpenCall


def words_of(reply: InferenceReply) -> str:
    """Return what a model said, as it can be told what is wrong with it."""
    return dump(reply.data) if reply.structured else reply.text or ""


def reason_of(error: Exception, thrown: ProgramError) -> str:
    """Return what may be written down of a failure: code and status, for a message may quote what a customer wrote."""
    status = getattr(error, "status", None)
    code = code_of(thrown) or thrown.kind
    return code if status is None else f"{code}, status {status}"


def marks_of(outcome: InferenceReply | Exception) -> Label:
    """Return the marks that another host gave to an outcome: whoever sees it, an equal call's too, has them."""
    if isinstance(outcome, InferenceReply):
        return PUBLIC if outcome.remote is None else outcome.remote.labels
    return outcome.labels if isinstance(outcome, ProviderError) else PUBLIC


def carrying(reply: InferenceReply, marks: Label) -> InferenceReply:
    """Return another host's reply with more marks: whoever shares it, or finds it kept, has them."""
    if reply.remote is None or marks <= reply.remote.labels:
        return reply
    return attrs.evolve(reply, remote=attrs.evolve(reply.remote, labels=reply.remote.labels | marks))


def is_shared(opened: OpenCall, instance: ProviderInstance, request: InferenceRequest, error: Exception) -> bool:
    """Tell whether a failure is that of equal calls, too: it is not this call's own time, guards, journal or bound."""
    if isinstance(error, JournalError) or failure_of(error) in (FailureKind.REFUSED, FailureKind.FINAL):
        return False
    if opened.most_tokens is not None:
        return False
    return not isinstance(error, ProviderTimeout) or request.timeout >= instance.spec.timeout
