"""Servers that take less than the vendor's: each is asked in the way that it takes, and never twice in another."""

from __future__ import annotations

import json

import attrs
import pytest

from rtfs_framework.api import BadReply, FailureKind, ProviderError
from rtfs_framework.lang.types.model import EnumType, MapEntry, MapType, Primitive, VectorType
from rtfs_framework.lang.values import Keyword
from rtfs_framework.testing.fakes import inference_request
from rtfs_framework.testing.openai_server import Fail, OpenAIServer, Raw, Say, say_json
from rtfs_provider_openai.asking import body_of
from rtfs_provider_openai.settings import OpenAISettings
from rtfs_provider_openai.ways import Refusal, Way, next_way

MOOD = EnumType((Keyword("positive"), Keyword("negative")))
PERSON = MapType((MapEntry(Keyword("name"), Primitive.STRING),))
WRAPPED = say_json({"value": "positive"})


def form(body):
    """Return how a request asked for a typed reply."""
    if "tools" in body:
        return "tool"
    return body.get("response_format", {}).get("type", "none")


def answer(received):
    """Answer as a model does that follows how it is asked."""
    if form(received.body) == "tool":
        return Say(None, finish_reason="tool_calls", tool_calls=(("answer", {"value": "positive"}),))
    return Say("Positive.") if form(received.body) == "none" else WRAPPED


@pytest.mark.parametrize("silent", [[], ["without words"]])
@pytest.mark.parametrize(
    ("refuses", "forms"),
    [
        ([], ["json_schema"]),
        (["json_schema"], ["json_schema", "json_object"]),
        (["response_format"], ["json_schema", "json_object", "tool"]),
        (["response_format", "tools"], ["json_schema", "json_object", "tool", "none"]),
    ],
)
def test_a_typed_reply_is_asked_for_as_the_server_can_and_no_refusal_is_asked_for_twice(
    make, ask, refuses, forms, silent
):
    with OpenAIServer(then=answer, refuses=[*refuses, *silent]) as server:
        replies = ask(make(server), *[inference_request(n, returns=MOOD) for n in range(3)])
    said = [reply.data if reply.structured else reply.text for reply in replies]
    assert said == ["Positive." if forms[-1] == "none" else "positive"] * 3
    assert [form(received.body) for received in server.requests] == [*forms, forms[-1], forms[-1]]


def test_a_form_that_is_chosen_is_kept(make, ask):
    with OpenAIServer(then=answer, refuses=["json_schema"]) as server, pytest.raises(ProviderError) as raised:
        ask(make(server, structured="json_schema"), inference_request("x", returns=MOOD))
    assert (len(server.requests), raised.value.status) == (1, 400)
    assert "response_format" in str(raised.value)


@pytest.mark.parametrize("chosen", ["json_object", "tool", "none"])
def test_every_form_may_be_chosen(make, ask, chosen):
    with OpenAIServer(then=answer) as server:
        ask(make(server, structured=chosen), inference_request("x", returns=MOOD))
    assert form(server.requests[0].body) == chosen


def test_a_schema_that_strict_mode_refuses_says_nothing_of_others(make, ask):
    other = VectorType(Primitive.INT)

    def picky(received):
        schema = received.body["response_format"]["json_schema"]
        if schema["strict"] and "enum" in json.dumps(schema):
            return Fail(400, "Invalid schema for response_format: 'enum' is not permitted.", param="response_format")
        return WRAPPED if "enum" in json.dumps(schema) else say_json({"value": [1]})

    with OpenAIServer(then=picky) as server:
        requests = [inference_request("x", returns=each) for each in (MOOD, other, MOOD)]
        replies = ask(make(server), *requests)
    assert [reply.data for reply in replies] == ["positive", [1], "positive"]
    assert [each.body["response_format"]["json_schema"]["strict"] for each in server.requests] == [
        True,
        False,
        True,
        False,
    ]


