"""One request to one server, and its reply: read whole, or piece by piece while it arrives.

A deadline that ends while the server has asked to wait is told as `RateLimited`, not as a time-out. A stream that
breaks is uncertain: the server has worked, and what it has counted by then is in the error.
"""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
import attrs

from rtfs_framework.api import (
    BadReply,
    FailureKind,
    InferenceReply,
    InferenceRequest,
    JsonError,
    ProviderError,
    ProviderTimeout,
    ProviderUnavailable,
    RateLimited,
)
from rtfs_provider_openai.asking import is_typed
from rtfs_provider_openai.extract import load
from rtfs_provider_openai.failures import Teller, data_of
from rtfs_provider_openai.guard import IDEMPOTENCY
from rtfs_provider_openai.reading import read_body, reply_of
from rtfs_provider_openai.stream import DONE, Assembly, Events
from rtfs_provider_openai.usage import usage_of
from rtfs_provider_openai.ways import Form, Refusal
from rtfs_provider_openai.words import reason_in, status_in

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    import httpx2
    import openai

_LARGE = 256 * 1024
"""Bytes from which on a body is read in a worker thread."""
_NO_LIST = (404, 405, 501)
_CLOSING = 2.0
"""Seconds that the end of a stream may take to be closed."""


def is_streamed(request: InferenceRequest) -> bool:
    """Tell whether a reply is wanted piece by piece. A value of a type has no text that anybody could follow."""
    return request.on_text is not None and not is_typed(request)


