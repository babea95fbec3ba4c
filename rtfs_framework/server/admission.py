"""What every request passes: is there room, is its body small enough, and which configuration does it begin with."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from rtfs_framework.server.problems import LATE, MALFORMED, TOO_LARGE, Problem, busy

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

    from rtfs_framework.server.state import ServerState

_ALWAYS = frozenset({"/healthz", "/readyz", "/metrics"})
"""What is answered however busy the server is, also while it ends."""


class Admission:
    """Lets requests in, as many at once as the configuration says; others are told when to come back."""

    def __init__(self, app: ASGIApp, state: ServerState) -> None:
        self._app = app
        self._state = state
        self.running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with self._state.lease() as generation:
            if scope["path"] in _ALWAYS:
                await self._app(scope, receive, send)
            elif self._state.draining:
                await _tell(send, busy("the server is about to end", 2.0))
            elif self.running >= generation.spec.concurrency:
                await _tell(send, busy(f"{self.running} requests are under way, as many as this server takes"))
            else:
                self.running += 1
                try:
                    await self._app(scope, receive, send)
                finally:
                    self.running -= 1


async def _tell(send: Send, problem: Problem) -> None:
    body = problem.body()
    headers = [(name.lower().encode(), value.encode()) for name, value in problem.headers.items()]
    headers += [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def body_of(request: Request) -> bytes:
    """Return the body of a request; no more of it is ever held than may come.

    Raises:
        Problem: 413, it is too large; 408, it takes too long.
    """
    spec = request.app.state.rtfs.spec
    most: int = spec.body
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > most:
        raise _too_large(most)
    try:
        return await asyncio.wait_for(_all_of(request.receive, most), spec.body_timeout)
    except asyncio.TimeoutError:
        raise Problem(408, LATE, "the body of the request did not arrive in time", kind="Deadline") from None


async def _all_of(receive: Receive, most: int) -> bytes:
    pieces: list[Any] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Problem(400, MALFORMED, "the client has gone", kind="Disconnected")
        piece = message.get("body", b"")
        size += len(piece)
        if size > most:
            raise _too_large(most)
        if piece:
            pieces.append(piece)
        if not message.get("more_body", False):
            return b"".join(pieces) if len(pieces) != 1 else bytes(pieces[0])


def _too_large(most: int) -> Problem:
    message = f"the body has more than {most:,} bytes"
    return Problem(413, TOO_LARGE, message, kind="TooLarge", headers={"Connection": "close"})
