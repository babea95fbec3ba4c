"""What a server may say: answers to what it was asked, the few requests that the protocol has, and that tools changed.

In: messages of a server. Out: those that go on to the client; the rest is dropped and counted. A server that says more
than `most_bytes`, or asks more than a hundred times, between two answers is given up: `GateError`. So is one that tells
more than that between two answers, or two readings of it: as many notifications as `MOST_TOLD`, or `TELLS` times the
bytes. The oldest are forgotten by then, and a server that never stops would keep a processor busy for nobody.
"""

from __future__ import annotations

import attrs
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCError, JSONRPCNotification, JSONRPCRequest, JSONRPCResponse, jsonrpc_message_adapter

from rtfs_capability_mcp.words import shown

CHANGED = "notifications/tools/list_changed"
_MOST_ASKED = 100
MOST_TOLD = 10_000
TELLS = 16


class GateError(Exception):
    """Why a server is given up."""


@attrs.define(slots=True, eq=False)
class Gate:
    """Counts what one server says in one session."""

    most_bytes: int
    hears: frozenset[str] = frozenset()
    """Notifications that are heard, besides that its tools changed."""
    _waiting: set[str | int] = attrs.field(factory=set)
    """Ids of requests that it has not answered."""
    _bytes: int = 0
    _asked: int = 0
    _told: int = 0
    _told_bytes: int = 0

    def sent(self, message: SessionMessage) -> None:
        """Note a message on its way to the server."""
        if isinstance(message.message, JSONRPCRequest):
            self._waiting.add(message.message.id)

    def heard(self) -> None:
        """Note that somebody reads what it tells."""
        self._told = self._told_bytes = 0

    def told(self, size: int) -> None:
        """Note so many bytes of what is told unasked by HTTP.

        Raises:
            GateError: Nobody reads it, and there is too much of it.
        """
        self._told_bytes += size
        self._too_much()

    def read(self, line: bytes) -> SessionMessage | None:
        """Return the message of a line of standard output, None for what is dropped.

        Raises:
            GateError: It is a broken message, or there is too much of it.
        """
        self._count(len(line))
        try:
            message = jsonrpc_message_adapter.validate_json(line, by_name=False)
        except ValueError:
            if line.lstrip()[:1] in (b"{", b"["):
                why = f"it sent what is no message: {shown(line[:80].decode('utf-8', 'replace'), 80)}"
                raise GateError(why) from None
            return None  # a banner, or a print of its author
        return self.admit(SessionMessage(message))

    def admit(self, item: SessionMessage) -> SessionMessage | None:
        """Return a message that the client may see, else None.

        Raises:
            GateError: It asks without end.
        """
        message = item.message
        if isinstance(message, JSONRPCResponse | JSONRPCError):
            if message.id not in self._waiting:
                return None
            self._waiting.discard(message.id)
            self._bytes = self._asked = 0
            self.heard()
            return item
        if isinstance(message, JSONRPCNotification):
            if message.method in self.hears:
                self._tell()
                return item
            return item if message.method == CHANGED and self._ask() else None
        self._ask()
        return item

    def _ask(self) -> bool:
        self._asked += 1
        if self._asked > _MOST_ASKED:
            why = f"it asked more than {_MOST_ASKED} times without answering"
            raise GateError(why)
        return True

    def _tell(self) -> None:
        self._told, self._told_bytes, self._bytes = self._told + 1, self._told_bytes + self._bytes, 0
        self._too_much()

    def _too_much(self) -> None:
        if self._told > MOST_TOLD or self._told_bytes > TELLS * self.most_bytes:
            why = f"it told {self._told:,} things ({self._told_bytes:,} bytes) that nobody reads, without answering"
            raise GateError(why)

    def _count(self, size: int) -> None:
        self._bytes += size
        if self._bytes > self.most_bytes:
            why = f"it said more than {self.most_bytes:,} bytes at once"
            raise GateError(why)
