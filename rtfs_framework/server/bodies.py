"""The bodies of requests: no more of one is ever held than may come, however it comes. (`guarding` minds its time.)"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtfs_framework.server.problems import TOO_LARGE, Problem, disconnected

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import Message, Receive


async def body_of(request: Request) -> bytes:
    """Return the body of a request.

    Raises:
        Problem: 413, it is too large; 400, the client has gone.
    """
    most: int = request.app.state.rtfs.spec.body
    return await read_body(request.receive, request.headers.get("content-length", ""), most)


async def read_body(receive: Receive, length: str, most: int) -> bytes:
    """Return a body; `length` is what the request says of it.

    Raises:
        Problem: 413, it is too large; 400, the client has gone.
    """
    if length.isdecimal() and int(length) > most:
        raise too_large(most)
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise disconnected()
        piece = message.get("body", b"")
        size += len(piece)
        if size > most:
            raise too_large(most)
        if not message.get("more_body", False):
            return b"".join((*pieces, piece)) if pieces else piece
        pieces.append(piece)


def bounded(receive: Receive, most: int) -> Receive:
    """Return what receives a body of so many bytes at most, and raises the problem of a larger one."""
    size = 0

    async def received() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > most:
            raise too_large(most)
        return message

    return received


def too_large(most: int, what: str = "the body") -> Problem:
    """Return the problem of a request that has more bytes than it may."""
    message = f"{what} has more than {most:,} bytes"
    return Problem(413, TOO_LARGE, message, kind="TooLarge", headers={"Connection": "close"})
