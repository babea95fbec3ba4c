"""The server at work: on the standard streams, or over HTTP on loopback, where each request needs a client's token."""

from __future__ import annotations

import secrets
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import attrs
import uvicorn

from rtfs_framework.cli.mcp.clients import Clients, holder
from rtfs_framework.cli.mcp.server import Front
from rtfs_framework.cli.mcp.unread import Answering
from rtfs_framework.orchestrator.config.agents import McpClientSpec
from rtfs_framework.server.auth import digest_of

if TYPE_CHECKING:
    from mcp.server.context import ServerRequestContext
    from starlette.types import ASGIApp, Receive, Scope, Send

HOST, PATH = "127.0.0.1", "/mcp"
_ENVELOPE = 64 << 10
"""Bytes of a request besides its program."""
_SESSIONS, _IDLE = 256, 30 * 60.0
"""Sessions of HTTP at once, and the seconds after which an idle one is closed."""
_REFUSED = b'{"error": {"code": "E0988", "message": "a bearer token of [mcp.clients] is wanted"}}'


async def serve_streams(clients: Clients, client: McpClientSpec, listen: Callable[[Front], None]) -> None:
    """Serve one client on the standard streams until it closes them."""
    from mcp.server.stdio import stdio_server

    front = Front(clients, lambda _: client)
    listen(front)
    server = front.server()
    async with stdio_server() as (reading, writing):
        await server.run(Answering(reading, writing), writing, server.create_initialization_options())


async def serve_http(
    clients: Clients,
    known: tuple[McpClientSpec, ...],
    listener: socket.socket,
    ready: Callable[[str], None],
    listen: Callable[[Front], None],
) -> None:
    """Serve clients over HTTP on a socket until a signal ends it; `ready` is told the address."""
    front = Front(clients, _of_request)
    listen(front)
    app = front.server().streamable_http_app(
        streamable_http_path=PATH,
        max_request_body_size=clients.bounds.program + _ENVELOPE,
        session_idle_timeout=_IDLE,
        max_sessions=_SESSIONS,
        host=HOST,
    )
    config = uvicorn.Config(_Door(app, known), log_config=None, access_log=False, lifespan="on")
    server = _Server(config)
    port = listener.getsockname()[1]
    server.ready = lambda: ready(f"http://{HOST}:{port}{PATH}")
    await server.serve(sockets=[listener])


def own_client() -> tuple[McpClientSpec, str]:
    """Return a client for a server that knows none, and its token, which is shown once."""
    token = secrets.token_urlsafe(32)
    return McpClientSpec(name="http", sha256=digest_of(token)), token


def _of_request(context: ServerRequestContext[Any]) -> McpClientSpec:
    request = context.request
    assert request is not None  # noqa: S101 - requests of HTTP have one
    found: McpClientSpec = request.scope["rtfs.client"]
    return found


@attrs.define(slots=True, eq=False)
class _Door:
    """Lets in who has a token, and tells the SDK who that is, so that no client can use another one's session."""

    app: ASGIApp
    known: tuple[McpClientSpec, ...]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            header = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
            client = holder(header, self.known)
            if client is None:
                await _refuse(send)
                return
            scope = {**scope, "rtfs.client": client, "user": _user(client)}
        await self.app(scope, receive, send)


def _user(client: McpClientSpec) -> Any:
    from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
    from mcp.server.auth.provider import AccessToken

    return AuthenticatedUser(AccessToken(token="", client_id=client.name, scopes=[]))


async def _refuse(send: Send) -> None:
    headers = [(b"content-type", b"application/json"), (b"www-authenticate", b"Bearer")]
    headers.append((b"content-length", b"%d" % len(_REFUSED)))
    await send({"type": "http.response.start", "status": 401, "headers": headers})
    await send({"type": "http.response.body", "body": _REFUSED})


class _Server(uvicorn.Server):
    """uvicorn's server, which says when it serves, and whose end by a signal leaves time to close what is open."""

    ready: Callable[[], None] = staticmethod(lambda: None)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """End at the first signal; uvicorn would raise it again before the journal is closed."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {each: signal.signal(each, self.handle_exit) for each in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)
