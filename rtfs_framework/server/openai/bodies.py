"""Bodies of requests to the OpenAI API, read member by member: what is not understood is refused, never guessed.

In: JSON. Out: what a call of `host/chat` is given, or the texts of which vectors are wanted. Members that a door cannot
honour are refused with their name; those that change no answer are taken and left out; others are passed on.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import attrs

from rtfs_framework.lang.jsontext import JsonError, dump
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.types.jsonable import from_plain
from rtfs_framework.lang.values import Keyword
from rtfs_framework.orchestrator.performing.conversation import JSON_FORMATS, content_text
from rtfs_framework.orchestrator.performing.json_schema import why_no_schema
from rtfs_framework.server.openai.errors import NOT_OFFERED, BadBody

_ROLES = ("system", "developer", "user", "assistant", "tool")
_CHOICES = ("auto", "none", "required")
_FORMATS = ("text", *JSON_FORMATS)
_MOST_MODEL = 256
_MOST_STOPS = 4
_MOST_TEXTS = 2048
_MOST_TOKENS = 1 << 31
_LEFT_OUT = frozenset(
    {"model", "stream", "stream_options", "n", "user", "metadata", "store", "service_tier", "safety_identifier"}
    | {"prompt_cache_key", "prompt_cache_retention", "max_completion_tokens", "max_tokens", "logprobs"}
)
"""Members that are read otherwise, or change no answer."""
_REFUSED = {
    "functions": "write tools instead",
    "function_call": "write tool_choice instead",
    "audio": "this door speaks text",
    "web_search_options": "offer a tool instead",
    "top_logprobs": "probabilities are not passed on",
}


@attrs.frozen(slots=True, kw_only=True)
class ChatBody:
    """One chat completion that is asked for."""

    model: str
    asked: str
    """What the last message of the user says."""
    conversation: Map
    format: Mapping[str, Any]
    """What the answer must look like; empty for any text."""
    digest: str = ""
    """SHA-256 of the body as it came."""
    stream: bool = False
    include_usage: bool = False


@attrs.frozen(slots=True, kw_only=True)
class EmbeddingsBody:
    """Vectors that are asked for."""

    model: str
    texts: tuple[str, ...]
    as_base64: bool = False
    dimensions: int | None = None


def read_json(raw: bytes) -> dict[str, Any]:
    """Return the object that a body is.

    Raises:
        BadBody: It is none.
    """
    try:
        body = json.loads(raw, parse_constant=_no_constant)
    except RecursionError:
        raise BadBody("the body is nested too deeply") from None
    except ValueError as error:  # UnicodeDecodeError is one
        raise BadBody(f"the body is no JSON: {error}") from None
    if not isinstance(body, dict):
        raise BadBody("the body must be a JSON object")
    return body


def read_chat_body(raw: bytes) -> ChatBody:
    """Return what bytes of POST /v1/chat/completions ask for, as `read_chat` does."""
    return attrs.evolve(read_chat(read_json(raw)), digest=sha256(raw).hexdigest())


def read_embeddings_body(raw: bytes) -> EmbeddingsBody:
    """Return what bytes of POST /v1/embeddings ask for, as `read_embeddings` does."""
    return read_embeddings(read_json(raw))


def read_chat(body: dict[str, Any]) -> ChatBody:
    """Return what the body of POST /v1/chat/completions asks for.

    Raises:
        BadBody: It is not as the API says, or asks for what this door does not offer.
    """
    for name, way_out in _REFUSED.items():
        if body.get(name) is not None:
            raise BadBody(f"'{name}' is not offered here; {way_out}", name, code=NOT_OFFERED)
    if body.get("n") not in (None, 1) or body.get("n") is True:
        raise BadBody("'n' must be 1: one answer is made for a request", "n", code=NOT_OFFERED)
    if body.get("logprobs"):
        raise BadBody("'logprobs' are not passed on; leave it out", "logprobs", code=NOT_OFFERED)
    if body.get("modalities") not in (None, ["text"]):
        raise BadBody("'modalities' must be [\"text\"]: this door speaks text", "modalities", code=NOT_OFFERED)
    messages = _messages(body)
    stream = _flag(body, "stream")
    told = {name: found for name, found in body.items() if name not in _LEFT_OUT and found is not None}
    told |= {"messages": messages, **_checked(body)}
    try:
        conversation = Map.wrap({Keyword(name): from_plain(found) for name, found in told.items()})
        dump(told).encode()
    except (JsonError, UnicodeEncodeError) as error:
        raise BadBody(f"the body holds what cannot be passed on: {error}") from None
    return ChatBody(
        model=_model(body),
        asked=next((content_text(each.get("content")) for each in reversed(messages) if each["role"] == "user"), ""),
        conversation=conversation,
        format=body.get("response_format") or {},
        stream=stream,
        include_usage=_usage_wanted(body, stream=stream),
    )


def read_embeddings(body: dict[str, Any]) -> EmbeddingsBody:
    """Return what the body of POST /v1/embeddings asks for.

    Raises:
        BadBody: It is not as the API says, or asks for what this door does not offer.
    """
    given = body.get("input")
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not 0 < len(texts) <= _MOST_TEXTS:
        raise BadBody(f"'input' must be a text, or a list of 1 to {_MOST_TEXTS} texts", "input")
    if any(isinstance(each, (int, list)) for each in texts):
        raise BadBody("'input' holds tokens; send texts, for each model has tokens of its own", "input")
    if not all(isinstance(each, str) and each for each in texts):
        raise BadBody("'input' must hold texts that are not empty", "input")
    form = body.get("encoding_format", "float")
    if form not in ("float", "base64"):
        raise BadBody('\'encoding_format\' must be "float" or "base64"', "encoding_format")
    return EmbeddingsBody(
        model=_model(body),
        texts=tuple(texts),
        as_base64=form == "base64",
        dimensions=_whole(body, "dimensions"),
    )


def _checked(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters that this door knows, as the API names them."""
    for name, (low, high) in {"temperature": (0, 2), "top_p": (0, 1)}.items():
        _number(body, name, low, high)
    for name in ("presence_penalty", "frequency_penalty"):
        _number(body, name, -2, 2)
    _whole(body, "seed", -(1 << 63))
    stop = body.get("stop")
    stops = [stop] if isinstance(stop, str) else stop
    if stops is not None and not (_texts(stops) and len(stops) <= _MOST_STOPS):
        raise BadBody(f"'stop' must be a text, or a list of at most {_MOST_STOPS} texts", "stop")
    tools = _tools(body)
    _choice(body, tools)
    _format(body)
    found = {"stop": stops, "max_tokens": _most_tokens(body), "tools": tools}
    return {name: each for name, each in found.items() if each}


