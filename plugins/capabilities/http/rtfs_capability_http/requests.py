"""The requests: judged step by step, sent to addresses that were checked, answered within bounds.

A name is resolved once for each step, all that it resolves to is checked, and the connection goes to one of these
addresses, so no later answer of a name server counts (DNS rebinding). TLS is verified against the name. Each step has
a connection of its own: one that was verified for a name is never used for another at the same address.
"""

from __future__ import annotations

import math
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from functools import cached_property
from hashlib import sha256

import anyio
import anyio.to_thread
import httpx2

from rtfs_capability_http.addresses import is_public, may_reach, read_address, read_networks
from rtfs_capability_http.calls import SAFE_METHODS, SENDING, Ask, read_ask
from rtfs_capability_http.granted import granting
from rtfs_capability_http.headers import sent, twin
from rtfs_capability_http.plugin import FETCH, FETCH_ALIASES, SEND, HttpGrant
from rtfs_capability_http.replies import Taken, as_reply, taken
from rtfs_capability_http.urls import BadUrl, Origin, Url, join
from rtfs_framework.api import (
    CapabilityEntry,
    CapabilityError,
    CapabilityRequest,
    CapabilitySetSettings,
    FailureKind,
    Value,
    not_granted,
    proxy_variable,
)

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""From a host's name and a port to its addresses; raises OSError."""

SECONDS = 30.0
"""For a request, where nobody says."""
_MOST_ADDRESSES = 4
"""Of one name that are tried."""
_LED_ON = frozenset({301, 302, 303, 307, 308})
_KEYED = frozenset({"POST", "PATCH"})
"""Methods that a server may do twice, unless it knows the key (draft-ietf-httpapi-idempotency-key-header)."""
_ASK = (
    "[:union :string [:map [:url :string] [:method [:union :string :keyword] ?] [:body :string? ?]"
    " [:headers [:map-of [:union :string :keyword] :string] ?] [:timeout [:union :int :float] ?]]]"
)
_REPLY = (
    "[:map [:status :int] [:headers [:map-of :string :string]] [:body :string]"
    ' [:encoding [:enum "text" "base64"]] [:url :string]]'
)


