"""A completion's JSON as a reply. What holds no usable answer is an error that knows what it took all the same.

Reasoning is no part of an answer: fields of its own are not read, a block at the beginning of the text is taken off.
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
    ProviderError,
    ReplyRefused,
    Usage,
)
from rtfs_provider_openai.asking import is_typed, is_wrapped
from rtfs_provider_openai.extract import MOST_PARTS, answer, json_within, load, parts
from rtfs_provider_openai.failures import Teller
from rtfs_provider_openai.thoughts import without_thoughts
from rtfs_provider_openai.usage import salvaged, usage_of
from rtfs_provider_openai.ways import Form

_SHOWN, _BRIEF, _MODEL = 4096, 120, 100
"""Characters of a text that are looked at to show it, that are shown of it, and that are kept of a model's name."""
_BROKEN = FailureKind.UNCERTAIN
"""What answers is no model's server, or a broken one: that speaks of its health, not of the model's words."""
_CUT_OFF = "the answer was cut off at the limit of tokens; raise max_tokens"
_FILTERED = "the answer was withheld by the provider's content filter"
_MOST_CALLS = 256
_JSON_LIKE = ("{", "[", '"', "`", "~")


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
        return load(text)
    except JsonError as error:
        shown = _brief(text, teller)
        raise BadReply(
            teller.provider,
            f"the reply is no valid JSON ({error}): {shown}",
            usage=salvaged(text) if parts(text) <= MOST_PARTS else Usage(),
            failure=_BROKEN,
        ) from error


def reply_of(
    data: Any, request: InferenceRequest, form: Form, teller: Teller, model: str, *, said: str | None = None
) -> InferenceReply:
    """Return the reply that a completion's data holds; `said` is its text where that was read before.

    Raises:
        ProviderError: It holds no usable answer; the tokens that it took are in the error.
    """
    usage, problems = usage_of(data)
    try:
        message, finish = _message(data, teller)
        if finish == "length" and request.chat is None:
            raise BadReply(teller.provider, _CUT_OFF, failure=FailureKind.HERE)
        text = said if said is not None else _text_of(message)
        fields = _answer(message, text, finish, request, form, teller)
    except ProviderError as error:
        error.usage = usage
        raise
    found = data.get("model")
    named = teller.words(found)[:_MODEL] if isinstance(found, str) and found else model
    return InferenceReply(model=named, usage=usage, problems=problems, **fields)


def _message(data: Any, teller: Teller) -> tuple[Mapping[str, Any], Any]:
    """Return the message of a completion, and why it ends.

    Raises:
        BadReply: There is none.
        ReplyRefused: The model refused, or its answer is withheld.
    """
    choices = data.get("choices") if isinstance(data, Mapping) else None
    if not isinstance(choices, list) or not choices:
        shown = "no choices" if isinstance(data, Mapping) else _brief(json.dumps(data)[:_SHOWN], teller)
        raise BadReply(teller.provider, f"the reply is no chat completion: {shown}", failure=_BROKEN)
    choice = choices[0] if isinstance(choices[0], Mapping) else {}
    message = choice.get("message")
    message = message if isinstance(message, Mapping) else {}
    refusal, finish = message.get("refusal"), choice.get("finish_reason")
    if isinstance(refusal, str) and refusal:
        raise ReplyRefused(teller.provider, f"the model refused: {_brief(refusal, teller)}")
    if finish == "content_filter":
        raise ReplyRefused(teller.provider, _FILTERED)
    return message, finish


def _text_of(message: Mapping[str, Any]) -> str | None:
    """Return a message's text without its reasoning; some servers give it in parts."""
    content = message.get("content")
    if isinstance(content, list):
        found = [part.get("text") for part in content if isinstance(part, Mapping) and part.get("type") == "text"]
        texts = [text for text in found if isinstance(text, str)]
        content = "".join(texts) if texts else None
    return without_thoughts(content) if isinstance(content, str) else None


def _answer(
    message: Mapping[str, Any],
    text: str | None,
    finish: Any,
    request: InferenceRequest,
    form: Form,
    teller: Teller,
) -> dict[str, Any]:
    """Return the fields of a reply that hold the answer."""
    if request.chat is not None:
        return {"data": _assistant(message, text, finish, teller), "structured": True}
    typed = request.schema if is_typed(request) else None
    if typed is not None and form == "tool":
        arguments = _arguments(message)
        text = text if arguments is None else arguments
    if text is None or (not text and _reasoned(message)):
        held = "only reasoning, and no answer" if _reasoned(message) else "no text"
        raise BadReply(teller.provider, f"the reply holds {held}")
    if typed is None:
        return {"text": text}
    if form == "none":
        found = _plain(text, typed)
        return {"text": text} if found is None else {"data": found[0], "structured": True}
    return {"data": _unwrapped(text, typed, teller), "structured": True}


