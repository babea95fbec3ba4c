"""An answer as server-sent events, piece by piece, and the end of a request whose client has gone.

A failure before the first piece is an answer with its status; one after it is the stream's last event, an error. What
came from memory, or was judged as a whole, is one piece.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from rtfs_framework.orchestrator.boundary.conversing import Listener
from rtfs_framework.server.attending import GONE, attended, leaving, stopped
from rtfs_framework.server.openai.errors import body_of_problem
from rtfs_framework.server.problems import Problem, problem_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from rtfs_framework.orchestrator.recording.purse import Stopping
    from rtfs_framework.server.openai.replies import Answered, Shape

T = TypeVar("T")

DONE = b"data: [DONE]\n\n"
_ALIVE = b": still at work\n\n"
_NOTHING = ""
"""Stands for no piece: those that are told are never empty."""
_QUIET = 10.0
"""Seconds without a piece after which a comment shows that the connection lives."""


@attrs.define(slots=True, eq=False)
class Stream:
    """One answer under way."""

    shape: Shape
    include_usage: bool
    stopping: Stopping
    task: asyncio.Task[Answered]
    pieces: asyncio.Queue[str | None]
    """None: the answer has ended."""
    said: str = ""

    @classmethod
    def begin(
        cls,
        shape: Shape,
        begin: Callable[[Listener], Awaitable[Answered]],
        stopping: Stopping,
        *,
        include_usage: bool,
    ) -> Stream:
        """Ask, and listen; `stopping` is told when the client goes."""
        loop, pieces = asyncio.get_running_loop(), asyncio.Queue[str | None]()

        def tell(piece: str) -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody waits for it any more
                loop.call_soon_threadsafe(pieces.put_nowait, piece)

        task = asyncio.ensure_future(_awaited(begin(Listener(tell))))
        task.add_done_callback(lambda _: pieces.put_nowait(None))
        return cls(shape, include_usage, stopping, task, pieces)

    async def first(self, request: Request) -> str | None:
        """Wait for the first piece; return None where the answer has none. The call ends when the client goes.

        Raises:
            Exception: Why there will be none.
        """
        try:
            piece = await attended(self.pieces.get(), leaving(request.receive), self.stopping)
            if piece is None:
                self.task.result()
        except BaseException:
            await stopped(self.task)
            raise
        return piece

    async def events(self, first: str | None) -> AsyncIterator[bytes]:
        """Yield the events of the answer. Left early, the call is cancelled."""
        try:
            piece = first
            while piece is not None:
                yield self._piece(piece)
                while (found := await self._next()) == _NOTHING:
                    yield _ALIVE
                piece = found
            for event in self._ending():
                yield event
        finally:
            self.stopping.why = self.stopping.why or GONE
            await stopped(self.task)

    async def _next(self) -> str | None:
        """Return the next piece, None at the end, `_NOTHING` where none has come for a while."""
        try:
            return await asyncio.wait_for(self.pieces.get(), _QUIET)
        except asyncio.TimeoutError:
            return _NOTHING

    def _piece(self, text: str) -> bytes:
        first, self.said = not self.said, self.said + text
        return event(self.shape.piece(text, first=first))

    def _ending(self) -> list[bytes]:
        """Return the events after the last piece."""
        try:
            answered = self.task.result()
            rest = self._rest(answered)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the client is told
            problem = error if isinstance(error, Problem) else problem_of(error)
            return [event(body_of_problem(problem))]
        made = [self._piece(rest)] if rest else []
        calls = answered.message.get("tool_calls")
        if calls:
            made.append(event(self.shape.calls(calls, first=not self.said)))
        made.append(event(self.shape.end(answered, first=not self.said and not calls)))
        if self.include_usage:
            made.append(event(self.shape.usage(answered)))
        return [*made, DONE]

    def _rest(self, answered: Answered) -> str:
        """Return what was not told of an answer yet.

        Raises:
            Problem: What was told is something else.
        """
        content = answered.message.get("content") or ""
        if content.startswith(self.said):
            return str(content[len(self.said) :])
        if content.strip() == self.said.strip():
            return ""
        raise Problem(502, "E0606", "the pieces of the answer are not the answer", kind="TypeValidationError")


async def _awaited(made: Awaitable[T]) -> T:
    return await made


def event(data: Any) -> bytes:
    """Return JSON data as an event."""
    return b"data: " + json.dumps(data, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n\n"
