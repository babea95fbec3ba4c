"""The provider: one request to the model in the child process, within its deadline; every failure a `ProviderError`."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import attrs

from rtfs_framework.api import (
    BadReply,
    ContextOverflow,
    FailureKind,
    InferenceReply,
    InferenceRequest,
    ModelStatus,
    ProviderError,
    ProviderSettings,
    ProviderTimeout,
    ProviderUnavailable,
    RateLimited,
    Usage,
    digest,
    one_line,
)
from rtfs_provider_llama.backends.choose import chosen
from rtfs_provider_llama.identity import backend_version, digest_of
from rtfs_provider_llama.keeper import Bounds, BusyError, ClosedError, DownError, Keeper
from rtfs_provider_llama.locate import NotFoundError, find, named, parts_of
from rtfs_provider_llama.process import ChildDiedError, ChildFailedError
from rtfs_provider_llama.settings import LlamaSettings, missing
from rtfs_provider_llama.wording import Form, Wording

_VERSION = "1"
_SPARE_MEMORY = 2 * 1024 * 1024 * 1024
_NOTHING = Usage(0, 0)


class LlamaProvider:
    """Asks one model; it is loaded when it is first needed, in a process of its own."""

    def __init__(self, settings: ProviderSettings) -> None:
        self.id = settings.id
        self._settings = settings
        self._own: LlamaSettings = settings.own or LlamaSettings()
        self._backend = chosen(self._own.backend)
        self._wording = Wording(self.id, self._own)
        own = self._own
        bounds = Bounds(queue=own.queue, load=own.load, patience=own.patience, idle=own.idle)
        self._keeper = Keeper(self.id, self._loading, settings.environ, bounds)
        self._fingerprint: str | None = None
        self._model: str | None = None
        """The digest of the file that the fingerprint speaks of."""
        self._loaded = ""
        """That of the file which was loaded last."""

    def fingerprint(self) -> str:
        """Return the digest of what answers rest on: the model's file, the backend, its version, the parameters."""
        if self._fingerprint is None:
            model = self._loaded if self._keeper.loaded else ""
            try:
                model = model or digest_of(self._path())
            except (NotFoundError, OSError):
                model = "none"  # it cannot answer either
            self._model = model
            own = self._own
            how = (own.context, own.seed, own.temperature, own.top_k, own.top_p, own.min_p, own.repeat_penalty)
            version = backend_version(self._backend)
            self._fingerprint = digest(
                "llama", _VERSION, model, self._backend, version, *map(str, how), own.threads, own.max_tokens
            )
        return self._fingerprint

    def prepare(self) -> None:
        """Load the model: no part of any request's time."""
        self.load()

    def load(self) -> None:
        """Take the model into memory.

        Raises:
            ProviderError: It cannot be loaded.
        """
        try:
            self._keeper.run(unload=False, seconds=self._own.load)
        except Exception as error:
            raise self._told(error, self._own.load) from error

    def unload(self) -> None:
        """Take the model out of memory, after those that wait; a later request loads it again."""
        if not self._keeper.loaded:
            return
        try:
            self._keeper.run(unload=True, seconds=self._own.load)
        except Exception as error:
            raise self._told(error, self._own.load) from error

    def status(self) -> ModelStatus:
        """Return how the model is; never waits."""
        keeper = self._keeper
        about = keeper.about
        detail = self._own.model or self._own.path or ""
        if about:
            version = f" {about['version']}" if about.get("version") else ""
            detail = f"{self._named()}, context {about['context']}, {about['backend']}{version}"
        return ModelStatus(
            loaded=keeper.loaded,
            memory=keeper.memory() if keeper.loaded else None,
            queued=keeper.queued,
            restarts=keeper.restarts,
            detail=detail,
        )

    def ping(self, timeout: float) -> None:
        """Find out whether the model could answer: its process, if it is loaded, else its file and its backend.

        Raises:
            ProviderError: It could not.
        """
        try:
            if not self._keeper.ping(timeout):
                self._path()
                self._check_installed()
        except Exception as error:
            raise self._told(error, timeout) from error

    async def infer(self, request: InferenceRequest) -> InferenceReply:
        """Return the model's answer.

        Raises:
            ProviderError: Of the kind that fits.
        """
        form = self._wording.form(request.schema)
        job = self._wording.job(request, form)
        _check_text(job["messages"], self.id)
        try:
            found = await self._keeper.ask(job, request.timeout, request.on_text)
        except Exception as error:
            raise self._told(error, request.timeout) from error
        return self._reply(found, form)

    async def aclose(self) -> None:
        """End the model's process."""
        await asyncio.to_thread(self._keeper.close)

    def _reply(self, found: dict[str, Any], form: Form) -> InferenceReply:
        usage = Usage(found["input"], found["output"], found["cached"])
        reply = InferenceReply(model=self._named(), usage=usage)
        if form.values is not None:
            value, confidence = form.values[found["choice"]], found["confidence"]
            return attrs.evolve(reply, data=value, structured=True, confidence=confidence)
        text = found["text"]
        if not form.typed:
            return attrs.evolve(reply, text=text)
        if not found["whole"]:
            message = f"the answer was cut off after {found['output']} tokens ('max_tokens', 'context')"
            raise BadReply(self.id, message, usage=usage, failure=FailureKind.HERE)
        try:
            return attrs.evolve(reply, data=json.loads(text), structured=True)
        except ValueError as error:
            raise BadReply(self.id, f"the answer is no JSON: {one_line(text)}", usage=usage) from error

    def _told(self, error: Exception, seconds: float) -> ProviderError:
        """Return what a program is told of a failure."""
        if isinstance(error, ProviderError):
            return error
        words = one_line(str(error))
        if isinstance(error, (TimeoutError, asyncio.TimeoutError)):
            return ProviderTimeout(self.id, f"no reply within {seconds:g} s")
        if isinstance(error, BusyError):
            return RateLimited(self.id, words, status=None)
        if isinstance(error, ChildFailedError):
            return self._failed(error, words, seconds)
        if isinstance(error, ChildDiedError):
            return ProviderUnavailable(self.id, f"the model's process was lost: {words}")
        if isinstance(error, DownError):
            return ProviderUnavailable(self.id, words, failure=FailureKind.HERE, retry_after=error.wait or None)
        if isinstance(error, (NotFoundError, ClosedError)):
            return ProviderUnavailable(self.id, words, failure=FailureKind.HERE)
        return ProviderError(self.id, words or type(error).__name__)

    def _failed(self, error: ChildFailedError, words: str, seconds: float) -> ProviderError:
        if error.kind == "overflow":
            return ContextOverflow(self.id, words, usage=_NOTHING)
        if error.kind == "stopped":
            return ProviderTimeout(self.id, f"no reply within {seconds:g} s")
        return ProviderUnavailable(self.id, words, failure=FailureKind.HERE)

    def _path(self) -> Path:
        own = self._own
        where = named(own.model or own.path, self._settings.environ)
        path = find(where.text, self._settings.directory, where.said_in).resolve()
        for part in parts_of(path):
            if not part.is_file():
                raise NotFoundError(f"the model {path.name} is split, and {part.name} is missing")
        return path

    def _named(self) -> str:
        try:
            return self._path().name
        except NotFoundError:
            return self._own.model or self._own.path or ""

    def _check_installed(self) -> None:
        why = missing(self._own.backend)
        if why is not None:
            raise NotFoundError(why)

    def _loading(self) -> dict[str, Any]:
        """Return the message that loads the model.

        Raises:
            NotFoundError: There is none, or another one than the fingerprint speaks of: what was answered is remembered
                under it, and another model's answers must not be.
        """
        self._check_installed()
        path, own = self._path(), self._own
        self._loaded = digest_of(path)
        if self._model not in (None, self._loaded):
            message = f"the model {path.name} is another one than when this host began; start the host again"
            raise NotFoundError(message)
        memory: int | None = own.memory
        if memory is None:
            memory = sum(part.stat().st_size for part in parts_of(path)) + _SPARE_MEMORY
        return {
            "path": str(path),
            "backend": self._backend,
            "context": own.context,
            "functions": own.functions,
            "threads": own.threads,
            "memory": memory,
        }


def _check_text(messages: list[tuple[str, str, int]], provider: str) -> None:
    """Refuse texts that no UTF-8 can say.

    Raises:
        ProviderError: One holds half of a surrogate pair.
    """
    try:
        for _, content, _ in messages:
            content.encode()
    except UnicodeEncodeError as error:
        message = "the request was not sent: a text in it holds half a character (a lone surrogate)"
        raise ProviderError(provider, message, usage=_NOTHING) from error
