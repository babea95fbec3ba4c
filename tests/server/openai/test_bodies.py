"""Bodies of the OpenAI API: what is understood, and a clear refusal of each thing that is not."""

from __future__ import annotations

import json

import pytest

from rtfs_framework.lang.types.jsonable import to_json
from rtfs_framework.server.openai.bodies import read_chat, read_embeddings, read_json
from rtfs_framework.server.openai.errors import BadBody, body_of_problem

HI = {"role": "user", "content": "hi"}
BODY = {"model": "m", "messages": [HI]}
TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
CALL = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
NAMED = {"type": "function", "function": {"name": "look"}}


def test_all_that_belongs_to_the_request_is_passed_on_and_nothing_else():
    told = {"temperature": 0.5, "top_p": 0.9, "seed": -3, "stop": "END", "top_k": 5, "reasoning_effort": "low"}
    beside = {"user": "u1", "metadata": {"a": "b"}, "store": False, "stream": True, "n": 1, "logprobs": False}
    body = read_chat({**BODY, **told, **beside, "max_completion_tokens": 7, "tools": [TOOL], "tool_choice": NAMED})
    assert to_json(body.conversation) == {
        **told,
        "messages": [HI],
        "stop": ["END"],
        "max_tokens": 7,
        "tools": [TOOL],
        "tool_choice": NAMED,
    }
    assert (body.model, body.asked, body.stream, body.include_usage) == ("m", "hi", True, False)


def test_null_is_nothing_said():
    names = ("temperature", "stop", "tools", "tool_choice", "response_format", "stream", "stream_options", "n", "seed")
    body = read_chat({**BODY, **dict.fromkeys(names)})
    assert to_json(body.conversation) == {"messages": [HI]}


def test_what_is_asked_is_the_last_word_of_the_user_in_any_form():
    parts = [{"type": "text", "text": "one"}, {"type": "image_url", "image_url": {"url": "x"}}]
    later = [{"role": "assistant", "content": None, "tool_calls": [CALL]}]
    result = {"role": "tool", "tool_call_id": "c1", "content": "42"}
    body = read_chat({**BODY, "messages": [HI, {"role": "user", "content": parts}, *later, result]})
    assert body.asked == "one"


def test_a_usage_of_streams_may_be_asked_for():
    body = read_chat({**BODY, "stream": True, "stream_options": {"include_usage": True}})
    assert body.include_usage


def message(**fields):
    return {"messages": [{**HI, **fields}]}


