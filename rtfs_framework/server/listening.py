"""A server that listens: uvicorn, the eye on its connections, and an end at which nothing is lost.

The end has three parts. For `lame_duck` seconds everything is served as before, but `/readyz` says 503 and each answer
closes its connection, so that who sends requests goes elsewhere. Then nobody is let in any more: whom the system has
let in already is taken over first, for it would cut them off with the socket. What is under way has `drain` seconds.
What still runs after that is cancelled.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn

from rtfs_framework.server.admission import Admission
from rtfs_framework.server.app import make_app
from rtfs_framework.server.guarding import Guard, guarded
from rtfs_framework.server.sockets import BACKLOG

if TYPE_CHECKING:
    from rtfs_framework.server.state import ServerState

_QUEUE = 1024
"""Those that the system keeps until they are."""
_QUIET, _UNHEARD = 0.2, 2.0
"""Seconds in which a request that is on its way arrives; and how long a peer has that has said nothing yet."""


class Server(uvicorn.Server):
    """uvicorn's server; signals are the business of whoever runs it."""

    def __init__(self, config: uvicorn.Config, state: ServerState, guard: Guard) -> None:
        super().__init__(config)
        self.state = state
        self.guard = guard
        self.ready: Callable[[], None] = lambda: None
        """Called when requests are served."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone: uvicorn would raise them again at the end, before anything is closed."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen; uvicorn makes the system's queue as short as one turn of its loop."""
        await super().startup(sockets)
        for each in sockets or ():
            each.listen(_QUEUE)

    async def main_loop(self) -> None:
        """Serve until it is to end."""
        watch = asyncio.ensure_future(self.guard.watch())
        self.ready()
        try:
            await super().main_loop()
        finally:
            watch.cancel()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End: let who asks go elsewhere, let nobody in, let what is under way end."""
        self.state.draining = True
        if not self.force_exit:
            await asyncio.sleep(self.state.spec.lame_duck)
        late = [found for each in sockets or () for found in _queued(each)]
        for server in self.servers:
            server.close()
        if not self.force_exit:
            await self._take_over(late)
        for each in late if self.force_exit else ():
            each.close()
        await super().shutdown(sockets)

    async def _take_over(self, connections: list[socket.socket]) -> None:
        """Serve connections that came last, and wait for the requests that are on their way."""
        loop, config = asyncio.get_running_loop(), self.config

        made: Any = config.http_protocol_class

        def protocol() -> Any:
            return made(config=config, server_state=self.server_state, app_state=self.lifespan.state)

        for each in connections:
            with contextlib.suppress(OSError):  # it went away by itself
                await loop.connect_accepted_socket(protocol, each, ssl=config.ssl)
        for _ in range(round(_UNHEARD / _QUIET)):
            await asyncio.sleep(_QUIET)
            if all(each.heard for each in self.guard.waiting):
                return


def _queued(listening: socket.socket) -> Iterator[socket.socket]:
    """Yield the connections that the system has accepted and nobody has taken yet."""
    while True:
        try:
            made, _ = listening.accept()
        except OSError:  # there is none, or there can be no more
            return
        made.setblocking(False)
        yield made


def make_server(state: ServerState, *, cert: Path | None = None, key: Path | None = None, log: Any = None) -> Server:
    """Return a server that has not begun; `serve(sockets=[listen(...)])` runs it.

    Raises:
        OSError: A file of the certificate cannot be read.
        ssl.SSLError: It is no certificate, or not that of the key.
    """
    guard = Guard(state, state.metrics)
    config = uvicorn.Config(
        Admission(make_app(state), state, log),
        http=guarded(_parser(), guard),
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        proxy_headers=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=max(1, round(state.spec.idle_timeout)),
        timeout_graceful_shutdown=max(1, round(state.spec.drain)),
        ssl_certfile=cert,
        ssl_keyfile=key,
        ssl_context_factory=None if cert is None else _context,
    )
    config.load()
    return Server(config, state, guard)


def _context(config: uvicorn.Config, _usual: Any) -> ssl.SSLContext:
    """Return what TLS is spoken by: version 1.2 and later, and what Python takes for sound."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(str(config.ssl_certfile), config.ssl_keyfile and str(config.ssl_keyfile))
    context.set_alpn_protocols(["http/1.1"])
    return context


def _parser() -> type[asyncio.Protocol]:
    """Return uvicorn's protocol: the quick one, where httptools is installed."""
    try:
        from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
    except ImportError:
        from uvicorn.protocols.http.h11_impl import H11Protocol

        return H11Protocol
    return HttpToolsProtocol
