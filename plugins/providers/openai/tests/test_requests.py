"""What goes over the wire, and how good replies are read: against a real HTTP server on loopback."""

from __future__ import annotations

import anyio
import pytest

from rtfs_framework.api import Message, Usage
from rtfs_framework.lang.types.model import EnumType, MapEntry, MapType, Primitive, TupleType, VectorType
from rtfs_framework.lang.values import Keyword
from rtfs_framework.testing.fakes import inference_request
from rtfs_framework.testing.openai_server import OpenAIServer, Say, say_json
from rtfs_provider_openai.asking import is_strict

SECRET = "sk-do-not-show-me"
SENTIMENT = EnumType((Keyword("positive"), Keyword("negative")))
PERSON = MapType((MapEntry(Keyword("name"), Primitive.STRING),))


def test_a_plain_reply(make, ask):
    with OpenAIServer([Say("hello", usage=(11, 4))], key=SECRET) as server:
        reply = ask(make(server), inference_request("you", name="greet"))
    assert (reply.text, reply.structured, reply.model, reply.usage) == ("hello", False, "m", Usage(11, 4))
    (received,) = server.requests
    assert received.path == "/v1/chat/completions"
    assert received.headers["authorization"] == f"Bearer {SECRET}"
    assert received.body == {
        "model": "m",
        "messages": [{"role": "user", "content": '(greet "you")'}],
        "temperature": 0.0,
    }


def test_a_request_is_known_again_by_its_key_and_by_all_that_is_in_it(make, ask):
    with OpenAIServer() as server:
        for key, text in (("k1", "you"), ("k1", "you"), ("k1", "me"), ("k2", "you"), ("", "you")):
            ask(make(server), inference_request(text, name="greet", key=key))
    first, again, other, another, none = (each.headers.get("idempotency-key") for each in server.requests)
    assert first == again
    assert len({first, other, another, none}) == 4
    assert none is None


def test_an_enumeration_is_wrapped_in_an_object_and_unwrapped(make, ask):
    with OpenAIServer([say_json({"value": "positive"})]) as server:
        reply = ask(make(server), inference_request("fine", returns=SENTIMENT))
    assert (reply.data, reply.structured, reply.text) == ("positive", True, None)
    body = server.requests[0].body
    assert body["response_format"] == {
        "type": "json_schema",
        "json_schema": {
            "name": "demo",
            "strict": True,
            "schema": {
                "type": "object",
                "properties": {"value": {"enum": ["positive", "negative"]}},
                "required": ["value"],
                "additionalProperties": False,
            },
        },
    }
    assert [message["role"] for message in body["messages"]] == ["system", "user"]
    assert '{"value": RESULT}' in body["messages"][0]["content"]


def test_there_is_never_more_than_one_system_message(make, ask):
    messages = (Message("system", "Be brief."), Message("user", "fine?"))
    with OpenAIServer([say_json({"value": "positive"})]) as server:
        ask(make(server), inference_request("fine", returns=SENTIMENT, messages=messages))
    system, user = server.requests[0].body["messages"]
    assert system["content"].startswith("Be brief.\n\nAnswer with one JSON object")
    assert user == {"role": "user", "content": "fine?"}


def test_an_object_is_not_wrapped(make, ask):
    with OpenAIServer([say_json({"name": "Ada"})]) as server:
        reply = ask(make(server), inference_request("x", returns=PERSON))
    assert reply.data == {"name": "Ada"}
    body = server.requests[0].body
    assert body["response_format"]["json_schema"]["schema"]["type"] == "object"
    assert "value" not in body["response_format"]["json_schema"]["schema"]["properties"]
    assert len(body["messages"]) == 1


@pytest.mark.parametrize("data", [None, [], 0, {"value": 1}])
def test_any_json_value_can_be_wrapped(make, ask, data):
    with OpenAIServer([say_json({"value": data})]) as server:
        reply = ask(make(server), inference_request("x", returns=Primitive.ANY))
    assert reply.data == data
    assert reply.structured
    assert server.requests[0].body["response_format"]["json_schema"]["strict"] is False


