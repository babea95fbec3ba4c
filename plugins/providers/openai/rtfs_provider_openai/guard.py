"""What goes out and what comes in, held to the rules, whatever the client above it would do.

Out: only to the endpoint's own origin, only the headers that a request needs, and those that the provider gives (its
key, its account). In: bodies up to a bound, measured as they are read and again as they are unpacked; streams of events
are passed on as they come, up to the same bound; redirects only within the origin and only those that keep method and
body. Error pages are cut: nobody reads the end of one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextvars import ContextVar

import httpx2
from anyio.lowlevel import checkpoint

from rtfs_framework.api import BadReply, ProviderRedirected, ReplyTooLarge, one_line
from rtfs_provider_openai.failures import retry_after

IDEMPOTENCY = "idempotency-key"
_NEEDED = frozenset(
    {"host", "accept", "content-type", "content-length", "transfer-encoding", "connection", IDEMPOTENCY}
)
_KEPT = (307, 308)
"""The redirects that keep method and body."""
_ENCODINGS = ("gzip", "x-gzip", "deflate")
"""None is asked for; these two are unpacked all the same, for some gateways always pack."""
_SLICE = 1024
"""Bytes that are unpacked at once: they become 1 MiB at most."""
_ERROR_PAGE = 64 * 1024

asked_to_wait: ContextVar[list[float | None] | None] = ContextVar("rtfs_openai_asked_to_wait", default=None)
"""Of the running request: the waits that its last response asked for, empty when it asked for none."""

sent_out: ContextVar[list[httpx2.URL] | None] = ContextVar("rtfs_openai_sent_out", default=None)
"""Of the running request: where it was sent so far, retries included; not where no connection came about."""


class Guard(httpx2.AsyncBaseTransport):
    """A transport around another one."""

    def __init__(
        self,
        inner: httpx2.AsyncBaseTransport,
        provider: str,
        origin: httpx2.URL,
        headers: Callable[[], Mapping[str, str]],
        most: int,
    ) -> None:
        self._inner = inner
        self._provider = provider
        self._origin = origin
        self._headers = headers
        self._most = most

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request and read its reply.

        Raises:
            ProviderRedirected: It would go elsewhere.
            ReplyTooLarge: The reply is beyond the bound.
            BadReply: The reply is packed in a way that nobody asked for, or is damaged.
        """
        if not _same_origin(request.url, self._origin):
            raise self._redirected("asks to be called at", request.url, None)
        headers = {name: value for name, value in request.headers.items() if name.lower() in _NEEDED}
        headers |= {"Accept-Encoding": "identity", "User-Agent": "rtfs-provider-openai", **self._headers()}
        sent = httpx2.Request(
            request.method, request.url, headers=headers, stream=request.stream, extensions=request.extensions
        )
        response = await self._send(sent)
        kept = [(name, value) for name, value in response.headers.multi_items() if name.lower() not in _FRAMING]
        try:
            self._note(response)
            self._check_redirect(request, response)
            if _is_stream(response):
                stream = _Streamed(response, self._most, self._too_large)
                return httpx2.Response(response.status_code, headers=kept, stream=stream)
            content = await self._read(response)
        except BaseException:
            await response.aclose()
            raise
        await response.aclose()
        return httpx2.Response(response.status_code, headers=kept, content=content)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()

    async def _send(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request; it counts as sent unless it is known that no connection came about."""
        sent = sent_out.get()
        sent = [] if sent is None else sent
        sent.append(request.url)
        try:
            return await self._inner.handle_async_request(request)
        except (httpx2.ConnectError, httpx2.ConnectTimeout):
            sent.pop()
            raise

    def _note(self, response: httpx2.Response) -> None:
        waits = asked_to_wait.get()
        if waits is not None:
            waits[:] = [retry_after(response.headers)] if response.status_code == 429 else []

    def _check_redirect(self, request: httpx2.Request, response: httpx2.Response) -> None:
        status = response.status_code
        if not 300 <= status < 400 or "location" not in response.headers:
            return
        try:
            target = request.url.join(response.headers["location"])
        except httpx2.InvalidURL:
            target = None
        if target is None or status not in _KEPT or not _same_origin(target, self._origin):
            raise self._redirected(f"answers {status} and points to", target, status)

    def _redirected(self, what: str, target: httpx2.URL | None, status: int | None) -> ProviderRedirected:
        message = (
            f"the server {what} {_host(target)}; redirects are followed only within one host and port, and only if "
            "they keep the request; if that address is meant, write it into 'endpoint'"
        )
        return ProviderRedirected(self._provider, message, status=status)

    async def _read(self, response: httpx2.Response) -> bytes:
        status, headers = response.status_code, response.headers
        if 300 <= status < 400:
            return b""
        most = self._most if status < 400 else min(self._most, _ERROR_PAGE)
        packings = [each.strip().lower() for each in headers.get("content-encoding", "").split(",")]
        packings = [each for each in packings if each not in ("", "identity")]
        if len(packings) > 1 or not set(packings).issubset(_ENCODINGS):
            raise BadReply(self._provider, f"the reply is packed as {one_line(', '.join(packings), 60)!r}, unasked")
        if not packings and status < 400 and _length(headers) > most:
            raise self._too_large()
        slices = _Slices(response, most, packed=bool(packings))
        packed = {"content-encoding": packings[0].removeprefix("x-")} if packings else {}
        read = bytearray()
        try:
            async for piece in httpx2.Response(status, headers=packed, stream=slices).aiter_bytes():
                read += piece
                if len(read) > most:
                    break
        except httpx2.DecodingError as error:
            if status < 400:  # of an error page, the status says enough
                raise BadReply(self._provider, f"the reply is packed as {packings[0]}, and damaged") from error
        if len(read) > most or slices.over:
            if status < 400:
                raise self._too_large()
            del read[most:]
        return bytes(read)

    def _too_large(self) -> ReplyTooLarge:
        message = f"the reply is larger than {self._most:,} bytes; raise max_reply if such replies are meant"
        return ReplyTooLarge(self._provider, message)


_FRAMING = frozenset({"content-encoding", "content-length", "transfer-encoding", "set-cookie"})


class _Slices(httpx2.AsyncByteStream):
    """A body as it comes off the wire, up to a bound; a packed one in slices, so that none becomes large at once."""

    def __init__(self, response: httpx2.Response, most: int, *, packed: bool) -> None:
        self._response = response
        self._most = most
        self._packed = packed
        self.over = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        seen = 0
        stream = self._response.stream
        assert isinstance(stream, httpx2.AsyncByteStream)  # noqa: S101 - an asynchronous transport gives nothing else
        async for chunk in stream:
            seen += len(chunk)
            if seen > self._most:
                self.over = True
                return
            if not self._packed:
                yield chunk
                continue
            for start in range(0, len(chunk), _SLICE):
                yield chunk[start : start + _SLICE]
                await checkpoint()


class _Streamed(httpx2.AsyncByteStream):
    """A body that is read while it arrives, up to a bound."""

    def __init__(self, response: httpx2.Response, most: int, too_large: Callable[[], ReplyTooLarge]) -> None:
        self._response = response
        self._most = most
        self._too_large = too_large

    async def __aiter__(self) -> AsyncIterator[bytes]:
        seen = 0
        stream = self._response.stream
        assert isinstance(stream, httpx2.AsyncByteStream)  # noqa: S101 - an asynchronous transport gives nothing else
        async for chunk in stream:
            seen += len(chunk)
            if seen > self._most:
                raise self._too_large()
            yield chunk

    async def aclose(self) -> None:
        await self._response.aclose()


def _is_stream(response: httpx2.Response) -> bool:
    """Tell whether a reply is a stream of events that can be read as it comes; a packed one is read whole."""
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    packed = response.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity")
    return response.status_code == 200 and kind == "text/event-stream" and not packed


def _length(headers: httpx2.Headers) -> int:
    found = headers.get("content-length", "")
    return int(found) if found.isascii() and found.isdigit() and len(found) < 20 else 0


def _same_origin(url: httpx2.URL, other: httpx2.URL) -> bool:
    return _origin(url) == _origin(other)


def _origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port or {"http": 80, "https": 443}.get(url.scheme)


def _host(url: httpx2.URL | None) -> str:
    if url is None:
        return "an address that cannot be read"
    port = "" if url.port is None else f":{url.port}"
    return one_line(f"{url.scheme}://{url.host}{port}", 120)
