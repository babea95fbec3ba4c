"""The provider: one call of a model of llm's, within its deadline; every failure a `ProviderError`.

An asynchronous model is awaited, any other one runs in a thread (`threads`); one that does not end in time is left
behind there, and stops at its next piece. Nothing is written to llm's own log.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
import attrs

from rtfs_framework.api import (
    FailureKind,
    InferenceReply,
    InferenceRequest,
    ProviderAuthError,
    ProviderError,
    ProviderSettings,
    ProviderTimeout,
    RateLimited,
    Usage,
    blotter,
    digest,
)
from rtfs_provider_llm.asking import (
    format_of,
    is_wrapped,
    prompt_of,
    schema_of,
    system_of,
    turns_of,
    why_unsayable,
)
from rtfs_provider_llm.failures import Teller
from rtfs_provider_llm.plugin import LlmSettings
from rtfs_provider_llm.reading import reply_of, usage_of
from rtfs_provider_llm.threads import FullError, Threads

if TYPE_CHECKING:
    from rtfs_provider_llm.models import Chosen

_VERSION = "1"


@attrs.define(slots=True, eq=False)
class _Said:
    """What one call has heard so far."""

    pieces: list[str] = attrs.field(factory=list)
    usage: Usage = attrs.field(factory=Usage)
    model: str = ""
    left: threading.Event = attrs.field(factory=threading.Event)
    """Set when nobody waits any more."""


class LlmProvider:
    """Asks one model."""

    def __init__(self, settings: ProviderSettings) -> None:
        if settings.own is None:
            raise ValueError("the provider needs settings: which model")
        self.id = settings.id
        self._own: LlmSettings = settings.own
        self._environ = settings.environ
        self._choosing = Lock()
        self._threads = Threads(f"llm {settings.id}")
        self._chosen: Chosen | None = None
        key = self._own.key(settings.environ)
        self._teller = Teller(self.id, self._own.api_key_env or "", blotter([key]) if key else str)

    def fingerprint(self) -> str:
        """Return the digest of what answers rest on: model, who offers it in which version, options. No key is any."""
        own = self._own
        try:
            chosen = self._choose()
            named = (chosen.name, chosen.origin)
        except ProviderError:  # whoever asks is told; a model that is installed later is another one
            named = (own.model, "")
        options = repr(sorted(own.options.items()))
        return digest("llm", _VERSION, *named, options, str(own.temperature), own.max_tokens, own.structured)

    def prepare(self) -> None:
        """Import llm with its plug-ins, and find the model.

        Raises:
            ProviderError: It cannot be imported, or offers no such model.
        """
        self._choose()

    async def infer(self, request: InferenceRequest) -> InferenceReply:
        """Return the model's answer.

        Raises:
            ProviderError: Of the kind that fits, with the vendor's exception as its cause.
        """
        try:
            chosen, arguments, typed = await anyio.to_thread.run_sync(self._prepared, request)
        except ProviderError as error:
            error.usage = Usage(0, 0)
            raise
        said = _Said(model=chosen.name)
        listener = request.on_text if request.schema is None else None  # half a value of a type is none
        try:
            with anyio.fail_after(request.timeout):
                if chosen.asynchronous is not None:
                    await self._hear(chosen, arguments, listener, said)
                else:
                    ask = partial(self._heard, chosen, arguments, listener, said)
                    await self._threads.call(ask)
        except TimeoutError as error:
            raise ProviderTimeout(self.id, f"no reply within {request.timeout:g} s") from error
        except FullError as error:
            failed = RateLimited(self.id, f"{error} earlier calls of its model have not ended yet", status=None)
            failed.usage = Usage(0, 0)
            raise failed from error
        finally:
            said.left.set()
        return reply_of(self.id, "".join(said.pieces), said.usage, request, said.model, typed=typed)

    async def aclose(self) -> None:
        """Do nothing: llm's models hold nothing that could be closed."""

    def _choose(self) -> Chosen:
        """Return the model; what is not installed may be the next time."""
        with self._choosing:
            if self._chosen is None:
                try:
                    from rtfs_provider_llm.models import choose
                except ImportError as error:
                    raise ProviderError(self.id, f"llm cannot be imported: {error}") from error
                self._chosen = choose(self.id, self._own, self._environ)
            return self._chosen

    def _prepared(self, request: InferenceRequest) -> tuple[Chosen, dict[str, Any], bool]:
        """Return the model, what it is asked, and whether it is asked by a schema."""
        from rtfs_provider_llm.models import check_key, options_of

        why = self._own.unusable(self._environ)
        if why is not None:
            raise ProviderAuthError(self.id, why)
        chosen = self._choose()
        check_key(self.id, chosen, self._own, self._environ)
        if request.chat is not None:
            return chosen, self._conversing(chosen, request), False
        typed = request.schema is not None and self._own.structured == "auto" and chosen.takes_schema
        arguments: dict[str, Any] = {
            "prompt": prompt_of(request),
            "system": system_of(request, typed=typed),
            "stream": request.on_text is not None and request.schema is None and bool(chosen.model.can_stream),
            "options": options_of(self.id, chosen, self._own, request),
            "hide_reasoning": True,
        }
        if typed and request.schema is not None:
            arguments["schema"] = schema_of(request.schema)
        return chosen, arguments, typed

    def _conversing(self, chosen: Chosen, request: InferenceRequest) -> dict[str, Any]:
        """Return what a conversation asks a model.

        Raises:
            ProviderError: Text cannot say it.
        """
        from rtfs_provider_llm.models import options_of

        unsayable = why_unsayable(request)
        if unsayable is not None:
            raise ProviderError(self.id, f"takes no {unsayable} in a conversation")
        schema, told = format_of(request)
        by_schema = (
            schema is not None and not is_wrapped(schema) and self._own.structured == "auto" and chosen.takes_schema
        )
        system = [each for each in (system_of(request, typed=False), None if by_schema else told) if each]
        said: dict[str, Any] = {"messages": turns_of(request)} if chosen.takes_turns else {"prompt": prompt_of(request)}
        return {
            **said,
            **({"schema": dict(schema)} if by_schema and schema is not None else {}),
            "system": "\n\n".join(system) or None,
            "stream": request.on_text is not None and bool(chosen.model.can_stream),
            "options": options_of(self.id, chosen, self._own, request),
            "hide_reasoning": True,
        }

    async def _hear(
        self, chosen: Chosen, arguments: dict[str, Any], on_text: Callable[[str], None] | None, said: _Said
    ) -> None:
        """Await an asynchronous model to its end."""
        try:
            response = chosen.asynchronous.prompt(**arguments)
            async for piece in response:
                _take(piece, on_text, said)
            said.usage = usage_of(await response.usage())
            said.model = getattr(response, "resolved_model", None) or said.model
        except (Exception, SystemExit) as error:  # plug-ins are written for a command line
            raise self._failed(error, said) from error

    def _heard(
        self, chosen: Chosen, arguments: dict[str, Any], on_text: Callable[[str], None] | None, said: _Said
    ) -> None:
        """Hear a model to its end, in a worker thread."""
        try:
            response = chosen.plain.prompt(**arguments)
            for piece in response:
                if said.left.is_set():
                    return
                _take(piece, on_text, said)
            said.usage = usage_of(response.usage())
            said.model = getattr(response, "resolved_model", None) or said.model
        except BaseException as error:
            raise self._failed(error, said) from error

    def _failed(self, error: BaseException, said: _Said) -> ProviderError:
        """Return the error of a call; once the model has spoken, nobody knows what that cost."""
        failed = self._teller.of(error)
        if said.pieces:
            failed.failure = FailureKind.UNCERTAIN
        return failed


def _take(piece: str, on_text: Callable[[str], None] | None, said: _Said) -> None:
    said.pieces.append(piece)
    if on_text is not None and piece and not said.left.is_set():
        on_text(piece)
