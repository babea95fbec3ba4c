"""The provider: one call to the endpoint, within its deadline; every failure a `ProviderError`.

A call is one request, and another one only where the server refuses how it was asked (`ways`). What follows a failure
is the host's.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
from anyio.lowlevel import RunVar

from rtfs_framework.api import (
    InferenceReply,
    InferenceRequest,
    ProviderAuthError,
    ProviderError,
    ProviderSettings,
    Usage,
    blotter,
    digest,
)
from rtfs_provider_openai.abilities import Abilities
from rtfs_provider_openai.asking import body_of
from rtfs_provider_openai.exchange import Exchange, is_streamed
from rtfs_provider_openai.failures import Teller
from rtfs_provider_openai.plugin import KEY, VENDOR, OpenAISettings
from rtfs_provider_openai.unlogged import unlogged

if TYPE_CHECKING:
    import openai

    from rtfs_provider_openai.client import Clients

PATH = "/chat/completions"
_VERSION = "2"
_SHORT = 6
"""Characters of a key from which on it is looked for in any spelling."""


class OpenAIProvider:
    """Asks one model at one endpoint; each event loop has a client, for connections cannot move between them."""

    def __init__(self, settings: ProviderSettings) -> None:
        self.id = settings.id
        self._settings = settings
        self._own: OpenAISettings = settings.own or OpenAISettings()
        self._environ = settings.environ
        self._url = self._own.base_url(settings.environ)
        self._clients: Clients | None = None
        self._client: RunVar[openai.AsyncOpenAI | None] = RunVar(f"rtfs_openai client of {settings.id}")
        self._preparing = Lock()
        self._known = Abilities(self._own, vendor=self._url.rstrip("/") == VENDOR)
        self._tells: tuple[str, Teller] | None = None

    def fingerprint(self) -> str:
        """Return the digest of what answers rest on: endpoint, model and parameters. The key is none of it."""
        own = self._own
        temperature = str(own.temperature)
        return digest("openai", _VERSION, self._url, own.model, temperature, own.max_tokens, own.structured)

    def prepare(self) -> None:
        """Import the vendor's client and load the certificates: a second or two of work that is no waiting.

        Raises:
            ProviderError: The client cannot be imported, or cannot be made of what the settings say.
        """
        with self._preparing:
            if self._clients is not None:
                return
            try:
                with unlogged():
                    from rtfs_provider_openai.client import Clients
            except ImportError as error:
                raise ProviderError(self.id, f"the client cannot be imported: {error}") from error
            clients = Clients(self._settings, self._own)
            clients.make()  # what making one imports is imported here; nothing is opened, and nothing to be closed
            self._clients = clients

    async def infer(self, request: InferenceRequest) -> InferenceReply:
        """Return the model's answer.

        Raises:
            ProviderError: Of the kind that fits, with the vendor's exception as its cause.
        """
        sent: list[Any] = []
        try:
            return await self._answer(request, sent)
        except ProviderError as error:
            if not sent:
                error.usage = Usage(0, 0)
            raise

    async def _answer(self, request: InferenceRequest, sent: list[Any]) -> InferenceReply:
        """Return the model's answer; `sent` gets what was sent for it."""
        teller = self._teller(self._key())
        client = await self._ready()
        exchange = Exchange(
            client=client, path=PATH, teller=teller, model=self._own.model, timeout=request.timeout, sent=sent
        )
        try:
            with anyio.fail_after(request.timeout):
                return await self._asked(exchange, request)
        except TimeoutError as error:
            raise exchange.overdue() from error

    async def _asked(self, exchange: Exchange, request: InferenceRequest) -> InferenceReply:
        """Ask in the way that the server takes; what it refuses is found out once."""
        known = self._known
        way = known.way_for(request)
        while True:
            body = _encodable(body_of(request, self._own, way, stream=is_streamed(request)), self.id)
            try:
                reply = await exchange.reply(body, request, way.form)
            except ProviderError:
                lower = known.lower(way, body, request, exchange.refusal)
                if lower is None:
                    raise
                way = lower
                continue
            known.prove(way, request)
            return reply

    async def aclose(self) -> None:
        """Close the connections of the event loop that runs."""
        client = self._client.get(None)
        if client is not None:
            self._client.set(None)
            await client.close()

    def _teller(self, key: str) -> Teller:
        """Return who tells failures without this key, made once."""
        if self._tells is None or self._tells[0] != key:
            self._tells = key, Teller(self.id, self._variable(), _striking(key))
        return self._tells[1]

    def _variable(self) -> str:
        return KEY if self._own.api_key_env is None else self._own.api_key_env

    def _key(self) -> str:
        why = self._own.unusable(self._environ)
        if why is not None:
            raise ProviderAuthError(self.id, why)
        return self._own.key(self._environ) or ""

    async def _ready(self) -> openai.AsyncOpenAI:
        """Return the client of this event loop."""
        if self._clients is None:
            await anyio.to_thread.run_sync(self.prepare)
        client = self._client.get(None)
        if client is None:
            assert self._clients is not None  # noqa: S101 - `prepare` made them
            client = self._clients.make()
            self._client.set(client)
        return client


def _striking(key: str) -> Callable[[str], str]:
    """Return what strikes a key out of a text, in any spelling; a very short one only as it is."""
    if not key:
        return str
    strike = blotter([key])
    return lambda text: strike(text.replace(key, "[secret]") if len(key) < _SHORT else text)


def _encodable(body: dict[str, Any], provider: str) -> dict[str, Any]:
    """Return a body that can be sent.

    Raises:
        ProviderError: It cannot: an argument holds half of a surrogate pair.
    """
    try:
        json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        message = "the request was not sent: a text in it holds half a character (a lone surrogate)"
        raise ProviderError(provider, message) from error
    return body
