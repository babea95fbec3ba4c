"""Lines that are no messages: each request among them is answered with an error, as JSON-RPC says.

The SDK reads lines strictly (a lone surrogate, or lists nested some 200 deep, are no JSON to it) and passes over what
it cannot read, so a client would wait for ever. Here the line's id is found without reading the line as JSON.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import anyio
import attrs
from mcp.shared.message import SessionMessage
from mcp_types import INVALID_REQUEST, PARSE_ERROR, ErrorData, JSONRPCError
from pydantic import ValidationError

if TYPE_CHECKING:
    from types import TracebackType

    from mcp.shared._stream_protocols import ReadStream, WriteStream
    from typing_extensions import Self

_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)|[{}\[\]]', re.DOTALL)
"""Texts, the last of which may have no end, so that no character is looked at twice; and brackets."""
_VALUE = re.compile(r'\s*:\s*(-?\d{1,18}\b|"(?:[^"\\]|\\.){0,200}")?')
_ESCAPE = re.compile(r'\\(?:u([0-9a-fA-F]{4})|(["\\/bfnrt]))')
_PLAIN = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_WAY_OUT = "a message is one line of JSON without half characters (lone surrogates), nested less than 200 deep"


@attrs.define(slots=True, eq=False)
class Answering:
    """What the server reads: messages alone. Whatever else comes is answered here, where an answer is due."""

    reading: ReadStream[SessionMessage | Exception]
    writing: WriteStream[SessionMessage]

    @property
    def last_context(self) -> Any:
        """The context of the sender of the latest message."""
        return getattr(self.reading, "last_context", None)

    async def receive(self) -> SessionMessage | Exception:
        """Return the next message.

        Raises:
            anyio.EndOfStream: There is none.
        """
        while True:
            item = await self.reading.receive()
            if not isinstance(item, Exception):
                return item
            answer = answer_to(item)
            if answer is not None:
                await self.writing.send(SessionMessage(answer))

    async def aclose(self) -> None:
        """Close it."""
        await self.reading.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> SessionMessage | Exception:
        try:
            return await self.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None

    async def __aenter__(self) -> Self:
        await self.reading.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return await self.reading.__aexit__(kind, error, trace)


def answer_to(error: Exception) -> JSONRPCError | None:
    """Return the answer to a line that was no message; None where none is due, as to notifications."""
    found = error.errors() if isinstance(error, ValidationError) else []
    if not found or found[0]["type"] != "json_invalid":
        whole = next(
            (each["input"] for each in found if isinstance(each["input"], dict) and "method" in each["input"]), {}
        )
        id_ = whole.get("id")
        known = id_ if isinstance(id_, int | str) and not isinstance(id_, bool) else None
        return _error(known, INVALID_REQUEST, "this is no message of JSON-RPC 2.0")
    line = found[0]["input"]
    if not isinstance(line, str) or not line.strip():
        return None
    members = dict(_members(line))
    if "method" in members and "id" not in members:
        return None
    # An answer of the client's own has no method; its id is one of ours, and would name another request here.
    return _error(_id(members.get("id", "")) if "method" in members else None, PARSE_ERROR, found[0]["msg"])


def _error(id_: int | str | None, code: int, message: str) -> JSONRPCError:
    return JSONRPCError(jsonrpc="2.0", id=id_, error=ErrorData(code=code, message=f"{message}; {_WAY_OUT}"))


def _members(line: str) -> Iterator[tuple[str, str]]:
    """Yield the members of a line's object with their values' texts; "" for what is neither a text nor an integer."""
    depth = 0
    for token in _TOKENS.finditer(line):
        text = token[0]
        if text in "{[":
            depth += 1
        elif text in "}]":
            depth -= 1
        elif depth == 1 and (value := _VALUE.match(line, token.end())) is not None:
            yield text[1:-1], value[1] or ""


def _id(text: str) -> int | str | None:
    """Return an id by its text; None for what no id can be."""
    if not text.startswith('"'):
        return int(text) if text else None
    if "\\" not in text:
        return text[1:-1]
    units = _ESCAPE.sub(lambda each: chr(int(each[1], 16)) if each[1] else _PLAIN.get(each[2], each[2]), text[1:-1])
    try:
        return units.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        return None