def test_other_ways_to_ask_for_structure(make, ask):
    with OpenAIServer([say_json({"value": "positive"}), Say("positive")]) as server:
        objects = ask(make(server, structured="json_object"), inference_request("x", returns=SENTIMENT))
        plain = ask(make(server, structured="none"), inference_request("x", returns=SENTIMENT))
    assert (objects.data, plain.text, plain.structured) == ("positive", "positive", False)
    assert server.requests[0].body["response_format"] == {"type": "json_object"}
    assert "response_format" not in server.requests[1].body


def test_parameters_of_settings_and_request(make, ask):
    with OpenAIServer() as server:
        ask(make(server), inference_request("x", max_tokens=9, temperature=0.5))
        ask(make(server, temperature=1, max_tokens=5), inference_request("x", max_tokens=9, temperature=0.5))
        ask(make(server, temperature="default"), inference_request("x"))
    first, second, third = (received.body for received in server.requests)
    assert (first["temperature"], first["max_tokens"]) == (0.5, 9)
    assert (second["temperature"], second["max_tokens"]) == (1, 5)
    assert {"temperature", "max_tokens", "max_completion_tokens"}.isdisjoint(third)


@pytest.mark.parametrize(
    ("own", "environ"),
    [({"api_key_env": ""}, {"OPENAI_API_KEY": SECRET}), ({}, {}), ({"api_key_env": ""}, {})],
)
def test_a_local_endpoint_gets_no_key(make, ask, own, environ, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    monkeypatch.setenv("OPENAI_ADMIN_KEY", SECRET)
    with OpenAIServer() as server:
        assert ask(make(server, environ=environ, **own), inference_request("x")).text == "ok"
    assert "authorization" not in server.requests[0].headers
    assert SECRET not in str(dict(server.requests[0].headers))


def test_the_endpoint_may_come_from_the_environment(make, ask):
    with OpenAIServer() as server:
        environ = {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": SECRET}
        assert ask(make(environ=environ), inference_request("x")).text == "ok"
    assert server.requests[0].headers["authorization"] == f"Bearer {SECRET}"


def test_one_provider_serves_many_requests_at_once_and_more_than_one_event_loop(make):
    with OpenAIServer(then=lambda received: Say(received.prompt)) as server:
        provider = make(server)
        answers = {}

        async def one(number):
            answers[number] = (await provider.infer(inference_request(number))).text

        async def many():
            async with anyio.create_task_group() as group:
                for number in range(20):
                    group.start_soon(one, number)
            await provider.aclose()

        for _ in range(2):
            answers.clear()
            anyio.run(many)
            assert answers == {number: f"(demo {number})" for number in range(20)}


@pytest.mark.parametrize(
    ("returns", "strict"),
    [
        (SENTIMENT, True),
        (VectorType(Primitive.INT), True),
        (PERSON, False),
        (TupleType((Primitive.INT,)), False),
        (Primitive.KEYWORD, True),
        (Primitive.ANY, False),
    ],
)
def test_strict_mode_is_asked_for_where_it_takes_the_schema(returns, strict):
    schema = dict(inference_request("x", returns=returns).schema)
    schema.pop("$schema")
    assert is_strict(schema) is strict


def test_the_fingerprint_changes_with_what_answers_rest_on_and_not_with_the_key(make):
    variants = [{}, {"model": "n"}, {"temperature": 1.0}, {"max_tokens": 5}, {"structured": "none"}]
    made = [make(**own).fingerprint() for own in variants] + [
        make(environ={"OPENAI_BASE_URL": "http://x"}).fingerprint()
    ]
    assert len(set(made)) == len(made)
    assert make(environ={"OPENAI_API_KEY": "other"}).fingerprint() == make().fingerprint()
