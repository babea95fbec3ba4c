"""What every request passes: is there room, is its body small enough, and which configuration does it begin with."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any

from rtfs_framework.server.problems import INTERNAL, MALFORMED, TOO_LARGE, Problem, busy

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from rtfs_framework.server.state import ServerState

_ALWAYS = frozenset({"/healthz", "/readyz", "/metrics"})
"""What is answered however busy the server is, also while it ends."""
_CLOSE = (b"connection", b"close")


class Admission:
    """Lets requests in, as many at once as the configuration says; others are told when to come back."""

    def __init__(self, app: ASGIApp, state: ServerState, log: Any = None) -> None:
        self._app = app
        self._state = state
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state, metrics, began = self._state, self._state.metrics, perf_counter()
        status = 0

        async def told(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if state.draining:
                    message["headers"] = [*message.get("headers", ()), _CLOSE]
            await send(message)

        with state.lease() as generation:
            path = scope["path"]
            if path in _ALWAYS:
                await self._app(scope, receive, told)
            elif metrics.running >= generation.spec.concurrency:
                await _tell(told, busy(f"{metrics.running} requests are under way, as many as this server takes"))
            else:
                metrics.running += 1
                try:
                    await self._app(scope, receive, told)
                except Exception as error:  # noqa: BLE001 - a bug of ours: the log has it, the caller gets a code
                    await self._bug(error, told, started=bool(status))
                finally:
                    metrics.running -= 1
        metrics.note(_kind(path), status, perf_counter() - began)

    async def _bug(self, error: Exception, send: Send, *, started: bool) -> None:
        if self._log is not None:
            self._log.error("request.failed", exc_info=error)
        if started:
            raise error
        await _tell(send, Problem(500, INTERNAL, "a bug of the server; its log has the details", kind="InternalError"))


def _kind(path: str) -> str:
    """Return the kind of an address: nothing that a caller wrote."""
    if path == "/v1/rtfs/run":
        return "run"
    if path.startswith("/v1/rtfs/"):
        return "rtfs"
    return "openai" if path.startswith("/v1/") else "other"


async def _tell(send: Send, problem: Problem) -> None:
    body = problem.body()
    headers = [(name.lower().encode(), value.encode()) for name, value in problem.headers.items()]
    headers += [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def body_of(request: Request) -> bytes:
    """Return the body of a request; no more of it is ever held than may come. (`guarding` minds its time.)

    Raises:
        Problem: 413, it is too large; 400, the client has gone.
    """
    most: int = request.app.state.rtfs.spec.body
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > most:
        raise _too_large(most)
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise Problem(400, MALFORMED, "the client has gone", kind="Disconnected")
        piece = message.get("body", b"")
        size += len(piece)
        if size > most:
            raise _too_large(most)
        if piece:
            pieces.append(piece)
        if not message.get("more_body", False):
            return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _too_large(most: int) -> Problem:
    message = f"the body has more than {most:,} bytes"
    return Problem(413, TOO_LARGE, message, kind="TooLarge", headers={"Connection": "close"})
