"""Threads for models that cannot be awaited: of their own, so that one that never ends keeps nobody else waiting.

A call that is given up goes on in its thread. Worker threads of the event loop would be used up by such calls, and the
process would wait for them when it ends; these are daemons, and bounded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from threading import Lock, Thread

import attrs

MOST = 64
"""Calls under way at once, those among them that were given up."""


class FullError(Exception):
    """As many calls are under way as may be; says how many."""


@attrs.define(slots=True, eq=False)
class Threads:
    """The threads of one provider."""

    name: str
    busy: int = 0
    _lock: Lock = attrs.field(factory=Lock)

    async def call(self, work: Callable[[], None]) -> None:
        """Call a function in a thread, and wait until it ends; what it raises is raised.

        Raises:
            FullError: There is no room for it.
        """
        with self._lock:
            if self.busy >= MOST:
                raise FullError(self.busy)
            self.busy += 1
        over: Future[None] = Future()
        over.set_running_or_notify_cancel()  # from now on nobody but the thread ends it
        context = copy_context()
        try:
            Thread(target=self._run, args=(context.run, work, over), name=f"rtfs {self.name}", daemon=True).start()
        except RuntimeError as error:  # the system has no more threads
            raise FullError(self._free()) from error
        await asyncio.wrap_future(over)

    def _run(self, call: Callable[[Callable[[], None]], None], work: Callable[[], None], over: Future[None]) -> None:
        try:
            call(work)
        except BaseException as error:  # noqa: BLE001 - whoever waits is told
            self._free()
            over.set_exception(error)
        else:
            self._free()
            over.set_result(None)

    def _free(self) -> int:
        """Note that a call is over; return how many are under way."""
        with self._lock:
            self.busy -= 1
            return self.busy
