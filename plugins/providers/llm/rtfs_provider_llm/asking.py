"""A request as llm takes it: one prompt, one system prompt, and a schema where the model takes one.

Every plug-in of llm reads these, whatever it makes of longer conversations; so what follows a first answer (the host
tells a model once that its answer does not fit) stands in the prompt, each part under the name of who said it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rtfs_framework.api import InferenceRequest

_SAID = {"assistant": "You answered:", "user": "Then you were told:"}
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


def schema_of(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema with an object at its root, as vendors want it."""
    bare = {key: value for key, value in schema.items() if key not in {"$schema", "$defs"}}
    if is_wrapped(schema):
        bare = {"type": "object", "properties": {"value": bare}, "required": ["value"], "additionalProperties": False}
    return {**bare, "$defs": schema["$defs"]} if "$defs" in schema else bare


def is_wrapped(schema: Mapping[str, Any]) -> bool:
    """Tell whether replies are wrapped in an object: whether the type is anything but one."""
    return schema.get("type") != "object"
