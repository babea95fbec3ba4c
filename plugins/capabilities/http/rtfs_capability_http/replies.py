"""Replies: read within a bound on what arrives and on what it unpacks to, and made values of programs.

A body is text where its bytes are of the charset that it names (UTF-8 where it names none), else base64, and says so.
"""

from __future__ import annotations

import codecs
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import aclosing
from typing import cast

import anyio.lowlevel
import attrs
import httpx2

from rtfs_framework.api import CapabilityError, FailureKind, Keyword, Map, Value, blotter

_AT_ONCE, _LONGEST_SPELLING = 65_536, 80
"""Characters that are looked through in one go, and how many at most stand for one of a secret."""
_CODINGS = frozenset({"", "identity", "gzip", "deflate"})
_CHARSETS = frozenset({
    "ascii", "utf-8", "utf-16", "utf-16-le", "utf-16-be", "big5", "cp932", "euc_jp", "euc_kr", "gb18030", "gb2312",
    "gbk", "iso2022_jp", "koi8-r", "koi8-u", "shift_jis", "tis-620",
    *(f"iso8859-{number}" for number in range(1, 17)), *(f"cp{number}" for number in (866, *range(1250, 1259))),
})  # fmt: skip
"""Codecs by Python's names: others, such as `idna` and `unicode_escape`, are no encodings of pages."""


@attrs.frozen(slots=True)
class Taken:
    """What a server answered."""

    status: int
    headers: tuple[tuple[str, str], ...]
    """By names in lower case; as often as they came."""
    body: bytes
    charset: str

    @property
    def location(self) -> str | None:
        """Return where it leads on to; several such headers lead nowhere."""
        found = [value for name, value in self.headers if name == "location"]
        return found[0] if len(found) == 1 else None


class _Counted(httpx2.AsyncByteStream):
    """A stream of bytes that ends with an error beyond a bound."""

    def __init__(self, stream: httpx2.SyncByteStream | httpx2.AsyncByteStream, most: int) -> None:
        self._stream, self._most = cast("httpx2.AsyncByteStream", stream), most

    async def __aiter__(self) -> AsyncIterator[bytes]:
        count = 0
        async for piece in self._stream:
            count += len(piece)
            _check_size(count, self._most)
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()


async def taken(response: httpx2.Response, method: str, most: int) -> Taken:
    """Return what a server answers, and let go of the connection. What is refused may have been carried out.

    Raises:
        CapabilityError: It is larger than `most` bytes, packed or not, or packed in a way that was not asked for.
        httpx2.HTTPError: The connection broke.
    """
    data = bytearray()
    try:
        if method != "HEAD":
            if response.headers.get("content-encoding", "").strip().lower() not in _CODINGS:
                message = "the body comes packed in a way that was not asked for"
                raise CapabilityError(message, "NetworkError", failure=FailureKind.UNCERTAIN)
            response.stream = _Counted(response.stream, most)
            async with aclosing(response.aiter_bytes()) as pieces:
                async for piece in pieces:
                    data += piece
                    _check_size(len(data), most)
    finally:
        await response.aclose()
    headers = tuple((name.decode("latin-1").lower(), _text(value)) for name, value in response.headers.raw)
    return Taken(response.status_code, headers, bytes(data), response.charset_encoding or "utf-8")


async def as_reply(answer: Taken, url: str, secrets: Collection[str]) -> Value:
    """Return an answer as programs see it; secrets that come back are struck out."""
    text, blot = _decoded(answer.body, answer.charset), blotter(secrets)
    headers: dict[str, str] = {}
    for name, value in answer.headers:
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    found = {
        "status": answer.status,
        "headers": Map.of((blot(name), blot(value)) for name, value in headers.items()),
        "body": await _struck(b64encode(answer.body).decode() if text is None else text, blot, secrets),
        "encoding": "base64" if text is None else "text",
        "url": blot(url),
    }
    return Map.of((Keyword(name), value) for name, value in found.items())


async def _struck(text: str, blot: Callable[[str], str], secrets: Collection[str]) -> str:
    """Return a text without secrets. Looking through a long one takes a while: others have their turn meanwhile."""
    if not secrets:
        return text
    overlap = _LONGEST_SPELLING * max(map(len, secrets))
    window = _AT_ONCE + overlap
    for start in range(0, len(text), _AT_ONCE):
        piece = text[start : start + window]
        if blot(piece) != piece:
            return blot(text)
        await anyio.lowlevel.checkpoint()
    return text


def _decoded(data: bytes, charset: str) -> str | None:
    try:
        known = codecs.lookup(charset).name
        return data.decode(known) if known in _CHARSETS else None
    except (LookupError, ValueError):
        return None


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _check_size(count: int, most: int) -> None:
    if count > most:
        message = f"the reply is larger than {most:,} bytes; ask for less, or raise `most_bytes` of the grant"
        raise CapabilityError(message, "NetworkError", failure=FailureKind.UNCERTAIN)
