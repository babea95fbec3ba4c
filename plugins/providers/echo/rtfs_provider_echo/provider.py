"""The provider: a request's first argument in, the same out; nothing else is looked at, nothing can fail.

As text when text is expected (the declared return type is a string, or there is none). For any other type as JSON data
when the argument fits the type, else as text, which the host then reads, or refuses, as it would a model's.
"""

from __future__ import annotations

from typing import Any

from rtfs_framework.api import (
    InferenceReply,
    InferenceRequest,
    JsonError,
    ProgramError,
    ProviderSettings,
    Type,
    Value,
    digest,
    from_json,
    to_json,
    write,
)

MODEL = "echo-1"
WHY = "the first argument, as it came"
_NONE = object()


class EchoProvider:
    """Answers the first argument."""

    def __init__(self, settings: ProviderSettings) -> None:
        self.id = settings.id

    def fingerprint(self) -> str:
        """Return the digest of the one behaviour there is."""
        return digest(MODEL)

    async def infer(self, request: InferenceRequest) -> InferenceReply:
        """Return the first argument: raw text for a string, its printed form for anything else, data where it fits."""
        first = request.args[0] if request.args else ""
        returns = request.function.returns
        # `Primitive.STRING` is the type whose value is "string".
        if returns is not None and getattr(returns, "value", None) != "string":
            data = _data(first, returns)
            if data is not _NONE:
                return InferenceReply(data=data, structured=True, model=MODEL, explanation=WHY)
        text = first if isinstance(first, str) else write(first)
        return InferenceReply(text=text, model=MODEL, explanation=WHY)

    async def aclose(self) -> None:
        """Do nothing: there is nothing to release."""


def _data(value: Value, returns: Type) -> Any:
    """Return a value as JSON data, or `_NONE` when JSON cannot hold it or it is not of the declared type."""
    try:
        data = to_json(value)
        from_json(returns, data)
    except (JsonError, ProgramError):
        return _NONE
    return data
