"""A call of a function on conversations as a request: the conversation itself, or the same as plain messages.

In: the call's arguments, of which the last is the conversation. Out: what a provider that takes conversations is given,
and what any other one is. A conversation that plain messages cannot say is refused, so that another target is asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from rtfs_framework.api.errors import ProviderError
from rtfs_framework.api.provider import ChatRequest, InferenceReply, InferenceRequest, Message, Usage
from rtfs_framework.lang.errors import type_validation_error
from rtfs_framework.lang.jsontext import JsonError, dump, load
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.signature import FunctionSignature
from rtfs_framework.lang.types.jsonable import from_plain, to_json
from rtfs_framework.lang.values import Keyword
from rtfs_framework.orchestrator.performing.json_schema import misfit

JSON_FORMATS = ("json_object", "json_schema")
"""The values of `response_format.type` whose answers are JSON."""

_ROLES = {"system": "system", "developer": "system", "assistant": "assistant"}
_AS_JSON = "Answer with one JSON value and nothing else."


@attrs.frozen(slots=True, kw_only=True)
class Conversation:
    """What a call's last argument says."""

    chat: ChatRequest
    max_tokens: int | None = None
    temperature: float | None = None

    @property
    def format(self) -> Mapping[str, Any]:
        """What the answer must look like; empty for any text."""
        found = self.chat.extra.get("response_format")
        return found if isinstance(found, dict) else {}

    @property
    def wants_json(self) -> bool:
        """Tell whether the answer must be JSON."""
        return self.format.get("type") in JSON_FORMATS

    @property
    def messages(self) -> tuple[Message, ...]:
        """The conversation as plain text."""
        return tuple(map(_as_text, self.chat.messages))

    @property
    def transcript(self) -> str:
        """The conversation as one text: what engines and embedders look at."""
        return "\n".join(f"{each.role}: {each.content}" for each in self.messages)

    def unsayable(self) -> str | None:
        """Return what plain messages cannot say, None when they say all of it."""
        if self.chat.tools and self.chat.tool_choice != "none":
            return "tools"
        parts = {part for each in self.chat.messages for part in _other_parts(each.get("content"))}
        return f"parts of the kind {', '.join(sorted(parts))}" if parts else None


def conversation_of(function: FunctionSignature, args: tuple[Any, ...]) -> Conversation:
    """Return the conversation of a call.

    Raises:
        ProgramError: TypeValidationError: the last argument is none.
    """
    try:
        data = to_json(args[-1]) if args else None
    except JsonError as error:
        raise type_validation_error(f"the conversation of {function.name}: {error}") from None
    wrong = _wrong(data)
    if wrong is not None or not isinstance(data, dict):
        raise type_validation_error(f"the conversation of {function.name} {wrong}")
    rest = dict(data)
    stop = rest.pop("stop", None) or ()
    chat = ChatRequest(
        messages=tuple(rest.pop("messages")),
        tools=tuple(rest.pop("tools", None) or ()),
        tool_choice=rest.pop("tool_choice", None),
        stop=(stop,) if isinstance(stop, str) else tuple(stop),
    )
    most, temperature = rest.pop("max_tokens", None), rest.get("temperature")  # 0 is said, and nothing is not
    return Conversation(chat=attrs.evolve(chat, extra=rest), max_tokens=most, temperature=temperature)


def _wrong(data: Any) -> str | None:
    """Return what is wrong with the form of a conversation."""
    if not isinstance(data, dict):
        return "is no map"
    messages = data.get("messages")
    if not isinstance(messages, list) or not messages:
        return "has no messages"
    if not all(isinstance(each, dict) and isinstance(each.get("role"), str) for each in messages):
        return "has a message without a role"
    for name, kind in (("tools", list), ("max_tokens", int), ("temperature", (int, float)), ("stop", (str, list))):
        found = data.get(name)
        if found is not None and (not isinstance(found, kind) or isinstance(found, bool)):
            return f"has {name} of another type"
    return None


def conversing(request: InferenceRequest, provider: str, *, chat: bool) -> InferenceRequest:
    """Return the request of a conversation; `chat` tells whether its provider takes conversations as they are.

    Raises:
        ProviderError: It takes no conversations, and plain messages cannot say this one. Nothing was sent.
        ProgramError: The argument is no conversation.
    """
    found = conversation_of(request.function, request.args)
    request = attrs.evolve(
        request,
        schema=None,
        messages=found.messages,
        max_tokens=found.max_tokens,
        temperature=request.temperature if found.temperature is None else float(found.temperature),
    )
    if chat:
        return attrs.evolve(request, chat=found.chat)
    unsayable = found.unsayable()
    if unsayable is not None:
        raise ProviderError(provider, f"takes no {unsayable} in a conversation", usage=Usage(0, 0))
    if not found.wants_json:
        return request
    schema = found.format.get("json_schema", {}).get("schema")
    told = Message(
        "system", _AS_JSON if schema is None else f"{_AS_JSON} It must fit this JSON Schema:\n{dump(schema)}"
    )
    return attrs.evolve(request, schema=schema, messages=(told, *request.messages))


