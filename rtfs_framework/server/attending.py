"""Somebody waits for what is made: when they go, or their time is over, it is ended, and its record says why."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

from rtfs_framework.server.problems import disconnected

if TYPE_CHECKING:
    from starlette.types import Receive

    from rtfs_framework.orchestrator.recording.purse import Stopping

T = TypeVar("T")
Gone = Callable[[], Awaitable[None]]
"""Waits until nobody waits any more."""
GONE, OVER, ENDING = "the client has gone", "the time of the request is over", "the server ends"


def leaving(receive: Receive) -> Gone:
    """Return what waits until a client goes whose request has been read."""

    async def gone() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    return gone


async def staying() -> None:
    """Wait for ever: what is made is ended by whoever makes it."""
    await asyncio.get_running_loop().create_future()


async def attended(making: Awaitable[T], gone: Gone, stopping: Stopping, seconds: float | None = None) -> T:
    """Return what is made. It is cancelled, and has ended when this does, where nobody waits for it any more.

    Raises:
        Problem: The client has gone, so nobody reads this.
        asyncio.TimeoutError: It takes longer than so many seconds.
    """
    task, left = asyncio.ensure_future(making), asyncio.ensure_future(gone())
    try:
        await asyncio.wait([task, left], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        stopping.why = GONE if left.done() else OVER
        if left.done():
            raise disconnected()
        raise asyncio.TimeoutError
    finally:
        if not task.done():
            stopping.why = stopping.why or ENDING
        await stopped(task, left)


async def stopped(*tasks: asyncio.Future[Any]) -> None:
    """Cancel what has not ended, and wait until it has; what became of that is nobody's any more."""
    under_way = [each for each in tasks if not each.done()]
    for each in under_way:  # all of them before the first is waited for: whoever waits may be cancelled, too
        each.cancel()
    if under_way:
        await asyncio.wait(under_way)
    for each in tasks:
        if each.done() and not each.cancelled():
            each.exception()