def _messages(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise BadBody("'messages' must be a list of at least one message", "messages")
    for place, message in enumerate(messages):
        _check_message(message, f"messages[{place}]")
    return messages


def _check_message(message: Any, path: str) -> None:
    if not isinstance(message, dict):
        raise BadBody(f"'{path}' must be an object", path)
    role = message.get("role")
    if role not in _ROLES:
        raise BadBody(f"'{path}.role' must be one of {', '.join(_ROLES)}", f"{path}.role")
    calls = message.get("tool_calls")
    if calls is not None and not (role == "assistant" and isinstance(calls, list) and all(map(_is_call, calls))):
        raise BadBody(f"'{path}.tool_calls' must be calls of functions, of the assistant's", f"{path}.tool_calls")
    if role == "tool" and not isinstance(message.get("tool_call_id"), str):
        raise BadBody(f"'{path}.tool_call_id' must say whose result this is", f"{path}.tool_call_id")
    content = message.get("content")
    if content is None and role == "assistant" and (calls or message.get("refusal")):
        return
    parts = content if isinstance(content, list) and content else None
    if not isinstance(content, str) and not (parts and all(map(_is_part, parts))):
        raise BadBody(f"'{path}.content' must be a text, or a list of parts", f"{path}.content")


def _is_part(part: Any) -> bool:
    if not isinstance(part, dict) or not isinstance(part.get("type"), str):
        return False
    return part["type"] != "text" or isinstance(part.get("text"), str)


def _is_call(call: Any) -> bool:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict) or not isinstance(call.get("id"), str):
        return False
    return isinstance(function.get("name"), str) and isinstance(function.get("arguments"), str)


