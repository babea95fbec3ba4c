"""Connections that are slow, idle or too many: looked at twice a second, so that requests pay nothing for it.

In: uvicorn's protocol, whichever parser it uses. Out: the same, which knows since when it waits for a head, a body or a
reader. A peer that takes too long is told so and cut off; where there are as many connections as may be, the one that
has been idle longest makes room for a new one.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.server.problems import LATE, Problem, busy

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.config.serve import ServeSpec
    from rtfs_framework.server.metrics import Metrics
    from rtfs_framework.server.state import ServerState

EVERY = 0.5
"""Seconds between two looks."""
_RESERVED = 192
"""Open files that are left for journals, caches, providers, and connections that are just being accepted."""


def _raw(problem: Problem, status: bytes) -> bytes:
    """Return an answer for a connection whose request never became one."""
    body = problem.body()
    fields = {**problem.headers, "Connection": "close", "Content-Type": "application/json"}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return b"HTTP/1.1 " + status + f"\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


_LATE = _raw(Problem(408, LATE, "the request did not arrive in time", kind="TooSlow"), b"408 Request Timeout")
_FULL = _raw(busy("too many connections are open"), b"503 Service Unavailable")


class Corked:
    """A transport that sends what is written in one turn of the loop together: an answer's head with its body."""

    __slots__ = ("_loop", "_parts", "_transport", "is_closing")

    def __init__(self, transport: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._parts: list[bytes] = []
        self.is_closing = transport.is_closing

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def close(self) -> None:
        """Send what was written, and close."""
        self.flush()
        self._transport.close()

    def write(self, data: bytes) -> None:
        """Send something soon."""
        if not self._parts:
            self._loop.call_soon(self.flush)
        self._parts.append(data)

    def flush(self) -> None:
        """Send what was written."""
        if self._parts:
            parts, self._parts = self._parts, []
            self._transport.write(parts[0] if len(parts) == 1 else b"".join(parts))


@attrs.define(slots=True, eq=False)
class Guard:
    """The connections of a server."""

    state: ServerState
    metrics: Metrics
    waiting: dict[Any, float] = attrs.field(factory=dict, init=False)
    """Those that wait for the head of a request, the longest first; and since when they have been silent."""
    open: set[Any] = attrs.field(factory=set, init=False)

    @property
    def most(self) -> int:
        """How many connections there may be."""
        return most_connections(self.state.spec)

    def admit(self, connection: Any) -> bool:
        """Count a connection that was made; tell whether there is room, which an idle one may have to make."""
        if len(self.open) >= self.most:
            idle = next(iter(self.waiting), None)
            if idle is None:
                connection.transport.write(_FULL)
                connection.transport.close()
                return False
            self.metrics.evicted += 1
            self.forget(idle)
            idle.transport.abort()
        self.open.add(connection)
        self.metrics.connections = len(self.open)
        return True

    def forget(self, connection: Any) -> None:
        """Count a connection no more."""
        self.open.discard(connection)
        self.waiting.pop(connection, None)
        self.metrics.connections = len(self.open)

    async def watch(self) -> None:
        """Look at the connections until cancelled."""
        while True:
            await asyncio.sleep(EVERY)
            self.look(asyncio.get_running_loop().time())

    def look(self, now: float) -> None:
        """Cut off those whose peers are too slow."""
        spec = self.state.spec
        for connection in tuple(self.open):
            if connection.too_slow(now, spec):
                self.metrics.overdue += 1
                connection.cut_off()


def most_connections(spec: ServeSpec) -> int:
    """Return how many connections there may be: what the configuration says, as far as open files allow."""
    try:
        import resource

        files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    except ImportError:  # not every system has such a limit
        files = 8192
    room = max(8, files - _RESERVED) if files != -1 else 1 << 20
    return room if spec.connections is None else min(spec.connections, room)


def guarded(base: type[asyncio.Protocol], guard: Guard) -> type[asyncio.Protocol]:  # noqa: C901 - one class
    """Return uvicorn's protocol with an eye on the time; `base` is one of its two implementations."""

    class Guarded(base):  # type: ignore[misc, valid-type]
        """One connection."""

        head_since: float | None = None
        """When the first byte of a head came, or the connection was made; None while there is none to wait for."""
        heard = False
        """Whether its peer has ever said anything."""
        seen: Any = None
        """The request that the last look saw, and when it was first seen."""
        seen_at = 0.0
        stuck_since: float | None = None
        """When its peer stopped to read."""

        def connection_made(self, transport: Any) -> None:
            super().connection_made(Corked(transport, self.loop))
            if guard.admit(self):
                self.head_since = guard.waiting[self] = self.loop.time()

        def connection_lost(self, exc: Exception | None) -> None:
            guard.forget(self)
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            before, self.heard = self.cycle, True
            if self.head_since is None and (before is None or before.response_complete):
                self.head_since = self.loop.time()
            super().data_received(data)
            if self.cycle is not before:
                self.head_since = None
                guard.waiting.pop(self, None)

        def on_response_complete(self) -> None:
            self.transport.flush()
            guard.waiting[self] = self.loop.time()
            super().on_response_complete()
            if self.cycle is not None and not self.cycle.response_complete:  # the next request was there already
                guard.waiting.pop(self, None)

        def pause_writing(self) -> None:
            self.stuck_since = self.loop.time()
            super().pause_writing()

        def resume_writing(self) -> None:
            self.stuck_since = None
            super().resume_writing()

        def too_slow(self, now: float, spec: ServeSpec) -> bool:
            """Tell whether its peer has had all the time that it may take."""
            if self.head_since is not None and now - self.head_since > spec.header_timeout:
                return True
            if self.stuck_since is not None and now - self.stuck_since > spec.body_timeout:
                return True
            cycle = self.cycle
            if cycle is None or cycle.response_complete or not cycle.more_body:
                return False
            if cycle is not self.seen:
                self.seen, self.seen_at = cycle, now
            return now - float(self.seen_at) > spec.body_timeout

        def cut_off(self) -> None:
            """End the connection, with a word where there is room for one."""
            started = self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete
            if self.stuck_since is not None or started or self.transport.is_closing():
                self.transport.abort()
                return
            if self.heard:
                self.transport.write(_LATE)
            self.transport.close()

    return Guarded
