"""Vectors of texts, by the endpoint's `/embeddings`: as many as are asked for, in one request."""

from __future__ import annotations

import struct
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from typing import Any

from rtfs_framework.api import BadReply, InferenceReply, InferenceRequest, Usage, token_count
from rtfs_provider_openai.settings import OpenAISettings

PATH = "/embeddings"


def body_of(request: InferenceRequest, own: OpenAISettings) -> dict[str, Any]:
    """Return what is sent. An endpoint takes no empty text, so a space stands for it."""
    texts = [each.content or " " for each in request.messages]
    return {"model": own.model, "input": texts, "encoding_format": "float", **own.extra_body}


def reply_of(data: Any, provider: str, model: str) -> InferenceReply:
    """Return what the endpoint answered: the vectors, in the order of the texts.

    Raises:
        BadReply: It is no list of vectors.
    """
    usage = _usage(data)
    try:
        found = sorted(data["data"], key=lambda each: each["index"])
        vectors = [_vector(each["embedding"]) for each in found]
    except (KeyError, TypeError, ValueError, OverflowError, Base64Error, struct.error) as error:
        raise BadReply(provider, "the endpoint answered what is no list of vectors", usage=usage) from error
    if [each["index"] for each in found] != list(range(len(found))):
        raise BadReply(provider, "the endpoint left a text out, or answered one twice", usage=usage)
    said = data.get("model")
    return InferenceReply(data=vectors, structured=True, model=said if isinstance(said, str) else model, usage=usage)


def _vector(found: Any) -> list[float]:
    """Return a vector as numbers; some servers write base64 whatever they are asked for."""
    if isinstance(found, str):
        return [number for (number,) in struct.iter_unpack("<f", b64decode(found, validate=True))]
    if not all(each.__class__ in (int, float) for each in found):
        raise TypeError("what is no number")
    return list(map(float, found))


def _usage(data: Any) -> Usage:
    said = data.get("usage") if isinstance(data, Mapping) else None
    count = token_count(said.get("prompt_tokens")) if isinstance(said, Mapping) else None
    return Usage(count, 0 if count is not None else None)
