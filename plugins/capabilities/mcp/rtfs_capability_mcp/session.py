"""One session with one server for one tenant: started when it is first needed, kept while it is used.

Everything here happens in the loop of `loop.McpLoop`. A task (`_keep`) holds the connection open, for whoever opens one
must close it; calls are tasks of their own and share it. A server that falls over is started again, each time later.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

import anyio
import attrs
from anyio.abc import TaskGroup
from mcp import Client, MCPError
from mcp.client import CacheConfig, InMemoryResponseCacheStore, Transport
from mcp_types import (
    CONNECTION_CLOSED,
    CallToolRequest,
    CallToolRequestParams,
    CallToolResult,
    EmptyResult,
    GetPromptRequest,
    GetPromptRequestParams,
    GetPromptResult,
    Implementation,
    InputRequiredResult,
    ReadResourceResult,
    SubscribeRequest,
    SubscribeRequestParams,
)
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import TypeAdapter, ValidationError

from rtfs_capability_mcp.events import Events
from rtfs_capability_mcp.gate import CHANGED
from rtfs_capability_mcp.listing import ListingError, list_others, list_tools
from rtfs_capability_mcp.pins import PinnedTool, difference
from rtfs_capability_mcp.results import text_of
from rtfs_capability_mcp.settings import ServerSettings
from rtfs_capability_mcp.words import shown
from rtfs_framework.api import CapabilityError, FailureKind

NETWORK = "NetworkError"
OTHER_TOOL = "E0851"
CLIENT = Implementation(name="rtfs", version="0.1")
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 60.0
"""Seconds until a server that fell over is started again; twice as long each time."""
_FAREWELL = 1.0
"""Seconds for whoever keeps a connection to say why it is closed."""
_ANSWER: TypeAdapter[CallToolResult | InputRequiredResult] = TypeAdapter(CallToolResult | InputRequiredResult)
_PROMPT: TypeAdapter[GetPromptResult | InputRequiredResult] = TypeAdapter(GetPromptResult | InputRequiredResult)
_MORE = "it wants to be told more (sampling, roots or a form), which is not granted to servers"
_MOST_DOUBLED = 10
"""Times: by then the longest wait is reached, and powers of two have an end."""

_T = TypeVar("_T")
_MOST_SHOWN = 1_000
"""Characters of what a tool says of its failure."""
_MOST_KEPT = 32
"""Resources that one session keeps, while they hold."""

Connect = Callable[[Callable[[str], None]], Transport]
"""Makes a transport; what it is given hears when and why the server ended."""


@attrs.define(slots=True, eq=False)
class _Link:
    """One connection, from its beginning to its end."""

    ready: anyio.Event = attrs.field(factory=anyio.Event)
    over: anyio.Event = attrs.field(factory=anyio.Event)
    """No use any more: whoever keeps it lets go of it."""
    client: Client | None = None
    why: str = ""
    tools: Mapping[str, PinnedTool] = attrs.field(factory=dict)
    stale: float = float("inf")
    """When the list of tools must be asked for again."""
    healthy: bool = False
    """It ends because nobody needs it, and may be begun again at once."""
    calls: int = 0
    used: float = 0.0
    watched: set[str] = attrs.field(factory=set)
    """The resources whose changes it is to tell."""

    def end(self, why: str) -> None:
        """Say that it is over; the first reason counts."""
        self.why = self.why or why
        self.over.set()


@attrs.define(slots=True, eq=False)
class Session:
    """See above. `clock` gives seconds; `said` the end of what the server wrote to its standard error."""

    name: str
    settings: ServerSettings
    connect: Connect
    group: TaskGroup
    clock: Callable[[], float]
    said: Callable[[], str]
    blot: Callable[[str], str]
    """Strikes out what the server was given in confidence."""
    heard: Callable[[], None]
    """Called when somebody reads what the server tells."""
    events: Events = attrs.field(
        init=False, default=attrs.Factory(lambda self: Events(self.settings.most_bytes), takes_self=True)
    )
    _link: _Link | None = None
    _lock: anyio.Lock = attrs.field(factory=anyio.Lock)
    _fell: int = 0
    _not_before: float = 0.0

    async def call(self, tool: PinnedTool, arguments: dict[str, Any], seconds: float) -> CallToolResult:
        """Return what a tool answers within so many seconds.

        Raises:
            CapabilityError: It says that it failed, it has changed since it was pinned, or the server cannot be
                reached or does not answer.
        """
        # Not `Client.call_tool`: it would check answers by the server's own patterns, with Python's backtracking.
        request = CallToolRequest(params=CallToolRequestParams(name=tool.name, arguments=arguments))

        async def known(link: _Link) -> None:
            await self._refresh(link)
            self._check(link, tool)

        progress = self.events.progress_of(tool.name) if self.settings.events else None
        answer = await self._use(
            seconds,
            known,
            lambda client: client.session.send_request(request, _ANSWER, progress_callback=progress),
        )
        if isinstance(answer, InputRequiredResult):
            raise self._error(_MORE)
        if answer.is_error:
            words = shown(text_of(answer) or "it does not say why", _MOST_SHOWN)
            raise CapabilityError(self.blot(f"mcp.{self.name}.{tool.name} failed: {words}"))
        return answer

    async def read(self, uri: str, seconds: float) -> ReadResourceResult:
        """Return a resource: kept from before where the server said for how long that holds (`ttlMs`).

        Raises:
            CapabilityError: The server cannot be reached, does not answer, or has none.
        """
        return await self._use(seconds, _nothing, lambda client: client.read_resource(uri))

    async def listed(self, what: str, seconds: float) -> list[dict[str, Any]]:
        """Return its resources, with those that have a place for parameters (`uriTemplate`), or its prompts.

        Raises:
            CapabilityError: The server cannot be reached, does not answer, has none, or there is no end of them.
        """
        try:
            return await self._use(seconds, _nothing, lambda client: list_others(client, what))
        except ListingError as error:
            raise self._error(str(error), FailureKind.REPLY) from error

    async def prompt(self, name: str, given: dict[str, str], seconds: float) -> GetPromptResult:
        """Return a prompt.

        Raises:
            CapabilityError: The server cannot be reached, does not answer, or has none of this name.
        """
        # Not `Client.get_prompt`: it would ask the program's user where a server wants to be told more.
        request = GetPromptRequest(params=GetPromptRequestParams(name=name, arguments=given))
        answer = await self._use(seconds, _nothing, lambda client: client.session.send_request(request, _PROMPT))
        if isinstance(answer, InputRequiredResult):
            raise self._error(_MORE)
        return answer

    async def watch(
        self, uris: Sequence[str], most: int, wait: float, seconds: float
    ) -> tuple[list[dict[str, Any]], int]:
        """Return at most so many of the events that it told since the last time, waited for if there are none.

        Also returns how many were lost since then. Changes of the resources of these URIs are told from now on.

        Raises:
            CapabilityError: The server cannot be reached, or knows no such subscription.
        """
        end = self.clock() + seconds - _FAREWELL

        async def subscribed(link: _Link) -> None:
            for uri in uris:
                if uri not in link.watched and link.client is not None:
                    if link.client.protocol_version in MODERN_PROTOCOL_VERSIONS:
                        raise self._error(
                            'it has subscriptions of 2026; `protocol = "legacy"` asks for those of before'
                        )
                    asked = SubscribeRequest(params=SubscribeRequestParams(uri=uri))
                    await self._answer(link, link.client.session.send_request(asked, EmptyResult))
                    link.watched.add(uri)

        async def told(_: Client) -> tuple[list[dict[str, Any]], int]:
            self.heard()
            return await self.events.taken(most, max(0.0, min(wait, end - self.clock())))

        return await self._use(seconds, subscribed, told)

    async def _use(
        self, seconds: float, before: Callable[[_Link], Awaitable[None]], ask: Callable[[Client], Awaitable[_T]]
    ) -> _T:
        """Return what a server answers; `before` is done first, and may refuse."""
        sent = False
        try:
            with anyio.fail_after(seconds):
                link = await self._open()
                link.calls += 1
                try:
                    await before(link)
                    if link.client is None:
                        raise self._error(link.why or "it is gone", FailureKind.SAFE)
                    sent = True
                    answer = await self._answer(link, ask(link.client))
                    self._fell = 0
                    return answer
                finally:
                    link.calls -= 1
                    link.used = self.clock()
        except TimeoutError:
            failure = FailureKind.UNCERTAIN if sent else FailureKind.SAFE
            raise self._error(f"no answer within {seconds:g} s", failure) from None

    async def _answer(self, link: _Link, asked: Awaitable[_T]) -> _T:
        try:
            return await asked
        except MCPError as error:
            raise await self._failed(link, error) from error
        except (ValidationError, RuntimeError) as error:
            raise self._error("its answer is none that the protocol knows", FailureKind.REPLY) from error

    async def _failed(self, link: _Link, error: MCPError) -> CapabilityError:
        """Return an error of the protocol; where the connection is gone, of what ended it."""
        if self.settings.url and error.error.message == "Session terminated":  # 404: it did nothing
            link.healthy = True
            link.end("it forgot the session; the next call begins another")
            return self._error(link.why, FailureKind.SAFE)
        if error.error.code == CONNECTION_CLOSED and error.error.message == "Connection closed":
            with anyio.move_on_after(_FAREWELL):
                await link.over.wait()
        if link.over.is_set():
            return self._error(link.why)
        return self._error(f"error {error.error.code}: {shown(error.error.message)}")

    async def _open(self) -> _Link:
        """Return a connection that holds, made now where there is none."""
        async with self._lock:
            link = self._link
            if link is None or link.over.is_set():
                wait = self._not_before - self.clock()
                if wait > 0:
                    why = f"it fell over and is started again in {wait:.1f} s"
                    raise self._error(why, FailureKind.SAFE)
                link = self._link = _Link()
                self.group.start_soon(self._keep, link)
            with anyio.move_on_after(self.settings.start_timeout) as scope:
                await link.ready.wait()
            if scope.cancelled_caught:
                link.end(f"it did not start within {self.settings.start_timeout:g} s")
        if link.client is None:
            raise self._error(link.why, FailureKind.SAFE)
        return link

    async def _keep(self, link: _Link) -> None:
        """Hold a connection open until it is over, or nobody has used it for long."""
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._cancel_when_over, link, group)
                await self._hold(link)
                group.cancel_scope.cancel()
        except Exception as error:  # noqa: BLE001 - what a server causes never takes the loop down
            link.end(cause(error))
        finally:
            link.end("it ended")
            link.client = None
            link.ready.set()
            if not link.healthy:
                self._fell += 1
                self._not_before = self.clock() + min(
                    _LONGEST_WAIT, _FIRST_WAIT * 2 ** min(self._fell - 1, _MOST_DOUBLED)
                )

    @staticmethod
    async def _cancel_when_over(link: _Link, group: TaskGroup) -> None:
        await link.over.wait()
        group.cancel_scope.cancel()

    async def _hold(self, link: _Link) -> None:
        """Return when it was idle for long; else this ends by being cancelled, or by an error."""

        async def hear(message: object) -> None:
            if getattr(message, "method", None) == CHANGED:
                link.stale = 0.0
            elif self.settings.events:
                self.events.hear(message)

        transport, mode = self.connect(link.end), self.settings.protocol
        # One for each session, so for each tenant: what is "private" is nobody else's, and "public" is not believed.
        kept = CacheConfig(InMemoryResponseCacheStore(max_entries=_MOST_KEPT), partition="session", target_id=self.name)
        async with Client(transport, mode=mode, cache=kept, client_info=CLIENT, message_handler=hear) as client:
            try:
                await self._list(link, client)
            except ListingError as error:
                link.end(str(error))  # before the transport says that it is closed
                raise
            link.used, link.client = self.clock(), client
            link.ready.set()
            while True:
                left = link.used + self.settings.idle - self.clock()
                if left <= 0 and link.calls == 0:
                    link.healthy = True
                    link.end("it was stopped, for nobody used it")
                    return
                await anyio.sleep(max(left, 0.01) if link.calls == 0 else self.settings.idle)

    async def _list(self, link: _Link, client: Client) -> None:
        tools, ttl = await list_tools(client)
        link.tools = tools
        modern = client.protocol_version in MODERN_PROTOCOL_VERSIONS
        link.stale = self.clock() + ttl if modern and ttl is not None else float("inf")

    async def _refresh(self, link: _Link) -> None:
        """Ask for the tools again where the server said that they changed, or that its list holds no longer."""
        async with self._lock:
            if link.client is None or self.clock() < link.stale:
                return
            try:
                await self._list(link, link.client)
            except (MCPError, ListingError, ValidationError) as error:
                raise self._error(f"its tools cannot be listed: {cause(error)}", FailureKind.SAFE) from error

    def _check(self, link: _Link, tool: PinnedTool) -> None:
        """Refuse a tool that is not what it was when it was pinned."""
        now = link.tools.get(tool.name)
        if now is not None and now.digest == tool.digest:
            return
        message = (
            f"mcp.{self.name}.{tool.name} is not what it was when it was pinned ({OTHER_TOOL}), so it was not called\n"
            f"{difference(tool, now)}\n"
            f"read what changed, then `rtfs capabilities add mcp {self.name} --renew`"
        )
        raise CapabilityError(message, "SecurityViolation", failure=FailureKind.FINAL)

    def _error(self, why: str, failure: FailureKind = FailureKind.UNCERTAIN) -> CapabilityError:
        tail = shown(self.said().strip()[-300:], 300)
        told = f"; it wrote: {tail}" if tail and failure is not FailureKind.REPLY else ""
        return CapabilityError(self.blot(f"MCP server {self.name!r}: {why}{told}"), NETWORK, failure=failure)


async def _nothing(_: _Link) -> None:
    """Do nothing before a server is asked."""


def cause(error: BaseException) -> str:
    """Return the first reason in a group of errors, in words fit to be shown."""
    while isinstance(found := getattr(error, "exceptions", None), tuple) and found:
        error = found[0]
    if isinstance(error, ValidationError):
        return "it said what is none of the protocol's messages"
    return shown(str(error) or type(error).__name__)
