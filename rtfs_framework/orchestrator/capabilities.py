"""Performing capabilities: deny by default, typed at the boundary, under a deadline.

A synchronous handler runs at once and must not wait; one that waits is asynchronous, or `blocking` and runs in a
worker thread; both get the deadline.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from inspect import isawaitable, iscoroutinefunction
from typing import Any

import attrs

from rtfs_framework.api.capability import CapabilityEntry, CapabilityRequest
from rtfs_framework.api.errors import CapabilityError
from rtfs_framework.api.values import Clock
from rtfs_framework.lang.errors import ProgramError, arity_error, type_validation_error
from rtfs_framework.lang.types.check import violation
from rtfs_framework.orchestrator.answers import Answer, Reply, Throw, Waiting
from rtfs_framework.orchestrator.config.model import DEFAULT_PARALLEL
from rtfs_framework.orchestrator.deadlines import before, seconds_for
from rtfs_framework.orchestrator.events import EventBus
from rtfs_framework.orchestrator.failures import as_program_error, unknown_capability
from rtfs_framework.orchestrator.security import SecurityAuthorizer
from rtfs_framework.orchestrator.security import violation as security_violation
from rtfs_framework.orchestrator.visit import OpenCall

TIMEOUT = 30.0
"""Seconds that a waiting capability may take."""


@attrs.frozen(slots=True, eq=False)
class Capabilities:
    """The capabilities of a host."""

    entries: Mapping[str, CapabilityEntry]
    names: Mapping[str, str]
    """Function names under which programs may call a capability, to its id."""
    security: SecurityAuthorizer
    clock: Clock
    events: EventBus
    timeout: float = TIMEOUT
    threads: int = DEFAULT_PARALLEL
    """Blocking handlers that may run at once."""

    def id_of(self, name: str) -> str | None:
        """Return the capability behind a free name of a program, None when the host knows no such name."""
        return name if name in self.entries else self.names.get(name)

    def order_independent(self, name: str) -> bool:
        """Tell whether calls of a capability may overlap with anything."""
        entry = self.entries.get(name)
        return entry is not None and entry.order_independent

    def perform(self, opened: OpenCall, name: str) -> Answer | Waiting:
        """Return the answer to a call of a capability, or what to wait for."""
        opened.target = f"capability {name}"
        entry = self.entries.get(name)
        if entry is None:
            return self._throw(opened, unknown_capability(name, sorted(self.entries)))
        refusal = self.security.capability(name)
        if refusal is not None:
            return self._throw(opened, security_violation("call", name, self.security.rules.level, refusal))
        args = opened.call.args
        deadline = seconds_for(self.timeout, opened.call.hints)
        request = CapabilityRequest(entry.id, args, opened.call.place, deadline)
        try:
            _check_arguments(entry, args)
            if entry.blocking:
                from rtfs_framework.orchestrator.threads import in_thread

                return Waiting(
                    lambda: self._wait(opened, entry, in_thread(self.threads, entry.handler, request), deadline)
                )
            if iscoroutinefunction(entry.handler):  # begins when awaited: one that is cancelled before never was
                return Waiting(lambda: self._wait(opened, entry, entry.handler(request), deadline))
            made = entry.handler(request)
            waits = isawaitable(made)
            if not waits:
                _check_answer(entry, made)
        except Exception as error:  # noqa: BLE001 - a plugin's failure never takes the host down
            return self._failed(opened, entry, error)
        if waits:
            return Waiting(lambda: self._wait(opened, entry, made, deadline))
        return self._reply(opened, made)

    async def _wait(self, opened: OpenCall, entry: CapabilityEntry, made: Awaitable[Any], deadline: float) -> Answer:
        try:
            value = await before(deadline, made)
            _check_answer(entry, value)
        except TimeoutError:
            late = CapabilityError(f"no answer within {deadline:g} s", "NetworkError")
            return self._failed(opened, entry, late)
        except Exception as error:  # noqa: BLE001 - a plugin's failure never takes the host down
            return self._failed(opened, entry, error)
        return self._reply(opened, value)

    def _reply(self, opened: OpenCall, value: Any) -> Answer:
        opened.close(self.clock.monotonic(), value, answered=True)
        return Reply(value)

    def _failed(self, opened: OpenCall, entry: CapabilityEntry, error: Exception) -> Throw:
        what = f"capability '{entry.id}'"
        if not isinstance(error, CapabilityError | ProgramError):
            self.events.plugin_failed(what, error)
        return self._throw(opened, as_program_error(error, what))

    def _throw(self, opened: OpenCall, error: ProgramError) -> Throw:
        opened.close(self.clock.monotonic(), error=error)
        return Throw(error)


def _check_arguments(entry: CapabilityEntry, args: tuple[Any, ...]) -> None:
    if entry.parameters is None:
        return
    if len(args) != len(entry.parameters):
        raise arity_error(entry.id, str(len(entry.parameters)), len(args))
    for place, (type_, value) in enumerate(zip(entry.parameters, args, strict=True), 1):
        wrong = violation(type_, value)
        if wrong is not None:
            raise type_validation_error(f"argument {place} of capability '{entry.id}': {wrong}")


def _check_answer(entry: CapabilityEntry, value: Any) -> None:
    wrong = None if entry.returns is None else violation(entry.returns, value)
    if wrong is not None:
        raise type_validation_error(f"the answer of capability '{entry.id}': {wrong}")
