"""What every request passes: is there room for it, and with which configuration does it begin."""

from __future__ import annotations

from collections import Counter
from time import perf_counter
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.server.bodies import bounded
from rtfs_framework.server.openai.errors import answer_problem
from rtfs_framework.server.problems import INTERNAL, Problem, busy
from rtfs_framework.server.run_route import RUN, answer_run

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from rtfs_framework.orchestrator.config.serve import ServeSpec
    from rtfs_framework.server.auth import Caller
    from rtfs_framework.server.state import ServerState

_ALWAYS = frozenset({"/healthz", "/readyz", "/metrics"})
"""What is answered however busy the server is, also while it ends."""
_CLOSE = (b"connection", b"close")
_RUN, _DOOR = "run", "openai"


@attrs.define(slots=True, eq=False)
class Places:
    """The requests under way of each tenant and of each token: whoever has their share leaves the rest to others."""

    taken: Counter[tuple[str, str | None]] = attrs.field(factory=Counter, init=False)
    """By tenant and name of the token; by tenant and None for all of them together."""

    def none_left(self, spec: ServeSpec, caller: Caller) -> Problem | None:
        """Return why a caller may have none of the places that are free; None where it may."""
        tenant = caller.tenant
        for name, most, whose in ((None, spec.share, "this tenant"), (caller.name, caller.most, "this token")):
            if most is not None and self.taken[tenant, name] >= most:
                return busy(f"{most} requests of {whose} are under way, as many as it may have at once", status=429)
        return None

    def count(self, caller: Caller, change: int) -> None:
        """Count a request that begins, or ends."""
        self.taken[caller.tenant, None] += change
        self.taken[caller.tenant, caller.name] += change


class Admission:
    """Lets requests in, as many at once as the configuration says; others are told when to come back."""

    def __init__(self, app: ASGIApp, state: ServerState, log: Any = None) -> None:
        self._app = app
        self._state = state
        self._log = log
        self._places = Places()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state, began = self._state, perf_counter()
        told = _Told(state, send)
        with state.lease() as generation:
            path = scope["path"]
            kind = _kind(path)
            try:
                if path in _ALWAYS:
                    await self._app(scope, receive, told)
                else:
                    await self._let_in(generation.spec, kind, scope, receive, told)
            except Exception as error:  # noqa: BLE001 - a bug of ours: the log has it, the caller gets a code
                await self._bug(error, told)
        state.metrics.note(kind, told.status, perf_counter() - began)

    async def _let_in(self, spec: ServeSpec, kind: str, scope: Scope, receive: Receive, send: _Told) -> None:
        """Answer a request if there is a place for it."""
        state, metrics, head = self._state, self._state.metrics, dict(scope["headers"])
        caller = state.holder(head.get(b"authorization", b""))
        if metrics.running >= spec.concurrency:
            full: Problem | None = busy(f"{metrics.running} requests are under way, as many as this server takes")
        else:
            full = None if caller is None else self._places.none_left(spec, caller)
        if full is not None:
            await (answer_problem(full)(scope, receive, send) if kind == _DOOR else _tell(send, full))
            return
        metrics.running += 1
        if caller is not None:
            self._places.count(caller, 1)
        try:
            if kind == _RUN and scope["method"] == "POST":
                await answer_run(state, caller, head, receive, send.whole)
            else:
                await self._app(scope, bounded(receive, spec.body), send)
        finally:
            metrics.running -= 1
            if caller is not None:
                self._places.count(caller, -1)

    async def _bug(self, error: Exception, send: _Told) -> None:
        if self._log is not None:
            self._log.error("request.failed", exc_info=error)
        if send.status:
            raise error
        await _tell(send, Problem(500, INTERNAL, "a bug of the server; its log has the details", kind="InternalError"))


class _Told:
    """Sends an answer, and knows its status. Each closes its connection while the server ends."""

    __slots__ = ("_send", "_state", "status")

    def __init__(self, state: ServerState, send: Send) -> None:
        self._state = state
        self._send = send
        self.status = 0
        """0 until the answer has begun."""

    async def __call__(self, message: Message) -> None:
        """Send a part of an answer."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if self._state.draining:
                message["headers"] = [*message.get("headers", ()), _CLOSE]
        await self._send(message)

    async def whole(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        """Send an answer that is there."""
        self.status = status
        if self._state.draining:
            headers.append(_CLOSE)
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})


def _kind(path: str) -> str:
    """Return the kind of an address: nothing that a caller wrote."""
    if path == RUN:
        return _RUN
    if path.startswith("/v1/rtfs/"):
        return "rtfs"
    return _DOOR if path.startswith("/v1/") else "other"


async def _tell(send: _Told, problem: Problem) -> None:
    body = problem.body()
    headers = [(name.lower().encode(), value.encode()) for name, value in problem.headers.items()]
    headers += [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send.whole(problem.status, headers, body)
