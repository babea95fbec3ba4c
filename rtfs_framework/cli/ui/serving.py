"""The server of the pages, from its first line to Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

import uvicorn

if TYPE_CHECKING:
    import socket

    from starlette.applications import Starlette

_GRACE = 2
"""Seconds for answers that are under way when it ends."""
_ENDING = ("SIGTERM", "SIGINT", "SIGBREAK")


class _Server(uvicorn.Server):
    """uvicorn's server, whose signals are ours: uvicorn would raise them again when it has ended."""

    ready: Callable[[], object]
    ending: Callable[[], object]

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """End in order; a second signal ends at once."""
        before = {}
        for name in _ENDING:
            number = getattr(signal, name, None)
            if number is not None:
                before[number] = signal.signal(number, self._on_signal)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        if self.should_exit:
            self.force_exit = True
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve, and say so."""
        await super().startup(sockets)
        self.ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Cancel what runs, so that its answers are soon there; then end."""
        await asyncio.get_running_loop().run_in_executor(None, self.ending)
        await super().shutdown(sockets)


def serve(app: Starlette, listener: socket.socket, ready: Callable[[], object], ending: Callable[[], object]) -> None:
    """Serve until a signal says that it is enough; from the main thread."""
    config: Any = uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="off", ws="none", proxy_headers=False, server_header=False,
        timeout_graceful_shutdown=_GRACE, h11_max_incomplete_event_size=1 << 16,
    )  # fmt: skip
    server = _Server(config)
    server.ready, server.ending = ready, ending
    try:
        asyncio.run(server.serve(sockets=[listener]))
    finally:
        listener.close()
