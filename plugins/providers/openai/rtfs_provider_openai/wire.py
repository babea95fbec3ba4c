"""The protocol's two ends: a request as the body of /chat/completions, a completion as a reply.

A typed reply is asked for as an object, because the protocol allows no other root: any other type is wrapped in
`{"value": ...}` and unwrapped here. Nothing is repaired: what is not the agreed JSON is a `BadReply`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rtfs_framework.api import BadReply, InferenceReply, InferenceRequest, Usage
from rtfs_provider_openai.plugin import OpenAISettings

_WRAPPED = 'Answer with one JSON object of the form {"value": RESULT}, where RESULT is the result of the call.'
_STRICT = frozenset(
    {"type", "enum", "const", "anyOf", "items", "properties", "required", "additionalProperties", "$ref", "$defs"}
    | {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "pattern", "minItems", "maxItems", "description"}
)
"""The keywords of JSON Schema that the protocol's strict mode knows."""
_CUT_OFF = {
    "length": "the answer was cut off at the limit of tokens; raise max_tokens",
    "content_filter": "the answer was withheld by the provider's content filter",
}


def body_of(request: InferenceRequest, own: OpenAISettings, *, vendor: bool) -> dict[str, Any]:
    """Return the arguments of `chat.completions.create`; `vendor` tells OpenAI's own endpoint from compatible ones."""
    messages = [{"role": message.role, "content": message.content} for message in request.messages]
    body: dict[str, Any] = {"model": own.model, "messages": messages}
    if request.schema is not None and own.structured != "none":
        if is_wrapped(request.schema):
            _instruct(messages, _WRAPPED)
        body["response_format"] = _response_format(request, own.structured)
    if own.temperature != "default":
        body["temperature"] = request.temperature if own.temperature is None else own.temperature
    most = own.max_tokens or request.max_tokens
    if most is not None:
        # OpenAI's newer models refuse the old name; most compatible servers know only that.
        body["max_completion_tokens" if vendor else "max_tokens"] = most
    return body


def is_wrapped(schema: Mapping[str, Any]) -> bool:
    """Tell whether a type's replies are wrapped: whether its schema is anything but an object's."""
    return schema.get("type") != "object"


def reply_of(completion: Any, request: InferenceRequest, own: OpenAISettings, provider: str) -> InferenceReply:
    """Return the reply that a completion holds.

    Raises:
        BadReply: It holds no usable answer.
    """
    text = _content(completion, provider)
    model = getattr(completion, "model", None)
    usage = getattr(completion, "usage", None)
    fields: dict[str, Any] = {
        "model": model if isinstance(model, str) and model else own.model,
        "usage": Usage(_count(usage, "prompt_tokens"), _count(usage, "completion_tokens")),
    }
    if request.schema is None or own.structured == "none":
        return InferenceReply(text=text, **fields)
    return InferenceReply(data=_data(text, request.schema, provider), structured=True, **fields)


def _instruct(messages: list[dict[str, str]], instruction: str) -> None:
    """Add an instruction to the system message; many models take one at most, and only at the beginning."""
    if messages and messages[0]["role"] == "system":
        messages[0]["content"] += f"\n\n{instruction}"
    else:
        messages.insert(0, {"role": "system", "content": instruction})


def _response_format(request: InferenceRequest, structured: str) -> dict[str, Any]:
    if structured == "json_object":
        return {"type": "json_object"}
    schema = _rooted(request.schema or {})
    described = {"name": _schema_name(request.function.name), "schema": schema, "strict": is_strict(schema)}
    return {"type": "json_schema", "json_schema": described}


def _rooted(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema with an object at its root, and the definitions beside it where references look for them."""
    bare = {key: value for key, value in schema.items() if key not in {"$schema", "$defs"}}
    if is_wrapped(schema):
        bare = {"type": "object", "properties": {"value": bare}, "required": ["value"], "additionalProperties": False}
    return {**bare, "$defs": schema["$defs"]} if "$defs" in schema else bare


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


def _schema_name(function: str) -> str:
    """Return a name as the protocol wants it: letters, digits, _ and -, at most 64."""
    return (
        "".join(char if char.isascii() and (char.isalnum() or char in "_-") else "_" for char in function)[:64] or "f"
    )


def _content(completion: Any, provider: str) -> str:
    choices = getattr(completion, "choices", None)
    if not isinstance(choices, list) or not choices:
        shown = completion if isinstance(completion, str) else "no choices"
        raise BadReply(provider, f"the reply is no chat completion: {_brief(shown)}")
    choice = choices[0]
    reason = getattr(choice, "finish_reason", None)
    if reason in _CUT_OFF:
        raise BadReply(provider, _CUT_OFF[reason])
    message = getattr(choice, "message", None)
    refusal = getattr(message, "refusal", None)
    if isinstance(refusal, str) and refusal:
        raise BadReply(provider, f"the model refused: {_brief(refusal)}")
    content = getattr(message, "content", None)
    if not isinstance(content, str):
        raise BadReply(provider, "the reply holds no text")
    return content


def _data(text: str, schema: Mapping[str, Any], provider: str) -> Any:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadReply(provider, f"the answer is no JSON: {_brief(text)}") from error
    if not is_wrapped(schema):
        return data
    if not isinstance(data, dict) or "value" not in data:
        raise BadReply(provider, f'the answer is no object with a "value": {_brief(text)}')
    return data["value"]


def _count(usage: Any, name: str) -> int:
    count = getattr(usage, name, None)
    return count if isinstance(count, int) and count >= 0 else 0


def _brief(text: str) -> str:
    line = " ".join(text.split())
    return repr(line if len(line) <= 120 else f"{line[:119]}…")
