"""A request as llm takes it: one prompt, one system prompt, and a schema where the model takes one.

Every plug-in of llm reads these, whatever it makes of longer conversations; so what follows a first answer (the host
tells a model once that its answer does not fit) stands in the prompt, each part under the name of who said it. A
conversation is turns for a model that takes them (`turns_of`), and such a prompt for any other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rtfs_framework.api import InferenceRequest

_SAID = {"assistant": "You answered:", "user": "Then you were told:"}
_AS_JSON = "Answer with one JSON value and nothing else."
_WRAPPED = 'Answer with one JSON object of the form {"value": RESULT}, where RESULT is the result of the call.'


def prompt_of(request: InferenceRequest) -> str:
    """Return all that is not the system's, in one text."""
    said = [message for message in request.messages if message.role != "system"]
    later = [f"{_SAID.get(each.role, each.role)}\n{each.content}" for each in said[1:]]
    return "\n\n".join([*(each.content for each in said[:1]), *later])


def system_of(request: InferenceRequest, *, typed: bool) -> str | None:
    """Return the system prompt."""
    said = [message.content for message in request.messages if message.role == "system"]
    if typed and request.schema is not None and is_wrapped(request.schema):
        said.append(_WRAPPED)
    return "\n\n".join(said) or None


def turns_of(request: InferenceRequest) -> list[Any]:
    """Return a conversation as llm's messages, without what the system says. Imports llm."""
    import llm

    made = {"assistant": llm.assistant}
    return [made.get(each.role, llm.user)(each.content) for each in request.messages if each.role != "system"]


def why_unsayable(request: InferenceRequest) -> str | None:
    """Return what a conversation has that text cannot say, None where it has nothing of the kind."""
    chat = request.chat
    if chat is None:
        return None
    if chat.tools and chat.tool_choice != "none":
        return "tools"
    parts = [part for each in chat.messages if isinstance(each.get("content"), list) for part in each["content"]]
    kinds = sorted({str(part.get("type")) for part in parts if isinstance(part, Mapping) and "text" not in part})
    return f"parts of the kind {', '.join(kinds)}" if kinds else None


def format_of(request: InferenceRequest) -> tuple[Mapping[str, Any] | None, str | None]:
    """Return the schema that a conversation's answer is to fit, and how a model that takes none is told the form."""
    form = None if request.chat is None else request.chat.extra.get("response_format")
    kind = form.get("type") if isinstance(form, Mapping) else None
    if not isinstance(form, Mapping) or kind not in ("json_object", "json_schema"):
        return None, None
    described = form.get("json_schema") if kind == "json_schema" else None
    schema = described.get("schema") if isinstance(described, Mapping) else None
    if not isinstance(schema, Mapping):
        return None, _AS_JSON
    return schema, f"{_AS_JSON} It must fit this JSON Schema:\n{json.dumps(schema, ensure_ascii=False)}"


def schema_of(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema with an object at its root, as vendors want it."""
    bare = {key: value for key, value in schema.items() if key not in {"$schema", "$defs"}}
    if is_wrapped(schema):
        bare = {"type": "object", "properties": {"value": bare}, "required": ["value"], "additionalProperties": False}
    return {**bare, "$defs": schema["$defs"]} if "$defs" in schema else bare


def is_wrapped(schema: Mapping[str, Any]) -> bool:
    """Tell whether replies are wrapped in an object: whether the type is anything but one."""
    return schema.get("type") != "object"
