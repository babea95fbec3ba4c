"""What a server tells unasked, while it is watched: its log, how far its tools are, which resources have changed.

In: notifications of the protocol of 2025. Out: plain data, in order, each once. So many are held as somebody may read a
moment later, and together no more than `most_bytes` of JSON; where more come, the oldest go, and how many is told.
"""

from __future__ import annotations

import json
from collections import deque
from typing import Any

import anyio
import attrs
from mcp.shared.dispatcher import ProgressFnT
from mcp_types import (
    LoggingMessageNotification,
    PromptListChangedNotification,
    ResourceListChangedNotification,
    ResourceUpdatedNotification,
)

METHODS = frozenset(
    {
        "notifications/message",
        "notifications/progress",
        "notifications/resources/updated",
        "notifications/resources/list_changed",
        "notifications/prompts/list_changed",
    }
)
MOST_HELD = 1_000
_EACH = 256
"""Bytes that an event takes besides its text."""


@attrs.define(slots=True, eq=False)
class Events:
    """Those of one session; used in its loop alone."""

    most_bytes: int
    _held: deque[tuple[dict[str, Any], int]] = attrs.field(factory=deque)
    """Each with its bytes."""
    _bytes: int = 0
    _lost: int = 0
    _news: anyio.Event = attrs.field(factory=anyio.Event)

    def hear(self, message: object) -> None:
        """Take a notification, if it is one of these."""
        match message:
            case LoggingMessageNotification(params=said):
                self._add({"kind": "log", "level": said.level, "logger": said.logger, "data": said.data})
            case ResourceUpdatedNotification(params=said):
                self._add({"kind": "updated", "uri": str(said.uri)})
            case ResourceListChangedNotification():
                self._add({"kind": "resources"})
            case PromptListChangedNotification():
                self._add({"kind": "prompts"})
            case _:
                return

    def progress_of(self, tool: str) -> ProgressFnT:
        """Return what hears how far a call of a tool is."""

        async def hear(progress: float, total: float | None, message: str | None) -> None:
            self._add({"kind": "progress", "tool": tool, "progress": progress, "total": total, "message": message})

        return hear

    async def taken(self, most: int, seconds: float) -> tuple[list[dict[str, Any]], int]:
        """Return at most so many events, waited for if there are none, and how many were lost since the last time."""
        if not self._held:
            with anyio.move_on_after(seconds):
                await self._news.wait()
        found = [self._pop() for _ in range(min(most, len(self._held)))]
        lost, self._lost = self._lost, 0
        self._news = anyio.Event()
        return found, lost

    def _add(self, event: dict[str, Any]) -> None:
        told = {name: value for name, value in event.items() if value is not None}
        size = _EACH + len(json.dumps(told, default=str))  # in ASCII, so no character counts for less than its bytes
        self._held.append((told, size))
        self._bytes += size
        while len(self._held) > MOST_HELD or self._bytes > self.most_bytes:
            self._pop()
            self._lost += 1
        self._news.set()

    def _pop(self) -> dict[str, Any]:
        event, size = self._held.popleft()
        self._bytes -= size
        return event
