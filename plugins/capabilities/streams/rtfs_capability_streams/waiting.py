"""Waiting for items and for room: between two looks nobody holds a thread, and who is cancelled has taken nothing.

A look is work on the file, in one of a few threads. A reader of a queue looks again only after the file has changed,
which one look tells for all of them; other sources change beside the file.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import attrs

from rtfs_capability_streams.rows import Batch, QueueFull
from rtfs_framework.api import CapabilityError

LOOK = 0.02
"""Seconds between two looks at a queue or file that others fill, at first."""
MOST_LOOK = 0.25
"""Seconds between them later."""
_PAUSE = 0.001
"""Seconds between two looks at a source that has more: others come to the file."""
_THREADS = 4
Result = TypeVar("Result")


@attrs.define(slots=True, eq=False)
class Patience:
    """Waits for the calls of one set."""

    clock: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    version: Callable[[], int]
    """Grows with each change of the file."""
    _threads: ThreadPoolExecutor = attrs.field(init=False)
    _seen: int = attrs.field(default=-1, init=False)
    _seen_at: float = attrs.field(default=float("-inf"), init=False)

    @_threads.default
    def _made(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(_THREADS, "rtfs-streams")

    def close(self) -> None:
        """Wait for the looks under way, and for what is to be taken back."""
        self._threads.shutdown()

    async def look(self, work: Callable[[], Result], undo: Callable[[], None] | None = None) -> Result:
        """Do some work in a thread. Where nobody waits for it any more, `undo` takes back what it took."""
        begun = self._threads.submit(work)
        try:
            return await asyncio.wrap_future(begun)
        except asyncio.CancelledError:
            if undo is not None:
                begun.add_done_callback(lambda done: self._undo(done, undo))
            raise

    def _undo(self, done: Future[Result], undo: Callable[[], None]) -> None:
        if done.cancelled() or done.exception() is not None:
            return
        try:
            self._threads.submit(undo)
        except RuntimeError:  # the host closes, and waits for the thread of this look
            undo()

    async def until_there(
        self, give: Callable[[], Batch], undo: Callable[[], None], last: float, first: Batch | None = None
    ) -> Batch:
        """Return a batch that has items, or the last look when the stream's time to wait is over.

        It ends at `last`, which only a source that has more outlasts the stream's own time for; `first` was looked at.
        """
        batch = await self.look(give, undo) if first is None else first
        end, delay, seen = min(last, self.clock() + batch.stream.wait), LOOK, -1
        while not batch.items and not batch.done and self.clock() < (last if batch.cut else end):
            await self.sleep(_PAUSE if batch.cut else delay)
            delay = delay if batch.stream.asks else min(delay * 1.25, MOST_LOOK)
            if batch.stream.source[0] == "queue" and not batch.cut and self.clock() < end:
                before, seen = seen, await self._changed()
                if seen == before:
                    continue
            batch = await self.look(give, undo)
        return batch

    async def _changed(self) -> int:
        """Return the version of the file, looked at once for all who ask within one look's time."""
        now = self.clock()
        if now - self._seen_at >= LOOK:
            self._seen_at = now
            self._seen = await self.look(self.version)
        return self._seen

    async def room(self, work: Callable[[], Result], end: float) -> Result:
        """Do something as soon as the queue that it needs has room."""
        delay = LOOK
        while True:
            try:
                return await self.look(work)
            except QueueFull as full:
                if self.clock() >= end:
                    problem = f"the queue {full.args[0]!r} is full, and nobody took an item in time"
                    raise CapabilityError(problem, "ResourceError") from None
            await self.sleep(delay)
            delay = min(delay * 1.25, MOST_LOOK)
