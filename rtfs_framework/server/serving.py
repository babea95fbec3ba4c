"""A server from its first line to its last: signals, commands of its user, and an end in order."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtfs_framework.lang.errors import RtfsError
from rtfs_framework.server.control import controlled
from rtfs_framework.server.listening import Server, make_server

if TYPE_CHECKING:
    import socket

    from rtfs_framework.server.state import ServerState

_ENDING = ("SIGTERM", "SIGINT", "SIGBREAK")
_RELOADING = "SIGHUP"


async def serve(
    state: ServerState,
    listener: socket.socket,
    log: Any,
    *,
    cert: Path | None = None,
    key: Path | None = None,
    ready: Callable[[str], None] = lambda _: None,
) -> None:
    """Serve on a socket until a signal says that it is enough; `ready` is told the address. Closes the state."""
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    url = f"{'http' if cert is None else 'https'}://{shown}:{port}"
    server = make_server(state, cert=cert, key=key, log=log)
    reloading = _Reloading(state, log)
    commands = {"reload": lambda _: reloading.now(), "status": lambda _: _status(state, url)}
    try:
        with _Signals(server, reloading, log):
            async with controlled(state.environ, port, url, commands):
                log.info("serve.started", url=url, host=state.host_id, tokens=len(state.current.tokens.specs))
                settle_objects()
                server.ready = lambda: ready(url)
                await server.serve(sockets=[listener])
    finally:
        listener.close()
        await asyncio.to_thread(state.close, timeout=5.0)
        log.info("serve.ended", answered=sum(state.metrics.answered.values()))


def settle_objects() -> None:
    """Let the collector pass over what is there now: it stays as long as the configuration does.

    What an older configuration has left behind is found first.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def _status(state: ServerState, url: str) -> dict[str, Any]:
    return {
        "url": url,
        "host": state.host_id,
        "generation": state.current.number,
        "running": state.metrics.running,
        "draining": state.draining,
    }


class BrokenReloadError(RtfsError):
    """Something broke that is nobody's mistake in the file."""

    code = "E0999"

    def __init__(self) -> None:
        super().__init__(
            "the configuration could not be taken anew; nothing has changed, and the server's log says where"
        )
        self.way_out = "look at the server's log on stderr"


class _Reloading:
    """Reloads, one at a time, and says what came of it."""

    def __init__(self, state: ServerState, log: Any) -> None:
        self._state = state
        self._log = log

    def now(self) -> Mapping[str, Any]:
        """Reload. Blocks.

        Raises:
            RtfsError: The file is faulty; the old one stays.
        """
        try:
            made = self._state.reload()
        except RtfsError as error:
            self._state.metrics.reloads["refused"] += 1
            self._log.error("serve.reload_refused", error=str(error), generation=self._state.current.number)
            raise
        except Exception as error:
            self._state.metrics.reloads["refused"] += 1
            self._log.error("serve.reload_failed", exc_info=error, generation=self._state.current.number)
            raise BrokenReloadError from error
        self._state.metrics.reloads["done"] += 1
        settle_objects()
        self._log.info("serve.reloaded", generation=made.number, tokens=len(made.tokens.specs))
        return {"generation": made.number, "tokens": len(made.tokens.specs)}

    async def told(self) -> None:
        """Reload because of a signal: what is wrong stands in the log."""
        with suppress(RtfsError):
            await asyncio.to_thread(self.now)


class _Signals:
    """What signals mean while the server runs."""

    def __init__(self, server: Server, reloading: _Reloading, log: Any) -> None:
        self._server = server
        self._reloading = reloading
        self._log = log
        self._tasks: set[asyncio.Task[None]] = set()
        self._before: dict[int, Any] = {}

    def __enter__(self) -> None:
        self._loop = asyncio.get_running_loop()
        for name in (*_ENDING, _RELOADING):
            number = getattr(signal, name, None)
            if number is not None:
                self._before[number] = signal.signal(number, self._on_signal)

    def __exit__(self, *_: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)

    def _on_signal(self, number: int, _frame: Any) -> None:
        self._loop.call_soon_threadsafe(self._act, number)

    def _act(self, number: int) -> None:
        if number == getattr(signal, _RELOADING, None):
            task = self._loop.create_task(self._reloading.told())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            return
        self._log.info("serve.ending", signal=signal.Signals(number).name, again=self._server.should_exit)
        if self._server.should_exit:
            self._server.force_exit = True
        self._server.should_exit = True
