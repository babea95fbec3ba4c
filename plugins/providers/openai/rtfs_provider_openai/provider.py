"""The provider: one call, within its deadline; every failure a `ProviderError`.

A call is one request; another one follows only where the server refuses how it was asked (`ways`), or where a place
surely did nothing and there is another one (`turns`). What follows any other failure is the host's.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import anyio
import anyio.to_thread

from rtfs_framework.api import (
    InferenceReply,
    InferenceRequest,
    ProviderAuthError,
    ProviderError,
    ProviderSettings,
    Usage,
    digest,
)
from rtfs_provider_openai.exchange import Exchange
from rtfs_provider_openai.route import Route
from rtfs_provider_openai.settings import OpenAISettings
from rtfs_provider_openai.turns import Turns, rest_after

Answer = TypeVar("Answer")

_VERSION = "2"


class OpenAIProvider:
    """Asks one model, at one place or at several in turn."""

    def __init__(self, settings: ProviderSettings) -> None:
        self.id = settings.id
        self._own: OpenAISettings = settings.own or OpenAISettings()
        self._environ = settings.environ
        self._routes = [Route(settings, self._own, place) for place in self._own.places(settings.environ)]
        self._turns = Turns(len(self._routes))

    def fingerprint(self) -> str:
        """Return the digest of what answers rest on: endpoints, model and parameters. No key is any of it."""
        own = self._own
        urls = sorted(set(own.base_urls(self._environ)))
        more = {"headers": dict(own.headers), "body": dict(own.extra_body), "azure": [own.api_version, own.deployment]}
        said = json.dumps([urls, more], sort_keys=True)
        return digest("openai", _VERSION, said, own.model, str(own.temperature), own.max_tokens, own.structured)

    def prepare(self) -> None:
        """Import the vendor's client and load the certificates.

        Raises:
            ProviderError: The client cannot be imported, or cannot be made of what the settings say.
        """
        for route in self._routes:
            route.prepare()

    async def infer(self, request: InferenceRequest) -> InferenceReply:
        """Return the model's answer.

        Raises:
            ProviderError: Of the kind that fits, with the vendor's exception as its cause.
        """
        sent: list[Any] = []

        async def ask(route: Route, exchange: Exchange) -> InferenceReply:
            return await route.ask(exchange, request)

        try:
            return await self._in_turn(ask, request.timeout, sent)
        except ProviderError as error:
            if not sent:
                error.usage = Usage(0, 0)
            raise

    def ping(self, timeout: float) -> None:
        """Find out whether one place could answer, by its list of models; one without such a list is there, too.

        Raises:
            ProviderError: As a request would.
        """
        anyio.run(self._ping, timeout)

    async def aclose(self) -> None:
        """Close the connections of the event loop that runs."""
        for route in self._routes:
            await route.aclose()

    async def _ping(self, seconds: float) -> None:
        try:
            await self._in_turn(Route.ping, seconds, [])
        finally:
            await self.aclose()

    async def _in_turn(
        self, ask: Callable[[Route, Exchange], Awaitable[Answer]], seconds: float, sent: list[Any]
    ) -> Answer:
        """Ask the place whose turn it is, and the next one where it surely did nothing, all within one deadline."""
        why = self._own.unusable(self._environ)
        if why is not None:
            raise ProviderAuthError(self.id, why)
        if not all(route.prepared for route in self._routes):
            await anyio.to_thread.run_sync(self.prepare)
        left = [(place, self._routes[place]) for place in self._turns.order()]
        exchange = left[0][1].exchange(seconds, sent)
        try:
            with anyio.fail_after(seconds):
                while True:
                    place, route = left.pop(0)
                    exchange = route.exchange(seconds, sent)
                    try:
                        return await ask(route, exchange)
                    except ProviderError as error:
                        rest = rest_after(error)
                        if rest is None:
                            raise
                        self._turns.rest(place, rest)
                        if not left:
                            raise
        except TimeoutError as error:
            raise exchange.overdue() from error
