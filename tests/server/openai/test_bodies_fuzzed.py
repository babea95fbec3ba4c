"""Whatever a client sends, a body is understood or refused by name; and what is understood is a conversation."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from rtfs_framework.lang.signature import FunctionSignature
from rtfs_framework.orchestrator.performing.conversation import conversation_of
from rtfs_framework.server.openai.bodies import read_chat, read_embeddings, read_json
from rtfs_framework.server.openai.errors import BadBody, body_of_problem
from rtfs_framework.testing.effort import effort

BODY_KEYS = ("model", "messages", "stream", "stream_options", "n", "stop", "max_tokens", "temperature", "tools", "seed")
MORE_KEYS = ("tool_choice", "response_format", "input", "encoding_format", "include_usage", "json_schema", "schema")
PART_KEYS = ("role", "content", "type", "function", "name", "arguments", "tool_calls", "id", "text", "tool_call_id")
VALUES = ("user", "assistant", "tool", "auto", "none", "required", "json_object", "text", "function")
WORDS = [*BODY_KEYS, *MORE_KEYS, *PART_KEYS, *VALUES]
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.sampled_from(WORDS)
    | st.text(max_size=4)
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
    max_leaves=12,
)
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
VALID = {
    "model": "m",
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "hi"}]},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "c", "content": "42"},
    ],
    "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
    "tool_choice": {"type": "function", "function": {"name": "f"}},
    "response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": {"type": "object"}}},
    "stop": ["a"],
    "stream": True,
    "stream_options": {"include_usage": True},
}


def places(data, path=()):
    """Yield the path of each part of a body."""
    yield path
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, part in items:
        yield from places(part, (*path, key))


PLACES = [path for path in places(VALID) if path]


@st.composite
def nearly_valid(draw):
    """Return a valid body with some parts replaced."""
    body = json.loads(json.dumps(VALID))
    for path in draw(st.lists(st.sampled_from(PLACES), min_size=1, max_size=3)):
        *above, last = path
        part = body
        for key in above:
            part = part[key] if isinstance(part, dict | list) and _has(part, key) else None
        if isinstance(part, dict | list) and _has(part, last):
            part[last] = draw(JSON)
    return body


def _has(part, key):
    return key in part if isinstance(part, dict) else isinstance(key, int) and key < len(part)


def outcome(read, given_to_it):
    """Return what is read, or its refusal."""
    try:
        return read(given_to_it)
    except BadBody as refused:
        return refused


def told(refused):
    return body_of_problem(refused)["error"]


@given(nearly_valid() | st.dictionaries(st.sampled_from(WORDS), JSON))
@settings(max_examples=effort(300), deadline=None)
def test_a_chat_is_understood_or_refused(body):
    found = outcome(lambda raw: read_chat(read_json(raw)), json.dumps(body).encode())
    if isinstance(found, BadBody):
        assert told(found)["code"] in ("E0970", "E0972")
        assert told(found)["message"]
        return
    conversation = conversation_of(FunctionSignature("host/chat"), (found.asked, found.conversation))
    assert len(conversation.messages) == len(body["messages"])
    assert isinstance(conversation.unsayable() or "", str)
    assert conversation.transcript


@given(st.dictionaries(st.sampled_from(WORDS), JSON))
@settings(max_examples=effort(100), deadline=None)
def test_vectors_are_understood_or_refused(body):
    found = outcome(lambda raw: read_embeddings(read_json(raw)), json.dumps(body).encode())
    assert told(found)["message"] if isinstance(found, BadBody) else all(found.texts)


@given(st.binary(max_size=64))
@settings(max_examples=effort(100), deadline=None)
def test_bytes_are_an_object_or_refused(raw):
    found = outcome(read_json, raw)
    assert found.status == 400 if isinstance(found, BadBody) else isinstance(found, dict)
