"""The addresses of the OpenAI API in the server's own description; what they take is the vendor's to describe."""

from __future__ import annotations

from typing import Any

_ABOUT = "As https://platform.openai.com/docs/api-reference says; docs/openai-door.md tells what is different here."
_REFUSED = {
    "400": "It is malformed, or asks for what is not offered.",
    "404": "There is no such model.",
    "429": "Over a budget or a rate.",
    "502": "Every target has failed.",
    "503": "Nobody answers conversations, or the server is busy.",
}


def _described(summary: str, **more: Any) -> dict[str, Any]:
    told = {status: {"description": what} for status, what in _REFUSED.items()}
    return {"summary": summary, "description": _ABOUT, "responses": {"200": {"description": "OK"}, **told}, **more}


def _body(*required: str) -> dict[str, Any]:
    schema = {"type": "object", "required": list(required)}
    return {"required": True, "content": {"application/json": {"schema": schema}}}


_NAME = {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}
PATHS: dict[str, Any] = {
    "/v1/chat/completions": {
        "post": _described("Answer a conversation.", requestBody=_body("model", "messages")),
    },
    "/v1/embeddings": {"post": _described("Make vectors of texts.", requestBody=_body("model", "input"))},
    "/v1/models": {"get": _described("What clients may name as their model.")},
    "/v1/models/{name}": {"get": _described("One model.", parameters=[_NAME])},
}
