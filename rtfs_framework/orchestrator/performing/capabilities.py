"""Performing capabilities: deny by default, typed at the boundary, under a deadline.

A synchronous handler runs at once and must not wait; one that waits is asynchronous, or `blocking` and runs in a
worker thread; both get the deadline.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from inspect import isawaitable, iscoroutinefunction
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from rtfs_framework.api.attempts import FailureKind
from rtfs_framework.api.capability import CapabilityEntry, CapabilityGrant, CapabilityRequest, Later
from rtfs_framework.api.errors import CapabilityError, PluginError
from rtfs_framework.api.values import Clock
from rtfs_framework.lang.errors import Cancelled, ProgramError
from rtfs_framework.lang.frozen import maker
from rtfs_framework.lang.maps import EMPTY_MAP, Map
from rtfs_framework.lang.values import Keyword
from rtfs_framework.orchestrator.boundary.answers import Answer, Throw, Waiting, reply
from rtfs_framework.orchestrator.boundary.failures import as_program_error, late, unknown_capability
from rtfs_framework.orchestrator.boundary.hints import seconds_for
from rtfs_framework.orchestrator.concurrency.deadlines import HELD_SECONDS, OverdueError
from rtfs_framework.orchestrator.concurrency.loops import HeldError, LoopThread
from rtfs_framework.orchestrator.config.isolation import Isolation
from rtfs_framework.orchestrator.config.model import DEFAULT_PARALLEL
from rtfs_framework.orchestrator.deciding.security import Refusal, SecurityAuthorizer
from rtfs_framework.orchestrator.deciding.security import violation as security_violation
from rtfs_framework.orchestrator.performing.capability_calls import HANDLER as _HANDLER
from rtfs_framework.orchestrator.performing.capability_calls import as_failed, check_arguments, marked, taken, target_of
from rtfs_framework.orchestrator.performing.models import Failed
from rtfs_framework.orchestrator.performing.turns import finished
from rtfs_framework.orchestrator.recording.events import EventBus
from rtfs_framework.orchestrator.recording.lineage import reply_id as call_key
from rtfs_framework.orchestrator.recording.run_scope import OpenCall
from rtfs_framework.registry.faults import Part, PluginFault, is_theirs

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.concurrency.outside import Outside
    from rtfs_framework.orchestrator.performing.isolation.places import SetPlace
    from rtfs_framework.orchestrator.performing.promised import Promise
    from rtfs_framework.orchestrator.performing.served import Services
    from rtfs_framework.orchestrator.performing.speaking import Door
    from rtfs_framework.orchestrator.performing.waits import Waits

Said = TypeVar("Said")
TIMEOUT = 30.0
"""Seconds that a waiting capability may take."""

PRELUDE = "ccos."
"""Where the host prelude's capabilities live."""

_request = maker(CapabilityRequest)

_AT_HAND = frozenset({type(None), bool, int, float, str, tuple, Keyword, Map})
"""Types whose values nobody needs to await."""


@attrs.frozen(slots=True, eq=False)
class _Granted:
    """A capability that may be called."""

    entry: CapabilityEntry
    target: str
    begun: Callable[[CapabilityRequest], Awaitable[Any]] | None
    own: Callable[[OpenCall], Answer | Waiting] | None = None
    """What answers it where the host does that itself."""
    grants: tuple[CapabilityGrant, ...] = ()


