"""The key under which the hint `cache` keeps a call's reply: all that the reply rests on, and what it had to be.

In: an open call and the target that is asked first. Out: a digest, or "" where its reply must not be kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtfs_framework.api.targets import LocalModel, RemoteModel, show_target
from rtfs_framework.lang.digest import digest
from rtfs_framework.lang.signature import FunctionSignature
from rtfs_framework.orchestrator.boundary.purity import is_plain
from rtfs_framework.orchestrator.performing.prompt import signature_text
from rtfs_framework.orchestrator.remembering.keys import key_of

if TYPE_CHECKING:
    from rtfs_framework.api.targets import ExecTarget
    from rtfs_framework.orchestrator.performing.providers import ProviderPool
    from rtfs_framework.orchestrator.recording.run_scope import OpenCall
    from rtfs_framework.orchestrator.remembering.reuse import Reuse


def hint_key(opened: OpenCall, target: ExecTarget, pool: ProviderPool, reuse: Reuse) -> str:
    """Return the key of a call that goes to a target, "" where its reply must not be kept."""
    call, decision = opened.call, opened.record.decision
    if not is_plain(call.args) or not is_plain(call.hints):
        return ""
    rules = () if decision is None else decision.plan.transform
    function = call.function or FunctionSignature(call.capability)
    instance = pool.get(target) if isinstance(target, LocalModel | RemoteModel) else None
    if instance is not None:
        found = reuse.key(opened, function, instance, anyway=True)
        return "" if found is None else key_of("model", found.digest, _validated(opened), *rules)
    labelled = opened.record.labelled
    marks = "" if labelled is None else " ".join((*sorted(labelled.label), "freed", *sorted(labelled.freed)))
    typed = signature_text(function, opened.scope.lookup), _validated(opened)
    told = digest(call.hints), opened.digest_sent()
    return key_of("capability", show_target(target), opened.scope.tenant, marks, *typed, *told, *rules)


def _validated(opened: OpenCall) -> str:
    """Return the type that the hint `validation` names, as the call's program means it."""
    validation = None if opened.hinted is None else opened.hinted.hints.validation
    if validation is None or validation.schema is None:
        return ""
    return signature_text(FunctionSignature("", returns=validation.schema), opened.scope.lookup)
