"""The protocol's two ends: a request as the body of /chat/completions, a completion's JSON as a reply.

A typed reply is asked for as an object, because the protocol allows no other root: any other type is wrapped in
`{"value": ...}` and unwrapped here. What is not the agreed JSON is a `BadReply`, with what the model said.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rtfs_framework.api import (
    BadReply,
    FailureKind,
    InferenceReply,
    InferenceRequest,
    JsonError,
    Usage,
    load_json,
    token_count,
)
from rtfs_provider_openai.failures import Teller
from rtfs_provider_openai.plugin import OpenAISettings

MOST_PARTS = 500_000
"""Values that the JSON of a reply may hold: each becomes an object many times the size of its text."""
_SHOWN, _BRIEF, _MODEL = 4096, 120, 100
"""Characters of a text that are looked at to show it, that are shown of it, and that are kept of a model's name."""

_UNKNOWN = "and was not taken: what this call took and cost is not known"
_WRAPPED = 'Answer with one JSON object of the form {"value": RESULT}, where RESULT is the result of the call.'
_STRICT = frozenset(
    {"type", "enum", "const", "anyOf", "items", "properties", "required", "additionalProperties", "$ref", "$defs"}
    | {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "pattern", "minItems", "maxItems", "description"}
)
"""The keywords of JSON Schema that the protocol's strict mode knows."""
_BROKEN = FailureKind.UNCERTAIN
"""What answers is no model's server, or a broken one: that speaks of its health, not of the model's words."""
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
    bounds = [each for each in (own.max_tokens, request.max_tokens) if each is not None]
    most = min(bounds, default=None)
    if most is not None:
        # OpenAI's newer models refuse the old name; most compatible servers know only that.
        body["max_completion_tokens" if vendor else "max_tokens"] = most
    return body


def is_wrapped(schema: Mapping[str, Any]) -> bool:
    """Tell whether a type's replies are wrapped: whether its schema is anything but an object's."""
    return schema.get("type") != "object"


def reply_of(data: Any, request: InferenceRequest, own: OpenAISettings, teller: Teller) -> InferenceReply:
    """Return the reply that a completion's data holds.

    Raises:
        BadReply: It holds no usable answer; the tokens that it took are in the error.
    """
    usage, problems = usage_of(data)
    try:
        text = _content(data, teller)
        answer = None
        if request.schema is not None and own.structured != "none":
            answer = _answer(text, request.schema, teller)
    except BadReply as error:
        error.usage = usage
        raise
    model = data.get("model")
    fields: dict[str, Any] = {
        "model": teller.words(model)[:_MODEL] if isinstance(model, str) and model else own.model,
        "usage": usage,
        "problems": problems,
    }
    if answer is None:
        return InferenceReply(text=text, **fields)
    return InferenceReply(data=answer[0], structured=True, **fields)


def read_body(content: bytes, teller: Teller) -> Any:
    """Return the data of a reply's body.

    Raises:
        BadReply: It is no JSON; what of the account can still be read is in the error.
    """
    if not content.strip():
        raise BadReply(teller.provider, "the reply is empty", failure=_BROKEN)
    try:
        text = content.decode(json.detect_encoding(content))
    except UnicodeDecodeError as error:
        raise BadReply(teller.provider, f"the reply is no text in {error.encoding}", failure=_BROKEN) from error
    try:
        return _load(text)
    except JsonError as error:
        shown = _brief(text, teller)
        raise BadReply(
            teller.provider,
            f"the reply is no valid JSON ({error}): {shown}",
            usage=_salvaged(text),
            failure=_BROKEN,
        ) from error


def _salvaged(text: str) -> Usage:
    """Return the account in a body that is refused for a number or a character in it."""
    if _parts(text) > MOST_PARTS:
        return Usage()
    try:
        return usage_of(json.loads(text))[0]
    except (ValueError, RecursionError):
        return Usage()


def _load(text: str) -> Any:
    if _parts(text) > MOST_PARTS:
        raise JsonError(f"more than {MOST_PARTS:,} values")
    return load_json(text)


def _parts(text: str) -> int:
    return text.count(",") + text.count("[") + text.count("{") if len(text) > MOST_PARTS else 0


def usage_of(data: Any) -> tuple[Usage, tuple[str, ...]]:
    """Return the tokens that a reply says it took, and what is odd about them. What is no count is not known."""
    found = data.get("usage") if isinstance(data, Mapping) else None
    if not isinstance(found, Mapping):
        return Usage(), () if found is None else (f"the server's account of tokens is no object {_UNKNOWN}",)
    counts: list[int | None] = []
    problems = []
    for name in ("prompt_tokens", "completion_tokens"):
        count = token_count(found.get(name))
        counts.append(count)
        if count is None and found.get(name) is not None:
            problems.append(f"the server's count of {name} is no number of tokens {_UNKNOWN}")
    details = found.get("prompt_tokens_details")
    cached = token_count(details.get("cached_tokens")) if isinstance(details, Mapping) else None
    counts.append(cached)
    return Usage(*counts), tuple(problems)


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


def _content(data: Any, teller: Teller) -> str:
    choices = data.get("choices") if isinstance(data, Mapping) else None
    if not isinstance(choices, list) or not choices:
        shown = "no choices" if isinstance(data, Mapping) else _brief(json.dumps(data)[:_SHOWN], teller)
        raise BadReply(teller.provider, f"the reply is no chat completion: {shown}", failure=_BROKEN)
    choice = choices[0] if isinstance(choices[0], Mapping) else {}
    reason = choice.get("finish_reason")
    if isinstance(reason, str) and reason in _CUT_OFF:
        raise BadReply(teller.provider, _CUT_OFF[reason], failure=FailureKind.HERE)
    message = choice.get("message")
    message = message if isinstance(message, Mapping) else {}
    refusal = message.get("refusal")
    if isinstance(refusal, str) and refusal:
        raise BadReply(teller.provider, f"the model refused: {_brief(refusal, teller)}", failure=FailureKind.HERE)
    content = message.get("content")
    if not isinstance(content, str):
        raise BadReply(teller.provider, "the reply holds no text")
    return content


def _answer(text: str, schema: Mapping[str, Any], teller: Teller) -> tuple[Any]:
    """Return the answer that a text of JSON holds, in a tuple: it may be null."""
    try:
        data = _load(text)
    except JsonError as error:
        shown = _brief(text, teller)
        raise BadReply(teller.provider, f"the answer is no JSON ({error}): {shown}", said=text) from error
    if not is_wrapped(schema):
        return (data,)
    if not isinstance(data, dict) or "value" not in data:
        shown = _brief(text, teller)
        raise BadReply(teller.provider, f'the answer is no object with a "value": {shown}', said=text)
    return (data["value"],)


def _brief(text: str, teller: Teller) -> str:
    words = teller.words(text[:_SHOWN])
    return f"'{words if len(words) <= _BRIEF else words[: _BRIEF - 1] + '…'}'"