@attrs.frozen(slots=True, eq=False, kw_only=True)
class Capabilities:
    """The capabilities of a host."""

    entries: Mapping[str, CapabilityEntry]
    parts: Mapping[str, Part]
    """Who offers them."""
    names: Mapping[str, str]
    """Function names under which programs may call a capability, to its id."""
    security: SecurityAuthorizer
    clock: Clock
    events: EventBus
    io: LoopThread
    """Where handlers that wait are awaited."""
    waits: Waits
    """How those that answer later are waited for."""
    aliases: Mapping[str, str] = attrs.field(factory=dict)
    """Other ids of capabilities, to their own: calls have those alone."""
    own: Mapping[str, Callable[[OpenCall], Answer | Waiting]] = attrs.field(factory=dict)
    """What answers those that the host serves itself."""
    environ: Mapping[str, str] = attrs.field(factory=dict)
    """The host's: what the configuration names of it is handed on to handlers in processes of their own."""
    sets: Mapping[str, SetPlace] = attrs.field(factory=dict)
    """How the sets are made that offer them, by their ids: once more in a process of its own."""
    services: Services | None = None
    """What answers those of plug-ins that the host serves."""
    timeout: float = TIMEOUT
    threads: int = DEFAULT_PARALLEL
    """Blocking handlers that may run at once."""
    _outsides: dict[str, Outside] = attrs.field(factory=dict)
    """Shared by the host under all its rules: they bound what runs at once."""
    _granted: dict[str, _Granted] = attrs.field(factory=dict, init=False)
    """Those that were called and are allowed."""

    def id_of(self, name: str) -> str | None:
        """Return the capability behind a free name of a program, None when the host knows no such name."""
        if name in self.entries:
            return name
        return self.aliases.get(name) or self.names.get(name)

    @property
    def prelude(self) -> bool:
        """Whether programs know the names of the host prelude (`log`, ...): where any capability of it is offered."""
        return any(name.startswith(PRELUDE) for name in (*self.entries, *self.aliases))

    def order_independent(self, name: str) -> bool:
        """Tell whether calls of a capability may overlap with anything."""
        entry = self.entries.get(name)
        return entry is not None and entry.order_independent

    def idempotent(self, name: str) -> bool:
        """Tell whether a call of a capability may be made again when nobody knows how it ended."""
        entry = self.entries.get(name)
        return entry is not None and (entry.idempotent or entry.served == "person")  # a question may be put again

    def refusal(self, name: str) -> ProgramError | None:
        """Return why a capability may not be called at all, None where it may."""
        return None if name in self._granted else self._settle(name)

    def perform(self, opened: OpenCall, name: str) -> Answer | Waiting:
        """Return the answer to a call of a capability, or what to wait for."""
        granted = self._granted.get(name)
        if granted is None:
            refusal = self._settle(name)
            if refusal is not None:
                opened.record.target = target_of(name)
                return self._throw(opened, refusal)
            granted = self._granted[name]
        entry, call = granted.entry, opened.call if opened.redacted is None else opened.redacted
        opened.record.target = granted.target
        if granted.own is not None:
            return granted.own(opened)
        deadline = self.timeout if call.hints is EMPTY_MAP else self._left(opened)
        if deadline <= 0 and opened.hinted is not None:
            return opened.hinted.again(Failed(late(), FailureKind.FINAL, "the call's time is over"))
        key, tenant = call_key(opened), opened.scope.tenant
        carries = opened.scope.floating is not None
        door = self._door(opened) if entry.speaks else None
        speak = None if door is None else door.speak
        request = _request(
            entry.id, call.args, call.place, deadline, key, granted.grants, tenant, opened.labels, carries, speak
        )
        if entry.parameters is not None:
            try:
                check_arguments(entry, entry.parameters, call.args)
            except ProgramError as error:
                return self._throw(opened, error)
        if opened.scope.past is not None:
            from rtfs_framework.orchestrator.performing.promised import Promise

            promise = Promise.found(opened, granted.target)
            if promise is not None:
                return self._promised(opened, granted, request, promise)
        begun = opened.begin(repeatable=entry.idempotent)
        if door is not None:
            keep = door.kept_open
            return Waiting(lambda: keep(self._act_once_written(opened, granted, request, deadline)))
        if begun:
            return self._act(opened, granted, request, deadline)
        return Waiting(lambda: self._act_once_written(opened, granted, request, deadline))

    def _door(self, opened: OpenCall) -> Door | None:
        """Return what lets a call ask models, None where this host cannot be asked."""
        if self.services is None:
            return None
        from rtfs_framework.orchestrator.performing.speaking import Door

        return Door(self.services, opened)

    async def _act_once_written(
        self, opened: OpenCall, granted: _Granted, request: CapabilityRequest, deadline: float
    ) -> Answer:
        await opened.written()
        answer = self._act(opened, granted, request, deadline)
        return await answer.finish() if isinstance(answer, Waiting) else answer

    def _act(
        self, opened: OpenCall, granted: _Granted, request: CapabilityRequest, deadline: float
    ) -> Answer | Waiting:
        """Perform a capability: it is written down that this begins."""
        entry = granted.entry
        try:
            if granted.begun is not None:
                begun = granted.begun
                return Waiting(lambda: self._wait(opened, granted, request, lambda: begun(request), deadline))
            made: Any = entry.handler(request)
            waits = made.__class__ not in _AT_HAND and isawaitable(made)
            if made.__class__ is Later:
                return self._promised(opened, granted, request, made)
            if not waits:
                made = taken(opened, entry, self.parts[entry.id], self.security, made)
        except BaseException as error:  # noqa: BLE001 - a plugin's failure never takes the host down
            return self._failed(opened, entry, self._theirs(entry, error))
        if waits:
            return Waiting(lambda: self._wait(opened, granted, request, lambda: made, deadline))
        opened.close(self.clock.monotonic(), made, answered=True)
        return reply(made)

    def _settle(self, name: str) -> ProgramError | None:
        """Settle what does not depend on the call; return why the capability may not be called."""
        entry = self.entries.get(name)
        if entry is None:
            return unknown_capability(name, sorted(self.entries))
        refusal = self.security.authorize_capability(name)
        if refusal is not None:
            return security_violation("call", name, self.security.rules.level, refusal)
        try:
            _ = entry.parameters, entry.returns
        except PluginError as error:  # its texts spell no types
            self.events.plugin_failed(self.parts[entry.id], error.problem, "its types", "it is not called")
            return as_program_error(error, f"capability '{name}'")
        begun = self._begun(entry, entry.handler)
        if self.security.rules.isolation is not Isolation.INHERIT and self._own(entry) is None:
            from rtfs_framework.orchestrator.performing.isolation.possible import isolated

            child = isolated(entry, self.security.rules, self.parts[entry.id], self.environ, self.sets.get(entry.id))
            if isinstance(child, Refusal):
                return security_violation("call", name, self.security.rules.level, child)
            begun = self._threaded(entry, child)
        grants = () if entry.grant is None else self.security.arguments(name)
        self._granted[name] = _Granted(entry, target_of(name), begun, self._own(entry), grants)
        return None

    def _own(self, entry: CapabilityEntry) -> Callable[[OpenCall], Answer | Waiting] | None:
        """Return what of the host answers a capability in place of its handler."""
        services = self.services
        if not entry.served or services is None:
            return self.own.get(entry.id)
        return lambda opened: services.answer(self, entry, opened)

    def _begun(
        self, entry: CapabilityEntry, handler: Callable[[CapabilityRequest], Any]
    ) -> Callable[[CapabilityRequest], Awaitable[Any]] | None:
        """Return what a call is awaited by, if that is known before it: it then begins when it is awaited.

        One that is cancelled before never was.
        """
        if entry.blocking:
            return self._threaded(entry, handler)
        return handler if iscoroutinefunction(handler) else None

    def _threaded(
        self, entry: CapabilityEntry, handler: Callable[[CapabilityRequest], Any]
    ) -> Callable[[CapabilityRequest], Awaitable[Any]]:
        def threaded(request: CapabilityRequest) -> Awaitable[Any]:
            return self._outside(entry).in_thread(_HANDLER, handler, request)

        return threaded

    async def tell(self, entry: CapabilityEntry, function: Callable[..., Said], *args: Any) -> Said | None:
        """Tell a plug-in something in a thread; return what it says to that.

        None where it fails, which is told to the user, and where handlers run in processes of their own: nothing is
        told then, for it would run in the host.
        """
        if self.security.rules.isolation is not Isolation.INHERIT:
            return None
        outside = self._outside(entry)
        try:
            said: Said = await self.io.reach_within(
                self.timeout + HELD_SECONDS,
                outside.call,
                _HANDLER,
                self.timeout,
                lambda: outside.in_thread(_HANDLER, function, *args),
            )
        except Exception as error:  # noqa: BLE001 - a plugin's failure never takes the host down
            self.events.plugin_failed(self.parts[entry.id], error, _HANDLER, "the call is not made")
            return None
        return said

    def _outside(self, entry: CapabilityEntry) -> Outside:
        """Return what a handler that waits is called through."""
        found = self._outsides.get(entry.id)
        if found is None:
            from rtfs_framework.orchestrator.concurrency.outside import Outside

            made = Outside(self.parts[entry.id], self.events.plugin_failed, self.threads)
            found = self._outsides.setdefault(entry.id, made)
        return found

    async def _wait(
        self, opened: OpenCall, granted: _Granted, request: CapabilityRequest, begin: Callable[[], Awaitable[Any]],
        deadline: float,
    ) -> Answer:  # fmt: skip
        entry = granted.entry
        try:
            made = await self._reached(entry, begin, deadline)
            later = made.__class__ is Later
            value = made if later else taken(opened, entry, self.parts[entry.id], self.security, made)
        except Exception as error:  # noqa: BLE001 - a plugin's failure never takes the host down
            return await finished(self._failed(opened, entry, error))
        if later:
            return await self._promised(opened, granted, request, made).finish()
        opened.close(self.clock.monotonic(), value, answered=True)
        return reply(value)

    async def _reached(
        self, entry: CapabilityEntry, begin: Callable[[], Awaitable[Any]], deadline: float,
        late: FailureKind = FailureKind.UNCERTAIN,
    ) -> Any:  # fmt: skip
        """Await what a plug-in says, within a time.

        Raises:
            CapabilityError: It says nothing until then; that is of the kind `late`.
        """
        try:
            call = self._outside(entry).call
            return await self.io.reach_within(deadline + HELD_SECONDS, call, _HANDLER, deadline, begin)
        except (OverdueError, HeldError) as error:
            if isinstance(error, HeldError):
                self.events.held(error, self.parts[entry.id])
            message = f"no answer within {max(round(deadline, 2), 0.01):g} s"
            raise CapabilityError(message, "NetworkError", failure=late) from error

    def _promised(
        self, opened: OpenCall, granted: _Granted, request: CapabilityRequest, made: Later | Promise
    ) -> Waiting:
        """Return what waits for an answer that a handler has promised."""
        from rtfs_framework.orchestrator.performing.promised import Promise, kept

        promise = Promise.of(made, self.clock.now()) if isinstance(made, Later) else made
        entry, waits = granted.entry, self.waits

        async def wait() -> Answer:
            try:
                look = None if entry.collect is None else self._collects(entry, entry.collect)
                value = taken(
                    opened,
                    entry,
                    self.parts[entry.id],
                    self.security,
                    await kept(waits, opened, granted.target, promise, request, look),
                )
            except Cancelled:
                raise
            except Exception as error:  # noqa: BLE001 - a plugin's failure never takes the host down
                return await finished(self._failed(opened, entry, error))
            opened.close(self.clock.monotonic(), value, answered=True)
            return reply(value)

        return Waiting(wait)

    def _collects(
        self, entry: CapabilityEntry, collect: Callable[[CapabilityRequest], Any]
    ) -> Callable[[CapabilityRequest], Awaitable[Any]]:
        async def called(request: CapabilityRequest) -> Any:
            made = collect(request)
            return await made if isawaitable(made) else made

        begun = self._begun(entry, collect) or called
        return lambda request: self._reached(entry, lambda: begun(request), self.timeout, FailureKind.SAFE)

    def _theirs(self, entry: CapabilityEntry, error: BaseException) -> Exception:
        """Return what a handler raised as an ordinary exception; the user's Ctrl-C is raised again."""
        if isinstance(error, Exception):
            return error
        if not is_theirs(error):
            raise error
        return PluginFault(self.parts[entry.id], _HANDLER, error)

    def _left(self, opened: OpenCall) -> float:
        """Return the seconds that a call with hints may take now."""
        now, hinted = self.clock.monotonic(), opened.hinted
        of_attempt = 0.0 if hinted is None else now - hinted.began(opened)
        return seconds_for(self.timeout, opened.call.hints, now - opened.started, of_attempt)

    def _failed(self, opened: OpenCall, entry: CapabilityEntry, error: Exception) -> Answer | Waiting:
        """Return what becomes of a call that failed: the error, or what is decided then, where hints are in force."""
        what = f"capability '{entry.id}'"
        if isinstance(error, CapabilityError) and error.marks:
            try:
                marked(opened, entry, error.marks, self.security)
            except ProgramError as refusal:
                error = refusal  # the same as of an answer: nothing tells which of both it was
        if not isinstance(error, CapabilityError | ProgramError):
            self.events.plugin_failed(self.parts[entry.id], error, _HANDLER, "the program got an error")
        thrown, hinted = as_program_error(error, what), opened.hinted
        return self._throw(opened, thrown) if hinted is None else hinted.again(as_failed(error, thrown))

    def _throw(self, opened: OpenCall, error: ProgramError) -> Throw:
        opened.close(self.clock.monotonic(), error=error)
        return Throw(error)
