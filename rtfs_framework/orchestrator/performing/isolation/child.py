"""The child's side: take one call from the socket, give up what the bounds do not leave, call the handler, answer, end.

Started by `process.py` as `python -I -c ... NUMBER`, where NUMBER is an open socket. It has no environment but what is
named, no other open file, and no standard input or output. The handler's module is imported when all is given up.
"""

from __future__ import annotations

import os
import socket
from inspect import isawaitable
from typing import Any, NoReturn

from rtfs_framework.api.errors import CapabilityError
from rtfs_framework.orchestrator.performing.isolation.bounds import CannotIsolateError, confine
from rtfs_framework.orchestrator.performing.isolation.crossing import (
    CONFINED,
    CannotCrossError,
    Job,
    answer,
    failure,
    request_of,
    unpack,
)

CANNOT_ISOLATE, OUT_OF_MEMORY = 91, 93
"""How it ends where there is no answer; the first with words instead of one."""


def main(number: int) -> None:
    """Do the call of the socket `number`; never returns."""
    with socket.socket(fileno=number) as ends:
        job = unpack(_all_of(ends))
        try:
            confine(job.bounds)
        except CannotIsolateError as error:
            _end(ends, str(error).encode(), CANNOT_ISOLATE)
        ends.sendall(CONFINED)
        try:
            said = answer(_called(job))
        except CannotCrossError as error:
            said = failure(CapabilityError(str(error)))
        except MemoryError:
            os._exit(OUT_OF_MEMORY)
        except BaseException as error:  # noqa: BLE001 - a handler may raise anything; the host judges it
            said = failure(error)
        _end(ends, said, 0)


def _called(job: Job) -> Any:
    made = job.place.find()(request_of(job))
    if not isawaitable(made):
        return made
    import asyncio  # costs more than all else that most children import

    return asyncio.run(_awaited(made))


async def _awaited(made: Any) -> Any:
    return await made


def _all_of(ends: socket.socket) -> bytes:
    pieces = []
    while piece := ends.recv(1 << 20):
        pieces.append(piece)
    return b"".join(pieces)


def _end(ends: socket.socket, said: bytes, status: int) -> NoReturn:
    """Answer, and end without whatever a handler left to be done at the end."""
    try:
        ends.sendall(said)
        ends.shutdown(socket.SHUT_RDWR)
    except OSError:
        status = 1
    os._exit(status)
