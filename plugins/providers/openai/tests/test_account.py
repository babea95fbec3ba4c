"""What a reply says that it took, whatever becomes of the reply; and numbers and characters that JSON does not have."""

from __future__ import annotations

import json

import pytest

from rtfs_framework.api import BadReply, Message, ProviderError, ReplyRefused, Usage
from rtfs_framework.lang.types.model import EnumType, Primitive
from rtfs_framework.lang.values import Keyword
from rtfs_framework.testing.fakes import inference_request
from rtfs_framework.testing.openai_server import OpenAIServer, Raw, Say

MOOD = EnumType((Keyword("positive"),))


def body(content='{"value": "positive"}', *, finish="stop", usage=..., **message):
    usage = {"prompt_tokens": 5, "completion_tokens": 2} if usage is ... else usage
    choice = {"message": {"content": content, **message}, "finish_reason": finish}
    return json.dumps({"choices": [choice], "usage": usage}).encode()


@pytest.mark.parametrize(
    "raw",
    [
        body('{"value": "posi', finish="length"),
        body("It is positive"),
        body('{"other": [1]}'),
        body(None),
        body('{"value": NaN}'),
        body('{"value": 1e999}'),
        body('{"value": -Infinity}'),
        body('{"value": "bad \\ud83d end"}'),
        body("[" * 100_000),
        body("bad \ud83d end"),
        body().replace(b'"usage"', b'"extra": NaN, "usage"'),
        body().replace(b'"usage"', b'"extra": 1e999, "usage"'),
    ],
)
def test_an_unusable_reply_counts_its_tokens(make, ask, raw):
    with OpenAIServer(then=Raw(raw)) as server, pytest.raises(BadReply) as raised:
        ask(make(server), inference_request("x", returns=MOOD))
    assert raised.value.code == "E0606"
    assert raised.value.usage == Usage(5, 2)


@pytest.mark.parametrize("raw", [body("", finish="content_filter"), body(None, refusal="I can't")])
def test_a_refusal_counts_its_tokens(make, ask, raw):
    with OpenAIServer(then=Raw(raw)) as server, pytest.raises(ReplyRefused) as raised:
        ask(make(server), inference_request("x", returns=MOOD))
    assert raised.value.usage == Usage(5, 2)


@pytest.mark.parametrize("returns", [None, Primitive.STRING, Primitive.FLOAT, Primitive.ANY])
@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", '"\\ud83d"', '["\\udc00"]'])
def test_what_json_does_not_have_is_refused(make, ask, returns, value):
    inner = json.dumps(f'{{"value": {value}}}')
    raw = f'{{"choices": [{{"message": {{"content": {inner if returns else value}}}}}]}}'
    with OpenAIServer(then=Raw(raw.encode())) as server, pytest.raises(BadReply) as raised:
        ask(make(server), inference_request("x", returns=returns))
    assert raised.value.code == "E0606"


@pytest.mark.parametrize(
    ("usage", "counted", "problems"),
    [
        ({"prompt_tokens": 5, "completion_tokens": 2}, Usage(5, 2), 0),
        ({"prompt_tokens": 5.0, "completion_tokens": 2.0}, Usage(5, 2), 0),
        ({"prompt_tokens": 0, "completion_tokens": 2**53 - 1}, Usage(0, 2**53 - 1), 0),
        ({"prompt_tokens": 2**53, "completion_tokens": 1}, Usage(None, 1), 1),
        ({"prompt_tokens": 2**63, "completion_tokens": 2**64 - 1}, Usage(None, None), 2),
        ({"prompt_tokens": 10**400, "completion_tokens": 1}, Usage(None, 1), 1),
        ({"prompt_tokens": -1, "completion_tokens": -35}, Usage(None, None), 2),
        ({"prompt_tokens": 5.5, "completion_tokens": 1e300}, Usage(None, None), 2),
        ({"prompt_tokens": "5", "completion_tokens": True}, Usage(None, None), 2),
        ({"prompt_tokens": [5], "completion_tokens": {}}, Usage(None, None), 2),
        ({"prompt_tokens": None}, Usage(None, None), 0),
        ({"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": 4}}, Usage(9, None, 4), 0),
        ({"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": "4"}}, Usage(9, None, None), 0),
        ({"prompt_tokens": 9, "prompt_tokens_details": [4]}, Usage(9, None, None), 0),
        ({}, Usage(None, None), 0),
        (None, Usage(None, None), 0),
        ([1, 2], Usage(None, None), 1),
        ("5", Usage(None, None), 1),
    ],
)
def test_only_counts_are_counted(make, ask, usage, counted, problems):
    with OpenAIServer(then=Raw(body(usage=usage))) as server:
        reply = ask(make(server), inference_request("x", returns=MOOD))
    assert reply.data == "positive"
    assert reply.usage == counted
    assert len(reply.problems) == problems
    assert all("was not taken: what this call took and cost is not known" in each for each in reply.problems)


def test_a_request_that_cannot_be_written_says_so_and_is_not_sent(make, ask):
    with (
        OpenAIServer() as server,
        pytest.raises(ProviderError, match="was not sent: a text in it holds half a character"),
    ):
        ask(make(server), inference_request("x", messages=(Message("user", "caf\udce9"),)))
    assert server.requests == []


@pytest.mark.parametrize("model", ["evil\x1b[2J\nname", "m" * 10_000, 7, None, "", ["m"]])
def test_a_models_name_is_short_and_plain(make, ask, model):
    raw = json.dumps({"choices": [{"message": {"content": "ok"}}], "model": model}).encode()
    with OpenAIServer(then=Raw(raw)) as server:
        found = ask(make(server), inference_request("x")).model
    assert found.isprintable()
    assert 0 < len(found) <= 100


def test_a_reply_says_nothing_is_odd_where_nothing_is(make, ask):
    with OpenAIServer(then=Say("hi", usage=(3, 4))) as server:
        reply = ask(make(server), inference_request("x"))
    assert (reply.usage, reply.problems) == (Usage(3, 4), ())
