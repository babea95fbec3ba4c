"""A server by streamable HTTP: the official transport on a client whose answers are bounded, and that only posts.

No answer is longer than a bound, none is compressed (a bomb would be small until it is opened), none is waited for
longer than a call may take. Streams that a server opens by itself (GET) are not asked for: what it says without being
asked is no use here, and asking again is what a hostile one can make endless. Proxies of the environment are not used.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio
import httpx2
from anyio.abc import ObjectReceiveStream, ObjectSendStream
from mcp.client import Transport
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.message import SessionMessage

from rtfs_capability_mcp.gate import Gate
from rtfs_capability_mcp.stdio import Incoming

if TYPE_CHECKING:
    from mcp.client._transport import ReadStream, WriteStream

_CONNECT = 10.0
_REFUSED = (401, 403)
_FAREWELL = 2.0
"""Seconds for saying goodbye to a server (DELETE)."""


def http(url: str, token: str | None, gate: Gate, seconds: float) -> Transport:
    """Return the transport of a server at a URL; `token` is sent as bearer token; an answer is waited for `seconds`."""
    return _http(url, token, gate, seconds)


@asynccontextmanager
async def _http(
    url: str, token: str | None, gate: Gate, seconds: float
) -> AsyncGenerator[tuple[ObjectReceiveStream[Incoming], ObjectSendStream[SessionMessage]], None]:
    headers = {"accept-encoding": "identity"} | ({} if token is None else {"authorization": f"Bearer {token}"})
    waits = httpx2.Timeout(seconds, connect=min(_CONNECT, seconds))
    limited = _Limited(httpx2.AsyncHTTPTransport(), gate.most_bytes)
    to_client, incoming = anyio.create_memory_object_stream[Incoming](0)
    outgoing, from_client = anyio.create_memory_object_stream[SessionMessage](0)

    async def read(stream: ReadStream[Incoming]) -> None:
        async with to_client:
            async for item in stream:
                kept = item if isinstance(item, Exception) else gate.admit(item)
                if kept is not None:
                    await to_client.send(kept)

    async def write(send: WriteStream[SessionMessage]) -> None:
        async for item in from_client:
            gate.sent(item)
            await send.send(item)

    client = httpx2.AsyncClient(headers=headers, timeout=waits, transport=limited, trust_env=False)
    official = streamable_http_client(url, http_client=client, max_sse_event_size=gate.most_bytes)
    with to_client, incoming, outgoing, from_client:
        async with client, official as (theirs, ours), anyio.create_task_group() as group:
            group.start_soon(read, theirs)
            group.start_soon(write, ours)
            try:
                yield incoming, outgoing
            finally:
                group.cancel_scope.cancel()


class _Limited(httpx2.AsyncBaseTransport):
    """Posts and says goodbye; reads so many bytes of an answer."""

    def __init__(self, base: httpx2.AsyncHTTPTransport, most: int) -> None:
        self._base = base
        self._most = most

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.method == "GET":
            return httpx2.Response(405, request=request)
        if request.method == "DELETE":
            with anyio.move_on_after(_FAREWELL, shield=True):
                return await self._answer(request)
            return httpx2.Response(405, request=request)
        return await self._answer(request)

    async def _answer(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._base.handle_async_request(request)
        if response.status_code in _REFUSED:
            await response.aclose()
            why = (
                f"it refuses who asks (status {response.status_code}); its token is the variable that 'token_env' names"
            )
            raise httpx2.RequestError(why, request=request)
        if response.headers.get("content-encoding", "identity").lower() not in ("", "identity"):
            await response.aclose()
            raise httpx2.DecodingError("it sent a compressed answer, which nobody asked for", request=request)
        if isinstance(response.stream, httpx2.AsyncByteStream):
            response.stream = _Bounded(response.stream, self._most, request)
        return response

    async def aclose(self) -> None:
        await self._base.aclose()


class _Bounded(httpx2.AsyncByteStream):
    def __init__(self, base: httpx2.AsyncByteStream, most: int, request: httpx2.Request) -> None:
        self._base = base
        self._most = most
        self._request = request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = self._most
        async for chunk in self._base:
            left -= len(chunk)
            if left < 0:
                why = f"it sent an answer of more than {self._most:,} bytes"
                raise httpx2.ReadError(why, request=self._request)
            yield chunk

    async def aclose(self) -> None:
        await self._base.aclose()
