"""A socket to listen on, bound before anything is said of it."""

from __future__ import annotations

import socket

BACKLOG = 16
"""Connections that are accepted in one turn of the loop: each turn may do so before those of the last are counted."""


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that is bound, for a server; port 0 is any that is free.

    Raises:
        OSError: The address is in use, or is none of this machine.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    made = socket.socket(family, kind, protocol)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(BACKLOG)
    except BaseException:
        made.close()
        raise
    made.setblocking(False)
    return made
