"""A thread with an event loop, for the sessions with servers: no host waits in it, and no server holds a host up."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import suppress
from threading import Event, Lock, Thread
from typing import TypeVar

import anyio
from anyio.abc import TaskGroup
from anyio.from_thread import BlockingPortal

from rtfs_framework.api import free_at_forks

_JOIN = 10.0
"""Seconds that ending may take; every server is killed before."""

_T = TypeVar("_T")

for _name in ("mcp", "client"):  # what they log holds a server's words; without a handler Python would show it
    logging.getLogger(_name).addHandler(logging.NullHandler())


class McpLoop:
    """The thread; it starts with the first call. In a child of this process, or once it has ended, it starts anew."""

    def __init__(self) -> None:
        self._lock = free_at_forks(Lock())
        self._pid = 0
        self._portal: BlockingPortal | None = None
        self._thread: Thread | None = None
        self._group: TaskGroup | None = None
        self._closed = False

    async def run(self, work: Callable[[TaskGroup], Awaitable[_T]]) -> _T:
        """Return what `work` returns in the loop; who is cancelled here cancels it there.

        `work` gets the group of tasks that go on after it.
        """
        future: Future[_T] = self._started().start_task_soon(self._work, work)
        return await asyncio.wrap_future(future)

    async def _work(self, work: Callable[[TaskGroup], Awaitable[_T]]) -> _T:
        if self._group is None:
            raise RuntimeError("the loop has ended")
        return await work(self._group)

    def _started(self) -> BlockingPortal:
        with self._lock:
            if self._closed:
                raise RuntimeError("it is closed")
            alive = self._thread is not None and self._thread.is_alive()  # it ends when something breaks in it
            if self._portal is None or self._pid != os.getpid() or not alive:
                self._start()
            if self._portal is None:
                raise RuntimeError("the loop did not start")
            return self._portal

    def _start(self) -> None:
        began, self._portal = Event(), None
        self._thread = Thread(target=anyio.run, args=(self._main, began), name="rtfs-mcp", daemon=True)
        self._pid = os.getpid()
        self._thread.start()
        began.wait()

    async def _main(self, began: Event) -> None:
        try:
            async with anyio.create_task_group() as group:
                self._group = group
                async with BlockingPortal() as portal:
                    self._portal = portal
                    began.set()
                    await portal.sleep_until_stopped()
                group.cancel_scope.cancel()
        finally:
            began.set()

    def close(self) -> None:
        """End all sessions, and with them the servers that were started."""
        with self._lock:
            self._closed = True
            portal, thread, mine = self._portal, self._thread, self._pid == os.getpid()
        if portal is None or thread is None or not mine:
            return
        with suppress(RuntimeError):
            portal.start_task_soon(portal.stop, True)
        thread.join(_JOIN)