def _tools(body: Mapping[str, Any]) -> list[Any]:
    tools = body.get("tools")
    if tools is None:
        return []
    if not isinstance(tools, list):
        raise BadBody("'tools' must be a list", "tools")
    for place, tool in enumerate(tools):
        function = tool.get("function") if isinstance(tool, dict) and tool.get("type") == "function" else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            wrong = f"'tools[{place}]' must be a function with a name; tools of other kinds are not offered here"
            raise BadBody(wrong, f"tools[{place}]")
        if not isinstance(function.get("parameters", {}), dict):
            raise BadBody(f"'tools[{place}].function.parameters' must be a JSON Schema", f"tools[{place}]")
    return tools


def _choice(body: Mapping[str, Any], tools: list[Any]) -> None:
    choice = body.get("tool_choice")
    if choice is None:
        return
    function = choice.get("function") if isinstance(choice, dict) else None
    names = [tool["function"]["name"] for tool in tools]
    named = isinstance(function, dict) and function.get("name") in names
    if choice not in _CHOICES and not named:
        raise BadBody(f"'tool_choice' must be one of {', '.join(_CHOICES)}, or name a tool of 'tools'", "tool_choice")
    if not tools and choice not in ("auto", "none"):
        raise BadBody("'tool_choice' wants a tool, and there are no 'tools'", "tool_choice")


def _format(body: Mapping[str, Any]) -> None:
    form = body.get("response_format")
    if form is None:
        return
    kind = form.get("type") if isinstance(form, dict) else None
    if kind not in _FORMATS:
        raise BadBody(f"'response_format.type' must be one of {', '.join(_FORMATS)}", "response_format")
    schema = form.get("json_schema")
    if kind != "json_schema":
        return
    if not isinstance(schema, dict) or not isinstance(schema.get("schema", {}), dict):
        raise BadBody("'response_format.json_schema' must hold a name and a schema", "response_format.json_schema")
    wrong = None if "schema" not in schema else why_no_schema(schema["schema"])
    if wrong is not None:
        message = f"'response_format.json_schema.schema' is no JSON Schema that is checked here: {wrong}"
        raise BadBody(message, "response_format.json_schema")


def _most_tokens(body: Mapping[str, Any]) -> int | None:
    """Return the bound on the answer, under either of its names."""
    found = [_whole(body, name) for name in ("max_completion_tokens", "max_tokens")]
    said = {each for each in found if each is not None}
    if len(said) > 1:
        raise BadBody("'max_tokens' and 'max_completion_tokens' differ; write the second alone", "max_tokens")
    return min(said, default=None)


def _usage_wanted(body: Mapping[str, Any], *, stream: bool) -> bool:
    options = body.get("stream_options")
    if options is None:
        return False
    if not stream:
        raise BadBody("'stream_options' are of streams; set 'stream', too", "stream_options")
    if not isinstance(options, dict):
        raise BadBody("'stream_options' must be an object", "stream_options")
    return _flag(options, "include_usage", "stream_options.include_usage")


def _model(body: Mapping[str, Any]) -> str:
    found = body.get("model")
    if not isinstance(found, str) or not 0 < len(found) <= _MOST_MODEL:
        raise BadBody("'model' must be the name of a model; GET /v1/models lists them", "model")
    return found


def _flag(body: Mapping[str, Any], name: str, path: str | None = None) -> bool:
    found = body.get(name)
    if found is None or isinstance(found, bool):
        return bool(found)
    raise BadBody(f"'{path or name}' must be true or false", path or name)


def _whole(body: Mapping[str, Any], name: str, least: int = 1) -> int | None:
    found = body.get(name)
    if found is None:
        return None
    if isinstance(found, bool) or not isinstance(found, int) or not least <= found < 1 << 63:
        raise BadBody(f"'{name}' must be a whole number of at least {least}", name)
    return found if name == "seed" else min(found, _MOST_TOKENS)


def _number(body: Mapping[str, Any], name: str, low: float, high: float) -> None:
    found = body.get(name)
    if found is None:
        return
    if isinstance(found, bool) or not isinstance(found, (int, float)) or not low <= found <= high:
        raise BadBody(f"'{name}' must be a number from {low} to {high}", name)
    if not math.isfinite(found):
        raise BadBody(f"'{name}' must be a number", name)


def _texts(found: Any) -> bool:
    return isinstance(found, list) and all(isinstance(each, str) and each for each in found)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
