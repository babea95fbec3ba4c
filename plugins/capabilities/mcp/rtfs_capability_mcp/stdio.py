"""A server as a child process: messages are lines of its standard streams, bounded; it has a group of its own.

The official client has such a transport, too. This one takes no line longer than a bound, gives the process no variable
that was not named, and kills the whole process group at the end, also when the server itself has ended before, and
what left the group (`strays.py`).
"""

from __future__ import annotations

import math
import os
import signal
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from subprocess import PIPE

import anyio
import anyio.lowlevel
import anyio.to_thread
import attrs
from anyio.abc import ByteReceiveStream, ByteSendStream, ObjectReceiveStream, ObjectSendStream, Process
from anyio.streams.memory import MemoryObjectSendStream
from mcp.client import Transport
from mcp.shared.message import SessionMessage

from rtfs_capability_mcp.gate import Gate, GateError
from rtfs_capability_mcp.strays import MARK, end_all, token

Incoming = SessionMessage | Exception
_GRACE = 0.5
"""Seconds that a server has to end by itself once its input is closed, and again once it was asked to (SIGTERM)."""
_LOOK = 0.2
"""Seconds between two looks whether it is still there."""
_KEPT = 2_000
"""Bytes of its standard error that are kept, for error messages."""


@attrs.frozen(slots=True)
class Program:
    """What is started."""

    command: tuple[str, ...]
    env: Mapping[str, str]
    cwd: str


@attrs.define(slots=True, eq=False)
class Said:
    """The end of what a server wrote to its standard error."""

    tail: bytes = b""

    def add(self, chunk: bytes) -> None:
        """Keep the last bytes."""
        self.tail = (self.tail + chunk)[-_KEPT:]

    def text(self) -> str:
        """Return it as text."""
        return self.tail.decode("utf-8", "replace")


def stdio(program: Program, gate: Gate, said: Said, ended: Callable[[str], None]) -> Transport:
    """Return the transport of a server; `ended` hears when it is over, and why.

    Raises (when it is entered):
        OSError: The program cannot be started.
    """
    return _stdio(program, gate, said, ended)


@asynccontextmanager
async def _stdio(
    program: Program, gate: Gate, said: Said, ended: Callable[[str], None]
) -> AsyncGenerator[tuple[ObjectReceiveStream[Incoming], ObjectSendStream[SessionMessage]], None]:
    mark = token()
    process = await anyio.open_process(
        list(program.command),
        env={**program.env, MARK: mark},
        cwd=program.cwd,
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        start_new_session=True,
    )
    try:
        to_client, incoming = anyio.create_memory_object_stream[Incoming](0)
        outgoing, from_client = anyio.create_memory_object_stream[SessionMessage](0)
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise OSError("the process has no standard streams")
        with to_client, incoming, outgoing, from_client:
            async with anyio.create_task_group() as group:
                group.start_soon(_read, process.stdout, gate, to_client, ended)
                group.start_soon(_write, process.stdin, gate, from_client)
                group.start_soon(_keep, process.stderr, said)
                group.start_soon(_watch, process, to_client, ended)
                try:
                    yield incoming, outgoing
                finally:
                    group.cancel_scope.cancel()
    finally:
        with anyio.CancelScope(shield=True):
            await _end(process)
            await anyio.to_thread.run_sync(end_all, mark)


async def _read(
    stream: ByteReceiveStream, gate: Gate, client: MemoryObjectSendStream[Incoming], ended: Callable[[str], None]
) -> None:
    why = "it ended"
    try:
        async with aclosing(_lines(stream, gate.most_bytes)) as lines:
            async for line in lines:
                message = gate.read(line)
                if message is not None:
                    await client.send(message)
                else:
                    await anyio.lowlevel.checkpoint()  # who is never answered must be able to give up
    except GateError as error:
        why = str(error)
    except (anyio.ClosedResourceError, anyio.BrokenResourceError, OSError):
        pass
    finally:
        ended(why)
        client.close()  # so that whoever waits for an answer is told


async def _lines(stream: ByteReceiveStream, most: int) -> AsyncGenerator[bytes, None]:
    rest = bytearray()
    async for chunk in stream:
        *whole, last = chunk.split(b"\n")
        for piece in whole:
            rest += piece
            yield bytes(rest)
            rest.clear()
        rest += last
        if len(rest) > most:
            why = f"it sent a message of more than {most:,} bytes"
            raise GateError(why)


async def _write(stream: ByteSendStream, gate: Gate, client: ObjectReceiveStream[SessionMessage]) -> None:
    with suppress(anyio.ClosedResourceError, anyio.BrokenResourceError, OSError):
        async for item in client:
            gate.sent(item)
            await stream.send(item.message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n")


async def _watch(process: Process, client: MemoryObjectSendStream[Incoming], ended: Callable[[str], None]) -> None:
    """Tell when the server itself is gone: a child of it may hold its output open for ever."""
    await _gone(process, math.inf, _LOOK)
    await anyio.sleep(_LOOK)  # for the last that it said
    ended("it ended")
    client.close()


async def _keep(stream: ByteReceiveStream, said: Said) -> None:
    with suppress(anyio.ClosedResourceError, anyio.BrokenResourceError, OSError):
        async for chunk in stream:
            said.add(chunk)


async def _end(process: Process) -> None:
    """End a server and all processes of its group; every wait is bounded."""
    if process.stdin is not None:
        with suppress(OSError, anyio.BrokenResourceError, anyio.ClosedResourceError):
            await process.stdin.aclose()
    if not await _gone(process, _GRACE):
        _signal(process, signal.SIGTERM)
        await _gone(process, _GRACE)
    _signal(process, signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
    await _gone(process, _GRACE)
    # A descendant that left the group may hold the pipes open: nobody reads them any more.
    transport = getattr(getattr(process, "_process", None), "_transport", None)
    if transport is not None:
        with suppress(PermissionError, ProcessLookupError):
            transport.close()
    await anyio.lowlevel.checkpoint()


async def _gone(process: Process, seconds: float, step: float = 0.005) -> bool:
    """Wait until a process is gone; look every `step` seconds."""
    with anyio.move_on_after(seconds):
        while process.returncode is None:  # noqa: ASYNC110 - `Process.wait` also waits for whoever holds its pipes
            await anyio.sleep(step)
    return process.returncode is not None


def _signal(process: Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        if os.name == "posix":
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
