"""The provider: one request to another RTFS host, within its deadline; every failure a `ProviderError`."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import anyio
import anyio.to_thread
from anyio.lowlevel import RunVar

from rtfs_framework.api import (
    BadReply,
    FailureKind,
    Followed,
    InferenceReply,
    InferenceRequest,
    Offer,
    ProviderAuthError,
    ProviderDeclined,
    ProviderError,
    ProviderSettings,
    ProviderTimeout,
    RemoteRun,
    Usage,
    digest,
)
from rtfs_provider_remote_rtfs.plugin import RemoteSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx2

    from rtfs_provider_remote_rtfs.client import Answer, Clients

_VERSION = "1"
_SHORT = 1024 * 1024
"""Bytes of the largest answer to a question about a host, or about a run of it."""


class RemoteProvider:
    """Asks one host; each event loop has a client, for connections cannot move between them."""

    def __init__(self, settings: ProviderSettings) -> None:
        self.id = settings.id
        self._settings = settings
        self._own: RemoteSettings = settings.own
        self._url = self._own.endpoint.rstrip("/")
        self._clients: Clients | None = None
        self._client: RunVar[httpx2.AsyncClient | None] = RunVar(f"rtfs_remote client of {settings.id}")
        self._preparing = Lock()

    def fingerprint(self) -> str:
        """Return the digest of what answers rest on: the address. What the host does by it is the host's own."""
        return digest("remote-rtfs", _VERSION, self._url)

    def prepare(self) -> None:
        """Import the client and load the certificates.

        Raises:
            ProviderError: They cannot be used.
        """
        with self._preparing:
            if self._clients is None:
                from rtfs_provider_remote_rtfs.client import Clients

                self._clients = Clients(self._settings, self._own)

    async def infer(self, request: InferenceRequest) -> InferenceReply:
        """Let the host run what the request brings along, and return its answer.

        Raises:
            ProviderError: Of the kind that fits.
        """
        from rtfs_provider_remote_rtfs.wire import encoded, reply_of, run_body, table_of

        travel = request.travel
        if travel is None:
            raise ProviderError(self.id, "the request brings no program along", usage=Usage(0, 0))
        if travel.journey.hops is not None and travel.journey.hops < 1:
            why = f"the request has passed as many hosts as it may: {' -> '.join(travel.journey.via)}"
            raise ProviderDeclined(self.id, why, status=508)
        body = encoded(run_body(travel, request, self._own.hops), self.id)
        answer = await self._asked("POST", "/v1/rtfs/run", body, request.timeout, self._own.max_reply)
        typed = request.function.returns is not None
        return reply_of(table_of(answer.body, self.id), self.id, typed=typed)

    async def offer(self, timeout: float) -> Offer:  # noqa: ASYNC109 - it bounds the request, and is told as its failure
        """Return what the host can do now.

        Raises:
            ProviderError: It does not say.
        """
        from rtfs_provider_remote_rtfs.wire import offer_of, table_of

        answer = await self._asked("GET", "/v1/rtfs/offer", None, timeout, _SHORT)
        return offer_of(table_of(answer.body, self.id), self.id)

    async def follow(self, run: RemoteRun, hops: int, timeout: float) -> Followed:  # noqa: ASYNC109 - as above
        """Return what the host says of a run that it keeps, and of what that asked other hosts.

        Raises:
            ProviderError: It does not say.
        """
        from rtfs_provider_remote_rtfs.wire import followed_of, table_of

        if not (run.run.isascii() and run.run.isalnum()):
            raise BadReply(self.id, "the record names no run")
        query = {"follow": "true", "hops": str(max(0, hops)), "head": run.head}
        path = f"/v1/rtfs/runs/{run.run}/verify?{urlencode(query)}"
        answer = await self._asked("GET", path, None, timeout, self._own.max_reply)
        return followed_of(table_of(answer.body, self.id), self.id, run.run)

    async def ping(self, timeout: float) -> None:  # noqa: ASYNC109 - as above
        """Find out whether the host takes requests.

        Raises:
            ProviderError: It does not.
        """
        await self._asked("GET", "/readyz", None, timeout, _SHORT)

    async def aclose(self) -> None:
        """Close the connections of the event loop that runs."""
        client = self._client.get(None)
        if client is not None:
            self._client.set(None)
            await client.aclose()

    async def _asked(self, method: str, path: str, body: Any, seconds: float, most: int) -> Answer:
        """Return what the host answers with status 200.

        Raises:
            ProviderError: It answers an error, or nothing.
        """
        from rtfs_provider_remote_rtfs.client import exchange
        from rtfs_provider_remote_rtfs.failures import failure_of

        headers = self._headers()
        client = await self._ready()
        try:
            with anyio.fail_after(seconds):
                answer = await exchange(client, self.id, method, f"{self._url}{path}", headers, body, most)
        except TimeoutError as error:
            raise ProviderTimeout(self.id, f"no reply within {seconds:g} s", failure=FailureKind.UNCERTAIN) from error
        if answer.status != 200:
            raise failure_of(answer, self.id, self._own.token_env)
        return answer

    def _headers(self) -> Mapping[str, str]:
        why = self._own.unusable(self._settings.environ)
        if why is not None:
            raise ProviderAuthError(self.id, why, usage=Usage(0, 0))
        token = self._own.token(self._settings.environ)
        return {"Authorization": f"Bearer {token}"} if token else {}

    async def _ready(self) -> httpx2.AsyncClient:
        """Return the client of this event loop."""
        if self._clients is None:
            await anyio.to_thread.run_sync(self.prepare)
        client = self._client.get(None)
        if client is None:
            assert self._clients is not None  # noqa: S101 - `prepare` made them
            client = self._clients.make()
            self._client.set(client)
        return client
