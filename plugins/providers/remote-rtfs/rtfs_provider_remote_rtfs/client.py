"""The HTTP client: made so that it does what the settings and the session say, and nothing else. Slow to import.

Certificates are always verified; no proxy, header or `.netrc` of the process counts; redirects are not followed; a body
is read up to its bound. What it sends is told apart from what never left this machine: only that is surely not done.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import httpx2

from rtfs_framework.api import (
    FailureKind,
    ProviderError,
    ProviderRedirected,
    ProviderSettings,
    ProviderUnavailable,
    ReplyTooLarge,
    one_line,
)
from rtfs_provider_remote_rtfs.plugin import RemoteSettings

PROTOCOL = "1"
_ERROR_PAGE = 256 * 1024
_UNSENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.UnsupportedProtocol)


@attrs.frozen(slots=True)
class Answer:
    """What a host answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Clients:
    """Makes clients; what they share (certificates) is read once.

    Raises:
        ProviderError: A file of certificates cannot be used.
    """

    def __init__(self, settings: ProviderSettings, own: RemoteSettings) -> None:
        self._id, self._own = settings.id, own
        self._trusted = _trusted(settings, own)

    def make(self) -> httpx2.AsyncClient:
        """Return a client for the event loop that runs."""
        return httpx2.AsyncClient(
            transport=httpx2.AsyncHTTPTransport(verify=self._trusted, trust_env=False),
            trust_env=False,
            follow_redirects=False,
            timeout=None,  # the deadline of a request is the caller's, and covers all of it
        )


def _trusted(settings: ProviderSettings, own: RemoteSettings) -> ssl.SSLContext:
    named = own.ca_file
    file = settings.environ.get("SSL_CERT_FILE") if named is None else str(_place(settings, named))
    folder = settings.environ.get("SSL_CERT_DIR") if named is None else None
    if not file and not folder:
        return httpx2.create_ssl_context(trust_env=False)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(file or None, folder or None)
    except (OSError, ssl.SSLError) as error:
        what = "the environment variable SSL_CERT_FILE or SSL_CERT_DIR" if named is None else f"'ca_file' ({named})"
        raise ProviderError(settings.id, f"{what} names no certificates: {error}") from error
    return context


def _place(settings: ProviderSettings, name: str) -> Path:
    return Path(settings.directory or ".") / name


async def exchange(
    client: httpx2.AsyncClient, provider: str, method: str, url: str, headers: Mapping[str, str], body: Any, most: int
) -> Answer:
    """Send one request and read its answer.

    Raises:
        ProviderError: It could not be sent, the connection broke, or the answer points elsewhere or has no end.
    """
    sent = {"Accept": "application/json", "RTFS-Protocol": PROTOCOL, "Accept-Encoding": "identity", **headers}
    sent["User-Agent"] = "rtfs-provider-remote-rtfs"
    if body is not None:
        sent["Content-Type"] = "application/json"
    try:
        async with client.stream(method, url, headers=sent, content=body) as response:
            bound = most if response.status_code < 400 else min(most, _ERROR_PAGE)
            read = bytearray()
            async for piece in response.aiter_raw():
                read += piece
                if len(read) > bound:
                    break
            status, found = response.status_code, dict(response.headers)
    except httpx2.HTTPError as error:
        raise _broken(provider, error) from error
    except (OSError, ssl.SSLError) as error:
        raise ProviderUnavailable(provider, f"the connection broke ({_words(error)})") from error
    if 300 <= status < 400:
        message = "the host points elsewhere, and that is not followed; write the address that is meant into 'endpoint'"
        raise ProviderRedirected(provider, message, status=status)
    if len(read) > bound and status < 400:
        raise ReplyTooLarge(provider, f"the reply has more than {bound:,} bytes; raise max_reply if that is meant")
    return Answer(status, found, bytes(read[:bound]))


def _broken(provider: str, error: Exception) -> ProviderUnavailable:
    """Return the failure of a connection: nothing was done where there never was one."""
    if isinstance(error, _UNSENT):
        inner = error.__cause__ or error
        words = f"the host cannot be reached ({_words(inner if str(inner) else error)})"
        return ProviderUnavailable(provider, words, failure=FailureKind.SAFE)
    words = f"the connection broke before the answer was whole ({_words(error)})"
    return ProviderUnavailable(provider, words, failure=FailureKind.UNCERTAIN)


def _words(error: BaseException) -> str:
    return one_line(str(error), 200) or type(error).__name__
