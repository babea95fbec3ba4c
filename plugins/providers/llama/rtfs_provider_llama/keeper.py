"""Keeps the child: a thread with an event loop, a queue, one request at a time, restarts with back-off, idle unload.

Callers come from any event loop and any thread. A child that dies, hangs or may take no more memory costs the one
request that it was at; those that wait are asked of the next child.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeVar

import attrs

from rtfs_provider_llama.process import Child, ChildDiedError

T = TypeVar("T")

_FIRST_WAIT, _LONGEST_WAIT = 0.25, 30.0


class BusyError(Exception):
    """As many requests wait as may."""


class ClosedError(Exception):
    """The provider was closed."""


class DownError(Exception):
    """The model could not be loaded, and it is too early to try again."""

    def __init__(self, why: str, wait: float) -> None:
        super().__init__(why)
        self.wait = wait


class DeafError(Exception):
    """Who was told the pieces of an answer raised an error; the computation is stopped."""


@attrs.frozen(slots=True, kw_only=True)
class Bounds:
    """How the child is kept."""

    queue: int
    load: float
    patience: float
    idle: float | None


@attrs.define(slots=True, eq=False)
class Errand:
    """What waits for its turn: a request, or, without a message, that the model be loaded or unloaded."""

    message: dict[str, Any] | None
    on_piece: Callable[[str], None] | None
    deadline: float
    ended: asyncio.Future[dict[str, Any]]
    unload: bool = False

    def heard(self, piece: str) -> None:
        """Pass on a piece of the answer, while somebody waits for it; who fails to listen gets no answer."""
        if self.on_piece is None or self.ended.done():
            return
        try:
            self.on_piece(piece)
        except Exception as error:  # noqa: BLE001 - the listener's own, such as a loop that was closed
            self.ended.set_exception(DeafError(f"its listener failed: {type(error).__name__}: {error}"))


class Keeper:
    """The child's keeper. `make` returns the message that loads the model; what it raises is told to who asks."""

    def __init__(
        self, name: str, make: Callable[[], dict[str, Any]], environ: Mapping[str, str], bounds: Bounds
    ) -> None:
        self._name, self._make, self._environ, self._bounds = name, make, environ, bounds
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._closed = False
        self._errands: deque[Errand] = deque()
        self._came: asyncio.Event | None = None
        self._serving: asyncio.Task[None] | None = None
        self._under_way: Errand | None = None
        self._child: Child | None = None
        self._about: dict[str, Any] = {}
        self._failures = 0
        self._not_before = 0.0
        self._why_down = ""
        self.restarts = 0

    # ------------------------------------------------------------------ from any thread

    async def ask(
        self, message: dict[str, Any], seconds: float, on_piece: Callable[[str], None] | None = None
    ) -> dict[str, Any]:
        """Return what the child answers within some seconds; a caller that is cancelled stops the computation.

        Raises:
            BusyError: Too many wait.
            TimeoutError: There was no answer in time.
            ChildDiedError, ChildFailedError, DownError, ClosedError: What became of it.
        """
        return await asyncio.wrap_future(self._submit(self._errand(message, seconds, on_piece)))

    def run(self, *, unload: bool, seconds: float) -> None:
        """Load the model, or unload it; wait for that."""
        self._submit(self._errand(None, seconds, None, unload=unload)).result()

    def ping(self, seconds: float) -> bool:
        """Return whether there is a model in memory; if so, its process has answered."""
        if self._loop is None:
            return False
        return self._submit(self._pinged(seconds)).result()

    @property
    def loaded(self) -> bool:
        """Whether the model is in memory."""
        return self._child is not None and self._child.alive and bool(self._about)

    @property
    def about(self) -> Mapping[str, Any]:
        """What the child said of the model when it was loaded last."""
        return self._about

    @property
    def queued(self) -> int:
        """How many wait for their turn."""
        return len(self._errands)

    def memory(self) -> int | None:
        """Return the bytes that the child holds."""
        child = self._child
        return None if child is None else child.memory()

    def close(self) -> None:
        """End the child and the thread."""
        with self._starting:
            self._closed = True
            loop, thread = self._loop, self._thread
        if loop is None or thread is None or not thread.is_alive():
            return
        asyncio.run_coroutine_threadsafe(self._end(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()

    def _submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        with self._starting:
            if self._closed:
                work.close()
                raise ClosedError("it was closed")
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=self._turn, args=(self._loop,), name=f"llama {self._name}", daemon=True
                )
                self._thread.start()
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    @staticmethod
    def _turn(loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_forever()
        finally:
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()

    # ------------------------------------------------------------------ in the keeper's loop

    async def _errand(
        self,
        message: dict[str, Any] | None,
        seconds: float,
        on_piece: Callable[[str], None] | None,
        *,
        unload: bool = False,
    ) -> dict[str, Any]:
        """Wait for a turn and for what comes of it."""
        loop = asyncio.get_running_loop()
        if message is not None and len(self._errands) >= self._bounds.queue:
            raise BusyError(f"{len(self._errands)} requests wait already ('queue')")
        errand = Errand(message, on_piece, loop.time() + seconds, loop.create_future(), unload)
        if self._came is None:
            self._came = asyncio.Event()
            self._serving = asyncio.create_task(self._serve(self._came))
        self._errands.append(errand)
        self._came.set()
        try:
            return await asyncio.wait_for(errand.ended, seconds)
        except asyncio.TimeoutError as error:
            raise TimeoutError from error
        finally:
            if errand in self._errands:  # `remove` of what is not there would write all of it down for its message
                self._errands.remove(errand)

    async def _serve(self, came: asyncio.Event) -> None:
        """Take one errand after the other; without any for long, let the model go."""
        while True:
            if not self._errands:
                came.clear()
                idle = self._bounds.idle if self._child is not None else None
                try:
                    await asyncio.wait_for(came.wait(), idle)
                except asyncio.TimeoutError:
                    await self._unload()
                continue
            errand = self._under_way = self._errands.popleft()
            if not errand.ended.done():
                await self._carry_out(errand)
            self._under_way = None

    async def _carry_out(self, errand: Errand) -> None:
        try:
            if errand.unload:
                await self._unload()
                result: dict[str, Any] = {}
            else:
                child = await self._ready(errand)
                result = {} if errand.message is None else await self._asked(child, errand, errand.message)
        except Exception as error:  # noqa: BLE001 - whoever waits is told
            if not errand.ended.done():
                errand.ended.set_exception(error)
        else:
            self._failures = 0
            if not errand.ended.done():
                errand.ended.set_result(result)

    async def _asked(self, child: Child, errand: Errand, message: dict[str, Any]) -> dict[str, Any]:
        """Ask the child; when nobody waits any more it is told to stop, and ended if it does not."""
        seconds = max(errand.deadline - asyncio.get_running_loop().time(), 0.0)
        number, answer = child.ask({**message, "seconds": seconds}, errand.heard)
        await asyncio.wait({answer, errand.ended}, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            child.cancel(number)
            await asyncio.wait({answer}, timeout=self._bounds.patience)
            if not answer.done():
                child.kill()
        try:
            return await answer
        except ChildDiedError:
            await self._lost(child)
            raise

    async def _ready(self, errand: Errand) -> Child:
        """Return a child with the model loaded."""
        child = self._child
        if child is not None:
            if child.alive:
                return child
            await self._lost(child)
        loop = asyncio.get_running_loop()
        wait = self._not_before - loop.time()
        if wait > 0:
            if self._why_down:
                raise DownError(self._why_down, wait)
            await _until(errand.ended, wait)
            if errand.ended.done():
                raise TimeoutError
        return await self._load()

    async def _load(self) -> Child:
        try:
            message = self._make()
            child = self._child = await Child.start(self._environ)
            _, answer = child.ask({**message, "do": "load", "scratch": child.scratch})
            self._about = await self._in_time(answer)
        except ChildDiedError:
            self._why_down = ""
            await self._lost(self._child)
            raise
        except Exception as error:
            await self._lost(self._child)
            self._why_down = str(error)
            raise
        self._why_down = ""
        return child

    async def _in_time(self, answer: asyncio.Future[dict[str, Any]]) -> dict[str, Any]:
        """Return what the child says of the model that it has loaded."""
        done, _ = await asyncio.wait({answer}, timeout=self._bounds.load)
        if not done:
            raise DownError(f"the model was not loaded within {self._bounds.load:g} s ('load')", 0.0)
        return await answer

    async def _lost(self, child: Child | None) -> None:
        """Put a child away that is of no use any more; the next one starts after a while."""
        loop = asyncio.get_running_loop()
        self._failures += 1
        self.restarts += child is not None and not child.alive
        self._not_before = loop.time() + min(_FIRST_WAIT * 2 ** (self._failures - 1), _LONGEST_WAIT)
        if child is not None:
            child.kill()
        await self._unload()

    async def _unload(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            await child.stop()

    async def _pinged(self, seconds: float) -> bool:
        child = self._child
        if child is None or not child.alive:
            return False
        _, answer = child.ask({"do": "ping"})
        await asyncio.wait_for(answer, seconds)
        return True

    async def _end(self) -> None:
        if self._serving is not None:
            self._serving.cancel()
            with suppress(asyncio.CancelledError):
                await self._serving
        for errand in (self._under_way, *self._errands):
            if errand is not None and not errand.ended.done():
                errand.ended.set_exception(ClosedError("it was closed"))
        await self._unload()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        if others:  # those that wait for their errands; they are being told
            await asyncio.wait(others)


async def _until(ended: asyncio.Future[Any], seconds: float) -> None:
    """Wait some seconds, or until somebody gives up."""
    await asyncio.wait({ended}, timeout=seconds)
