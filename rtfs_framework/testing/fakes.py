"""Records with sensible defaults, and a provider that answers from a script. Real objects: nothing here is a mock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rtfs_framework.api import (
    CacheKey,
    CallContext,
    CallKind,
    FunctionSignature,
    HostCall,
    InferenceReply,
    InferenceRequest,
    Message,
    ProviderSettings,
    Type,
    Value,
    digest,
    write,
)
from rtfs_framework.lang.types.schema import to_json_schema


def cache_key(*parts: Any, namespace: str = "test") -> CacheKey:
    """Return the key of some values, made the way that the orchestrator makes its keys."""
    return CacheKey(namespace, digest(*parts), tuple((str(i), write(part)) for i, part in enumerate(parts)))


def call_context(symbol: str, *args: Value, function: FunctionSignature | None = None, **fields: Any) -> CallContext:
    """Return what an engine is shown of a call of `symbol`; `fields` are further fields of `CallContext`."""
    signature = FunctionSignature(name=symbol) if function is None else function
    call = HostCall(CallKind.DELEGATED, symbol, args, signature)
    return CallContext(symbol, call, signature, digest(*args), **fields)


def inference_request(*args: Value, name: str = "demo", returns: Type | None = None, **fields: Any) -> InferenceRequest:
    """Return a request for a function of these arguments; `fields` are further fields of `InferenceRequest`."""
    question = f"({' '.join([name, *map(write, args)])})"
    made: dict[str, Any] = {
        "function": FunctionSignature(name=name, returns=returns),
        "args": args,
        "messages": (Message("user", question),),
        "schema": None if returns is None else to_json_schema(returns),
    }
    return InferenceRequest(**{**made, **fields})


class ScriptedProvider:
    """Answers the next line of its script, raising the errors in it; `requests` are those it was asked."""

    def __init__(
        self, script: Iterable[str | InferenceReply | Exception], settings: ProviderSettings | None = None
    ) -> None:
        self.id = "scripted" if settings is None else settings.id
        self.requests: list[InferenceRequest] = []
        self.closed = False
        self._script: Sequence[str | InferenceReply | Exception] = tuple(script)

    def fingerprint(self) -> str:
        """Return a digest of the script."""
        return digest(*map(repr, self._script))

    async def infer(self, request: InferenceRequest) -> InferenceReply:
        """Return the next answer.

        Raises:
            AssertionError: The script is at its end.
        """
        place = len(self.requests)
        self.requests.append(request)
        if place >= len(self._script):
            raise AssertionError(f"request {place + 1}, but the script has {len(self._script)} answers")
        answer = self._script[place]
        if isinstance(answer, Exception):
            raise answer
        return InferenceReply(text=answer, model="script") if isinstance(answer, str) else answer

    async def aclose(self) -> None:
        """Note that the host closed it."""
        self.closed = True