def _reasoned(message: Mapping[str, Any]) -> bool:
    found = (message.get("reasoning_content"), message.get("reasoning"), message.get("content"))
    return any(isinstance(each, str) and each.strip() for each in found)


def _assistant(message: Mapping[str, Any], text: str | None, finish: Any, teller: Teller) -> dict[str, Any]:
    """Return the assistant's message: what a client needs of it, and nothing of its reasoning."""
    calls = _calls(message)
    if text is None and not calls:
        raise BadReply(teller.provider, "the reply holds neither text nor tool calls")
    answer: dict[str, Any] = {"content": text}
    if calls:
        answer["tool_calls"] = calls
    if finish == "length":
        answer["finish_reason"] = finish
    return answer


def _calls(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = message.get("tool_calls")
    calls: list[dict[str, Any]] = []
    for call in found[:_MOST_CALLS] if isinstance(found, list) else ():
        function = call.get("function") if isinstance(call, Mapping) else None
        if not isinstance(function, Mapping):
            continue
        name = function.get("name")
        if not isinstance(name, str) or not name:
            continue
        arguments = function.get("arguments")
        arguments = arguments if isinstance(arguments, str) else json.dumps(arguments or {}, ensure_ascii=False)
        given = call.get("id")
        number = given if isinstance(given, str) and given else f"call_{len(calls)}"
        calls.append({"id": number, "type": "function", "function": {"name": name, "arguments": arguments}})
    return calls


def _arguments(message: Mapping[str, Any]) -> str | None:
    """Return the arguments of the call by which a typed reply was asked for, None where there is no call."""
    calls = _calls(message)
    return calls[0]["function"]["arguments"] if calls else None


def _plain(text: str, schema: Mapping[str, Any]) -> tuple[Any] | None:
    """Return the value in a text that was asked for by the prompt alone, None where the host reads it as a text."""
    kinds = {"object": dict, "array": list}
    kind = kinds.get(str(schema.get("type")))
    if kind is None:
        return None
    try:
        return (answer(text.strip()),)
    except JsonError:
        return json_within(text, lambda value: isinstance(value, kind))


def _unwrapped(text: str, schema: Mapping[str, Any], teller: Teller) -> Any:
    """Return the value that a text of JSON holds.

    Many servers take a schema and do not heed it. The bare value is as good as the wrapped one, and so is a word of an
    enumeration without its quotes; what else is said is no answer.
    """
    wrapped = is_wrapped(schema)

    def wanted(value: Any) -> bool:
        return isinstance(value, dict) and (not wrapped or "value" in value)

    try:
        data = answer(text)
    except JsonError as error:
        found = json_within(text, wanted) or (_bare(text, schema) if wrapped else None)
        if found is None:
            shown = _brief(text, teller)
            raise BadReply(teller.provider, f"the answer is no JSON ({error}): {shown}", said=text) from error
        data = found[0]
    if not wrapped:
        return data
    if not isinstance(data, dict):
        return _word(text, data, schema)
    if not wanted(data):
        shown = _brief(text, teller)
        raise BadReply(teller.provider, f'the answer is no object with a "value": {shown}', said=text)
    return data["value"]


def _word(text: str, data: Any, schema: Mapping[str, Any]) -> Any:
    """Return the bare value of a type: the word itself where an enumeration has it as a text, as in "12" or "true"."""
    words = schema.get("enum", ())
    word = text.strip()
    return word if word in words and not any(type(data) is type(each) and data == each for each in words) else data


def _bare(text: str, schema: Mapping[str, Any]) -> tuple[Any] | None:
    """Return the value of a type without its wrapping in a text that is no JSON, None where there is none.

    Any words are a text, but for those that begin as JSON or a fence does: these were to be the wrapped value.
    """
    word = text.strip()
    if word in schema.get("enum", ()):
        return (word,)
    if schema.get("type") == "string" and "enum" not in schema:
        return None if word.startswith(_JSON_LIKE) else (text,)
    return _plain(text, schema)


def _brief(text: str, teller: Teller) -> str:
    words = teller.words(text[:_SHOWN])
    return f"'{words if len(words) <= _BRIEF else words[: _BRIEF - 1] + '…'}'"
