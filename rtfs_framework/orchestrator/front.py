"""The synchronous front: one event loop for a session's life, made when something must be waited for.

One loop, so that providers keep their connections from call to call. Ctrl-C raises KeyboardInterrupt where it
happens; what was under way is cancelled and awaited.
"""

from __future__ import annotations

from collections.abc import Coroutine, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from rtfs_framework.lang.errors import RtfsError

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")


@attrs.define(slots=True, eq=False)
class Front:
    """Runs coroutines for synchronous callers."""

    _loop: asyncio.AbstractEventLoop | None = attrs.field(default=None, init=False)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run one coroutine to its end."""
        return self.wait(self.start(coroutine))

    def start(self, coroutine: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Return a task; it advances while something is waited for."""
        try:
            return self._own_loop().create_task(coroutine)
        except BaseException:
            coroutine.close()
            raise

    def wait(self, task: asyncio.Task[T]) -> T:
        """Wait for a task while the others advance."""
        try:
            return self._own_loop().run_until_complete(task)
        except BaseException:
            self.cancel([task])
            raise

    def cancel(self, tasks: Iterable[asyncio.Task[Any]]) -> None:
        """Cancel tasks and wait until they have cleaned up."""
        import asyncio

        left: list[asyncio.Task[Any]] = []
        for task in tasks:
            if not task.done():
                task.cancel()
                left.append(task)
            elif not task.cancelled():
                task.exception()  # asked for, so that asyncio does not report it as forgotten
        if left:
            self._own_loop().run_until_complete(asyncio.gather(*left, return_exceptions=True))

    def close(self) -> None:
        """Close the loop."""
        loop, self._loop = self._loop, None
        if loop is None:
            return
        try:
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.run_until_complete(loop.shutdown_default_executor())
        finally:
            loop.close()

    @property
    def used(self) -> bool:
        """Tell whether anything was ever waited for."""
        return self._loop is not None

    def _own_loop(self) -> asyncio.AbstractEventLoop:
        import asyncio

        if self._loop is None:
            try:
                asyncio.get_running_loop()
            except RuntimeError:
                self._loop = asyncio.new_event_loop()
            else:
                raise RtfsError("the session is used inside a running event loop; there, await session.run_async(...)")
        return self._loop
