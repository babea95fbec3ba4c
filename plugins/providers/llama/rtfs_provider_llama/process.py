"""One child process: started without an environment, spoken to by frames, ended. Lives in the keeper's event loop."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import IO, Any

from rtfs_provider_llama.child.protocol import HEAD, OUT_OF_MEMORY, ProtocolError, length_of, pack, unpack
from rtfs_provider_llama.scratch import make, remove

_BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[4]); "
    "from rtfs_provider_llama.child.boot import main; main(*map(int, sys.argv[1:4]))"
)
_FROM_SURROUNDINGS = ("CUDA_VISIBLE_DEVICES", "DYLD_LIBRARY_PATH", "LD_LIBRARY_PATH", "TZ")
"""Variables that a library may need to be found or to find its device. No other one is handed on."""
_FIXED = {"OPENBLAS_NUM_THREADS": "1"}
"""NumPy, which llama-cpp-python imports, would make a thread and a buffer for each core, and computes nothing there."""
_QUIET = 2.0
"""Seconds that a child which was told to end may take."""
_WORDS = 400


class ChildDiedError(Exception):
    """The child process ended by itself; says how."""


class ChildFailedError(Exception):
    """The child answered that it could not."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Child:
    """A running child; made by `start`."""

    def __init__(self, process: subprocess.Popen[bytes], lifeline: int, scratch: str, said: IO[bytes]) -> None:
        self.pid = process.pid
        self._process = process
        self._lifeline = lifeline
        self._scratch = scratch
        self._said = said
        self._numbers = count(1)
        self._waiting: dict[int, tuple[asyncio.Future[dict[str, Any]], Callable[[str], None] | None]] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._over = False

    @classmethod
    async def start(cls, environ: Mapping[str, str]) -> Child:
        """Start a process that waits for its first message.

        Raises:
            OSError: It cannot be started.
        """
        ours, theirs = socket.socketpair()
        reader, lifeline = os.pipe()
        scratch = make()
        said: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - it is open as long as the child
        try:
            process = _spawn((theirs.fileno(), reader), scratch, said, environ)
        except BaseException:
            ours.close()
            os.close(lifeline)
            said.close()
            remove(scratch)
            raise
        finally:
            theirs.close()
            os.close(reader)
        child = cls(process, lifeline, scratch, said)
        stream, child._writer = await asyncio.open_connection(sock=ours)
        child._reading = asyncio.create_task(child._read(stream))
        return child

    @property
    def scratch(self) -> str:
        """The folder that is the child's own."""
        return self._scratch

    @property
    def alive(self) -> bool:
        """Whether it can be asked: it runs, as far as the kernel knows by now."""
        return not self._over and self._process.poll() is None

    def ask(
        self, message: dict[str, Any], on_piece: Callable[[str], None] | None = None
    ) -> tuple[int, asyncio.Future[dict[str, Any]]]:
        """Send a message, and return its number and what will be answered.

        Raises (the future):
            ChildFailedError: The child says that it cannot.
            ChildDiedError: It ended instead.
        """
        number, ended = next(self._numbers), asyncio.get_running_loop().create_future()
        ended.add_done_callback(_looked_at)
        if self._over:
            ended.set_exception(ChildDiedError(self._how()))
            return number, ended
        self._waiting[number] = ended, on_piece
        self._send({**message, "id": number})
        return number, ended

    def cancel(self, number: int) -> None:
        """Tell the child that nobody waits for an answer any more."""
        if not self._over:
            self._send({"do": "cancel", "id": number})

    def memory(self) -> int | None:
        """Return the bytes of memory that it holds, None where that is not known."""
        try:
            pages = Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1]
            return int(pages) * os.sysconf("SC_PAGE_SIZE")
        except (OSError, ValueError, IndexError):
            return None

    def kill(self) -> None:
        """End the process now."""
        if self._process.poll() is None:
            self._process.kill()

    async def stop(self) -> None:
        """End the process: it is told, and killed if it does not listen. Nobody waits for its answers any more."""
        self._over = True
        for ended, _ in self._waiting.values():
            ended.cancel()
        if self._writer is not None:
            self._writer.close()
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(None, self._process.wait, _QUIET)
        except subprocess.TimeoutExpired:
            self.kill()
            await loop.run_in_executor(None, self._process.wait)
        if self._reading is not None:
            self._reading.cancel()
            with suppress(asyncio.CancelledError):
                await self._reading
        if self._writer is not None:
            self._writer.transport.abort()  # what a child that hung has not read, nobody will
            with suppress(OSError):
                await self._writer.wait_closed()
        self._release()

    def _send(self, message: dict[str, Any]) -> None:
        assert self._writer is not None  # noqa: S101 - `start` made it
        self._writer.write(pack(message))

    async def _read(self, stream: asyncio.StreamReader) -> None:
        """Hand out what the child says, until it ends."""
        try:
            while True:
                message = unpack(await stream.readexactly(length_of(await stream.readexactly(HEAD))))
                self._take(message)
        except (asyncio.IncompleteReadError, OSError, ProtocolError, LookupError, TypeError, AttributeError):
            pass  # it ended, or what it says is no answer: the other end of this protocol is lost
        if not self._over:
            self._over = True
            self.kill()
            await asyncio.get_running_loop().run_in_executor(None, self._process.wait)
            why = self._how()
            waiting, self._waiting = self._waiting, {}
            for ended, _ in waiting.values():
                if not ended.done():
                    ended.set_exception(ChildDiedError(why))

    def _take(self, message: dict[str, Any]) -> None:
        ended, on_piece = self._waiting.get(message.get("id", 0), (None, None))
        if ended is None:
            return
        if "piece" in message:
            if on_piece is not None:
                on_piece(message["piece"])
            return
        del self._waiting[message["id"]]
        if ended.done():
            return
        failed = message.get("failed")
        if failed is None:
            ended.set_result(message["ended"])
        else:
            ended.set_exception(ChildFailedError(failed["kind"], failed["message"]))

    def _how(self) -> str:
        code = self._process.poll()
        if code == OUT_OF_MEMORY:
            return "it needed more memory than it may take ('memory')"
        how = f"by {signal.Signals(-code).name}" if code is not None and code < 0 else f"with status {code}"
        return f"it ended {how}{self._last_words()}"

    def _last_words(self) -> str:
        try:
            self._said.seek(0, os.SEEK_END)
            self._said.seek(max(self._said.tell() - _WORDS, 0))
            words = self._said.read().decode(errors="replace").strip().splitlines()
        except (OSError, ValueError):
            return ""
        return f": {words[-1]}" if words else ""

    def _release(self) -> None:
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1
            self._said.close()
            remove(self._scratch)


def _looked_at(ended: asyncio.Future[dict[str, Any]]) -> None:
    """Take note of a failure that nobody waits for any more: asyncio would tell of it."""
    if not ended.cancelled():
        ended.exception()


def _spawn(
    files: tuple[int, int], scratch: str, said: IO[bytes], environ: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    """Start the process with two open files, and nothing else of ours."""
    path = json.dumps([place for place in sys.path if Path(place).is_absolute()])
    numbers = map(str, (*files, os.getpid()))
    return subprocess.Popen(  # noqa: S603 - Python itself, with arguments that are ours
        [sys.executable, "-I", "-c", _BOOT, *numbers, path],
        env={name: environ[name] for name in _FROM_SURROUNDINGS if name in environ} | _FIXED,
        pass_fds=files,
        stdin=subprocess.DEVNULL,
        stdout=said,
        stderr=said,
        cwd=scratch,
        start_new_session=True,  # Ctrl-C is the host's; the child ends with it
    )
