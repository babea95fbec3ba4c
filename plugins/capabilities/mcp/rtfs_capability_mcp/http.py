"""A server by streamable HTTP: the official transport on a client whose answers are bounded, and that only posts.

No answer is longer than a bound, none is compressed (a bomb would be small until it is opened), none is waited for
longer than a call may take. A stream of what a server tells unasked (GET) is asked for only where somebody hears that
(`listens`): bounded as what is told by standard streams is, and asked for again each time later, for asking again is
what a hostile one can make endless. Proxies of the environment are not used.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio
import httpx2
from anyio.abc import ObjectReceiveStream, ObjectSendStream
from mcp.client import Transport
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.message import SessionMessage

from rtfs_capability_mcp.gate import Gate, GateError
from rtfs_capability_mcp.stdio import Incoming

if TYPE_CHECKING:
    from mcp.client._transport import ReadStream, WriteStream

_CONNECT = 10.0
_REFUSED = (401, 403)
_LONGEST_PAUSE, _MOST_DOUBLED = 60.0, 10
"""Seconds between two requests for what is told unasked: 1, then twice as many, until a stream lasted that long."""
_FAREWELL = 2.0
"""Seconds for saying goodbye to a server (DELETE)."""


def http(url: str, token: str | None, gate: Gate, seconds: float, *, listens: bool = False) -> Transport:
    """Return the transport of a server at a URL; `token` is sent as bearer token; an answer is waited for `seconds`."""
    return _http(url, token, gate, seconds, listens)


@asynccontextmanager
async def _http(
    url: str,
    token: str | None,
    gate: Gate,
    seconds: float,
    listens: bool,
) -> AsyncGenerator[tuple[ObjectReceiveStream[Incoming], ObjectSendStream[SessionMessage]], None]:
    headers = {"accept-encoding": "identity"} | ({} if token is None else {"authorization": f"Bearer {token}"})
    waits = httpx2.Timeout(seconds, connect=min(_CONNECT, seconds))
    limited = _Limited(httpx2.AsyncHTTPTransport(), gate, listens=listens)
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
            group.start_soon(limited.watch)
            group.start_soon(read, theirs)
            group.start_soon(write, ours)
            try:
                yield incoming, outgoing
            finally:
                group.cancel_scope.cancel()


class _Limited(httpx2.AsyncBaseTransport):
    """Posts, says goodbye and, where it `listens`, asks for what is told unasked; reads so many bytes of an answer."""

    def __init__(self, base: httpx2.AsyncHTTPTransport, gate: Gate, *, listens: bool) -> None:
        self._base = base
        self._gate, self._listens = gate, listens
        self._asked, self._begun = 0, 0.0
        self._over, self._why = anyio.Event(), ""

    async def watch(self) -> None:
        """Raise what makes the server be given up, once something does: whoever reads a stream would only end that."""
        await self._over.wait()
        raise GateError(self._why)

    def _told(self, size: int) -> None:
        try:
            self._gate.told(size)
        except GateError as error:
            self._why = str(error)
            self._over.set()
            raise

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.method == "GET":
            return await self._listen(request) if self._listens else httpx2.Response(405, request=request)
        if request.method == "DELETE":
            with anyio.move_on_after(_FAREWELL, shield=True):
                return await self._answer(request)
            return httpx2.Response(405, request=request)
        return await self._answer(request)

    async def _listen(self, request: httpx2.Request) -> httpx2.Response:
        """Ask for what is told unasked, however long that is silent."""
        if anyio.current_time() - self._begun > _LONGEST_PAUSE:
            self._asked = 0
        if self._asked:
            await anyio.sleep(min(_LONGEST_PAUSE, 2.0 ** (self._asked - 1)))
        self._asked, self._begun = min(self._asked + 1, _MOST_DOUBLED), anyio.current_time()
        waits = {**request.extensions.get("timeout", {}), "read": None}
        request.extensions = {**request.extensions, "timeout": waits}
        return await self._answer(request)

    async def _answer(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._base.handle_async_request(request)
        if response.status_code in _REFUSED:
            await response.aclose()
            raise httpx2.RequestError(_refusal(request, response), request=request)
        if response.headers.get("content-encoding", "identity").lower() not in ("", "identity"):
            await response.aclose()
            raise httpx2.DecodingError("it sent a compressed answer, which nobody asked for", request=request)
        if isinstance(response.stream, httpx2.AsyncByteStream):
            told = self._told if request.method == "GET" else None
            response.stream = _Bounded(response.stream, self._gate.most_bytes, request, told)
        return response

    async def aclose(self) -> None:
        await self._base.aclose()


class _Bounded(httpx2.AsyncByteStream):
    """A body of so many bytes; what is told unasked counts since somebody read it (`told`), for it has no end."""

    def __init__(
        self, base: httpx2.AsyncByteStream, most: int, request: httpx2.Request, told: Callable[[int], None] | None
    ) -> None:
        self._base, self._most, self._request, self._told = base, most, request, told

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = self._most
        async for chunk in self._base:
            if self._told is None:
                left -= len(chunk)
            else:
                self._told(len(chunk))
            if left < 0:
                why = f"it sent an answer of more than {self._most:,} bytes"
                raise httpx2.ReadError(why, request=self._request)
            yield chunk

    async def aclose(self) -> None:
        await self._base.aclose()


def _refusal(request: httpx2.Request, response: httpx2.Response) -> str:
    """Return why a server refuses, and the way out: a token, for nobody is signed in here by OAuth."""
    if "authorization" in request.headers:
        return f"it refuses the token that it was sent (status {response.status_code}), which 'token_env' names"
    refuses = f"it refuses who asks (status {response.status_code})"
    asks = response.headers.get("www-authenticate", "").lower()
    if "resource_metadata" in asks or asks.startswith("bearer") or "oauth" in asks:
        refuses += ", and asks for OAuth, by which nobody signs in here: get a token from whoever runs it"
    return f"{refuses}; its token is the variable that 'token_env' names (`--token-env VARIABLE`)"