@pytest.mark.parametrize("name", ["max_tokens", "temperature", "max_completion_tokens"])
def test_a_parameter_that_is_not_known_is_left_out_or_called_by_its_other_name(make, ask, name):
    with OpenAIServer(refuses=[name]) as server:
        ask(make(server), *[inference_request(n, max_tokens=9) for n in range(2)])
    first, *others = [sorted(received.body) for received in server.requests]
    if name == "max_completion_tokens":
        assert [first, *others] == [["max_tokens", "messages", "model", "temperature"]] * 2
    elif name == "max_tokens":
        assert others == [["max_completion_tokens", "messages", "model", "temperature"]] * 2
    else:
        assert others == [["max_tokens", "messages", "model"]] * 2


@pytest.mark.parametrize(("name", "left"), [("stream_options", {"stream"}), ("stream", set())])
def test_a_server_that_streams_less_is_followed_as_far_as_it_goes(make, ask, name, left):
    heard = []
    requests = [attrs.evolve(inference_request(n), on_text=heard.append) for n in range(2)]
    with OpenAIServer(then=Say("hello there"), refuses=[name]) as server:
        replies = ask(make(server), *requests)
    assert [reply.text for reply in replies] == ["hello there"] * 2
    assert "".join(heard) == "hello there" * 2
    assert [{"stream", "stream_options"} & received.body.keys() for received in server.requests[1:]] == [left, left]


@pytest.mark.parametrize(
    "failure",
    [
        Fail(400, "This model's maximum context length is 8192 tokens."),
        Fail(400, "max_tokens is too large: 100000.", param="max_tokens"),
        Fail(404, "The model does not exist", code="model_not_found"),
        Fail(500, "internal error"),
        Fail(500, ""),
        Fail(404, ""),
        Fail(401, "response_format is not for you"),
        Fail(429, "response_format: slow down"),
    ],
)
def test_what_is_no_matter_of_the_way_is_told_at_once(make, ask, failure):
    with OpenAIServer(then=failure) as server, pytest.raises(ProviderError, match="acme: "):
        ask(make(server), inference_request("x", returns=MOOD, max_tokens=10))
    assert len(server.requests) == 1


def test_a_server_that_refuses_everything_without_a_word_is_asked_in_each_way_once(make, ask):
    with OpenAIServer(then=Fail(400, "")) as server, pytest.raises(ProviderError):
        ask(make(server), inference_request("x", returns=MOOD))
    assert [form(received.body) for received in server.requests] == ["json_schema", "json_object", "tool", "none"]


def test_a_refusal_without_a_word_counts_for_nothing_where_the_way_has_worked(make, ask):
    with OpenAIServer([WRAPPED], then=Fail(400, "Bad Request")) as server:
        provider = make(server)
        ask(provider, inference_request("x", returns=MOOD))
        with pytest.raises(ProviderError):
            ask(provider, inference_request("x", returns=MOOD))
    assert len(server.requests) == 2


@pytest.mark.parametrize("status", [400, 422, 501])
def test_asking_for_less_always_ends(status):
    words = (
        "unsupported: max_tokens max_completion_tokens temperature stream_options stream strict response_format tools"
    )
    request = inference_request("x", returns=MOOD, max_tokens=5)
    way, steps = Way(), 0
    while way is not None:
        steps += 1
        body = body_of(request, OpenAISettings(), way, stream=True)
        way = next_way(way, body, Refusal(status, words), proven=True)
        assert steps < 15
    assert steps > 7


@pytest.mark.parametrize(
    "said",
    [
        'Sure! Here it is:\n```json\n{"value": "positive"}\n```\nAnything else?',
        'The answer, as in [1], is {"value": "positive"}. {Really}',
        '<think>{"value": "negative"}?</think>\n{"value": "positive"}',
        'It was negative, I thought.</think>{"value": "positive"}',
        '{"value": "positive"} and again {"value": "positive"}',
        '~~~\n{"value": "positive"}\n~~~',
    ],
)
def test_the_answer_is_found_among_prose_fences_and_thoughts(make, ask, said):
    with OpenAIServer([Say(said)]) as server:
        assert ask(make(server), inference_request("x", returns=MOOD)).data == "positive"