def with_conversation(request: InferenceRequest) -> InferenceRequest:
    """Return a request whose arguments were changed, with the conversation as they say it now."""
    return conversing(request, request.function.name, chat=request.chat is not None)


def said_again(request: InferenceRequest, said: str, wrong: str) -> ChatRequest | None:
    """Return a request's conversation after an answer that does not fit; None where it has none."""
    if request.chat is None:
        return None
    before = ({"role": "assistant", "content": said},) if said else ()
    return attrs.evolve(request.chat, messages=(*request.chat.messages, *before, {"role": "user", "content": wrong}))


def message_of(reply: InferenceReply) -> Any:
    """Return the assistant's message that a reply is, as a value: `role`, `content`, and `tool_calls` where it has any.

    Raises:
        ProgramError: TypeValidationError: it is none.
    """
    if not reply.structured:
        return _message({"content": reply.text})
    data = reply.data
    is_message = isinstance(data, dict) and "content" in data and (data["content"] is None or _is_text(data["content"]))
    return _message(data if is_message else {"content": dump(data)})


def check_format(message: Any, args: tuple[Any, ...], function: FunctionSignature) -> None:
    """Refuse a message that is to be JSON, or to fit a schema, and does not.

    Raises:
        ProgramError: TypeValidationError.
    """
    content = message.get(Keyword("content"))
    if not content or message.get(Keyword("tool_calls")):
        return
    conversation = conversation_of(function, args)
    wrong = why_not(content, conversation.format) if conversation.wants_json else None
    if wrong is not None:
        raise type_validation_error(wrong)


def why_not(content: str, form: Mapping[str, Any]) -> str | None:
    """Return why a text is not as `response_format` has it, None where it is."""
    if form.get("type") not in JSON_FORMATS:
        return None
    try:
        data = load(content)
    except JsonError as error:
        return f"it was to be JSON, and is not: {error}"
    described = form.get("json_schema")
    schema = described.get("schema") if isinstance(described, dict) else None
    wrong = None if schema is None or form["type"] != "json_schema" else misfit(schema, data)
    return None if wrong is None else f"it does not fit the JSON Schema: {wrong}"


def _message(data: Mapping[str, Any]) -> Any:
    calls = data.get("tool_calls") or []
    if not all(map(_is_tool_call, calls)):
        raise type_validation_error("a tool call without id, name and arguments")
    if data["content"] is None and not calls and not data.get("refusal"):
        raise type_validation_error("it is empty")
    told = {name: found for name, found in data.items() if name not in ("role", "content", "tool_calls")}
    kept = {"role": "assistant", "content": data["content"], **({"tool_calls": calls} if calls else {}), **told}
    try:
        return Map.wrap({Keyword(name): from_plain(found) for name, found in kept.items()})
    except JsonError as error:
        raise type_validation_error(str(error)) from error


def _is_text(found: Any) -> bool:
    return isinstance(found, str)


def _is_tool_call(call: Any) -> bool:
    if not isinstance(call, dict) or not _is_text(call.get("id")):
        return False
    function = call.get("function")
    return isinstance(function, dict) and _is_text(function.get("name")) and _is_text(function.get("arguments"))


def _as_text(message: Mapping[str, Any]) -> Message:
    """Return a message as plain text: tools and what they answered in words."""
    role, words = message["role"], content_text(message.get("content"))
    if role in ("tool", "function"):
        name = message.get("name") or message.get("tool_call_id") or "a tool"
        return Message("user", f"Result of {name}: {words}")
    calls = [call.get("function", {}) for call in message.get("tool_calls") or () if isinstance(call, dict)]
    lines = [words] if words else []
    lines += [f"Called {call.get('name')} with {call.get('arguments')}" for call in calls]
    return Message(_ROLES.get(role, "user"), "\n".join(lines))


def content_text(content: Any) -> str:
    """Return the text of a message's content: that of its parts, where it has some."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else ()
    return "\n".join(part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str))


def _other_parts(content: Any) -> list[str]:
    parts = content if isinstance(content, list) else ()
    return [str(part.get("type")) for part in parts if isinstance(part, dict) and not _is_text(part.get("text"))]
