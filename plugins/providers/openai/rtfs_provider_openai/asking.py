"""A request as the body of /chat/completions, asked in a way that the server takes.

A typed reply is asked for as an object, because the protocol allows no other root: any other type is wrapped in
`{"value": ...}`, which `reading` takes off again. A conversation (`InferenceRequest.chat`) goes out as it came.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rtfs_framework.api import InferenceRequest
from rtfs_provider_openai.settings import OpenAISettings
from rtfs_provider_openai.ways import Way

ANSWER = "answer"
"""The tool by which a typed reply is asked for where a server takes no schema of replies."""

_WRAPPED = 'Answer with one JSON object of the form {"value": RESULT}, where RESULT is the result of the call.'
_RESULT = "Give the result of the call."
_STRICT = frozenset(
    {"type", "enum", "const", "anyOf", "items", "properties", "required", "additionalProperties", "$ref", "$defs"}
    | {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "pattern", "minItems", "maxItems", "description"}
)
"""The keywords of JSON Schema that the protocol's strict mode knows."""
_CLIENT_S = frozenset(
    {"top_p", "presence_penalty", "frequency_penalty", "seed", "logit_bias", "user", "parallel_tool_calls"}
    | {"response_format", "reasoning_effort", "verbosity", "service_tier", "safety_identifier", "prompt_cache_key"}
    | {"metadata", "prediction", "modalities", "top_k", "min_p", "repetition_penalty", "chat_template_kwargs"}
)
"""Parameters of a client's conversation that are passed on; any other is left out."""


def body_of(request: InferenceRequest, own: OpenAISettings, way: Way, *, stream: bool = False) -> dict[str, Any]:
    """Return the arguments of a chat completion."""
    messages: list[dict[str, Any]]
    if request.chat is not None:
        messages = [dict(message) for message in request.chat.messages]
    else:
        messages = [{"role": message.role, "content": message.content} for message in request.messages]
    body: dict[str, Any] = {"model": own.model, "messages": messages}
    if request.chat is not None:
        _converse(body, request)
    elif request.schema is not None:
        _type(body, request, request.schema, way)
    temperature = _temperature(request, own)
    if temperature is not None and way.temperature:
        body["temperature"] = temperature
    bounds = [each for each in (own.max_tokens, request.max_tokens) if each is not None]
    if bounds:
        body[way.tokens] = min(bounds)
    if stream and way.stream:
        body["stream"] = True
        if way.stream_usage:
            body["stream_options"] = {"include_usage": True}
    return {**body, **own.extra_body}


def is_typed(request: InferenceRequest) -> bool:
    """Tell whether a request wants a value of a type."""
    return request.schema is not None and request.chat is None


def is_wrapped(schema: Mapping[str, Any]) -> bool:
    """Tell whether a type's replies are wrapped: whether its schema is anything but an object's."""
    return schema.get("type") != "object"


def is_strict(schema: Any) -> bool:
    """Tell whether strict mode takes a schema: only keywords it knows, and objects whose keys are all required."""
    if not isinstance(schema, Mapping):
        return False
    if not schema or not _STRICT.issuperset(schema):
        return False
    properties = schema.get("properties", {})
    if schema.get("type") == "object" and (
        schema.get("additionalProperties") is not False or set(schema.get("required", ())) != set(properties)
    ):
        return False
    inner = [*properties.values(), *schema.get("$defs", {}).values(), *schema.get("anyOf", ())]
    if "items" in schema:
        inner.append(schema["items"])
    return all(map(is_strict, inner))


def _temperature(request: InferenceRequest, own: OpenAISettings) -> float | None:
    """Return the temperature to send, None for the server's own."""
    if own.temperature == "default":
        return None
    if own.temperature is not None:
        return own.temperature
    if request.chat is None:
        return request.temperature
    found = request.chat.extra.get("temperature")  # whoever talks with a model says it, or leaves it to the model
    return found if isinstance(found, (int, float)) else None


def _converse(body: dict[str, Any], request: InferenceRequest) -> None:
    """Add what a client said besides its messages."""
    chat = request.chat
    assert chat is not None  # noqa: S101 - who calls this knows
    body |= {name: value for name, value in chat.extra.items() if name in _CLIENT_S and value is not None}
    if chat.tools:
        body["tools"] = [dict(tool) for tool in chat.tools]
        if chat.tool_choice is not None:
            body["tool_choice"] = chat.tool_choice
    if chat.stop:
        body["stop"] = list(chat.stop)


def _type(body: dict[str, Any], request: InferenceRequest, schema: Mapping[str, Any], way: Way) -> None:
    """Ask for a value of a type."""
    if way.form == "none":
        return
    if way.form == "tool":
        parameters = _rooted(schema)
        described: dict[str, Any] = {
            "name": ANSWER,
            "description": "Give the result of the call.",
            "parameters": parameters,
        }
        if way.strict and is_strict(parameters):
            described["strict"] = True
        body["tools"] = [{"type": "function", "function": described}]
        body["tool_choice"] = {"type": "function", "function": {"name": ANSWER}}
        return
    if is_wrapped(schema):
        _instruct(body["messages"], _WRAPPED)
    if way.form == "json_object":
        body["response_format"] = {"type": "json_object"}
        return
    rooted = _rooted(schema)
    strict = way.strict and is_strict(rooted)
    named = {"name": _schema_name(request.function.name), "schema": rooted, "strict": strict}
    body["response_format"] = {"type": "json_schema", "json_schema": named}


def _instruct(messages: list[dict[str, Any]], instruction: str) -> None:
    """Add an instruction to the system message; many models take one at most, and only at the beginning."""
    if messages and messages[0]["role"] == "system":
        messages[0]["content"] += f"\n\n{instruction}"
    else:
        messages.insert(0, {"role": "system", "content": instruction})


def _rooted(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema with an object at its root, and the definitions beside it where references look for them."""
    bare = {key: value for key, value in schema.items() if key not in {"$schema", "$defs"}}
    if is_wrapped(schema):
        bare = {"type": "object", "properties": {"value": bare}, "required": ["value"], "additionalProperties": False}
    return {**bare, "$defs": schema["$defs"]} if "$defs" in schema else bare


def _schema_name(function: str) -> str:
    """Return a name as the protocol wants it: letters, digits, _ and -, at most 64."""
    return (
        "".join(char if char.isascii() and (char.isalnum() or char in "_-") else "_" for char in function)[:64] or "f"
    )
