"""One thread at a time computes in a program: its values may be shared, its globals are.

A thread that calls synchronously waits for its turn; a task tries again shortly, so that its loop goes on. A turn lasts
as long as nothing is awaited. While it lasts, Python's stack may be as deep as the program's limits say.
"""

from __future__ import annotations

import threading

import attrs

from rtfs_framework.lang.recursion import give_room_back, needs_room, take_room
from rtfs_framework.orchestrator.concurrency.loops import let_other_threads

_AGAIN_SECONDS = 0.001


@attrs.define(slots=True, eq=False)
class ProgramLock:
    """The lock of one program, for `with` and `async with`; a thread that has it may take it again."""

    frames: int
    _lock: threading.RLock = attrs.field(factory=threading.RLock, init=False)
    _deep: bool = attrs.field(init=False)

    @_deep.default
    def _needs_room(self) -> bool:
        return needs_room(self.frames)

    def __enter__(self) -> None:
        self._lock.acquire()
        if self._deep:
            take_room(self.frames)

    def __exit__(self, *_: object) -> None:
        if self._deep:
            give_room_back(self.frames)
        self._lock.release()

    async def __aenter__(self) -> None:
        let_other_threads()
        while not self._lock.acquire(blocking=False):
            from anyio import sleep

            await sleep(_AGAIN_SECONDS)
        if self._deep:
            take_room(self.frames)

    async def __aexit__(self, *_: object) -> None:
        self.__exit__()
