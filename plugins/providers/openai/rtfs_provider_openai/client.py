"""The vendor's client, made so that it does what the settings and the session say and nothing else. Slow to import.

In: the provider's settings and the session's variables. Out: what makes a client for an event loop. What the client
would take from the process (headers, accounts, proxies, certificates, .netrc) it does not see, or `guard` drops it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx2
import openai  # noqa: TID253 - this module is imported with first use

from rtfs_framework.api import ProviderError, ProviderSettings
from rtfs_provider_openai.guard import Guard
from rtfs_provider_openai.settings import OpenAISettings, Place
from rtfs_provider_openai.surroundings import SurroundingsError, account, proxy_for, trusted

_NO_KEY = "none"
"""The client refuses to exist without a key, and would look for one itself; `guard` sends the real one, or none."""
_MOST_REDIRECTS = 5


class Clients:
    """Makes clients; what they share (address, certificates, proxy) is settled once.

    Raises:
        ProviderError: The endpoint or a variable cannot be used.
    """

    def __init__(
        self,
        settings: ProviderSettings,
        own: OpenAISettings,
        place: Place | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Settle it for one of the places that are asked, the first unless said; `headers` go with every request."""
        environ = settings.environ
        self._id, self._own = settings.id, own
        place = Place(own.base_url(environ), "", own.key(environ)) if place is None else place
        try:
            self._url = httpx2.URL(place.url)
        except httpx2.InvalidURL as error:
            raise ProviderError(self._id, f"the endpoint is no address: {error}") from error
        try:
            self._proxy = proxy_for(self._url, environ)
            self._trusted = trusted(self._url, environ)
            named = account(environ) if place.vendor else {}
        except SurroundingsError as error:
            raise ProviderError(self._id, str(error)) from error
        bearer = {"Authorization": f"Bearer {place.key}"} if place.key else {}
        self._headers = {**named, **bearer} if headers is None else {**named, **headers}

    def make(self) -> _Client:
        """Return a client for the event loop that runs."""
        try:
            inner = httpx2.AsyncHTTPTransport(verify=self._trusted, trust_env=False, proxy=self._proxy)
        except ImportError as error:
            raise ProviderError(self._id, f"the proxy cannot be used: {error}") from error
        guard = Guard(inner, self._id, self._url, lambda: self._headers, self._own.max_reply)
        http = httpx2.AsyncClient(
            transport=guard, trust_env=False, follow_redirects=True, max_redirects=_MOST_REDIRECTS
        )
        return _Client(
            api_key=_NO_KEY,
            admin_api_key="",
            organization="",
            project="",
            webhook_secret="",
            base_url=self._url,
            max_retries=0,  # the host decides what follows a failure
            http_client=http,
        )


class _Client(openai.AsyncOpenAI):
    """The client without the headers that it would take from OPENAI_CUSTOM_HEADERS, or tell of this machine."""

    @property
    def default_headers(self) -> dict[str, Any]:
        """What every request has."""
        return {"Accept": "application/json", "Content-Type": "application/json"}
