"""One endpoint with one key: its clients, and what is known of its server.

Each event loop has a client of its own, for connections cannot move between them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from anyio.lowlevel import RunVar

from rtfs_framework.api import InferenceReply, InferenceRequest, ProviderError, ProviderSettings, blotter
from rtfs_provider_openai import embedding
from rtfs_provider_openai.abilities import Abilities
from rtfs_provider_openai.asking import body_of
from rtfs_provider_openai.exchange import Exchange, is_streamed
from rtfs_provider_openai.failures import Teller
from rtfs_provider_openai.settings import OpenAISettings, Place
from rtfs_provider_openai.unlogged import unlogged

if TYPE_CHECKING:
    import openai

    from rtfs_provider_openai.client import Clients

_SHORT = 6
"""Characters of a secret from which on it is looked for in any spelling."""


class Route:
    """Asks one model at one endpoint."""

    def __init__(self, settings: ProviderSettings, own: OpenAISettings, place: Place) -> None:
        self._id, self._settings, self._own, self._place = settings.id, settings, own, place
        self._clients: Clients | None = None
        self._client: RunVar[openai.AsyncOpenAI | None] = RunVar(f"rtfs_openai client of {settings.id}")
        self._preparing = Lock()
        self._known = Abilities(own, vendor=place.vendor)
        secrets = own.secret_headers(settings.environ)
        self._headers = {**own.headers, **_bearer(place, own), **secrets}
        self._teller = Teller(settings.id, place.variable, _striking([place.key or "", *secrets.values()]))

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
                raise ProviderError(self._id, f"the client cannot be imported: {error}") from error
            clients = Clients(self._settings, self._own, self._place, self._headers)
            clients.make()  # what making one imports is imported here; nothing is opened, and nothing to be closed
            self._clients = clients

    @property
    def prepared(self) -> bool:
        """Tell whether `prepare` has done its work."""
        return self._clients is not None

    def exchange(self, seconds: float, sent: list[Any]) -> Exchange:
        """Return what asks this server for one call; `sent` gets what was sent for it."""
        azure = self._own.api_version is not None
        return Exchange(
            client=self._ready(),
            path=self._path("chat/completions") if azure else "/chat/completions",
            params={"api-version": str(self._own.api_version)} if azure else {},
            teller=self._teller,
            model=self._own.model,
            timeout=seconds,
            sent=sent,
        )

    async def ask(self, exchange: Exchange, request: InferenceRequest) -> InferenceReply:
        """Ask in the way that the server takes; what it refuses is found out once.

        Raises:
            ProviderError: There is no answer.
        """
        if request.embeds:
            asked = _encodable(embedding.body_of(request, self._own), self._id)
            exchange.path = self._path("embeddings") if self._own.api_version is not None else embedding.PATH
            return embedding.reply_of(await exchange.answer(asked), self._id, self._own.model)
        known = self._known
        way = known.way_for(request)
        while True:
            body = _encodable(body_of(request, self._own, way, stream=is_streamed(request)), self._id)
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

    async def ping(self, exchange: Exchange) -> None:
        """Ask for the list of models, which costs nothing.

        Raises:
            ProviderError: The server cannot be reached, or does not take the key.
        """
        await exchange.look("/openai/models" if self._own.api_version is not None else "/models")

    async def aclose(self) -> None:
        """Close the connections of the event loop that runs."""
        client = self._client.get(None)
        if client is not None:
            self._client.set(None)
            await client.close()

    def _path(self, end: str) -> str:
        """Return a path of Azure's."""
        return f"/openai/deployments/{quote(self._own.deployment or self._own.model, safe='')}/{end}"

    def _ready(self) -> openai.AsyncOpenAI:
        """Return the client of this event loop."""
        client = self._client.get(None)
        if client is None:
            assert self._clients is not None  # noqa: S101 - `prepare` made them
            client = self._clients.make()
            self._client.set(client)
        return client


def _bearer(place: Place, own: OpenAISettings) -> dict[str, str]:
    """Return the header that carries the key."""
    if not place.key:
        return {}
    return {"Authorization": f"Bearer {place.key}"} if own.api_version is None else {"api-key": place.key}


def _striking(secrets: list[str]) -> Callable[[str], str]:
    """Return what strikes secrets out of a text, in any spelling; a very short one only as it is."""
    secrets = [each for each in secrets if each]
    if not secrets:
        return str
    strike = blotter(secrets)
    short = [each for each in secrets if len(each) < _SHORT]

    def struck(text: str) -> str:
        for each in short:
            text = text.replace(each, "[secret]")
        return strike(text)

    return struck


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
