"""What a model said as a reply. In: its text and account. Out: an `InferenceReply`, or a `BadReply` that quotes it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from rtfs_framework.api import (
    BadReply,
    InferenceReply,
    InferenceRequest,
    JsonError,
    Usage,
    load_json,
    one_line,
    token_count,
)
from rtfs_provider_llm.asking import is_wrapped

_FENCE = re.compile(r"\s*```[^\n`]*\n(.*?)\n?```\s*", re.DOTALL)
_SHOWN = 120
_MODEL = 100


def reply_of(
    provider: str, text: str, usage: Usage, request: InferenceRequest, model: str, *, typed: bool
) -> InferenceReply:
    """Return the reply.

    Raises:
        BadReply: The text holds no usable answer; the tokens that it took are in the error.
    """
    fields: dict[str, Any] = {"model": one_line(model, _MODEL), "usage": usage}
    if not text.strip():
        raise BadReply(provider, "the reply holds no text", usage=usage)
    if not typed or request.schema is None:
        return InferenceReply(text=text, **fields)
    return InferenceReply(data=_value(provider, text, usage, request.schema), structured=True, **fields)


def usage_of(found: Any) -> Usage:
    """Return the tokens that llm's own account names."""
    details = getattr(found, "details", None)
    inner = details.get("prompt_tokens_details") if isinstance(details, Mapping) else None
    cached = inner.get("cached_tokens") if isinstance(inner, Mapping) else None
    return Usage(
        token_count(getattr(found, "input", None)), token_count(getattr(found, "output", None)), token_count(cached)
    )


def _value(provider: str, text: str, usage: Usage, schema: Mapping[str, Any]) -> Any:
    fenced = _FENCE.fullmatch(text)
    shown = one_line(text, _SHOWN)
    try:
        data = load_json(fenced[1] if fenced else text)
    except JsonError as error:
        message = f"the answer is no JSON ({error}): '{shown}'"
        raise BadReply(provider, message, usage=usage, said=text) from error
    if not is_wrapped(schema):
        return data
    if not isinstance(data, dict) or "value" not in data:
        raise BadReply(provider, f"the answer is no object with a \"value\": '{shown}'", usage=usage, said=text)
    return data["value"]