async def resolved(host: str, port: int) -> Sequence[str]:
    """Return what the system says are a host's addresses; raises OSError."""
    found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class HttpSet:
    """`http.fetch` and `http.send`."""

    def __init__(self, settings: CapabilitySetSettings, resolve: Resolve = resolved) -> None:
        self._environ, self._resolve = settings.environ, resolve

    def entries(self) -> list[CapabilityEntry]:
        """Return both. Only what changes nothing is idempotent: what a server does with a key is its own affair."""
        parameters, returns = (_ASK,), _REPLY
        return [
            CapabilityEntry(
                id=FETCH,
                summary="Fetch a page (GET) or its headers (HEAD) from a host that the grant lists.",
                handler=self.fetch,
                parameters=parameters,
                returns=returns,
                effects=(":network",),
                isolable=True,
                order_independent=True,
                idempotent=True,
                aliases=FETCH_ALIASES,
                grant=HttpGrant,
            ),
            CapabilityEntry(
                id=SEND,
                summary="Send a request that may change something (POST, PUT, PATCH, DELETE) to a host of the grant.",
                handler=self.send,
                parameters=parameters,
                returns=returns,
                effects=(":network",),
                isolable=True,
                grant=HttpGrant,
            ),
        ]

    def close(self) -> None:
        """Do nothing: no connection outlives its call."""

    async def fetch(self, request: CapabilityRequest) -> Value:
        """Ask for something, and follow where the server leads, as far as grants go."""
        ask = read_ask(request.args[0], SAFE_METHODS, "GET")
        return await self._within(request, ask, {})

    async def send(self, request: CapabilityRequest) -> Value:
        """Send something. Where the server leads on, the program sees it."""
        ask = read_ask(request.args[0], SENDING, "POST")
        key = {"idempotency-key": sha256(request.key.encode()).hexdigest()[:32]} if request.key else {}
        return await self._within(request, ask, key if ask.method in _KEYED else {})

    async def _within(self, request: CapabilityRequest, ask: Ask, more: dict[str, str]) -> Value:
        grant = granting(request.grants, ask.url.origin, ask.method)
        if ask.body is not None and len(ask.body) > grant.most_sent:
            what = f"a body of {len(ask.body):,} bytes, and {grant.most_sent:,} may be sent"
            raise not_granted(what, "send less, or raise `most_sent` of the grant")
        seconds = min(ask.seconds, SECONDS if request.deadline is None else request.deadline)
        try:
            with anyio.fail_after(max(seconds, 0.0)):
                return await self._followed(request, ask, grant, {**more, **ask.headers}, seconds)
        except TimeoutError:
            raise _failed(f"{ask.url.origin} did not answer within {seconds:g} s", FailureKind.UNCERTAIN) from None

    async def _followed(
        self, request: CapabilityRequest, ask: Ask, grant: HttpGrant, headers: dict[str, str], seconds: float
    ) -> Value:
        """Make the steps of a request. Once it was led to another origin, it carries no secret any more."""
        url, strayed, secret = ask.url, False, self._secrets(grant, headers)
        most = grant.redirects if ask.method in SAFE_METHODS else 0
        for count in range(most + 1):
            step = httpx2.Request(
                ask.method,
                "https://checked.invalid/",
                headers=sent(url.origin, headers, secret, strayed=strayed),
                content=ask.body,
                extensions={"target": url.target.encode(), "sni_hostname": url.origin.host},
            )
            answer = await self._step(url.origin, step, grant, seconds, secret=bool(secret) and not strayed)
            location = answer.location if answer.status in _LED_ON else None
            if most == 0 or location is None:
                return await as_reply(answer, str(url), secret.values())
            if count == most:
                break
            url = _led_on(url, location)
            strayed = strayed or url.origin != ask.url.origin
            grant = granting(request.grants, url.origin, ask.method)
        raise _failed(f"{ask.url.origin} leads on more than {most} times; see what it hands out", FailureKind.FINAL)

    async def _step(
        self, origin: Origin, request: httpx2.Request, grant: HttpGrant, seconds: float, *, secret: bool
    ) -> Taken:
        """Make one step: at the first checked address that takes a connection."""
        addresses = await self._addresses(origin, grant)
        if secret and origin.scheme == "http":
            self._see_that_nobody_reads(origin, addresses, grant)
        connect = None if math.isinf(seconds) else seconds / len(addresses)
        request.extensions["timeout"] = {"connect": connect}
        why: Exception | None = None
        for address in addresses:
            request.url = httpx2.URL(scheme=origin.scheme, host=address, port=origin.port, path="/")
            try:
                async with await self._transport(origin, grant) as transport:
                    return await taken(await transport.handle_async_request(request), request.method, grant.most_bytes)
            except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
                why = error
            except httpx2.DecodingError as error:
                raise _failed(f"the body of {origin} cannot be unpacked", FailureKind.UNCERTAIN) from error
            except httpx2.HTTPError as error:
                message = f"the connection to {origin} broke, or what came is no HTTP"
                raise _failed(message, FailureKind.UNCERTAIN) from error
        raise _failed(_unconnected(origin, why), FailureKind.SAFE) from why

    async def _addresses(self, origin: Origin, grant: HttpGrant) -> Sequence[str]:
        """Return the addresses of a host; all of them may be reached, or none is.

        Raises:
            CapabilityError: One may not, or nobody knows the host.
        """
        try:
            literal = read_address(origin.host)
            found = [origin.host] if literal is not None else await self._resolve(origin.host, origin.port)
        except OSError as error:
            message = f"the name {origin.host} cannot be resolved; see that it is spelled right"
            raise _failed(message, FailureKind.SAFE) from error
        if not found:
            raise _failed(f"the name {origin.host} has no address", FailureKind.SAFE)
        listed = read_networks(grant.private)
        for text in found:
            address = read_address(text)
            if address is None or not may_reach(address, listed):
                what = f"{origin.host} is at {text[:60]}, which is no public address"
                raise not_granted(what, "list it in `private` of the grant, if it is meant")
        return found[:_MOST_ADDRESSES]

    def _see_that_nobody_reads(self, origin: Origin, addresses: Sequence[str], grant: HttpGrant) -> None:
        """Refuse secrets over plain http, unless they stay within a network that the grant lists in `private`."""
        known = [read_address(text) for text in addresses]  # what is not public was found in `private`
        if any(each is None or is_public(each) for each in known) or self._proxy(origin, grant) is not None:
            what = f"{origin} over plain http, where anybody on the way can read the headers that the grant adds"
            raise not_granted(what, "ask by https, or list a network of your own in `private`, without a proxy")

    def _proxy(self, origin: Origin, grant: HttpGrant) -> tuple[str, str] | None:
        """Return the variable that names the proxy of a step, and what it says."""
        return proxy_variable(origin.scheme, origin.host, origin.port, self._environ) if grant.proxy else None

    def _secrets(self, grant: HttpGrant, own: dict[str, str]) -> dict[str, str]:
        """Return the headers that a grant adds."""
        found, theirs = {}, set(map(twin, own))
        for name, variable in grant.headers_env.items():
            value = (self._environ(variable) or "").strip()
            if not value or not value.isascii() or not value.isprintable():
                message = f"the environment variable {variable} does not hold a value for the header {name}; set it"
                raise CapabilityError(message, failure=FailureKind.FINAL)
            if twin(name) in theirs:
                raise not_granted(f"the header {name!r}, which the grant itself adds", "leave it out")
            found[name] = value
        return found

    async def _transport(self, origin: Origin, grant: HttpGrant) -> httpx2.AsyncHTTPTransport:
        """Return what makes one connection. It reads nothing of the process's environment."""
        trusted = await anyio.to_thread.run_sync(lambda: self._trusted)  # it reads files, once
        found = self._proxy(origin, grant)
        try:
            proxy = None if found is None else httpx2.Proxy(found[1] if "://" in found[1] else f"http://{found[1]}")
            return httpx2.AsyncHTTPTransport(verify=trusted, trust_env=False, proxy=proxy)
        except (ValueError, httpx2.InvalidURL, ImportError) as error:
            name = "HTTPS_PROXY" if found is None else found[0]
            message = f"the environment variable {name} names a proxy that cannot be used; write http://proxy:3128"
            raise CapabilityError(message, failure=FailureKind.FINAL) from error

    @cached_property
    def _trusted(self) -> ssl.SSLContext:
        """Whose certificates count: those of SSL_CERT_FILE or SSL_CERT_DIR, else the system's."""
        file, folder = self._environ("SSL_CERT_FILE") or None, self._environ("SSL_CERT_DIR") or None
        if not file and not folder:
            return httpx2.create_ssl_context(trust_env=False)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            context.load_verify_locations(file, folder)
        except (OSError, ssl.SSLError) as error:
            message = "SSL_CERT_FILE or SSL_CERT_DIR names no certificates; let it name a file of them, or take it out"
            raise CapabilityError(message, failure=FailureKind.FINAL) from error
        return context


def _led_on(url: Url, location: str) -> Url:
    try:
        return join(url, location)
    except BadUrl as error:
        message = f"{url.origin} leads on to what is not followed: the URL {error}"
        raise CapabilityError(message, "SecurityViolation", failure=FailureKind.FINAL) from None


def _unconnected(origin: Origin, error: BaseException | None) -> str:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return f"{origin} does not prove that it is {origin.host}: its certificate is not trusted"
        error = error.__cause__ or error.__context__
    return f"{origin} takes no connection"


def _failed(message: str, failure: FailureKind) -> CapabilityError:
    return CapabilityError(message, "NetworkError", failure=failure)