@pytest.mark.parametrize(
    ("more", "param", "words"),
    [
        ({"model": None}, "model", "name of a model"),
        ({"model": ""}, "model", "name of a model"),
        ({"model": 5}, "model", "name of a model"),
        ({"messages": None}, "messages", "at least one"),
        ({"messages": []}, "messages", "at least one"),
        ({"messages": "hi"}, "messages", "at least one"),
        ({"messages": ["hi"]}, "messages[0]", "an object"),
        (message(role="boss"), "messages[0].role", "one of system"),
        (message(content=None), "messages[0].content", "a text"),
        (message(content=[]), "messages[0].content", "a text"),
        (message(content=5), "messages[0].content", "a text"),
        (message(content=[{"type": "text"}]), "messages[0].content", "list of parts"),
        (message(content=["hi"]), "messages[0].content", "list of parts"),
        (message(role="tool"), "messages[0].tool_call_id", "whose result"),
        (message(tool_calls=[CALL]), "messages[0].tool_calls", "of the assistant"),
        (message(role="assistant", tool_calls=[{"id": "x"}]), "messages[0].tool_calls", "calls of functions"),
        ({"n": 2}, "n", "must be 1"),
        ({"n": True}, "n", "must be 1"),
        ({"logprobs": True}, "logprobs", "not passed on"),
        ({"top_logprobs": 3}, "top_logprobs", "not offered"),
        ({"functions": []}, "functions", "write tools"),
        ({"function_call": "auto"}, "function_call", "write tool_choice"),
        ({"audio": {"voice": "x"}}, "audio", "speaks text"),
        ({"modalities": ["text", "audio"]}, "modalities", "speaks text"),
        ({"web_search_options": {}}, "web_search_options", "not offered"),
        ({"temperature": 3}, "temperature", "from 0 to 2"),
        ({"temperature": True}, "temperature", "from 0 to 2"),
        ({"temperature": "0"}, "temperature", "from 0 to 2"),
        ({"top_p": -1}, "top_p", "from 0 to 1"),
        ({"presence_penalty": 9}, "presence_penalty", "from -2 to 2"),
        ({"frequency_penalty": -9}, "frequency_penalty", "from -2 to 2"),
        ({"seed": 1.5}, "seed", "whole number"),
        ({"seed": 1 << 64}, "seed", "whole number"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop", "at most 4"),
        ({"stop": [""]}, "stop", "at most 4"),
        ({"stop": 5}, "stop", "at most 4"),
        ({"max_tokens": 0}, "max_tokens", "at least 1"),
        ({"max_completion_tokens": "9"}, "max_completion_tokens", "at least 1"),
        ({"max_tokens": 5, "max_completion_tokens": 6}, "max_tokens", "differ"),
        ({"stream": "yes"}, "stream", "true or false"),
        ({"stream_options": {"include_usage": True}}, "stream_options", "set 'stream'"),
        ({"stream": True, "stream_options": 1}, "stream_options", "an object"),
        ({"stream": True, "stream_options": {"include_usage": 1}}, "stream_options.include_usage", "true or false"),
        ({"tools": {}}, "tools", "a list"),
        ({"tools": [{"type": "web"}]}, "tools[0]", "a function with a name"),
        ({"tools": [{"type": "function", "function": {}}]}, "tools[0]", "a function with a name"),
        ({"tools": [{"type": "function", "function": {"name": "f", "parameters": 1}}]}, "tools[0]", "JSON Schema"),
        ({"tool_choice": "required"}, "tool_choice", "no 'tools'"),
        ({"tools": [TOOL], "tool_choice": "look"}, "tool_choice", "one of auto"),
        ({"tools": [TOOL], "tool_choice": {"function": {"name": "other"}}}, "tool_choice", "name a tool"),
        ({"response_format": "json"}, "response_format", "one of text"),
        ({"response_format": {"type": "xml"}}, "response_format", "one of text"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema", "a schema"),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"schema": 1}}},
            "response_format.json_schema",
            "a",
        ),
        ({"top_k": "\ud800"}, None, "cannot be passed on"),
    ],
)
def test_what_is_not_understood_is_refused_by_name(more, param, words):
    with pytest.raises(BadBody) as caught:
        read_chat({**BODY, **more})
    error = body_of_problem(caught.value)["error"]
    assert (error["param"], error["type"]) == (param, "invalid_request_error")
    assert words in error["message"]
    assert error["code"] in ("E0970", "E0972")


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "no JSON"),
        (b"{", "no JSON"),
        (b"[]", "JSON object"),
        (b"\xff\xfe{", "no JSON"),
        (b'{"a": NaN}', "no JSON"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_a_body_that_is_no_object_is_refused(raw, words):
    with pytest.raises(BadBody, match=words):
        read_json(raw)


def test_a_body_that_is_nested_deeper_than_values_may_be_is_refused():
    deep = json.loads("[" * 900 + "]" * 900)
    with pytest.raises(BadBody, match="cannot be passed on"):
        read_chat({**BODY, "top_k": deep})


@pytest.mark.parametrize(
    ("more", "param", "words"),
    [
        ({"input": None}, "input", "a text, or a list"),
        ({"input": []}, "input", "a text, or a list"),
        ({"input": ["x"] * 2049}, "input", "1 to 2048"),
        ({"input": [1, 2]}, "input", "holds tokens"),
        ({"input": [[1, 2]]}, "input", "holds tokens"),
        ({"input": ""}, "input", "not empty"),
        ({"input": ["x", None]}, "input", "not empty"),
        ({"encoding_format": "hex"}, "encoding_format", "base64"),
        ({"dimensions": 0}, "dimensions", "at least 1"),
        ({"model": None}, "model", "name of a model"),
    ],
)
def test_vectors_that_cannot_be_made_are_refused_by_name(more, param, words):
    with pytest.raises(BadBody, match=words) as caught:
        read_embeddings({"model": "m", "input": "x", **more})
    assert caught.value.param == param
