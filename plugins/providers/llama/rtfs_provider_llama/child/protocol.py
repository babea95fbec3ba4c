"""The protocol between the host and the child: frames of a length and JSON, on a socket.

To the child: {"do": "load" | "answer" | "ping", "id": n, ...}, {"do": "cancel", "id": n}. Back: {"id": n} with exactly
one of `piece` (any number of them, before the end), `ended` (an object), `failed` ({"kind", "message"}).
"""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Callable
from typing import Any

_LENGTH = struct.Struct(">I")
MOST = 64 * 1024 * 1024
"""Bytes of the largest frame."""


class ProtocolError(Exception):
    """What arrived is no frame."""


def pack(message: dict[str, Any]) -> bytes:
    """Return a message as a frame.

    Raises:
        ProtocolError: It is too large.
    """
    data = json.dumps(message, separators=(",", ":")).encode()
    if len(data) > MOST:
        raise ProtocolError(f"a message of {len(data)} bytes; at most {MOST} are carried")
    return _LENGTH.pack(len(data)) + data


def length_of(head: bytes) -> int:
    """Return how many bytes follow a frame's head.

    Raises:
        ProtocolError: More than any frame has.
    """
    (length,) = _LENGTH.unpack(head)
    if length > MOST:
        raise ProtocolError(f"a frame of {length} bytes")
    return int(length)


def unpack(data: bytes) -> dict[str, Any]:
    """Return the message of a frame's body.

    Raises:
        ProtocolError: It holds none.
    """
    try:
        message = json.loads(data)
    except ValueError as error:
        raise ProtocolError(f"a frame without JSON: {error}") from error
    if not isinstance(message, dict):
        raise ProtocolError("a frame without an object")
    return message


HEAD = _LENGTH.size
OUT_OF_MEMORY = 77
"""The status with which the child ends when it may take no more memory."""


def receive(connection: socket.socket) -> dict[str, Any] | None:
    """Return the next message, None at the end."""
    head = _exactly(connection.recv, HEAD)
    body = None if head is None else _exactly(connection.recv, length_of(head))
    return None if body is None else unpack(body)


def _exactly(read: Callable[[int], bytes], count: int) -> bytes | None:
    parts: list[bytes] = []
    while count:
        part = read(count)
        if not part:
            return None
        parts.append(part)
        count -= len(part)
    return b"".join(parts)
