"""What the host itself keeps for a run: context values, and who is told of events."""

from __future__ import annotations

from rtfs_framework.api.values import Clock
from rtfs_framework.kernel.call_kind import CallKind
from rtfs_framework.lang.errors import undefined_symbol
from rtfs_framework.lang.signature import FunctionSignature
from rtfs_framework.orchestrator.boundary.answers import Answer, Reply, Throw, reply
from rtfs_framework.orchestrator.recording.events import EventBus
from rtfs_framework.orchestrator.recording.run_scope import OpenCall


def answer_here(opened: OpenCall, events: EventBus, clock: Clock) -> Answer:
    """Answer a call about the context, or an event of the program."""
    call = opened.call
    if call.kind is CallKind.CONTEXT_GET:
        return _get(opened, clock)
    if call.kind is CallKind.CONTEXT_SET:
        opened.scope.context[call.capability] = call.args[0]
    elif events.active:
        path = ".".join(map(str, call.path))
        fields = {"event": call.capability, "path": path, "args": [str(arg) for arg in call.args]}
        events.emit("program.event", fields, opened.labels)
    return _reply(opened, clock, None)


def function_of(opened: OpenCall) -> FunctionSignature:
    """Return the function that is called; of a capability, what stands for one."""
    return opened.call.function or FunctionSignature(opened.call.capability)


def _get(opened: OpenCall, clock: Clock) -> Answer:
    """Answer a context value; without one the call's argument is the default, and with none the name is unknown."""
    call = opened.call
    if call.capability in opened.scope.context:
        if opened.scope.lineage is not None:
            opened.scope.lineage.recall()
        return _reply(opened, clock, opened.scope.context[call.capability])
    if call.args:
        return _reply(opened, clock, call.args[0])
    error = undefined_symbol(call.capability)
    opened.close(clock.monotonic(), error=error)
    return Throw(error)


def _reply(opened: OpenCall, clock: Clock, value: object) -> Reply:
    opened.close(clock.monotonic(), value, answered=True)
    return reply(value)