@pytest.mark.parametrize(
    ("returns", "said", "found"),
    [
        (MOOD, "positive\n", "positive"),
        (MOOD, '"positive"', "positive"),
        (MOOD, '{"value": "positive"}', "positive"),
        (Primitive.INT, "7", 7),
        (EnumType(("12", "13")), "12", "12"),
        (EnumType(("true", "false")), "true\n", "true"),
        (EnumType(("12", 12)), "12", 12),
        (EnumType(("12", 12)), '"12"', "12"),
        (Primitive.STRING, "Sorry, I cannot.", "Sorry, I cannot."),
        (Primitive.BOOL, "false", False),
        (Primitive.STRING, '"She said {\\"value\\": 1}"', 'She said {"value": 1}'),
        (VectorType(Primitive.INT), "[1, 2]", [1, 2]),
        (VectorType(Primitive.INT), "They are:\n```\n[1, 2]\n```", [1, 2]),
        (VectorType(Primitive.INT), 'In [1] it says {"value": [2]}', [2]),
    ],
)
@pytest.mark.parametrize("form", ["json_schema", "json_object"])
def test_a_server_that_takes_a_schema_and_does_not_heed_it_is_understood(make, ask, returns, said, found, form):
    with OpenAIServer([Say(said)]) as server:
        assert ask(make(server, structured=form), inference_request("x", returns=returns)).data == found
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("returns", "said"),
    [(Primitive.STRING, '{"value": "She s'), (Primitive.STRING, '```\n{"valu'), (Primitive.INT, "seven")],
)
def test_any_words_are_no_value_where_json_was_asked_for(make, ask, returns, said):
    with OpenAIServer([Say(said)]) as server, pytest.raises(BadReply, match="no JSON"):
        ask(make(server), inference_request("x", returns=returns))


@pytest.mark.parametrize(
    "said",
    [
        'Either {"value": "positive"} or {"value": "negative"}',
        "no JSON {at all",
        '{"value": "positive", "value": "negative"}',
        'It is {"value": "positive", "value": "negative"}.',
        "{" * 1000,
        '{"other": 1}',
        '```json\n{"value": "positive"}\n```\n```json\n{"value": "negative"}\n```',
    ],
)
def test_an_answer_of_which_nobody_knows_what_it_says_is_none(make, ask, said):
    with OpenAIServer([Say(said)]) as server, pytest.raises(BadReply) as raised:
        ask(make(server), inference_request("x", returns=MOOD))
    assert (raised.value.said, raised.value.failure) == (said, FailureKind.REPLY)


@pytest.mark.parametrize(
    ("returns", "said", "found"),
    [
        (PERSON, 'Her data: {"name": "Ada"}.', {"name": "Ada"}),
        (PERSON, '{"name": "Ada"}', {"name": "Ada"}),
        (VectorType(Primitive.INT), "They are:\n```\n[1, 2]\n```", [1, 2]),
    ],
)
def test_plain_words_hold_the_value_that_the_prompt_asked_for(make, ask, returns, said, found):
    with OpenAIServer([Say(said)]) as server:
        assert ask(make(server, structured="none"), inference_request("x", returns=returns)).data == found


def test_a_text_that_is_wanted_as_such_is_left_alone(make, ask):
    said = 'Look:\n```json\n{"value": 1}\n```\nand <think> again'
    with OpenAIServer([Say(said), Say(said)]) as server:
        untyped = ask(make(server), inference_request("x"))
        typed = ask(make(server, structured="none"), inference_request("x", returns=Primitive.STRING))
    assert (untyped.text, typed.text) == (said, said)


def test_a_tool_call_that_is_no_answer(make, ask):
    raw = b'{"choices": [{"message": {"tool_calls": [{"function": {"name": "answer", "arguments": "{"}}]}}]}'
    with OpenAIServer([Raw(raw)]) as server, pytest.raises(BadReply, match="no JSON"):
        ask(make(server, structured="tool"), inference_request("x", returns=MOOD))
