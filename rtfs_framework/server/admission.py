"""What every request passes: is there room for it, and with which configuration does it begin."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any

from rtfs_framework.server.bodies import bounded
from rtfs_framework.server.problems import INTERNAL, Problem, busy
from rtfs_framework.server.run_route import RUN, answer_run

if TYPE_CHECKING:
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
                    if path == RUN and scope["method"] == "POST":
                        await answer_run(state, scope, receive, told)
                    else:
                        await self._app(scope, bounded(receive, generation.spec.body), told)
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
    if path == RUN:
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
