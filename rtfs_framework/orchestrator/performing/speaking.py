"""What models say to capabilities, piece by piece: requests that go on beside their run, and end with it.

In: a call of a capability whose entry says `speaks`. Out: a `Speech`. Each is a consultation of that call, so it is
billed, guarded, labelled and written down like any; its task is the run's, whose end gives it up. What guards are to
judge, or how sure the model must be, is told as a whole when it is there.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING

import attrs

from rtfs_framework.api.labels import PUBLIC, Label
from rtfs_framework.lang.errors import ProgramError

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from rtfs_framework.api.targets import LocalModel, RemoteModel
    from rtfs_framework.orchestrator.boundary.answers import Answer
    from rtfs_framework.orchestrator.performing.served import Services
    from rtfs_framework.orchestrator.recording.run_scope import OpenCall


@attrs.define(slots=True, eq=False)
class Spoken:
    """One reply as it comes: told in the thread of plug-ins, taken by any, its request a task of the run's loop."""

    loop: asyncio.AbstractEventLoop
    marks: Label = PUBLIC
    ended: bool = attrs.field(default=False, init=False)
    _error: ProgramError | None = attrs.field(default=None, init=False)
    _told: list[str] = attrs.field(factory=list, init=False)
    """All that came so far."""
    _pieces: deque[str] = attrs.field(factory=deque, init=False)
    _lock: Lock = attrs.field(factory=Lock, init=False)
    _task: asyncio.Task[None] | None = attrs.field(default=None, init=False)
    _stopped: bool = attrs.field(default=False, init=False)

    def pieces(self) -> tuple[str, ...]:
        """Return what has come since.

        Raises:
            ProgramError: Nothing has, and the request has failed.
        """
        with self._lock:
            found = tuple(self._pieces)
            self._pieces.clear()
            if not found and self._error is not None:
                raise self._error
            return found

    def stop(self) -> None:
        """Give the request up."""
        self._stopped = True
        with suppress(RuntimeError):  # its run is over, and so is it
            self.loop.call_soon_threadsafe(self._cancel)

    async def give_up(self, *, for_good: bool) -> None:  # noqa: ARG002 - nobody can hear the rest of it anywhere else
        """Give the request up with its run, and wait until that is written down."""
        self._cancel()
        if self._task is not None:
            import anyio

            with anyio.CancelScope(shield=True):
                await asyncio.gather(self._task, return_exceptions=True)

    def begins(self, opened: OpenCall) -> None:
        """Take the marks of whoever is asked."""
        floating = opened.scope.floating
        if floating is not None:
            self.marks |= floating.brought(opened.record)

    def on_text(self, piece: str) -> None:
        """Take a piece."""
        with self._lock:
            if piece and not self._stopped and not self.ended:
                self._told.append(piece)
                self._pieces.append(piece)

    def go(self, services: Services, opened: OpenCall, target: LocalModel | RemoteModel, text: str) -> None:
        """Begin; called in the run's loop."""
        if self._stopped:
            self._end(_given_up())
            return
        opened.scope.beside.append(self)
        self._task = self.loop.create_task(self._hear(services, opened, target, text))

    async def _hear(self, services: Services, opened: OpenCall, target: LocalModel | RemoteModel, text: str) -> None:
        error: ProgramError | None = _given_up()
        try:
            said = await services.consultations.answer(opened, target, text, self)
            told = "".join(self._told)
            self.on_text(said[len(told) :] if said.startswith(told) else "")  # all, where its provider tells no pieces
            error = None
        except ProgramError as failed:
            error = failed
        finally:
            self._end(error)

    def _end(self, error: ProgramError | None) -> None:
        with self._lock:
            self._error, self.ended = error, True

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()


@attrs.define(slots=True, eq=False)
class Door:
    """Lets one call of a capability ask models, while it is under way."""

    services: Services
    opened: OpenCall
    loop: asyncio.AbstractEventLoop | None = attrs.field(default=None, init=False)
    """The run's, while the call is under way."""

    async def kept_open(self, call: Awaitable[Answer]) -> Answer:
        """Await a call; it may ask models meanwhile."""
        self.loop = asyncio.get_running_loop()
        try:
            return await call
        finally:
            self.loop = None

    def speak(self, model: str, text: str, marks: Label) -> Spoken:
        """Begin to ask a model.

        Raises:
            ProgramError: None of this name is configured, or the call is over.
        """
        target, loop = self.services.model(model), self.loop
        if loop is None:
            raise _given_up()
        spoken = Spoken(loop, self.opened.labels | marks)
        loop.call_soon_threadsafe(self._begin, spoken, target, text)
        return spoken

    def _begin(self, spoken: Spoken, target: LocalModel | RemoteModel, text: str) -> None:
        if self.loop is None:  # its call was given up meanwhile
            spoken.stop()
        spoken.go(self.services, self.opened, target, text)


def _given_up() -> ProgramError:
    return ProgramError("NetworkError", "the reply broke off: the request was given up, with its run or by its stream")
