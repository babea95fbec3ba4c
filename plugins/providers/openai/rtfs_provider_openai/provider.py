"""The provider: one request to the endpoint, within its deadline; every failure a `ProviderError`.

Retrying is the client's (429, 5xx and broken connections, honouring Retry-After), the deadline is ours and covers all
attempts. A deadline that ends while the client waits as a server asked is told as `RateLimited`, not as a time-out.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import anyio
from anyio.lowlevel import current_token

from rtfs_framework.api import (
    InferenceReply,
    InferenceRequest,
    ProviderAuthError,
    ProviderError,
    ProviderSettings,
    ProviderTimeout,
    RateLimited,
    digest,
)
from rtfs_provider_openai.failures import failure, retry_after
from rtfs_provider_openai.plugin import KEY, VENDOR, OpenAISettings
from rtfs_provider_openai.wire import body_of, reply_of

if TYPE_CHECKING:
    import openai

_VERSION = "1"
_NO_KEY = "none"
"""The client refuses to exist without a key, and would look for one itself; `_headers` sees that none is sent."""
_asked_to_wait: ContextVar[list[float | None] | None] = ContextVar("rtfs_openai_asked_to_wait", default=None)
"""Of the running request: the waits that its last response asked for, empty when it asked for none."""


class OpenAIProvider:
    """Asks one model at one endpoint; the client is made with the first request of an event loop."""

    def __init__(self, settings: ProviderSettings) -> None:
        self.id = settings.id
        self._own: OpenAISettings = settings.own or OpenAISettings()
        self._environ = settings.environ
        self._url = self._own.base_url(settings.environ)
        self._client: openai.AsyncOpenAI | None = None
        self._loop: object = None

    def fingerprint(self) -> str:
        """Return the digest of what answers rest on: endpoint, model and parameters. The key is none of it."""
        own = self._own
        temperature = str(own.temperature)
        return digest("openai", _VERSION, self._url, own.model, temperature, own.max_tokens, own.structured)

    async def infer(self, request: InferenceRequest) -> InferenceReply:
        """Return the model's answer.

        Raises:
            ProviderError: Of the kind that fits, with the vendor's exception as its cause.
        """
        key = self._key()
        client = self._ready(key)
        body = body_of(request, self._own, vendor=self._url.rstrip("/") == VENDOR)
        waits: list[float | None] = []
        mark = _asked_to_wait.set(waits)
        try:
            with anyio.fail_after(request.timeout):
                completion = await client.chat.completions.create(
                    **body, timeout=request.timeout, extra_headers=_headers(key)
                )
        except TimeoutError as error:
            if waits:
                message = "asks to wait longer than the deadline allows"
                raise RateLimited(self.id, message, retry_after=waits[0]) from error
            raise ProviderTimeout(self.id, f"no reply within {request.timeout:g} s") from error
        except Exception as error:
            raise failure(error, self.id, key, self._variable()) from error
        finally:
            _asked_to_wait.reset(mark)
        return reply_of(completion, request, self._own, self.id)

    async def aclose(self) -> None:
        """Close the connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    def _variable(self) -> str:
        return KEY if self._own.api_key_env is None else self._own.api_key_env

    def _key(self) -> str:
        key = self._own.key(self._environ)
        if key is None:
            raise ProviderAuthError(self.id, self._own.unusable(self._environ) or "")
        return key

    def _ready(self, key: str) -> openai.AsyncOpenAI:
        """Return the client of this event loop; connections cannot move from one loop to another."""
        token = current_token()
        if self._client is None or self._loop != token:
            self._client, self._loop = self._make(key), token
        return self._client

    def _make(self, key: str) -> openai.AsyncOpenAI:
        try:
            import openai
        except ImportError as error:
            raise ProviderError(self.id, f"the client cannot be imported: {error}") from error
        http = openai.DefaultAsyncHttpxClient(event_hooks={"response": [_note_wait]})
        return openai.AsyncOpenAI(
            api_key=key or _NO_KEY, base_url=self._url, max_retries=self._own.max_retries, http_client=http
        )


def _headers(key: str) -> dict[str, Any]:
    """Return the headers that keep the client from sending, or wanting, a key where there is none."""
    if key:
        return {}
    import openai

    return {"Authorization": openai.omit}


async def _note_wait(response: Any) -> None:
    """Note, for the request that is running, whether the server asked it to wait."""
    waits = _asked_to_wait.get()
    if waits is not None:
        waits[:] = [retry_after(response.headers)] if response.status_code == 429 else []