@attrs.define(slots=True, eq=False, kw_only=True)
class Exchange:
    """The requests of one call to one server, one after the other."""

    client: openai.AsyncOpenAI
    path: str
    params: Mapping[str, str]
    """Of the address: Azure's version."""
    teller: Teller
    model: str
    timeout: float
    sent: list[Any]
    """Gets what was sent."""
    refusal: Refusal | None = None
    """How the server refused the last request, None where it did not."""
    key: str = ""
    """Of the request: see `InferenceRequest.key`."""
    _waits: list[float | None] = attrs.field(factory=list)
    _assembly: Assembly | None = None

    async def reply(self, body: dict[str, Any], request: InferenceRequest, form: Form) -> InferenceReply:
        """Return the reply to a request.

        Raises:
            ProviderError: Of the kind that fits; `refusal` says how the server refused, if it did.
        """
        self.refusal, self._assembly, self.key = None, None, request.key
        async with self._opened(body) as response:
            if body.get("stream") and _is_events(response):
                return await self._followed(response, request, form)
            content = await self._content(response)
        if len(content) > _LARGE:
            reply = await anyio.to_thread.run_sync(self._read, response, content, request, form)
        else:
            reply = self._read(response, content, request, form)
        if is_streamed(request):  # the server does not stream: all of it is one piece
            self._pass_on(request, reply.data.get("content") if request.chat is not None else reply.text)
        return reply

    async def look(self, path: str) -> None:
        """Ask for a list that costs nothing; a server that has none is there all the same.

        Raises:
            ProviderError: It cannot be reached, or refuses the key.
        """
        import httpx2
        import openai

        options: Any = {"timeout": self.timeout, "params": dict(self.params)}
        try:
            await self.client.get(path, cast_to=httpx2.Response, options=options)
        except ProviderError:
            raise
        except openai.APIStatusError as error:
            if error.status_code not in _NO_LIST:
                raise self.teller.of(error) from error
        except Exception as error:
            raise self.teller.of(error) from error

    async def answer(self, body: dict[str, Any]) -> Any:
        """Return what the server answers a request that is no completion.

        Raises:
            ProviderError: Of the kind that fits.
        """
        self.refusal, self._assembly = None, None
        async with self._opened(body) as response:
            content = await self._content(response)
        data = await anyio.to_thread.run_sync(read_body, content, self.teller)
        self._check(data, response)
        return data

    def overdue(self) -> ProviderError:
        """Return the error of a deadline that has passed."""
        provider, seen = self.teller.provider, self._assembly
        if self._waits:
            message = "asks to wait longer than the deadline allows"
            return RateLimited(provider, message, retry_after=self._waits[0])
        if seen is not None and seen.begun:
            message = f"the stream did not end within {self.timeout:g} s"
            return ProviderTimeout(provider, message, usage=_used(seen))
        return ProviderTimeout(provider, f"no reply within {self.timeout:g} s")

    @asynccontextmanager
    async def _opened(self, body: dict[str, Any]) -> AsyncIterator[httpx2.Response]:
        """Send a request and give its response, which is closed afterwards."""
        response = await self._post(body)
        try:
            yield response
        finally:
            with anyio.move_on_after(_CLOSING, shield=True):
                await response.aclose()

    async def _post(self, body: dict[str, Any]) -> httpx2.Response:
        import httpx2
        import openai

        from rtfs_provider_openai.guard import asked_to_wait, sent_out

        marks = asked_to_wait.set(self._waits), sent_out.set(self.sent)
        try:
            response: Any = await self.client.post(
                self.path,
                cast_to=httpx2.Response,
                body=body,
                options={"timeout": self.timeout, "params": dict(self.params), "headers": self._headers(body)},
                stream=bool(body.get("stream")),
                stream_cls=openai.AsyncStream[object],
            )
        except ProviderError:
            raise
        except openai.APIStatusError as error:
            self.refusal = Refusal.of(error.status_code, data_of(error.response.text))
            raise self.teller.of(error) from error
        except Exception as error:
            raise self.teller.of(error) from error
        finally:
            asked_to_wait.reset(marks[0])
            sent_out.reset(marks[1])
        found: httpx2.Response = response
        return found

    def _headers(self, body: dict[str, Any]) -> dict[str, str]:
        """Return the header by which a server knows a request again: of the call, and of all that is in it."""
        if not self.key:
            return {}
        asked = json.dumps(body, sort_keys=True, default=str).encode()
        return {IDEMPOTENCY: blake2b(self.key.encode() + asked, digest_size=16).hexdigest()}

    async def _content(self, response: httpx2.Response) -> bytes:
        try:
            return await response.aread()
        except ProviderError:
            raise
        except Exception as error:
            raise self._broken(error) from error

    def _read(self, response: httpx2.Response, content: bytes, request: InferenceRequest, form: Form) -> InferenceReply:
        """Return what a response of status 200 answers."""
        data = read_body(content, self.teller)
        self._check(data, response)
        return reply_of(data, request, form, self.teller, self.model)

    def _check(self, data: Any, response: httpx2.Response) -> None:
        """Raise the error that stands where an answer should."""
        wrong = reason_in(data)
        if wrong is not None:
            self.refusal = Refusal.of(status_in(wrong) or 400, wrong)
            raise self.teller.of_answered_error(wrong, response)

    async def _followed(self, response: httpx2.Response, request: InferenceRequest, form: Form) -> InferenceReply:
        """Return the reply that a stream of events adds up to, and pass its text on as it comes."""
        assembly = self._assembly = Assembly()
        try:
            await self._follow(response, request, assembly)
        except ProviderError as error:
            if assembly.begun:
                self.refusal = None
                error.usage = _used(assembly) if error.usage is None else error.usage
                error.failure = FailureKind.UNCERTAIN if error.failure is FailureKind.SAFE else error.failure
            raise
        completion = assembly.completion()
        said = completion["choices"][0]["message"]["content"] if completion["choices"] else None
        return reply_of(completion, request, form, self.teller, self.model, said=said)

    async def _follow(self, response: httpx2.Response, request: InferenceRequest, assembly: Assembly) -> None:
        """Read a stream to its end.

        Raises:
            ProviderError: It breaks, holds no completion, or an error.
        """
        events = Events()
        try:
            async for piece in response.aiter_bytes():
                for data in events.feed(piece):
                    if self._event(data, response, request, assembly):
                        return
            for data in events.finish():
                self._event(data, response, request, assembly)
        except ProviderError:
            raise
        except Exception as error:
            raise self._broken(error) from error
        if not assembly.ended:
            raise self._broken(None)

    def _event(self, data: bytes, response: httpx2.Response, request: InferenceRequest, assembly: Assembly) -> bool:
        """Take an event; tell whether it is the last one."""
        try:
            text = data.decode()
            if text.strip() == DONE:
                return True
            chunk = load(text)
        except (UnicodeDecodeError, JsonError) as error:
            message = f"the stream holds an event that is no JSON ({error})"
            raise BadReply(self.teller.provider, message, failure=FailureKind.UNCERTAIN) from error
        if isinstance(chunk, dict) and chunk.get("error"):
            self._check(chunk, response)
        self._pass_on(request, assembly.add(chunk))
        return False

    def _pass_on(self, request: InferenceRequest, text: str | None) -> None:
        if text and request.on_text is not None:
            request.on_text(text)

    def _broken(self, error: Exception | None) -> ProviderError:
        """Return the error of a reply that broke off."""
        import httpx2

        if isinstance(error, httpx2.TimeoutException):
            return self.overdue()
        about = self.teller.words(str(error)) if error is not None else ""
        because = f" ({about})" if about else ""
        message = f"the reply broke off{because}"
        return ProviderUnavailable(self.teller.provider, message, failure=FailureKind.UNCERTAIN)


def _used(assembly: Assembly) -> Any:
    """Return the tokens that a server has counted so far, None where it has not."""
    return None if assembly.usage is None else usage_of({"usage": assembly.usage})[0]


def _is_events(response: httpx2.Response) -> bool:
    kind: str = response.headers.get("content-type", "")
    return kind.partition(";")[0].strip().lower() == "text/event-stream"
