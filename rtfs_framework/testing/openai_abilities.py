"""What a server of the OpenAI protocol takes and refuses, and how it says things in pieces: used by `openai_server`.

`refuses` holds what it does not take, in the vendor's words: "json_schema", "strict", "json_object", "response_format",
"tools", "max_tokens", "max_completion_tokens", "temperature", "stream", "stream_options", "models", or the name of any
other parameter. With "without words" beside them, it refuses without saying what.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import attrs

MODELS = b'{"object": "list", "data": [{"id": "scripted", "object": "model", "created": 0, "owned_by": "rtfs"}]}'
_PIECE = 4
"""Characters of a streamed text that come at once."""
_DEPLOYMENT = re.compile(r"/openai/deployments/[^/?]+/chat/completions\?api-version=\d{4}-\d\d-\d\d(-preview)?")
_AZURE_MODELS = re.compile(r"/openai/models\?api-version=\d{4}-\d\d-\d\d(-preview)?")


@attrs.frozen(slots=True)
class Refused:
    """Why a request is refused."""

    status: int
    message: str
    code: str | None = None
    param: str | None = None


@attrs.frozen(slots=True)
class Say:
    """A completion with this text."""

    text: str | None
    finish_reason: str = "stop"
    refusal: str | None = None
    usage: tuple[int, int] = (7, 3)
    reasoning: str | None = None
    """What the model thought, in a field of its own."""
    tool_calls: tuple[tuple[str, Any], ...] = ()
    """Functions that it wants called, each with its arguments."""


@attrs.frozen(slots=True)
class Abilities:
    """Which requests a server takes."""

    key: str | None
    refuses: frozenset[str]
    azure: bool

    def refusal(self, method: str, path: str, headers: Mapping[str, str], body: Any) -> Refused | None:
        """Return why a request is not in order, None when it is."""
        if self.key is not None and not self._knows(headers):
            return Refused(401, "Incorrect API key provided.", code="invalid_api_key")
        if method == "GET" and self._is_models(path) and "models" not in self.refuses:
            return None
        if method != "POST" or not self._is_chat(path):
            return Refused(404, f"Unknown request URL: {method} {path}")
        if not isinstance(body, dict) or not isinstance(body.get("model"), str):
            return Refused(400, "you must provide a model parameter")
        messages = body.get("messages")
        if not isinstance(messages, list) or not messages or not all(map(_is_message, messages)):
            return Refused(400, "'messages' must be a list of objects with role and content")
        wrong = self._unable(body)
        return Refused(400, "") if wrong is not None and "without words" in self.refuses else wrong

    def _knows(self, headers: Mapping[str, str]) -> bool:
        if self.azure:
            return headers.get("api-key") == self.key
        return headers.get("authorization") == f"Bearer {self.key}"

    def _is_models(self, path: str) -> bool:
        return bool(_AZURE_MODELS.fullmatch(path)) if self.azure else path == "/v1/models"

    def _is_chat(self, path: str) -> bool:
        return bool(_DEPLOYMENT.fullmatch(path)) if self.azure else path == "/v1/chat/completions"

    def _unable(self, body: Mapping[str, Any]) -> Refused | None:
        """Return the refusal of the first parameter that this server does not take."""
        form = body.get("response_format", {})
        kind, strict = form.get("type"), form.get("json_schema", {}).get("strict")
        if kind in self.refuses:
            message = f"Invalid parameter: 'response_format' of type '{kind}' is not supported with this model."
            return Refused(400, message, param="response_format")
        if strict and "strict" in self.refuses:
            message = "Invalid schema for response_format 'f': 'pattern' is not permitted."
            return Refused(400, message, param="response_format")
        other = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
        for name in sorted(self.refuses & body.keys()):
            instead = f" Use '{other[name]}' instead." if name in other else ""
            message = f"Unsupported parameter: '{name}' is not supported with this model.{instead}"
            return Refused(400, message, code="unsupported_parameter", param=name)
        return None


def _is_message(message: Any) -> bool:
    return isinstance(message, dict) and {"role", "content"} <= message.keys()


def completion(said: Say, body: Mapping[str, Any], number: int) -> bytes:
    """Return a completion as the vendor writes it."""
    message: dict[str, Any] = {"role": "assistant", "content": said.text, "refusal": said.refusal}
    if said.reasoning is not None:
        message["reasoning_content"] = said.reasoning
    if said.tool_calls:
        message["tool_calls"] = _calls_of(said.tool_calls)
    data = {
        "id": f"chatcmpl-{number}",
        "object": "chat.completion",
        "created": 0,
        "model": body.get("model"),
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": said.finish_reason}],
        "usage": _usage_of(said.usage),
    }
    return json.dumps(data).encode()


def _usage_of(usage: tuple[int, int]) -> dict[str, int]:
    asked, answered = usage
    return {"prompt_tokens": asked, "completion_tokens": answered, "total_tokens": asked + answered}


def _calls_of(calls: tuple[tuple[str, Any], ...]) -> list[dict[str, Any]]:
    return [
        {"id": f"call_{place}", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
        for place, (name, arguments) in enumerate(calls)
    ]


def chunks_of(said: Say, body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a completion in pieces, as the vendor cuts it."""
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    deltas += [{"reasoning_content": piece} for piece in _pieces(said.reasoning)]
    deltas += [{"content": piece} for piece in _pieces(said.text)]
    deltas += [{"refusal": piece} for piece in _pieces(said.refusal)]
    for place, call in enumerate(_calls_of(said.tool_calls)):
        function = call["function"]
        deltas.append({"tool_calls": [{"index": place, **call, "function": {**function, "arguments": ""}}]})
        for piece in _pieces(function["arguments"]):
            deltas.append({"tool_calls": [{"index": place, "function": {"arguments": piece}}]})
    chunks = [_chunk(body, [{"index": 0, "delta": delta, "finish_reason": None}]) for delta in deltas]
    chunks.append(_chunk(body, [{"index": 0, "delta": {}, "finish_reason": said.finish_reason}]))
    if (body.get("stream_options") or {}).get("include_usage"):
        chunks.append({**_chunk(body, []), "usage": _usage_of(said.usage)})
    return chunks


def _chunk(body: Mapping[str, Any], choices: list[dict[str, Any]]) -> dict[str, Any]:
    chunk = {"id": "chatcmpl", "object": "chat.completion.chunk", "created": 0, "model": body.get("model")}
    return {**chunk, "choices": choices}


def _pieces(text: str | None) -> list[str]:
    return [text[at : at + _PIECE] for at in range(0, len(text), _PIECE)] if text else []
