"""One file over HTTP: bounded in size and time, asked again where that may help, never led to another server.

In: a path below the configured address. Out: its bytes, None where there is no such file, or a PluginError. The client
takes nothing from the process: its proxy and certificates come from the host's environment, and no word of a server
reaches an error, so no token can come back in one.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from time import monotonic, sleep
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote, urljoin

import httpx2

from rtfs_framework.api import BadEndpoint, Endpoint, StoreFaults, proxy_variable, read_endpoint

if TYPE_CHECKING:
    from rtfs_store_http.plugin import HttpSettings

_MOVED = frozenset({301, 302, 303, 307, 308})
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_REDIRECTS = 3
_FIRST_PAUSE, _MOST_PAUSE = 0.1, 2.0
"""Seconds; each pause is twice as long as the one before."""
_NO_KEY = "set the variable that `token_env` names, or take `token_env` out"

Result = TypeVar("Result")
Environ = Callable[[str], "str | None"]


class _AgainError(Exception):
    """A failure that may pass."""


class Files:
    """Files below one address."""

    def __init__(self, own: HttpSettings, faults: StoreFaults, environ: Environ) -> None:
        """Settle address, token, proxy and certificates; nothing is asked yet.

        Raises:
            PluginError: One of them cannot be used.
        """
        self._faults, self._own = faults, own
        self._base = (own.url or "").rstrip("/")
        self._where = self._endpoint()
        self._client = httpx2.Client(
            transport=self._transport(environ), trust_env=False, timeout=own.timeout, headers=self._headers(environ)
        )

    def get(self, path: str, what: str, most: int) -> bytes | None:
        """Return a file of at most `most` bytes, None where there is none; raises PluginError."""
        return self._tried(lambda: self._once("GET", path, lambda answer, end: self._body(answer, what, most, end)))

    def has(self, path: str) -> bool:
        """Tell whether there is a file; raises PluginError."""
        return self._tried(lambda: self._once("HEAD", path, lambda _answer, _end: True)) is True

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _once(self, method: str, path: str, read: Callable[[httpx2.Response, float], Result]) -> Result | None:
        """Ask once, led on within the server at most; None where there is no such file."""
        end = monotonic() + self._own.timeout
        url = f"{self._base}/{quote(path, safe='/=')}"
        for _ in range(_REDIRECTS + 1):
            with self._client.stream(method, url) as answer:
                status = answer.status_code
                if status in _MOVED:
                    url = self._led_on(url, answer.headers.get("location", ""))
                    continue
                if status in {404, 410}:
                    return None
                if status == 200:
                    return read(answer, end)
                if status in _AGAIN:
                    raise _AgainError(f"it answers with status {status}")
                raise self._refusal(status)
        raise self._faults.refused(f"{self._base} leads on more than {_REDIRECTS} times", "see what it hands out")

    def _body(self, answer: httpx2.Response, what: str, most: int, end: float) -> bytes:
        if answer.headers.get("content-encoding", "identity") != "identity":
            way_out = "have the server hand out files as they are, without compressing them"
            raise self._faults.damaged(f"{what} comes encoded, which was not asked for", way_out)
        size = answer.headers.get("content-length", "")
        if size.isascii() and size.isdigit():
            self._faults.within(what, int(size[:20]), most)
        data = bytearray()
        for piece in answer.iter_raw():
            data += piece
            self._faults.within(what, len(data), most)
            if monotonic() > end:
                raise _AgainError(f"{what} did not come within {self._own.timeout:g} s")
        return bytes(data)

    def _tried(self, ask: Callable[[], Result]) -> Result:
        pause = _FIRST_PAUSE
        for left in range(self._own.retries, -1, -1):
            try:
                return ask()
            except (_AgainError, httpx2.HTTPError) as error:
                if left == 0:
                    way_out = "see that the server is there and that `url` is right, or read from another store"
                    raise self._faults.unreachable(f"{self._base}: {_why(error)}", way_out) from error
            sleep(min(pause, _MOST_PAUSE))
            pause *= 2
        raise AssertionError

    def _led_on(self, url: str, location: str) -> str:
        """Return where a server leads on to: never away from it, for the token and what is asked are not for others."""
        target = urljoin(url, location)
        try:
            same = read_endpoint(target.partition("?")[0]) == self._where
        except BadEndpoint:
            same = False
        if not location or not same:
            way_out = "if that is where programs lie now, write its address into `url`"
            raise self._faults.refused(f"{self._where.origin} leads on to another server", way_out)
        return target

    def _refusal(self, status: int) -> Exception:
        way_out = "see that `url` is right"
        if status in {401, 403, 407}:
            way_out = "see that the token (`token_env`) is right and may read"
        return self._faults.refused(f"{self._base} answers with status {status}", way_out)

    def _endpoint(self) -> Endpoint:
        if not self._base:
            raise self._faults.refused("its table names no server", "add `url`")
        try:
            return read_endpoint(self._base)
        except BadEndpoint as error:
            raise self._faults.refused(f"its `url` {error}", "such as https://programs.example/rtfs") from None

    def _headers(self, environ: Environ) -> dict[str, str]:
        headers = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": "rtfs-store-http"}
        name = self._own.token_env
        if name:
            token = (environ(name) or "").strip()
            if not token:
                raise self._faults.refused(f"the environment variable {name} is not set", _NO_KEY)
            if not token.isascii() or not token.isprintable():
                raise self._faults.refused(f"the environment variable {name} holds what cannot be a token", _NO_KEY)
            if not self._where.keeps_secrets:
                message = "a token would go over plain http, where anybody on the way can read it"
                raise self._faults.refused(message, "use https, or take `token_env` out")
            headers["Authorization"] = f"Bearer {token}"
        return headers

    def _transport(self, environ: Environ) -> httpx2.HTTPTransport:
        found = proxy_variable(self._where.scheme, self._where.host, self._where.port, environ)
        try:
            proxy = None if found is None else httpx2.Proxy(found[1] if "://" in found[1] else f"http://{found[1]}")
            return httpx2.HTTPTransport(verify=self._trusted(environ, proxied=proxy is not None), proxy=proxy)
        except (ValueError, httpx2.InvalidURL, ImportError) as error:
            name = found[0] if found is not None else "HTTPS_PROXY"
            message = f"the environment variable {name} names a proxy that cannot be used"
            raise self._faults.refused(message, "write it as http://proxy.example:3128") from error

    def _trusted(self, environ: Environ, *, proxied: bool) -> ssl.SSLContext:
        file, folder = environ("SSL_CERT_FILE") or None, environ("SSL_CERT_DIR") or None
        if not file and not folder:
            plain = self._where.scheme == "http" and not proxied
            return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if plain else httpx2.create_ssl_context(trust_env=False)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            context.load_verify_locations(file, folder)
        except (OSError, ssl.SSLError) as error:
            message = f"SSL_CERT_FILE or SSL_CERT_DIR names no certificates: {error}"
            raise self._faults.refused(message, "let it name a file of them, or take it out") from error
        return context


def _why(error: Exception) -> str:
    if isinstance(error, httpx2.TimeoutException):
        return "no answer in time"
    return str(error) if isinstance(error, _AgainError) else "the connection failed or broke off"
