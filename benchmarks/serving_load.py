"""Requests that come when they come, whatever becomes of those before: an open loop of raw sockets.

What is counted of a request is the time from its sending to its answer, as the system's own clock saw the answer
arrive. Where no connection is free it waits, and that counts, too: no answer that is late hides those behind it. Where
the generator itself comes late to send, this is told beside and not counted, for it is no time of the server. It spins,
so it wants a processor of its own.
"""

from __future__ import annotations

import gc
import random
import selectors
import socket
import struct
import time
from collections import deque
from contextlib import suppress

import attrs

_STAMPS = 37
"""Linux's SO_TIMESTAMPING: a message tells when its bytes arrived."""
_SOFTWARE = 1 << 3 | 1 << 4


@attrs.define
class Told:
    """What came of a load. All times are nanoseconds."""

    taken: list[int] = attrs.field(factory=list)
    """From sending to answer."""
    late: list[int] = attrs.field(factory=list)
    """By how much requests were sent after they were due."""


class _Link:
    """A connection, with at most one request under way."""

    __slots__ = ("_got", "since", "socket")

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with suppress(OSError):  # elsewhere, an answer has arrived when it is read
            self.socket.setsockopt(socket.SOL_SOCKET, _STAMPS, _SOFTWARE)
        self.socket.setblocking(False)
        self._got = b""
        self.since = 0

    def ask(self, request: bytes, since: int) -> None:
        """Send a request, whose time runs since then."""
        self.since = since
        if self.socket.send(request) != len(request):
            raise RuntimeError("a request does not fit into the system's buffer")

    def answered(self) -> int | None:
        """Read; return when an answer was whole, None while it is not."""
        data, told, _, _ = self.socket.recvmsg(1 << 16, 256)
        if not data:
            raise EOFError("the server has cut a connection off")
        self._got += data
        head, _, body = self._got.partition(b"\r\n\r\n")
        if not body or len(body) < int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]):
            return None
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(self._got[:400].decode("latin-1"))
        self._got = b""
        return _arrived(told) or time.time_ns()


def _arrived(told: list[tuple[int, int, bytes]]) -> int:
    for level, kind, data in told:
        if level == socket.SOL_SOCKET and kind == _STAMPS:
            seconds, rest = struct.unpack_from("qq", data)
            return int(seconds) * 1_000_000_000 + int(rest)
    return 0


def open_loop(port: int, request: bytes, count: int, rate: float, *, connections: int = 64) -> Told:
    """Send so many requests, `rate` of them a second on average; the times between them are exponential (seed 0).

    Raises:
        RuntimeError: An answer is no 200.
        EOFError: A connection was cut off.
    """
    links = [_Link(port) for _ in range(connections)]
    gc.collect()
    gc.disable()
    try:
        return _opened(links, request, count, rate)
    finally:
        gc.enable()
        for each in links:
            each.socket.close()


def _opened(links: list[_Link], request: bytes, count: int, rate: float) -> Told:
    told, chance, free, waiting = Told(), random.Random(0), deque(links), deque[int]()
    begun, due = 0, time.time_ns()
    with selectors.DefaultSelector() as selector:
        for each in links:
            selector.register(each.socket, selectors.EVENT_READ, each)
        while len(told.taken) < count:
            now = time.time_ns()
            while begun < count and due <= now:
                told.late.append(now - due)
                begun += 1
                due += round(chance.expovariate(rate) * 1e9)
                if free:
                    free.popleft().ask(request, time.time_ns())
                else:
                    waiting.append(now)
            for key, _ in selector.select(0):
                link: _Link = key.data
                at = link.answered()
                if at is None:
                    continue
                told.taken.append(at - link.since)
                if waiting:
                    link.ask(request, waiting.popleft())
                else:
                    free.append(link)
    return told
