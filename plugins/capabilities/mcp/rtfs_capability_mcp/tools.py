"""The tools of all configured servers as capabilities: entries from the lock, calls by sessions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_capability_mcp.kinds import Ask, Kinds
from rtfs_capability_mcp.pins import LOCK, LockError, PinnedTool, pinned_tools, read_lock
from rtfs_capability_mcp.schemas import ANY, Check, checker, too_much, type_of, type_text
from rtfs_capability_mcp.sent import Sent
from rtfs_capability_mcp.settings import McpGrant, McpSettings, ServerSettings
from rtfs_capability_mcp.words import shown, summary
from rtfs_framework.api import (
    CapabilityEntry,
    CapabilityError,
    CapabilityRequest,
    CapabilitySetSettings,
    Described,
    FailureKind,
    Type,
    free_at_forks,
    not_granted,
    parse_type,
)

if TYPE_CHECKING:
    from rtfs_capability_mcp.starting import Started

NOT_PINNED = "E0850"
_SUMMARY = 160


@attrs.frozen(slots=True, eq=False)
class _Tool:
    """A tool that may be called: its pin, and what its schemas say."""

    server: str
    pin: PinnedTool
    reads: bool
    """Whether it is trusted to change nothing."""
    _checks: dict[str, Check | None] = attrs.field(factory=dict)
    _known: dict[str, Any] = attrs.field(factory=dict)

    def check(self, schema: str) -> Check | None:
        """Return what checks data by one of its schemas, if it has that one; made when it is first needed."""
        if schema not in self._checks:
            found = self.pin.definition.get(schema)
            self._checks[schema] = checker(found) if isinstance(found, dict) else None
        return self._checks[schema]

    def returns(self) -> Type | None:
        """Return the type of its answers, if it says one; read with the first call.

        Raises:
            CapabilityError: Checking by its schemas would take too much work, so it is not called.
        """
        if not self._known:
            schemas = {key: self.pin.definition.get(key) for key in ("inputSchema", "outputSchema")}
            why = [f"{key}: {wrong}" for key, each in schemas.items() if (wrong := too_much(each)) is not None]
            gives = schemas["outputSchema"]
            returns = type_of(gives) if isinstance(gives, dict) and not why else None
            self._known.update(why="; ".join(why), returns=returns)
        if self._known["why"]:
            message = f"{self.id} is not called, for its schemas cannot be used: {self._known['why']}"
            raise CapabilityError(message, "SecurityViolation", failure=FailureKind.FINAL)
        returns_: Type | None = self._known["returns"]
        return returns_

    @property
    def id(self) -> str:
        return f"mcp.{self.server}.{self.pin.name}"


class McpTools:
    """The set `mcp`. Nothing is started before a tool is called."""

    def __init__(self, settings: CapabilitySetSettings) -> None:
        self._settings = settings
        self._own: McpSettings = settings.own or McpSettings()
        self._started: Started | None = None
        self._lock = free_at_forks(Lock())
        self._sent = Sent(settings.directory)
        """Marks of all that a server was sent: it may give any of it back."""

    def entries(self) -> Iterable[CapabilityEntry]:
        """Return the tools that are pinned; of a server that is not, one entry whose call says so."""
        if not self._own.servers:
            return
        try:
            lock, broken = read_lock(Path(self._settings.base, LOCK)), ""
        except LockError as error:
            lock, broken = {}, str(error)
        for name, server in self._own.servers.items():
            yield from self._entries_of(name, server, lock, broken)
            yield from Kinds(name, server, _authorize, self._asking).entries()

    def _entries_of(
        self, name: str, server: ServerSettings, lock: Mapping[str, Any], broken: str
    ) -> Iterator[CapabilityEntry]:
        try:
            tools = pinned_tools(lock, name, server.pinned)
        except LockError as error:
            yield self._unpinned(name, broken or str(error))
            return
        for pin in tools:
            takes, gives = pin.definition.get("inputSchema"), pin.definition.get("outputSchema")
            reads = server.trust_hints and pin.hint("readOnlyHint")
            tool = _Tool(name, pin, reads)
            yield CapabilityEntry(
                id=tool.id,
                summary=f"{summary(pin.description, _SUMMARY) or 'It says nothing of itself.'} (says its server)",
                handler=self._handler(tool),
                parameters=(type_text(takes),),
                returns=type_text(gives) if isinstance(gives, dict) else None,
                effects=("network",) if server.url else ("process",),
                idempotent=reads or (server.trust_hints and pin.hint("idempotentHint")),
                order_independent=reads,
                grant=McpGrant,
                version=pin.digest[:12],
            )

    def _unpinned(self, name: str, why: str) -> CapabilityEntry:
        def refuse(_: CapabilityRequest) -> Any:
            way_out = f"`rtfs capabilities add mcp {name} --renew` starts it once, shows its tools and pins them"
            message = f"MCP server {name!r}: {why} ({NOT_PINNED}); {way_out}"
            raise CapabilityError(message, "SecurityViolation", failure=FailureKind.FINAL)

        return CapabilityEntry(
            id=f"mcp.{name}.tools", summary=f"Nothing yet: {shown(why)}", handler=refuse, grant=McpGrant
        )

    def _handler(self, tool: _Tool) -> Any:
        async def call(request: CapabilityRequest) -> Any:
            from anyio import to_thread

            from rtfs_capability_mcp.results import arguments_of, value_of

            returns = tool.returns()
            arguments = await to_thread.run_sync(
                lambda: arguments_of(request.args, tool.check("inputSchema"), tool.id), abandon_on_cancel=True
            )
            _authorize(tool.id, request, arguments)
            marks = await self._marks(tool.server, request, keep=not tool.reads)
            seconds = self._seconds(tool.server, request)
            with _telling(marks):
                result = await self._servers().call(tool.server, request.tenant, tool.pin, arguments, seconds)
                value = await to_thread.run_sync(
                    lambda: value_of(result, tool.id, returns, tool.check("outputSchema"), parse_type(ANY)),
                    abandon_on_cancel=True,
                )
            return Described(value, marks=marks) if marks else value

        return call

    async def _asking(self, name: str, request: CapabilityRequest, keep: bool, ask: Ask) -> Any:
        """Ask a server for something else than a tool; what comes back has the marks of all that it was sent."""
        marks = await self._marks(name, request, keep=keep)
        with _telling(marks):
            value = await ask(self._servers(), self._seconds(name, request))
        return Described(value, marks=marks) if marks else value

    def _seconds(self, server: str, request: CapabilityRequest) -> float:
        """Return the time that a call has."""
        timeout = self._own.servers[server].timeout
        return timeout if request.deadline is None else min(timeout, request.deadline)

    async def _marks(self, server: str, request: CapabilityRequest, *, keep: bool) -> frozenset[str]:
        """Return the marks of what comes back: of all that its server was ever sent for this tenant."""
        if not request.carries_marks:
            return frozenset()
        from anyio import to_thread

        more, own = request.marks if keep else frozenset(), self._own.servers[server]
        reach = own.command or (own.url,)
        seen = await to_thread.run_sync(lambda: self._sent.marks(server, reach, request.tenant, more))
        return seen | request.marks

    def _servers(self) -> Started:
        from rtfs_capability_mcp.starting import Started

        with self._lock:
            if self._started is None:
                self._started = Started(self._own.servers, self._settings)
            return self._started

    def close(self) -> None:
        """Stop all servers that were started."""
        if self._started is not None:
            self._started.close()
        self._sent.close()


@contextmanager
def _telling(marks: frozenset[str]) -> Iterator[None]:
    """Mark what a server says by an error as what it answers."""
    try:
        yield
    except CapabilityError as error:
        error.marks |= marks
        raise


def _authorize(id_: str, request: CapabilityRequest, arguments: dict[str, Any]) -> None:
    """Refuse a call that no grant allows."""
    own = [grant.own for grant in request.grants]
    if any(isinstance(each, McpGrant) and each.allows(arguments) for each in own):
        return
    given = ", ".join(f"{shown(name, 40)} = {shown(str(value), 60)}" for name, value in arguments.items())
    raise not_granted(
        f"{id_} with {given or 'no arguments'}",
        f'the grant names what it may be called with: {{ id = "{id_}", args = {{ NAME = [VALUE, ...] }} }}',
    )
