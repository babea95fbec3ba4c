"""A server that listens: uvicorn with the bounds of the configuration, until it is told to end."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import uvicorn

from rtfs_framework.server.app import served_app

if TYPE_CHECKING:
    from pathlib import Path

    from rtfs_framework.server.state import ServerState


def make_server(state: ServerState, *, cert: Path | None = None, key: Path | None = None) -> uvicorn.Server:
    """Return a server that has not begun; `serve(sockets=...)` runs it."""
    config = uvicorn.Config(
        served_app(state),
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=int(state.spec.idle_timeout),
        timeout_graceful_shutdown=max(1, round(state.spec.drain)),
        ssl_certfile=cert,
        ssl_keyfile=key,
    )
    return uvicorn.Server(config)


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that is bound, for a server; port 0 is any that is free."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        made.listen(2048)
    except BaseException:
        made.close()
        raise
    made.setblocking(False)
    return made
